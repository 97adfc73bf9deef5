//! How much memory contexts take: an estimate, by which what is too large is refused before it is there.

use closure::Package;

use super::repodata::Listing;

/// The most that one context, and all of them together, may take, in bytes: several times Fedora with all its updates.
pub(super) const WEIGHT_MAX: u64 = 2 << 30;

/// What a path takes while it is gathered, in bytes.
pub(super) const PATH: u64 = 32;

/// What a package takes that is listed, source packages too, in bytes.
pub(super) const LISTED: u64 = 120;

/// What a package, a relation, and a file that primary lists take beside their text, in bytes.
const PACKAGE: u64 = 900;
const RELATION: u64 = 200;
const FILE: u64 = 200;

/// Estimates what a package takes on a shelf.
pub(super) fn of_package(package: &Package) -> u64 {
    let Package { nevra, provides, requires, conflicts, obsoletes, files } = package;
    let text = nevra.name.len() + nevra.evr.version.len() + nevra.evr.release.len();
    let relations = [provides, requires, conflicts, obsoletes].into_iter().flatten();
    let relations: u64 = relations.map(|one| RELATION + one.name.len() as u64).sum();
    let files: u64 = files.iter().map(|file| FILE + file.path.len() as u64).sum();
    PACKAGE + text as u64 + relations + files
}

/// Estimates what everything that is listed takes.
pub(super) fn of_listing(listing: &Listing) -> u64 {
    let packages: u64 = listing.packages.iter().map(|package| of_package(package) + LISTED).sum();
    packages + listing.paths.len() as u64 * PATH
}
