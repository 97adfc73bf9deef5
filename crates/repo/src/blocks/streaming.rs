//! A file of blocks that is written while its packages arrive, by as many threads as the caller has.
//!
//! ```text
//! fragments --Cutter--> OpenBlock --pack, anywhere--> PackedBlock --Gatherer--> the file, its digest, and that of its text
//!  in order             numbered                                    in any order
//! ```
//!
//! The head says how many packages there are, and stands first. So packed blocks are kept until that is known; their text is
//! hashed as it passes behind the head that is expected, and once more from the blocks if a package was lost on the way.
//! The first blocks of a file that is there already are neither opened nor hashed where a [`Prefix`] is known.

use std::collections::BTreeMap;

use nevra::Algorithm;

use super::table::{STRIDE, Table};
use super::{BLOCK, Block, Blocks, Prefix, Text, member};
use crate::digest::{Hasher, Saved};
use crate::document::Document;
use crate::error::Error;
use crate::fragments::Slice;
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

/// One block, packed, with its text if that is known.
#[derive(Clone, Debug)]
pub struct PackedBlock {
    number: usize,
    packed: Slice,
    text: Option<Vec<u8>>,
    /// The size of the text.
    open: u64,
    packages: usize,
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
        PackedBlock::kept(self.number, packed.into(), self.text, self.packages)
    }
}

impl PackedBlock {
    /// Takes a block of another file as it stands, with its text; the number is that of [`Cutter::skip`].
    #[must_use]
    pub fn kept(number: usize, packed: Slice, text: Vec<u8>, packages: usize) -> Self {
        let open = text.len() as u64;
        Self { number, packed, text: Some(text), open, packages }
    }

    /// Takes a block of another file as it stands, without its text: one of those that a [`Prefix`] says need not be opened. The
    /// text of any other is unpacked in the end, with that of all blocks.
    #[must_use]
    pub fn closed(number: usize, packed: Slice, block: Block) -> Self {
        Self { number, packed, text: None, open: block.open, packages: block.packages }
    }

    /// Tells its place among the blocks of the file.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
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
    /// How far the digest is where some blocks begin.
    states: BTreeMap<usize, Saved>,
    /// What is known of the first blocks.
    prefix: Option<Prefix>,
    blocks: Vec<(Block, Slice)>,
    /// Blocks that came too early.
    waiting: BTreeMap<usize, PackedBlock>,
    /// Room that texts had.
    spare: Vec<Vec<u8>>,
}

/// A file of metadata, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// Its bytes, in pieces that follow each other.
    pub pieces: Vec<Slice>,
    /// What a record says of it.
    pub file: Measure,
    /// What a record says of its text; `None` if it is not packed.
    pub open: Option<Measure>,
    /// Its blocks, without the table behind them; `None` if it is packed by what has none.
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
        Self { expected, open: Some(open), open_size, ..Self::of_blocks(document, compression) }
    }

    /// Begins a file of which only the blocks matter ([`Gatherer::into_blocks`]): no text is hashed.
    #[must_use]
    pub fn of_blocks(document: Document, compression: Compression) -> Self {
        Self {
            document,
            compression,
            expected: 0,
            open: None,
            open_size: 0,
            states: BTreeMap::new(),
            prefix: None,
            blocks: Vec::new(),
            waiting: BTreeMap::new(),
            spare: Vec::new(),
        }
    }

    /// Goes on from what is known of the first blocks, before any has come: these blocks come first, as they are, and as many
    /// packages are expected as their file lists.
    #[must_use]
    pub fn behind(mut self, prefix: Prefix) -> Self {
        if let Some((_, open)) = &prefix.open {
            self.open = Some(open.clone());
            self.states.clone_from(&prefix.states);
        }
        self.prefix = Some(prefix);
        self
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
        self.waiting.insert(block.number, block);
        while let Some(PackedBlock { packed, text, open, packages, .. }) =
            self.waiting.remove(&self.blocks.len())
        {
            self.hash(text.as_deref());
            self.open_size += open;
            let packed = match text {
                // What is not packed is its text.
                Some(text) if !matches!(self.compression, Compression::Gzip | Compression::Zstd) => {
                    text.into()
                }
                Some(text) => {
                    if self.spare.len() < SPARE && text.capacity() <= 2 * BLOCK {
                        self.spare.push(text);
                    }
                    packed
                }
                None => packed,
            };
            self.blocks.push((Block { packed: packed.len() as u64, open, packages }, packed));
        }
    }

    /// Hashes the text of the next block.
    fn hash(&mut self, text: Option<&[u8]>) {
        let at = self.blocks.len();
        let is_hashed = self.prefix.as_ref().is_some_and(|prefix| at < prefix.closed());
        match (text, &mut self.open) {
            (None, _) if is_hashed => {}
            (Some(text), Some(hasher)) if !is_hashed => {
                if at > 0 && at.is_multiple_of(STRIDE) {
                    self.states.extend(hasher.saved().map(|state| (at, state)));
                }
                hasher.update(text);
            }
            // All of it is hashed in the end.
            _ => self.open = None,
        }
    }

    /// Ends the file, with the digests that `algorithm` makes. Every block has come. A file of some size says behind its foot what
    /// spares hashing it when it changes; only where it is hashed by SHA-256, and packed by gzip or zstd.
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
        let open = (compression != Compression::None).then_some(open);
        let Self { prefix, blocks, states, .. } = self;
        let (blocks, texts): (Vec<Block>, Vec<Slice>) = blocks.into_iter().unzip();
        if !compression.has_blocks() {
            let texts = texts.iter().map(AsRef::as_ref);
            let whole: Vec<&[u8]> = std::iter::once(&head[..]).chain(texts).chain([foot]).collect();
            let packed = pack(compression, &whole.concat());
            let file = Measure::of(algorithm, &packed);
            return Ok(Gathered { pieces: vec![packed.into()], file, open, blocks: None });
        }
        let [head, foot] = [&*head, foot].map(|text| member::packed(compression, text, 0));
        let (head_size, foot_size) = (head.len() as u64, foot.len() as u64);
        let is_same = |prefix: &Prefix| {
            blocks.starts_with(&prefix.blocks) && prefix.head == crate::digest(algorithm, &head)
        };
        let prefix = prefix.filter(is_same);
        let hashed = prefix.as_ref().map_or(0, |prefix| 1 + prefix.blocks.len());
        let mut hasher = prefix.map_or_else(|| Hasher::new(algorithm), |prefix| prefix.packed);
        let blocks = Blocks { document, compression, head: head_size, blocks, foot: foot_size };
        let ends = (Slice::from(head), Slice::from(foot));
        let mut pieces: Vec<Slice> = std::iter::once(ends.0).chain(texts).chain([ends.1]).collect();
        pieces[hashed..].iter().for_each(|piece| hasher.update(piece));
        let digest = hasher.clone().finish().sha256();
        let table = digest.and_then(|digest| Table { blocks: blocks.clone(), digest, states }.write());
        if let Some(table) = table {
            hasher.update(&table);
            pieces.push(table.into());
        }
        let size = pieces.iter().map(|piece| piece.len() as u64).sum();
        let file = Measure { checksum: hasher.finish(), size };
        Ok(Gathered { pieces: joined(pieces), file, open, blocks: Some(blocks) })
    }

    /// Ends the file where only its blocks matter: there is a piece for each, and nothing is said of the whole. Every block has
    /// come, and the file is packed by what has blocks.
    #[must_use]
    pub fn into_blocks(self) -> (Blocks, Vec<Slice>) {
        let (document, compression) = (self.document, self.compression);
        let (blocks, pieces) = self.blocks.into_iter().unzip();
        (Blocks { document, compression, head: 0, blocks, foot: 0 }, pieces)
    }

    fn hash_anew(&mut self, algorithm: Algorithm, head: &[u8]) -> Result<Hasher, Error> {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(head);
        let mut size = head.len() as u64;
        self.states.clear();
        let mut room = Vec::new();
        for (at, (block, packed)) in self.blocks.iter().enumerate() {
            if at > 0 && at.is_multiple_of(STRIDE) {
                self.states.extend(hasher.saved().map(|state| (at, state)));
            }
            if matches!(self.compression, Compression::Gzip | Compression::Zstd) {
                room = member::unpacked(packed, block.open, room)?;
                hasher.update(&room);
            } else {
                hasher.update(packed);
            }
            size += block.open;
        }
        self.open_size = size;
        Ok(hasher)
    }
}

/// Makes one of pieces that follow each other in memory.
fn joined(pieces: Vec<Slice>) -> Vec<Slice> {
    let mut joined: Vec<Slice> = Vec::new();
    for piece in pieces {
        if !joined.last_mut().is_some_and(|last| last.takes_in(&piece)) {
            joined.push(piece);
        }
    }
    joined
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
                let bytes = stream.pieces.concat();
                let (body, table) = bytes.split_at(file.len());
                assert!(body == file, "seed {seed}, {compression}");
                let has_table = compression != Compression::None && blocks.blocks.len() > STRIDE;
                assert_eq!(!table.is_empty(), has_table, "seed {seed}, {compression}");
                assert_eq!(stream.blocks.as_ref(), Some(&blocks));
                assert_eq!(stream.file, Measure::of(SHA, &bytes));
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
            assert!(*stream.pieces[0] == pack(compression, &open));
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
            gatherer.put(PackedBlock::kept(cutter.skip(), packed.to_vec().into(), text, packages.len()));
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
