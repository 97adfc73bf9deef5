//! What is known of packages: the metadata of those at hand, and the repositories in which that of others is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nevra::Sha256;
use repo::Entry;

use crate::error::Error;
use crate::observe::Shelf;

/// Packages by digest.
#[derive(Debug, Default)]
pub(crate) struct Known {
    at_hand: BTreeMap<Sha256, Entry>,
    shelves: Vec<Arc<Shelf>>,
}

impl Known {
    /// Adds a package.
    pub(crate) fn add(&mut self, digest: Sha256, entry: Entry) {
        self.at_hand.insert(digest, entry);
    }

    /// Adds whatever a repository lists.
    pub(crate) fn add_shelf(&mut self, shelf: &Arc<Shelf>) {
        if !self.shelves.iter().any(|known| Arc::ptr_eq(known, shelf)) {
            self.shelves.push(Arc::clone(shelf));
        }
    }

    /// Says whether anything is known of a package.
    pub(crate) fn has(&self, digest: &Sha256) -> bool {
        self.at_hand.contains_key(digest) || self.shelves.iter().any(|shelf| shelf.place_of(digest).is_some())
    }

    /// Gives the metadata of packages, in the order in which they are asked for; of one that is not known its digest.
    pub(crate) fn entries<'a>(
        &self,
        digests: impl IntoIterator<Item = &'a Sha256>,
    ) -> Result<Result<Vec<Entry>, Sha256>, Error> {
        let digests: Vec<&Sha256> = digests.into_iter().collect();
        let mut wanted: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.shelves.len()];
        for digest in digests.iter().filter(|digest| !self.at_hand.contains_key(digest)) {
            let place = |shelf: &Arc<Shelf>| shelf.place_of(digest);
            match self.shelves.iter().enumerate().find_map(|(at, shelf)| Some((at, place(shelf)?))) {
                Some((shelf, place)) => drop(wanted[shelf].insert(place)),
                None => return Ok(Err(**digest)),
            }
        }
        let mut read = BTreeMap::new();
        for (shelf, places) in self.shelves.iter().zip(&wanted).filter(|(_, places)| !places.is_empty()) {
            let entries = shelf.entries_at(places)?;
            read.extend(places.iter().map(|at| shelf.listed[*at].pkgid).zip(entries));
        }
        let found = |digest: &&Sha256| {
            self.at_hand.get(*digest).or_else(|| read.get(*digest)).cloned().ok_or(**digest)
        };
        Ok(digests.iter().map(found).collect())
    }
}
