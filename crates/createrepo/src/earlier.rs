//! Repodata that is there already: what it lists need not be read again, what it names need not be lost.

mod blocks;
mod known;
mod repacked;

use std::io::Read;

use camino::Utf8Path;
use repo::{Record, Repomd};
use store::Disk;

use crate::Error;
use crate::replace::INDEX;

pub(crate) use blocks::{DOCUMENTS, Opened};
pub(crate) use known::{At, Known};

/// No `repomd.xml` is larger.
const INDEX_MAX: u64 = 64 << 20;
/// No file of metadata is larger, packed or not; those of the largest distributions have a sixteenth of it.
const FILE_MAX: u64 = 8 << 30;

/// Reads the index of a repository; `None` if it has none.
pub(crate) fn index_of(disk: &dyn Disk, repository: &Utf8Path) -> Result<Option<Repomd>, Error> {
    let path = repository.join("repodata").join(INDEX);
    if disk.state(&path)?.is_none() {
        return Ok(None);
    }
    let bytes = read_file(disk, &path, INDEX_MAX)?;
    Repomd::parse(&bytes).map(Some).map_err(|cause| Error::Metadata { path, cause })
}

/// Reads the file a record names, and proves that it is the one.
pub(crate) fn file_of(disk: &dyn Disk, repository: &Utf8Path, record: &Record) -> Result<Vec<u8>, Error> {
    let path = repository.join(&record.href);
    let bytes = read_file(disk, &path, FILE_MAX)?;
    if repo::digest(record.checksum.algorithm, &bytes) != record.checksum {
        return Err(Error::Checksum { path, checksum: record.checksum.clone() });
    }
    Ok(bytes)
}

fn read_file(disk: &dyn Disk, path: &Utf8Path, limit: u64) -> Result<Vec<u8>, Error> {
    let mut file = disk.open(path)?;
    let mut bytes = Vec::new();
    let read = (&mut *file).take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|cause| Error::Read { path: path.to_owned(), cause })?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Records that stay, the files to be written again for them, and what has to be said about it.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    pub records: Vec<Record>,
    /// For each record the file it names, by name below `repodata`; `None` if it lies elsewhere.
    pub files: Vec<Option<(String, Vec<u8>)>>,
    /// Records that cannot stay, and why.
    pub lost: Vec<(String, Error)>,
}

impl Carried {
    /// Takes over what the index names beside primary, filelists and other, but for those `replaced`.
    pub(crate) fn from(
        disk: &dyn Disk,
        repository: &Utf8Path,
        repomd: &Repomd,
        replaced: impl Fn(&str) -> bool,
    ) -> Carried {
        let mut carried = Carried::default();
        for record in &repomd.records {
            if record.is_made_from_packages() || replaced(&record.kind) {
                continue;
            }
            match file_of(disk, repository, record) {
                Ok(bytes) => {
                    let name = record.href.strip_prefix("repodata/");
                    carried.files.push(name.map(|name| (name.to_owned(), bytes)));
                    carried.records.push(record.clone());
                }
                Err(error) => carried.lost.push((record.kind.clone(), error)),
            }
        }
        carried
    }
}
