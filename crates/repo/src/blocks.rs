//! A metadata file as a sequence of blocks, each packed by itself, so that a change costs what it touches.
//!
//! ```text
//! | head | packages | packages | ... | packages | foot |       what lies between two bars is one gzip member or zstd frame
//!          a block    a block          a block
//! ```
//!
//! Whoever unpacks the file finds the text that a file packed in one piece holds: every client that was tried reads files of
//! several members or frames. A change packs those blocks anew that lose a package, and the last one, which takes what is new
//! until it is full; all others are copied as they are. A block that became small takes in a neighbour, so that a thousand
//! changes do not leave a thousand crumbs.

mod change;
mod finding;
mod member;
mod past;
mod prepared;
mod recorded;
mod streaming;
mod table;
mod text;

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::error::Error;
use crate::form::Form;
use crate::packing::Compression;

pub use change::{Changed, Changing, Hashing, Part};
pub use past::{Found, Past, Prefix};
pub use prepared::Prepared;
use recorded::Recorded;
pub use streaming::{Cutter, Gathered, Gatherer, OpenBlock, PackedBlock};
use text::Text;

/// How much text a block has, in bytes, before the next begins. Less costs size, for each block begins with an empty window;
/// more costs time, for a block is packed anew as a whole.
pub const BLOCK: usize = 256 << 10;

/// A block below this takes in a neighbour when it is packed anew.
const SMALL: usize = BLOCK / 2;

/// One block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// How many bytes it has, packed.
    pub packed: u64,
    /// How many bytes it has, unpacked.
    pub open: u64,
    /// How many packages it lists.
    pub packages: usize,
}

/// Which blocks make up one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Recorded", try_from = "Recorded")]
pub struct Blocks {
    document: Document,
    compression: Compression,
    /// The bytes of the head, packed.
    head: u64,
    blocks: Vec<Block>,
    /// The bytes of the foot, packed.
    foot: u64,
}

impl Compression {
    /// Says whether clients read files that are packed so in several pieces. xz they refuse, and of bzip2 nobody knows.
    #[must_use]
    pub fn has_blocks(self) -> bool {
        matches!(self, Self::None | Self::Gzip | Self::Zstd)
    }
}

impl Blocks {
    /// Packs a file that lists these packages, in this order; each is one whole element `package`.
    ///
    /// Same input, same bytes, as long as this program is the same. What has no blocks ([`Compression::has_blocks`]) must not
    /// be packed so.
    ///
    /// ```
    /// use repo::{Blocks, Compression, Document};
    ///
    /// let (file, blocks) = Blocks::write(Document::Other, Compression::Gzip, &[b"<package/>\n"]);
    /// assert_eq!(blocks.packages(), 1);
    /// assert_eq!(blocks.size(), file.len() as u64);
    /// let open = repo::unpack(&file, 1 << 20)?;
    /// assert!(open.ends_with(b"packages=\"1\">\n<package/>\n</otherdata>"));
    /// # Ok::<(), repo::Error>(())
    /// ```
    #[must_use]
    pub fn write(document: Document, compression: Compression, fragments: &[&[u8]]) -> (Vec<u8>, Self) {
        let form = Form { compression, ..Form::default() };
        let mut changed = Self::written(document, &form, fragments);
        match changed.parts.pop() {
            Some(Part::New(file)) => (file, changed.blocks),
            _ => unreachable!("there is no file yet"),
        }
    }

    /// Packs a file as [`Blocks::write`] does, and hashes it as the form says.
    #[must_use]
    pub fn written(document: Document, form: &Form, fragments: &[&[u8]]) -> Changed {
        let nothing = Self::nothing(document, form.compression);
        let read = &mut |_| Err(Error::Unmatched { document, problem: "there is no file yet".to_owned() });
        let written = nothing.change(&BTreeSet::new(), fragments, &Hashing::of(form), read);
        written.expect("of nothing nothing is read")
    }

    /// Describes a file that is not there yet: what comes of its first change is a new one.
    #[must_use]
    pub fn nothing(document: Document, compression: Compression) -> Self {
        Self { document, compression, head: 0, blocks: Vec::new(), foot: 0 }
    }

    /// Tells which of the three files it is.
    #[must_use]
    pub fn document(&self) -> Document {
        self.document
    }

    /// Tells how it is packed.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Shows the blocks, in order.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Counts the packages.
    #[must_use]
    pub fn packages(&self) -> usize {
        self.blocks.iter().map(|block| block.packages).sum()
    }

    /// Counts the bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.head + self.blocks.iter().map(|block| block.packed).sum::<u64>() + self.foot
    }

    /// Counts the bytes of what the file unpacks to.
    #[must_use]
    pub fn open_size(&self) -> u64 {
        let beside = self.document.header(self.packages()).len() + self.document.footer().len();
        beside as u64 + self.blocks.iter().map(|block| block.open).sum::<u64>()
    }

    /// Finds the bytes of the file in which the package at a place of the list is packed, and its place among those that are
    /// packed there.
    #[must_use]
    pub fn place_of(&self, package: usize) -> Option<(Range<u64>, usize)> {
        let places = self.places();
        let at = places.partition_point(|place| place.packages.end <= package);
        let place = places.get(at)?;
        Some((place.bytes.clone(), package - place.packages.start))
    }

    /// Gives what the file says of the packages at some places of the list, in this order: each is one whole element
    /// `package` with a newline behind it.
    ///
    /// `read` reads bytes of the file; it is asked for those blocks only that hold one of them.
    ///
    /// # Errors
    ///
    /// As for [`Blocks::change`]; [`Error::Unmatched`], too, for a place behind the last package.
    pub fn fragments<E: From<Error>>(
        &self,
        wanted: &BTreeSet<usize>,
        read: &mut dyn FnMut(Range<u64>) -> Result<Vec<u8>, E>,
    ) -> Result<Vec<Vec<u8>>, E> {
        let mut fragments = Vec::with_capacity(wanted.len());
        for (at, place) in self.places().into_iter().enumerate() {
            let mut inside = wanted.range(place.packages.clone()).peekable();
            if inside.peek().is_none() {
                continue;
            }
            let text = self.text_of(at, &place, &read(place.bytes.clone())?)?;
            fragments.extend(inside.map(|at| {
                let at = at - place.packages.start;
                text.bytes_of(at..at + 1).to_vec()
            }));
        }
        if fragments.len() == wanted.len() {
            return Ok(fragments);
        }
        let problem = format!("it lists {} packages, and more are asked for", self.packages());
        Err(Error::Unmatched { document: self.document, problem }.into())
    }

    /// Shows what the file says of each package, in order; `read` reads all of it, in order.
    ///
    /// # Errors
    ///
    /// As for [`Blocks::change`], and those of `see`.
    pub fn each<E: From<Error>>(
        &self,
        read: &mut dyn FnMut(Range<u64>) -> Result<Vec<u8>, E>,
        see: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        read(0..self.head)?;
        for (at, place) in self.places().into_iter().enumerate() {
            let text = self.text_of(at, &place, &read(place.bytes.clone())?)?;
            (0..place.packages.len()).try_for_each(|at| see(text.bytes_of(at..at + 1)))?;
        }
        read(self.size() - self.foot..self.size()).map(drop)
    }

    /// Where each block lies.
    fn places(&self) -> Vec<Place> {
        let (mut byte, mut package) = (self.head, 0);
        let place = |block: &Block| {
            let place =
                Place { bytes: byte..byte + block.packed, packages: package..package + block.packages };
            (byte, package) = (place.bytes.end, place.packages.end);
            place
        };
        self.blocks.iter().map(place).collect()
    }

    /// Unpacks the block at a place, into `room`.
    fn unpacked(
        &self,
        at: usize,
        bytes: &Range<u64>,
        packed: &[u8],
        room: Vec<u8>,
    ) -> Result<Vec<u8>, Error> {
        let block = self.blocks[at];
        let open = member::unpacked(packed, block.open, room);
        let open = open.map_err(|cause| self.damaged(at, bytes.clone(), cause))?;
        if open.len() as u64 == block.open {
            return Ok(open);
        }
        let problem = format!("it has {} bytes, not {}", open.len(), block.open);
        Err(self.damaged(at, bytes.clone(), Error::Unmatched { document: self.document, problem }))
    }

    /// Unpacks the block at a place and cuts it.
    fn text_of(&self, at: usize, place: &Place, packed: &[u8]) -> Result<Text, Error> {
        let text = self.opened(self.blocks[at], packed, Vec::new());
        text.map_err(|cause| self.damaged(at, place.bytes.clone(), cause))
    }

    /// Says which block it is that is not what is known of it.
    fn damaged(&self, at: usize, bytes: Range<u64>, cause: Error) -> Error {
        Error::Block { document: self.document, block: at + 1, bytes, cause: Box::new(cause) }
    }

    /// Unpacks a block and cuts it.
    fn opened(&self, block: Block, packed: &[u8], room: Vec<u8>) -> Result<Text, Error> {
        let text = Text::cut(member::unpacked(packed, block.open, room)?);
        if (text.bytes.len() as u64, text.ends.len()) == (block.open, block.packages) {
            return Ok(text);
        }
        let problem = format!(
            "it holds {} packages in {} bytes, not {} in {}",
            text.ends.len(),
            text.bytes.len(),
            block.packages,
            block.open
        );
        Err(Error::Unmatched { document: self.document, problem })
    }
}

/// Where a block lies.
struct Place {
    /// Its bytes in the file.
    bytes: Range<u64>,
    /// The places of its packages in the list.
    packages: Range<usize>,
}

#[cfg(test)]
mod tests;
