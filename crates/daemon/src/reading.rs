//! What packages say of themselves, read where one that is hostile can do no harm.
//!
//! ```text
//!   daemon --a descriptor--> worker: no files, no network, little memory and time
//!          <--words---------  (bounded; read as a Package, never as XML)
//!
//!   daemon --a descriptor, certificates, an instant--> worker
//!          <--which key made each signature, or why it does not count, and until when that holds--
//!
//!   daemon --a descriptor, what to say otherwise--> worker
//!          <--the bytes of a meta-package that says so, or why none can--
//!
//!   daemon --a descriptor, some paths--> worker
//!          <--what these files are: mode, owner, digest or target--
//! ```
//!
//! A worker lists what a package says of itself from its headers alone; asked for its signatures, it reads the package
//! to the end, hashes it, and judges them by the certificates it was given: no OpenPGP of a package is parsed in the
//! daemon. Which key counts for which stage is not the worker's to say.
//!
//! The daemon hashes and copies files and believes its own digests; only what stands *inside* a package is the
//! worker's word, and that is the package's word anyway. A worker that dies takes the package it read with it and
//! nothing else.

mod answer;
mod confinement;
mod process;
mod rebuilding;
mod serving;
mod signatures;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::io::{ErrorKind, Read};
use std::sync::Arc;

use ::signatures::Certificate;
use camino::Utf8Path;
use closure::Contents;
use jiff::Timestamp;
use nevra::{Nevra, Sha256};
use plan::{Signed, Unbuilt};
use repo::{FileFacts, Head, Package};
use serde::{Deserialize, Serialize};
use store::Reading;

use crate::error::Error;
use crate::relations;

pub use confinement::Limits;
pub use process::Worker;
pub(crate) use rebuilding::SIZE_MAX as REWORKED_MAX;
pub use rebuilding::{Rework, Reworked};
pub use serving::serve;

/// Reads packages, one at a time.
pub trait PackageReader: Debug + Send + Sync {
    /// Reads the head of the package `file`, which stands at its first byte and was opened as `path`.
    ///
    /// Of the package size, digest, time and place are not filled in: they are the caller's to know. `Err` if the
    /// package could not be read now, whatever is in it.
    fn read(&self, path: &Utf8Path, file: &mut dyn Reading) -> Result<Result<Package, Unfit>, Error>;

    /// Judges the signatures of the package `file`, as [`PackageReader::read`] takes it, by `keys` and as of `now`; what
    /// they count for is not judged here.
    fn judge(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        keys: &[Arc<Certificate>],
        now: Timestamp,
    ) -> Result<Result<Judged, Unfit>, Error>;

    /// Reads what some files of the package `file`, as [`PackageReader::read`] takes it, are: those of `paths` that its
    /// header lists, and no more of it.
    fn files(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        paths: &BTreeSet<String>,
    ) -> Result<Result<Held, Unfit>, Error>;

    /// Makes another package of the package `file`, as [`PackageReader::read`] takes it: what `rework` says and no more.
    fn rework(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        rework: &Rework,
    ) -> Result<Result<Result<Reworked, Unbuilt>, Unfit>, Error>;

    /// Ends what was begun for the packages of one request, so that those of the next one meet nothing of it.
    fn rest(&self) {}
}

/// What was found out about the signatures of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// What it is at the instant it was asked for.
    pub signed: Signed,
    /// The next instant at which it may be something else, by the same certificates; `None` if it never will.
    pub until: Option<Timestamp>,
}

/// What some files of a package are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Whose files.
    pub nevra: Nevra,
    /// By path.
    pub files: BTreeMap<String, Contents>,
}

/// Why a package cannot be listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unfit {
    /// What is wrong with it.
    pub wrong: Wrong,
    /// The same in words, on one line.
    pub words: String,
}

/// The ways in which a package can be unfit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrong {
    /// It ends before its headers do.
    CutShort,
    /// It is no RPM.
    NotRpm,
    /// A header claims more than any RPM needs.
    Oversized,
    /// A header is broken.
    Damaged,
    /// A header differs from its own digest.
    Differs,
    /// Text holds a character that XML cannot carry.
    ControlCharacter,
    /// Name, version, release and architecture make no full name.
    Name,
    /// Whoever read it died of it.
    Deadly,
    /// Anything else.
    Other,
}

/// Reads packages in the process itself: for rehearsals on a disk that no other process can see.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcess;

impl PackageReader for InProcess {
    fn read(&self, path: &Utf8Path, file: &mut dyn Reading) -> Result<Result<Package, Unfit>, Error> {
        examine(file).map_err(|cause| Error::File { operation: "read", path: path.to_owned(), cause })
    }

    fn judge(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        keys: &[Arc<Certificate>],
        now: Timestamp,
    ) -> Result<Result<Judged, Unfit>, Error> {
        let known: Vec<&Certificate> = keys.iter().map(|key| &**key).collect();
        let judged = signatures::examine(file, &known, now);
        judged.map_err(|cause| Error::File { operation: "read", path: path.to_owned(), cause })
    }

    fn files(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        paths: &BTreeSet<String>,
    ) -> Result<Result<Held, Unfit>, Error> {
        held(file, paths).map_err(|cause| Error::File { operation: "read", path: path.to_owned(), cause })
    }

    fn rework(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        rework: &Rework,
    ) -> Result<Result<Result<Reworked, Unbuilt>, Unfit>, Error> {
        let made = rebuilding::examine(file, rework);
        made.map_err(|cause| Error::File { operation: "read", path: path.to_owned(), cause })
    }
}

/// Reads a package; `Err` if the disk is at fault.
fn examine(file: &mut dyn Read) -> Result<Result<Package, Unfit>, std::io::Error> {
    let head = match head_of(file)? {
        Ok(head) => head,
        Err(unfit) => return Ok(Err(unfit)),
    };
    let facts = FileFacts { size: 0, digest: Sha256::from([0; 32]).into(), mtime: 0, href: String::new() };
    Ok(repo::package_of(&head, facts).map_err(|error| Unfit::of(&error)))
}

/// Reads what the files of a package are that are asked for; `Err` if the disk is at fault.
fn held(file: &mut dyn Read, paths: &BTreeSet<String>) -> Result<Result<Held, Unfit>, std::io::Error> {
    let head = match head_of(file)? {
        Ok(head) => head,
        Err(unfit) => return Ok(Err(unfit)),
    };
    let facts = FileFacts { size: 0, digest: Sha256::from([0; 32]).into(), mtime: 0, href: String::new() };
    let read = repo::package_of(&head, facts).and_then(|package| {
        let found = repo::substances_of(&head, &|path| paths.contains(path))?;
        Ok(Held { nevra: package.nevra, files: found.into_iter().map(relations::contents).collect() })
    });
    Ok(read.map_err(|error| Unfit::of(&error)))
}

/// Reads the head of a package, which is what its own digests say; `Err` if the disk is at fault.
fn head_of(file: &mut dyn Read) -> Result<Result<Head, Unfit>, std::io::Error> {
    let head = match repo::read_head(file) {
        Err(repo::Error::Read { source, .. }) if source.kind() != ErrorKind::UnexpectedEof => {
            return Err(source);
        }
        Err(error) => return Ok(Err(Unfit::of(&error))),
        Ok(head) => head,
    };
    Ok(match head.check_header() {
        Ok(_) => Ok(head),
        Err(error) => Err(Unfit { wrong: Wrong::Differs, ..Unfit::of(&error) }),
    })
}

/// Takes any bytes for the answer of a worker, as the daemon does: for fuzzing.
#[cfg(feature = "testing")]
pub fn tried(bytes: &[u8]) {
    if let Ok(Ok(answer::Answer::Listed(package))) = answer::heard(bytes).map(answer::Answer::checked) {
        let fragments = repo::fragments_of(&package);
        for part in [&fragments.primary, &fragments.filelists, &fragments.other] {
            assert!(std::str::from_utf8(part).is_ok_and(|text| text.chars().all(repo::is_carried)));
        }
    }
}

/// What a worker says of a package: for fuzzing.
#[cfg(feature = "testing")]
pub fn said_of(mut rpm: &[u8]) -> Option<Vec<u8>> {
    let package = examine(&mut rpm).ok()?.ok()?;
    serde_json::to_vec(&answer::Answer::Listed(Box::new(package))).ok()
}

impl Unfit {
    /// Sorts what the reader of RPMs says.
    fn of(error: &repo::Error) -> Self {
        let wrong = match error {
            repo::Error::Read { .. } => Wrong::CutShort,
            repo::Error::NotRpm { .. } => Wrong::NotRpm,
            repo::Error::Oversized { .. } => Wrong::Oversized,
            repo::Error::Structure { .. } => Wrong::Damaged,
            repo::Error::ControlCharacter { .. } => Wrong::ControlCharacter,
            repo::Error::Name(_) => Wrong::Name,
            _ => Wrong::Other,
        };
        Self { wrong, words: error.to_string() }
    }
}
