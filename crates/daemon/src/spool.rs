//! The control directory: where people put requests, and where each of them is answered.
//!
//! ```text
//!  tmp/ --rename--> incoming/ --claim--> processing/ --settle--> done/ or failed/
//!                   upload/   files that requests refer to
//! ```
//!
//! A request is *claimed* when its file was renamed into `processing/`, and *settled* when its answer lies
//! in `done/` or `failed/`. Both survive a power cut at any point: [`Spool::resume`] finishes what was begun.
//! Nothing here decides what a request may do, and the bytes of a request are read once.

mod claim;
mod claim_name;
mod examination;
mod files;
mod left;
mod queue;
mod resume;
mod settle;
mod sidecar;
#[cfg(test)]
mod tests;
mod upload;

pub use claim::{CLAIMS_AT_ONCE, CLAIMS_MAX};
pub(crate) use claim_name::is_claim_name;
pub use left::Left;

use crate::error::Error;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;
use plan::{Format, Refusal};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Disk, Kind};

/// The most bytes of a request.
pub const REQUEST_SIZE_MAX: u64 = 64 * 1024;

/// The directories into which people write: for the group, with sticky bit, new files of that group.
const OPEN: [&str; 3] = ["tmp", "incoming", "upload"];

/// The directories into which only the daemon writes.
const CLOSED: [&str; 3] = ["processing", "done", "failed"];

/// Is the control directory of one site.
#[derive(Debug)]
pub struct Spool {
    disk: Arc<dyn Disk>,
    dir: Utf8PathBuf,
    memory: Mutex<Memory>,
}

/// What is known while the process lives; all of it can be found again in the directories.
#[derive(Debug, Default)]
struct Memory {
    /// Claims that were handed out and are not settled, with their owners.
    handed_out: BTreeMap<String, u32>,
    /// The requests that are not claimed yet, in the order of their turns.
    queue: queue::Queue,
    /// Requests whose renaming is not proven durable: the file in `processing/`, and its name in `incoming/`.
    unproven_renames: BTreeMap<Utf8PathBuf, String>,
    /// Claims whose sidecar and copy are not proven durable.
    unproven_records: BTreeSet<String>,
    /// The time in the newest claim name.
    newest: Option<Timestamp>,
}

/// Holds the lock on a control directory until it is dropped.
pub struct SpoolLock {
    _held: Box<dyn Send + Sync>,
}

impl std::fmt::Debug for SpoolLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpoolLock")
    }
}

/// Is who owned a request file when it was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group of the file, which in a directory with set-group-id says nothing about the user.
    pub gid: u32,
}

/// Is a request that was claimed and is not settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The claim name, `<stem>-<UTC time>-<6 hex>`: names request and answer everywhere from now on.
    pub name: String,
    /// Who asks.
    pub owner: Owner,
    /// The time in the claim name; no two claims of a spool have the same.
    pub claimed_at: Timestamp,
    /// The digest of `bytes`.
    pub digest: Sha256,
    /// What was read, once; empty if `problem` prevented reading.
    pub bytes: Vec<u8>,
    /// What the file's name promises.
    pub format: Format,
    /// Why the request must be refused whatever it says.
    pub problem: Option<Refusal>,
}

impl Spool {
    /// Names the control directory; nothing is touched.
    pub fn new(disk: Arc<dyn Disk>, dir: Utf8PathBuf) -> Spool {
        Spool { disk, dir, memory: Mutex::default() }
    }

    /// Makes the directories that are missing: `tmp`, `incoming` and `upload` 3770, the others 2750.
    ///
    /// Directories that exist keep their mode, save an empty one of exactly 0700: that is what a daemon leaves
    /// that was killed between making it and giving it its mode, and whatever is stricter or looser on purpose
    /// stays. Where others than the owner may write to `processing`, `done`
    /// or `failed`, anybody could answer: that is an error. The group is the one of the control directory if
    /// that has the set-group-id bit; giving it to `sluice-submit` is the administrator's part.
    pub fn create_directories(&self) -> Result<(), Error> {
        self.create_directory(&self.dir, 0o755)?;
        self.mend_mode(&self.dir, 0o755)?;
        for name in OPEN {
            let path = self.dir.join(name);
            self.create_directory(&path, 0o3770)?;
            self.mend_mode(&path, 0o3770)?;
        }
        for name in CLOSED {
            let path = self.dir.join(name);
            self.create_directory(&path, 0o2750)?;
            self.mend_mode(&path, 0o2750)?;
            let state = self.disk.state(&path)?;
            if let Some(state) = state.filter(|state| state.mode & 0o022 != 0) {
                let reason = format!(
                    "its mode is {:04o}, so others than its owner could answer requests; run chmod go-w on it",
                    state.mode
                );
                return Err(Error::Spool { path, reason });
            }
        }
        Ok(())
    }

    /// Makes `path` and what leads to it; durable when this returns.
    fn create_directory(&self, path: &Utf8Path, mode: u32) -> Result<(), Error> {
        match self.disk.state(path)?.map(|state| state.kind) {
            Some(Kind::Directory) => return Ok(()),
            Some(_) => {
                let reason = "a directory must stand here".to_owned();
                return Err(Error::Spool { path: path.to_owned(), reason });
            }
            None => {}
        }
        if let Some(parent) = path.parent() {
            self.create_directory(parent, 0o755)?;
            self.disk.make_directory(path, mode)?;
            self.disk.sync_directory(path)?;
            self.disk.sync_directory(parent)?;
        }
        Ok(())
    }

    /// Gives a directory the mode it was to get when it was made, if a kill came between the two.
    fn mend_mode(&self, path: &Utf8Path, mode: u32) -> Result<(), Error> {
        if self.disk.state(path)?.is_none_or(|state| state.mode != 0o700) {
            return Ok(());
        }
        match self.disk.list(path) {
            Ok(names) if names.names.is_empty() && names.odd.is_empty() => {}
            // Whoever filled it chose its mode; one that cannot be listed is not ours.
            Ok(_) | Err(_) => return Ok(()),
        }
        match self.disk.set_mode(path, mode) {
            Ok(()) => Ok(self.disk.sync_directory(path)?),
            Err(error) => {
                tracing::warn!("`{path}` has the mode 0700 and keeps it: {error}");
                Ok(())
            }
        }
    }

    /// Takes the lock on the control directory: two daemons must not claim from it, whatever their roots are.
    ///
    /// Fails with [`store::Error::Locked`] if somebody holds it.
    pub fn lock(&self) -> Result<SpoolLock, Error> {
        match self.disk.lock(&self.dir)? {
            Some(held) => Ok(SpoolLock { _held: held }),
            None => Err(store::Error::Locked { root: self.dir.clone() }.into()),
        }
    }

    fn incoming(&self) -> Utf8PathBuf {
        self.dir.join("incoming")
    }

    fn processing(&self) -> Utf8PathBuf {
        self.dir.join("processing")
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // What is remembered is whole after every statement, so a panic elsewhere does not spoil it.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes back a claim that was handed out and will not be settled now.
    ///
    /// The next [`Spool::claim_all`] hands it out again, with the same name and the same bytes.
    pub fn put_back(&self, claim: &str) {
        self.memory().handed_out.remove(claim);
    }

    /// Hands every claim that is not settled out again by the next [`Spool::claim_all`].
    pub fn put_back_all(&self) {
        self.memory().handed_out.clear();
    }
}

/// Tells requests from other files by their name: `*.toml` and `*.json`, none that is hidden.
fn format_of(name: &str) -> Option<(&str, Format)> {
    let (stem, extension) = name.rsplit_once('.')?;
    let format = match extension {
        "toml" => Format::Toml,
        "json" => Format::Json,
        _ => return None,
    };
    (!stem.is_empty() && !stem.starts_with('.')).then_some((stem, format))
}

fn extension(format: Format) -> &'static str {
    match format {
        Format::Toml => "toml",
        Format::Json => "json",
    }
}
