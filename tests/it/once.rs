//! `sluice daemon --once`: does what waits, then ends with an exit code that cron and timers understand.

use std::fs;

use testkit::{Ran, Sandbox, Site, run};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

fn once(site: &Site) -> Ran {
    run(site.as_daemon().args(["daemon", "--once"]))
}

/// Drops the request to import a package that exists.
fn ask_import(site: &Site, name: &str) {
    let recipe = repo::Recipe::new(name, "1.0", "1").file("/usr/share/doc/readme", "text");
    let upload = site.upload(&recipe.file_name(), &recipe.build());
    let body = format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = [\"{upload}\"]\n");
    site.drop_request(&format!("{name}.toml"), &format!("format = 1\n{body}[end]\n"));
}

#[test]
fn one_round_does_what_waits_also_what_must_wait_a_second() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    once(&site).ok();
    for name in ["one", "two", "three"] {
        ask_import(&site, name);
        once(&site).ok();
        let answers = site.answers(name);
        assert_eq!((answers.len(), &answers[0].1["outcome"]), (1, &"done".into()), "{answers:?}");
    }
    let current = fs::read_link(site.root().join("public/current")).unwrap();
    assert_eq!(current.to_str(), Some("@4"), "each in a generation of its own");
    site.sluice(&["verify", "--at-rest"]).ok();
}

#[test]
fn a_second_daemon_ends_at_once_with_4() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let _running = site.start();
    let ran = once(&site);
    assert_eq!(ran.code(), 4, "{ran}");
}

#[test]
fn a_broken_site_ends_with_78_and_is_left_as_it_is() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    ask_import(&site, "one");
    let current = site.root().join("public/current");
    fs::remove_file(&current).unwrap();
    std::os::unix::fs::symlink("@77", &current).unwrap();
    let ran = once(&site);
    assert!(ran.code() == 78 && ran.stderr.contains("public/current"), "{ran}");
    assert!(site.answers("one").is_empty() && site.spool().join("incoming/one.toml").is_file());
}

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    // As on a full disk: every write fails.
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for (more, asked) in [(&[][..], "plain"), (&["--log-json"][..], "json")] {
        ask_import(&site, asked);
        let mut daemon = site.as_daemon();
        let status =
            daemon.args(["daemon", "--once"]).args(more).stderr(full()).stdout(full()).status().unwrap();
        assert_eq!(status.code(), Some(0), "{more:?}");
        assert_eq!(site.answers(asked)[0].1["outcome"], "done");
    }
    // Whoever is told nothing still gets the exit code.
    fs::write(site.config(), "nonsense").unwrap();
    let status = site.as_daemon().args(["daemon", "--once"]).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}
