//! Transfers while generations come and go: what is served meanwhile, and what is there afterwards.
//!
//! One thread publishes, one looks at the copy at every moment it can, a third copies. Every look follows `current` once and
//! asks the independent checker; a transfer counts only if another generation was published while it ran.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use testkit::{Nginx, Ran, Sandbox, Site, is_root, program, run};

use super::{STAGES, checked, current, mirror, publish};
use crate::deploy::Rsyncd;

/// How many transfers with a flip in them are made: a few, or as many as the proof asks for.
fn transfers() -> u32 {
    if std::env::var_os("SLUICE_THOROUGH").is_some() { 100 } else { 3 }
}

/// What was counted.
#[derive(Debug, Default)]
struct Counted {
    transfers: u32,
    flips: u64,
    looks: u32,
}

/// A way to copy into a directory.
type Copy<'a> = &'a (dyn Fn(&Utf8Path) -> Ran + Sync);

/// Copies into `dir` until enough transfers had a flip in them, while another generation comes whenever it can.
fn under_flips(sandbox: &Sandbox, site: &Site, dir: &Utf8Path, wanted: u32, copy: Copy<'_>) -> Counted {
    let (built, cache) = (sandbox.folder("built"), sandbox.folder("cache"));
    let (_daemon, config) = (site.start(), site.config());
    publish(&config, &built, 1);
    let public = site.root().join("public");
    let number = || current(&public).as_str()[1..].parse::<u64>().unwrap();
    let (is_over, looks) = (AtomicBool::new(false), AtomicU32::new(0));
    let mut counted = Counted::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for minor in 2.. {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                publish(&config, &built, minor);
            }
        });
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                let Ok(link) = fs::read_link(dir.join("current")) else {
                    std::thread::yield_now();
                    continue;
                };
                let place = dir.join(Utf8PathBuf::from_path_buf(link.clone()).unwrap());
                let ran = checked(&place, &cache);
                // One that was removed while it was looked at was no longer what anybody is sent to; one that is must be whole.
                let is_current = fs::read_link(dir.join("current")).ok().as_ref() == Some(&link);
                if ran.code() == 0 || is_current {
                    looks.fetch_add(1, Ordering::SeqCst);
                    if ran.code() != 0 {
                        is_over.store(true, Ordering::SeqCst);
                        panic!("{place} is not whole: {ran}");
                    }
                }
            }
        });
        let began = Instant::now();
        while counted.transfers < wanted && !is_over.load(Ordering::SeqCst) {
            assert!(
                began.elapsed().as_secs() < 60 + u64::from(wanted) * 30,
                "it takes too long: {counted:?}"
            );
            let before = number();
            let ran = copy(dir);
            let flips = number() - before;
            if ran.code() != 0 || flips == 0 {
                if ran.code() != 0 {
                    is_over.store(true, Ordering::SeqCst);
                    panic!("{ran}");
                }
                continue;
            }
            counted.transfers += 1;
            counted.flips += flips;
            let ran = checked(&dir.join(current(dir)), &cache);
            if ran.code() != 0 {
                is_over.store(true, Ordering::SeqCst);
                panic!("{ran}");
            }
        }
        is_over.store(true, Ordering::SeqCst);
    });
    counted.looks = looks.load(Ordering::SeqCst);
    counted
}

#[test]
fn a_mirror_over_http_is_whole_at_every_moment() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = Site::initialised(&sandbox, nginx.base_url(), STAGES);
    // Slow enough that another generation comes meanwhile.
    let copy = |dir: &Utf8Path| run(mirror(nginx.base_url(), dir).args(["--keep", "2", "--rate", "90000"]));
    let counted = under_flips(&sandbox, &site, &sandbox.path("mirror"), transfers(), &copy);
    println!("sluice mirror over http: {counted:?}, 0 of them not whole");
    assert!(counted.looks > 0);
}

#[test]
fn a_mirror_over_rsync_is_whole_at_every_moment() {
    if !is_root() {
        return println!("SKIPPED: rsync's daemon with `use chroot` needs root");
    }
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let rsyncd = Rsyncd::start(&sandbox, &site.root(), "");
    let source = rsyncd.url("sluice");
    let copy = |dir: &Utf8Path| run(mirror(&source, dir).args(["--keep", "2", "--rate", "90000"]));
    let counted = under_flips(&sandbox, &site, &sandbox.path("mirror"), transfers() / 2 + 1, &copy);
    println!("sluice mirror over rsync: {counted:?}, 0 of them not whole");
    assert!(counted.looks > 0);
}

/// The commands of a section of `deploy/mirrors.md`, for another source and directory.
fn documented(section: &str, source: &str, dir: &Utf8Path) -> String {
    let text = fs::read_to_string(testkit::checkout().join("deploy/mirrors.md")).unwrap();
    let (_, rest) = text.split_once(&format!("## {section}\n")).unwrap();
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    let (commands, _) = rest.split_once("```").unwrap();
    assert!(commands.contains("rsync://HOST/sluice") && commands.contains("/srv/mirror"), "{commands}");
    // Faster than the site publishes: rsync copies what is retained, too, and would fall behind for ever.
    let slow = commands.replace("rsync -", "rsync --bwlimit=400 -");
    slow.replace("rsync://HOST/sluice", source).replace("/srv/mirror", dir.as_str())
}

fn shell(commands: &str) -> Ran {
    run(program("bash").args(["-euc", commands]))
}

#[test]
fn the_documented_rsync_commands_copy_whole_generations() {
    if !is_root() {
        return println!("SKIPPED: rsync's daemon with `use chroot` needs root");
    }
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let rsyncd = Rsyncd::start(&sandbox, &site.root(), "");
    let dir = sandbox.folder("mirror");
    let commands = documented("With rsync alone", &rsyncd.url("sluice"), &dir);
    let copy = |_: &Utf8Path| shell(&commands);
    let counted = under_flips(&sandbox, &site, &dir, transfers() / 2 + 1, &copy);
    println!("rsync alone: {counted:?}, 0 of them not whole");

    // The whole public half, with every generation that is kept.
    let replica = sandbox.folder("replica");
    let commands = documented("Everything that is kept", &rsyncd.url("sluice"), &replica);
    let mut daemon = site.start();
    let built = sandbox.folder("built");
    publish(&site.config(), &built, 9000);
    shell(&commands).ok();
    let cache = sandbox.folder("cache");
    let here = || -> Vec<_> {
        let names =
            fs::read_dir(&replica).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with('@')).collect()
    };
    assert!(here().len() > 1 && here().contains(&current(&replica).into_string()), "{:?}", here());
    assert_eq!(current(&replica), current(&site.root().join("public")));
    for generation in here() {
        checked(&replica.join(generation), &cache).ok();
    }
    daemon.stop();
}

/// A proof that cannot fail is none: the command that everybody knows, from a daemon that looks `current` up for every
/// file, is caught.
#[test]
fn the_proof_catches_a_copy_of_two_generations() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let _daemon = site.start();
    let (built, cache, copy) = (sandbox.folder("built"), sandbox.folder("cache"), sandbox.folder("copy/@1"));
    publish(&site.config(), &built, 1);
    let public = site.root().join("public/current");
    let part = |what: &str| {
        let mut rsync = program("rsync");
        run(rsync.args(["-aLR", "--delete"]).arg(format!("{public}/./{what}")).arg(format!("{copy}/"))).ok();
    };
    // What a walk without a pinned directory does when the flip comes between two of its looks.
    part("");
    checked(&copy, &cache).ok();
    publish(&site.config(), &built, 2);
    part("glite-3.2/el9/x86_64/production/repodata/repomd.xml");
    let ran = checked(&copy, &cache);
    assert!(ran.code() == 1 && ran.stdout.contains("I4"), "{ran}");
    part("glite-3.2/el9/x86_64/production/repodata/");
    let ran = checked(&copy, &cache);
    assert!(ran.code() == 1 && ran.stdout.contains("I6"), "{ran}");
    part("glite-3.2/el9/x86_64/production/Packages/");
    part("");
    checked(&copy, &cache).ok();
}
