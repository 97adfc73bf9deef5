//! The repodata of a context, verified against its repomd.xml and read into packages.

use std::collections::HashSet;

use camino::Utf8PathBuf;
use closure::{Gathered, Package, Paths};
use nevra::Sha256;
use plan::{Code, Place, Refusal, Unfit};
use repo::{Record, Repomd};
use store::Disk;

use crate::adoption::folder::Folder;
use crate::adoption::metadata::{self, Limits};
use crate::relations;

/// The kinds of records that are read, and no others.
pub const METADATA: [&str; 2] = ["primary", "filelists"];

/// The largest file of metadata that is read, in bytes; Fedora's filelists have 60 million.
pub const SIZE_MAX: u64 = 512 << 20;

/// What one may unpack to, in bytes: twice Fedora's filelists, and more than twice its primary.
const OPEN_SIZES_MAX: [u64; 2] = [512 << 20, 2 << 30];

/// The most packages: ten times Fedora's.
const PACKAGES_MAX: usize = 500_000;

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
        let [(primary, primary_at), (filelists, filelists_at)] = [self.file(0)?, self.file(1)?];
        let primary = self.opened(primary, primary_at, 0)?;
        let wrong = |kind: usize, bytes: &[u8], error: &repo::Error| {
            let place = format!("{} of {}", METADATA[kind], self.folder.top);
            unfit(metadata::wrong(&place, bytes, error))
        };
        let mut listed = repo::parse_primary(&primary).map_err(|error| wrong(0, &primary, &error))?;
        drop(primary);
        if listed.len() > PACKAGES_MAX {
            let words = format!("primary of {} lists more than {PACKAGES_MAX} packages", self.folder.top);
            return Err(Unfit { code: Code::ContextCorrupt, words });
        }
        let mut packages: Vec<Package> = Vec::with_capacity(listed.len());
        let mut files_at: Vec<Place> = Vec::with_capacity(listed.len());
        // Nobody installs a source package.
        let places: Vec<Option<u32>> = listed
            .iter_mut()
            .map(|one| {
                let place = (!one.nevra.arch.is_source()).then_some(packages.len() as u32);
                if place.is_some() {
                    packages.push(relations::package_of(one));
                    let href = std::mem::take(&mut one.href).into_boxed_str();
                    files_at.push(Place { href, size: one.size_package });
                }
                shed(one);
                place
            })
            .collect();
        let told: HashSet<(u32, &str)> =
            (0..).zip(&packages).flat_map(|(at, package)| files(at, package)).collect();
        let filelists = self.opened(filelists, filelists_at, 1)?;
        let mut gathered = Gathered::default();
        let read = repo::each_file(&filelists, &listed, |at, file| {
            if let Some(place) = places[at]
                && !told.contains(&(place, file.path.as_str()))
            {
                gathered.add(&file.path, place, relations::kind(file.kind));
            }
        });
        read.map_err(|error| wrong(1, &filelists, &error))?;
        drop(told);
        Ok(Listing { packages, places: files_at, paths: gathered.paths() })
    }

    /// Looks whether the files are there and are those that repomd.xml names.
    pub(super) fn is_whole(&self) -> bool {
        (0..METADATA.len()).all(|kind| self.file(kind).is_ok())
    }

    fn file(&self, kind: usize) -> Result<(Vec<u8>, Record), Unfit> {
        let record = wanted(&self.repomd)[kind].ok_or_else(|| Unfit {
            code: Code::ContextCorrupt,
            words: format!("the repomd.xml in `{}` names no `{}`", self.folder.top, METADATA[kind]),
        })?;
        let href = if self.is_by_kind { record.kind.clone() } else { record.href.clone() };
        let record = Record { href, ..record.clone() };
        let (_, bytes) = metadata::whole(&self.folder, &record, &limits(kind)).map_err(unfit)?;
        Ok((bytes, record))
    }

    fn opened(&self, packed: Vec<u8>, record: Record, kind: usize) -> Result<Vec<u8>, Unfit> {
        metadata::unpacked(&self.folder, &record, &packed, &limits(kind)).map_err(unfit)
    }
}

/// Finds the records of [`METADATA`], in its order.
pub fn wanted(repomd: &Repomd) -> [Option<&Record>; 2] {
    METADATA.map(|kind| repomd.record(kind))
}

/// Lets go of what was taken over or is never asked for: of a base system that is as much again.
fn shed(listed: &mut repo::Package) {
    let hard = [&mut listed.provides, &mut listed.requires, &mut listed.conflicts, &mut listed.obsoletes];
    let weak = [&mut listed.suggests, &mut listed.enhances, &mut listed.recommends, &mut listed.supplements];
    hard.into_iter().chain(weak).for_each(|relations| *relations = Vec::new());
    (listed.files, listed.description) = (Vec::new(), String::new());
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
