//! The files that are served: what rpm says of them beside those that they were made of, and hosts that check signatures.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use testkit::{Host, Nginx, Ran, Sandbox, fetch, program, run};

use super::{Bench, promote, recipes, rollback};
use crate::header_edits::{ALLOWED, told};
use crate::signed::{GPG, Signed};

/// What differs beside that: the requirements, and the signatures.
fn may_differ(tag: &str) -> bool {
    ALLOWED.contains(&tag) || tag.starts_with("Require") || tag.starts_with("Change")
}

/// A file that is published, by its name.
fn published(root: &Utf8Path, stage: &str, name: &str) -> Utf8PathBuf {
    let folder = root.join("public/current/glite/el9/x86_64").join(stage);
    let found = run(program("find").arg("-L").arg(&folder).args(["-name", name])).ok().stdout;
    found.lines().next().unwrap_or_else(|| panic!("{name} is not in {folder}")).into()
}

/// What differs in the words of rpm.
fn differing(sandbox: &Sandbox, one: &Utf8Path, other: &Utf8Path) -> BTreeSet<String> {
    let [before, after] = [one, other].map(|path| told(sandbox, path).expect("rpm reads it"));
    let tags = before.keys().chain(after.keys());
    tags.filter(|tag| before.get(*tag) != after.get(*tag)).cloned().collect()
}

/// Has a host that trusts the key, if there is one, check a file.
fn checked(sandbox: &Sandbox, host: Option<&Host>, file: &Utf8Path) -> Ran {
    let database = host.map_or(sandbox.path("rpmdb"), |host| host.root().join("var/lib/rpm"));
    let mut command = program("rpmkeys");
    command
        .env("HOME", sandbox.root())
        .args(["-Kv", "--define"])
        .arg(format!("_dbpath {database}"))
        .arg(file);
    run(&mut command)
}

#[test]
fn a_rebuilt_node_type_differs_in_what_it_must_and_its_digests_are_right() {
    let mut bench = Bench::new("partial_release = \"raised\"\n");
    bench.bundle(1);
    bench.everything_moves(&[]);
    bench.bundle(2);
    bench.done(&rollback(&["voms"]));
    bench.bundle(3);
    bench.done(&format!("{}\npartial = \"target\"", promote(&["voms-3-1.x86_64"])));
    let back = [("delta", "2-1.1")];
    let in_part = [("production", "3-1.1"), ("delta", "3-1.2")];
    let mut looked_at = 0;
    for recipe in recipes(2).into_iter().chain(recipes(3)) {
        let of = recipe.file_name();
        let Some((name, rest)) = of.strip_suffix("-1.noarch.rpm").and_then(|of| of.rsplit_once('-')) else {
            continue;
        };
        let original = bench.sandbox.file(&of, recipe.build());
        let places: &[(&str, &str)] = match (name, rest) {
            ("glite-FTS", _) | ("glite-BDII", "3") => continue,
            (_, "2") => &back,
            _ => &in_part,
        };
        for (stage, evr) in places {
            let made = published(&bench.site.root(), stage, &format!("{name}-{evr}.noarch.rpm"));
            let ran = checked(&bench.sandbox, None, &made).ok();
            assert!(ran.stdout.contains("digest: OK") && !ran.stdout.contains("BAD"), "{ran}");
            let tags = differing(&bench.sandbox, &original, &made);
            assert!(tags.iter().all(|tag| may_differ(tag)), "{made}: {tags:?}");
            // In delta it pins what it did, only newer than what was released in part.
            let pins_the_same = *evr == "3-1.2" && name != "glite-SITE";
            assert_eq!(tags.contains("Requireversion"), !pins_the_same, "{made}: {tags:?}");
            for tag in ["Release", "Buildtime", "Provideversion"] {
                assert!(tags.contains(tag), "{made}: {tag} is as it was");
            }
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 13);
    bench.sound();
}

fn ask(signed: &Signed, stem: &str, keys: &str) -> Value {
    signed
        .site
        .drop_request(&format!("{stem}.toml"), &format!("format = 1\nproduct = \"glite\"\n{keys}\n[end]\n"));
    signed.site.answer(stem)
}

/// Builds a bundle and signs it as package builders do.
fn signed_bundle(signed: &Signed, version: u32) -> Vec<String> {
    let mut uploads = Vec::new();
    for recipe in recipes(version) {
        let file = signed.path_of(&recipe.file_name());
        fs::write(&file, recipe.build()).unwrap();
        let mut rpmsign = program("rpmsign");
        rpmsign.args(["--define", "_gpg_name repo-2026", "--define", "__gpg /usr/bin/gpg"]);
        rpmsign.args(["--define", &format!("_gpg_path {}", signed.path_of("gnupg"))]);
        run(rpmsign.arg("--addsign").arg(&file)).ok();
        uploads.push(signed.site.upload(&recipe.file_name(), &fs::read(&file).unwrap()));
    }
    uploads
}

#[test]
fn hosts_that_check_signatures_take_what_was_rebuilt_and_signed() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let signed = Signed::new(nginx.base_url(), sandbox, &["repo-2026", "stranger"], GPG);
    let text = fs::read_to_string(signed.site.config()).unwrap();
    let text = text.replace("preset = \"glite\"\n", "preset = \"glite\"\npartial_release = \"raised\"\nmetadata_signed_by = [\"repo-2026\"]\nsigned_by = [\"repo-2026\"]\n");
    fs::write(signed.site.config(), text).unwrap();
    run(signed.site.as_daemon().arg("init")).ok();
    let mut daemon = signed.site.start();
    let hosts = Sandbox::new();
    let dot_repo = || fetch(&format!("{}/glite-production.repo", nginx.base_url())).text();
    let all = "action = \"promote\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"glite-*\", \"voms\", \"wms\", \"gfal\", \"lfc\"]";
    for version in [1, 2] {
        let files = signed_bundle(&signed, version);
        let answer = ask(
            &signed,
            &format!("i{version}"),
            &format!("action = \"import\"\nto = \"delta\"\nfiles = {files:?}"),
        );
        assert_eq!(answer["code"], "done", "{answer:#}");
        if version == 1 {
            let answer = ask(&signed, "all", all);
            assert_eq!(answer["code"], "done", "{answer:#}");
        }
    }
    let old = Host::new(&hosts, "old");
    old.dot_repo("glite.repo", dot_repo());
    let ran = old.dnf(&["install", "glite-UI"]);
    assert!(old.installed().contains("glite-UI-1-1.noarch"), "{ran}");
    let part = "action = \"promote\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"voms\"]\npartial = \"target\"";
    let answer = ask(&signed, "part", part);
    assert_eq!(answer["code"], "done", "{answer:#}");

    let certificate = fetch(&format!("{}/RPM-GPG-KEY-repo-2026", nginx.base_url())).text();
    let trusting = Host::new(&hosts, "trusting");
    trusting.trust(&certificate);
    let suspicious = Host::new(&hosts, "suspicious");
    suspicious.trust(&fs::read_to_string(signed.path_of("stranger.asc")).unwrap());
    for name in ["glite-UI", "glite-WN", "glite-SE", "glite-SITE"] {
        let made = published(&signed.site.root(), "production", &format!("{name}-2-1.1.noarch.rpm"));
        let ran = checked(&hosts, Some(&trusting), &made).ok();
        let signature = |line: &&str| line.contains("ignature") && line.ends_with(": OK");
        assert!(ran.stdout.lines().any(|line| signature(&line)) && !ran.stdout.contains("NOKEY"), "{ran}");
        assert!(!checked(&hosts, Some(&suspicious), &made).status.success(), "{made}");
        let original = signed.path_of(&format!("{name}-2-1.noarch.rpm"));
        let tags = differing(&hosts, &original, &made);
        let of_signature = ["Rsaheader", "Dsaheader", "Sigpgp", "Siggpg", "Openpgp"];
        let odd = tags.iter().filter(|tag| !may_differ(tag) && !of_signature.contains(&tag.as_str()));
        assert_eq!(odd.collect::<Vec<_>>(), Vec::<&String>::new(), "{made}");
    }
    assert!(dot_repo().contains("\ngpgcheck=1\n"), "{}", dot_repo());
    let expected = ["glite-UI-2-1.1.noarch", "voms-2-1.x86_64", "wms-1-1.x86_64"];
    let zypper = Host::new(&hosts, "zypper");
    zypper.trust(&certificate);
    zypper.dot_repo("glite.repo", dot_repo().replace("\ngpgcheck=1\n", "\ngpgcheck=1\npkg_gpgcheck=1\n"));
    let fresh = Host::new(&hosts, "fresh");
    fresh.dot_repo("glite.repo", dot_repo());
    let ran = [
        (&old, old.dnf(&["upgrade"])),
        (&fresh, fresh.dnf(&["install", "glite-UI"])),
        (&zypper, zypper.zypper_checking(&["--gpg-auto-import-keys", "install", "glite-UI"])),
    ];
    for (host, ran) in ran {
        let has: BTreeSet<String> =
            host.installed().into_iter().filter(|name| !name.starts_with("gpg-pubkey")).collect();
        assert_eq!(has, expected.map(String::from).into(), "{ran}");
        let verified = host.rpm(&["-Va", "--nouser", "--nogroup"]);
        assert_eq!(verified.stdout, "", "{verified}");
    }
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    run(signed.site.as_daemon().args(["verify", "--at-rest"])).ok();
}
