//! Signed repositories on their way: into a site by `adopt`, out of it by `mirror`.

use std::fs;

use testkit::{Nginx, Sandbox, createrepo_c, run};

use super::{GPG, PRODUCTION, Signed};

#[test]
fn a_mirror_has_the_signatures_too() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let signed = Signed::new(nginx.base_url(), sandbox, &["repo-2026"], GPG);
    run(signed.site.as_daemon().arg("init")).ok();
    let mut daemon = signed.site.start();
    signed.import("production", "1.0", &[]).ok();
    daemon.stop();
    let copy = signed.sandbox.folder("copy");
    signed.site.sluice(&["mirror", nginx.base_url(), copy.as_str()]).ok();
    for name in ["repomd.xml", "repomd.xml.asc", "repomd.xml.key"] {
        let file = copy.join("current").join(PRODUCTION).join("repodata").join(name);
        assert!(fs::read(&file).unwrap() == signed.published(name), "{name}");
    }
}

#[test]
fn what_is_adopted_into_a_signed_stage_is_signed_by_its_key() {
    let signed = Signed::new("http://127.0.0.1:1", Sandbox::new(), &["repo-2026", "theirs"], GPG);
    let old = signed.sandbox.folder("old");
    let recipe = repo::Recipe::new("voms", "0.9", "1").arch("x86_64");
    fs::write(old.join(recipe.file_name()), recipe.build()).unwrap();
    createrepo_c::<&str>(&old, &[]).ok();
    let theirs = signed.keys[1].1.clone();
    let repomd = fs::read(old.join("repodata/repomd.xml")).unwrap();
    fs::write(old.join("repodata/repomd.xml.asc"), signed.gnupg.sign(&theirs, &repomd, &[])).unwrap();
    fs::copy(signed.path_of("theirs.asc"), old.join("repodata/repomd.xml.key")).unwrap();
    run(signed.site.as_daemon().arg("init")).ok();
    let mut daemon = signed.site.start();
    let arguments = ["adopt", old.as_str(), "--stage", "production", "--yes"];
    let ran = signed.site.sluice(&arguments).ok();
    assert!(format!("{ran}").contains("repomd.xml.asc"), "{ran}");
    daemon.stop();
    assert_eq!(signed.signed_by(), "repo-2026");
    let key = String::from_utf8(signed.published("repomd.xml.key")).unwrap();
    assert!(!key.contains(fs::read_to_string(signed.path_of("theirs.asc")).unwrap().lines().nth(3).unwrap()));
    run(signed.site.as_daemon().args(["verify", "--at-rest"])).ok();
}
