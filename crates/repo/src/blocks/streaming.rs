//! A file of blocks that is written while its packages arrive, by as many threads as the caller has.
//!
//! ```text
//! fragments --Cutter--> OpenBlock --pack, anywhere--> PackedBlock --Gatherer--> the file, its digest, and that of its text
//!  in order             numbered                                    in any order
//! ```
//!
//! The head says how many packages there are, and stands first. So packed blocks are kept until that is known; their text is
//! hashed as it passes behind the head that is expected, and once more from the blocks if a package was lost on the way.

use std::collections::BTreeMap;

use nevra::{Algorithm, Digest};

use super::{BLOCK, Block, Blocks, Text, member};
use crate::digest::Hasher;
use crate::document::Document;
use crate::error::Error;
use crate::packing::{Compression, pack};
use crate::repomd::Measure;

/// For how many texts room is kept.
const SPARE: usize = 8;

/// Divides packages into blocks as they arrive, at the places where [`Blocks::write`] does.
#[derive(Default)]
pub struct Cutter {
    text: Text,
    /// How many packages at the beginning of the text fill a block.
    full: usize,
    /// The number of the block that comes next.
    next: usize,
}

/// The text of one block.
#[derive(Clone, Debug)]
pub struct OpenBlock {
    number: usize,
    text: Vec<u8>,
    packages: usize,
}

/// One block, packed, with its text.
#[derive(Clone, Debug)]
pub struct PackedBlock {
    open: OpenBlock,
    packed: Vec<u8>,
}

impl Cutter {
    /// Begins with nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a package: one whole element `package`. Gives the block that is known to be complete now.
    pub fn push(&mut self, fragment: &[u8]) -> Option<OpenBlock> {
        self.text.push(fragment);
        let end = |packages: usize| packages.checked_sub(1).map_or(0, |last| self.text.ends[last]);
        let rest = self.text.bytes.len() - end(self.full);
        // What is small belongs to the block before it, should nothing follow.
        if self.full > 0 && rest >= super::SMALL {
            let left = self.text.split_off(self.full);
            let block = std::mem::replace(&mut self.text, left);
            self.full = if rest >= BLOCK { self.text.ends.len() } else { 0 };
            return Some(self.numbered(block));
        }
        if self.full == 0 && rest >= BLOCK {
            self.full = self.text.ends.len();
        }
        None
    }

    /// Ends the block, whatever its size.
    pub fn flush(&mut self) -> Option<OpenBlock> {
        self.full = 0;
        let text = std::mem::take(&mut self.text);
        (!text.is_empty()).then(|| self.numbered(text))
    }

    /// Says whether what was pushed would make a block too small to end here: then a block that stays as it is must not come
    /// next, but its packages.
    #[must_use]
    pub fn is_small(&self) -> bool {
        !self.text.is_empty() && self.text.is_small()
    }

    /// Keeps the next number free for a block that stays as it is; [`Cutter::flush`] goes before.
    pub fn skip(&mut self) -> usize {
        debug_assert!(self.text.is_empty(), "what was pushed comes first");
        self.next += 1;
        self.next - 1
    }

    fn numbered(&mut self, text: Text) -> OpenBlock {
        self.next += 1;
        OpenBlock { number: self.next - 1, packages: text.ends.len(), text: text.bytes }
    }
}

impl OpenBlock {
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn packages(&self) -> usize {
        self.packages
    }

    /// Packs it. What has no blocks is packed in the end, as a whole.
    #[must_use]
    pub fn pack(self, compression: Compression) -> PackedBlock {
        let packed = match compression {
            Compression::Gzip | Compression::Zstd => member::packed(compression, &self.text, self.packages),
            Compression::None | Compression::Bzip2 | Compression::Xz => Vec::new(),
        };
        PackedBlock { open: self, packed }
    }
}

impl PackedBlock {
    /// Takes a block of another file as it stands, with its text; the number is that of [`Cutter::skip`].
    #[must_use]
    pub fn kept(number: usize, packed: Vec<u8>, text: Vec<u8>, packages: usize) -> Self {
        Self { open: OpenBlock { number, text, packages }, packed }
    }

    /// Tells its place among the blocks of the file.
    #[must_use]
    pub fn number(&self) -> usize {
        self.open.number
    }
}

/// Puts a file together from its blocks.
pub struct Gatherer {
    document: Document,
    compression: Compression,
    /// What the head is expected to say.
    expected: usize,
    /// `None` where nobody asks for the digest of the text.
    open: Option<Hasher>,
    open_size: u64,
    blocks: Vec<(Block, Vec<u8>)>,
    /// Blocks that came too early.
    waiting: BTreeMap<usize, PackedBlock>,
    /// Room that texts had.
    spare: Vec<Vec<u8>>,
}

/// A file of metadata, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// Its bytes, in pieces that follow each other.
    pub pieces: Vec<Vec<u8>>,
    /// What a record says of it.
    pub file: Measure,
    /// What a record says of its text; `None` if it is not packed.
    pub open: Option<Measure>,
    /// Its blocks; `None` if it is packed by what has none.
    pub blocks: Option<Blocks>,
}

impl Gatherer {
    /// Begins a file that is expected to list so many packages.
    #[must_use]
    pub fn new(document: Document, compression: Compression, algorithm: Algorithm, expected: usize) -> Self {
        let mut open = Hasher::new(algorithm);
        let head = document.header(expected);
        open.update(&head);
        let open_size = head.len() as u64;
        let (blocks, waiting, spare) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { document, compression, expected, open: Some(open), open_size, blocks, waiting, spare }
    }

    /// Begins a file of which only the blocks matter ([`Gatherer::into_blocks`]): no text is hashed.
    #[must_use]
    pub fn of_blocks(document: Document, compression: Compression) -> Self {
        let (blocks, waiting, spare) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { document, compression, expected: 0, open: None, open_size: 0, blocks, waiting, spare }
    }

    /// Tells the number of the first block that has not come yet. Those that come earlier than it are kept with their text: who
    /// wants little memory does not run far ahead.
    #[must_use]
    pub fn next(&self) -> usize {
        self.blocks.len()
    }

    /// Gives room for the text of a block that is to be kept: that of one which was taken before, if there is one.
    #[must_use]
    pub fn room(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes a block.
    pub fn put(&mut self, block: PackedBlock) {
        self.waiting.insert(block.open.number, block);
        while let Some(PackedBlock { open, packed }) = self.waiting.remove(&self.blocks.len()) {
            if let Some(hasher) = &mut self.open {
                hasher.update(&open.text);
            }
            self.open_size += open.text.len() as u64;
            let is_packed = matches!(self.compression, Compression::Gzip | Compression::Zstd);
            let (size, packages) = (open.text.len() as u64, open.packages);
            let packed = if is_packed {
                if self.spare.len() < SPARE && open.text.capacity() <= 2 * BLOCK {
                    self.spare.push(open.text);
                }
                packed
            } else {
                open.text
            };
            self.blocks.push((Block { packed: packed.len() as u64, open: size, packages }, packed));
        }
    }

    /// Ends the file, with the digests that `algorithm` makes. Every block has come.
    ///
    /// # Errors
    ///
    /// Those of unpacking, where fewer packages came than were expected and a block that was kept does not hold what it should.
    pub fn finish(mut self, algorithm: Algorithm) -> Result<Gathered, Error> {
        let (document, compression) = (self.document, self.compression);
        let packages: usize = self.blocks.iter().map(|(block, _)| block.packages).sum();
        let (head, foot) = (document.header(packages), document.footer());
        let mut hasher = match self.open.take() {
            Some(hasher) if packages == self.expected => hasher,
            _ => self.hash_anew(algorithm, &head)?,
        };
        hasher.update(foot);
        let open = Measure { checksum: hasher.finish(), size: self.open_size + foot.len() as u64 };
        let (blocks, texts): (Vec<Block>, Vec<Vec<u8>>) = self.blocks.into_iter().unzip();
        let (pieces, blocks) = if compression.has_blocks() {
            let [head, foot] = [&*head, foot].map(|text| member::packed(compression, text, 0));
            let (head_size, foot_size) = (head.len() as u64, foot.len() as u64);
            let blocks = Blocks { document, compression, head: head_size, blocks, foot: foot_size };
            (around(head, texts, foot), Some(blocks))
        } else {
            let whole = around(head, texts, foot.to_vec()).concat();
            (vec![pack(compression, &whole)], None)
        };
        let file = measured(algorithm, &pieces);
        let open = (compression != Compression::None).then_some(open);
        Ok(Gathered { pieces, file, open, blocks })
    }

    /// Ends the file where only its blocks matter: head and foot are empty pieces, and nothing is said of the whole. Every block
    /// has come, and the file is packed by what has blocks.
    #[must_use]
    pub fn into_blocks(self) -> (Blocks, Vec<Vec<u8>>) {
        let (document, compression) = (self.document, self.compression);
        let (blocks, texts): (Vec<Block>, Vec<Vec<u8>>) = self.blocks.into_iter().unzip();
        let pieces = around(Vec::new(), texts, Vec::new());
        (Blocks { document, compression, head: 0, blocks, foot: 0 }, pieces)
    }

    fn hash_anew(&mut self, algorithm: Algorithm, head: &[u8]) -> Result<Hasher, Error> {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(head);
        let mut size = head.len() as u64;
        for (block, packed) in &self.blocks {
            if matches!(self.compression, Compression::Gzip | Compression::Zstd) {
                hasher.update(&member::unpacked(packed, block.open, Vec::new())?);
            } else {
                hasher.update(packed);
            }
            size += block.open;
        }
        self.open_size = size;
        Ok(hasher)
    }
}

fn around(head: Vec<u8>, texts: Vec<Vec<u8>>, foot: Vec<u8>) -> Vec<Vec<u8>> {
    std::iter::once(head).chain(texts).chain([foot]).collect()
}

fn measured(algorithm: Algorithm, pieces: &[Vec<u8>]) -> Measure {
    let mut hasher = Hasher::new(algorithm);
    pieces.iter().for_each(|piece| hasher.update(piece));
    let checksum: Digest = hasher.finish();
    Measure { checksum, size: pieces.iter().map(|piece| piece.len() as u64).sum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: Algorithm = Algorithm::Sha256;

    fn fragments(random: &mut fastrand::Rng, count: usize) -> Vec<Vec<u8>> {
        let fragment = |number: usize| {
            let size = match random.u8(..) {
                0 => 3 * BLOCK / 2,
                1..4 => super::super::SMALL - 50,
                _ => random.usize(..20_000),
            };
            format!("<package pkgid=\"{number}\">{}</package>\n", "word ".repeat(size / 5)).into_bytes()
        };
        (0..count).map(fragment).collect()
    }

    fn gathered(compression: Compression, fragments: &[Vec<u8>], expected: usize, seed: u64) -> Gathered {
        let (mut cutter, mut open) = (Cutter::new(), Vec::new());
        for fragment in fragments {
            open.extend(cutter.push(fragment));
        }
        open.extend(cutter.flush());
        fastrand::Rng::with_seed(seed).shuffle(&mut open);
        let mut gatherer = Gatherer::new(Document::Other, compression, SHA, expected);
        open.into_iter().for_each(|block| gatherer.put(block.pack(compression)));
        gatherer.finish(SHA).unwrap()
    }

    #[test]
    fn a_stream_is_the_file_that_one_writing_makes() {
        for seed in 0..30 {
            let mut random = fastrand::Rng::with_seed(seed);
            let count = [0, 1, 2, 20, 300][random.usize(..5)];
            let fragments = fragments(&mut random, count);
            let lent: Vec<&[u8]> = fragments.iter().map(Vec::as_slice).collect();
            let lost = random.usize(..2);
            for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
                let (file, blocks) = Blocks::write(Document::Other, compression, &lent);
                let stream = gathered(compression, &fragments, count + lost, seed);
                assert!(stream.pieces.concat() == file, "seed {seed}, {compression}");
                assert_eq!(stream.blocks.as_ref(), Some(&blocks));
                assert_eq!(stream.file, Measure::of(SHA, &file));
                let open = crate::unpack(&file, 1 << 30).unwrap();
                let open = (compression != Compression::None).then(|| Measure::of(SHA, &open));
                assert_eq!(stream.open, open, "seed {seed}, {compression}");
            }
        }
    }

    #[test]
    fn what_has_no_blocks_is_packed_in_one_piece() {
        let fragments = fragments(&mut fastrand::Rng::with_seed(1), 60);
        for compression in [Compression::Xz, Compression::Bzip2] {
            let stream = gathered(compression, &fragments, 61, 1);
            assert_eq!((stream.pieces.len(), stream.blocks), (1, None));
            let head = Document::Other.header(60);
            let open = [&*head, &fragments.concat(), Document::Other.footer()].concat();
            assert_eq!(stream.open, Some(Measure::of(SHA, &open)));
            assert!(stream.pieces[0] == pack(compression, &open));
        }
    }

    #[test]
    fn a_block_stays_as_it_is_between_others() {
        let fragments = fragments(&mut fastrand::Rng::with_seed(9), 200);
        let lent: Vec<&[u8]> = fragments.iter().map(Vec::as_slice).collect();
        let (file, blocks) = Blocks::write(Document::Other, Compression::Gzip, &lent);
        let new: Vec<u8> = b"<package pkgid=\"new\"></package>\n".to_vec();
        let mut cutter = Cutter::new();
        let mut gatherer = Gatherer::new(Document::Other, Compression::Gzip, SHA, 201);
        let (mut kept, mut expected) = (0, Vec::new());
        assert!(cutter.push(&new).is_none());
        expected.extend_from_slice(&new);
        for (at, (bytes, packages)) in blocks.all_places().into_iter().enumerate() {
            let packed = &file[bytes.start as usize..bytes.end as usize];
            let (text, ends) = blocks.open(at, packed, Vec::new()).unwrap();
            expected.extend_from_slice(&text);
            if cutter.is_small() {
                let mut begin = 0;
                for end in ends {
                    cutter
                        .push(&text[begin..end])
                        .into_iter()
                        .for_each(|block| gatherer.put(block.pack(Compression::Gzip)));
                    begin = end;
                }
                continue;
            }
            cutter.flush().into_iter().for_each(|block| gatherer.put(block.pack(Compression::Gzip)));
            gatherer.put(PackedBlock::kept(cutter.skip(), packed.to_vec(), text, packages.len()));
            kept += 1;
        }
        cutter.flush().into_iter().for_each(|block| gatherer.put(block.pack(Compression::Gzip)));
        let stream = gatherer.finish(SHA).unwrap();
        assert_eq!(kept, blocks.blocks().len() - 1, "the first took in what is new");
        let open = [&*Document::Other.header(201), &expected, Document::Other.footer()].concat();
        assert!(crate::unpack(&stream.pieces.concat(), 1 << 30).unwrap() == open);
        assert_eq!(stream.open, Some(Measure::of(SHA, &open)));
    }
}
