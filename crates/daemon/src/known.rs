//! What is known of packages: the metadata of those at hand, and the repositories in which that of others is read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use nevra::Sha256;
use plan::Listed;
use repo::{Entry, Pile};

use crate::arrivals::Brought;
use crate::error::Error;
use crate::observe::Shelf;

/// How much is read at once where all of many packages are wanted, in bytes: what is said of them is not to be held.
const AT_ONCE: usize = 4 << 20;
/// What is taken to be said of a package of which nobody knows it, in bytes.
const USUAL: usize = 16 << 10;

/// Packages by digest.
#[derive(Debug, Default)]
pub(crate) struct Known {
    at_hand: BTreeMap<Sha256, Entry>,
    piles: Vec<Piled>,
    shelves: Vec<Arc<Shelf>>,
}

/// What is said of packages that arrived.
#[derive(Debug)]
struct Piled {
    said: Arc<Pile>,
    /// Where it is said of which package.
    places: HashMap<Sha256, usize>,
}

impl Known {
    /// Adds a package.
    pub(crate) fn add(&mut self, digest: Sha256, entry: Entry) {
        self.at_hand.insert(digest, entry);
    }

    /// Adds whatever a request brought in.
    pub(crate) fn add_brought(&mut self, brought: &Brought) {
        if !self.piles.iter().any(|known| Arc::ptr_eq(&known.said, &brought.said)) {
            let packages = brought.packages.iter().enumerate();
            let places = packages.map(|(at, arrived)| (arrived.arrival.listed.pkgid, at)).collect();
            self.piles.push(Piled { said: Arc::clone(&brought.said), places });
        }
    }

    /// Adds whatever a repository lists.
    pub(crate) fn add_shelf(&mut self, shelf: &Arc<Shelf>) {
        if !self.shelves.iter().any(|known| Arc::ptr_eq(known, shelf)) {
            self.shelves.push(Arc::clone(shelf));
        }
    }

    /// Says whether a request brought in all of these packages.
    pub(crate) fn has_arrived(&self, listed: &[Listed]) -> bool {
        let is_piled =
            |listed: &Listed| self.piles.iter().any(|pile| pile.places.contains_key(&listed.pkgid));
        listed.iter().all(is_piled)
    }

    /// Divides packages into runs of which no more is said than may be held, but for one that says more by itself.
    pub(crate) fn runs<'a>(&'a self, listed: &'a [Listed]) -> impl Iterator<Item = &'a [Listed]> {
        let size_of = move |listed: &Listed| {
            let piled = |pile: &Piled| pile.places.get(&listed.pkgid).map(|at| pile.said.size_at(*at));
            self.piles.iter().find_map(piled).unwrap_or(USUAL)
        };
        let mut left = listed;
        std::iter::from_fn(move || {
            let (mut size, mut is_first) = (0, true);
            let fits = |listed: &&Listed| {
                let is_first = std::mem::take(&mut is_first);
                size += size_of(listed);
                is_first || size <= AT_ONCE
            };
            let (run, rest) = left.split_at(left.iter().take_while(fits).count());
            left = rest;
            (!run.is_empty()).then_some(run)
        })
    }

    /// Says whether anything is known of a package.
    pub(crate) fn has(&self, digest: &Sha256) -> bool {
        self.at_hand.contains_key(digest)
            || self.piles.iter().any(|pile| pile.places.contains_key(digest))
            || self.shelves.iter().any(|shelf| shelf.place_of(digest).is_some())
    }

    /// Gives the metadata of packages, in the order in which they are asked for; of one that is not known its digest.
    pub(crate) fn entries<'a>(
        &self,
        digests: impl IntoIterator<Item = &'a Sha256>,
    ) -> Result<Result<Vec<Entry>, Sha256>, Error> {
        let digests: Vec<&Sha256> = digests.into_iter().collect();
        let mut piled: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.piles.len()];
        let mut wanted: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.shelves.len()];
        for digest in digests.iter().filter(|digest| !self.at_hand.contains_key(digest)) {
            let in_piles = self.piles.iter().map(|pile| pile.places.get(digest).copied());
            let in_shelves = self.shelves.iter().map(|shelf| shelf.place_of(digest));
            if let Some((pile, place)) = first(in_piles) {
                piled[pile].insert(place);
            } else if let Some((shelf, place)) = first(in_shelves) {
                wanted[shelf].insert(place);
            } else {
                return Ok(Err(**digest));
            }
        }
        let mut read = BTreeMap::new();
        for (pile, places) in self.piles.iter().zip(&piled).filter(|(_, places)| !places.is_empty()) {
            let wrong = |error: repo::Error| Error::Metadata {
                place: "what arrived".to_owned(),
                reason: error.to_string(),
            };
            let entries = pile.said.entries(places).map_err(wrong)?;
            read.extend(entries.into_iter().filter_map(|entry| Some((entry.pkgid.sha256()?, entry))));
        }
        for (shelf, places) in self.shelves.iter().zip(&wanted).filter(|(_, places)| !places.is_empty()) {
            let entries = shelf.entries_at(places)?;
            read.extend(places.iter().map(|at| shelf.listed[*at].pkgid).zip(entries));
        }
        let found = |digest: &&Sha256| {
            self.at_hand.get(*digest).or_else(|| read.get(*digest)).cloned().ok_or(**digest)
        };
        Ok(digests.iter().map(found).collect())
    }

    /// Gives the metadata of packages that are to be listed.
    pub(crate) fn entries_of(&self, listed: &[Listed]) -> Result<Vec<Entry>, Error> {
        let known = self.entries(listed.iter().map(|listed| &listed.pkgid))?;
        known.map_err(|digest| {
            let unknown = listed.iter().find(|listed| listed.pkgid == digest);
            Error::NoEntry { nevra: unknown.map_or_else(String::new, |listed| listed.nevra.to_string()) }
        })
    }
}

/// Finds the first that has a place, and the place.
fn first(places: impl Iterator<Item = Option<usize>>) -> Option<(usize, usize)> {
    places.enumerate().find_map(|(at, place)| Some((at, place?)))
}
