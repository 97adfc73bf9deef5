//! `sluice init --resume`: a site goes on from a root that was restored from a backup.
//!
//! What was published after the backup is forgotten here, but not by clients: they hold repodata with later
//! revisions, and pages that name generations by numbers this root never used. So the site goes on with a
//! number no generation can have had, and with every mutable file dated now. A damaged tree is never published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8Path;
use jiff::Timestamp;
use plan::{Answer, Outcome};
use serde::Serialize;
use store::planted::{self, Bug};
use store::{Disk, Generation, Lock, Mended, Store};

use crate::account::Account;
use crate::audit::Records;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Engine, too_early};
use crate::error::Error;
use crate::observe::read_shelf;
use crate::verify::{Rest, Verifier};

/// The least that a number jumps.
const AHEAD_MIN: u64 = 1000;

/// Where answers lie that say something was done, below the control directory.
const DONE: &str = "done";

/// Where answers go whose generation is forgotten, below the control directory.
const FORGOTTEN: &str = "forgotten";

/// What became of a restored site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resumed {
    /// The generation the backup holds.
    pub restored: u64,
    /// When that was published: what was asked later is forgotten.
    pub dated: Timestamp,
    /// How many repositories it has.
    pub repositories: usize,
    /// What the copy had lost and is right again, in words.
    pub mended: Vec<String>,
    /// The generation that was published now.
    pub published: u64,
    /// Requests that are known to have taken effect after the backup, by claim, with their generation.
    pub forgotten: BTreeMap<String, u64>,
}

/// Puts a restored root right, verifies it, and publishes it anew; nothing is published after an error.
///
/// Numbers jump by `ahead`, or else by as many generations as can have been published since: one a second.
/// No request is claimed.
pub fn resume(
    config: &Arc<Config>,
    disk: &Arc<dyn Disk>,
    clock: &Arc<dyn Clock>,
    ahead: Option<u64>,
) -> Result<Resumed, Error> {
    let store = Store::new(Arc::clone(disk), config.root.clone());
    let nothing = || Error::NothingToResume { root: config.root.clone() };
    if disk.state(&store.paths().public())?.is_none() {
        return Err(nothing());
    }
    store.create_directories()?;
    let lock = store.lock()?;
    let current = store.current()?;
    let Some(current) = current else {
        // Whether it is empty or has lost its pointer, recovery knows.
        store.recover(&lock)?;
        return Err(nothing());
    };
    // Before anything is touched, so that what was mended is told by the attempt that goes on.
    if let Some((_, why)) = too_early(Some(&current), clock.now()) {
        return Err(Error::TooEarly { why });
    }
    let newest = store.next_number()? - 1;
    let mut forgotten = of_newer_generations(&store, current.number)?;
    forgotten.extend(of_audit_log(disk, &store, current.number)?);
    let mended = mend(&store, &lock, &current).map_err(|error| {
        // What cannot be read for mending, verification names.
        damage(config, disk, Rest::AnyInstant, clock.now()).err().unwrap_or(error)
    })?;
    // Whoever copied the files back need not have synced one of them; what is verified now must stay.
    if !planted::is(Bug::RestoredNotSynced) {
        disk.sync_file_system(&config.root)?;
    }
    drop(lock);
    let mut engine = Engine::open(Arc::clone(config), Arc::clone(disk), Arc::clone(clock))?;
    engine.put_on_record(&current)?;
    damage(config, disk, Rest::Quiet, clock.now())?;
    // Those an attempt before this one has set apart count as well: their numbers have been seen.
    forgotten.extend(of_answers(&**disk, &config.spool.join(FORGOTTEN), current.number));
    let answered = of_answers(&**disk, &config.spool.join(DONE), current.number);
    let seen = forgotten.values().chain(answered.values()).copied().max().unwrap_or_default();
    let highest = newest.max(engine.newest_on_record().unwrap_or_default()).max(seen);
    // Before anything is published: the next attempt could not tell them from answers that are true.
    set_apart(&**disk, &config.spool, answered.keys())?;
    let step = engine.renew(next(highest, current.created, clock.now(), ahead))?;
    let published = step.published.ok_or_else(|| {
        let why = step.answers.first().map(|answer| answer.sentence.clone());
        let why = why.or(step.wait.map(|(_, why)| why));
        Error::TooEarly { why: why.unwrap_or_else(|| "no generation was published".to_owned()) }
    })?;
    forgotten.extend(answered);
    Ok(Resumed {
        restored: current.number,
        dated: current.created,
        repositories: Account::of(current.number, &current.manifest.account)?.repositories.len(),
        mended: words(&mended),
        published,
        forgotten,
    })
}

/// Verifies the whole root; the control directory is not part of a backup.
pub fn damage(config: &Config, disk: &Arc<dyn Disk>, rest: Rest, now: Timestamp) -> Result<(), Error> {
    let violations = Verifier::default().verify(&**disk, &config.root, None, rest, now);
    match violations.is_empty() {
        true => Ok(()),
        false => Err(Error::Damaged { root: config.root.clone(), violations }),
    }
}

/// The first number that nobody can have seen: a generation is published at most once a second.
///
/// Rounded up to whole thousands, so that people see from the number that something happened.
fn next(highest: u64, created: Timestamp, now: Timestamp, ahead: Option<u64>) -> u64 {
    let seconds = u64::try_from(now.as_second() - created.as_second()).unwrap_or_default();
    match ahead {
        Some(ahead) => highest + ahead.max(1),
        None => (highest + seconds.max(AHEAD_MIN)).next_multiple_of(1000),
    }
}

fn mend(store: &Store, lock: &Lock, current: &Generation) -> Result<Mended, Error> {
    let mut mended = Mended::default();
    store.put_aside(lock, &mut mended)?;
    let mut promised: BTreeSet<String> = current.manifest.retained.keys().cloned().collect();
    for number in store.numbers()? {
        let generation = store.generation(number)?;
        for shelved in Account::of(number, &generation.manifest.account)?.repositories.values() {
            let repository = shelved.repository();
            // One that does not read is for the verification to name; nothing of it is removed meanwhile.
            let shelf = read_shelf(store, &generation, shelved)?;
            promised.extend(shelf.listed.iter().map(|listed| listed.link(&repository)));
        }
    }
    // Those the generation in force drops were perhaps dropped before the copy was made, perhaps not.
    promised.retain(|link| !current.manifest.drop_links.contains(link));
    store.mend(lock, &promised, &mut mended)?;
    Ok(mended)
}

/// The requests settled in generations that were copied and are not in force.
fn of_newer_generations(store: &Store, current: u64) -> Result<BTreeMap<String, u64>, Error> {
    let mut claims = BTreeMap::new();
    for number in store.numbers()?.into_iter().filter(|number| *number > current) {
        // Half a copy has nothing to tell.
        let Ok(manifest) = store.history(number) else { continue };
        let Ok(account) = Account::of(number, &manifest.account) else { continue };
        claims.extend(account.requests.into_iter().map(|settled| (settled.answer.claim, number)));
    }
    Ok(claims)
}

/// The requests of which the audit log, which is copied last or first, knows more than the generations.
fn of_audit_log(disk: &Arc<dyn Disk>, store: &Store, current: u64) -> Result<BTreeMap<String, u64>, Error> {
    let mut claims = BTreeMap::new();
    for record in Records::read(&**disk, &store.paths().audit())? {
        let record = record?;
        if let Some(number) = record.generation.filter(|number| *number > current) {
            claims.extend(record.settled.into_iter().map(|claim| (claim, number)));
        }
    }
    Ok(claims)
}

/// The answers in a directory that name a generation this root does not know.
fn of_answers(disk: &dyn Disk, dir: &Utf8Path, current: u64) -> BTreeMap<String, u64> {
    let names = disk.list(dir).map(|names| names.names).unwrap_or_default();
    let read = |name: &String| {
        let claim = name.strip_suffix(".answer.json")?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut disk.open(&dir.join(name)).ok()?, &mut bytes).ok()?;
        let answer = Answer::from_json(&bytes).ok()?;
        let number = answer.generation.filter(|_| answer.outcome == Outcome::Done)?;
        (number > current).then(|| (claim.to_owned(), number))
    };
    names.iter().filter_map(read).collect()
}

/// Moves answers that are true no more, with their requests, where nobody takes them for true.
fn set_apart<'a>(
    disk: &dyn Disk,
    spool: &Utf8Path,
    claims: impl Iterator<Item = &'a String>,
) -> Result<(), Error> {
    let (done, forgotten) = (spool.join(DONE), spool.join(FORGOTTEN));
    for claim in claims {
        if disk.state(&forgotten)?.is_none() {
            disk.make_directory(&forgotten, 0o2750)?;
            disk.sync_directory(spool)?;
        }
        // The answer last, when the rest is there for good: as long as it is in `done/`, the rest is found again.
        for endings in [&[".toml", ".json"][..], &[".answer.json"]] {
            for name in endings.iter().map(|ending| format!("{claim}{ending}")) {
                if disk.state(&done.join(&name))?.is_some() {
                    disk.rename(&done.join(&name), &forgotten.join(&name))?;
                }
            }
            disk.sync_directory(&forgotten)?;
            disk.sync_directory(&done)?;
        }
    }
    Ok(())
}

fn words(mended: &Mended) -> Vec<String> {
    let Mended { put_aside, incomplete, linked, pooled, orphans, modes, times, leftovers } = mended;
    let list = |numbers: &[u64]| numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let mut words = Vec::new();
    if !put_aside.is_empty() {
        words.push(format!("newer than `current`, in quarantine now: {}", list(put_aside)));
    }
    if !incomplete.is_empty() {
        words.push(format!("copied in part only, in quarantine now: {}", list(incomplete)));
    }
    for (count, what) in [
        (linked, "packages had lost the hard link to the pool (copy with rsync -H) and share one file again"),
        (pooled, "packages were missing in the pool and came back from their links"),
        (orphans, "package links of generations that were not copied are removed"),
        (modes, "modes were not those of sealed files (copy with rsync -a)"),
        (times, "files had lost their times (copy with rsync -a)"),
        (leftovers, "leftovers in staging are removed"),
    ] {
        if *count > 0 {
            words.push(format!("{count} {what}"));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn numbers_jump_by_as_many_generations_as_can_have_been_published() {
        assert_eq!(next(42, at(0), at(10), None), 2000, "a thousand at least, then rounded up");
        assert_eq!(next(42, at(0), at(86_400), None), 87_000);
        assert_eq!(next(42, at(0), at(86_400), Some(7)), 49);
        assert_eq!(next(42, at(0), at(10), Some(0)), 43);
        assert_eq!(next(42, at(10), at(0), None), 2000, "a clock that was set back jumps all the same");
    }

    #[test]
    fn everything_that_was_mended_is_told() {
        let all = Mended {
            put_aside: vec![8, 9],
            incomplete: vec![3],
            linked: 1,
            pooled: 2,
            orphans: 3,
            modes: 4,
            times: 5,
            leftovers: 6,
        };
        assert_eq!(words(&all).len(), 8);
        assert!(words(&Mended::default()).is_empty());
    }
}
