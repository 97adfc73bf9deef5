//! The store itself: a root, a disk, and the lock that lets one process write.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Sha256;

use crate::paths::number_of;
use crate::planted::{self, Bug};
use crate::{Disk, Error, Kind, Paths, State};

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

    /// Finds the package of the pool whose digest begins with these 16 digits; `None` unless there is exactly one.
    pub fn pooled_as(&self, short: &str) -> Result<Option<Sha256>, Error> {
        crate::pooled(self.disk.as_ref(), &self.paths, short)
    }

    /// Lends the disk, to read what lies below the root.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// Says where everything lies.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Makes the directories a store needs, and its root with all above it.
    ///
    /// The root and `public/` are for everybody, the others for the owner and the group. One that exists, from
    /// the root down, is given the permissions it lacks, unless it belongs to somebody else; none is taken
    /// away. Everything is durable when this returns, whoever made it.
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
            Some(state) if inside && state.kind == Kind::Directory => {
                self.complete_mode(dir, state, mode)?;
                true
            }
            Some(_) if inside => return Err(Error::NotDirectory { path: dir.to_owned() }),
            Some(_) => true,
            None => false,
        };
        if !there {
            self.disk.make_directory(dir, mode)?;
            self.disk.sync_directory(dir)?;
        }
        match dir.parent() {
            // A start-up would sync `public/` here, too, and nothing would be left out.
            _ if there && planted::is(Bug::RecoveryTrustsTheFlip) => Ok(()),
            Some(parent) if inside || !there => self.disk.sync_directory(parent),
            _ => Ok(()),
        }
    }

    /// Gives a directory the permissions it lacks: whoever made it may have died before he gave it its mode.
    fn complete_mode(&self, dir: &Utf8Path, state: State, mode: u32) -> Result<(), Error> {
        if state.mode & mode == mode {
            return Ok(());
        }
        match self.disk.set_mode(dir, state.mode | mode) {
            // It belongs to somebody else, who may have his reasons.
            Err(Error::Disk { cause, .. }) if cause.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.disk.sync_directory(dir),
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
        let quarantine = (!planted::is(Bug::NumberUsedAgain)).then(|| paths.quarantine());
        for dir in [paths.staging(), paths.generations()].into_iter().chain(quarantine) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PosixDisk;
    use crate::crash::Sweep;
    use crate::forgetful::ForgetfulDisk;
    use crate::workshop::Workshop;

    fn mode(disk: &dyn Disk, path: &Utf8Path) -> u32 {
        disk.state(path).unwrap().unwrap().mode
    }

    #[test]
    fn directories_lack_no_permission_whenever_the_power_went_while_they_were_made() {
        let mut sweep = Sweep::new(9);
        let report = sweep.run(
            &ForgetfulDisk::new(),
            |disk| Store::new(disk, "/srv").create_directories().unwrap(),
            |_| (),
            |disk, (), _| {
                let store = Store::new(disk.clone(), "/srv");
                store.create_directories().unwrap();
                let paths = store.paths();
                let served = [paths.root().to_owned(), paths.public(), paths.packages()];
                let kept = [paths.generations(), paths.audit(), paths.pool(), paths.imports()];
                let modes = served.iter().map(|dir| (dir, 0o755)).chain(kept.iter().map(|dir| (dir, 0o750)));
                let wrong = modes.filter(|(dir, wanted)| mode(&**disk, dir) != *wanted);
                wrong.map(|(dir, _)| format!("{dir} is {:04o}", mode(&**disk, dir))).collect()
            },
        );
        assert!(report.violations.is_empty() && report.states > 20, "{report}");
    }

    #[test]
    fn a_directory_keeps_the_permissions_it_has_beyond_those_it_needs() {
        let shop = Workshop::empty();
        for (name, before, after) in
            [("public", 0o700, 0o755), ("audit", 0o2770, 0o2770), ("cache", 0o1700, 0o1750)]
        {
            PosixDisk.set_mode(&shop.at(name), before).unwrap();
            shop.store.create_directories().unwrap();
            assert_eq!(mode(&PosixDisk, &shop.at(name)), after, "{name}");
        }
    }

    #[test]
    fn a_directory_of_somebody_else_is_left_as_it_is() {
        let disk = ForgetfulDisk::new();
        let store = |disk: ForgetfulDisk| Store::new(Arc::new(disk), "/srv");
        store(disk.as_user(1000, 1000)).create_directories().unwrap();
        let cache = store(disk.as_user(0, 0)).paths.cache();
        disk.remove_directory(&cache).unwrap();
        let root = disk.as_user(0, 0);
        root.make_directory(&cache, 0o705).unwrap();
        store(disk.as_user(1000, 1000)).create_directories().unwrap();
        assert_eq!(mode(&disk, &cache), 0o705);
    }
}
