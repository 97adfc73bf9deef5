//! A published repository whose three files are known block by block: of its packages only the list is held, what the files
//! say of one is read when somebody asks.
//!
//! The blocks stand in the private half of the generation, `index/<repository>`. Where there is none, as in generations of
//! earlier programs, the files are read as a whole, and written in blocks at the next change.

use std::collections::BTreeSet;
use std::io::{self, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::{Algorithm, Digest, Sha256};
use repo::{Blocks, Document, Entry, Glance, Hashing, Prepared, Repomd};
use serde::{Deserialize, Serialize};
use store::{Disk, Generation, Reading, Store};

use crate::error::Error;

/// The form of the index.
const FORMAT: u32 = 1;

/// The lists of packages, in the order of the index.
pub(crate) const DOCUMENTS: [Document; 3] = [Document::Primary, Document::Filelists, Document::Other];

/// Where the index of a repository lies in the private half.
pub(crate) fn index_path(repository: &str) -> Utf8PathBuf {
    format!("index/{repository}").into()
}

/// The blocks of a repository, as they are put on record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    format: u32,
    /// The repomd.xml that leads to the files: an index of another one tells nothing.
    repomd: Sha256,
    /// Those of [`DOCUMENTS`].
    files: [Blocks; 3],
}

/// Writes the index of a repository.
pub(crate) fn write_index(repomd: &[u8], files: [Blocks; 3]) -> Vec<u8> {
    let index = Index { format: FORMAT, repomd: repo::sha256(repomd), files };
    let mut bytes = serde_json::to_vec(&index).expect("numbers and words can be written");
    bytes.push(b'\n');
    bytes
}

/// One of the three files.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) href: String,
    pub(crate) blocks: Blocks,
    /// Its SHA-256.
    pub(crate) known: Digest,
    /// Whether repomd.xml says what it unpacks to by digest.
    pub(crate) has_open_checksum: bool,
    /// What was hashed in advance.
    prepared: OnceLock<Prepared>,
}

impl File {
    /// Says whether something was hashed in advance.
    pub(super) fn is_prepared(&self) -> bool {
        self.prepared.get().is_some()
    }

    /// How a file is hashed that this one becomes.
    pub(crate) fn hashing(&self) -> Hashing<'_> {
        Hashing {
            algorithm: Algorithm::Sha256,
            is_opened: self.has_open_checksum,
            known: Some(&self.known),
            prepared: self.prepared.get(),
        }
    }
}

/// The three files.
#[derive(Debug)]
pub(crate) struct InBlocks {
    disk: Arc<dyn Disk>,
    /// The repository in a generation that has these files: each new one has them too, under a path of its own.
    home: Mutex<Utf8PathBuf>,
    /// Those of [`DOCUMENTS`].
    pub(crate) files: [File; 3],
}

impl InBlocks {
    /// Finds the blocks of the files that a repomd.xml leads to, if they are on record.
    pub(super) fn find(
        store: &Store,
        generation: &Generation,
        (repository, path): (&str, &str),
        (repomd, sha256): (&Repomd, Sha256),
    ) -> Result<Option<Self>, Error> {
        let place = index_path(repository);
        if !generation.files.private.contains_key(place.as_str()) {
            return Ok(None);
        }
        let index = store.read_private(generation, place.as_str())?;
        // Of another program, or of another repomd.xml.
        let Ok(index) = serde_json::from_slice::<Index>(&index) else { return Ok(None) };
        if index.format != FORMAT || index.repomd != sha256 {
            return Ok(None);
        }
        let home = store.paths().public_half(generation.number).join(path);
        Ok(Self::of(Arc::clone(store.disk()), home, repomd, index.files))
    }

    /// Takes the files of a repository at `home`, in the blocks that are known; nothing if its repomd.xml tells of others.
    pub(crate) fn of(
        disk: Arc<dyn Disk>,
        home: Utf8PathBuf,
        repomd: &Repomd,
        blocks: [Blocks; 3],
    ) -> Option<Self> {
        let mut files = Vec::new();
        for (document, blocks) in DOCUMENTS.into_iter().zip(blocks) {
            let record = repomd.record(document.as_str())?;
            let fits = blocks.document() == document && record.size.is_none_or(|size| size == blocks.size());
            if record.checksum.algorithm != Algorithm::Sha256 || !fits {
                return None;
            }
            let (href, known) = (record.href.clone(), record.checksum.clone());
            let has_open_checksum = record.open_checksum.is_some();
            files.push(File { href, blocks, known, has_open_checksum, prepared: OnceLock::new() });
        }
        let files: [File; 3] = files.try_into().ok()?;
        let packages = files[0].blocks.packages();
        let is_whole = files.iter().all(|file| file.blocks.packages() == packages);
        is_whole.then(|| Self { disk, home: Mutex::new(home), files })
    }

    /// Says where a generation that is kept has the repository.
    pub(super) fn moved_to(&self, home: Utf8PathBuf) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = home;
    }

    /// Opens one of the files.
    pub(crate) fn open(&self, file: &File) -> Result<Opened, Error> {
        let path = self.home().join(&file.href);
        Ok(Opened { reading: self.disk.open(&path)?, path })
    }

    /// Hashes a file in advance for these numbers of packages, unless `is_over`.
    pub(super) fn prepare(
        &self,
        file: &File,
        packages: &BTreeSet<usize>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), Error> {
        let mut opened = self.open(file)?;
        let prepared =
            file.blocks.prepare::<Fault>(packages, &file.hashing(), &mut |range| match is_over() {
                true => Err(Fault::Other("something else came".to_owned())),
                false => opened.read(range),
            });
        // Who prepared it meanwhile did the same.
        let _ = file.prepared.set(prepared.map_err(|fault| fault.of(&opened.path))?);
        Ok(())
    }

    fn home(&self) -> Utf8PathBuf {
        self.home.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Glances at every package, in a primary that is what its repomd.xml says.
    pub(super) fn glances(&self, see: &mut dyn FnMut(Glance) -> Result<(), String>) -> Result<(), Error> {
        let file = &self.files[0];
        let mut opened = self.open(file)?;
        let path = opened.path.clone();
        let mut hasher = repo::Hasher::new(file.known.algorithm);
        let mut read = |range| {
            let bytes = opened.read(range)?;
            hasher.update(&bytes);
            Ok(bytes)
        };
        let mut see = |fragment: &[u8]| see(repo::glance(fragment)?).map_err(Fault::Other);
        file.blocks.each(&mut read, &mut see).map_err(|fault| fault.of(&path))?;
        match hasher.finish() == file.known {
            true => Ok(()),
            false => Err(Fault::Other("it is not what its repomd.xml says".to_owned()).of(&path)),
        }
    }

    /// Reads what the three files say of the packages at some places, in this order.
    pub(super) fn entries(&self, places: &BTreeSet<usize>) -> Result<Vec<Entry>, Error> {
        let read = |file: &File| -> Result<Vec<Vec<u8>>, Error> {
            let mut opened = self.open(file)?;
            let read = file.blocks.fragments(places, &mut |range| opened.read(range));
            read.map_err(|fault| fault.of(&opened.path))
        };
        let [primary, filelists, other] = &self.files;
        let (primary, filelists, other) = (read(primary)?, read(filelists)?, read(other)?);
        let all = primary.into_iter().zip(filelists).zip(other);
        let place = format!("{}/repodata", self.home());
        let wrong = |error: repo::Error| Error::Metadata { place: place.clone(), reason: error.to_string() };
        all.map(|((primary, filelists), other)| Entry::of([primary, filelists, other]).map_err(wrong))
            .collect()
    }
}

/// A file that is read in pieces.
pub(crate) struct Opened {
    reading: Box<dyn Reading>,
    pub(crate) path: Utf8PathBuf,
}

impl Opened {
    /// Reads some bytes of the file.
    pub(crate) fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, Fault> {
        let size =
            usize::try_from(range.end - range.start).map_err(|_| Fault::Other("it is too large".into()))?;
        let mut bytes = vec![0; size];
        self.reading.seek(SeekFrom::Start(range.start))?;
        self.reading.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Why a file cannot be read in pieces.
#[derive(Debug)]
pub(crate) enum Fault {
    Disk(io::Error),
    Blocks(repo::Error),
    Other(String),
}

impl From<io::Error> for Fault {
    fn from(cause: io::Error) -> Self {
        Self::Disk(cause)
    }
}

impl From<repo::Error> for Fault {
    fn from(error: repo::Error) -> Self {
        Self::Blocks(error)
    }
}

impl Fault {
    /// Says of which file.
    pub(crate) fn of(self, path: &Utf8Path) -> Error {
        let reason = match self {
            Self::Disk(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => "it is cut short".to_owned(),
            Self::Disk(cause) => return Error::File { operation: "read", path: path.into(), cause },
            Self::Blocks(error) => error.to_string(),
            Self::Other(reason) => reason,
        };
        Error::Unsound { path: path.into(), reason }
    }
}
