//! The repositories that were read or written lately, so that the next change need not read them again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nevra::Sha256;
use store::{Generation, Store};

use super::preparing::Preparing;
use super::{Shelf, read_shelf};
use crate::account::Shelved;
use crate::error::Error;

/// Reads repositories and remembers them by the digest of their repomd.xml.
#[derive(Debug, Default)]
pub struct Catalogue {
    shelves: BTreeMap<Sha256, Remembered>,
    /// What was written, or read of what is published, since something was hashed in advance.
    fresh: Vec<Arc<Shelf>>,
    preparing: Preparing,
    /// How often something was asked for.
    asked: u64,
    /// The newest generation that was looked at.
    newest: u64,
}

/// One repository.
#[derive(Debug)]
struct Remembered {
    shelf: Arc<Shelf>,
    /// When it was asked for last, by [`Catalogue::asked`].
    used: u64,
}

/// A repository as a draft writes it: nobody may go by it before the draft is published.
#[derive(Debug)]
pub struct WrittenShelf {
    /// The digest of its repomd.xml.
    pub(crate) repomd: Sha256,
    pub(crate) shelf: Arc<Shelf>,
    /// The digest of the repomd.xml that it supersedes.
    pub(crate) before: Option<Sha256>,
}

/// What the catalogue may hold between two steps, in bytes.
const REMEMBERED_MAX: u64 = 64 << 20;

impl Catalogue {
    /// Reads the repository `name` at `shelved` as `generation` lists it.
    pub fn shelf(
        &mut self,
        store: &Store,
        generation: &Generation,
        shelved: &Shelved,
    ) -> Result<Arc<Shelf>, Error> {
        let digest = repomd_of(generation, &shelved.path)?;
        self.asked += 1;
        self.newest = self.newest.max(generation.number);
        let used = self.asked;
        if let Some(known) = self.shelves.get_mut(&digest) {
            known.used = used;
            if let Some(files) = known.shelf.in_blocks() {
                files.moved_to(store.paths().public_half(generation.number).join(&shelved.path));
            }
            return Ok(Arc::clone(&known.shelf));
        }
        let shelf = Arc::new(read_shelf(store, generation, shelved)?);
        if generation.number == self.newest {
            self.fresh.push(Arc::clone(&shelf));
        }
        self.shelves.insert(digest, Remembered { shelf: Arc::clone(&shelf), used });
        Ok(shelf)
    }

    /// Takes over what a generation brought, in the place of what it was before; called once that generation is published.
    pub(crate) fn take_over(&mut self, written: Vec<WrittenShelf>) {
        for WrittenShelf { repomd, shelf, before } in written {
            if let Some(before) = before.and_then(|before| self.shelves.remove(&before)) {
                self.fresh.retain(|fresh| !Arc::ptr_eq(fresh, &before.shelf));
            }
            self.asked += 1;
            self.fresh.push(Arc::clone(&shelf));
            self.shelves.insert(repomd, Remembered { shelf, used: self.asked });
        }
    }

    /// Hashes what was written or read lately for what may become of it, on a thread of its own; called when there is nothing to
    /// do.
    pub(crate) fn prepare(&mut self) {
        if !self.fresh.is_empty() {
            let known = || self.shelves.values().map(|known| &known.shelf);
            let is_known = |shelf: &Arc<Shelf>| known().any(|known| Arc::ptr_eq(known, shelf));
            self.preparing.begin(std::mem::take(&mut self.fresh), &is_known);
        }
    }

    /// Waits until that is done.
    pub(crate) fn finish_preparing(&mut self) {
        self.preparing.finish();
    }

    /// Forgets something if all of it has grown too large: first what `current` does not have, then what was not asked for the
    /// longest time. Called between steps.
    pub fn tidy(&mut self, current: Option<&Generation>) {
        self.tidy_to(REMEMBERED_MAX, current);
    }

    fn tidy_to(&mut self, most: u64, current: Option<&Generation>) {
        let mut bytes: u64 = self.shelves.values().map(|known| known.shelf.bytes).sum();
        if bytes <= most {
            return;
        }
        let files = current.into_iter().flat_map(|current| &current.files.public);
        let published = files.filter(|(path, _)| path.ends_with("/repodata/repomd.xml"));
        let published: BTreeSet<Sha256> = published.map(|(_, facts)| facts.sha256).collect();
        // What was written lately is wanted next.
        let is_wanted = |known: &Remembered| self.fresh.iter().any(|fresh| Arc::ptr_eq(fresh, &known.shelf));
        let old = self.shelves.iter().filter(|(_, known)| !is_wanted(known));
        let mut old: Vec<(bool, u64, Sha256)> =
            old.map(|(repomd, known)| (published.contains(repomd), known.used, *repomd)).collect();
        old.sort_unstable();
        for (_, _, repomd) in old {
            if bytes <= most {
                return;
            }
            bytes -= self.shelves.remove(&repomd).map_or(0, |known| known.shelf.bytes);
        }
    }
}

/// Finds the digest of the repomd.xml at `path` of a generation.
fn repomd_of(generation: &Generation, path: &str) -> Result<Sha256, Error> {
    let place = format!("{path}/repodata/repomd.xml");
    let facts = generation.files.public.get(place.as_str());
    let reason = "it is not among the files of the generation".to_owned();
    facts.map(|facts| facts.sha256).ok_or(Error::Metadata { place, reason })
}

#[cfg(test)]
mod tests;
