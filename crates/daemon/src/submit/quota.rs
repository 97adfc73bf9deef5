//! How much may wait that came through the door in one name, so that no site fills the control directory for the others.
//!
//! Whatever comes through the door belongs to one user, and an upload is named for its bytes. So each name has a ledger,
//! `tmp/.door-<16 hex>`, of what it handed in, in the order it came; under its lock one line is added at a time, and lines
//! of what is gone are dropped. What is there, and how large, the directories themselves say.
//!
//! ```text
//! request <name in incoming/>
//! draft <name in tmp/>               a file that is on its way
//! upload <name in upload/>
//! ```
//!
//! A ledger that somebody removes begins anew: only `sluice-door` and the daemon can.
#![expect(
    clippy::disallowed_methods,
    reason = "keeps a file in the control directory and looks at its files"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, OFlags, flock};

use super::failed;
use crate::error::Error;

/// How many bytes a file counts at least: empty ones fill a disk, too.
const FILE_BYTES_MIN: u64 = 64 << 10;

/// How much of a file is taken between two looks at what is there, in bytes.
const STEP: u64 = 4 << 20;

/// The most bytes that are read of a ledger.
const LEDGER_MAX: u64 = 64 << 20;

/// How much may wait in one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// The name that is asked in.
    pub name: String,
    /// The most requests that wait for their answer.
    pub requests_max: usize,
    /// The most bytes of files that no request has taken yet; a small file counts 64 KiB.
    pub held_bytes_max: u64,
}

/// The ledger of one name, locked until it is dropped.
pub(super) struct Ledger<'a> {
    quota: &'a Quota,
    spool: &'a Utf8Path,
    path: Utf8PathBuf,
    file: File,
    /// Of each line the word it begins with, and the rest.
    lines: Vec<(String, String)>,
}

impl Quota {
    /// Waits for the lock and reads what is there.
    pub(super) fn open<'a>(&'a self, spool: &'a Utf8Path) -> Result<Ledger<'a>, Error> {
        let digest = repo::sha256(self.name.as_bytes()).to_string();
        let path = spool.join("tmp").join(format!(".door-{}", &digest[..16]));
        let mut file = loop {
            let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
            let mut how = File::options();
            how.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
            let file = how.open(&path).map_err(failed("open", &path))?;
            flock(&file, FlockOperation::LockExclusive)
                .map_err(|errno| failed("lock", &path)(errno.into()))?;
            // It may have been removed, and made anew, while the lock was waited for.
            let ours = file.metadata().map_err(failed("look at", &path))?;
            match fs::symlink_metadata(&path) {
                Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => break file,
                _ => {}
            }
        };
        let mut text = String::new();
        let read = Read::take(&mut file, LEDGER_MAX).read_to_string(&mut text);
        read.map_err(failed("read", &path))?;
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let lines = lines.map(|(kind, what)| (kind.to_owned(), what.to_owned())).collect();
        let mut ledger = Ledger { quota: self, spool, path, file, lines };
        ledger.forget()?;
        Ok(ledger)
    }

    fn full(&self, code: &'static str, words: String) -> Error {
        Error::DoorFull { name: self.name.clone(), code, words }
    }
}

impl Ledger<'_> {
    /// Drops the lines of what is there no more.
    fn forget(&mut self) -> Result<(), Error> {
        let names = |place: &str| {
            let path = self.spool.join(place);
            let listed: io::Result<Vec<String>> = path.read_dir_utf8().and_then(|entries| {
                entries.map(|entry| entry.map(|entry| entry.file_name().to_owned())).collect()
            });
            listed.map_err(failed("list", &path))
        };
        // In the order in which a claim moves them, so that none is seen in neither.
        let incoming: BTreeSet<String> = names("incoming")?.into_iter().collect();
        let mut processing: Vec<String> = names("processing")?;
        processing.sort();
        let is_processed = |request: &str| {
            let stem = format!("{}-", request.rsplit_once('.').map_or(request, |(stem, _)| stem));
            let at = processing.partition_point(|name| *name < stem);
            processing.get(at).is_some_and(|name| name.starts_with(&stem))
        };
        let before = self.lines.len();
        let mut kept = std::mem::take(&mut self.lines);
        kept.retain(|(kind, what)| match kind.as_str() {
            "request" => incoming.contains(what) || is_processed(what),
            "draft" => self.is_there("tmp", what),
            "upload" => self.is_there("upload", what),
            _ => false,
        });
        self.lines = kept;
        if self.lines.len() < before { self.write() } else { Ok(()) }
    }

    fn is_there(&self, place: &str, name: &str) -> bool {
        fs::symlink_metadata(self.spool.join(place).join(name)).is_ok()
    }

    fn write(&mut self) -> Result<(), Error> {
        let text: String = self.lines.iter().map(|(kind, what)| format!("{kind} {what}\n")).collect();
        let file = &mut self.file;
        let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
        written.and_then(|_| file.write_all(text.as_bytes())).map_err(failed("write", &self.path))
    }

    /// Adds a line; whoever looks from now on counts it.
    pub(super) fn add(&mut self, kind: &str, what: &str) -> Result<(), Error> {
        let line = (kind.to_owned(), what.to_owned());
        if !self.lines.contains(&line) {
            self.lines.push(line);
            self.write()?;
        }
        Ok(())
    }

    /// Refuses one more request if as many wait as may.
    pub(super) fn room_for_request(&self) -> Result<(), Error> {
        let waiting = self.lines.iter().filter(|(kind, _)| kind == "request").count();
        let max = self.quota.requests_max;
        if waiting < max {
            return Ok(());
        }
        let words = format!("{waiting} requests of it wait for their answer, and {max} may");
        Err(self.quota.full("door-requests", words))
    }

    /// Refuses to go on with `draft` if it, and what came before it, is more than may be held. Of two that come at the
    /// same time and do not both fit the one that came first has its place.
    pub(super) fn room_for(&self, draft: &str) -> Result<(), Error> {
        let mut held = 0_u64;
        let mut is_before = true;
        for (kind, what) in &self.lines {
            let place = match kind.as_str() {
                "upload" => "upload",
                "draft" if is_before => "tmp",
                _ => continue,
            };
            is_before &= kind != "draft" || what != draft;
            let state = fs::symlink_metadata(self.spool.join(place).join(what));
            let bytes = state.map_or(0, |state| state.len().max(FILE_BYTES_MIN));
            held = held.saturating_add(bytes);
        }
        let max = self.quota.held_bytes_max;
        if held <= max {
            return Ok(());
        }
        let words =
            format!("its files that no request has taken yet would have {held} bytes, and {max} may be");
        Err(self.quota.full("door-bytes", words))
    }
}

/// Reads on as long as there is room for what has come.
pub(super) struct Within<'a> {
    pub(super) quota: Option<&'a Quota>,
    pub(super) spool: &'a Utf8Path,
    pub(super) draft: &'a str,
    pub(super) from: &'a mut dyn Read,
    /// How much was read since somebody looked.
    pub(super) unseen: u64,
    /// Why it does not go on.
    pub(super) refused: Option<Error>,
}

impl Read for Within<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(quota) = self.quota
            && self.unseen >= STEP
        {
            self.unseen = 0;
            if let Err(error) = quota.open(self.spool).and_then(|ledger| ledger.room_for(self.draft)) {
                self.refused = Some(error);
                return Err(io::Error::other("there is no room for it"));
            }
        }
        let length = self.from.read(into)?;
        self.unseen += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
