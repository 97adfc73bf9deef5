//! The package that tells hosts of a product: made by us, signed by whoever releases, installed by real dnf.

use std::fs;

use camino::Utf8Path;
use serde_json::Value;
use testkit::{Host, Nginx, Sandbox, Site, program, run};

use super::keyring::Keyring;
use super::stages::{LONG_AGO, STAGES, import, key, promote, signed};

/// What rpm says of a package file.
fn asked_rpm(arguments: &[&str], file: &Utf8Path) -> String {
    run(program("rpm").args(arguments).arg(file)).ok().stdout
}

#[test]
fn a_new_host_installs_the_release_package_and_then_the_product() {
    let sandbox = Sandbox::new();
    let ring = Keyring::new(&sandbox);
    let ours = ring.make("ours", "rsa2048", "never", LONG_AGO);
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let base_url = nginx.base_url();
    let site = Site::initialised(&sandbox, base_url, &format!("{}{STAGES}", key(&ring, "ours", &ours, "")));
    let daemon = site.start();
    import(&site, "one", &signed(&ring, &ours, "one"));
    assert_eq!(promote(&site, "one-on", "one")["code"], "done");

    let made = |folder: &str, more: &[&str]| {
        let folder = sandbox.folder(folder);
        site.give_to_daemon(&folder);
        let arguments = [&["--json", "release-package", "glite-3.2", "-o", folder.as_str()], more].concat();
        let told: Value = serde_json::from_str(&run(site.as_daemon().args(arguments)).ok().stdout).unwrap();
        (Utf8Path::new(told["file"].as_str().unwrap()).to_owned(), told)
    };
    let (file, told) = made("release", &[]);
    let number = told["generation"].as_u64().unwrap();
    assert_eq!(file.file_name(), Some(&*format!("glite-3.2-release-{number}-1.noarch.rpm")));
    let (again, _) = made("again", &[]);
    assert_eq!(fs::read(&file).unwrap(), fs::read(&again).unwrap(), "the same words, the same bytes");
    let (other, _) = made("other", &["--version", "7.1", "--stage", "delta", "--platform", "el9/x86_64"]);
    assert_eq!(other.file_name(), Some("glite-3.2-release-delta-7.1-1.el9.x86_64.noarch.rpm"));
    for (arguments, code, words) in [
        (&["glite-3.3"][..], 5, "there is no product `glite-3.3`"),
        (&["glite-3.2", "--stage", "beta"], 5, "`glite-3.2` has no stage `beta`"),
        (&["glite-3.2", "--platform", "sl5"], 5, "has no `glite-3.2-sl5-production.repo`"),
        (&["glite-3.2", "--version", "1-2"], 2, "`1-2` is no version of a package"),
    ] {
        let ran = run(site.as_daemon().arg("release-package").args(arguments));
        assert!(ran.code() == code && ran.stderr.contains(words), "{arguments:?}: {ran}");
    }

    // rpm takes it: its digests are right, and what somebody changes of the `.repo` file survives an upgrade.
    asked_rpm(&["-K", "--nosignature"], &file);
    let listed = asked_rpm(
        &["-qp", "--nosignature", "--qf", "[%{FILENAMES} %{FILEFLAGS:fflags} %{FILEMODES:perms}\n]"],
        &file,
    );
    assert_eq!(
        listed,
        "/etc/pki/rpm-gpg/RPM-GPG-KEY-ours  -rw-r--r--\n/etc/yum.repos.d/glite-3.2-production.repo cn -rw-r--r--\n"
    );

    // Unsigned it enters no stage that demands signatures; signed it is a package like any other.
    import(&site, "unsigned", &fs::read(&other).unwrap());
    assert_eq!(promote(&site, "unsigned-on", "glite-3.2-release-delta")["code"], "unsigned");
    ring.rpmsign(&ours, &file);
    import(&site, "release", &fs::read(&file).unwrap());
    assert_eq!(promote(&site, "release-on", "glite-3.2-release")["code"], "done");

    // A host that has nothing but the file.
    let host = Host::new(&sandbox, "host");
    let ran = host.dnf(&["install", file.as_str()]);
    let package = format!("glite-3.2-release-{number}-1.noarch");
    assert!(host.installed().contains(&package), "{ran}");
    let dot_repo = host.root().join("etc/yum.repos.d/glite-3.2-production.repo");
    let text = fs::read_to_string(&dot_repo).unwrap();
    assert!(text.contains("gpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-ours\n"), "{text}");
    // dnf looks for keys in its own root, not in the one it installs to.
    fs::write(&dot_repo, text.replace("file:///etc", &format!("file://{}/etc", host.root()))).unwrap();
    let ran = host.dnf(&["install", "one"]);
    assert!(host.installed().contains("one-1.0-1.noarch"), "{ran}");
    // And it is kept up to date from there.
    let ran = host.dnf(&["repoquery", "glite-3.2-release"]).ok();
    assert!(ran.stdout.contains(&format!("glite-3.2-release-0:{number}-1.noarch")), "{ran}");
    drop(daemon);
}
