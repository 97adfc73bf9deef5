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

use std::collections::BTreeSet;
use std::ops::Range;

use memchr::memmem;

use crate::document::Document;
use crate::error::Error;
use crate::packing::{Compression, pack, unpack};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    document: Document,
    compression: Compression,
    /// The bytes of the head, packed.
    head: u64,
    blocks: Vec<Block>,
    /// The bytes of the foot, packed.
    foot: u64,
}

/// A piece of a file that is put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bytes of the file as it was.
    Old(Range<u64>),
    /// New ones.
    New(Vec<u8>),
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
        let mut text = Text::default();
        fragments.iter().for_each(|fragment| text.push(fragment));
        let nothing = Self { document, compression, head: 0, blocks: Vec::new(), foot: 0 };
        let (mut parts, blocks) = nothing.assembled(&[Piece::Anew(text)], &[]);
        match parts.pop() {
            Some(Part::New(file)) => (file, blocks),
            _ => unreachable!("there is no file yet"),
        }
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

    /// Finds the bytes of the file in which the package at a place of the list is packed, and its place among those that are
    /// packed there.
    #[must_use]
    pub fn place_of(&self, package: usize) -> Option<(Range<u64>, usize)> {
        let places = self.places();
        let at = places.partition_point(|place| place.packages.end <= package);
        let place = places.get(at)?;
        Some((place.bytes.clone(), package - place.packages.start))
    }

    /// Puts the file together that lists no longer what stands at the places `gone`, and what is `new` last.
    ///
    /// `read` reads bytes of the file as it is; it is asked for those blocks only that are packed anew.
    ///
    /// # Errors
    ///
    /// Those of `read`; [`Error::Packed`], [`Error::TooLarge`] or [`Error::Unmatched`] where a block does not hold what is known
    /// of it: then the file has to be read as a whole, and packed anew.
    pub fn change<E: From<Error>>(
        &self,
        gone: &BTreeSet<usize>,
        new: &[&[u8]],
        read: &mut dyn FnMut(Range<u64>) -> Result<Vec<u8>, E>,
    ) -> Result<(Vec<Part>, Self), E> {
        let places = self.places();
        let mut open = |at: usize| -> Result<Text, E> {
            let Place { bytes, packages } = &places[at];
            let text = self.opened(self.blocks[at], &read(bytes.clone())?)?;
            Ok(text.without(|place| gone.contains(&(packages.start + place))))
        };
        let mut pieces: Vec<Piece> = Vec::new();
        for (at, place) in places.iter().enumerate() {
            let is_touched = gone.range(place.packages.clone()).next().is_some();
            match pieces.last_mut() {
                Some(Piece::Anew(text)) if is_touched || text.is_small() && !text.is_empty() => {
                    text.append(open(at)?);
                }
                _ if is_touched => pieces.push(Piece::Anew(open(at)?)),
                _ => pieces.push(Piece::Kept(at)),
            }
        }
        // The last block takes what is new until it is full.
        if !new.is_empty() {
            let mut text = match pieces.pop() {
                Some(Piece::Anew(text)) => text,
                Some(Piece::Kept(at)) if self.blocks[at].open < BLOCK as u64 => open(at)?,
                full => {
                    pieces.extend(full);
                    Text::default()
                }
            };
            new.iter().for_each(|fragment| text.push(fragment));
            pieces.push(Piece::Anew(text));
        }
        Ok(self.assembled(&pieces, &places))
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

    /// Unpacks a block and cuts it.
    fn opened(&self, block: Block, packed: &[u8]) -> Result<Text, Error> {
        let text = Text::cut(unpack(packed, block.open)?);
        if (text.bytes.len() as u64, text.ends.len()) == (block.open, block.packages) {
            return Ok(text);
        }
        let problem = format!(
            "a block holds {} packages in {} bytes, not {} in {}",
            text.ends.len(),
            text.bytes.len(),
            block.packages,
            block.open
        );
        Err(Error::Unmatched { document: self.document, problem })
    }

    /// Packs what is anew, with the head and foot that belong to it.
    fn assembled(&self, pieces: &[Piece], places: &[Place]) -> (Vec<Part>, Self) {
        let Self { document, compression, .. } = *self;
        let (mut parts, mut blocks) = (vec![Part::New(Vec::new())], Vec::new());
        for piece in pieces {
            match piece {
                Piece::Kept(at) => {
                    blocks.push(self.blocks[*at]);
                    put_old(&mut parts, &places[*at].bytes);
                }
                Piece::Anew(text) => {
                    for run in text.runs() {
                        let open = text.bytes_of(run.clone());
                        let packed = pack(compression, open);
                        let (packed_size, open_size) = (packed.len() as u64, open.len() as u64);
                        blocks.push(Block { packed: packed_size, open: open_size, packages: run.len() });
                        put_new(&mut parts, packed);
                    }
                }
            }
        }
        let packages = blocks.iter().map(|block| block.packages).sum();
        let [head, foot] =
            [&*document.header(packages), document.footer()].map(|text| pack(compression, text));
        let anew = Self { document, compression, head: head.len() as u64, blocks, foot: foot.len() as u64 };
        put_new(&mut parts, foot);
        if let Part::New(first) = &mut parts[0] {
            first.splice(0..0, head);
        }
        (parts, anew)
    }
}

/// Where a block lies.
struct Place {
    /// Its bytes in the file.
    bytes: Range<u64>,
    /// The places of its packages in the list.
    packages: Range<usize>,
}

/// What becomes of the blocks.
enum Piece {
    /// This one stays.
    Kept(usize),
    /// Something is packed anew.
    Anew(Text),
}

/// The text of some packages.
#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    /// Where each package ends.
    ends: Vec<usize>,
}

impl Text {
    /// Cuts the text of a block into packages. It was put together of such: the end tag stands nowhere else in them.
    fn cut(bytes: Vec<u8>) -> Self {
        const END: &[u8] = b"</package>\n";
        let ends = memmem::find_iter(&bytes, END).map(|at| at + END.len()).collect();
        Self { bytes, ends }
    }

    fn push(&mut self, fragment: &[u8]) {
        self.bytes.extend_from_slice(fragment);
        if !fragment.ends_with(b"\n") {
            self.bytes.push(b'\n');
        }
        self.ends.push(self.bytes.len());
    }

    fn append(&mut self, other: Self) {
        let behind = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| behind + end));
    }

    fn without(self, is_gone: impl Fn(usize) -> bool) -> Self {
        let mut left = Self::default();
        for at in (0..self.ends.len()).filter(|at| !is_gone(*at)) {
            left.push(self.bytes_of(at..at + 1));
        }
        left
    }

    fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn is_small(&self) -> bool {
        self.bytes.len() < SMALL
    }

    fn bytes_of(&self, packages: Range<usize>) -> &[u8] {
        let begin = packages.start.checked_sub(1).map_or(0, |before| self.ends[before]);
        let end = packages.end.checked_sub(1).map_or(0, |last| self.ends[last]);
        &self.bytes[begin..end.max(begin)]
    }

    /// Divides the packages into blocks: each ends once it is full, and the rest, if it is small, belongs to the last.
    fn runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        let (mut first, mut begin) = (0, 0);
        for (at, end) in self.ends.iter().enumerate() {
            if end - begin >= BLOCK {
                runs.push(first..at + 1);
                (first, begin) = (at + 1, *end);
            }
        }
        match runs.last_mut() {
            Some(last) if self.bytes.len() - begin < SMALL => last.end = self.ends.len(),
            _ if first < self.ends.len() => runs.push(first..self.ends.len()),
            _ => {}
        }
        runs
    }
}

/// Adds bytes of the file as it was; what lies side by side is one piece.
fn put_old(parts: &mut Vec<Part>, bytes: &Range<u64>) {
    match parts.last_mut() {
        Some(Part::Old(last)) if last.end == bytes.start => last.end = bytes.end,
        _ => parts.push(Part::Old(bytes.clone())),
    }
}

fn put_new(parts: &mut Vec<Part>, bytes: Vec<u8>) {
    match parts.last_mut() {
        Some(Part::New(last)) => last.extend_from_slice(&bytes),
        _ => parts.push(Part::New(bytes)),
    }
}

#[cfg(test)]
mod tests;
