//! The audit log: one JSON line for everything that was answered or published, and for what was refused.
//!
//! ```text
//! audit/2026-11.jsonl
//! {"format":1,"at":"2026-11-21T23:04:35Z","kind":"answer","previous":"9c1d...","claim":"...","owner":"user:alice",...}
//! {"format":1,"at":"2026-11-21T23:04:35Z","kind":"generation","previous":"77e0...","generation":42,"manifest":"3fa9...",...}
//! ```
//!
//! A line is durable when [`Audit::append`] returns; several of one write are durable together.
//!
//! # The chain
//!
//! The *log* is the files `YYYY-MM.jsonl` in the order of their names, each line by line; a new line goes into the
//! newest file, or into one for a later month. Empty lines count for nothing. The *digest* of a line is the SHA-256
//! of its bytes without the newline, in lower-case hex.
//!
//! 1. The first record with `previous` begins the chain: its `previous` is the SHA-256 of every byte before that line
//!    (of nothing: `e3b0c442...`). Lines before it were written by a program that made no chain; such a log gets a
//!    record of kind `began`.
//! 2. Every later line is a record whose `previous` is the digest of the line before it. So a line that was changed,
//!    removed, added or moved is found at the line that follows.
//! 3. A record of one write with others names in `batch` the last line that was durable when it was written; without
//!    `batch` that is `previous`. Call it the record's *base*.
//! 4. A crash leaves of the last write what it will. The lines after the last one that follows rule 2 are a *torn
//!    tail* if the first of them is no record (cut short, or other bytes), and each of the others is none either or
//!    has the base of that last line, or that line as its base. A torn tail counts for nothing, and is no fault.
//! 5. A record of kind `healed` follows a torn tail, or a write that failed: its `previous` is the digest of the last
//!    line that counts. Lines between that and the `healed` record count for nothing; each must be as in 4 (here the
//!    first may be a record too).
//! 6. The manifest of a generation names in its account, as `audit`, the digest of the last line that was durable when
//!    the generation was drafted. So whoever cuts off whole lines at the end is found out, up to the newest generation.
//!    Where a log has lost such a line, a restored one for instance, the daemon says so once, in a `healed` record with
//!    these generations in `lost`, and generations without a record are recorded again with `healed: true`.
//!
//! What none of this can show: lines cut off, or the last line changed into torn bytes, after the newest generation
//! was drafted; and a log rewritten from some line on together with the manifests of all later generations.

mod chain;
mod reading;
mod record;
#[cfg(test)]
mod tests;

pub use chain::Flaw;
pub use reading::Records;
pub use record::{Record, RecordKind};

use crate::error::Error;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;
use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use store::Disk;
use store::planted::{self, Bug};

/// Is the audit log of one site, opened for writing by the one daemon that holds the lock.
#[derive(Debug)]
pub struct Audit {
    disk: Arc<dyn Disk>,
    dir: Utf8PathBuf,
    /// The generations that have their record.
    recorded: BTreeSet<u64>,
    /// The digests of the configurations that stand in it.
    configurations: BTreeSet<Sha256>,
    /// The digest of the last line that counts and is durable.
    head: Sha256,
    /// The newest file, which every line goes to until a later month begins.
    newest_file: Option<Utf8PathBuf>,
    /// The file that ends with a whole line, if one is known to, and its size.
    whole: Option<(Utf8PathBuf, u64)>,
    /// Whether lines may follow `head` that count for nothing.
    is_torn: bool,
    /// A file that was made here, whose first line or whose name is not proven durable.
    unproven: Option<Utf8PathBuf>,
}

impl Audit {
    /// Opens the log in `dir`, makes the directory if it is missing, reads which generations are recorded, and
    /// heals a torn tail.
    ///
    /// What is wrong with the log is logged and left as it is.
    pub fn open(disk: Arc<dyn Disk>, dir: Utf8PathBuf, now: Timestamp) -> Result<Audit, Error> {
        if disk.state(&dir)?.is_none() {
            disk.make_directory(&dir, 0o750)?;
            if let Some(parent) = dir.parent() {
                disk.sync_directory(parent)?;
            }
        }
        // A file that was made just before a crash may have no durable name yet.
        disk.sync_directory(&dir)?;
        if !planted::is(Bug::RecoveryTrustsTheAuditLog) {
            sync_all(&*disk, &dir)?;
        }
        let mut records = Records::read(&*disk, &dir)?;
        let newest_file = records.months().next_back().cloned();
        let mut recorded = BTreeSet::new();
        let mut configurations = BTreeSet::new();
        for record in &mut records {
            let record = record?;
            recorded.extend(record.generation);
            configurations.extend(record.configuration.map(|text| repo::sha256(text.as_bytes())));
        }
        for Flaw { path, line, words } in records.flaws() {
            tracing::error!("`{path}` line {line} is not as it was written: {words}");
        }
        let torn = records.torn().cloned();
        let (head, before) = (records.head(), records.digest_before());
        drop(records);
        let mut audit = Audit {
            disk,
            dir,
            recorded,
            configurations,
            head: head.unwrap_or(before),
            newest_file,
            whole: None,
            is_torn: torn.is_some() && !planted::is(Bug::TornTailNotHealed),
            unproven: None,
        };
        if let Some(Flaw { path, line, words }) = torn {
            tracing::warn!("`{path}` line {line} was torn by a crash, it counts for nothing: {words}");
            audit.heal(now)?;
        }
        if head.is_none() {
            audit.begin(now)?;
        }
        Ok(audit)
    }

    /// Begins the chain behind lines of a program that made none.
    fn begin(&mut self, now: Timestamp) -> Result<(), Error> {
        let newest = self.newest_file.clone();
        if let Some(path) = newest.filter(|path| ends_with_newline(&*self.disk, path).is_ok_and(|ends| !ends))
        {
            // What ends it belongs to what stands before the chain.
            let mut file = self.disk.append(&path, 0o640)?;
            file.write_all(b"\n").map_err(|cause| Error::File {
                operation: "append to",
                path: path.clone(),
                cause,
            })?;
            file.sync()?;
            let mut records = Records::read(&*self.disk, &self.dir)?;
            for record in &mut records {
                record?;
            }
            self.head = records.digest_before();
        }
        self.append(&Record::new(now, RecordKind::Began))
    }

    /// Writes behind a torn tail, if there is one, that it counts for nothing.
    fn heal(&mut self, now: Timestamp) -> Result<(), Error> {
        match self.is_torn {
            true => self.write(now, &[]),
            false => Ok(()),
        }
    }

    /// Appends a record; durable when this returns.
    ///
    /// After an error the line may be there or not, whole or torn: append it again if it must be there. The next
    /// line says which of them counts.
    pub fn append(&mut self, record: &Record) -> Result<(), Error> {
        self.append_all(std::slice::from_ref(record))
    }

    /// Appends records in one write; all of them are durable when this returns, and perhaps some after an error.
    pub fn append_all(&mut self, records: &[Record]) -> Result<(), Error> {
        match records.last() {
            Some(last) => self.write(last.at, records),
            None => Ok(()),
        }
    }

    fn write(&mut self, now: Timestamp, records: &[Record]) -> Result<(), Error> {
        let month = self.dir.join(format!("{}.jsonl", now.strftime("%Y-%m")));
        // A clock that was set back does not bring the lines out of their order.
        let path = self.newest_file.clone().filter(|newest| *newest > month).unwrap_or(month);
        if let Some(unproven) = self.unproven.clone() {
            // Its sync failed, and a second one would prove nothing: the kernel may have forgotten what it could
            // not write. Nobody was told that its line is there, so file and name are made anew.
            if self.disk.state(&unproven)?.is_some() {
                self.disk.remove_file(&unproven)?;
            }
            self.unproven = None;
        }
        let size = self.disk.state(&path)?.map(|state| state.size);
        let mut bytes = Vec::new();
        if !self.ends_whole(&path, size)? {
            bytes.push(b'\n');
        }
        let healed = self.is_torn.then(|| Record::new(now, RecordKind::Healed));
        let mut previous = self.head;
        for record in healed.iter().chain(records) {
            let batch = (previous != self.head).then_some(self.head);
            let linked = Record { previous: Some(previous), batch, ..record.clone() };
            let line = serde_json::to_vec(&linked).expect("a record has text keys only, so it serialises");
            previous = repo::sha256(&line);
            bytes.extend(line);
            bytes.push(b'\n');
        }
        self.whole = None;
        match size {
            None => self.unproven = Some(path.clone()),
            Some(_) => self.is_torn = true,
        }
        let mut file = self.disk.append(&path, 0o640)?;
        file.write_all(&bytes).map_err(|cause| Error::File {
            operation: "append to",
            path: path.clone(),
            cause,
        })?;
        if !planted::is(Bug::AuditLineNotSynced) {
            file.sync()?;
        }
        if size.is_none() {
            self.disk.sync_directory(&self.dir)?;
        }
        self.unproven = None;
        self.is_torn = false;
        self.whole = Some((path.clone(), size.unwrap_or(0) + bytes.len() as u64));
        self.newest_file = Some(path);
        self.head = previous;
        self.recorded.extend(records.iter().filter_map(|record| record.generation));
        let configurations = records.iter().filter_map(|record| record.configuration.as_ref());
        self.configurations.extend(configurations.map(|text| repo::sha256(text.as_bytes())));
        Ok(())
    }

    /// Whether what is written to `path` begins a line of its own; `size` is what it has now.
    fn ends_whole(&self, path: &Utf8Path, size: Option<u64>) -> Result<bool, Error> {
        let Some(size) = size else { return Ok(true) };
        match &self.whole {
            Some((whole, known)) if whole == path && *known == size => return Ok(true),
            Some((whole, known)) if whole == path => tracing::error!(
                "`{path}` has {size} bytes, the daemon left it with {known}: somebody else changed the audit log"
            ),
            _ => {}
        }
        // After a write that failed what can be read may not be what the disk has.
        Ok(!self.is_torn && ends_with_newline(&*self.disk, path)?)
    }

    /// Appends the record of a generation unless that generation, or a newer one, has its record.
    pub fn append_once(&mut self, record: &Record) -> Result<(), Error> {
        match record.generation {
            Some(number) if Some(number) <= self.newest() => Ok(()),
            _ => self.append(record),
        }
    }

    /// The newest generation that has its record.
    pub fn newest(&self) -> Option<u64> {
        self.recorded.last().copied()
    }

    /// Whether a generation has its record.
    pub fn knows(&self, generation: u64) -> bool {
        self.recorded.contains(&generation)
    }

    /// Whether the configuration with this digest stands in it.
    pub fn knows_configuration(&self, digest: &Sha256) -> bool {
        self.configurations.contains(digest)
    }

    /// The digest of the last durable line, which the next generation's manifest names; `None` if there is none.
    pub fn head(&self) -> Option<Sha256> {
        (self.head != repo::sha256(b"")).then_some(self.head)
    }

    /// Reads the log from its beginning, line by line; see [`Records`].
    pub fn records(&self) -> Result<Records<'_>, Error> {
        Records::read(&*self.disk, &self.dir)
    }
}

/// Makes durable what can be read: a process that was killed may have written a line and not synced it, and whoever
/// reads that line here answers by it.
fn sync_all(disk: &dyn Disk, dir: &Utf8Path) -> Result<(), Error> {
    for path in Records::read(disk, dir)?.months() {
        // What its owner may not write was not being written.
        if disk.state(path)?.is_some_and(|state| state.mode & 0o200 != 0) {
            disk.append(path, 0o640)?.sync()?;
        }
    }
    Ok(())
}

fn ends_with_newline(disk: &dyn Disk, path: &Utf8Path) -> Result<bool, Error> {
    let wrong = |cause| Error::File { operation: "read the end of", path: path.to_owned(), cause };
    let mut file = disk.open(path)?;
    if file.seek(SeekFrom::End(0)).map_err(wrong)? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1)).map_err(wrong)?;
    let mut last = [0];
    file.read_exact(&mut last).map_err(wrong)?;
    Ok(last == *b"\n")
}
