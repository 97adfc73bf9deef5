//! New repodata in the place of the old, in one instant.
//!
//! ```text
//!   lock DIR ── .repodata/next/ written, synced ── exchange .repodata/next, repodata ── synced ── old removed
//!               nobody looks there                 the one instant                      told
//! ```
//!
//! | killed or cut off                    | readers see | what the next run finds and does                |
//! |--------------------------------------|-------------|-------------------------------------------------|
//! | before the exchange                  | the old     | `.repodata` without an owner: it is removed      |
//! | after it, before the parents' sync   | old or new  | the same; `.repodata/next` holds the other one  |
//! | after that                           | the new     | the same                                         |
//!
//! The lock is the kernel's (`flock` on the directory that holds `repodata`), so it ends with the process that
//! holds it. `.repodata` keeps createrepo_c away, which takes it for a lock, and is where everything is built.
//!
//! Where the file system cannot exchange names, files with checksums in their names are moved in one by one
//! and `repomd.xml` last: a reader sees the old set or the new one, too, since neither hides the other.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write};

use camino::{Utf8Path, Utf8PathBuf};
use repo::Slice;
use store::planted::{self, Bug};
use store::{Disk, Kind, Modified};

use crate::Error;

/// What everybody may: a web server of another user has to read it.
const FILE: u32 = 0o644;
const DIRECTORY: u32 = 0o755;

/// What of the mode of the directory there is passes to the new one: a group that works together, and its group.
const SHARED: u32 = 0o2020;

/// The index, which names all other files.
pub(crate) const INDEX: &str = "repomd.xml";

/// Everything the new repodata consists of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repodata {
    /// Files to be written; the index is one of them.
    pub written: Vec<Written>,
    /// Names below the old repodata that stay, as further names of the same files.
    pub kept: BTreeSet<Utf8PathBuf>,
    /// Whether every new file but the index has its checksum in its name.
    pub unique_names: bool,
}

/// One file to be written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Its name in `repodata`.
    pub name: String,
    /// Its bytes, in pieces that follow each other.
    pub pieces: Vec<Slice>,
    /// Its time; now if it is `None`.
    pub modified: Option<Modified>,
}

/// How the new repodata came into its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// There was none before.
    First,
    /// The old and the new changed places in one instant.
    Exchanged,
    /// File by file, `repomd.xml` last, for the file system cannot exchange names.
    MovedIn,
}

/// A directory whose repodata only we replace, until this is dropped.
pub(crate) struct Place<'a> {
    disk: &'a dyn Disk,
    /// Holds `repodata`.
    output: &'a Utf8Path,
    /// Of [`SHARED`], what whoever made the place wants.
    shared: u32,
    _lock: Box<dyn Send + Sync>,
}

/// What becomes of a `.repodata` that createrepo_c left behind or works in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherLock {
    /// It is respected.
    #[default]
    Respected,
    /// It is removed.
    Removed,
}

impl<'a> Place<'a> {
    /// Takes the lock, and clears away what a run that was killed left behind.
    pub(crate) fn lock(
        disk: &'a dyn Disk,
        output: &'a Utf8Path,
        other: OtherLock,
    ) -> Result<Place<'a>, Error> {
        let lock = disk.lock(output)?.ok_or_else(|| Error::Busy { output: output.to_owned() })?;
        let existing = disk.state(&output.join("repodata"))?;
        let model = existing.map_or_else(|| disk.state(output), |state| Ok(Some(state)))?;
        let shared = model.map_or(0, |state| state.mode & SHARED);
        let place = Place { disk, output, shared, _lock: lock };
        let site = place.site();
        if let Some(state) = disk.state(&site)? {
            let ours = state.kind == Kind::Directory && {
                let names = disk.list(&site)?;
                names.odd.is_empty() && names.names.iter().all(|name| name == "next")
            };
            if !ours && other == OtherLock::Respected {
                return Err(Error::OtherLock { path: site });
            }
            remove_tree(disk, &site)?;
        }
        Ok(place)
    }

    fn make_directory(&self, path: &Utf8Path) -> Result<(), Error> {
        Ok(self.disk.make_directory(path, DIRECTORY | self.shared)?)
    }

    fn site(&self) -> Utf8PathBuf {
        self.output.join(".repodata")
    }

    /// The repodata that readers see.
    pub(crate) fn repodata(&self) -> Utf8PathBuf {
        self.output.join("repodata")
    }

    /// Puts the new repodata in place. When this returns it is durable.
    ///
    /// After an error before the exchange readers have what they had; after one behind it they have the new.
    ///
    /// What could not be removed afterwards comes beside: the next run tries again.
    pub(crate) fn replace(self, new: &Repodata) -> Result<(Replaced, Option<Error>), Error> {
        let (disk, next) = (self.disk, self.site().join("next"));
        self.make_directory(&self.site())?;
        self.make_directory(&next)?;
        let built = self.build(new, &next).and_then(|()| self.publish(new, &next));
        // After a failure there is nothing worth keeping; the next run removes what stays.
        let cleared = remove_tree(disk, &self.site());
        Ok((built?, cleared.err()))
    }

    /// Writes everything where nobody looks, and makes it durable.
    fn build(&self, new: &Repodata, next: &Utf8Path) -> Result<(), Error> {
        let (disk, old) = (self.disk, self.repodata());
        let mut directories = BTreeSet::from([next.to_owned()]);
        let names = new.kept.iter().map(|name| &**name);
        for name in names.chain(new.written.iter().map(|file| Utf8Path::new(&file.name))) {
            let above: Vec<_> = name.ancestors().skip(1).filter(|above| *above != "").collect();
            for above in above.into_iter().rev() {
                if directories.insert(next.join(above)) {
                    self.make_directory(&next.join(above))?;
                }
            }
        }
        for name in &new.kept {
            let to = next.join(name);
            match disk.state(&old.join(name))? {
                Some(state) if state.kind == Kind::Link => {
                    disk.symlink(&disk.read_link(&old.join(name))?, &to)?
                }
                Some(state) if state.kind == Kind::Directory => {
                    if directories.insert(to.clone()) {
                        self.make_directory(&to)?;
                    }
                }
                _ => disk.link(&old.join(name), &to)?,
            }
        }
        for file in &new.written {
            let path = next.join(&file.name);
            let mut writing = disk.create(&path, FILE | self.shared & 0o020)?;
            let written = file.pieces.iter().try_for_each(|piece| writing.write_all(piece));
            written.map_err(|cause| Error::Write { path: path.clone(), cause })?;
            if let Some(modified) = file.modified {
                writing.set_modified(modified)?;
            }
            if !planted::is(Bug::RepodataFilesNotSynced) {
                writing.sync()?;
            }
        }
        // What lies deeper comes later in their order.
        for directory in directories.iter().rev() {
            if !planted::is(Bug::RepodataDirectoryNotSynced) {
                disk.sync_directory(directory)?;
            }
        }
        self.sync_parents()
    }

    /// Lets readers see it.
    fn publish(&self, new: &Repodata, next: &Utf8Path) -> Result<Replaced, Error> {
        let (disk, old) = (self.disk, self.repodata());
        if disk.state(&old)?.is_none() {
            disk.rename(next, &old)?;
            self.sync_parents_after()?;
            return Ok(Replaced::First);
        }
        if planted::is(Bug::RepodataRenamedAway) {
            disk.rename(&old, &self.site().join("old"))?;
            disk.rename(next, &old)?;
            self.sync_parents_after()?;
            return Ok(Replaced::Exchanged);
        }
        match disk.exchange(next, &old) {
            Ok(()) => {
                self.sync_parents_after()?;
                Ok(Replaced::Exchanged)
            }
            // The second is what overlay file systems say of directories that lie in a layer below.
            Err(store::Error::Disk { cause, .. })
                if matches!(cause.kind(), ErrorKind::Unsupported | ErrorKind::CrossesDevices) =>
            {
                self.move_in(new, next)?;
                Ok(Replaced::MovedIn)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The same where names cannot be exchanged: the files first, the index last, what is not needed afterwards.
    fn move_in(&self, new: &Repodata, next: &Utf8Path) -> Result<(), Error> {
        let (disk, old) = (self.disk, self.repodata());
        if !new.unique_names {
            return Err(Error::NoExchange { output: self.output.to_owned() });
        }
        for file in new.written.iter().filter(|file| file.name != INDEX) {
            disk.rename(&next.join(&file.name), &old.join(&file.name))?;
        }
        // A name that moved is there for good once both directories know.
        let settled = || disk.sync_directory(next).and_then(|()| disk.sync_directory(&old));
        if !planted::is(Bug::RepodataIndexMovedFirst) {
            settled()?;
        }
        disk.rename(&next.join(INDEX), &old.join(INDEX))?;
        settled()?;
        let names = disk.list(&old)?.names;
        let stays = |name: &str| {
            new.written.iter().any(|file| file.name == name)
                || new
                    .kept
                    .iter()
                    .any(|kept| kept.components().next().is_some_and(|top| top.as_str() == name))
        };
        names.iter().filter(|name| !stays(name)).try_for_each(|name| remove_tree(disk, &old.join(name)))
    }

    fn sync_parents_after(&self) -> Result<(), Error> {
        if planted::is(Bug::RepodataPlaceNotSynced) { Ok(()) } else { self.sync_parents() }
    }

    fn sync_parents(&self) -> Result<(), Error> {
        self.disk.sync_directory(&self.site())?;
        Ok(self.disk.sync_directory(self.output)?)
    }
}

/// Removes whatever stands at `path` and below it; nothing there is well, too.
fn remove_tree(disk: &dyn Disk, path: &Utf8Path) -> Result<(), Error> {
    let Some(state) = disk.state(path)? else { return Ok(()) };
    if state.kind != Kind::Directory {
        return Ok(disk.remove_file(path)?);
    }
    if state.mode & 0o700 != 0o700 {
        disk.set_mode(path, DIRECTORY)?;
    }
    for name in disk.list(path)?.names {
        remove_tree(disk, &path.join(name))?;
    }
    Ok(disk.remove_directory(path)?)
}

#[cfg(test)]
mod tests;
