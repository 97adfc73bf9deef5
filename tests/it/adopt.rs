//! Repositories that exist already: adopted under their old URL while a client that knows them goes on.

mod download;
mod lies;
mod unknown;

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;
use testkit::{Host, Nginx, Sandbox, Site, createrepo_c, fetch, program, run};
use walkdir::WalkDir;

/// The stage `production` lies where the old repository is.
pub const STAGES: &str = r#"
[roles]
release-team = ["ME"]
operations = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
path = "repo/{os}"
import_roles = ["release-team"]
"#;

/// How many packages the old repository lists.
const PACKAGES: usize = 2000;

const COMPS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps><group><id>grid</id><name>Grid tools</name><description>all of them</description><default>true</default>
<uservisible>true</uservisible><packagelist><packagereq type="mandatory">p-0003</packagereq></packagelist></group></comps>
"#;

const UPDATEINFO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="x@example.org" status="final" type="security" version="1"><id>GRID-2026-1</id><title>p-0001 update</title>
<issued date="2026-01-01 00:00:00"/><severity>Important</severity><description>fixed</description><pkglist><collection short="c"><name>c</name>
<package name="p-0001" version="1" release="1" epoch="0" arch="x86_64" src="p-0001-1-1.src.rpm"><filename>p-0001-1-1.x86_64.rpm</filename></package>
</collection></pkglist></update></updates>
"#;

pub fn package(name: &str, version: &str) -> Recipe {
    Recipe::new(name, version, "1")
        .arch("x86_64")
        .file(&format!("/usr/share/{name}/version"), version.as_bytes())
}

/// Where the old repository keeps package `number`: below `Packages`, elsewhere, and at its top.
fn href(number: usize) -> String {
    let name = package(&format!("p-{number:04}"), "1").file_name();
    match number % 3 {
        0 => format!("Packages/{}/{name}", number % 10),
        1 => name,
        _ => format!("getPackage/{name}"),
    }
}

pub fn write(file: &Utf8Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

/// An old site in the folder `name` with its repository at `repo/el9`, made with the tools of its time.
fn old_site(sandbox: &Sandbox, name: &str, packages: usize) -> Utf8PathBuf {
    let site = sandbox.folder(name);
    let repository = site.join("repo/el9");
    for number in 0..packages {
        write(&repository.join(href(number)), package(&format!("p-{number:04}"), "1").build());
    }
    let comps = sandbox.file(&format!("{name}-comps.xml"), COMPS);
    createrepo_c(&repository, &["--groupfile", comps.as_str()]).ok();
    let updateinfo = sandbox.file("updateinfo.xml", UPDATEINFO);
    run(program("modifyrepo_c").arg(updateinfo).arg(repository.join("repodata"))).ok();
    site
}

/// Every file below a folder, with its bytes and its time.
pub fn picture(folder: &Utf8Path) -> BTreeMap<String, (String, i64)> {
    use std::os::unix::fs::MetadataExt as _;
    let files = WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = files.filter(|entry| !entry.file_type().is_dir());
    files
        .map(|entry| {
            let digest = repo::sha256(&fs::read(entry.path()).unwrap_or_default()).hex();
            (entry.path().display().to_string(), (digest, entry.metadata().unwrap().mtime()))
        })
        .collect()
}

fn has_fetched(nginx: &Nginx, href: &str) -> bool {
    nginx
        .access_log()
        .iter()
        .any(|line| line.contains(&format!("/repo/el9/{href} ")) && line.contains(" 200 "))
}

#[test]
fn a_repository_of_2000_packages_is_adopted_and_its_client_goes_on() {
    let sandbox = Sandbox::new();
    let old = old_site(&sandbox, "old", PACKAGES);
    let before = picture(&old);
    let port = Nginx::port();
    let old_nginx = Nginx::of_folder(&port, &sandbox, &old, "");
    let url = old_nginx.base_url().to_owned();
    let host = Host::new(&sandbox, "host");
    host.repository("grid", &format!("{url}/repo/el9/"));
    host.dnf(&["install", "p-0000"]).ok();
    let fresh = Host::new(&sandbox, "fresh");
    fresh.repository("grid", &format!("{url}/repo/el9/"));

    let site = Site::initialised(&sandbox, &url, STAGES);
    let mut daemon = site.start();
    let folder = old.join("repo/el9");
    site.sluice(&["compare", folder.as_str()]).ok();
    let adopt = ["adopt", folder.as_str(), "--stage", "production"];
    let rehearsed = site.sluice(&[&adopt[..], &["--dry-run"]].concat()).ok().stdout;
    for words in [
        "2000 packages",
        "  group\n",
        "  updateinfo\n",
        "  package Packages/0/p-0000-1-1.x86_64.rpm\n",
        "plan ",
    ] {
        assert!(
            rehearsed.contains(words),
            "`{words}` is not in the plan:\n{}",
            &rehearsed[rehearsed.len() - 3000..]
        );
    }
    assert_eq!(fs::read_dir(site.root().join("pool")).unwrap().count(), 0, "a rehearsal copies nothing");
    let said = site.sluice(&adopt).ok().stdout;
    assert!(!said.contains("says something else"), "the old metadata is createrepo_c's, as is ours: {said}");
    assert_eq!(picture(&old), before, "the old tree was touched");

    drop(old_nginx);
    let nginx = Nginx::start_on(&port, &sandbox, &site.root());
    // It knows the old metadata only, and installs from each of the three kinds of place.
    for number in [3, 1, 2] {
        host.dnf_with_cache(&["install", &format!("p-{number:04}")]).ok();
        assert!(has_fetched(&nginx, &href(number)), "{:?}", nginx.access_log());
    }
    assert!(!nginx.access_log().iter().any(|line| line.contains("repomd.xml")), "it asked for new metadata");
    // Then it asks again, and what it is told now leads to digest paths.
    host.dnf(&["install", "p-0004"]).ok();
    assert!(!has_fetched(&nginx, &href(4)), "{:?}", nginx.access_log());
    fresh.dnf(&["install", "p-1999"]).ok();
    let groups = host.dnf(&["group", "list"]).ok().stdout;
    assert!(groups.contains("Grid tools"), "{groups}");
    let updates = host.dnf(&["updateinfo", "list", "--all"]).ok().stdout;
    assert!(updates.contains("GRID-2026-1"), "{updates}");

    let newer = sandbox.file("p-0001-2-1.x86_64.rpm", package("p-0001", "2").build());
    site.sluice(&["import", newer.as_str(), "--to", "delta"]).ok();
    site.sluice(&["promote", "p-0001"]).ok();
    host.dnf(&["upgrade"]).ok();
    let wanted =
        ["p-0000-1", "p-0001-2", "p-0002-1", "p-0003-1", "p-0004-1"].map(|name| format!("{name}-1.x86_64"));
    assert_eq!(host.installed(), wanted.into());
    assert_eq!(fetch(&format!("{url}/repo/el9/{}", href(5))).status, 200, "carried into the next generation");

    // A second adoption of the same has nothing to do.
    assert!(site.sluice(&adopt).ok().stdout.contains("already"));
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
    assert_eq!(picture(&old), before, "the old tree was touched");
}

#[test]
fn old_hrefs_go_when_their_time_is_over() {
    let sandbox = Sandbox::new();
    let old = old_site(&sandbox, "old", 6);
    let stages = format!("grace = \"1ms\"\n{}", STAGES.replace("[roles]", "[roles]\nadmin = [\"ME\"]"));
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", &stages);
    let mut daemon = site.start();
    let folder = old.join("repo/el9");
    site.sluice(&["adopt", folder.as_str(), "--stage", "production"]).ok();
    let public = site.root().join("public/current/repo/el9");
    for number in 0..6 {
        assert!(public.join(href(number)).exists(), "{}", href(number));
    }
    // The first sweep lets the files go and drops the generations, the second what only those listed.
    for number in 0..3 {
        site.drop_request(&format!("sweep-{number}.toml"), "format = 1\naction = \"sweep\"\n[end]\n");
        let answer = site.answer(&format!("sweep-{number}"));
        assert_ne!(answer["outcome"], "refused", "{answer:#}");
    }
    for number in 0..6 {
        assert!(!public.join(href(number)).exists(), "{}", href(number));
    }
    assert!(public.join("repodata/repomd.xml").exists());
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
}

#[test]
fn groups_that_are_adopted_come_out_twice_for_yum_3() {
    let sandbox = Sandbox::new();
    let old = old_site(&sandbox, "old", 4);
    let stages = STAGES.replace("path = \"repo/{os}\"", "path = \"repo/{os}\"\nprofile = \"el7\"");
    assert_ne!(stages, STAGES);
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", &stages);
    let mut daemon = site.start();
    let folder = old.join("repo/el9");
    let check = || {
        let published = site.root().join("public/current/repo/el9");
        let repomd = fs::read(published.join("repodata/repomd.xml")).unwrap();
        let repomd = repo::Repomd::parse(&repomd).unwrap();
        let kinds: Vec<_> = repomd.records.iter().map(|record| record.kind.as_str()).collect();
        assert!(kinds.contains(&"primary_db") && kinds.contains(&"updateinfo"), "{kinds:?}");
        for kind in ["group", "group_gz"] {
            assert_eq!(kinds.iter().filter(|known| **known == kind).count(), 1, "{kinds:?}");
            let packed = fs::read(published.join(&repomd.record(kind).unwrap().href)).unwrap();
            assert_eq!(packed.starts_with(b"<?xml"), kind == "group");
            assert_eq!(repo::unpack(&packed, 1 << 20).unwrap(), COMPS.as_bytes(), "{kind}");
        }
    };
    site.sluice(&["adopt", folder.as_str(), "--stage", "production"]).ok();
    check();
    let newer = sandbox.file("p-0001-2-1.x86_64.rpm", package("p-0001", "2").build());
    site.sluice(&["import", newer.as_str(), "--to", "delta"]).ok();
    site.sluice(&["promote", "p-0001"]).ok();
    check();
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
}
