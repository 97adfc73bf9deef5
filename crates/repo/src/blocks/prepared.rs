//! Digests that are ready before they are asked for.
//!
//! The number of packages stands in the first bytes of a file, so that what was hashed of one says nothing of the next. What
//! can be known in advance is which numbers come next: one package more, one less, as many. For each of them the file is
//! hashed once in idle time, and the state after each block is remembered; a change hashes from where it begins.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use nevra::Algorithm;

use super::member::packed;
use super::{Blocks, Hashing};
use crate::digest::Hasher;
use crate::error::Error;

/// What was hashed of a file, for some numbers of packages.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// By number: the states after no block, one, two ... of the file and of what it unpacks to, if that is wanted.
    states: BTreeMap<usize, Vec<State>>,
}

impl Prepared {
    /// Finds the state of a file with so many packages, after so many blocks.
    pub(super) fn after(&self, packages: usize, blocks: usize) -> Option<&State> {
        self.states.get(&packages)?.get(blocks)
    }

    /// Says whether a change to so many packages was prepared for.
    #[must_use]
    pub fn is_for(&self, packages: usize) -> bool {
        self.states.contains_key(&packages)
    }
}

/// The hashers of a file and of what it unpacks to, after some of its blocks.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) file: Hasher,
    pub(super) open: Option<Hasher>,
}

impl State {
    /// Begins a file; what it unpacks to is hashed if `is_opened`.
    pub(super) fn new(algorithm: Algorithm, is_opened: bool) -> Self {
        Self { file: Hasher::new(algorithm), open: is_opened.then(|| Hasher::new(algorithm)) }
    }

    pub(super) fn update(&mut self, packed: &[u8], open: &[u8]) {
        self.file.update(packed);
        if let Some(hasher) = &mut self.open {
            hasher.update(open);
        }
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
        hashing: &Hashing<'_>,
        read: &mut dyn FnMut(Range<u64>) -> Result<Vec<u8>, E>,
    ) -> Result<Prepared, E> {
        let is_opened = self.is_opened(hashing);
        let begin = |packages: &usize| {
            let open = self.document.header(*packages);
            let mut state = State::new(hashing.algorithm, is_opened);
            state.update(&packed(self.compression, &open, 0), &open);
            (*packages, vec![state])
        };
        let mut states: BTreeMap<usize, Vec<State>> = packages.iter().map(begin).collect();
        let mut whole = Hasher::new(hashing.algorithm);
        whole.update(&read(0..self.head)?);
        let mut open = Vec::new();
        for (at, place) in self.places().into_iter().enumerate() {
            let bytes = read(place.bytes.clone())?;
            whole.update(&bytes);
            if is_opened {
                open = self.unpacked(at, &place.bytes, &bytes, open)?;
            }
            for states in states.values_mut() {
                let next = states.last().cloned().map(|mut state| {
                    state.update(&bytes, &open);
                    state
                });
                states.extend(next);
            }
        }
        whole.update(&read(self.size() - self.foot..self.size())?);
        self.check(whole, hashing.known)?;
        Ok(Prepared { states })
    }
}
