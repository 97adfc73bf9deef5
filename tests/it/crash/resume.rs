//! The power goes while a site goes on from a backup, and right after it said that it does.
//!
//! Whoever copies a backup back syncs nothing, so everything of the root can be lost until `init --resume` makes it
//! durable; and answers of generations that are forgotten must be told apart however often it is cut short.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use daemon::clock::Clock;
use daemon::error::Error;
use daemon::resume::{Resumed, resume};
use daemon::verify::{Rest, Verifier};
use store::crash::Sweep;
use store::forgetful::ForgetfulDisk;
use store::planted::{Bug, plant};
use store::{Disk, Kind, Modified};

use super::site::{self, ROOT, SetClock};
use super::{Told, look};

/// Copies a tree as `cp -a` does, with nothing synced.
fn copy(from: &dyn Disk, to: &dyn Disk, path: &Utf8Path, linked: &mut BTreeMap<u64, Utf8PathBuf>) {
    let state = from.state(path).unwrap().unwrap();
    match state.kind {
        Kind::Directory => {
            to.make_directory(path, 0o755).unwrap();
            for name in from.list(path).unwrap().names {
                copy(from, to, &path.join(name), linked);
            }
            to.set_mode(path, state.mode).unwrap();
        }
        Kind::Link => to.symlink(&from.read_link(path).unwrap(), path).unwrap(),
        _ => match linked.get(&state.inode) {
            Some(first) => to.link(first, path).unwrap(),
            None => {
                let mut bytes = Vec::new();
                from.open(path).unwrap().read_to_end(&mut bytes).unwrap();
                let mut file = to.create(path, state.mode).unwrap();
                file.write_all(&bytes).unwrap();
                file.set_modified(state.modified).unwrap();
                linked.insert(state.inode, path.to_owned());
            }
        },
    }
}

/// A site whose root was copied back from before its last generation, and the number and time of that one.
fn restored() -> (Arc<ForgetfulDisk>, u64, i64) {
    let (disk, clock) = site::site();
    let backup = disk.copy();
    clock.advance(10);
    let file = site::upload(&*disk, &site::rpm("gfal", "1"), "gfal.rpm");
    site::drop_request(&*disk, "lost.toml", &site::import_request(&[file]));
    let mut engine = site::open(&disk, &clock).unwrap();
    let answers = site::settle(&mut engine, &disk, &clock).unwrap();
    drop(engine);
    disk.rename(ROOT.into(), "/srv/lost".into()).unwrap();
    let disk = disk.synced();
    copy(&backup, &disk, ROOT.into(), &mut BTreeMap::new());
    clock.advance(100);
    (Arc::new(disk), answers[0].generation.unwrap(), clock.now().as_second())
}

/// Goes on, with the smallest jump of numbers: so a number that was forgotten would be used again.
fn go_on(disk: &Arc<ForgetfulDisk>, now: i64) -> Result<Resumed, Error> {
    disk.set_now(Modified { seconds: now, nanoseconds: 0 });
    let clock = SetClock::at(now);
    resume(
        &site::config("\"el9/x86_64\""),
        &(Arc::clone(disk) as Arc<dyn Disk>),
        &(clock as Arc<dyn Clock>),
        Some(1),
    )
}

/// The answers in `done/` that speak of the generation that was lost.
fn lies(disk: &ForgetfulDisk) -> Vec<String> {
    let answers = site::answers(disk).into_keys();
    answers.filter(|path| path.as_str().contains("/done/lost-")).map(|path| format!("{path} stays")).collect()
}

/// What a power cut can leave right after the site went on.
fn found_afterwards() -> Vec<String> {
    let (disk, lost, now) = restored();
    let resumed = go_on(&disk, now).expect("the backup is whole");
    assert_eq!(resumed.published, lost + 1);
    assert_eq!(resumed.forgotten.into_values().collect::<Vec<_>>(), [lost]);
    let mut verifier = Verifier::default();
    let mut wrong = Vec::new();
    for left in disk.crash_states(11).map(Arc::new) {
        wrong.extend(look(&mut verifier, &left, &Told::new(), Rest::AnyInstant, now));
        wrong.extend(lies(&left));
    }
    wrong
}

#[test]
fn what_was_copied_back_is_durable_when_the_site_has_gone_on() {
    assert_eq!(found_afterwards(), Vec::<String>::new());
    let _planted = plant(Bug::RestoredNotSynced);
    assert!(!found_afterwards().is_empty(), "nothing was synced, and nothing could be lost");
}

#[test]
fn a_resume_that_was_cut_short_goes_on_and_forgets_nothing_it_has_seen() {
    let (start, lost, now) = restored();
    // What was copied is durable here; what is swept is the going on.
    let start = start.synced();
    let mut verifier = Verifier::default();
    let mut sweep = Sweep::new(13);
    (sweep.exhaustive, sweep.samples) = (1, 3);
    let report = sweep.run(
        &start,
        |disk| {
            let _ = go_on(&disk, now);
        },
        |_| (),
        |disk, (), _| match go_on(disk, now + 10) {
            Err(error) => vec![format!("the next attempt fails: {error}")],
            Ok(resumed) if resumed.published <= lost => vec![format!("{lost} is used again")],
            Ok(_) => {
                let mut wrong = look(&mut verifier, disk, &Told::new(), Rest::Quiet, now + 10);
                wrong.extend(lies(disk));
                wrong
            }
        },
    );
    println!("{report}");
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.states > 50, "only {} states were looked at", report.states);
}
