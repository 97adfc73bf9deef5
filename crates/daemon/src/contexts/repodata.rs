//! The repodata of a context, verified against its repomd.xml and read into packages.

use std::collections::HashSet;
use std::ops::ControlFlow;

use camino::Utf8PathBuf;
use closure::{Gathered, Package, Paths};
use nevra::Sha256;
use plan::{Code, Place, Refusal, Unfit};
use repo::{Record, Repomd};
use store::{Disk, State};

use super::modules::Modules;
use super::weight::{self, WEIGHT_MAX};
use crate::adoption::folder::Folder;
use crate::adoption::metadata::{self, Limits};
use crate::relations;

/// The kinds of records that are read beside [`MODULES`], and no others.
pub const METADATA: [&str; 2] = ["primary", "filelists"];

/// The kind of the record that tells of module streams, where there are some.
pub const MODULES: &str = "modules";

/// What the modules of one may unpack to, in bytes: several times those of RHEL 8.
const MODULES_OPEN_SIZE_MAX: u64 = 64 << 20;

/// The largest file of metadata that is read, in bytes; Fedora's filelists have 60 million.
pub const SIZE_MAX: u64 = 512 << 20;

/// What one may unpack to, in bytes: twice Fedora's filelists, and more than twice its primary.
const OPEN_SIZES_MAX: [u64; 2] = [512 << 20, 2 << 30];

/// The packages of a context, without source packages.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// With the files that primary lists.
    pub(super) packages: Vec<Package>,
    /// Where the file of each of them lies.
    pub(super) places: Vec<Place>,
    /// All other files.
    pub(super) paths: Paths,
}

/// A folder, the digest of its repomd.xml, and the states of what that names.
pub(super) type Marks = (Utf8PathBuf, Sha256, [Option<State>; 3]);

/// A folder with a repomd.xml that was read.
#[derive(Debug)]
pub(super) struct Repodata<'a> {
    pub(super) folder: Folder<'a>,
    /// The digest of repomd.xml.
    pub(super) digest: Sha256,
    repomd: Repomd,
    /// Whether files are named for the kind of their record, not as it says.
    is_by_kind: bool,
}

impl<'a> Repodata<'a> {
    /// Reads the repomd.xml of somebody's folder.
    pub(super) fn of_folder(disk: &'a dyn Disk, top: Utf8PathBuf) -> Result<Self, Unfit> {
        Self::open(Folder { disk, top }, "repodata/repomd.xml", false)
    }

    /// Reads the repomd.xml of a folder in which every file is named for the kind of its record.
    pub(super) fn of_snapshot(disk: &'a dyn Disk, top: Utf8PathBuf) -> Result<Self, Unfit> {
        Self::open(Folder { disk, top }, "repomd.xml", true)
    }

    fn open(folder: Folder<'a>, href: &str, is_by_kind: bool) -> Result<Self, Unfit> {
        let (repomd, bytes) = metadata::repomd(&folder, href).map_err(unfit)?;
        Ok(Self { digest: repo::sha256(&bytes), folder, repomd, is_by_kind })
    }

    /// Reads everything that is needed to judge; whatever is not as repomd.xml says is told.
    pub(super) fn listing(&self) -> Result<Listing, Unfit> {
        let modules = self.modules()?;
        let [(primary, primary_at), (filelists, filelists_at)] = [self.file(0)?, self.file(1)?];
        let primary = self.opened(primary, primary_at, 0)?;
        let wrong = |kind: usize, bytes: &[u8], error: &repo::Error| {
            let place = format!("{} of {}", METADATA[kind], self.folder.top);
            unfit(metadata::wrong(&place, bytes, error))
        };
        let too_large = || Unfit {
            code: Code::ContextTooLarge,
            words: format!(
                "what is listed in `{}` would take more than {} MiB",
                self.folder.top,
                WEIGHT_MAX >> 20
            ),
        };
        let (mut packages, mut files_at, mut weight) = (Vec::new(), Vec::new(), 0);
        let mut pkgids: Vec<String> = Vec::new();
        // Nobody installs a source package, and nobody sees what no module stream of his brings.
        let mut places: Vec<Option<u32>> = Vec::new();
        let read = repo::each_package(&primary, |listed| {
            let package = relations::package_of(&listed);
            let is_seen = !listed.nevra.arch.is_source() && modules.show(&package);
            places.push(is_seen.then_some(packages.len() as u32));
            if is_seen {
                weight += weight::of_package(&package);
                packages.push(package);
                files_at.push(Place { href: listed.href.into_boxed_str(), size: listed.size_package });
            }
            weight += weight::LISTED;
            pkgids.push(listed.pkgid.hex);
            within(weight)
        });
        read.map_err(|error| wrong(0, &primary, &error))?;
        drop(primary);
        if within(weight).is_break() {
            return Err(too_large());
        }
        let told: HashSet<(u32, &str)> =
            (0..).zip(&packages).flat_map(|(at, package)| files(at, package)).collect();
        let filelists = self.opened(filelists, filelists_at, 1)?;
        let mut gathered = Gathered::default();
        let of = pkgids.iter().map(String::as_str);
        let read = repo::each_file(&filelists, of, |at, file| {
            if let Some(place) = places[at]
                && !told.contains(&(place, file.path.as_str()))
            {
                gathered.add(&file.path, place, relations::kind(file.kind));
                weight += weight::PATH;
            }
            within(weight)
        });
        read.map_err(|error| wrong(1, &filelists, &error))?;
        if within(weight).is_break() {
            return Err(too_large());
        }
        drop(told);
        Ok(Listing { packages, places: files_at, paths: gathered.paths() })
    }

    /// Shows where the metadata lies, and how it looks from outside: what cannot be read is read again once that changed.
    pub(super) fn marks(&self) -> Marks {
        let state = |record: Option<&Record>| {
            let href = record.map(|record| if self.is_by_kind { &record.kind } else { &record.href })?;
            self.folder.disk.state(&self.folder.top.join(href)).ok().flatten()
        };
        let [primary, filelists] = wanted(&self.repomd);
        let states = [primary, filelists, self.repomd.record(MODULES)].map(state);
        (self.folder.top.clone(), self.digest, states)
    }

    /// Looks whether the files are there and are those that repomd.xml names.
    pub(super) fn is_whole(&self) -> bool {
        (0..METADATA.len()).all(|kind| self.file(kind).is_ok()) && self.modules().is_ok()
    }

    fn file(&self, kind: usize) -> Result<(Vec<u8>, Record), Unfit> {
        let record = wanted(&self.repomd)[kind].ok_or_else(|| Unfit {
            code: Code::ContextCorrupt,
            words: format!("the repomd.xml in `{}` names no `{}`", self.folder.top, METADATA[kind]),
        })?;
        let record = self.stored(record);
        let (_, bytes) = metadata::whole(&self.folder, &record, &limits(kind)).map_err(unfit)?;
        Ok((bytes, record))
    }

    /// Reads what the repository says of module streams.
    fn modules(&self) -> Result<Modules, Unfit> {
        let Some(record) = self.repomd.record(MODULES) else { return Ok(Modules::default()) };
        let limits = Limits { size_max: SIZE_MAX, open_size_max: MODULES_OPEN_SIZE_MAX };
        let record = self.stored(record);
        let (_, packed) = metadata::whole(&self.folder, &record, &limits).map_err(unfit)?;
        let open = metadata::unpacked(&self.folder, &record, &packed, &limits).map_err(unfit)?;
        let text = std::str::from_utf8(&open).map_err(|error| error.to_string());
        text.and_then(Modules::read).map_err(|why| Unfit {
            code: Code::ContextCorrupt,
            words: format!("`{MODULES} of {}` is not what it should be: {why}", self.folder.top),
        })
    }

    /// Says where the file of a record lies here.
    fn stored(&self, record: &Record) -> Record {
        let href = if self.is_by_kind { record.kind.clone() } else { record.href.clone() };
        Record { href, ..record.clone() }
    }

    fn opened(&self, packed: Vec<u8>, record: Record, kind: usize) -> Result<Vec<u8>, Unfit> {
        metadata::unpacked(&self.folder, &record, &packed, &limits(kind)).map_err(unfit)
    }
}

/// Finds the records of [`METADATA`], in its order.
pub fn wanted(repomd: &Repomd) -> [Option<&Record>; 2] {
    METADATA.map(|kind| repomd.record(kind))
}

/// Says whether there is room for more.
fn within(weight: u64) -> ControlFlow<()> {
    if weight > WEIGHT_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

fn files(at: u32, package: &Package) -> impl Iterator<Item = (u32, &str)> {
    package.files.iter().map(move |file| (at, file.path.as_str()))
}

fn limits(kind: usize) -> Limits {
    Limits { size_max: SIZE_MAX, open_size_max: OPEN_SIZES_MAX[kind] }
}

/// Says of what is refused in a repository of one's own what it means for one of others.
fn unfit(refusal: Refusal) -> Unfit {
    let code = match refusal.code {
        Code::MissingFile | Code::NoRepository | Code::FolderNotReadable => Code::ContextMissing,
        _ => Code::ContextCorrupt,
    };
    Unfit { code, words: refusal.sentence }
}
