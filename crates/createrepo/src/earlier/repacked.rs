//! Metadata that somebody else wrote, packed anew as ours is, in memory: what stays of it can be copied then.

use std::io::{BufReader, Seek, SeekFrom};

use camino::Utf8Path;
use repo::{Batches, Compression, Contents, Cutter, Document, Entry, Gatherer, Identity, Odd, Repomd};
use store::{Disk, Reading};

use super::blocks::{DOCUMENTS, OldFile, digest, record};
use super::{FILE_MAX, file_of};
use crate::Error;

/// How many packages are read at once.
const BATCH: usize = 1000;

/// Reads the three files, whoever made them, and packs them as the new ones are to be. Tells which package each fragment lists.
///
/// Files that list the same packages in the same order, as every known writer makes them, are never held open as a whole.
///
/// # Errors
///
/// They cannot be read, are not those of the index, or are no metadata.
pub(super) fn repacked(
    disk: &dyn Disk,
    repository: &Utf8Path,
    repomd: &Repomd,
    compression: Compression,
) -> Result<([OldFile; 3], Vec<Identity>), Error> {
    // What has no blocks is held as it is.
    let compression = if compression.has_blocks() { compression } else { Compression::None };
    if let Ok(repacked) = in_batches(proven(disk, repository, repomd)?, compression) {
        return Ok(repacked.finish(repository));
    }
    let mut repacked = Repacked::begin(compression);
    repacked.add(&whole(disk, repository, repomd)?);
    Ok(repacked.finish(repository))
}

/// Opens the three files, at their beginning, and proves that they are those of the index.
fn proven(disk: &dyn Disk, repository: &Utf8Path, repomd: &Repomd) -> Result<[Box<dyn Reading>; 3], Error> {
    let open = |document: Document| {
        let record = record(repository, repomd, document.as_str())?;
        let path = repository.join(&record.href);
        let mut file = disk.open(&path)?;
        let found = digest(&mut *file, record.checksum.algorithm);
        let found = found.and_then(|found| file.seek(SeekFrom::Start(0)).map(|_| found));
        if found.map_err(|cause| Error::Read { path: path.clone(), cause })? != record.checksum {
            return Err(Error::Checksum { path, checksum: record.checksum.clone() });
        }
        Ok(file)
    };
    let [primary, filelists, other] = DOCUMENTS;
    Ok([open(primary)?, open(filelists)?, open(other)?])
}

fn in_batches(files: [Box<dyn Reading>; 3], compression: Compression) -> Result<Repacked, Odd> {
    let mut batches = Batches::begin(files.map(BufReader::new), FILE_MAX)?;
    let mut repacked = Repacked::begin(compression);
    loop {
        let entries = batches.next(BATCH)?;
        if entries.is_empty() {
            return Ok(repacked);
        }
        repacked.add(&entries);
    }
}

/// Reads everything a repository lists.
fn whole(disk: &dyn Disk, repository: &Utf8Path, repomd: &Repomd) -> Result<Vec<Entry>, Error> {
    let open = |document: Document| {
        let record = record(repository, repomd, document.as_str())?;
        let failed = |cause| Error::Metadata { path: repository.join(&record.href), cause };
        repo::unpack(&file_of(disk, repository, record)?, FILE_MAX).map_err(failed)
    };
    let [primary, filelists, other] = DOCUMENTS;
    let contents = Contents::read(open(primary)?, open(filelists)?, open(other)?);
    let contents = contents.map_err(|cause| Error::Metadata { path: repository.join("repodata"), cause })?;
    Ok(contents.entries)
}

/// The three files while they grow.
struct Repacked {
    compression: Compression,
    files: [(Cutter, Gatherer); 3],
    identities: Vec<Identity>,
}

impl Repacked {
    fn begin(compression: Compression) -> Self {
        let file = |document| (Cutter::new(), Gatherer::of_blocks(document, compression));
        Self { compression, files: DOCUMENTS.map(file), identities: Vec::new() }
    }

    /// Adds packages, to all three files at once.
    fn add(&mut self, entries: &[Entry]) {
        let compression = self.compression;
        std::thread::scope(|scope| {
            for (document, (cutter, gatherer)) in DOCUMENTS.into_iter().zip(&mut self.files) {
                scope.spawn(move || {
                    for entry in entries {
                        let block = cutter.push(fragment(document, entry));
                        block.into_iter().for_each(|block| gatherer.put(block.pack(compression)));
                    }
                });
            }
        });
        self.identities.extend(entries.iter().map(identity));
    }

    fn finish(self, repository: &Utf8Path) -> ([OldFile; 3], Vec<Identity>) {
        let compression = self.compression;
        let finish = |(document, (mut cutter, mut gatherer)): (Document, (Cutter, Gatherer))| {
            let path = repository.join("repodata").join(document.as_str());
            cutter.flush().into_iter().for_each(|block| gatherer.put(block.pack(compression)));
            let (blocks, pieces) = gatherer.into_blocks();
            let places = blocks.all_places();
            OldFile { path, pieces, blocks, past: None, compression, places }
        };
        let [primary, filelists, other] = self.files;
        let [first, second, third] = DOCUMENTS;
        let files = [finish((first, primary)), finish((second, filelists)), finish((third, other))];
        (files, self.identities)
    }
}

fn fragment(document: Document, entry: &Entry) -> &[u8] {
    match document {
        Document::Primary => &entry.fragments.primary,
        Document::Filelists => &entry.fragments.filelists,
        _ => &entry.fragments.other,
    }
}

fn identity(entry: &Entry) -> Identity {
    Identity {
        pkgid: entry.pkgid.clone(),
        href: entry.href.clone(),
        base: entry.base.clone(),
        size_package: entry.size_package,
        time_file: entry.time_file,
    }
}
