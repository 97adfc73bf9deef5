//! The main job, as a host sees it: from a dropped request file to what dnf installs.

use std::collections::BTreeSet;
use std::fs;

use camino::Utf8Path;
use repo::Recipe;
use testkit::{Host, Nginx, Ran, Sandbox, Served, Site, fetch};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

/// Where repositories of a stage lie below the web root.
const PRODUCTION: &str = "glite-3.2/el9/x86_64/production";

/// The components and the meta-package of one release of the node type.
fn release(minor: u32) -> [Recipe; 3] {
    let version = format!("1.9.{minor}");
    let clients = Recipe::new("voms-clients", &*version, "1")
        .arch("x86_64")
        .requires("voms-api")
        .file("/usr/bin/voms-proxy-init", format!("#!/bin/sh\necho {version}\n"));
    let api = Recipe::new("voms-api", &*version, "1").file("/usr/share/voms/api", version.as_bytes());
    let meta = Recipe::new("glite-UI", &*format!("3.2.{minor}"), "0")
        .requires(&format!("voms-clients = {version}-1"))
        .requires(&format!("voms-api = {version}-1"));
    [clients, api, meta]
}

/// What a host has installed once it installed that release.
fn installed(minor: u32) -> BTreeSet<String> {
    BTreeSet::from([
        format!("voms-clients-1.9.{minor}-1.x86_64"),
        format!("voms-api-1.9.{minor}-1.noarch"),
        format!("glite-UI-3.2.{minor}-0.noarch"),
    ])
}

fn import(site: &Site, sandbox: &Sandbox, minor: u32) {
    let folder = sandbox.folder(&format!("built-{minor}"));
    let mut arguments =
        vec!["import".to_owned(), "--to".into(), "delta".into(), "--timeout".into(), "2m".into()];
    for recipe in release(minor) {
        let file = folder.join(recipe.file_name());
        fs::write(&file, recipe.build()).unwrap();
        arguments.push(file.into_string());
    }
    site.sluice(&arguments).ok();
}

/// Drops a promotion as a file, as somebody without the command line would, and returns the generation.
fn promote(site: &Site, stem: &str) -> u64 {
    let text = "format = 1\naction = \"promote\"\nproduct = \"glite-3.2\"\nfrom = \"delta\"\nto = \"production\"\n\
                packages = [\"*\"]\nreason = \"the update\"\n[end]\n";
    site.drop_request(&format!("{stem}.toml"), text);
    let answer = site.answer(stem);
    assert_eq!(answer["outcome"], "done", "{answer:#}");
    answer["generation"].as_u64().unwrap()
}

/// A new host that draws from production with the `.repo` file that is served.
fn new_host(sandbox: &Sandbox, name: &str, base_url: &str) -> Host {
    let host = Host::new(sandbox, name);
    let file = fetch(&format!("{base_url}/glite-3.2-production.repo"));
    assert_eq!(file.status, 200, "{}", file.text());
    assert!(file.text().contains(base_url), "the .repo file names another server:\n{}", file.text());
    host.dot_repo("glite.repo", &file.body);
    host
}

fn pinned_host(sandbox: &Sandbox, name: &str, base_url: &str, generation: u64) -> Host {
    let host = Host::new(sandbox, name);
    host.repository("pinned", &format!("{base_url}/@{generation}/{PRODUCTION}/"));
    host
}

/// Exit codes of dnf say little: what counts is what is installed.
#[track_caller]
fn has(host: &Host, ran: &Ran, minor: u32) {
    assert_eq!(host.installed(), installed(minor), "after {ran}");
}

/// The story, with any web server that shows the site under `base_url`.
fn story(sandbox: &Sandbox, site: &Site, base_url: &str) {
    let mut daemon = site.start();
    import(site, sandbox, 10);
    let first = promote(site, "first");
    let host = new_host(sandbox, "host", base_url);
    has(&host, &host.dnf(&["install", "glite-UI"]), 10);

    import(site, sandbox, 11);
    has(&host, &host.dnf(&["upgrade"]), 10);
    let second = promote(site, "second");
    assert!(second > first);
    has(&host, &host.dnf(&["upgrade"]), 11);

    let pinned = pinned_host(sandbox, "pinned-first", base_url, first);
    has(&pinned, &pinned.dnf(&["install", "glite-UI"]), 10);

    let back = ["revert", &first.to_string(), "--stage", "production", "--reason", "it broke"];
    site.sluice(&back).ok();
    let late = new_host(sandbox, "late", base_url);
    has(&late, &late.dnf(&["install", "glite-UI"]), 10);
    // The host that went ahead comes back when it is told to; the pinned generations stay what they were.
    has(&host, &host.dnf(&["distro-sync"]), 10);
    for (generation, minor) in [(first, 10), (second, 11)] {
        let pinned = pinned_host(sandbox, &format!("after-{generation}"), base_url, generation);
        has(&pinned, &pinned.dnf(&["install", "glite-UI"]), minor);
    }

    let status = daemon.stop();
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
}

#[test]
fn dnf_follows_a_promotion_and_a_revert_through_nginx() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = Site::initialised(&sandbox, nginx.base_url(), STAGES);
    story(&sandbox, &site, nginx.base_url());
}

#[test]
fn dnf_follows_a_promotion_and_a_revert_through_sluice_serve() {
    let sandbox = Sandbox::new();
    // Where it listens is known once it runs, and `init` writes the URL into the .repo files.
    let early = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let served = Served::start(&early);
    rename_base_url(&early.config(), "http://127.0.0.1:1", served.base_url());
    story(&sandbox, &early, served.base_url());
}

fn rename_base_url(config: &Utf8Path, from: &str, to: &str) {
    let text = fs::read_to_string(config).unwrap();
    fs::write(config, text.replace(from, to)).unwrap();
}
