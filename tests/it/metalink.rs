//! Metalinks, as dnf and zypper follow them: one generation at a time, whatever is published meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use repo::{Metalink, Recipe};
use testkit::{Host, Nginx, Ran, Sandbox, Site, Watch, fetch};

const STAGES: &str = r#"grace = "0s"
[roles]
release-team = ["ME"]
admin = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
versions = "newest 1"
import_roles = ["release-team"]
metalink = true
"#;

const PRODUCTION: &str = "glite-3.2/el9/x86_64/production";

/// A site behind nginx, with the daemon on it.
struct Stage<'a> {
    sandbox: &'a Sandbox,
    nginx: &'a Nginx,
    site: &'a Site,
}

impl Stage<'_> {
    /// Imports one version of the two packages and promotes them; returns the generation.
    fn publish(&self, minor: u32) -> u64 {
        let folder = self.sandbox.folder(&format!("built-{minor}"));
        let version = format!("1.9.{minor}");
        let mut arguments = vec!["import".to_owned(), "--to".into(), "production".into()];
        let clients = Recipe::new("voms-clients", &*version, "1").requires("voms-api");
        for recipe in [clients, Recipe::new("voms-api", &*version, "1")] {
            let file = folder.join(recipe.file_name());
            fs::write(&file, recipe.build()).unwrap();
            arguments.push(file.into_string());
        }
        self.site.sluice(&arguments).ok();
        current(self.site)
    }

    fn url(&self, generation: u64) -> String {
        format!("{}/@{generation}/{PRODUCTION}/repodata/repomd.xml", self.nginx.base_url())
    }

    /// What the metalink says now.
    fn metalink(&self) -> Metalink {
        let answer = fetch(&format!("{}/{PRODUCTION}/metalink.xml", self.nginx.base_url()));
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-cache"), "{}", answer.text());
        Metalink::parse(&answer.body).unwrap()
    }

    /// A host with the `.repo` file that the site serves for metalinks.
    fn host(&self, name: &str) -> Host {
        let file = fetch(&format!("{}/glite-3.2-production-metalink.repo", self.nginx.base_url()));
        assert!(file.status == 200 && !file.text().contains("baseurl="), "{}", file.text());
        let host = Host::new(self.sandbox, name);
        host.dot_repo("glite.repo", &file.body);
        host
    }

    /// A host that is told a list which somebody else keeps, such as a proxy.
    fn host_with(&self, name: &str, list: &str) -> Host {
        let host = Host::new(self.sandbox, name);
        let text = format!("[glite]\nname=glite\nmetalink={list}\ngpgcheck=0\nenabled=1\n");
        host.dot_repo("glite.repo", text);
        host
    }

    /// What was asked for below production since the access log had `seen` lines, with the answers.
    fn asked(&self, seen: usize) -> Vec<(String, String)> {
        let lines = self.nginx.access_log().split_off(seen);
        let words = lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>());
        words
            .filter(|words| words[6].contains(PRODUCTION))
            .map(|words| (words[6].to_owned(), words[8].to_owned()))
            .collect()
    }

    /// Sweeps, and waits until what `gone` tells is removed: that comes behind the answer.
    fn sweep(&self, gone: u64) {
        self.site.drop_request("sweep.toml", "format = 1\naction = \"sweep\"\n[end]\n");
        assert_eq!(self.site.answer("sweep")["outcome"], "done");
        let public = self.site.root().join("public");
        let is_gone = || (!public.join(format!("@{gone}")).exists()).then_some(());
        Watch::on(&[&public]).until(Duration::from_secs(120), is_gone).expect("it was not removed");
    }

    fn seen(&self) -> usize {
        self.nginx.access_log().len()
    }
}

fn current(site: &Site) -> u64 {
    let link = fs::read_link(site.root().join("public/current")).unwrap();
    link.to_str().unwrap().trim_start_matches('@').parse().unwrap()
}

fn installed(minor: u32) -> BTreeSet<String> {
    ["voms-clients", "voms-api"].map(|name| format!("{name}-1.9.{minor}-1.noarch")).into()
}

#[track_caller]
fn has(host: &Host, ran: &Ran, minor: u32) {
    assert_eq!(host.installed(), installed(minor), "after {ran}");
}

/// Runs a story on a site with its daemon; afterwards the site is as it must be.
fn on_stage(story: impl FnOnce(&Stage<'_>)) {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = Site::initialised(&sandbox, nginx.base_url(), STAGES);
    let mut daemon = site.start();
    story(&Stage { sandbox: &sandbox, nginx: &nginx, site: &site });
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
}

#[test]
fn a_metalink_names_its_own_generation_first_and_what_is_kept_besides() {
    on_stage(|stage| {
        let first = stage.publish(10);
        let second = stage.publish(11);
        let says = stage.metalink();
        let plain = format!("{}/{PRODUCTION}/repodata/repomd.xml", stage.nginx.base_url());
        assert_eq!(says.urls[..3], [stage.url(second), plain, stage.url(first)]);
        for (place, url) in says.urls.iter().enumerate() {
            let offered = says.offered[place.saturating_sub(1)];
            let body = fetch(url).body;
            assert_eq!((repo::sha256(&body), body.len() as u64), (offered.sha256, offered.size), "{url}");
        }
        // Another repository changes: the pin follows, what it pins does not change.
        let file = stage.sandbox.path("other.rpm");
        fs::write(&file, Recipe::new("other", "1", "1").build()).unwrap();
        stage.site.sluice(&["import", "--to", "delta", file.as_str()]).ok();
        let third = current(stage.site);
        let again = stage.metalink();
        assert_eq!((again.urls[0].clone(), again.offered), (stage.url(third), says.offered));
        // What is swept is named no more, in the same instant.
        stage.sweep(second);
        let swept = stage.metalink();
        assert_eq!(swept.offered.len(), 1);
        assert!(swept.urls.iter().all(|url| fetch(url).status == 200), "{:?}", swept.urls);
        // Delta has none, and neither have its `.repo` files.
        let delta = format!("{}/glite-3.2/el9/x86_64/delta/metalink.xml", stage.nginx.base_url());
        assert_eq!(fetch(&delta).status, 404);
        assert_eq!(fetch(&format!("{}/glite-3.2-delta-metalink.repo", stage.nginx.base_url())).status, 404);
    });
}

#[test]
fn dnf_follows_a_metalink_through_promotions() {
    on_stage(|stage| {
        let first = stage.publish(10);
        let host = stage.host("host");
        let seen = stage.seen();
        has(&host, &host.dnf(&["install", "voms-clients"]), 10);
        let asked = stage.asked(seen);
        let pinned = format!("/@{first}/");
        let others = asked.iter().filter(|(url, _)| !url.ends_with("/metalink.xml"));
        assert!(others.clone().count() >= 5, "{asked:?}");
        for (url, status) in others {
            assert!(url.starts_with(&pinned) && status == "200", "{asked:?}");
        }
        // Its metadata is of the first generation, and then another one is published.
        let late = stage.host("late");
        late.dnf(&["makecache"]).ok();
        let second = stage.publish(11);
        let seen = stage.seen();
        has(&late, &late.dnf_with_cache(&["install", "voms-clients"]), 10);
        let asked = stage.asked(seen);
        assert!(asked.iter().all(|(_, status)| status == "200"), "{asked:?}");
        let second_pin = format!("/@{second}/");
        let rpms: Vec<_> = asked.iter().filter(|(url, _)| url.ends_with(".rpm")).collect();
        assert!(
            rpms.len() == 2 && rpms[0].0.starts_with(&second_pin),
            "the list was not looked up: {asked:?}"
        );
        // Then both see it.
        for host in [&host, &late] {
            has(host, &host.dnf(&["upgrade"]), 11);
        }
        // What did not change is not fetched again: the metalink says that the cache is as good as new.
        let seen = stage.seen();
        host.dnf(&["makecache"]).ok();
        let asked = stage.asked(seen);
        assert!(
            asked.iter().all(|(url, _)| url.ends_with("/metalink.xml")) && !asked.is_empty(),
            "{asked:?}"
        );
    });
}

#[test]
fn dnf_takes_an_alternate_where_the_pinned_generation_is_gone() {
    on_stage(|stage| {
        let older = stage.publish(10);
        stage.site.sluice(&["keep", &older.to_string(), "--as", "older"]).ok();
        let newer = stage.publish(11);
        // A list that somebody keeps too long.
        let list = fetch(&format!("{}/{PRODUCTION}/metalink.xml", stage.nginx.base_url()));
        let list = stage.sandbox.file("stale-metalink.xml", &list.body);
        let list = format!("file://{list}");
        stage.publish(12);
        stage.sweep(newer);
        assert_eq!(fetch(&stage.url(newer)).status, 404);
        let host = stage.host_with("stale", &list);
        let seen = stage.seen();
        has(&host, &host.dnf(&["install", "voms-clients"]), 10);
        let repomd = stage.asked(seen).into_iter().filter(|(url, _)| url.ends_with("repomd.xml"));
        let mut repomd: Vec<_> = repomd.map(|(url, status)| format!("{status} {url}")).collect();
        // It may ask twice before it gives a mirror up.
        repomd.dedup();
        let expected = [(404, format!("@{newer}/")), (200, String::new()), (200, format!("@{older}/"))];
        let expected =
            expected.map(|(status, top)| format!("{status} /{top}{PRODUCTION}/repodata/repomd.xml"));
        assert_eq!(repomd, expected);
    });
}

#[test]
fn zypper_follows_a_metalink_and_its_cached_list() {
    on_stage(|stage| {
        let first = stage.publish(10);
        let host = stage.host("host");
        let seen = stage.seen();
        has(&host, &host.zypper(&["install", "voms-clients"]), 10);
        let asked = stage.asked(seen);
        let pinned = format!("/@{first}/");
        assert!(asked.iter().any(|(url, _)| url.starts_with(&pinned) && url.ends_with(".rpm")), "{asked:?}");
        // It has the metadata and the list of the first generation, then others are published.
        let late = stage.host("late");
        late.zypper(&["refresh"]).ok();
        stage.publish(11);
        has(&late, &late.zypper(&["--no-refresh", "install", "voms-clients"]), 10);
        // Its list still says the first generation; told to, it asks for another list.
        late.zypper(&["refresh", "--force"]).ok();
        let ran = late.zypper(&["update"]);
        has(&late, &ran, 11);
    });
}

#[test]
fn verify_notices_a_metalink_that_lies() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = Site::initialised(&sandbox, nginx.base_url(), STAGES);
    let mut daemon = site.start();
    let stage = Stage { sandbox: &sandbox, nginx: &nginx, site: &site };
    let (first, second) = (stage.publish(10), stage.publish(11));
    daemon.stop();
    let file = site.root().join(format!("public/current/{PRODUCTION}/metalink.xml"));
    let good = fs::read_to_string(&file).unwrap();
    let says = Metalink::parse(good.as_bytes()).unwrap();
    let (new, old) = (says.offered[0].sha256.to_string(), says.offered[1].sha256.to_string());
    for (from, to) in [
        (new.clone(), old),
        (format!("/@{first}/"), "/@1/".to_owned()),
        (format!("/@{second}/"), "/".to_owned()),
        (format!("<size>{}</size>", says.offered[0].size), "<size>1</size>".to_owned()),
        ("</metalink>".to_owned(), String::new()),
    ] {
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(good.contains(&from), "{from}");
        fs::write(&file, good.replace(&from, &to)).unwrap();
        let ran = site.sluice(&["verify"]);
        let told = ran.stdout.lines().any(|line| line.starts_with("I4") && line.contains("metalink.xml"));
        assert!(ran.code() == 6 && told, "`{from}` -> `{to}`: {ran}");
    }
}
