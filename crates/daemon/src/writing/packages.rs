//! The three lists of packages of a repository: written as a whole, or made of what is there where little changes.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::thread;

use nevra::{Algorithm, Sha256};
use repo::{Blocks, Changed, Document, Entry, Form, Record};

use crate::error::Error;
use crate::observe::blocks::{DOCUMENTS, Fault, File, InBlocks};

/// The packages of a repository.
#[derive(Debug)]
pub(crate) enum Packages<'a> {
    /// All of them, in order.
    All(&'a [Entry]),
    /// What becomes of the files that are there.
    Changed {
        files: &'a InBlocks,
        /// The places in the list of those that left.
        gone: BTreeSet<usize>,
        /// Those that came, in order.
        new: &'a [Entry],
    },
}

/// What a file consists of.
#[derive(Debug)]
pub(crate) enum Body {
    Bytes(Vec<u8>),
    /// Parts of the file at the href `from`, and new bytes.
    Spliced {
        from: String,
        parts: Vec<store::Part>,
        sha256: Sha256,
    },
}

/// The three files.
pub(super) struct Lists {
    pub(super) files: Vec<(String, Body)>,
    pub(super) records: [Record; 3],
    pub(super) blocks: [Blocks; 3],
}

impl Packages<'_> {
    pub(super) fn is_change(&self) -> bool {
        matches!(self, Self::Changed { .. })
    }

    /// Gives all packages, where they are at hand.
    pub(super) fn all(&self) -> Result<&[Entry], Error> {
        match self {
            Self::All(entries) => Ok(entries),
            Self::Changed { .. } => {
                let reason = "what changes in blocks was to be written as a whole".to_owned();
                Err(Error::Metadata { place: "repodata".to_owned(), reason })
            }
        }
    }

    /// Writes the three files in blocks; side by side where that is worth a thread.
    pub(super) fn write(&self, form: &Form, timestamp: i64) -> Result<Lists, Error> {
        let [primary, filelists, other] = match self.is_small_work() {
            true => [0, 1, 2].map(|at| self.write_one(form, at)),
            // Filelists is as large as both others, and each thread takes memory of its own.
            false => thread::scope(|scope| {
                let others = scope.spawn(|| [0, 2].map(|at| self.write_one(form, at)));
                let filelists = self.write_one(form, 1);
                let [primary, other] = others.join().unwrap_or_else(|panic| resume_unwind(panic));
                [primary, filelists, other]
            }),
        };
        let mut files = Vec::new();
        let mut described = |document: Document, changed: Changed| {
            let record = repo::describe(form, document, timestamp, (changed.file, changed.open));
            files.push((record.href.clone(), self.body(document, &record, changed.parts)));
            (record, changed.blocks)
        };
        let [primary_document, filelists_document, other_document] = DOCUMENTS;
        let primary = described(primary_document, primary?);
        let filelists = described(filelists_document, filelists?);
        let other = described(other_document, other?);
        let (records, blocks) = ([primary.0, filelists.0, other.0], [primary.1, filelists.1, other.1]);
        Ok(Lists { files, records, blocks })
    }

    /// Says whether little has to be read and packed, because it was hashed in advance or is little.
    fn is_small_work(&self) -> bool {
        /// In bytes of text.
        const LITTLE: u64 = 4 << 20;
        match self {
            Self::All(entries) => {
                let sizes = entries.iter().map(|entry| entry.fragments.filelists.len() as u64);
                sizes.sum::<u64>() < LITTLE
            }
            Self::Changed { files, gone, new } => files.files.iter().all(|file| {
                let packages = file.blocks.packages() - gone.len() + new.len();
                file.hashing().prepared.is_some_and(|prepared| prepared.is_for(packages))
                    || file.blocks.open_size() < LITTLE
            }),
        }
    }

    fn write_one(&self, form: &Form, at: usize) -> Result<Changed, Error> {
        let document = DOCUMENTS[at];
        let fragment = |entry: &'_ Entry| match document {
            Document::Primary => entry.fragments.primary.clone(),
            Document::Filelists => entry.fragments.filelists.clone(),
            _ => entry.fragments.other.clone(),
        };
        let slices = |entries: &[Entry]| entries.iter().map(fragment).collect::<Vec<_>>();
        match self {
            Self::All(entries) => {
                let slices = slices(entries);
                let lent: Vec<&[u8]> = slices.iter().map(|slice| &**slice).collect();
                Ok(Blocks::written(document, form, &lent))
            }
            Self::Changed { files, gone, new } => {
                let file: &File = &files.files[at];
                let slices = slices(new);
                let lent: Vec<&[u8]> = slices.iter().map(|slice| &**slice).collect();
                let mut opened = files.open(file)?;
                let changed = file
                    .blocks
                    .change::<Fault>(gone, &lent, &file.hashing(), &mut |range| opened.read(range));
                changed.map_err(|fault| fault.of(&opened.path))
            }
        }
    }

    fn body(&self, document: Document, record: &Record, parts: Vec<repo::Part>) -> Body {
        let files = match self {
            Self::All(_) => None,
            Self::Changed { files, .. } => files.files.iter().find(|file| file.blocks.document() == document),
        };
        let sha256 = Some(&record.checksum).filter(|one| one.algorithm == Algorithm::Sha256);
        if let Some((file, sha256)) = files.zip(sha256.and_then(|one| one.sha256())) {
            let part = |part| match part {
                repo::Part::Old(range) => store::Part::Old(range),
                repo::Part::New(bytes) => store::Part::New(bytes),
            };
            return Body::Spliced {
                from: file.href.clone(),
                parts: parts.into_iter().map(part).collect(),
                sha256,
            };
        }
        let bytes = parts.into_iter().flat_map(|part| match part {
            repo::Part::New(bytes) => bytes,
            // There is nothing old where all is written anew.
            repo::Part::Old(_) => Vec::new(),
        });
        Body::Bytes(bytes.collect())
    }
}
