//! The paths of a whole base system, in as few bytes as they need.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::package::FileKind;

/// Who owns which path, by the first 128 bits of the SHA-256 of the path: 21 bytes for each.
///
/// A base system has some millions of paths and hardly any of them is ever asked for. Two paths with one beginning would
/// count as one: nobody finds a path whose 128 bits are those of one of some millions, and chance does not either.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    /// Sorted.
    beginnings: Vec<u128>,
    /// The places of the packages, one for each beginning.
    owners: Vec<u32>,
    kinds: Vec<FileKind>,
}

impl Paths {
    /// Collects the paths of packages, each with the place of its package on the shelf.
    pub fn collect(paths: impl IntoIterator<Item = (impl AsRef<str>, u32, FileKind)>) -> Self {
        let mut gathered = Gathered::default();
        paths.into_iter().for_each(|(path, at, kind)| gathered.add(path.as_ref(), at, kind));
        gathered.paths()
    }

    fn of(mut all: Vec<(u128, u32, FileKind)>) -> Self {
        all.sort_unstable();
        all.dedup();
        let beginnings = all.iter().map(|(beginning, _, _)| *beginning).collect();
        let owners = all.iter().map(|(_, at, _)| *at).collect();
        Self { beginnings, owners, kinds: all.into_iter().map(|(_, _, kind)| kind).collect() }
    }

    /// Says how many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.beginnings.len()
    }

    /// Says whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.beginnings.is_empty()
    }

    /// Says whether every path belongs to one of so many packages, and the columns fit each other: what was read back
    /// from a disk may be anything.
    #[must_use]
    pub fn fits(&self, packages: usize) -> bool {
        let len = self.beginnings.len();
        self.owners.len() == len
            && self.kinds.len() == len
            && self.beginnings.is_sorted()
            && self.owners.iter().all(|at| (*at as usize) < packages)
    }

    /// The places of the packages that own a path.
    pub(crate) fn owners(&self, path: &str) -> &[u32] {
        self.owners.get(self.range(path)).unwrap_or_default()
    }

    /// What the path is to the package at that place.
    pub(crate) fn kind(&self, path: &str, at: u32) -> Option<FileKind> {
        let range = self.range(path);
        let of = self.owners.get(range.clone())?.iter().position(|owner| *owner == at)?;
        self.kinds.get(range)?.get(of).copied()
    }

    /// Of the paths given, those that each package owns.
    pub(crate) fn owned<'a>(&self, paths: impl Iterator<Item = &'a str>) -> BTreeMap<u32, Vec<&'a str>> {
        let mut owned: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
        for path in paths {
            self.owners(path).iter().for_each(|at| owned.entry(*at).or_default().push(path));
        }
        owned
    }

    fn range(&self, path: &str) -> std::ops::Range<usize> {
        let wanted = beginning(path);
        let first = self.beginnings.partition_point(|one| *one < wanted);
        first..first + self.beginnings[first..].partition_point(|one| *one == wanted)
    }
}

/// The paths that were seen so far, for whoever reads them one by one and keeps none.
#[derive(Debug, Default)]
pub struct Gathered {
    all: Vec<(u128, u32, FileKind)>,
}

impl Gathered {
    /// Adds a path with the place of its package on the shelf.
    pub fn add(&mut self, path: &str, at: u32, kind: FileKind) {
        self.all.push((beginning(path), at, kind));
    }

    /// Ends it.
    #[must_use]
    pub fn paths(self) -> Paths {
        Paths::of(self.all)
    }
}

fn beginning(path: &str) -> u128 {
    let digest: [u8; 32] = Sha256::digest(path).into();
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    u128::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_all_its_owners_and_to_nobody_else() {
        let file = FileKind::File;
        let paths = Paths::collect([
            ("/usr/share/doc", 3, FileKind::Directory),
            ("/usr/share/doc", 1, FileKind::Directory),
            ("/usr/share/doc/a", 1, file),
            ("/usr/share/doc/a", 1, file),
        ]);
        assert_eq!((paths.len(), paths.owners("/usr/share/doc")), (3, [1, 3].as_slice()));
        assert_eq!(paths.owners("/usr/share/doc/b"), [0_u32; 0].as_slice());
        assert_eq!(paths.kind("/usr/share/doc", 3), Some(FileKind::Directory));
        assert_eq!(paths.kind("/usr/share/doc/a", 3), None);
        assert!(paths.fits(4) && !paths.fits(3));
        let owned = paths.owned(["/usr/share/doc/a", "/none"].into_iter());
        assert_eq!(owned, BTreeMap::from([(1, vec!["/usr/share/doc/a"])]));
    }
}
