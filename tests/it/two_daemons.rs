//! One site has one daemon: whoever comes second leaves at once, and says who is there.

use std::fs;

use nix::sys::signal::Signal;
use testkit::{Sandbox, Site, run};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

/// Starts a second one, and reads why it leaves.
fn second(site: &Site, arguments: &[&str]) -> (Option<i32>, String) {
    let ran = run(site.as_daemon().args(arguments));
    (ran.status.code(), ran.stderr)
}

#[test]
fn a_second_daemon_leaves_at_once_and_names_the_first() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut first = site.start();
    let holder = format!("process {} holds it", first.process());
    for signal in [Signal::SIGSTOP, Signal::SIGCONT] {
        // One that is stopped holds the lock like one that runs.
        first.signal(signal);
        for arguments in [&["daemon"][..], &["daemon", "--once"], &["init"]] {
            let (code, said) = second(&site, arguments);
            assert_eq!(code, Some(4), "{arguments:?}: {said}");
            assert!(said.contains(&holder), "{arguments:?}: {said}");
            assert!(said.contains(site.root().as_str()), "{arguments:?}: {said}");
        }
    }
    assert!(first.stop().is_some_and(|status| status.success()), "{}", first.log());
    // Nobody holds it any more.
    let (code, said) = second(&site, &["daemon", "--once"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn two_sites_do_not_share_a_control_directory() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut first = site.start();
    // The same control directory, another root.
    let text = fs::read_to_string(site.config()).unwrap();
    let other = site.root().with_file_name("other-root");
    fs::create_dir(&other).unwrap();
    if testkit::is_root() {
        let owner = fs::metadata(site.root()).map(|root| std::os::unix::fs::MetadataExt::uid(&root)).unwrap();
        std::os::unix::fs::chown(&other, Some(owner), Some(owner)).unwrap();
    }
    // The first one has read its configuration.
    let text = text.replace(&format!("root = \"{}\"", site.root()), &format!("root = \"{other}\""));
    fs::write(site.config(), text).unwrap();
    let (code, said) = second(&site, &["init"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains(site.spool().as_str()), "{said}");
    assert!(first.stop().is_some_and(|status| status.success()), "{}", first.log());
}
