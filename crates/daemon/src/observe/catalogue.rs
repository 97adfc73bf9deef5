//! The repositories that were read or written lately, so that the next change need not read them again.

use std::collections::BTreeMap;
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
    shelves: BTreeMap<Sha256, Arc<Shelf>>,
    /// What was written since something was hashed in advance.
    fresh: Vec<Arc<Shelf>>,
    preparing: Preparing,
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
        if let Some(shelf) = self.shelves.get(&digest) {
            if let Some(files) = shelf.in_blocks() {
                files.moved_to(store.paths().public_half(generation.number).join(&shelved.path));
            }
            return Ok(Arc::clone(shelf));
        }
        let shelf = Arc::new(read_shelf(store, generation, shelved)?);
        self.shelves.insert(digest, Arc::clone(&shelf));
        Ok(shelf)
    }

    /// Takes over what a generation brought, in the place of what it was before; called once that generation is published.
    pub(crate) fn take_over(&mut self, written: Vec<WrittenShelf>) {
        for WrittenShelf { repomd, shelf, before } in written {
            if let Some(before) = before {
                self.shelves.remove(&before);
                self.fresh.retain(|fresh| Arc::strong_count(fresh) > 1);
            }
            self.fresh.push(Arc::clone(&shelf));
            self.shelves.insert(repomd, shelf);
        }
    }

    /// Hashes what was written lately for what may become of it, on a thread of its own; called when there is nothing to do.
    pub(crate) fn prepare(&mut self) {
        if !self.fresh.is_empty() {
            let is_known = |shelf: &Arc<Shelf>| self.shelves.values().any(|known| Arc::ptr_eq(known, shelf));
            self.preparing.begin(std::mem::take(&mut self.fresh), &is_known);
        }
    }

    /// Waits until that is done.
    pub(crate) fn finish_preparing(&mut self) {
        self.preparing.finish();
    }

    /// Forgets what was not written lately if it has grown too large; called between steps.
    pub fn tidy(&mut self) {
        if self.shelves.values().map(|shelf| shelf.bytes).sum::<u64>() > REMEMBERED_MAX {
            // What was written lately is wanted next.
            self.shelves.retain(|_, shelf| self.fresh.iter().any(|fresh| Arc::ptr_eq(fresh, shelf)));
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
