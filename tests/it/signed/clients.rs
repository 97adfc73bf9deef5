//! Real dnf and zypper that check the metadata they are served, and what they make of it when it is wrong.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use testkit::{Host, Nginx, Ran, Sandbox, program, run};

use super::{GPG, PRODUCTION, Signed, fetched};

/// Serves a copy of what is published, after `change` was done to its `repodata`.
pub(super) fn tampered(signed: &Signed, name: &str, change: impl FnOnce(&Utf8Path)) -> (Sandbox, Nginx) {
    let sandbox = Sandbox::new();
    let public = sandbox.folder("site/root/public");
    let current = signed.site.root().join("public/current/");
    run(program("cp").args(["-rL", current.as_str()]).arg(public.join("current"))).ok();
    run(program("chmod").args(["-R", "u+w"]).arg(&public)).ok();
    change(&public.join("current").join(PRODUCTION).join("repodata"));
    run(program("chmod").args(["-R", "a+rX"]).arg(&public)).ok();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    println!("{name} is served by {}", nginx.base_url());
    (sandbox, nginx)
}

/// What is served in words, how it comes about, which key the host trusts, whether it installs.
type Case<'a> = (&'a str, &'a dyn Fn(&Utf8Path), &'a str, bool);

/// One client, told to check.
#[derive(Clone, Copy, Debug)]
pub(super) enum Client {
    Dnf,
    Zypper,
}

impl Client {
    pub(super) fn install(self, host: &Host) -> Ran {
        match self {
            Client::Dnf => host.dnf(&["install", "voms"]),
            Client::Zypper => host.zypper_checking(&["install", "voms"]),
        }
    }
}

#[test]
fn hosts_that_check_metadata_install_what_is_right_and_nothing_else() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let signed = Signed::new(nginx.base_url(), sandbox, &["repo-2026", "stranger"], GPG);
    run(signed.site.as_daemon().arg("init")).ok();
    let mut daemon = signed.site.start();
    signed.import("production", "1.0", &[]).ok();
    let old = signed.published("repomd.xml.asc");
    signed.import("production", "1.1", &[]).ok();
    daemon.stop();
    let dot_repo = fetched(&format!("{}/glite-production.repo", nginx.base_url())).text();
    assert_eq!(dot_repo.matches("\nrepo_gpgcheck=1\n").count(), 3, "{dot_repo}");
    let certificate = fetched(&format!("{}/RPM-GPG-KEY-repo-2026", nginx.base_url())).text();
    let stranger = fs::read_to_string(signed.path_of("stranger.asc")).unwrap();
    let stranger_key = signed.keys[1].1.clone();

    let nothing: &dyn Fn(&Utf8Path) = &|_| {};
    let byte: &dyn Fn(&Utf8Path) = &|repodata| {
        let file = repodata.join("repomd.xml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replacen("<revision>", "<revision> ", 1)).unwrap();
    };
    let stale: &dyn Fn(&Utf8Path) = &|repodata| fs::write(repodata.join("repomd.xml.asc"), &old).unwrap();
    let gone: &dyn Fn(&Utf8Path) = &|repodata| fs::remove_file(repodata.join("repomd.xml.asc")).unwrap();
    let strange: &dyn Fn(&Utf8Path) = &|repodata| {
        let bytes = fs::read(repodata.join("repomd.xml")).unwrap();
        let made = signed_again(&signed, &stranger_key, &bytes);
        fs::write(repodata.join("repomd.xml.asc"), made).unwrap();
    };
    let cases: [Case<'_>; 6] = [
        ("what is published", nothing, &certificate, true),
        ("what is published, to a host with a wrong key", nothing, &stranger, false),
        ("a changed byte", byte, &certificate, false),
        ("an old signature", stale, &certificate, false),
        ("no signature", gone, &certificate, false),
        ("a stranger's signature", strange, &certificate, false),
    ];
    for (n, (name, change, trusted, installs)) in cases.into_iter().enumerate() {
        let (_elsewhere, served) = tampered(&signed, name, change);
        for client in [Client::Dnf, Client::Zypper] {
            let host = Host::new(&signed.sandbox, &format!("host-{n}-{client:?}"));
            let key = signed.sandbox.file(&format!("trusted-{n}.asc"), trusted.as_bytes());
            fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
            host.trust(trusted);
            let text = dot_repo.replace(nginx.base_url(), served.base_url());
            let key_url = format!("{}/RPM-GPG-KEY-repo-2026", served.base_url());
            assert!(text.contains(&format!("gpgkey={key_url}\n")), "{text}");
            host.dot_repo("glite.repo", text.replace(&key_url, &format!("file://{key}")));
            let ran = client.install(&host);
            let expected: BTreeSet<String> =
                if installs { ["voms-1.1-1.x86_64".to_owned()].into() } else { BTreeSet::new() };
            let has: BTreeSet<String> =
                host.installed().into_iter().filter(|name| !name.starts_with("gpg-pubkey")).collect();
            assert_eq!(has, expected, "{client:?} was served {name}: {ran}");
        }
    }
}

/// Signs with a key of the site's GNUPGHOME, as its user.
fn signed_again(signed: &Signed, key: &str, bytes: &[u8]) -> Vec<u8> {
    signed.gnupg.sign(key, bytes, &[])
}

#[test]
fn hosts_that_follow_a_metalink_take_both_files_from_one_generation() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let signed = Signed::new(nginx.base_url(), sandbox, &["repo-2026"], GPG);
    run(signed.site.as_daemon().arg("init")).ok();
    let mut daemon = signed.site.start();
    signed.import("production", "1.0", &[]).ok();
    let dot_repo = fetched(&format!("{}/glite-production-metalink.repo", nginx.base_url())).text();
    assert!(dot_repo.contains("\nrepo_gpgcheck=1\n") && dot_repo.contains("\nmetalink="), "{dot_repo}");
    for client in [Client::Dnf, Client::Zypper] {
        let host = Host::new(&signed.sandbox, &format!("{client:?}"));
        host.trust(&fetched(&format!("{}/RPM-GPG-KEY-repo-2026", nginx.base_url())).text());
        host.dot_repo("glite.repo", &dot_repo);
        let seen = nginx.access_log().len();
        let ran = client.install(&host);
        assert!(host.installed().contains("voms-1.0-1.x86_64"), "{client:?}: {ran}");
        let log = nginx.access_log().split_off(seen);
        let asked = log.iter().filter_map(|line| line.split_whitespace().nth(6));
        let signatures: BTreeSet<&str> = asked.filter(|url| url.ends_with("repomd.xml.asc")).collect();
        let pinned = format!("/@{}/{PRODUCTION}/repodata/repomd.xml.asc", signed.current());
        assert_eq!(signatures, BTreeSet::from([pinned.as_str()]), "{client:?}: {log:#?}");
    }
    daemon.stop();
}
