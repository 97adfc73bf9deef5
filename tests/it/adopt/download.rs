//! Adoption by URL: interrupted, taken up again, and never fetched twice.

use std::fs;
use std::time::Duration;

use repo::Recipe;
use testkit::{Nginx, Sandbox, Site, Watch, createrepo_c};

use super::{STAGES, package, write};

#[test]
fn an_interrupted_download_goes_on_where_it_broke_off() {
    let sandbox = Sandbox::new();
    let old = sandbox.folder("old");
    let repository = old.join("repo/el9");
    for name in ["a", "b+c", "d"] {
        write(&repository.join("Packages").join(package(name, "1").file_name()), package(name, "1").build());
    }
    let mut bytes = vec![0; 3 << 20];
    fastrand::Rng::with_seed(7).fill(&mut bytes);
    let large = Recipe::new("z-large", "1", "1").arch("x86_64").file("/usr/share/large", &bytes);
    write(&repository.join(large.file_name()), large.build());
    createrepo_c::<&str>(&repository, &[]).ok();
    // The large one comes slowly, so that it can be interrupted.
    // One half comes at once, so that what is left after that takes no time.
    let slow = "location ~ z-large { limit_rate_after 1600k; limit_rate 20k; }";
    let nginx = Nginx::of_folder(&Nginx::port(), &sandbox, &old, slow);
    let url = format!("{}/repo/el9/", nginx.base_url());
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();

    let work = sandbox.folder("work");
    let watch = Watch::on(&[&work]);
    let mut command = site.command();
    command.args(["adopt", &url, "--stage", "production", "--work", work.as_str()]);
    let mut child = command.spawn().unwrap();
    let part = work.join(format!("{}.part", large.file_name()));
    let is_half = || fs::metadata(&part).is_ok_and(|part| part.len() > 1_500_000).then_some(());
    let begun = watch.until(Duration::from_secs(120), is_half);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(begun.is_some(), "nothing of the large package came");
    assert!(!work.join("repodata/repomd.xml").exists(), "half a repository looks whole");

    let said = site.sluice(&["adopt", &url, "--stage", "production", "--work", work.as_str()]).ok();
    assert!(said.stderr.contains("4 packages: 1 files"), "{said}");
    let log = nginx.access_log();
    let count =
        |words: &str| log.iter().filter(|line| line.contains(words) && !line.contains(" 499 ")).count();
    for name in ["/a-1-1", "/b+c-1-1", "/d-1-1", "-primary.xml.gz"] {
        assert_eq!(count(name), 1, "{name}: {log:#?}");
    }
    assert!(log.iter().any(|line| line.contains("z-large") && line.contains(" 206 ")), "{log:#?}");
    let public = site.root().join("public/current/repo/el9");
    assert_eq!(fs::read(public.join(large.file_name())).unwrap(), large.build());
    assert_eq!(fs::read(public.join("Packages/b+c-1-1.x86_64.rpm")).unwrap(), package("b+c", "1").build());

    // A server whose files are not those its metadata promises is told from one that breaks off.
    write(&repository.join("Packages").join(package("a", "1").file_name()), package("a", "2").build());
    let lied =
        site.sluice(&["adopt", &url, "--stage", "production", "--work", sandbox.path("work-2").as_str()]);
    assert_eq!(lied.code(), 2, "{lied}");
    assert!(lied.stderr.contains("the metadata says"), "{lied}");
    let absent = site.sluice(&["adopt", &format!("{url}nowhere/"), "--stage", "production"]);
    assert_eq!(absent.code(), 5, "{absent}");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    site.sluice(&["verify", "--at-rest"]).ok();
}
