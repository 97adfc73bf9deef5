//! A key follows another: announced beside it first, signing afterwards, alone in the end.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use testkit::{Host, Nginx, Sandbox, run};

use super::{GPG, PRODUCTION, Signed, fetched};

/// Says who signs, in place of what the configuration said, and publishes what follows from it.
fn signed_by(signed: &Signed, names: &[&str]) {
    let text = fs::read_to_string(signed.site.config()).unwrap();
    let line = text.lines().find(|line| line.starts_with("metadata_signed_by = ")).unwrap();
    let new = if names.is_empty() { String::new() } else { format!("metadata_signed_by = {names:?}") };
    fs::write(signed.site.config(), text.replace(line, &new)).unwrap();
    run(signed.site.as_daemon().args(["daemon", "--once"])).ok();
}

#[test]
fn a_host_that_trusted_the_old_key_follows_to_the_new_one() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let signed = Signed::new(nginx.base_url(), sandbox, &["repo-2026", "repo-2028"], GPG);
    run(signed.site.as_daemon().arg("init")).ok();
    let url = |name: &str| format!("{}/{name}", nginx.base_url());
    let keys = |text: String| text.matches("BEGIN PGP PUBLIC KEY BLOCK").count();
    let key_file = || keys(String::from_utf8(signed.published("repomd.xml.key")).unwrap());
    let gpgkey = || {
        let text = fetched(&url("glite-production.repo")).text();
        let line = text.lines().find(|line| line.starts_with("gpgkey="));
        line.map(|line| line.split(' ').count())
    };
    assert_eq!((signed.signed_by().as_str(), key_file(), gpgkey()), ("repo-2026", 1, Some(1)));

    // Announced: hosts that fetch the `.repo` file now know both.
    signed_by(&signed, &["repo-2026", "repo-2028"]);
    assert_eq!((signed.signed_by().as_str(), key_file(), gpgkey()), ("repo-2026", 2, Some(2)));
    let dot_repo = fetched(&url("glite-production.repo")).body;
    let host = Host::new(&signed.sandbox, "host");
    host.dot_repo("glite.repo", &dot_repo);
    host.dnf(&["makecache"]).ok();

    // Swapped: everything is signed anew, in one generation.
    let before = signed.current();
    signed_by(&signed, &["repo-2028", "repo-2026"]);
    assert_eq!((signed.current(), signed.signed_by().as_str()), (before + 1, "repo-2028"));
    assert_eq!((key_file(), gpgkey()), (2, Some(2)));
    host.dnf(&["makecache"]).ok();
    let zypper = Host::new(&signed.sandbox, "zypper");
    zypper.dot_repo("glite.repo", &dot_repo);
    zypper.zypper_checking(&["--gpg-auto-import-keys", "refresh"]).ok();

    // Ended.
    signed_by(&signed, &["repo-2028"]);
    assert_eq!((signed.signed_by().as_str(), key_file(), gpgkey()), ("repo-2028", 1, Some(1)));
    host.dnf(&["makecache"]).ok();
    // Nothing to do is nothing done.
    let before = signed.current();
    signed_by(&signed, &["repo-2028"]);
    assert_eq!(signed.current(), before);

    // No longer signed at all: neither signature nor keys stay behind.
    signed_by(&signed, &[]);
    assert_eq!(gpgkey(), None);
    let repodata = signed.site.root().join("public/current").join(PRODUCTION).join("repodata");
    assert!(!repodata.join("repomd.xml.asc").exists() && !repodata.join("repomd.xml.key").exists());
    run(signed.site.as_daemon().args(["verify", "--at-rest"])).ok();
    testkit::Checker::of(&signed.site).at_rest().assert_sound();
}

#[test]
fn a_repository_that_does_not_change_keeps_its_signature_file() {
    let signed = Signed::new("http://127.0.0.1:1", Sandbox::new(), &["repo-2026"], GPG);
    run(signed.site.as_daemon().arg("init")).ok();
    let mut daemon = signed.site.start();
    signed.import("production", "1.0", &[]).ok();
    let names = ["repomd.xml", "repomd.xml.asc", "repomd.xml.key"];
    let inode = |name: &str| {
        let file = signed.site.root().join("public/current").join(PRODUCTION).join("repodata").join(name);
        fs::metadata(file).unwrap().ino()
    };
    let before = names.map(inode);
    signed.import("delta", "1.1", &[]).ok();
    assert_eq!(names.map(inode), before);
    // Where it changes the certificates do not.
    signed.import("production", "1.2", &[]).ok();
    let after = names.map(inode);
    assert!(after[0] != before[0] && after[1] != before[1] && after[2] == before[2]);
    daemon.stop();
    run(signed.site.as_daemon().args(["verify", "--at-rest"])).ok();
    testkit::Checker::of(&signed.site).at_rest().assert_sound();
}
