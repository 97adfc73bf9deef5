//! The three lists of packages of a repository: written as a whole, or made of what is there where little changes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::{iter, thread};

use nevra::{Algorithm, Sha256};
use plan::Listed;
use repo::{Blocks, Changed, Changing, Document, Entry, Form, Hashing, Record};

use crate::error::Error;
use crate::known::Known;
use crate::observe::blocks::{DOCUMENTS, Fault, InBlocks, Opened};

/// The packages of a repository.
#[derive(Debug)]
pub(crate) enum Packages<'a> {
    /// All of them, in order.
    All(&'a [Entry]),
    /// All of them, in order; what is said of each is read when it is written.
    Listed { listed: &'a [Listed], known: &'a Known },
    /// What becomes of the files that are there.
    Changed {
        files: &'a InBlocks,
        /// The places in the list of those that left.
        gone: BTreeSet<usize>,
        /// Those that came, in order; what is said of each is read when it is written.
        new: &'a [Listed],
        known: &'a Known,
    },
}

/// Some packages that are written behind each other.
type Batch<'a> = Arc<Cow<'a, [Entry]>>;

/// How many batches wait for whoever writes filelists.
const WAITING: usize = 1;

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
    pub(super) fn all(&self) -> Result<Cow<'_, [Entry]>, Error> {
        match self {
            Self::All(entries) => Ok(Cow::Borrowed(entries)),
            Self::Listed { listed, known } => known.entries_of(listed).map(Cow::Owned),
            Self::Changed { .. } => {
                let reason = "what changes in blocks was to be written as a whole".to_owned();
                Err(Error::Metadata { place: "repodata".to_owned(), reason })
            }
        }
    }

    /// Writes the three files in blocks; side by side where that is worth a thread.
    pub(super) fn write(&self, form: &Form, timestamp: i64) -> Result<Lists, Error> {
        let mut batches = self.batches();
        let mut next = || batches.next().transpose();
        let [primary, filelists, other] = match self.is_small_work() {
            true => self.write_some(form, [0, 1, 2], &mut next)?,
            // Filelists is as large as both others, and each thread takes memory of its own.
            false => thread::scope(|scope| {
                let (sender, receiver) = sync_channel::<Batch<'_>>(WAITING);
                let filelists =
                    scope.spawn(move || self.write_some(form, [1], &mut || Ok(receiver.recv().ok())));
                let others = self.write_some(form, [0, 2], &mut || {
                    let batch = next()?;
                    // If nobody takes it, what went wrong there is said below.
                    batch.iter().for_each(|batch| drop(sender.send(Arc::clone(batch))));
                    Ok(batch)
                });
                drop(sender);
                let filelists = filelists.join().unwrap_or_else(|panic| resume_unwind(panic));
                let ([primary, other], [filelists]) = (others?, filelists?);
                Ok::<_, Error>([primary, filelists, other])
            })?,
        };
        let mut files = Vec::new();
        let mut described = |document: Document, changed: Changed| {
            let record = repo::describe(form, document, timestamp, (changed.file, changed.open));
            files.push((record.href.clone(), self.body(document, &record, changed.parts)));
            (record, changed.blocks)
        };
        let [primary_document, filelists_document, other_document] = DOCUMENTS;
        let primary = described(primary_document, primary);
        let filelists = described(filelists_document, filelists);
        let other = described(other_document, other);
        let (records, blocks) = ([primary.0, filelists.0, other.0], [primary.1, filelists.1, other.1]);
        Ok(Lists { files, records, blocks })
    }

    /// Gives what is new of the files, a few packages at a time.
    fn batches(&self) -> Box<dyn Iterator<Item = Result<Batch<'_>, Error>> + '_> {
        let read = |known: &Known, some: &[Listed]| Ok(Arc::new(Cow::Owned(known.entries_of(some)?)));
        match self {
            Self::All(entries) => Box::new(iter::once(Ok(Arc::new(Cow::Borrowed(*entries))))),
            // What others list may stand there in another order, and no block is to be read twice.
            Self::Changed { new, known, .. } if !known.has_arrived(new) => {
                Box::new(iter::once_with(move || read(known, new)))
            }
            Self::Listed { listed: new, known } | Self::Changed { new, known, .. } => {
                Box::new(known.runs(new).map(move |some| read(known, some)))
            }
        }
    }

    /// Counts the packages that are new in the files.
    fn count(&self) -> usize {
        match self {
            Self::All(entries) => entries.len(),
            Self::Listed { listed, .. } => listed.len(),
            Self::Changed { new, .. } => new.len(),
        }
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
            Self::Listed { listed, known } => known.runs(listed).nth(1).is_none(),
            Self::Changed { files, gone, new, known } => files.files.iter().all(|file| {
                let packages = file.blocks.packages() - gone.len() + new.len();
                file.hashing().prepared.is_some_and(|prepared| prepared.is_for(packages))
                    || file.blocks.open_size() < LITTLE && known.runs(new).nth(1).is_none()
            }),
        }
    }

    /// Writes some of the files, of batches that come one by one.
    fn write_some<'b, const FILES: usize>(
        &self,
        form: &Form,
        files: [usize; FILES],
        next: &mut dyn FnMut() -> Result<Option<Batch<'b>>, Error>,
    ) -> Result<[Changed; FILES], Error> {
        let nothing = DOCUMENTS.map(|document| Blocks::nothing(document, form.compression));
        let mut growing = Vec::with_capacity(FILES);
        for at in files {
            growing.push(self.begin(form, at, &nothing[at])?);
        }
        while let Some(batch) = next()? {
            for entry in batch.iter() {
                growing.iter_mut().for_each(|growing| growing.push(entry));
            }
        }
        let written: Vec<Changed> = growing.into_iter().map(Growing::end).collect::<Result<_, _>>()?;
        Ok(written.try_into().expect("one file comes of each"))
    }

    fn begin<'b>(&'b self, form: &Form, at: usize, nothing: &'b Blocks) -> Result<Growing<'b>, Error> {
        let document = DOCUMENTS[at];
        match self {
            Self::All(_) | Self::Listed { .. } => {
                let (gone, hashing) = (BTreeSet::new(), Hashing::of(form));
                let mut none = |_| Err(no_file_yet());
                let changing = nothing.begin_change(&gone, self.count(), &hashing, &mut none);
                let changing = changing.map_err(|fault: Fault| fault.of("repodata".into()))?;
                Ok(Growing { document, changing, opened: None })
            }
            Self::Changed { files, gone, .. } => {
                let file = &files.files[at];
                let mut opened = files.open(file)?;
                let read = &mut |range| opened.read(range);
                let changing = file.blocks.begin_change::<Fault>(gone, self.count(), &file.hashing(), read);
                let changing = changing.map_err(|fault| fault.of(&opened.path))?;
                Ok(Growing { document, changing, opened: Some(opened) })
            }
        }
    }

    fn body(&self, document: Document, record: &Record, parts: Vec<repo::Part>) -> Body {
        let files = match self {
            Self::All(_) | Self::Listed { .. } => None,
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
        let mut parts = parts.into_iter().filter_map(|part| match part {
            repo::Part::New(bytes) => Some(bytes),
            // There is nothing old where all is written anew.
            repo::Part::Old(_) => None,
        });
        let mut bytes = parts.next().unwrap_or_default();
        parts.for_each(|part| bytes.extend_from_slice(&part));
        Body::Bytes(bytes)
    }
}

/// One of the files while what is new of it comes.
struct Growing<'a> {
    document: Document,
    changing: Changing<'a>,
    /// The file that is there.
    opened: Option<Opened>,
}

impl Growing<'_> {
    fn push(&mut self, entry: &Entry) {
        self.changing.push(match self.document {
            Document::Primary => &entry.fragments.primary,
            Document::Filelists => &entry.fragments.filelists,
            _ => &entry.fragments.other,
        });
    }

    fn end(self) -> Result<Changed, Error> {
        let Self { changing, mut opened, .. } = self;
        let changed = changing.end(&mut |range| match &mut opened {
            Some(opened) => opened.read(range),
            None => Err(no_file_yet()),
        });
        changed.map_err(|fault| fault.of(opened.as_ref().map_or("repodata".into(), |opened| &opened.path)))
    }
}

fn no_file_yet() -> Fault {
    Fault::Other("there is no file yet".to_owned())
}
