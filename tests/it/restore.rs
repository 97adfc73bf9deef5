//! A backup made by the documented commands while the site works, and what goes on from it.

use std::fs;
use std::process::{Child, Command};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use testkit::{Host, Nginx, Ran, Sandbox, Site, checkout, fetch, program, run};

mod damage;

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

/// The commands of the document: those of the backup, and the one of the restore.
fn documented() -> [String; 2] {
    let text = fs::read_to_string(checkout().join("deploy/backup.md")).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect::<Vec<_>>().try_into().expect("a block for the backup and one for the restore")
}

fn shell(commands: &str, root: &Utf8Path, backup: &Utf8Path) -> Command {
    let mut command = program("sh");
    command.args(["-euc", commands]).env("ROOT", root).env("BACKUP", backup);
    command
}

fn back_up(site: &Site, backup: &Utf8Path) {
    run(&mut shell(&documented()[0], &site.root(), backup)).ok();
}

/// Takes the whole store away, as a lost disk would, and puts the backup in its place.
fn lose_and_restore(site: &Site, backup: &Utf8Path, lost: &Utf8Path) {
    run(program("mv").arg("-T").arg(site.root()).arg(lost)).ok();
    put_back(site, backup);
}

fn put_back(site: &Site, backup: &Utf8Path) {
    run(&mut shell(&documented()[1], &site.root(), backup)).ok();
}

/// Goes on; where the backup is not a second old yet, it is asked again until it is.
pub fn resume(site: &Site, more: &[&str]) -> Ran {
    loop {
        let ran = run(site.as_daemon().args(["--json", "init", "--resume"]).args(more));
        if !ran.stdout.contains("at most once a second") {
            return ran;
        }
    }
}

fn said(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

fn act(site: &Site, stem: &str, rest: &str) -> u64 {
    site.drop_request(&format!("{stem}.toml"), &format!("format = 1\n{rest}\n[end]\n"));
    let answer = site.answer(stem);
    assert_eq!(answer["exit"], 0, "{answer:#}");
    answer["generation"].as_u64().unwrap()
}

/// Imports release `minor` of a package and promotes it; returns the generation.
fn release(site: &Site, stem: &str, minor: u32) -> u64 {
    let noise = (0..60_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761).wrapping_add(minor) >> 13) as u8)
        .collect::<Vec<_>>();
    let recipe = repo::Recipe::new("voms", &*format!("1.{minor}"), "1").file("/usr/share/voms", noise);
    let upload = site.upload(&recipe.file_name(), &recipe.build());
    act(
        site,
        &format!("{stem}-import"),
        &format!("action = \"import\"\nproduct = \"glite-3.2\"\nto = \"delta\"\nfiles = [\"{upload}\"]"),
    );
    act(
        site,
        &format!("{stem}-promote"),
        &format!(
            "action = \"promote\"\nproduct = \"glite-3.2\"\nfrom = \"delta\"\nto = \"production\"\n\
             packages = [\"voms-1.{minor}-1\"]"
        ),
    )
}

fn revision(base_url: &str) -> (i64, String) {
    let fetched = fetch(&format!("{base_url}/glite-3.2/el9/x86_64/production/repodata/repomd.xml"));
    let text = fetched.text();
    let number = text.split("<revision>").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned();
    (number.parse().unwrap(), text.to_string())
}

/// The latest time any record of a repomd.xml has.
fn timestamp(repomd: &str) -> i64 {
    let times =
        repomd.split("<timestamp>").skip(1).map(|rest| rest.split('<').next().unwrap().parse().unwrap());
    times.max().unwrap()
}

#[test]
fn a_client_with_newer_metadata_follows_a_site_that_was_restored() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = Site::initialised(&sandbox, nginx.base_url(), STAGES);
    let mut daemon = site.start();
    release(&site, "first", 1);
    let backup = sandbox.folder("backup");
    back_up(&site, &backup);
    // The second backup into the same place is as good as the first.
    let kept = release(&site, "second", 2);
    back_up(&site, &backup);
    let lost = release(&site, "third", 3);

    let host = Host::new(&sandbox, "host");
    host.dot_repo("glite.repo", &fetch(&format!("{}/glite-3.2-production.repo", nginx.base_url())).body);
    let ran = host.dnf(&["install", "voms"]);
    assert!(host.installed().contains("voms-1.3-1.noarch"), "{ran}");
    let (before, repomd_before) = revision(nginx.base_url());
    daemon.kill();

    lose_and_restore(&site, &backup, &sandbox.path("lost"));
    let dry = resume(&site, &["--dry-run"]);
    assert_eq!(said(&dry.ok())["verified"], true);
    assert_eq!(
        fs::read_link(site.root().join("public/current")).unwrap().to_str(),
        Some(&*format!("@{kept}"))
    );
    let resumed = said(&resume(&site, &[]).ok());
    println!("{resumed:#}");
    assert_eq!(resumed["restored"], kept);
    let published = resumed["published"].as_u64().unwrap();
    assert!(published >= lost + 1000, "{published} could have been seen");
    // The control directory survived, and says what was forgotten.
    let forgotten = resumed["forgotten"].as_object().unwrap();
    assert!(forgotten.keys().any(|claim| claim.starts_with("third-promote-")), "{resumed:#}");
    assert!(forgotten.values().all(|number| number.as_u64() > Some(kept)), "{resumed:#}");
    assert!(site.answers("third-promote").is_empty() && site.spool().join("forgotten").is_dir());
    site.sluice(&["verify", "--at-rest"]).ok();

    let (after, repomd) = revision(nginx.base_url());
    assert!(
        after > before && timestamp(&repomd) > timestamp(&repomd_before),
        "{after} is not after {before}"
    );
    let mut daemon = site.start();
    // dnf has the lost release in its cache and takes what is there now.
    let listed = host.dnf(&["repoquery", "voms"]).ok().stdout;
    assert!(listed.contains("1.2-1") && !listed.contains("1.3-1"), "{listed}");
    let ran = host.dnf(&["distro-sync"]);
    assert!(host.installed().contains("voms-1.2-1.noarch"), "{ran}");
    let next = release(&site, "fourth", 4);
    assert!(next > published);
    let ran = host.dnf(&["upgrade"]);
    assert!(host.installed().contains("voms-1.4-1.noarch"), "{ran}");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
}

/// Slows rsync down, so that generations are published while it copies.
fn slow_rsync(sandbox: &Sandbox) -> Utf8PathBuf {
    let folder = sandbox.folder("bin");
    let _ = sandbox.script("bin/rsync", "#!/bin/sh\nexec /usr/bin/rsync --bwlimit=100 \"$@\"\n");
    folder
}

fn is_running(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_none()
}

#[test]
fn a_backup_made_under_continuing_promotions_can_be_gone_on_from() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let path = format!("{}:{}", slow_rsync(&sandbox), std::env::var("PATH").unwrap());
    let (mut minor, mut published, mut backups) = (0, 1, Vec::new());
    for n in 0..4 {
        let backup = sandbox.folder(&format!("backup-{n}"));
        let began = published;
        let mut copying = shell(&documented()[0], &site.root(), &backup).env("PATH", &path).spawn().unwrap();
        // At least once, and as long as it copies.
        loop {
            minor += 1;
            published = release(&site, &format!("release-{minor}"), minor);
            if !is_running(&mut copying) {
                break;
            }
        }
        assert!(copying.wait().unwrap().success());
        backups.push((backup, began, published));
    }
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());

    let mut overtaken = 0;
    for (n, (backup, began, ended)) in backups.into_iter().enumerate() {
        let place = Sandbox::new();
        let restored = Site::new(&place, "http://127.0.0.1:1", STAGES);
        put_back(&restored, &backup);
        let resumed = said(&resume(&restored, &[]).ok());
        let number = resumed["restored"].as_u64().unwrap();
        assert!((began..=ended).contains(&number), "{number} is not from {began} to {ended}");
        overtaken += ended - began;
        println!(
            "backup {n}: {began} to {ended} while it was made, {number} restored, {}",
            resumed["mended"]
        );
        assert!(resumed["published"].as_u64().unwrap() >= ended + 1000);
        restored.sluice(&["verify", "--at-rest"]).ok();
        let mut daemon = restored.start();
        let next = release(&restored, "after", 1000);
        assert!(next > resumed["published"].as_u64().unwrap());
        assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
        restored.sluice(&["verify", "--at-rest"]).ok();
    }
    assert!(overtaken > 4, "nothing was published while the backups were made");
}
