//! Packages and metadata signed by different keys, and real dnf and zypper that check both.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;
use testkit::{Host, Nginx, Sandbox, program, run};

use super::clients::{Client, tampered};
use super::{GPG, PRODUCTION, Signed, fetched};

/// What is served in words, how it comes about, which keys the host trusts, whether it installs.
type Case<'a> = (&'a str, &'a dyn Fn(&Utf8Path), [&'a str; 2], bool);

/// A site whose production takes packages signed by `packages`, and whose metadata `repo-2026` signs.
fn site(base_url: &str, sandbox: Sandbox) -> Signed {
    let signed = Signed::new(base_url, sandbox, &["repo-2026", "packages", "stranger"], GPG);
    let text = fs::read_to_string(signed.site.config()).unwrap();
    fs::write(signed.site.config(), text + "signed_by = [\"packages\"]\n").unwrap();
    run(signed.site.as_daemon().arg("init")).ok();
    signed
}

/// Builds one version of a package and signs it as package builders do.
fn package(signed: &Signed, version: &str) -> Utf8PathBuf {
    let recipe = Recipe::new("voms", version, "1").arch("x86_64").file("/usr/share/voms/version", version);
    let file = signed.path_of(&recipe.file_name());
    fs::write(&file, recipe.build()).unwrap();
    let mut rpmsign = program("rpmsign");
    rpmsign.args(["--define", &format!("_gpg_name {}!", signed.keys[1].1), "--define", "__gpg /usr/bin/gpg"]);
    rpmsign.args(["--define", &format!("_gpg_path {}", signed.gnupg.home())]);
    run(rpmsign.arg("--addsign").arg(&file)).ok();
    file
}

/// The package as a host finds it beside `repodata`.
fn served_package(repodata: &Utf8Path) -> Utf8PathBuf {
    let listed = fs::read_to_string(repodata.join("repomd.xml")).unwrap();
    assert!(listed.contains("primary"), "{listed}");
    let found =
        run(program("find").arg(repodata.parent().unwrap().join("Packages")).args(["-name", "voms-1.1-1*"]));
    found.ok().stdout.lines().next().expect("it is served").into()
}

#[test]
fn hosts_that_check_packages_and_metadata_install_what_is_right_and_nothing_else() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let signed = site(nginx.base_url(), sandbox);
    let mut daemon = signed.site.start();
    let import = |version: &str| {
        let file = package(&signed, version);
        signed.site.sluice(&["import", "--to", "production", file.as_str()]).ok();
    };
    import("1.0");
    let old = signed.published("repomd.xml.asc");
    import("1.1");
    daemon.stop();
    let dot_repo = fetched(&format!("{}/glite-production.repo", nginx.base_url())).text();
    let url = |key: &str| format!("{}/RPM-GPG-KEY-{key}", nginx.base_url());
    let checks = format!("gpgcheck=1\nrepo_gpgcheck=1\ngpgkey={} {}\n", url("repo-2026"), url("packages"));
    assert!(dot_repo.contains(&checks), "{dot_repo}");
    let stranger = fs::read_to_string(signed.path_of("stranger.asc")).unwrap();
    let [metadata, packages] = ["repo-2026", "packages"].map(|key| fetched(&url(key)).text());

    let nothing: &dyn Fn(&Utf8Path) = &|_| {};
    let old_signature: &dyn Fn(&Utf8Path) =
        &|repodata| fs::write(repodata.join("repomd.xml.asc"), &old).unwrap();
    let package_byte: &dyn Fn(&Utf8Path) = &|repodata| {
        let file = served_package(repodata);
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
    };
    let metadata_byte: &dyn Fn(&Utf8Path) = &|repodata| {
        let file = repodata.join("repomd.xml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replacen("<revision>", "<revision> ", 1)).unwrap();
    };
    let cases: [Case<'_>; 6] = [
        ("what is published", nothing, [&metadata, &packages], true),
        (
            "what is published, to a host with another key for packages",
            nothing,
            [&metadata, &stranger],
            false,
        ),
        (
            "what is published, to a host with another key for metadata",
            nothing,
            [&stranger, &packages],
            false,
        ),
        ("a byte changed in a package", package_byte, [&metadata, &packages], false),
        ("a byte changed in the metadata", metadata_byte, [&metadata, &packages], false),
        ("an old signature", old_signature, [&metadata, &packages], false),
    ];
    for (n, (name, change, trusted, installs)) in cases.into_iter().enumerate() {
        let (_elsewhere, served) = tampered(&signed, name, change);
        let files = [0, 1].map(|k| {
            let file = signed.sandbox.file(&format!("both-{n}-{k}.asc"), trusted[k].as_bytes());
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
            format!("file://{file}")
        });
        for client in [Client::Dnf, Client::Zypper] {
            let host = Host::new(&signed.sandbox, &format!("both-{n}-{client:?}"));
            trusted.iter().for_each(|certificate| host.trust(certificate));
            let text = dot_repo.replace(&url("repo-2026"), &files[0]).replace(&url("packages"), &files[1]);
            let mut text = text.replace(nginx.base_url(), served.base_url());
            if matches!(client, Client::Zypper) {
                // Where metadata is signed, zypper takes its digests for a package's signature, unless told not to.
                text = text.replace("\ngpgcheck=1\n", "\ngpgcheck=1\npkg_gpgcheck=1\n");
            }
            host.dot_repo("glite.repo", &text);
            let ran = client.install(&host);
            let expected: BTreeSet<String> =
                if installs { ["voms-1.1-1.x86_64".to_owned()].into() } else { BTreeSet::new() };
            let has: BTreeSet<String> =
                host.installed().into_iter().filter(|name| !name.starts_with("gpg-pubkey")).collect();
            assert_eq!(has, expected, "{client:?} was served {name}: {ran}");
        }
    }
}

#[test]
fn hosts_that_have_no_key_yet_take_both_from_the_dot_repo_file() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let signed = site(nginx.base_url(), sandbox);
    let mut daemon = signed.site.start();
    let file = package(&signed, "1.0");
    signed.site.sluice(&["import", "--to", "production", file.as_str()]).ok();
    assert!(signed.site.root().join("public/current").join(PRODUCTION).is_dir());
    let dot_repo = fetched(&format!("{}/glite-production.repo", nginx.base_url())).body;
    for client in [Client::Dnf, Client::Zypper] {
        let host = Host::new(&signed.sandbox, &format!("fresh-{client:?}"));
        host.dot_repo("glite.repo", &dot_repo);
        let ran = match client {
            Client::Dnf => host.dnf(&["install", "voms"]),
            Client::Zypper => host.zypper_checking(&["--gpg-auto-import-keys", "install", "voms"]),
        };
        assert!(host.installed().contains("voms-1.0-1.x86_64"), "{client:?}: {ran}");
    }
    daemon.stop();
}
