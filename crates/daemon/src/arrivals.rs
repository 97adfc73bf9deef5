//! Package files that arrive: copied into the site, hashed, read and named before anything is planned.

use std::io::{ErrorKind, Read as _};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;
use plan::{Arrival, Code, Listed, ListedPackage, Refusal};
use repo::{Entry, Pile};
use store::{Disk, Modified, PoolArrival, Reading, Store};

use crate::error::Error;
use crate::reading::{PackageReader, Unfit, Wrong};
use crate::spool::Spool;

/// How deep below a folder packages are looked for; deeper trees are rather a loop or a mistake.
pub(crate) const FOLDER_DEPTH_MAX: usize = 8;

/// One package that arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// What the plan sees.
    pub arrival: Arrival,
    /// Where its bytes are, if the pool does not have them yet.
    pub pool: Option<PoolArrival>,
}

/// What an import or an adoption brought in.
#[derive(Clone, Debug, Default)]
pub struct Brought {
    /// The packages, in order.
    pub packages: Vec<Arrived>,
    /// What metadata will say of each, by its place among them.
    pub said: Arc<Pile>,
}

/// Where arriving files are brought in.
#[derive(Debug)]
pub struct Gate<'a> {
    /// The disk.
    pub disk: &'a dyn Disk,
    /// The site.
    pub store: &'a Store,
    /// The control directory, whose `upload/` holds what requests refer to.
    pub spool: &'a Spool,
    /// Who reads packages.
    pub reader: &'a dyn PackageReader,
    /// Now: a file dated later is dated now.
    pub now: Timestamp,
}

/// Why a file did not get in.
#[derive(Debug)]
pub enum Stopped {
    /// The requester must mend something.
    Refused(Refusal),
    /// The site could not do it now.
    Failed(Error),
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<store::Error> for Stopped {
    fn from(error: store::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// What is being brought in.
#[derive(Default)]
pub(crate) struct Arriving {
    pub(crate) packages: Vec<Arrived>,
    said: Pile,
}

impl Arriving {
    pub(crate) fn push(&mut self, (arrived, entry): (Arrived, Entry)) {
        self.packages.push(arrived);
        self.said.push(&entry);
    }

    pub(crate) fn brought(self) -> Brought {
        Brought { packages: self.packages, said: Arc::new(self.said) }
    }
}

impl Gate<'_> {
    /// Brings in what an import of `claim` names: files of `upload/`, and the packages below `folder`.
    pub fn bring_in(&self, claim: &str, files: &[String], folder: Option<&str>) -> Result<Brought, Stopped> {
        let mut arrived = Arriving::default();
        for file in files {
            arrived.push(self.uploaded(claim, file)?);
        }
        if let Some(folder) = folder {
            for path in self.packages_below(Utf8Path::new(folder), FOLDER_DEPTH_MAX)? {
                let name = path.file_name().expect("a path made by joining a name has one");
                let file = self.disk.open(&path).map_err(|error| folder_not_readable(&path, &error))?;
                let stored = format!("folder-{:06}", arrived.packages.len());
                arrived.push(self.copied(claim, &stored, name, file, None)?);
            }
        }
        if arrived.packages.is_empty() {
            let folder = folder.unwrap_or("the request");
            let sentence = format!("no package files (`*.rpm`) were found in `{folder}`");
            return Err(Stopped::Refused(Refusal::new(Code::NoSuchPackage, sentence)));
        }
        Ok(arrived.brought())
    }

    /// Lists the regular files `*.rpm` below `folder`, in order of their names; links are not followed.
    fn packages_below(&self, folder: &Utf8Path, depth: usize) -> Result<Vec<Utf8PathBuf>, Stopped> {
        let mut found = Vec::new();
        let names = self.disk.list(folder).map_err(|error| folder_not_readable(folder, &error))?;
        for name in names.names {
            let path = folder.join(&name);
            let state = self.disk.state(&path).map_err(|error| folder_not_readable(&path, &error))?;
            match state.map(|state| state.kind) {
                Some(store::Kind::Directory) if depth > 0 => {
                    found.extend(self.packages_below(&path, depth - 1)?)
                }
                Some(store::Kind::File) if name.ends_with(".rpm") => found.push(path),
                _ => {}
            }
        }
        Ok(found)
    }

    /// Brings in `upload/<sha256>-<name>`; what the pool already has need not be uploaded again.
    fn uploaded(&self, claim: &str, file: &str) -> Result<(Arrived, Entry), Stopped> {
        let Some((digest, name)) = plan::upload_parts(file) else {
            let sentence = format!("`{file}` is not the name of an upload: `<sha256>-<name>` is wanted");
            return Err(Stopped::Refused(Refusal::new(Code::NoSuchUpload, sentence)));
        };
        let opened = match self.spool.open_upload(file) {
            Err(Error::Store(store::Error::Disk { cause, .. }))
                if cause.kind() == ErrorKind::PermissionDenied =>
            {
                let sentence = format!("the daemon may not read `upload/{file}`");
                return Err(Stopped::Refused(Refusal::new(Code::Unreadable, sentence).hint("chmod go+r it")));
            }
            opened => opened?,
        };
        match opened {
            Some(opened) => self.copied(claim, &digest.hex(), name, opened, Some(digest)),
            None if self.disk.state(&self.store.paths().pool_file(&digest))?.is_some() => {
                self.pooled(&digest, name)
            }
            None => {
                let sentence = format!("`upload/{file}` is not there, and the pool has no such package");
                Err(Stopped::Refused(Refusal::new(Code::NoSuchUpload, sentence)))
            }
        }
    }

    /// Copies one file into the site while hashing it; what was copied is what counts, whatever happens to
    /// the original meanwhile.
    fn copied(
        &self,
        claim: &str,
        stored: &str,
        name: &str,
        mut file: Box<dyn Reading>,
        expected: Option<Sha256>,
    ) -> Result<(Arrived, Entry), Stopped> {
        let store::State { modified, size: stated, .. } = file.state()?;
        let seconds = modified.seconds.min(self.now.as_second());
        let modified = Modified { seconds, nanoseconds: 0 };
        let store::Arrived { sha256: digest, size, path } =
            self.store.bring_in(claim, stored, &mut (&mut file).take(stated + 1), modified)?;
        if size != stated {
            let sentence = format!("`{name}` changed while it was copied");
            return Err(Stopped::Refused(Refusal::new(Code::DigestMismatch, sentence)));
        }
        if expected.is_some_and(|expected| expected != digest) {
            let sentence = format!("`upload/{name}` has the sha256 {digest}, not the one in its name");
            let hint = "it changed on its way: upload it again under the name `sluice import` gives it";
            return Err(Stopped::Refused(Refusal::new(Code::DigestMismatch, sentence).hint(hint)));
        }
        if self.disk.state(&self.store.paths().pool_file(&digest))?.is_some() {
            return self.pooled(&digest, name);
        }
        let pool = PoolArrival { digest, size, from: path.clone() };
        self.read(&path, digest, size, seconds, name, Some(pool))
    }

    /// Takes a package the pool already has.
    fn pooled(&self, digest: &Sha256, name: &str) -> Result<(Arrived, Entry), Stopped> {
        let path = self.store.paths().pool_file(digest);
        let state = self.disk.open(&path)?.state()?;
        self.read(&path, *digest, state.size, state.modified.seconds, name, None)
    }

    /// Reads a package that was verified and lies at `path`, perhaps already in the pool, and gives its metadata, too.
    pub(crate) fn read(
        &self,
        path: &Utf8Path,
        sha256: Sha256,
        size: u64,
        mtime: i64,
        name: &str,
        pool: Option<PoolArrival>,
    ) -> Result<(Arrived, Entry), Stopped> {
        let mut file = self.disk.open(path)?;
        let said = self.reader.read(path, &mut *file)?;
        let mut package = said.map_err(|unfit| bad_package(name, size, &unfit))?;
        (package.pkgid, package.size_package, package.time_file) = (sha256.into(), size, mtime);
        let file_name = package.nevra.file_name();
        if let Some(wrong) = wrong_in_url(&file_name) {
            let sentence = format!(
                "`{name}` is a package whose file would be called `{}`, in which `{}` cannot stand",
                file_name.escape_debug(),
                wrong.escape_debug()
            );
            return Err(Stopped::Refused(Refusal::new(Code::BadPackageName, sentence).hint(MISNAMED)));
        }
        let source_rpm = package.source_rpm.clone();
        let listed: Listed =
            ListedPackage { nevra: package.nevra.clone(), pkgid: sha256, size, source_rpm }.into();
        package.href = listed.href();
        let entry = repo::entry_of(&package);
        Ok((Arrived { arrival: Arrival { listed, from: name.to_owned() }, pool }, entry))
    }
}

/// What to do about a file that is not what it was.
const DAMAGED: &str = "`rpm -K` says the same of the original? otherwise hand it in again";

/// What to do about a package that cannot be given a URL.
const MISNAMED: &str = "rename it in its spec file to letters, digits and `._+-~^`, and build it again";

/// Says what is wrong with a file that should be a package, each kind by a code of its own.
fn bad_package(name: &str, size: u64, unfit: &Unfit) -> Refusal {
    let words = &unfit.words;
    let (code, what, hint) = match unfit.wrong {
        _ if size == 0 => {
            (Code::EmptyFile, "is empty".to_owned(), "was the disk full where it was made? hand it in again")
        }
        Wrong::CutShort => (
            Code::PackageCutShort,
            format!("ends too early: {words}"),
            "it was cut short on its way: copy it whole and hand it in again",
        ),
        Wrong::NotRpm => (
            Code::NotAPackage,
            format!("is not an RPM: {words}"),
            "`file` and `rpm -qp` say what it is; import takes `*.rpm` only",
        ),
        Wrong::Oversized => (
            Code::OversizedHeader,
            format!("is no honest package: {words}"),
            "no rpmbuild makes such a header: ask who made the file",
        ),
        Wrong::Damaged | Wrong::Differs => (Code::DamagedPackage, format!("is damaged: {words}"), DAMAGED),
        Wrong::ControlCharacter => (
            Code::ControlCharacter,
            format!("cannot be listed: {words}"),
            "take the character out of the spec file and build it again",
        ),
        Wrong::Name => (Code::BadPackageName, format!("has no usable name: {words}"), MISNAMED),
        Wrong::Deadly => (
            Code::ReaderDied,
            format!("cannot be read: whoever reads it dies of it: {words}"),
            "nothing else was harmed; do not trust the file, and send it to the authors of Sluice",
        ),
        Wrong::Other => (
            Code::BadPackage,
            format!("is not a package Sluice can serve: {words}"),
            "mend its spec file and build it again",
        ),
    };
    Refusal::new(code, format!("`{name}` {what}")).hint(hint)
}

/// Finds the first thing in a file name that may not stand in a URL path and a directory of ours.
fn wrong_in_url(file_name: &str) -> Option<char> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._+-~^:".contains(c);
    file_name
        .chars()
        .find(|c| !allowed(*c))
        .or_else(|| file_name.starts_with(['.', '-']).then_some('.'))
        .or_else(|| {
            // 255 bytes is what a file system takes.
            (file_name.len() > 255).then_some('…')
        })
}

fn folder_not_readable(path: &Utf8Path, error: &store::Error) -> Stopped {
    let sentence = format!("the daemon could not read `{path}`: {error}");
    Stopped::Refused(Refusal::new(Code::FolderNotReadable, sentence))
}
