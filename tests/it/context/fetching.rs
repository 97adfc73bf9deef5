//! `sluice context update` against a real nginx, and against servers that do not answer as they should.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};
use serde_json::Value;
use store::Disk as _;
use testkit::{Nginx, Ran, Sandbox, Site, is_root, run};

use super::{changed, configuration, file_of, listed, repository};

struct Served {
    sandbox: Sandbox,
    folder: Utf8PathBuf,
    port: Option<TcpListener>,
    nginx: Option<Nginx>,
    site: Site,
    timeout: &'static str,
    /// Keeps a port from others.
    taken: Option<OwnedFd>,
}

/// A site with both contexts, of which one is served by nginx and not fetched yet.
fn served() -> Served {
    let sandbox = Sandbox::new();
    let (web, mirror) = (sandbox.folder("web"), sandbox.folder("mirror"));
    let folder = web.join("x86_64");
    repository(&folder, "5", &["--general-compress-type", "gz"]);
    repository(&mirror.join("el9/x86_64"), "4", &["--general-compress-type", "gz"]);
    let port = Nginx::port();
    let nginx = Nginx::of_folder(&port, &sandbox, &web, "");
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", &configuration(&mirror, nginx.base_url()));
    Served { folder, port: Some(port), nginx: Some(nginx), site, sandbox, timeout: "120s", taken: None }
}

impl Served {
    fn update(&self, more: &[&str]) -> Ran {
        run(self.site.as_daemon().args(["context", "update", "--json", "--timeout", self.timeout]).args(more))
    }

    /// The digests of what was fetched.
    fn snapshots(&self) -> Vec<String> {
        let folder = self.site.root().join("cache/snapshots");
        let names = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned());
        let mut names: Vec<String> = names.filter(|name| !name.contains('@')).collect();
        names.sort();
        names
    }
}

fn told(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

/// What was told of the context behind the URL.
fn of_epel(ran: &Ran) -> Value {
    let told = told(ran);
    let all = told["contexts"].as_array().unwrap();
    all.iter().find(|one| one["context"] == "epel").unwrap_or_else(|| panic!("{ran}")).clone()
}

fn hex(one: &Value) -> String {
    one["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_url_is_fetched_once_and_looked_at_again() {
    let served = served();
    let first = of_epel(&served.update(&[]));
    assert_eq!((&first["changed"], &first["packages"]), (&true.into(), &2.into()), "{first}");
    let at_first = listed(&served.site, "epel");
    assert_eq!((&at_first["digest"], &at_first["code"]), (&first["digest"], &Value::Null));
    let again = of_epel(&served.update(&[]));
    assert_eq!((&again["changed"], &again["digest"]), (&false.into(), &first["digest"]), "{again}");
    let instant = |one: &Value| one["looked"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(
        instant(&listed(&served.site, "epel")) > instant(&at_first),
        "a look that finds nothing new is a look"
    );
    let log = served.nginx.as_ref().unwrap().access_log();
    let count = |words: &str| log.iter().filter(|line| line.contains(words)).count();
    assert_eq!(
        (count("repomd.xml"), count("primary.xml"), count("filelists.xml"), log.len()),
        (2, 1, 1, 4),
        "{log:#?}"
    );

    repository(&served.folder, "6", &["--general-compress-type", "gz"]);
    let before = served.snapshots();
    let newer = of_epel(&served.update(&[]));
    assert_eq!((&newer["changed"], &newer["packages"]), (&true.into(), &3.into()), "{newer}");
    let after = served.snapshots();
    assert_eq!((before, after), (vec![hex(&first)], vec![hex(&newer)]), "the one before is gone");
}

#[test]
fn one_context_can_be_named_and_one_that_is_not_there_is_not_found() {
    let served = served();
    let base = told(&served.update(&["base"]).ok());
    assert_eq!(base["contexts"].as_array().unwrap().len(), 1, "{base}");
    assert_eq!(listed(&served.site, "epel")["code"], "context-missing");
    let nowhere = served.update(&["nowhere"]);
    assert_eq!(nowhere.code(), 5, "{nowhere}");
}

/// Lets something happen to the server of a site that has a snapshot; the snapshot stays, and the exit code says so.
fn fails(exit: i32, happens: impl FnOnce(&mut Served)) -> String {
    let mut served = served();
    served.update(&[]).ok();
    let (before, names) = (listed(&served.site, "epel"), served.snapshots());
    happens(&mut served);
    let ran = served.update(&[]);
    assert_eq!(ran.code(), exit, "{ran}");
    let epel = of_epel(&ran);
    assert_eq!(epel["hint"], "what was fetched before stays", "{epel}");
    let after = listed(&served.site, "epel");
    assert_eq!(
        (&after["digest"], &after["looked"], &after["code"]),
        (&before["digest"], &before["looked"], &Value::Null)
    );
    assert_eq!(served.snapshots(), names);
    // The other one came all the same.
    let base = told(&ran)["contexts"][0].clone();
    assert_eq!((&base["context"], &base["packages"]), (&"base".into(), &2.into()), "{ran}");
    epel["error"].as_str().unwrap().to_owned()
}

fn newer(served: &Served) -> Utf8PathBuf {
    repository(&served.folder, "6", &["--general-compress-type", "gz"]);
    served.folder.clone()
}

#[test]
fn a_server_without_the_repository_leaves_the_last_snapshot() {
    let words = fails(5, |served| fs::remove_dir_all(&served.folder).unwrap());
    assert!(words.ends_with("/repodata/repomd.xml` is not there"), "{words}");
}

#[test]
fn a_server_without_a_file_that_repomd_names_leaves_the_last_snapshot() {
    let words = fails(5, |served| fs::remove_file(file_of(&newer(served), "filelists")).unwrap());
    assert!(words.contains("filelists.xml.gz` is not there"), "{words}");
}

#[test]
fn a_server_whose_file_has_another_checksum_leaves_the_last_snapshot() {
    let words = fails(6, |served| {
        changed(&file_of(&newer(served), "primary"), |bytes| *bytes.last_mut().unwrap() ^= 1);
    });
    assert!(words.contains("is not what its repomd.xml says") && words.contains("has the sha256"), "{words}");
}

#[test]
fn a_server_whose_file_is_cut_short_or_longer_leaves_the_last_snapshot() {
    let words = fails(6, |served| {
        changed(&file_of(&newer(served), "primary"), |bytes| bytes.truncate(bytes.len() - 7));
    });
    assert!(words.contains("record `primary` of repomd.xml says"), "{words}");
    let words = fails(6, |served| {
        changed(&file_of(&newer(served), "primary"), |bytes| bytes.extend_from_slice(&[0; 1000]));
    });
    assert!(words.contains("primary.xml.gz` of the source cannot be: it has more than"), "{words}");
}

#[test]
fn a_server_whose_repomd_is_no_xml_leaves_the_last_snapshot() {
    let words = fails(6, |served| {
        changed(&served.folder.join("repodata/repomd.xml"), |bytes| *bytes = b"<html>moved</html>".to_vec());
    });
    assert!(words.contains("repodata/repomd.xml`: failed to"), "{words}");
}

#[test]
fn a_server_that_takes_the_call_and_says_nothing_leaves_the_last_snapshot() {
    // The kernel takes what the port is called for, and nobody answers.
    let words = fails(75, |served| {
        drop(served.nginx.take());
        served.timeout = "1s";
    });
    assert!(words.contains("failed to fetch") && words.contains("timeout"), "{words}");
}

#[test]
fn a_server_that_is_not_there_leaves_the_last_snapshot() {
    let words = fails(75, |served| {
        drop(served.nginx.take());
        let port = served.port.take().unwrap().local_addr().unwrap();
        // Taken by a socket that does not listen, so that nobody else gets it meanwhile.
        let taken = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        sockopt::set_socket_reuseaddr(&taken, true).unwrap();
        bind(&taken, &port).unwrap();
        served.taken = Some(taken);
    });
    assert!(words.contains("failed to fetch") && words.contains("refused"), "{words}");
}

#[test]
fn a_snapshot_that_was_never_fetched_is_said_to_be_missing() {
    let mut served = served();
    drop(served.nginx.take());
    served.timeout = "1s";
    let ran = served.update(&[]);
    assert_eq!(ran.code(), 75, "{ran}");
    let hint = of_epel(&ran)["hint"].as_str().unwrap().to_owned();
    assert!(hint.starts_with("nothing was fetched before"), "{hint}");
    assert_eq!(listed(&served.site, "epel")["code"], "context-missing");
}

/// Sets when the last look was.
fn looked(site: &Site, change: impl Fn(jiff::Timestamp) -> jiff::Timestamp) {
    let path = site.root().join("cache/snapshots/epel@el9@x86_64.json");
    let mut look: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let instant = change(look["looked"].as_str().unwrap().parse().unwrap());
    look["looked"] = instant.to_string().into();
    fs::write(&path, look.to_string()).unwrap();
}

#[test]
fn a_look_older_than_max_age_is_stale_until_the_next() {
    let served = served();
    served.update(&[]).ok();
    for days in [31, -31] {
        looked(&served.site, |instant| instant - jiff::SignedDuration::from_hours(24 * days));
        let epel = listed(&served.site, "epel");
        assert_eq!(epel["code"], "context-stale", "{epel}");
        served.update(&[]).ok();
        assert_eq!(listed(&served.site, "epel")["code"], Value::Null);
    }
}

#[test]
fn whatever_lies_in_cache_may_be_deleted_or_damaged() {
    let served = served();
    served.update(&[]).ok();
    let cache = served.site.root().join("cache");
    let damage = |folder: &Utf8Path| {
        for entry in folder.read_dir_utf8().unwrap() {
            changed(entry.unwrap().path(), |bytes| {
                let half = bytes.len() / 2;
                bytes[half] ^= 1;
            });
        }
    };
    // Indexes are made anew without a word.
    damage(&cache.join("contexts"));
    for name in ["base", "epel"] {
        let one = listed(&served.site, name);
        assert_eq!((&one["packages"], &one["code"]), (&2.into(), &Value::Null), "{one}");
    }
    // What was fetched is missing until the next time.
    for folder in ["contexts", "snapshots"] {
        fs::remove_dir_all(cache.join(folder)).unwrap();
    }
    assert_eq!(listed(&served.site, "base")["code"], Value::Null);
    assert_eq!(listed(&served.site, "epel")["code"], "context-missing");
    served.update(&[]).ok();
    assert_eq!(listed(&served.site, "epel")["code"], Value::Null);
    // A snapshot that is damaged is fetched again, although the server has nothing new.
    let digest = hex(&listed(&served.site, "epel"));
    fs::remove_dir_all(cache.join("contexts")).unwrap();
    let snapshot = cache.join("snapshots").join(&digest);
    changed(&snapshot.join("primary"), |bytes| bytes.truncate(5));
    assert_eq!(listed(&served.site, "epel")["code"], "context-corrupt");
    let again = of_epel(&served.update(&[]).ok());
    assert_eq!((&again["changed"], &again["digest"]), (&true.into(), &digest.into()), "{again}");
    assert_eq!(listed(&served.site, "epel")["code"], Value::Null);
    run(served.site.as_daemon().args(["verify", "--at-rest"])).ok();
}

#[test]
fn one_fetches_at_a_time_and_as_the_daemons_user() {
    let served = served();
    served.update(&[]).ok();
    let lock = store::PosixDisk.lock(&served.site.root().join("cache/snapshots")).unwrap();
    assert!(lock.is_some());
    let second = served.update(&[]);
    assert_eq!(second.code(), 4, "{second}");
    drop(lock);
    // Only root can be somebody else here.
    if is_root() {
        let other = served.site.sluice(&["context", "update"]);
        assert_eq!(other.code(), 2, "{other}");
        assert!(other.stderr.contains("runuser -u sluice"), "{other}");
    }
    assert!(served.sandbox.root().is_dir());
}

/// What monitoring is told of the contexts: state and words.
fn monitored(site: &Site) -> (String, String) {
    let said = run(site.as_daemon().args(["status", "--check", "--json"])).stdout;
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let findings = said["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["what"] == "contexts").unwrap();
    ["state", "words"].map(|key| found[key].as_str().unwrap().to_owned()).into()
}

#[test]
fn monitoring_learns_when_a_context_is_missing_damaged_or_too_old() {
    let served = served();
    let (state, words) = monitored(&served.site);
    assert!(state == "CRITICAL" && words.contains("`epel`") && words.contains("not fetched yet"), "{words}");
    served.update(&[]).ok();
    let well = ("OK".to_owned(), "2 contexts can be judged by".to_owned());
    assert_eq!(monitored(&served.site), well);
    // It may be 30 days old, and its last quarter is told before it is too late.
    for (days, expected, told) in [
        (22, "OK", "can be judged by"),
        (23, "WARNING", "is too old in "),
        (31, "CRITICAL", "`max_age` is 720 hours"),
        (-31, "CRITICAL", "`max_age` is 720 hours"),
    ] {
        looked(&served.site, |instant| instant - jiff::SignedDuration::from_hours(24 * days));
        let (state, words) = monitored(&served.site);
        assert!(state == expected && words.contains(told), "{days} days: {state} {words}");
        served.update(&[]).ok();
    }
    let base = served.sandbox.folder("mirror").join("el9/x86_64");
    changed(&base.join("repodata/repomd.xml"), |bytes| bytes.truncate(40));
    let (state, words) = monitored(&served.site);
    assert!(state == "CRITICAL" && words.contains("the context `base`"), "{words}");
    let line = run(served.site.as_daemon().args(["status", "--check"])).stdout;
    assert!(line.lines().count() == 1 && line.contains("the context `base`"), "{line}");
}
