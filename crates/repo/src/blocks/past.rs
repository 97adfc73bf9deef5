//! What is known of a file that was read once, from its first byte to its last: how far it is hashed where its blocks begin.
//!
//! A file that begins with the same blocks behind the same head need not hash them again, nor open them.

use std::collections::BTreeMap;
use std::ops::Range;

use nevra::{Algorithm, Digest};

use super::table::Table;
use super::{Block, Blocks};
use crate::digest::{Hasher, Saved};
use crate::packing::Compression;

/// A file whose blocks were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The blocks. What they, the head and the foot make up is followed by nothing but the table, if there is one.
    pub blocks: Blocks,
    pub(super) table: Option<Table>,
    /// The bytes of the whole file.
    pub(super) size: u64,
}

/// What a file is read and hashed with.
type Read<'a, E> = dyn FnMut(Range<u64>, &mut Hasher) -> Result<(), E> + 'a;

/// How far a file is hashed where its blocks begin.
#[derive(Clone, Debug)]
pub struct Past {
    algorithm: Algorithm,
    blocks: Blocks,
    /// The digest of the head as it is packed.
    head: Digest,
    /// What hashes the file, behind no block, one, two ...
    packed: Vec<Hasher>,
    /// The same for the open text, for some of them.
    open: BTreeMap<usize, Saved>,
}

/// The first blocks of a file, as far as another one begins with them.
#[derive(Clone, Debug)]
pub struct Prefix {
    pub(super) blocks: Vec<Block>,
    /// The digest of the head as it is packed.
    pub(super) head: Digest,
    /// What hashes the file behind all of them.
    pub(super) packed: Hasher,
    /// How many of them need not be opened, and what hashes the open text behind these.
    pub(super) open: Option<(usize, Hasher)>,
    /// How far it is where those blocks begin.
    pub(super) states: BTreeMap<usize, Saved>,
}

impl Found {
    /// Reads the whole file, in order, and gives its digest. `read` reads bytes of it and hashes them.
    ///
    /// `None` beside the digest says that the blocks are known only from a table that is not that of this file.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    pub fn read<E>(self, algorithm: Algorithm, read: &mut Read<'_, E>) -> Result<(Digest, Option<Past>), E> {
        let Self { blocks, table, size } = self;
        let mut hasher = Hasher::new(algorithm);
        let mut packed = Vec::with_capacity(blocks.blocks.len() + 1);
        read(0..blocks.head, &mut hasher)?;
        let head = hasher.clone().finish();
        packed.push(hasher.clone());
        for place in blocks.places() {
            read(place.bytes, &mut hasher)?;
            packed.push(hasher.clone());
        }
        let end = blocks.size();
        read(end - blocks.foot..end, &mut hasher)?;
        let body = hasher.clone().finish().sha256();
        if end < size {
            read(end..size, &mut hasher)?;
        }
        let digest = hasher.finish();
        let table = table.filter(|table| body == Some(table.digest));
        if table.is_none() && blocks.compression != Compression::Gzip {
            return Ok((digest, None));
        }
        let open = table.map(|table| table.states).unwrap_or_default();
        Ok((digest, Some(Past { algorithm, blocks, head, packed, open })))
    }
}

impl Past {
    /// Shows the blocks of the file.
    #[must_use]
    pub fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// Gives what is known of the first blocks for a file that begins with so many of them, is hashed by this algorithm and is
    /// to list so many packages. `None` where that is nothing, as behind another head.
    #[must_use]
    pub fn first(&self, blocks: usize, packages: usize, algorithm: Algorithm) -> Option<Prefix> {
        if (packages, algorithm) != (self.blocks.packages(), self.algorithm) {
            return None;
        }
        let first = self.blocks.blocks.get(..blocks).filter(|first| !first.is_empty())?;
        let states: BTreeMap<_, _> = self.open.range(..=blocks).map(|(at, state)| (*at, *state)).collect();
        let last = states.last_key_value();
        let open = last.and_then(|(at, state)| Some((*at, Hasher::resumed(state)?)));
        Some(Prefix {
            blocks: first.to_vec(),
            head: self.head.clone(),
            packed: self.packed.get(blocks)?.clone(),
            open,
            states,
        })
    }
}

impl Prefix {
    /// Counts the blocks that need not be opened.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.open.as_ref().map_or(0, |(blocks, _)| *blocks)
    }
}
