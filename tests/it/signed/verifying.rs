//! What `sluice verify` says of signatures that are not what they must be, and what becomes of them after a restore.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use testkit::{Checker, Sandbox, run};

use super::{GPG, PRODUCTION, Signed, failing};

/// A site with two generations whose metadata is signed, at rest.
fn at_rest() -> Signed {
    let signed = Signed::new("http://127.0.0.1:1", Sandbox::new(), &["repo-2026", "stranger"], GPG);
    run(signed.site.as_daemon().arg("init")).ok();
    let mut daemon = signed.site.start();
    signed.import("production", "1.0", &[]).ok();
    daemon.stop();
    signed
}

#[test]
fn verify_names_a_signature_that_does_not_fit() {
    let signed = at_rest();
    run(signed.site.as_daemon().args(["verify", "--at-rest"])).ok();
    let repodata = signed.site.root().join("public/current").join(PRODUCTION).join("repodata");
    let put = |name: &str, bytes: &[u8]| {
        let file = repodata.join(name);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&file, bytes).unwrap();
    };
    let repomd = signed.published("repomd.xml");
    let first = signed.site.root().join("public/@1").join(PRODUCTION).join("repodata/repomd.xml.asc");
    let stranger = fs::read(signed.path_of("stranger.asc")).unwrap();
    let cases = [
        ("an old signature", "repomd.xml.asc", fs::read(&first).unwrap()),
        ("a stranger's", "repomd.xml.asc", signed.gnupg.sign(&signed.keys[1].1, &repomd, &[])),
        ("none at all", "repomd.xml.asc", b"signed".to_vec()),
        ("a stranger's certificate", "repomd.xml.key", stranger),
        ("a changed byte", "repomd.xml", [&repomd[..], b"\n"].concat()),
    ];
    for (what, name, bytes) in cases {
        let right = signed.published(name);
        put(name, &bytes);
        let ran = run(signed.site.as_daemon().arg("verify"));
        let place = format!("{PRODUCTION}/repodata/repomd.xml.asc");
        let told = ran.stdout.lines().any(|line| line.starts_with("I5") && line.contains(&place));
        assert!(ran.code() == 6 && told, "{what}: {ran}");
        let told = Checker::of(&signed.site).violations();
        assert!(told.iter().any(|line| line.starts_with("I5") && line.contains(&place)), "{what}: {told:#?}");
        put(name, &right);
    }
}

#[test]
fn a_restored_site_is_signed_anew() {
    let signed = at_rest();
    let before = (signed.published("repomd.xml"), signed.current());
    run(signed.site.as_daemon().args(["init", "--resume"])).ok();
    assert!(signed.current() > before.1 && signed.published("repomd.xml") != before.0);
    assert_eq!(signed.signed_by(), "repo-2026");
    run(signed.site.as_daemon().args(["verify", "--at-rest"])).ok();
    Checker::of(&signed.site).at_rest().assert_sound();
    // Without a signer a restored site does not go on, and says why.
    let nobody = Utf8Path::new("/nobody/at/home");
    let text = fs::read_to_string(signed.site.config()).unwrap();
    fs::write(signed.site.config(), text.replace(signed.gnupg.home().as_str(), nobody.as_str())).unwrap();
    let current = signed.current();
    let ran = run(signed.site.as_daemon().args(["init", "--resume"]));
    assert!(ran.code() == 75 && ran.stderr.contains("signer-failed"), "{ran}");
    assert_eq!(signed.current(), current);
}

#[test]
fn what_is_published_by_a_daemon_that_signs_wrongly_is_found() {
    for (bug, how) in [
        ("SignatureNotVerified", "(cat; echo) | sign \"$1\""),
        ("SignatureNotVerified", "sign OTHER"),
        ("SignatureCarried", "sign \"$1\""),
    ] {
        let signed = failing::on_a_site();
        run(signed.site.as_daemon().arg("init")).ok();
        failing::tell(&signed, how);
        let mut daemon = signed.site.start_with_bug(bug);
        signed.import("production", "1.0", &[]).ok();
        daemon.stop();
        let ran = run(signed.site.as_daemon().arg("verify"));
        assert!(ran.code() == 6 && ran.stdout.lines().any(|line| line.starts_with("I5")), "{bug}: {ran}");
        let told = Checker::of(&signed.site).violations();
        assert!(told.iter().all(|line| line.starts_with("I5")) && !told.is_empty(), "{bug}: {told:#?}");
    }
}
