//! A disk in memory that forgets what was not synced.
//!
//! [`ForgetfulDisk`] keeps the promises of [`Disk`](crate::Disk) and not one more. Beside what everybody sees it
//! remembers what is promised, and everything between the two as units that a power cut may keep or lose
//! independently of each other:
//!
//! ```text
//!   the bytes of one file since its last sync           lost: the bytes of the last sync, or none;
//!                                                       or a torn half of what was appended
//!   mode and time of one file or directory              lost: as of the last sync
//!   one name made, removed or given another meaning     until its directory is synced
//!   one rename or exchange, as a whole                  until both directories are synced
//! ```
//!
//! It refuses what a real file system refuses to a process without privileges, counts every operation that
//! changes something, and can fail from one of them on (the power is out) or at one of them only (a bad disk).

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::Utf8Path;
use rustix::io::Errno;

use crate::Error;
use crate::disk::Modified;

mod moment;
mod open_file;
mod operations;
mod tree;
mod unsynced;

#[cfg(test)]
mod tests;

pub use moment::{Moment, PowerCut};
use tree::{Body, Inode, Number, Tree, Who};
use unsynced::Volume;

/// Units up to which every subset of what is unsynced is tried.
pub const EXHAUSTIVE: usize = 8;

/// Ways in which the power goes that are tried where there are more units than [`EXHAUSTIVE`].
pub const SAMPLES: usize = 256;

/// A disk in memory that keeps the promises of [`Disk`](crate::Disk) and not one more.
///
/// Everything belongs to the user the value stands for, 1000:1000 at first; root (uid 0) may do everything but
/// move a directory it may not write to. Clocks stand still until [`ForgetfulDisk::set_now`].
#[derive(Debug)]
pub struct ForgetfulDisk {
    shared: Arc<Mutex<Shared>>,
    who: Who,
}

#[derive(Debug)]
struct Shared {
    volume: Volume,
    now: Modified,
    operations: u64,
    fault: Fault,
    capacity: Option<usize>,
    locks: BTreeSet<Number>,
    recorded: Option<Vec<Moment>>,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    From(u64),
    Only(u64),
}

impl Default for ForgetfulDisk {
    fn default() -> ForgetfulDisk {
        ForgetfulDisk::new()
    }
}

impl ForgetfulDisk {
    /// Takes an empty disk; its root directory belongs to 1000:1000.
    pub fn new() -> ForgetfulDisk {
        let who = Who { uid: 1000, gid: 1000 };
        let now = Modified::of_seconds(1_767_225_600);
        ForgetfulDisk::of(Volume::new(Tree::new(who, now)), now, who)
    }

    fn of(volume: Volume, now: Modified, who: Who) -> ForgetfulDisk {
        let (operations, fault, locks, recorded) = (0, Fault::None, BTreeSet::new(), None);
        let shared = Shared { volume, now, operations, fault, capacity: None, locks, recorded };
        ForgetfulDisk { shared: Arc::new(Mutex::new(shared)), who }
    }

    /// The same disk as another user sees it, who is in no group but `gid`.
    pub fn as_user(&self, uid: u32, gid: u32) -> ForgetfulDisk {
        ForgetfulDisk { shared: Arc::clone(&self.shared), who: Who { uid, gid } }
    }

    /// Another disk in the same state, promised or not: with a count of its own, no faults and no locks.
    pub fn copy(&self) -> ForgetfulDisk {
        let shared = self.shared();
        ForgetfulDisk::of(shared.volume.clone(), shared.now, self.who)
    }

    /// Another disk on which everything that is seen here is promised.
    pub fn synced(&self) -> ForgetfulDisk {
        let shared = self.shared();
        ForgetfulDisk::of(Volume::new(shared.volume.live.clone()), shared.now, self.who)
    }

    /// Takes away what not every file system has: from now on, and on every copy, [`exchange`] is unsupported.
    ///
    /// [`exchange`]: crate::Disk::exchange
    pub fn forbid_exchange(&self) {
        self.shared().volume.forbid_exchange();
    }

    /// Sets the clock from which files get their times.
    pub fn set_now(&self, now: Modified) {
        self.shared().now = now;
    }

    /// How many operations that change something were attempted: create, each write, set modified, sync,
    /// link, symlink, rename, exchange, make and remove directory, remove file, set mode, sync directory or file system.
    pub fn operations(&self) -> u64 {
        self.shared().operations
    }

    /// Lets operation number `first` (the first ever is 1) and everything later fail: the power is out.
    ///
    /// What reads fails then as well, so that whatever runs unwinds.
    pub fn fail_from(&self, first: u64) {
        self.shared().fault = Fault::From(first);
    }

    /// Lets operation number `only` fail with an I/O error and everything later succeed.
    ///
    /// After a sync that failed, later syncs of the same file or directory report success and do nothing.
    pub fn fail_only(&self, only: u64) {
        self.shared().fault = Fault::Only(only);
    }

    /// Lets all files that have a name hold at most so many bytes together, or as many as they like: a write beyond that
    /// fails with ENOSPC. Names take no room.
    pub fn set_capacity(&self, bytes: Option<usize>) {
        self.shared().capacity = bytes;
    }

    /// How many bytes all files that have a name hold together.
    pub fn bytes(&self) -> usize {
        self.shared().volume.live.bytes()
    }

    /// Starts to keep a [`Moment`] of the present and after each operation from now on.
    pub fn record(&self) {
        let mut shared = self.shared();
        let moment = shared.moment(String::new(), self.who);
        shared.recorded = Some(vec![moment]);
    }

    /// Ends what [`ForgetfulDisk::record`] began.
    pub fn recorded(&self) -> Vec<Moment> {
        self.shared().recorded.take().unwrap_or_default()
    }

    /// How many things a power cut could lose now, independently of each other.
    pub fn unsynced(&self) -> usize {
        self.shared().volume.units()
    }

    /// Every disk that a power cut could leave now, if at most [`EXHAUSTIVE`] things are unsynced, else
    /// [`SAMPLES`] of them; what is seen now and what is promised are always among them.
    pub fn crash_states(&self, seed: u64) -> impl Iterator<Item = ForgetfulDisk> + use<> {
        let moment = self.shared().moment(String::new(), self.who);
        moment.losses(EXHAUSTIVE, SAMPLES, seed).into_iter().map(move |loss| moment.after(&loss).0)
    }

    /// Makes a FIFO, for whoever must not be hung by one. It is promised as little as any other name.
    pub fn make_fifo(&self, path: &Utf8Path, mode: u32) -> Result<(), Error> {
        let who = self.who;
        self.change("make fifo", path, |shared| {
            shared.make(path, who, |now, who| Inode::new(Body::Fifo, mode, who, now)).map(drop)
        })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        unpoisoned(&self.shared)
    }

    fn read<T>(
        &self,
        operation: &'static str,
        path: &Utf8Path,
        read: impl FnOnce(&Shared) -> Result<T, Errno>,
    ) -> Result<T, Error> {
        let shared = self.shared();
        if let Fault::From(first) = shared.fault
            && shared.operations >= first
        {
            return Err(Error::disk(operation, path, power_is_out()));
        }
        read(&shared).map_err(|cause| Error::disk(operation, path, cause))
    }

    fn change<T>(
        &self,
        operation: &'static str,
        path: &Utf8Path,
        change: impl FnOnce(&mut Shared) -> Result<T, Errno>,
    ) -> Result<T, Error> {
        self.change_or(operation, path, |_| {}, change)
    }

    /// Makes a change and counts it; `spoil` says what is left where the disk fails at this operation alone.
    fn change_or<T>(
        &self,
        operation: &'static str,
        path: &Utf8Path,
        spoil: impl FnOnce(&mut Shared),
        change: impl FnOnce(&mut Shared) -> Result<T, Errno>,
    ) -> Result<T, Error> {
        let mut shared = self.shared();
        shared.operations += 1;
        match shared.fault {
            Fault::From(first) if shared.operations >= first => {
                return Err(Error::disk(operation, path, power_is_out()));
            }
            Fault::Only(only) if shared.operations == only => {
                spoil(&mut shared);
                return Err(Error::disk(operation, path, Errno::IO));
            }
            _ => {}
        }
        let outcome = change(&mut shared).map_err(|cause| Error::disk(operation, path, cause))?;
        if shared.recorded.is_some() {
            let moment = shared.moment(format!("{operation} {path}"), self.who);
            shared.recorded.get_or_insert_default().push(moment);
        }
        Ok(outcome)
    }
}

impl Shared {
    fn moment(&self, operation: String, who: Who) -> Moment {
        Moment::new(operation, self.volume.clone(), self.now, who)
    }
}

/// What a panic in another thread left behind is still a whole disk: every change is made in one piece.
fn unpoisoned(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn permitted(allowed: bool) -> Result<(), Errno> {
    if allowed { Ok(()) } else { Err(Errno::ACCESS) }
}

fn power_is_out() -> io::Error {
    io::Error::other("the power is out")
}
