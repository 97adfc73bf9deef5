//! What a file says of its blocks behind its foot, so that a change of it hashes from where it begins.
//!
//! ```text
//! | head | packages | ... | packages | foot | table |        an empty gzip member with an extra field, or a zstd frame to skip
//!
//! SHA-256 of what stands before | blocks, head, foot | packed, open, packages | ... | states | block, state | ... | size | SLT1
//!             32 bytes          |    numbers, LEB128, so that most of them have one to three bytes | 104 bytes a state | u32, LE
//! ```
//!
//! Every reader passes over it. A state is how far the SHA-256 of the open text is where a block begins, for every eighth block:
//! the table has less than a thousandth of the file.
//!
//! What a table says is believed only behind the bytes it was written for, by their digest: whoever puts a file together from
//! parts of others makes it say nothing. Numbers are checked against the file, and once more wherever a block is unpacked.
//! A state cannot be checked without hashing all that it stands for. Who lies there has written the table and `repomd.xml`, which
//! names its digest: he could have written any open checksum, and readers refuse the file whose open checksum is wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use nevra::Sha256;

use super::finding::OPEN_MAX;
use super::{Block, Blocks};
use crate::digest::{Hasher, SAVED, Saved, hashed_by};
use crate::document::Document;
use crate::packing::Compression;

/// How many blocks lie between two states. A file that has no more has no table.
pub(super) const STRIDE: usize = 8;
/// The last bytes of a file, as far as they tell whether there is a table.
pub(super) const END: u64 = (TRAILER + GZIP_END.len()) as u64;

/// What ends every table; another layout gets another one.
const MAGIC: [u8; 4] = *b"SLT1";
/// The size of a table, and [`MAGIC`].
const TRAILER: usize = 8;
/// A number has no more bytes.
const NUMBER_MAX: usize = 5;
/// What fits into an extra field of gzip with four bytes before it.
const SIZE_MAX: usize = 0xffff - 4;
/// An extra field and nothing else, no time, an unknown system.
const GZIP_START: [u8; 10] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255];
/// Identification of the table in an extra field.
const GZIP_NAME: [u8; 2] = *b"ST";
/// Nothing, deflated, with the CRC-32 and the size of nothing.
const GZIP_END: [u8; 10] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// One of the sixteen kinds of frame to skip.
const ZSTD_START: [u8; 4] = [0x5a, 0x2a, 0x4d, 0x18];

/// What a file says of its blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) blocks: Blocks,
    /// The digest of all that stands before it.
    pub(super) digest: Sha256,
    /// How far the open text is hashed where some blocks begin.
    pub(super) states: BTreeMap<usize, Saved>,
}

impl Table {
    /// Writes it as the last bytes of the file. `None` if the file is small, is packed by what has no place for it, or has too many
    /// blocks; of too many states every second is left out until they fit.
    pub(super) fn write(&self) -> Option<Vec<u8>> {
        let Blocks { compression, head, ref blocks, foot, .. } = self.blocks;
        if blocks.len() <= STRIDE || self.states.is_empty() {
            return None;
        }
        let mut bytes = self.digest.as_bytes().to_vec();
        put(&mut bytes, blocks.len() as u64)?;
        put(&mut bytes, head)?;
        put(&mut bytes, foot)?;
        for block in blocks {
            put(&mut bytes, block.packed)?;
            put(&mut bytes, block.open)?;
            put(&mut bytes, block.packages as u64)?;
        }
        let room = SIZE_MAX.checked_sub(bytes.len() + NUMBER_MAX + TRAILER)? / (NUMBER_MAX + SAVED);
        let kept = |stride: usize| self.states.iter().filter(move |(block, _)| block.is_multiple_of(stride));
        let mut stride = STRIDE;
        while kept(stride).count() > room {
            stride *= 2;
        }
        put(&mut bytes, kept(stride).count() as u64)?;
        for (block, state) in kept(stride) {
            put(&mut bytes, *block as u64)?;
            bytes.extend_from_slice(state);
        }
        let size = u32::try_from(bytes.len() + TRAILER).ok()?;
        bytes.extend_from_slice(&size.to_le_bytes());
        bytes.extend_from_slice(&MAGIC);
        let (before, behind) = around(compression, bytes.len())?;
        Some([&before[..], &bytes, behind].concat())
    }

    /// Finds where a table would lie in a file of so many bytes, of which these are the last.
    pub(super) fn place(compression: Compression, size: u64, end: &[u8]) -> Option<Range<u64>> {
        let (.., behind) = around(compression, 0)?;
        let trailer = end.strip_suffix(behind)?.strip_suffix(&MAGIC)?;
        let length = usize::try_from(u32::from_le_bytes(*trailer.last_chunk()?)).ok()?;
        let (before, behind) = around(compression, length)?;
        let begin = size.checked_sub((before.len() + length + behind.len()) as u64)?;
        Some(begin..size)
    }

    /// Reads the table of a file of which it begins behind so many bytes; `None` where it is none, or speaks of what cannot be.
    pub(super) fn read(
        document: Document,
        compression: Compression,
        bytes: &[u8],
        begin: u64,
    ) -> Option<Self> {
        let (before, behind) = around(compression, 0)?;
        let length = bytes.len().checked_sub(before.len() + behind.len())?;
        let (before, behind) = around(compression, length)?;
        let rest = bytes.strip_prefix(&before[..])?.strip_suffix(behind)?.strip_suffix(&MAGIC)?;
        let mut rest = rest.strip_suffix(&u32::try_from(length).ok()?.to_le_bytes())?;
        let digest = Sha256::from(*rest.split_off(..32)?.first_chunk()?);
        let (count, head, foot) = (number(&mut rest)?, number(&mut rest)?, number(&mut rest)?);
        // It may claim any number.
        let mut blocks = Vec::new();
        for _ in 0..count {
            let (packed, open, packages) = (number(&mut rest)?, number(&mut rest)?, number(&mut rest)?);
            if packed == 0 || open > OPEN_MAX || !(1..=open).contains(&packages) {
                return None;
            }
            blocks.push(Block { packed, open, packages: usize::try_from(packages).ok()? });
        }
        let blocks = Blocks { document, compression, head, blocks, foot };
        if head == 0 || foot == 0 || blocks.size() != begin {
            return None;
        }
        let states = states(&blocks, &mut rest)?;
        rest.is_empty().then_some(Self { blocks, digest, states })
    }
}

/// Reads the states; each must be one of that many bytes which stand before the block.
fn states(blocks: &Blocks, rest: &mut &[u8]) -> Option<BTreeMap<usize, Saved>> {
    let count = number(rest)?;
    let mut states = BTreeMap::new();
    let (mut block, mut open) = (0, blocks.document.header(blocks.packages()).len() as u64);
    for _ in 0..count {
        let next = usize::try_from(number(rest)?).ok()?;
        let between = blocks.blocks.get(block..next).filter(|between| !between.is_empty())?;
        open += between.iter().map(|block| block.open).sum::<u64>();
        block = next;
        let state: Saved = *rest.split_off(..SAVED)?.first_chunk()?;
        if hashed_by(&state) != open || Hasher::resumed(&state).is_none() {
            return None;
        }
        states.insert(block, state);
    }
    Some(states)
}

fn put(bytes: &mut Vec<u8>, number: u64) -> Option<()> {
    let mut number = u32::try_from(number).ok()?;
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    Some(())
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..NUMBER_MAX {
        let byte = *rest.split_off_first()?;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Gives what stands around a table of so many bytes.
fn around(compression: Compression, length: usize) -> Option<(Vec<u8>, &'static [u8])> {
    let length = u16::try_from(length).ok().filter(|length| usize::from(*length) <= SIZE_MAX)?;
    match compression {
        Compression::Gzip => {
            let [field, table] = [length + 4, length].map(u16::to_le_bytes);
            Some(([&GZIP_START[..], &field, &GZIP_NAME, &table].concat(), &GZIP_END))
        }
        Compression::Zstd => Some(([ZSTD_START, u32::from(length).to_le_bytes()].concat(), &[])),
        Compression::None | Compression::Bzip2 | Compression::Xz => None,
    }
}

#[cfg(test)]
mod tests;
