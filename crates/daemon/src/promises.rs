//! What a site has promised, and to whom: fills in what sweeping depends on.
//!
//! Generations are read only as far as needed: manifests tell what left since the oldest generation that is kept
//! without a name, and what left before that is listed by named generations or by none.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use nevra::Sha256;
use plan::{Held, Listed, Promise, World, retention};
use store::{Disk, Generation, Kind, Store};

use crate::account::{Account, Shelved};
use crate::error::Error;

/// What is remembered of a generation, kept or not; nothing of it ever changes.
#[derive(Clone, Debug)]
struct Chapter {
    parent: Option<u64>,
    published: Timestamp,
    /// The instant from which what it superseded is promised.
    supersedes: Timestamp,
    /// The links of packages that left with it.
    left: BTreeSet<String>,
}

/// Tells what a repository of a generation lists.
pub type Listing<'a> = &'a mut dyn FnMut(&Generation, &Shelved) -> Result<Vec<Listed>, Error>;

/// The generations that were read, by number.
#[derive(Debug, Default)]
pub struct Chapters(BTreeMap<u64, Chapter>);

impl Chapters {
    fn read(&mut self, store: &Store, number: u64) -> Result<&Chapter, Error> {
        let place = match self.0.entry(number) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(place) => place,
        };
        let manifest = store.history(number)?;
        let account = Account::of(number, &manifest.account)?;
        let shelved = |name: &String| account.repositories.get(name).map(Shelved::repository);
        let moved = account.changes.iter().filter_map(|(name, moves)| Some((shelved(name)?, moves)));
        let left = moved.flat_map(|(repository, moves)| {
            moves.left.iter().map(|listed| listed.link(&repository)).collect::<Vec<_>>()
        });
        let chapter = Chapter {
            parent: manifest.parent.map(|parent| parent.number),
            published: manifest.created,
            supersedes: account.supersedes_at(manifest.created),
            left: left.collect(),
        };
        Ok(place.insert(chapter))
    }

    /// Fills in until when superseded generations are kept, but for named ones that are older than all others.
    pub fn fill_kept_until(
        &mut self,
        world: &mut World,
        store: &Store,
        grace: SignedDuration,
    ) -> Result<(), Error> {
        let named: BTreeSet<u64> =
            world.names.values().filter(|named| !named.ended).map(|named| named.generation).collect();
        let unnamed = |number: &&u64| **number < world.generation && !named.contains(*number);
        let Some(oldest) = world.kept_generations.iter().find(unnamed).copied() else { return Ok(()) };
        let mut child = world.generation;
        while child > oldest {
            let (parent, superseded) = match self.read(store, child)? {
                Chapter { parent: Some(parent), supersedes, .. } => (*parent, *supersedes),
                _ => break,
            };
            if world.kept_generations.contains(&parent) {
                let published = self.read(store, parent)?.published;
                world.kept_until.insert(parent, retention::kept_until(published, superseded, grace));
            }
            child = parent;
        }
        // What nobody needs any more is forgotten.
        self.0.retain(|number, _| *number >= oldest);
        Ok(())
    }

    /// Fills in what kept generations list that a sweep leaves, and may be more: what left since the oldest of
    /// them that has no name counts as listed.
    pub fn fill_listed(
        &mut self,
        world: &mut World,
        store: &Store,
        listing: Listing<'_>,
    ) -> Result<(), Error> {
        let over = plan::over(world);
        let stays = |number: &&u64| **number < world.generation && !over.contains(*number);
        let staying: Vec<u64> = world.kept_generations.iter().filter(stays).copied().collect();
        let named: BTreeSet<u64> =
            world.names.values().filter(|named| !named.ended).map(|named| named.generation).collect();
        if let Some(oldest) = staying.iter().find(|number| !named.contains(*number)) {
            let mut child = world.generation;
            while child > *oldest {
                let chapter = self.read(store, child)?;
                world.listed_by_kept.extend(chapter.left.iter().cloned());
                let Some(parent) = chapter.parent else { break };
                child = parent;
            }
        }
        for number in staying.into_iter().filter(|number| named.contains(number)) {
            let generation = store.generation(number)?;
            let account = Account::of(number, &generation.manifest.account)?;
            for shelved in account.repositories.values() {
                let repository = shelved.repository();
                let listed = listing(&generation, shelved)?;
                world.listed_by_kept.extend(listed.iter().map(|listed| listed.link(&repository)));
            }
        }
        Ok(())
    }
}

/// Fills in which packages of the pool nothing links to, and until when they stay if that is recorded.
pub fn fill_unlinked(
    world: &mut World,
    disk: &dyn Disk,
    store: &Store,
    account: &Account,
) -> Result<(), Error> {
    let unlinked = unlinked(disk, store)?.into_iter();
    world.unlinked = unlinked.map(|file| (file.clone(), account.unlinked.get(&file).copied())).collect();
    Ok(())
}

/// Lists the files of the pool that have no other name, as paths below the root.
fn unlinked(disk: &dyn Disk, store: &Store) -> Result<Vec<String>, Error> {
    let mut unlinked = Vec::new();
    let pool = store.paths().pool();
    for shard in disk.list(&pool)?.names {
        let dir = pool.join(&shard);
        if disk.state(&dir)?.is_none_or(|state| state.kind != Kind::Directory) {
            continue;
        }
        for name in disk.list(&dir)?.names {
            let is_package = name.strip_suffix(".rpm").is_some_and(|hex| hex.parse::<Sha256>().is_ok());
            let state = disk.state(&dir.join(&name))?;
            if is_package && state.is_some_and(|state| state.links == 1) {
                unlinked.push(format!("pool/{shard}/{name}"));
            }
        }
    }
    Ok(unlinked)
}

/// Lists what is held beside what the world knows of: superseded metadata, and what lies in quarantine.
pub fn others(store: &Store, current: &Generation, proven: Timestamp) -> Result<Vec<Promise>, Error> {
    let mut promises = Vec::new();
    for (path, facts) in &current.files.public {
        if let Some(until) = facts.until {
            let reason = format!("superseded, kept until {until}");
            promises.push(Promise { kind: Held::File, what: path.clone(), goes: until <= proven, reason });
        }
    }
    for one in store.quarantined()?.into_iter().filter(|one| !one.emptied) {
        let until = quarantined_until(&one);
        let goes = until.is_some_and(|until| until <= proven);
        let until = until.map_or_else(|| "somebody removes it".to_owned(), |until| until.to_string());
        let reason = format!("abandoned, kept until {until}");
        promises.push(Promise { kind: Held::Quarantine, what: one.number.to_string(), goes, reason });
    }
    Ok(promises)
}

/// Tells until when an abandoned generation lies in quarantine.
pub fn quarantined_until(one: &store::Quarantined) -> Option<Timestamp> {
    Timestamp::from_second(one.since.seconds).ok()?.checked_add(retention::QUARANTINE).ok()
}
