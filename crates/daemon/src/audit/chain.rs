//! The chain of the audit log, line by line: which lines count, which were torn, and where somebody changed it.
//!
//! Pure: it is handed the lines in their order. The rules stand in [`super`].

use std::collections::{BTreeSet, VecDeque};

use camino::Utf8PathBuf;
use nevra::Sha256;
use sha2::Digest as _;

use super::{Record, RecordKind};

/// Is a line that should not be as it is: file, line from 1, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Flaw {
    /// The file.
    pub path: Utf8PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, in words.
    pub words: String,
}

/// Is a line that follows the one before it.
#[derive(Debug)]
struct Link {
    digest: Sha256,
    /// The last line that was durable when it was written.
    durable: Sha256,
    record: Option<Record>,
}

/// Is a line that does not follow the one before it, and may be what a crash left of the last write.
#[derive(Debug)]
struct Doubt {
    flaw: Flaw,
    digest: Sha256,
    durable: Option<Sha256>,
    record: Option<Record>,
}

/// Follows the chain.
#[derive(Debug)]
pub(super) struct Chain {
    /// Everything that stands before the chain begins.
    before: sha2::Sha256,
    /// Whether anything stands before it.
    is_after_others: bool,
    /// The last line known to be durable, and what follows it.
    window: Vec<Link>,
    doubts: Vec<Doubt>,
    counted: VecDeque<Record>,
    flaws: Vec<Flaw>,
    /// Digests that manifests name and that no line had so far.
    pub(super) wanted: BTreeSet<Sha256>,
}

/// The most flaws that are remembered one by one.
const FLAWS_MAX: usize = 100;

impl Chain {
    pub(super) fn new() -> Chain {
        Chain {
            before: sha2::Sha256::new(),
            is_after_others: false,
            window: Vec::new(),
            doubts: Vec::new(),
            counted: VecDeque::new(),
            flaws: Vec::new(),
            wanted: BTreeSet::new(),
        }
    }

    /// Takes the next line with its end, and what it says, or why it says nothing.
    pub(super) fn line(
        &mut self,
        (path, line): (&Utf8PathBuf, u64),
        bytes: &[u8],
        said: Result<Record, String>,
    ) {
        let flaw = |words: String| Flaw { path: path.clone(), line, words };
        let content = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if self.window.is_empty() {
            return self.first(bytes, said, &flaw);
        }
        if content.is_empty() {
            return;
        }
        let digest = repo::sha256(content);
        let record = match said {
            Ok(record) => record,
            Err(why) => {
                return self.doubts.push(Doubt { flaw: flaw(why), digest, durable: None, record: None });
            }
        };
        let (Some(previous), durable) = (record.previous, record.durable()) else {
            let words = "it carries no digest of the line before it".to_owned();
            return self.doubts.push(Doubt {
                flaw: flaw(words),
                digest,
                durable: None,
                record: Some(record),
            });
        };
        let at = self.window.iter().rposition(|link| link.digest == previous);
        if let (RecordKind::Healed, Some(at)) = (record.kind, at) {
            self.void_after(at);
        } else if self.doubts.last().is_some_and(|doubt| doubt.digest == previous)
            && !self.is_of_a_torn_write(durable)
        {
            // It was written after a line that is wrong: that one was changed or put there, not torn.
            self.blame_doubts();
        } else if !self.doubts.is_empty()
            || at.is_none_or(|at| at + 1 < self.window.len())
            || !self.window.iter().any(|link| Some(link.digest) == durable)
        {
            let words =
                "it does not follow the line before it: a line was changed, removed or moved".to_owned();
            return self.doubts.push(Doubt { flaw: flaw(words), digest, durable, record: Some(record) });
        }
        self.count(digest, durable.unwrap_or(previous), Some(record));
    }

    /// Takes lines until the chain begins.
    fn first(&mut self, bytes: &[u8], said: Result<Record, String>, flaw: &dyn Fn(String) -> Flaw) {
        let begins = said.as_ref().ok().and_then(|record| record.previous);
        let Some(previous) = begins else {
            self.before.update(bytes);
            self.is_after_others |= !bytes.iter().all(|byte| *byte == b'\n');
            // What was no record then is none now; the chain takes it as it stands.
            return self.counted.extend(said.ok());
        };
        if previous != self.digest_before() {
            self.say(flaw("what stood before the beginning of the chain was changed or removed".to_owned()));
        }
        self.window.push(Link { digest: previous, durable: previous, record: None });
        let content = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        self.count(repo::sha256(content), previous, said.ok());
    }

    /// Whether a line with this base may be of the write of which the lines in doubt are what a crash left.
    fn is_of_a_torn_write(&self, durable: Option<Sha256>) -> bool {
        let last = self.window.last().map(|link| (link.digest, link.durable));
        self.doubts.first().is_some_and(|doubt| doubt.record.is_none())
            && last.is_some_and(|last| is_of(last, durable))
    }

    fn count(&mut self, digest: Sha256, durable: Sha256, record: Option<Record>) {
        self.wanted.remove(&digest);
        // What was durable when this was written counts for good.
        if let Some(at) = self.window.iter().rposition(|link| link.digest == durable) {
            for link in &mut self.window[..=at] {
                self.counted.extend(link.record.take());
            }
            self.window.drain(..at);
        }
        self.window.push(Link { digest, durable, record });
    }

    /// Forgets what follows a line, if it may be what was left of a write that was never durable.
    fn void_after(&mut self, at: usize) {
        let last = (self.window[at].digest, self.window[at].durable);
        self.window.truncate(at + 1);
        if self.doubts.iter().any(|doubt| !is_of(last, doubt.durable)) {
            return self.blame_doubts();
        }
        self.doubts.clear();
    }

    /// Says what is wrong with the lines that follow nothing; what they say is not lost by it.
    fn blame_doubts(&mut self) {
        for link in &mut self.window {
            self.counted.extend(link.record.take());
        }
        for doubt in std::mem::take(&mut self.doubts) {
            self.counted.extend(doubt.record);
            self.window = vec![Link {
                digest: doubt.digest,
                durable: doubt.durable.unwrap_or(doubt.digest),
                record: None,
            }];
            self.wanted.remove(&doubt.digest);
            self.say(doubt.flaw);
        }
    }

    fn say(&mut self, flaw: Flaw) {
        if self.flaws.len() < FLAWS_MAX {
            self.flaws.push(flaw);
        }
    }

    /// The next record that counts, as far as the lines taken so far tell.
    pub(super) fn next(&mut self) -> Option<Record> {
        self.counted.pop_front()
    }

    /// Takes the end of the log: says which line was torn, if any, and counts the rest.
    pub(super) fn end(&mut self) -> Option<Flaw> {
        let is_torn =
            !self.doubts.is_empty() && self.doubts.iter().all(|doubt| self.is_of_a_torn_write(doubt.durable));
        let torn = self.doubts.first().filter(|_| is_torn).map(|doubt| doubt.flaw.clone());
        match is_torn {
            true => self.doubts.clear(),
            false => self.blame_doubts(),
        }
        for link in &mut self.window {
            self.counted.extend(link.record.take());
        }
        torn
    }

    /// What the next line must carry; `None` if the chain has not begun and lines stand before it.
    pub(super) fn head(&self) -> Option<Sha256> {
        match self.window.last() {
            Some(link) => Some(link.digest),
            None => (!self.is_after_others).then(|| self.digest_before()),
        }
    }

    /// The digest of everything that stands before the chain.
    pub(super) fn digest_before(&self) -> Sha256 {
        Sha256::from(<[u8; 32]>::from(self.before.clone().finalize()))
    }

    /// What is wrong, in the order of the lines; at most a hundred.
    pub(super) fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }
}

/// Whether a line may be of the write that came after the line `last`, or that `last` was of.
fn is_of((digest, before): (Sha256, Sha256), durable: Option<Sha256>) -> bool {
    durable.is_none_or(|durable| durable == digest || durable == before)
}
