//! What was read and verified, and the whole story of everything that was wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use super::wire::Answer;

/// A read that was verified: status, size and checksum compared with what was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// A `repomd.xml` that a generation in force during the request has.
    Repomd,
    /// A file it names, packed and unpacked.
    Metadata,
    /// A package, by the metadata the client holds.
    Package,
    /// A 304, when the generation in force has what the client holds.
    NotModified,
    /// A download that was cut and went on later, all of it.
    Range,
    /// A download that was cut and had to begin anew, because the server's tag was weak.
    Anew,
    /// A `generation` stamp.
    Stamp,
}

/// What a client was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Session {
    /// Metadata, then packages at once.
    Refresh,
    /// A conditional request for what is cached.
    Revalidate,
    /// `repomd.xml`, then generations later what it names.
    Midway,
    /// Packages, generations after the metadata.
    Prompt,
    /// A download, cut, and gone on with generations later.
    Resume,
    /// The metadata of two stages, between which packages move.
    Both,
    /// Everything below the number of one generation.
    Pinned,
    /// A session of dnf.
    Dnf,
    /// A session of librepo.
    Librepo,
}

/// Something was not as promised.
#[derive(Debug)]
pub struct Fault {
    /// What was wrong.
    pub what: String,
    /// At which URL.
    pub url: String,
    /// Which generations were in force when it was asked and when it was answered.
    pub generations: String,
    /// What the server said, its headers and the length of what came.
    pub answered: String,
}

impl Fault {
    pub fn new(what: impl Into<String>, url: &str, generations: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            url: url.to_owned(),
            generations: generations.into(),
            answered: String::new(),
        }
    }

    pub fn answered(mut self, answer: &Answer) -> Self {
        self.answered = format!(
            "{} etag {} last-modified {} content-range {} content-length {} with {} bytes",
            answer.status,
            answer.etag,
            answer.last_modified,
            answer.content_range,
            answer.content_length,
            answer.body.len()
        );
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}; {}", self.url, self.what, self.generations, self.answered)
    }
}

/// How many faults are told in full.
const TOLD_MAX: usize = 40;

/// The count of one server.
#[derive(Default)]
pub struct Tally {
    counts: Mutex<Counts>,
}

#[derive(Clone, Default)]
pub struct Counts {
    pub reads: BTreeMap<Read, u64>,
    pub sessions: BTreeMap<Session, u64>,
    pub failed: BTreeMap<Session, u64>,
    pub faults: Vec<String>,
    /// Sessions over two stages that found a package in neither, where no overlap promises that they do not.
    pub in_neither: u64,
    /// Sessions over two stages that took longer than the overlap.
    pub too_slow: u64,
}

impl Counts {
    pub fn reads(&self) -> u64 {
        self.reads.values().sum()
    }

    pub fn sessions(&self) -> u64 {
        self.sessions.values().sum()
    }

    pub fn failed(&self) -> u64 {
        self.failed.values().sum()
    }
}

impl Tally {
    pub fn read(&self, read: Read) {
        *self.counts.lock().unwrap().reads.entry(read).or_default() += 1;
    }

    pub fn note(&self, note: impl FnOnce(&mut Counts)) {
        note(&mut self.counts.lock().unwrap());
    }

    pub fn ended(&self, session: Session, ended: Result<(), Fault>) {
        let mut counts = self.counts.lock().unwrap();
        *counts.sessions.entry(session).or_default() += 1;
        if let Err(fault) = ended {
            *counts.failed.entry(session).or_default() += 1;
            if counts.faults.len() < TOLD_MAX {
                counts.faults.push(format!("{session:?}: {fault}"));
            }
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts.lock().unwrap().clone()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reads, sessions, failed) = (self.reads(), self.sessions(), self.failed());
        write!(
            f,
            "{reads} verified reads {:?}, {sessions} sessions {:?}, {failed} failed",
            self.reads, self.sessions
        )?;
        if failed > 0 {
            write!(f, " ({:.1} %: {:?})", 100.0 * failed as f64 / sessions as f64, self.failed)?;
        }
        write!(f, ", {} in neither stage, {} too slow to tell", self.in_neither, self.too_slow)
    }
}
