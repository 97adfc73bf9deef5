//! Primary, filelists and other of a repository that is there already, a block at a time.

use std::io::{self, SeekFrom};
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Algorithm;
use repo::{Blocks, Compression, Document, Found, Hasher, Past, Record, Repomd, Slice};
use store::{Disk, Reading};

use crate::Error;
use crate::replace::INDEX;

/// The three files that are made from the packages, in the order in which they are dealt with everywhere.
pub(crate) const DOCUMENTS: [Document; 3] = [Document::Primary, Document::Filelists, Document::Other];

/// A larger file is not taken into memory, whoever seems to have made it: those of the largest distributions have a quarter of it.
const WHOLE_MAX: u64 = 256 << 20;
/// How much of a file is read at once to prove its digest.
const PIECE: usize = 1 << 17;

/// One of the three files.
pub(crate) struct OldFile {
    pub(super) path: Utf8PathBuf,
    /// Each block, as it lies there.
    pub(super) pieces: Vec<Slice>,
    pub blocks: Blocks,
    /// How far it is hashed where its blocks begin, where it was packed by us.
    pub past: Option<Past>,
    /// How its blocks are packed.
    pub compression: Compression,
    /// The bytes of each block, and the places of its packages.
    pub places: Vec<(Range<u64>, Range<usize>)>,
}

/// A block, as it lies there and unpacked.
pub(crate) struct Opened {
    pub packed: Slice,
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

    /// Unpacks a block, the text into `room`.
    ///
    /// # Errors
    ///
    /// It does not hold what the file says of it.
    pub(crate) fn open(&self, block: usize, room: Vec<u8>) -> Result<Opened, Error> {
        let packed = self.closed(block);
        let (text, ends) =
            self.blocks.open(block, &packed, room).map_err(|cause| self.misunderstood(cause))?;
        Ok(Opened { packed, text, ends })
    }

    /// Gives a block as it lies there.
    pub(crate) fn closed(&self, block: usize) -> Slice {
        self.pieces[block].clone()
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
    if size > WHOLE_MAX {
        return Ok(None);
    }
    let found = {
        let read =
            &mut |bytes| part(&mut *file, bytes).map_err(|cause| Error::Read { path: path.clone(), cause });
        Blocks::find(document, size, &mut |bytes| read(bytes).map_err(Stopped::World))
    };
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) | Err(Stopped::File) => return Ok(None),
        Err(Stopped::World(error)) => return Err(error),
    };
    let failed = |cause| Error::Read { path: path.clone(), cause };
    let (bytes, digest, past) = whole(&mut *file, size, found, record.checksum.algorithm).map_err(failed)?;
    if digest != record.checksum {
        return Err(Error::Checksum { path, checksum: record.checksum.clone() });
    }
    let Some(past) = past else { return Ok(None) };
    let blocks = past.blocks().clone();
    let compression = blocks.compression();
    let places = blocks.all_places();
    let piece = |(place, _): &(Range<u64>, _)| {
        // The file is in memory.
        bytes.part(place.start as usize..place.end as usize)
    };
    let pieces = places.iter().map(piece).collect();
    Ok(Some(OldFile { path, pieces, blocks, past: Some(past), compression, places }))
}

/// Reads all of a file, once.
fn whole(
    file: &mut dyn Reading,
    size: u64,
    found: Found,
    algorithm: Algorithm,
) -> io::Result<(Slice, nevra::Digest, Option<Past>)> {
    file.seek(SeekFrom::Start(0))?;
    // Its blocks were found, and fill so many bytes.
    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    let (digest, past) = found.read(algorithm, &mut |place, hasher| {
        let part = &mut bytes[place.start as usize..place.end as usize];
        file.read_exact(part)?;
        hasher.update(part);
        io::Result::Ok(())
    })?;
    Ok((bytes.into(), digest, past))
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
