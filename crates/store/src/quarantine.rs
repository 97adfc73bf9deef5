//! Where abandoned generations go: `quarantine/N`, so that a person can look before they are deleted.

use camino::{Utf8Path, Utf8PathBuf};

use crate::paths::number_of;
use crate::planted::{self, Bug};
use crate::trees::OPEN_DIRECTORY;
use crate::{Error, Kind, Lock, Modified, Store};

/// A generation that was abandoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarantined {
    /// Its number.
    pub number: u64,
    /// When something was put into its quarantine or taken out of it last.
    pub since: Modified,
    /// Whether nothing is left but the number.
    pub emptied: bool,
}

impl Store {
    /// Takes generation `number`, which is not in force and never was, out of the way.
    ///
    /// W goes first, then P, then the links it made are undone, then `staging/N` goes. Each step is durable
    /// before the next and does no harm when repeated, so that this may be interrupted anywhere.
    pub(crate) fn quarantine(&self, number: u64) -> Result<(), Error> {
        let paths = &self.paths;
        let links = self.read_links(number)?;
        let place = paths.quarantine_of(number);
        if self.disk.state(&place)?.is_none() {
            self.disk.make_directory(&place, OPEN_DIRECTORY)?;
        }
        self.disk.sync_directory(&paths.quarantine())?;
        self.put_away(&paths.public_half(number), &place, "public")?;
        self.put_away(&paths.private_half(number), &place, "private")?;
        if planted::is(Bug::RecoveryForgetsBeforeItUndoes) {
            self.put_away(&paths.staging_of(number), &place, "staging")?;
        }
        if let Some(links) = links.filter(|_| !planted::is(Bug::RecoveryLeavesAbandonedLinks)) {
            self.undo_links(&links)?;
        }
        self.put_away(&paths.staging_of(number), &place, "staging")
    }

    /// Takes what is left in `staging/N` of a generation that is superseded out of the way; its links stay.
    pub(crate) fn quarantine_leftovers(&self, number: u64) -> Result<(), Error> {
        let place = self.paths.quarantine_of(number);
        if self.disk.state(&place)?.is_none() {
            self.disk.make_directory(&place, OPEN_DIRECTORY)?;
        }
        self.disk.sync_directory(&self.paths.quarantine())?;
        self.put_away(&self.paths.staging_of(number), &place, "staging")
    }

    fn put_away(&self, from: &Utf8Path, place: &Utf8Path, name: &str) -> Result<(), Error> {
        if let Some(state) = self.disk.state(from)? {
            if state.kind == Kind::Directory && state.mode & 0o200 == 0 {
                // A sealed directory cannot change its parent.
                self.disk.set_mode(from, OPEN_DIRECTORY)?;
            }
            self.disk.rename(from, &self.free_name(place, name)?)?;
        }
        // Synced even if it was moved before: perhaps by a process that died before it could.
        self.disk.sync_directory(place)?;
        match from.parent() {
            Some(parent) => self.disk.sync_directory(parent),
            None => Ok(()),
        }
    }

    fn free_name(&self, place: &Utf8Path, name: &str) -> Result<Utf8PathBuf, Error> {
        let mut candidates =
            std::iter::once(place.join(name)).chain((2..).map(|n| place.join(format!("{name}-{n}"))));
        loop {
            let candidate = candidates.next().expect("there is no last number");
            if self.disk.state(&candidate)?.is_none() {
                return Ok(candidate);
            }
        }
    }

    /// Lists the abandoned generations, lowest first.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>, Error> {
        let mut all = Vec::new();
        for number in self.numbers_in(&self.paths.quarantine(), number_of)? {
            let place = self.paths.quarantine_of(number);
            let names = self.disk.list(&place)?;
            let emptied = names.names.is_empty() && names.odd.is_empty();
            all.push(Quarantined { number, since: self.expect(&place)?.modified, emptied });
        }
        Ok(all)
    }

    /// Deletes what is left of the abandoned generation `number`.
    ///
    /// The empty `quarantine/N` stays until a higher number is in force or in quarantine, so that the number
    /// is not used again. Nothing is done if nothing is there.
    pub fn empty_quarantine(&self, lock: &Lock, number: u64) -> Result<(), Error> {
        self.demand(lock)?;
        let place = self.paths.quarantine_of(number);
        if self.disk.state(&place)?.is_none() {
            return Ok(());
        }
        for name in self.disk.list(&place)?.names {
            self.remove_tree(&place.join(name))?;
        }
        self.disk.sync_directory(&place)?;
        self.forget_numbers(self.pointed()?.unwrap_or(0))
    }

    /// Removes the emptied quarantines of numbers below `current` and below the highest of them.
    pub(crate) fn forget_numbers(&self, current: u64) -> Result<(), Error> {
        let all = self.quarantined()?;
        let highest = all.last().map_or(current, |last| last.number.max(current));
        let forgotten: Vec<_> = all.iter().filter(|one| one.emptied && one.number < highest).collect();
        if !forgotten.is_empty() {
            // The number that makes the others needless must outlast them.
            self.disk.sync_directory(&self.paths.quarantine())?;
        }
        for quarantined in forgotten {
            self.disk.remove_directory(&self.paths.quarantine_of(quarantined.number))?;
        }
        self.disk.sync_directory(&self.paths.quarantine())
    }
}
