//! The store itself: a root, a disk, and the lock that lets one process write.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::paths::number_of;
use crate::{Disk, Error, Kind, Paths};

/// Generations, packages and their history below one root.
///
/// Reading needs no lock: what is sealed does not change. Everything that writes demands the [`Lock`],
/// but for what arrives ([`Store::bring_in`]), which touches only the place of its own request.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) paths: Paths,
}

/// The right to write below one root, held until it is dropped.
pub struct Lock {
    root: Utf8PathBuf,
    _held: Box<dyn Send + Sync>,
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Store {
    /// Takes a disk and an absolute root; nothing is touched.
    pub fn new(disk: Arc<dyn Disk>, root: impl Into<Utf8PathBuf>) -> Store {
        Store { disk, paths: Paths::new(root) }
    }

    /// Says where everything lies.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Makes the directories a store needs, and its root with all above it; those that exist stay as they are.
    ///
    /// `public/` is for everybody, the others for the owner and the group. Everything is durable when this
    /// returns, whoever made it.
    pub fn create_directories(&self) -> Result<(), Error> {
        let paths = &self.paths;
        let mut above: Vec<&Utf8Path> = paths.root().ancestors().collect();
        above.reverse();
        for dir in above.into_iter().filter(|dir| !dir.as_str().is_empty()) {
            self.make_lasting_directory(dir, 0o755)?;
        }
        for dir in [paths.public(), paths.packages()] {
            self.make_lasting_directory(&dir, 0o755)?;
        }
        for dir in [
            paths.generations(),
            paths.history(),
            paths.policies(),
            paths.pool(),
            paths.staging(),
            paths.imports(),
            paths.quarantine(),
            paths.audit(),
            paths.cache(),
        ] {
            self.make_lasting_directory(&dir, 0o750)?;
        }
        Ok(())
    }

    fn make_lasting_directory(&self, dir: &Utf8Path, mode: u32) -> Result<(), Error> {
        // Above the root a symlink may be somebody's good reason; below it there is none.
        let inside = dir.starts_with(self.paths.root());
        let there = match self.disk.state(dir)? {
            Some(state) if state.kind == Kind::Directory || !inside => true,
            Some(_) => return Err(Error::NotDirectory { path: dir.to_owned() }),
            None => false,
        };
        if !there {
            self.disk.make_directory(dir, mode)?;
            self.disk.sync_directory(dir)?;
        }
        match dir.parent() {
            Some(parent) if inside || !there => self.disk.sync_directory(parent),
            _ => Ok(()),
        }
    }

    /// Takes the lock on the root without waiting.
    ///
    /// Fails with [`Error::Locked`] while anybody holds it, this process included.
    pub fn lock(&self) -> Result<Lock, Error> {
        let root = self.paths.root().to_owned();
        match self.disk.lock(&root)? {
            Some(held) => Ok(Lock { root, _held: held }),
            None => Err(Error::Locked { root }),
        }
    }

    /// Refuses the lock of another root.
    pub(crate) fn demand(&self, lock: &Lock) -> Result<(), Error> {
        if lock.root == self.paths.root() {
            return Ok(());
        }
        Err(Error::OtherLock { root: self.paths.root().to_owned(), locked: lock.root.clone() })
    }

    /// Answers with the number the next generation may have: one above every number that was ever seen.
    ///
    /// Numbers rise and are never used again; gaps are normal.
    pub fn next_number(&self) -> Result<u64, Error> {
        let paths = &self.paths;
        let mut highest = self.pointed()?.unwrap_or(0);
        for dir in [paths.staging(), paths.generations(), paths.quarantine()] {
            highest = highest.max(self.numbers_in(&dir, number_of)?.pop().unwrap_or(0));
        }
        let halves = self.numbers_in(&paths.public(), public_number)?;
        let past = self.numbers_in(&paths.history(), history_number)?;
        Ok(highest.max(halves.last().copied().unwrap_or(0)).max(past.last().copied().unwrap_or(0)) + 1)
    }

    /// The numbers among the names in `dir`, sorted.
    pub(crate) fn numbers_in(
        &self,
        dir: &Utf8Path,
        number: fn(&str) -> Option<u64>,
    ) -> Result<Vec<u64>, Error> {
        let mut numbers: Vec<u64> =
            self.disk.list(dir)?.names.iter().filter_map(|name| number(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// The number in the name of a public half: `@42`.
pub(crate) fn public_number(name: &str) -> Option<u64> {
    number_of(name.strip_prefix('@')?)
}

/// The number in the name of a manifest that is history: `42.json`.
pub(crate) fn history_number(name: &str) -> Option<u64> {
    number_of(name.strip_suffix(".json")?)
}
