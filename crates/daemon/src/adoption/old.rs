//! What the old metadata lists: read a few packages at a time where it is as every known writer makes it, for ten thousand say
//! more than is to be held; as a whole where it is not, and to say what is wrong with it.

use std::collections::BTreeSet;
use std::io::BufReader;

use nevra::{Digest, Nevra};
use plan::Refusal;
use repo::{Batches, Contents, Document, Entry, Odd, Pile, Written};

/// How many packages are read at once; few, for nobody knows in advance how much is said of one.
pub(super) const AT_ONCE: usize = 8;

/// The three lists, in the order in which they are read.
pub(super) const DOCUMENTS: [Document; 3] = [Document::Primary, Document::Filelists, Document::Other];

/// What is listed.
#[derive(Debug, Default)]
pub(super) struct Old {
    /// The packages, in order.
    pub(super) packages: Vec<OldPackage>,
    /// What is said of each, by its place among them.
    pub(super) said: Pile,
}

/// What primary says of a package and its file.
#[derive(Debug)]
pub(super) struct OldPackage {
    pub(super) nevra: Nevra,
    pub(super) pkgid: Digest,
    pub(super) href: String,
    pub(super) base: Option<String>,
    pub(super) size: u64,
}

impl Old {
    /// Reads primary, filelists and other, packed, of which no more than `limit` bytes each come out; `whole` reads them, and
    /// refuses them, where they are not as usual.
    pub(super) fn read(
        packed: [&[u8]; 3],
        limit: u64,
        whole: impl FnOnce() -> Result<Contents, Refusal>,
    ) -> Result<Self, Refusal> {
        if let Ok(old) = Self::in_batches(packed, limit) {
            return Ok(old);
        }
        let mut old = Self::default();
        old.add(&whole()?.entries);
        Ok(old)
    }

    fn in_batches(packed: [&[u8]; 3], limit: u64) -> Result<Self, Odd> {
        let mut old = Self::default();
        let mut batches = Batches::begin(packed.map(BufReader::new), limit)?;
        loop {
            let entries = batches.next(AT_ONCE)?;
            if entries.is_empty() {
                return Ok(old);
            }
            for document in DOCUMENTS {
                // Nothing is taken that would be refused as a whole.
                Written::read(document, &repo::unpacked_file(document, &entries)).map_err(|_| Odd)?;
            }
            old.add(&entries);
        }
    }

    fn add(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.said.push(entry);
            self.packages.push(OldPackage {
                nevra: entry.nevra.clone(),
                pkgid: entry.pkgid.clone(),
                href: entry.href.clone(),
                base: entry.base.clone(),
                size: entry.size_package,
            });
        }
    }

    /// Gives what is said of the packages at some places that follow each other.
    pub(super) fn entries(&self, places: std::ops::Range<usize>) -> Result<Vec<Entry>, repo::Error> {
        self.said.entries(&places.collect::<BTreeSet<_>>())
    }
}
