//! Digests that are ready before they are asked for.
//!
//! The number of packages stands in the first bytes of a file, so that what was hashed of one says nothing of the next. What
//! can be known in advance is which numbers come next: one package more, one less, as many. For each of them the file is
//! hashed once in idle time, and the state after each block is remembered; a change hashes from where it begins.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use nevra::{Algorithm, Digest};

use super::Blocks;
use super::member::packed;
use crate::digest::Hasher;
use crate::error::Error;
use crate::packing::Compression;

/// What was hashed of a file, for some numbers of packages.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// By number: the states after no block, one, two ... of the file and of what it unpacks to.
    states: BTreeMap<usize, Vec<(Hasher, Hasher)>>,
}

impl Prepared {
    /// Finds the state of a file with so many packages, after so many blocks.
    pub(super) fn after(&self, packages: usize, blocks: usize) -> Option<&(Hasher, Hasher)> {
        self.states.get(&packages)?.get(blocks)
    }

    /// Says whether a change to so many packages was prepared for.
    #[must_use]
    pub fn is_for(&self, packages: usize) -> bool {
        self.states.contains_key(&packages)
    }
}

impl Blocks {
    /// Hashes the file in advance for changes to so many packages, and checks on the way that it is what is known of it.
    ///
    /// `read` reads bytes of the file, all of them, in order.
    ///
    /// # Errors
    ///
    /// As for [`Blocks::change`].
    pub fn prepare<E: From<Error>>(
        &self,
        packages: &BTreeSet<usize>,
        (algorithm, known): (Algorithm, &Digest),
        read: &mut dyn FnMut(Range<u64>) -> Result<Vec<u8>, E>,
    ) -> Result<Prepared, E> {
        let begin = |packages: &usize| {
            let open = self.document.header(*packages);
            let mut states = (Hasher::new(algorithm), Hasher::new(algorithm));
            states.0.update(&packed(self.compression, &open, 0));
            states.1.update(&open);
            (*packages, vec![states])
        };
        let mut states: BTreeMap<usize, Vec<(Hasher, Hasher)>> = packages.iter().map(begin).collect();
        let mut whole = Hasher::new(algorithm);
        whole.update(&read(0..self.head)?);
        for (block, place) in self.blocks.iter().zip(self.places()) {
            let bytes = read(place.bytes)?;
            whole.update(&bytes);
            let open = match self.compression {
                Compression::None => Vec::new(),
                _ => self.unpacked(*block, &bytes)?,
            };
            for states in states.values_mut() {
                states.extend(states.last().cloned());
                if let Some((file, opened)) = states.last_mut() {
                    file.update(&bytes);
                    opened.update(&open);
                }
            }
        }
        whole.update(&read(self.size() - self.foot..self.size())?);
        if whole.finish() == *known {
            return Ok(Prepared { states });
        }
        let problem = format!("the file is not the one whose digest is {}", known.hex);
        Err(Error::Unmatched { document: self.document, problem }.into())
    }
}
