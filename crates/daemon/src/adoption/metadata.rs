//! The metadata of an existing repository: every file as large, as hashed and as long as it says.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

use nevra::{Algorithm, Digest};
use plan::{Code, Refusal};
use repo::{Contents, Document, Record, Repomd, Written};

use super::folder::Folder;
use super::old::{DOCUMENTS, Old};
use crate::writing::{Beside, is_beside, is_group};

/// The largest repomd.xml that is read, in bytes.
pub(crate) const REPOMD_SIZE_MAX: u64 = 16 << 20;

/// The largest metadata file that is read, in bytes.
const SIZE_MAX: u64 = 2 << 30;

/// What a metadata file may unpack to, in bytes ...
const OPEN_SIZE_MAX: u64 = 4 << 30;

/// ... and how many times its own size; XML packs well, but not so well.
const RATIO_MAX: u64 = 400;

/// Records whose meaning lies in files that are not adopted.
const LEFT_OUT: [&str; 2] = ["prestodelta", "deltainfo"];

/// What was read and verified.
pub(super) struct Metadata {
    pub(super) repomd: Repomd,
    pub(super) old: Old,
    pub(super) carried: Vec<(Record, Vec<u8>)>,
    pub(super) beside: Beside,
    pub(super) metadata: BTreeMap<String, Arc<Vec<u8>>>,
    pub(super) notes: Vec<String>,
}

/// How large metadata may be, in bytes.
pub(crate) struct Limits {
    /// A file.
    pub(crate) size_max: u64,
    /// What it unpacks to.
    pub(crate) open_size_max: u64,
}

const LIMITS: Limits = Limits { size_max: SIZE_MAX, open_size_max: OPEN_SIZE_MAX };

pub(super) fn read(folder: &Folder<'_>) -> Result<Metadata, Refusal> {
    let (repomd, _) = repomd(folder, "repodata/repomd.xml")?;
    let mut needed = BTreeMap::new();
    let mut carried = Vec::new();
    let mut beside = Beside::default();
    let mut metadata = BTreeMap::new();
    let mut left_out = Vec::new();
    for record in &repomd.records {
        let (href, bytes) = whole(folder, record, &LIMITS)?;
        let is_needed = ["primary", "filelists", "other"].contains(&record.kind.as_str());
        let is_packed = record.open_checksum.is_some() || record.open_size.is_some();
        let opened = match (is_packed || is_needed || is_group(&record.kind), is_beside(record)) {
            (true, _) if is_needed && is_proven(record, &bytes, &LIMITS) => None,
            (true, _) => Some(unpacked(folder, record, &bytes, &LIMITS)?),
            // What nobody can read is carried as it is.
            (false, true) => unpacked(folder, record, &bytes, &LIMITS).ok(),
            (false, false) => None,
        };
        if record.is_made_from_packages() || LEFT_OUT.contains(&record.kind.as_str()) {
            if !is_needed {
                left_out.push(format!("`{}`", record.kind));
            }
        } else {
            let open =
                opened.as_ref().filter(|_| is_packed).map(|open| (repo::sha256(open), open.len() as u64));
            carried.push((record.named_by(repo::sha256(&bytes), bytes.len() as u64, open), bytes.clone()));
        }
        beside.take(record, opened.as_deref());
        if is_needed {
            needed.insert(record.kind.as_str(), (record, href.clone()));
        }
        metadata.insert(href, Arc::new(bytes));
    }
    let find = |document: Document| {
        needed.get(document.as_str()).map(|(record, href)| (*record, metadata[href].as_slice())).ok_or_else(
            || {
                let sentence = format!("the repomd.xml in `{}` names no `{document}`", folder.top);
                Refusal::new(Code::BadMetadata, sentence)
            },
        )
    };
    let [primary, filelists, other] = DOCUMENTS;
    let files = [find(primary)?, find(filelists)?, find(other)?];
    let old = Old::read(files.map(|(_, bytes)| bytes), LIMITS.open_size_max, || {
        let [primary, filelists, other] =
            files.map(|(record, bytes)| unpacked(folder, record, bytes, &LIMITS));
        contents(folder, [primary?, filelists?, other?])
    })?;
    let mut notes = Vec::new();
    if !left_out.is_empty() {
        let them = left_out.join(", ");
        notes.push(format!("left out of the new metadata, because it speaks of the old packages' files or is made anew: {them}"));
    }
    for name in ["repomd.xml.asc", "repomd.xml.key"] {
        if folder.disk.state(&folder.top.join("repodata").join(name)).is_ok_and(|state| state.is_some()) {
            notes.push(format!("left out: `repodata/{name}`, which is about the old repomd.xml; clients with `repo_gpgcheck=1` need another"));
        }
    }
    Ok(Metadata { old, carried, beside, metadata, notes, repomd })
}

/// Reads the repomd.xml at `href`; gives its bytes as well.
pub(crate) fn repomd(folder: &Folder<'_>, href: &str) -> Result<(Repomd, Vec<u8>), Refusal> {
    let none = |refusal: Refusal| match refusal.code {
        Code::MissingFile => {
            let sentence = format!("there is no `{href}` in `{}`", folder.top);
            Refusal::new(Code::NoRepository, sentence).hint("name the folder that holds `repodata`")
        }
        _ => refusal,
    };
    let mut found = folder.find(href, "every repository").map_err(none)?;
    let mut bytes = Vec::new();
    let read = (&mut found.file).take(REPOMD_SIZE_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&found.path, &error))?;
    if bytes.len() as u64 > REPOMD_SIZE_MAX {
        let sentence = format!("`{}` is larger than {REPOMD_SIZE_MAX} bytes", found.path);
        return Err(Refusal::new(Code::BadMetadata, sentence));
    }
    let repomd = Repomd::parse(&bytes).map_err(|error| wrong(found.path.as_str(), &bytes, &error))?;
    Ok((repomd, bytes))
}

/// Says what is wrong with XML; a document type and a place outside have codes of their own.
pub(crate) fn wrong(place: &str, bytes: &[u8], error: &repo::Error) -> Refusal {
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    let words = error.to_string();
    let sentence = format!("`{place}` is not what it should be: {words}");
    match error {
        repo::Error::Xml { .. } if words.contains("document type") || has(b"<!DOCTYPE") => {
            Refusal::new(Code::DocumentType, sentence).hint("no program that makes repositories writes one")
        }
        repo::Error::Xml { problem, .. } if problem.contains("outside of the repository") => {
            Refusal::new(Code::HrefOutside, sentence)
                .hint("a repository is adopted with all its files below one folder")
        }
        _ => {
            Refusal::new(Code::BadMetadata, sentence).hint("make the metadata anew, with createrepo for one")
        }
    }
}

fn unreadable(path: &camino::Utf8Path, error: &std::io::Error) -> Refusal {
    Refusal::new(Code::FolderNotReadable, format!("the daemon could not read `{path}`: {error}"))
}

/// Reads the file of a record; it has the size and the checksum that the record states.
pub(crate) fn whole(
    folder: &Folder<'_>,
    record: &Record,
    limits: &Limits,
) -> Result<(String, Vec<u8>), Refusal> {
    let said_by = format!("record `{}` of repomd.xml", record.kind.escape_debug());
    let mut found = folder.find(&record.href, &said_by)?;
    let path = &found.path;
    let size = |found: u64, stated: u64| {
        let sentence = format!("`{path}` has {found} bytes, {said_by} says {stated}");
        Refusal::new(Code::SizeMismatch, sentence).hint("somebody changed it after repomd.xml was made")
    };
    if let Some(stated) = record.size.filter(|stated| *stated != found.state.size) {
        return Err(size(found.state.size, stated));
    }
    if found.state.size > limits.size_max {
        let sentence = format!("`{path}` is larger than {} bytes", limits.size_max);
        return Err(Refusal::new(Code::BadMetadata, sentence));
    }
    // It is kept until it is published: in no more room than it needs, and one byte to see whether there is more.
    let mut bytes = Vec::with_capacity(usize::try_from(found.state.size).unwrap_or(0) + 1);
    let read = (&mut found.file).take(found.state.size + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 != found.state.size {
        return Err(size(bytes.len() as u64, found.state.size));
    }
    checked(&record.checksum, &bytes, path.as_str(), &said_by)?;
    Ok((found.href, bytes))
}

/// Compares bytes with a digest of whatever algorithm.
fn checked(stated: &Digest, bytes: &[u8], place: &str, said_by: &str) -> Result<(), Refusal> {
    let found = repo::digest(stated.algorithm, bytes);
    if found.hex == stated.hex {
        return Ok(());
    }
    let sentence = format!("`{place}` has the {found}, {said_by} says {stated}");
    Err(Refusal::new(Code::DigestMismatch, sentence).hint("somebody changed it after repomd.xml was made"))
}

/// Unpacks the file of a record; it has the open size and the open checksum that the record states.
pub(crate) fn unpacked(
    folder: &Folder<'_>,
    record: &Record,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Vec<u8>, Refusal> {
    let place = folder.top.join(&record.href);
    let said_by = format!("record `{}` of repomd.xml", record.kind.escape_debug());
    let limit = believable(record, bytes, limits);
    let open = repo::unpack(bytes, limit).map_err(|error| match error {
        repo::Error::TooLarge { .. } => {
            let sentence = format!("`{place}` unpacks to more than {limit} bytes, of {} packed", bytes.len());
            let hint = "the limit is the open-size that repomd.xml states, and 400 times the packed size";
            Refusal::new(Code::UnpacksTooLarge, sentence).hint(hint)
        }
        error => Refusal::new(Code::BadMetadata, format!("`{place}` cannot be unpacked: {error}")),
    })?;
    if let Some(stated) = record.open_size.filter(|stated| *stated != open.len() as u64) {
        let sentence = format!("`{place}` unpacks to {} bytes, {said_by} says {stated}", open.len());
        return Err(Refusal::new(Code::SizeMismatch, sentence));
    }
    if let Some(stated) = &record.open_checksum {
        checked(stated, &open, &format!("{place}, unpacked"), &said_by)?;
    }
    Ok(open)
}

/// Says whether a file unpacks to what its record states, without holding what comes out.
fn is_proven(record: &Record, bytes: &[u8], limits: &Limits) -> bool {
    let algorithm = record.open_checksum.as_ref().map_or(Algorithm::Sha256, |stated| stated.algorithm);
    let measured = repo::measure_unpacked(bytes, believable(record, bytes, limits), algorithm);
    measured.is_ok_and(|open| {
        record.open_size.is_none_or(|stated| stated == open.size)
            && record.open_checksum.as_ref().is_none_or(|stated| *stated == open.checksum)
    })
}

/// How much may come out of a file, in bytes.
fn believable(record: &Record, bytes: &[u8], limits: &Limits) -> u64 {
    let believable = (bytes.len() as u64).saturating_mul(RATIO_MAX).clamp(1 << 20, limits.open_size_max);
    record.open_size.map_or(believable, |stated| stated.min(believable))
}

/// Reads what the three files list; they must list the same packages, as many as each claims.
fn contents(folder: &Folder<'_>, open: [Vec<u8>; 3]) -> Result<Contents, Refusal> {
    for (document, bytes) in DOCUMENTS.into_iter().zip(&open) {
        let place = format!("{document} of {}", folder.top);
        let listing = Written::read(document, bytes).map_err(|error| wrong(&place, bytes, &error))?;
        let listed = listing.packages.len();
        if let Some(claimed) = listing.claimed.filter(|claimed| *claimed != listed.to_string()) {
            let claimed: String = claimed.escape_debug().take(40).collect();
            let sentence = format!("`{place}` claims {claimed} packages and lists {listed}");
            return Err(Refusal::new(Code::CountMismatch, sentence));
        }
    }
    let [primary, filelists, other] = &open;
    Contents::read(primary, filelists, other).map_err(|error| match error {
        repo::Error::Unmatched { .. } => {
            let sentence = format!("the metadata in `{}` contradicts itself: {error}", folder.top);
            Refusal::new(Code::CountMismatch, sentence)
        }
        error => wrong(folder.top.as_str(), primary, &error),
    })
}
