//! The metadata of a directory as it lies there, verified against its repomd.xml.

use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Algorithm;
use repo::{Compression, Document, Record, Repomd, Written};
use serde::Serialize;
use store::Disk;

use super::{Claim, DOCUMENTS, Finding};
use crate::Error;
use crate::walk::resolved;

/// More than any repository's largest file has, packed.
const PACKED_MAX: u64 = 1 << 30;
/// More than any repository's largest file has, unpacked: filelists of 60,000 packages have 0.9 GiB.
const OPEN_MAX: u64 = 2 << 30;
/// Metadata packs about ten times smaller. What grows more than this is a bomb, unless it stays small.
const GROWTH_MAX: u64 = 200;
const SMALL: u64 = 64 << 20;

/// What lies in `repodata/`.
#[derive(Debug, Default)]
pub struct Theirs {
    /// The index; `None` if it cannot be read.
    pub repomd: Option<Repomd>,
    /// Every file the index names that could be read, in its order.
    pub files: Vec<MetadataFile>,
    /// What hashes the packages; that of the first package.
    pub checksum: Option<Algorithm>,
    /// What is wrong with the files.
    pub findings: Vec<Finding>,
    /// Primary, filelists and other, unpacked.
    pub(super) open: [Option<Vec<u8>>; 3],
}

/// One file of metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MetadataFile {
    /// The type of its record: `primary`, `updateinfo`.
    pub record: String,
    /// Where it lies.
    pub href: String,
    /// How it is packed: `gzip`, `none`.
    pub compression: Compression,
    /// Its size in bytes.
    pub size: u64,
    /// Its size once unpacked.
    pub open_size: Option<u64>,
    /// Whether it describes more than the packages do, so that whoever takes the repository over carries it along.
    pub is_carried: bool,
}

impl Theirs {
    /// Reads the metadata of a directory.
    ///
    /// It holds one file packed and three unpacked: at most 2 GiB each, and no more than 64 MiB or two hundred
    /// times what the packed file has. Nothing outside of `repodata/` is opened but what a link there leads to.
    ///
    /// # Errors
    ///
    /// [`Error::NoRepodata`] if there is no `repodata/repomd.xml`. Everything else that is wrong is a finding.
    pub fn read(disk: &dyn Disk, dir: &Utf8Path) -> Result<Theirs, Error> {
        let mut theirs = Theirs::default();
        let place = "repodata/repomd.xml";
        let path = dir.join(place);
        if !matches!(disk.state(&path), Ok(Some(_))) {
            return Err(Error::NoRepodata { path });
        }
        let read = bytes_at(disk, dir, place);
        match read.and_then(|bytes| Repomd::parse(&bytes).map_err(|error| error.to_string())) {
            Ok(repomd) => theirs.records(disk, dir, &repomd),
            Err(why) => {
                theirs.findings.push(Finding::UnreadableMetadata { file: place.to_owned(), why });
                return Ok(theirs);
            }
        }
        theirs.checksum = theirs.open[0].as_deref().and_then(checksum_of);
        Ok(theirs)
    }

    fn records(&mut self, disk: &dyn Disk, dir: &Utf8Path, repomd: &Repomd) {
        for record in &repomd.records {
            match bytes_at(disk, dir, &record.href).and_then(|packed| self.record(record, &packed)) {
                Ok(open) => {
                    let at = DOCUMENTS.iter().position(|document| document.as_str() == record.kind);
                    if let Some(at) = at {
                        self.open[at] = Some(open);
                    }
                }
                Err(why) => {
                    self.findings.push(Finding::UnreadableMetadata { file: record.href.clone(), why });
                }
            }
        }
        for document in DOCUMENTS.map(Document::as_str) {
            if repomd.record(document).is_none() {
                self.findings.push(Finding::NoRecord { record: document });
            }
        }
        self.repomd = Some(repomd.clone());
    }

    /// Holds a file against its record, and unpacks it.
    fn record(&mut self, record: &Record, packed: &[u8]) -> Result<Vec<u8>, String> {
        let size = packed.len() as u64;
        let digest = repo::digest(record.checksum.algorithm, packed);
        let size_claimed = record.size.unwrap_or(size);
        self.claim(record, Claim::Size, size_claimed, size);
        self.claim(record, Claim::Checksum, &record.checksum, &digest);
        let compression = Compression::of(packed);
        let mut file = MetadataFile {
            record: record.kind.clone(),
            href: record.href.clone(),
            compression,
            size,
            open_size: None,
            is_carried: !record.is_made_from_packages(),
        };
        if record.kind.ends_with("_zck") {
            // What nothing here unpacks is not compared either.
            self.files.push(file);
            return Ok(Vec::new());
        }
        let limit = size.saturating_mul(GROWTH_MAX).clamp(SMALL, OPEN_MAX);
        let open = repo::unpack(packed, limit).map_err(|error| error.to_string());
        if let Ok(open) = &open {
            let size = open.len() as u64;
            file.open_size = Some(size);
            self.claim(record, Claim::OpenSize, record.open_size.unwrap_or(size), size);
            if let Some(claimed) = &record.open_checksum {
                let digest = repo::digest(claimed.algorithm, open);
                self.claim(record, Claim::OpenChecksum, claimed, &digest);
            }
        }
        self.files.push(file);
        open
    }

    fn claim<T: PartialEq + ToString>(&mut self, record: &Record, claim: Claim, theirs: T, found: T) {
        if theirs != found {
            self.findings.push(Finding::FalseRecord {
                record: record.kind.clone(),
                href: record.href.clone(),
                claim,
                theirs: theirs.to_string(),
                found: found.to_string(),
            });
        }
    }
}

/// Reads a whole file below `dir`, however many links lead to it.
fn bytes_at(disk: &dyn Disk, dir: &Utf8Path, place: &str) -> Result<Vec<u8>, String> {
    let path = resolved(disk, &dir.join(place)).map_err(|error| error.to_string())?;
    let mut file = disk.open(&path).map_err(|error| error.to_string())?;
    let failed = |path: &Utf8PathBuf, why: String| format!("failed to read `{path}`: {why}");
    let mut bytes = Vec::new();
    let read = (&mut *file).take(PACKED_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| failed(&path, error.to_string()))?;
    if bytes.len() as u64 > PACKED_MAX {
        return Err(failed(&path, format!("it has more than `{PACKED_MAX}` bytes")));
    }
    Ok(bytes)
}

/// Says what hashes the packages of a primary.
fn checksum_of(primary: &[u8]) -> Option<Algorithm> {
    let written = Written::read(Document::Primary, primary).ok()?;
    written.packages.first()?.algorithm.parse().ok()
}
