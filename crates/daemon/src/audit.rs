//! The audit log: one JSON line for everything that was answered or published, and for what was refused.
//!
//! ```text
//! audit/2026-11.jsonl
//! {"format":1,"at":"2026-11-21T23:04:35Z","kind":"answer","claim":"...","id":"...","owner":"user:alice",...}
//! {"format":1,"at":"2026-11-21T23:04:35Z","kind":"generation","generation":42,"manifest":"3fa9...","settled":[...]}
//! ```
//!
//! A line is durable when [`Audit::append`] returns. A crash may leave the last line torn; the next one then
//! starts on a line of its own, and readers skip and report what they cannot read.

mod reading;
#[cfg(test)]
mod tests;

pub use reading::Records;

use crate::account::Account;
use crate::error::Error;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;
use plan::Answer;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use store::planted::{self, Bug};
use store::{Disk, Generation};

/// Is what a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// A request was refused, was a dry run, or had nothing to do.
    Answer,
    /// A generation was published.
    Generation,
}

/// Is one line of the log.
///
/// Unknown fields are ignored, so that an older program reads the log of a newer one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this form, 1.
    pub format: u32,
    /// When the line was written.
    pub at: Timestamp,
    /// What it is about.
    pub kind: RecordKind,
    /// The claim that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The generation that was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// The digest of that generation's manifest, which holds the answers of the requests settled in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Sha256>,
    /// The claims settled in that generation, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<String>,
    /// The answer that no generation carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

impl Record {
    /// Records an answer that changed nothing.
    pub fn of_answer(at: Timestamp, answer: &Answer) -> Record {
        Record {
            format: 1,
            at,
            kind: RecordKind::Answer,
            claim: Some(answer.claim.clone()),
            id: Some(answer.id.clone()),
            owner: Some(answer.owner.clone()),
            generation: None,
            manifest: None,
            settled: Vec::new(),
            answer: Some(answer.clone()),
        }
    }

    /// Records that a generation was published; the answers stand in its manifest.
    pub fn of_generation(at: Timestamp, generation: &Generation) -> Record {
        let account = Account::of(generation.number, &generation.manifest.account);
        let requests = account.map(|account| account.requests).unwrap_or_default();
        Record {
            format: 1,
            at,
            kind: RecordKind::Generation,
            claim: None,
            id: None,
            owner: None,
            generation: Some(generation.number),
            manifest: Some(generation.manifest_digest),
            settled: requests.into_iter().map(|settled| settled.answer.claim).collect(),
            answer: None,
        }
    }
}

/// Is the audit log of one site, opened for writing by the one daemon that holds the lock.
#[derive(Debug)]
pub struct Audit {
    disk: Arc<dyn Disk>,
    dir: Utf8PathBuf,
    /// The newest generation that has its record.
    newest: Option<u64>,
    /// The file that ends with a whole line, if one is known to.
    whole: Option<Utf8PathBuf>,
    /// A file that was made here, whose first line or whose name is not proven durable.
    unproven: Option<Utf8PathBuf>,
}

impl Audit {
    /// Opens the log in `dir`, makes the directory if it is missing, and reads which generations are recorded.
    ///
    /// What cannot be read is logged and left as it is.
    pub fn open(disk: Arc<dyn Disk>, dir: Utf8PathBuf) -> Result<Audit, Error> {
        if disk.state(&dir)?.is_none() {
            disk.make_directory(&dir, 0o750)?;
            if let Some(parent) = dir.parent() {
                disk.sync_directory(parent)?;
            }
        }
        // A file that was made just before a crash may have no durable name yet.
        disk.sync_directory(&dir)?;
        let mut audit = Audit { disk, dir, newest: None, whole: None, unproven: None };
        if !planted::is(Bug::RecoveryTrustsTheAuditLog) {
            audit.sync_all()?;
        }
        let mut newest = None;
        let mut records = audit.records()?;
        for record in &mut records {
            newest = newest.max(record?.generation);
        }
        for (path, line, why) in records.skipped() {
            tracing::warn!("`{path}` line {line} is not understood: {why}");
        }
        audit.newest = newest;
        Ok(audit)
    }

    /// Makes durable what can be read: a process that was killed may have written a line and not synced it, and
    /// whoever reads that line here answers by it.
    fn sync_all(&self) -> Result<(), Error> {
        for path in self.records()?.months() {
            // What its owner may not write was not being written.
            if self.disk.state(path)?.is_some_and(|state| state.mode & 0o200 != 0) {
                self.disk.append(path, 0o640)?.sync()?;
            }
        }
        Ok(())
    }

    /// Appends a record; durable when this returns.
    ///
    /// After an error the line may be there or not, whole or torn: append it again if it must be there.
    pub fn append(&mut self, record: &Record) -> Result<(), Error> {
        let path = self.dir.join(format!("{}.jsonl", record.at.strftime("%Y-%m")));
        if let Some(unproven) = self.unproven.clone() {
            // Its sync failed, and a second one would prove nothing: the kernel may have forgotten what it could
            // not write. Nobody was told that its line is there, so file and name are made anew.
            if self.disk.state(&unproven)?.is_some() {
                self.disk.remove_file(&unproven)?;
            }
            self.unproven = None;
        }
        let is_new = self.disk.state(&path)?.is_none();
        let mut line = Vec::new();
        if !is_new && self.whole.as_ref() != Some(&path) && !ends_with_newline(&*self.disk, &path)? {
            line.push(b'\n');
        }
        self.whole = None;
        serde_json::to_writer(&mut line, record).expect("a record has text keys only, so it serialises");
        line.push(b'\n');
        if is_new {
            self.unproven = Some(path.clone());
        }
        let mut file = self.disk.append(&path, 0o640)?;
        file.write_all(&line).map_err(|cause| Error::File {
            operation: "append to",
            path: path.clone(),
            cause,
        })?;
        file.sync()?;
        if is_new {
            self.disk.sync_directory(&self.dir)?;
        }
        self.unproven = None;
        self.whole = Some(path);
        self.newest = self.newest.max(record.generation);
        Ok(())
    }

    /// Appends the record of a generation unless that generation, or a newer one, has its record.
    pub fn append_once(&mut self, record: &Record) -> Result<(), Error> {
        match record.generation {
            Some(number) if Some(number) <= self.newest => Ok(()),
            _ => self.append(record),
        }
    }

    /// The newest generation that has its record.
    pub fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// Reads the log from its beginning, line by line; see [`Records`].
    pub fn records(&self) -> Result<Records, Error> {
        Records::read(Arc::clone(&self.disk), &self.dir)
    }
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
