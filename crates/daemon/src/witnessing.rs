//! Where witnessed time is remembered: in the manifest of every generation, and between two of them in
//! `cache/clock.json`.
//!
//! The manifest alone would do, for it is as durable as what it protects; the file only spares a site that rests
//! for weeks from being asked whether the clock is right after each start of the machine. It counts for nothing
//! but the generation it was written for, and only whole. Whoever loses it waits longer, and that is all.

use std::io::{Read, Write};

use camino::Utf8PathBuf;
use jiff::SignedDuration;
use nevra::Sha256;
use plan::{Reading, Witness};
use serde::{Deserialize, Serialize};
use store::{Disk, Generation, Store};

use crate::account::Account;
use crate::error::Error;

/// How often the time is written down while nothing is published: a start of the machine forgets no more.
const KEEP_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// The number of the file's stored form.
const FORMAT: u32 = 1;

/// The file, with the digest of what it says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    format: u32,
    generation: u64,
    witness: Witness,
    /// The digest of the JSON of the three above.
    digest: Sha256,
}

/// The witnessed time of a running daemon.
#[derive(Debug)]
pub(crate) struct Witnessing {
    /// What is witnessed.
    pub(crate) witness: Witness,
    /// The reading that was written down last, here or in a manifest.
    written: Reading,
}

impl Witnessing {
    /// Goes on from what is remembered, if anything is.
    pub(crate) fn open(disk: &dyn Disk, store: &Store, now: &Reading) -> Result<Self, Error> {
        let Some(current) = store.current()? else {
            return Ok(Self { witness: Witness::accepted(now.clone()), written: now.clone() });
        };
        let account = Account::of(current.number, &current.manifest.account)?;
        let remembered = remembered(disk, store, &current, &account);
        Ok(Self { witness: remembered.advanced(now), written: remembered.seen })
    }

    /// Learns that the clocks were read again.
    pub(crate) fn advance(&mut self, now: &Reading) {
        self.witness = self.witness.advanced(now);
    }

    /// Learns that a generation was published that remembers this.
    pub(crate) fn published(&mut self, witness: Witness) {
        self.written = witness.seen.clone();
        self.witness = witness;
    }

    /// Writes the time down for the generation in force, if it was not for long.
    ///
    /// That it cannot be written delays what waits for time, and nothing else: it is no error.
    pub(crate) fn keep(&mut self, disk: &dyn Disk, store: &Store, generation: u64) {
        let seen = &self.witness.seen;
        let is_same_boot = seen.boot_id == self.written.boot_id;
        if is_same_boot && seen.boot - self.written.boot < KEEP_EVERY {
            return;
        }
        self.written = seen.clone();
        if let Err(error) = write(disk, store, generation, &self.witness) {
            tracing::warn!("the witnessed time is not written down: {error}");
        }
    }
}

/// Tells what time is witnessed, as one who only looks: `now` is what the clocks say.
///
/// Before the first generation there is nothing to protect, and the wall clock counts.
pub fn witnessed(
    disk: &dyn Disk,
    store: &Store,
    current: Option<(&Generation, &Account)>,
    now: &Reading,
) -> Witness {
    match current {
        Some((current, account)) => remembered(disk, store, current, account).advanced(now),
        None => Witness::accepted(now.clone()),
    }
}

/// What was written down last: in the file, if it is of this generation, or else in its manifest.
fn remembered(disk: &dyn Disk, store: &Store, current: &Generation, account: &Account) -> Witness {
    let kept = read(disk, store).filter(|kept| kept.generation == current.number);
    let in_manifest = || account.clock.clone().unwrap_or_else(|| Witness::since(current.created));
    kept.map_or_else(in_manifest, |kept| kept.witness)
}

fn place(store: &Store) -> Utf8PathBuf {
    store.paths().cache().join("clock.json")
}

fn digest(generation: u64, witness: &Witness) -> Sha256 {
    let said = serde_json::to_vec(&(FORMAT, generation, witness)).expect("it has text keys only");
    repo::sha256(&said)
}

/// Reads the file; `None` if it is not there, not whole, or of another form.
fn read(disk: &dyn Disk, store: &Store) -> Option<Kept> {
    let mut bytes = Vec::new();
    disk.open(&place(store)).ok()?.take(1 << 16).read_to_end(&mut bytes).ok()?;
    let kept: Kept = serde_json::from_slice(&bytes).ok()?;
    (kept.format == FORMAT && kept.digest == digest(kept.generation, &kept.witness)).then_some(kept)
}

fn write(disk: &dyn Disk, store: &Store, generation: u64, witness: &Witness) -> Result<(), Error> {
    let (cache, path) = (store.paths().cache(), place(store));
    let fresh = cache.join("clock.new");
    let kept =
        Kept { format: FORMAT, generation, witness: witness.clone(), digest: digest(generation, witness) };
    let bytes = serde_json::to_vec_pretty(&kept).expect("it has text keys only");
    if disk.state(&fresh)?.is_some() {
        disk.remove_file(&fresh)?;
    }
    let mut file = disk.create(&fresh, 0o640)?;
    file.write_all(&bytes).map_err(|cause| Error::File { operation: "write", path: fresh.clone(), cause })?;
    file.sync()?;
    disk.rename(&fresh, &path)?;
    Ok(disk.sync_directory(&cache)?)
}

#[cfg(test)]
mod tests;
