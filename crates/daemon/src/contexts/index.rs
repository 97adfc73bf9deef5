//! What was read from repodata, kept in `cache/contexts/<digest of repomd.xml>`.
//!
//! A line that names the form, a line with the SHA-256 of the rest, then the rest in postcard. A file that is damaged, of
//! another form or by somebody else counts as none. Texts are kept as they were in the metadata: what is written as text and
//! parsed again could come back as something else.

use std::io::{Read as _, Write as _};

use camino::Utf8PathBuf;
use closure::{File, FileKind, Package, Paths};
use nevra::{Arch, Bound, Dependency, Evr, Nevra, Sense, Sha256};
use plan::Place;
use serde::{Deserialize, Serialize};

use super::Kept;
use super::repodata::Listing;
use crate::error::Error;

/// The first line; another form of what follows gets another number.
const FORM: &str = "sluice context index 3\n";

/// The largest index that is read or written, in bytes.
const SIZE_MAX: u64 = 2 << 30;

/// The most indexes that are kept; then all are made anew.
const INDEXES_MAX: usize = 500;

#[derive(Serialize, Deserialize)]
struct StoredPackage<'a> {
    name: &'a str,
    epoch: u32,
    version: &'a str,
    release: &'a str,
    arch: &'a str,
    /// Provides, requires, conflicts, obsoletes.
    #[serde(borrow)]
    relations: [Vec<StoredDependency<'a>>; 4],
    #[serde(borrow)]
    files: Vec<(&'a str, FileKind)>,
    href: &'a str,
    size: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredDependency<'a> {
    name: &'a str,
    #[serde(borrow)]
    bound: Option<(Sense, Option<u32>, &'a str, Option<&'a str>)>,
}

fn folder(kept: &Kept<'_>) -> Utf8PathBuf {
    kept.cache.join("contexts")
}

/// Reads an index; `None` if there is none that can be used.
pub(super) fn read(kept: &Kept<'_>, digest: Sha256) -> Option<Listing> {
    let bytes = whole(kept, digest)?;
    let (count, mut rest) = counted(&bytes)?;
    let (mut packages, mut places) = (Vec::new(), Vec::new());
    // One after the other: what stands for all of them at once is as large as they are.
    for _ in 0..count {
        let (stored, after): (StoredPackage<'_>, _) = postcard::take_from_bytes(rest).ok()?;
        packages.push(package_of(&stored)?);
        places.push(Place { href: stored.href.into(), size: stored.size });
        rest = after;
    }
    let paths: Paths = postcard::from_bytes(rest).ok()?;
    paths.fits(packages.len()).then_some(Listing { packages, places, paths })
}

/// Says how many packages an index holds, if it can be used.
pub(super) fn count(kept: &Kept<'_>, digest: Sha256) -> Option<usize> {
    let bytes = whole(kept, digest)?;
    counted(&bytes).map(|(count, _)| count)
}

/// Writes an index. That it cannot be written costs time, and nothing else.
pub(super) fn write(kept: &Kept<'_>, digest: Sha256, listing: &Listing) {
    if let Err(error) = try_write(kept, digest, listing) {
        tracing::warn!("what was read of a context is not kept: {error}");
    }
}

fn try_write(kept: &Kept<'_>, digest: Sha256, listing: &Listing) -> Result<(), Error> {
    let Some(bytes) = encoded(listing).filter(|bytes| bytes.len() as u64 <= SIZE_MAX) else {
        return Ok(());
    };
    let (disk, folder) = (kept.disk, folder(kept));
    if disk.state(&folder)?.is_none() {
        disk.make_directory(&folder, 0o755)?;
    }
    let known = disk.list(&folder)?.names;
    if known.len() >= INDEXES_MAX {
        known.iter().try_for_each(|name| disk.remove_file(&folder.join(name)))?;
    }
    let (path, draft) = (folder.join(digest.hex()), folder.join(format!(".{}", digest.hex())));
    if disk.state(&draft)?.is_some() {
        disk.remove_file(&draft)?;
    }
    let mut file = disk.create(&draft, 0o644)?;
    let written = file.write_all(&bytes);
    written.map_err(|cause| Error::File { operation: "write", path: draft.clone(), cause })?;
    Ok(disk.rename(&draft, &path)?)
}

/// Removes an index.
pub(super) fn remove(kept: &Kept<'_>, digest: Sha256) -> Result<(), store::Error> {
    let path = folder(kept).join(digest.hex());
    match kept.disk.state(&path)? {
        Some(_) => kept.disk.remove_file(&path),
        None => Ok(()),
    }
}

/// Removes every index but those of the digests given.
pub(super) fn sweep(kept: &Kept<'_>, needed: &[Sha256]) -> Result<usize, store::Error> {
    let folder = folder(kept);
    if kept.disk.state(&folder)?.is_none() {
        return Ok(0);
    }
    let is_needed = |name: &String| needed.iter().any(|digest| digest.hex() == *name);
    let gone: Vec<String> =
        kept.disk.list(&folder)?.names.into_iter().filter(|name| !is_needed(name)).collect();
    gone.iter().try_for_each(|name| kept.disk.remove_file(&folder.join(name)))?;
    Ok(gone.len())
}

/// Reads the bytes behind the two lines, provided that they are those of the second.
fn whole(kept: &Kept<'_>, digest: Sha256) -> Option<Vec<u8>> {
    let mut file = kept.disk.open(&folder(kept).join(digest.hex())).ok()?;
    let mut head = vec![0; FORM.len() + 65];
    file.read_exact(&mut head).ok()?;
    let stated: Sha256 = std::str::from_utf8(&head).ok()?.strip_prefix(FORM)?.trim_end().parse().ok()?;
    let mut body = Vec::new();
    file.take(SIZE_MAX).read_to_end(&mut body).ok()?;
    (repo::sha256(&body) == stated).then_some(body)
}

/// Takes the number of packages off the beginning.
fn counted(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (count, rest): (u32, _) = postcard::take_from_bytes(bytes).ok()?;
    Some((count as usize, rest))
}

fn encoded(listing: &Listing) -> Option<Vec<u8>> {
    let mut body = postcard::to_allocvec(&(listing.packages.len() as u32)).ok()?;
    for (package, place) in listing.packages.iter().zip(&listing.places) {
        body = postcard::to_extend(&stored(package, place), body).ok()?;
    }
    body = postcard::to_extend(&listing.paths, body).ok()?;
    let mut bytes = format!("{FORM}{}\n", repo::sha256(&body).hex()).into_bytes();
    bytes.extend_from_slice(&body);
    Some(bytes)
}

fn stored<'a>(package: &'a Package, place: &'a Place) -> StoredPackage<'a> {
    fn of(all: &[Dependency]) -> Vec<StoredDependency<'_>> {
        all.iter().map(stored_dependency).collect()
    }
    let Nevra { name, evr: Evr { epoch, version, release }, arch } = &package.nevra;
    let relations =
        [of(&package.provides), of(&package.requires), of(&package.conflicts), of(&package.obsoletes)];
    let files = package.files.iter().map(|file| (file.path.as_str(), file.kind)).collect();
    let (arch, href, size) = (arch.as_str(), &*place.href, place.size);
    StoredPackage { name, epoch: *epoch, version, release, arch, relations, files, href, size }
}

fn stored_dependency(dependency: &Dependency) -> StoredDependency<'_> {
    let bound = dependency.bound.as_ref();
    let bound =
        bound.map(|bound| (bound.sense, bound.epoch, bound.version.as_str(), bound.release.as_deref()));
    StoredDependency { name: &dependency.name, bound }
}

fn package_of(stored: &StoredPackage<'_>) -> Option<Package> {
    let evr =
        Evr { epoch: stored.epoch, version: stored.version.to_owned(), release: stored.release.to_owned() };
    let nevra = Nevra::new(stored.name, evr, Arch::new(stored.arch)).ok()?;
    let [provides, requires, conflicts, obsoletes] =
        stored.relations.each_ref().map(|all| all.iter().map(dependency_of).collect());
    let file =
        |(path, kind): &(&str, FileKind)| File { path: (*path).to_owned(), kind: *kind, contents: None };
    let files = stored.files.iter().map(file).collect();
    Some(Package { nevra, provides, requires, conflicts, obsoletes, files })
}

fn dependency_of(stored: &StoredDependency<'_>) -> Dependency {
    let bound = stored.bound.map(|(sense, epoch, version, release)| Bound {
        sense,
        epoch,
        version: version.to_owned(),
        release: release.map(str::to_owned),
    });
    Dependency { name: stored.name.to_owned(), bound }
}
