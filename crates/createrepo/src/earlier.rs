//! Repodata that is there already: what it lists need not be read again, what it names need not be lost.

use std::collections::HashMap;
use std::io::Read;

use camino::Utf8Path;
use nevra::Algorithm;
use repo::{Contents, Entry, Record, Repomd};
use store::{Disk, State};

use crate::Error;
use crate::replace::INDEX;

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

/// Reads everything a repository lists.
fn entries_of(disk: &dyn Disk, repository: &Utf8Path, repomd: &Repomd) -> Result<Vec<Entry>, Error> {
    let open = |kind: &'static str| {
        let record = repomd
            .record(kind)
            .ok_or_else(|| Error::NoRecord { path: repository.join("repodata").join(INDEX), kind })?;
        let failed = |cause| Error::Metadata { path: repository.join(&record.href), cause };
        repo::unpack(&file_of(disk, repository, record)?, FILE_MAX).map_err(failed)
    };
    let contents = Contents::read(open("primary")?, open("filelists")?, open("other")?);
    let contents = contents.map_err(|cause| Error::Metadata { path: repository.join("repodata"), cause })?;
    Ok(contents.entries)
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

/// What is known of packages without reading them.
#[derive(Default)]
pub(crate) struct Known {
    by_href: HashMap<String, Entry>,
    /// Also by the last part of the place, for packages that moved.
    by_name: HashMap<String, Vec<Entry>>,
    skips_stat: bool,
}

impl Known {
    /// Knows nothing.
    pub(crate) fn nothing(skips_stat: bool) -> Known {
        Known { skips_stat, ..Known::default() }
    }

    /// Learns what a repository lists. What was known before is not unlearned.
    ///
    /// # Errors
    ///
    /// Its metadata cannot be read; nothing was learned then, and packages have to be read.
    pub(crate) fn learn(&mut self, disk: &dyn Disk, repository: &Utf8Path) -> Result<usize, Error> {
        let Some(repomd) = index_of(disk, repository)? else { return Ok(0) };
        let entries = entries_of(disk, repository, &repomd)?;
        let count = entries.len();
        for entry in entries {
            let name = Utf8Path::new(&entry.href).file_name().unwrap_or_default().to_owned();
            self.by_name.entry(name).or_default().push(entry.clone());
            self.by_href.entry(entry.href.clone()).or_insert(entry);
        }
        Ok(count)
    }

    /// Finds what is known of the file that is to be listed at `href`, if it is believed to be the same: it has
    /// the size and time of then, or nobody wants to know.
    pub(crate) fn of(&self, href: &str, algorithm: Algorithm, state: Option<State>) -> Option<&Entry> {
        let same = |entry: &&Entry| {
            entry.pkgid.algorithm == algorithm
                && state.map_or(self.skips_stat, |state| {
                    state.size == entry.size_package && state.modified.seconds == entry.time_file
                })
        };
        let name = Utf8Path::new(href).file_name().unwrap_or_default();
        let elsewhere = || self.by_name.get(name).into_iter().flatten().find(same);
        self.by_href.get(href).filter(same).or_else(elsewhere)
    }

    /// Whether files need not even be looked at.
    pub(crate) fn skips_stat(&self) -> bool {
        self.skips_stat
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_href.is_empty()
    }
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
