//! Primary, filelists and other of a repository that is there already, a block at a time.

use std::io::{self, SeekFrom};
use std::ops::Range;
use std::sync::Mutex;

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Algorithm;
use repo::{Blocks, Compression, Document, Hasher, Record, Repomd};
use store::{Disk, Reading};

use crate::Error;
use crate::replace::INDEX;

/// The three files that are made from the packages, in the order in which they are dealt with everywhere.
pub(crate) const DOCUMENTS: [Document; 3] = [Document::Primary, Document::Filelists, Document::Other];

/// How much of a file is read at once to prove its digest.
const PIECE: usize = 1 << 17;

/// One of the three files.
pub(crate) struct OldFile {
    pub(super) path: Utf8PathBuf,
    pub(super) bytes: Bytes,
    pub blocks: Blocks,
    /// How its blocks are packed.
    pub compression: Compression,
    /// The bytes of each block, and the places of its packages.
    pub places: Vec<(Range<u64>, Range<usize>)>,
}

/// Where the bytes of a file are.
pub(super) enum Bytes {
    /// On the disk; it was proven that they are those of the record.
    Opened(Mutex<Box<dyn Reading>>),
    /// In memory, a block at each place but the first and the last.
    Held(Vec<Vec<u8>>),
}

/// A block, as it lies there and unpacked.
#[derive(Default)]
pub(crate) struct Opened {
    pub packed: Vec<u8>,
    pub text: Vec<u8>,
    /// Where each package ends in the text.
    pub ends: Vec<usize>,
}

impl Opened {
    /// Shows what it says of a package.
    pub(crate) fn fragment(&self, package: usize) -> &[u8] {
        let begin = package.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[begin..self.ends[package]]
    }
}

impl OldFile {
    /// Finds the block that lists a package.
    pub(crate) fn block_of(&self, package: usize) -> usize {
        self.places.partition_point(|(_, packages)| packages.end <= package)
    }

    /// Reads and unpacks a block, the text into `room`.
    ///
    /// # Errors
    ///
    /// It cannot be read, or does not hold what the file says of it.
    pub(crate) fn open(&self, block: usize, room: Vec<u8>) -> Result<Opened, Error> {
        let packed = match &self.bytes {
            Bytes::Opened(file) => {
                let mut file = file.lock().expect("nobody panics with it in hand");
                let read = part(&mut **file, self.places[block].0.clone());
                read.map_err(|cause| Error::Read { path: self.path.clone(), cause })?
            }
            Bytes::Held(pieces) => pieces[block + 1].clone(),
        };
        let (text, ends) =
            self.blocks.open(block, &packed, room).map_err(|cause| self.misunderstood(cause))?;
        Ok(Opened { packed, text, ends })
    }

    pub(crate) fn misunderstood(&self, cause: repo::Error) -> Error {
        Error::Metadata { path: self.path.clone(), cause }
    }
}

/// Opens the three files of a repository whose blocks can be found; `None` if somebody else made one of them.
///
/// # Errors
///
/// One of them cannot be read, or is not the one its record names.
pub(crate) fn opened(
    disk: &dyn Disk,
    repository: &Utf8Path,
    repomd: &Repomd,
) -> Result<Option<[OldFile; 3]>, Error> {
    let mut files = Vec::new();
    for document in DOCUMENTS {
        let record = record(repository, repomd, document.as_str())?;
        let path = repository.join(&record.href);
        let Some(file) = found(disk, path, document, record)? else { return Ok(None) };
        files.push(file);
    }
    let packages = files[0].blocks.packages();
    let are_alike = files.iter().all(|file| file.blocks.packages() == packages);
    Ok(<[OldFile; 3]>::try_from(files).ok().filter(|_| are_alike))
}

fn found(
    disk: &dyn Disk,
    path: Utf8PathBuf,
    document: Document,
    record: &Record,
) -> Result<Option<OldFile>, Error> {
    let mut file = disk.open(&path)?;
    let size = file.state()?.size;
    let blocks = {
        let read =
            &mut |bytes| part(&mut *file, bytes).map_err(|cause| Error::Read { path: path.clone(), cause });
        Blocks::find(document, size, &mut |bytes| read(bytes).map_err(Stopped::World))
    };
    let blocks = match blocks {
        Ok(Some(blocks)) => blocks,
        Ok(None) | Err(Stopped::File) => return Ok(None),
        Err(Stopped::World(error)) => return Err(error),
    };
    let digest = digest(&mut *file, record.checksum.algorithm);
    if digest.map_err(|cause| Error::Read { path: path.clone(), cause })? != record.checksum {
        return Err(Error::Checksum { path, checksum: record.checksum.clone() });
    }
    let places = blocks.all_places();
    let bytes = Bytes::Opened(Mutex::new(file));
    Ok(Some(OldFile { path, bytes, blocks, compression: Compression::Gzip, places }))
}

/// Why the blocks of a file were not found.
enum Stopped {
    World(Error),
    File,
}

impl From<repo::Error> for Stopped {
    fn from(_: repo::Error) -> Self {
        Self::File
    }
}

fn part(file: &mut dyn Reading, bytes: Range<u64>) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(bytes.start))?;
    // No range leads out of the file, so this is no more than the file has.
    let mut part = vec![0; usize::try_from(bytes.end - bytes.start).map_err(io::Error::other)?];
    file.read_exact(&mut part)?;
    Ok(part)
}

pub(super) fn digest(file: &mut dyn Reading, algorithm: Algorithm) -> io::Result<nevra::Digest> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Hasher::new(algorithm);
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(length) => hasher.update(&piece[..length]),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
}

pub(super) fn record<'a>(
    repository: &Utf8Path,
    repomd: &'a Repomd,
    kind: &'static str,
) -> Result<&'a Record, Error> {
    let path = || repository.join("repodata").join(INDEX);
    repomd.record(kind).ok_or_else(|| Error::NoRecord { path: path(), kind })
}
