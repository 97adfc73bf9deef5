//! What becomes of a file in blocks when packages come and go: which of it is copied, what is packed anew, and what the
//! digests of the result are.

use std::collections::BTreeSet;
use std::ops::Range;

use nevra::{Algorithm, Digest};

use super::member::packed;
use super::prepared::State;
use super::{BLOCK, Block, Blocks, Cutter, OpenBlock, Prepared, Text};
use crate::digest::Hasher;
use crate::error::Error;
use crate::form::Form;
use crate::packing::Compression;
use crate::repomd::{Measure, Open};

/// A piece of a file that is put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bytes of the file as it was.
    Old(Range<u64>),
    /// New ones.
    New(Vec<u8>),
}

/// How what is put together is hashed.
#[derive(Clone, Copy, Debug)]
pub struct Hashing<'a> {
    /// What hashes it.
    pub algorithm: Algorithm,
    /// Whether what it unpacks to is hashed, too; then all of it has to be unpacked.
    pub is_opened: bool,
    /// The digest of the file as it was, by the same algorithm: where all of it is read, it must be that.
    pub known: Option<&'a Digest>,
    /// What was hashed of it before, if anything was.
    pub prepared: Option<&'a Prepared>,
}

impl Hashing<'_> {
    /// Hashes as a form says, where nothing is known.
    #[must_use]
    pub fn of(form: &Form) -> Self {
        Self { algorithm: form.checksum, is_opened: form.open_checksums, known: None, prepared: None }
    }
}

/// A file that is put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its bytes.
    pub parts: Vec<Part>,
    /// Its blocks.
    pub blocks: Blocks,
    /// Its size and digest.
    pub file: Measure,
    /// What it unpacks to; nothing if it is not packed.
    pub open: Option<Open>,
}

/// What a file is read with.
type Read<'a, E> = dyn FnMut(Range<u64>) -> Result<Vec<u8>, E> + 'a;

impl Blocks {
    /// Puts the file together that lists no longer what stands at the places `gone`, and what is `new` last.
    ///
    /// `read` reads bytes of the file as it is. The blocks in front of the first that is packed anew are read only if nobody
    /// [prepared](Blocks::prepare) for as many packages as there are now.
    ///
    /// # Errors
    ///
    /// Those of `read`; [`Error::Block`] where a block does not hold what is known of it, and [`Error::Unmatched`] where the file
    /// is not the one that is known: then it has to be read as a whole, and packed anew.
    pub fn change<E: From<Error>>(
        &self,
        gone: &BTreeSet<usize>,
        new: &[&[u8]],
        hashing: &Hashing<'_>,
        read: &mut Read<'_, E>,
    ) -> Result<Changed, E> {
        let mut changing = self.begin_change(gone, new.len(), hashing, &mut *read)?;
        new.iter().for_each(|fragment| changing.push(fragment));
        changing.end(read)
    }

    /// Begins what [`Blocks::change`] does, for so many `new` packages that follow one by one: of them no more is held than a
    /// block or two, and what they are packed to.
    ///
    /// # Errors
    ///
    /// As for [`Blocks::change`].
    pub fn begin_change<'a, E: From<Error>>(
        &'a self,
        gone: &BTreeSet<usize>,
        new: usize,
        hashing: &Hashing<'a>,
        read: &mut Read<'_, E>,
    ) -> Result<Changing<'a>, E> {
        let places = self.places();
        let last = places.len().checked_sub(1);
        // The last block takes what is new until it is full.
        let takes = |at: usize| new > 0 && Some(at) == last && self.blocks[at].open < BLOCK as u64;
        let loses = |at: usize| gone.range(places[at].packages.clone()).next().is_some();
        let is_touched = |at: &usize| loses(*at) || takes(*at);
        let first = (0..places.len()).find(is_touched).unwrap_or(places.len());
        let left = self.packages() - gone.range(..self.packages()).count();
        let mut out = Assembly::begin(self, left + new, first, hashing);
        out.check_old(|| read(0..self.head))?;
        let mut pending: Option<Text> = None;
        for (at, place) in places.iter().enumerate() {
            let joins = pending.as_ref().is_some_and(|text| text.is_small() && !text.is_empty());
            if !joins && !is_touched(&at) {
                out.anew(pending.take());
                out.keep(at, place.bytes.clone(), &mut *read)?;
                continue;
            }
            let packed = read(place.bytes.clone())?;
            out.check_old(|| Ok::<_, E>(&packed))?;
            let text = self.text_of(at, place, &packed)?;
            let text = text.without(|inside| gone.contains(&(place.packages.start + inside)));
            match &mut pending {
                Some(pending) if joins => pending.append(text),
                _ => {
                    out.anew(pending.take());
                    pending = Some(text);
                }
            }
        }
        let mut last = Cutter::new();
        if let Some(text) = pending {
            text.each().for_each(|fragment| last.push(fragment).into_iter().for_each(|full| out.pack(&full)));
        }
        Ok(Changing { out, last, packages: left + new })
    }
}

/// A file that is put together while what is new arrives.
pub struct Changing<'a> {
    out: Assembly<'a>,
    /// What comes last and is not packed yet.
    last: Cutter,
    /// How many packages the head promises.
    packages: usize,
}

impl Changing<'_> {
    /// Adds a package: one whole element `package`.
    pub fn push(&mut self, fragment: &[u8]) {
        self.last.push(fragment).into_iter().for_each(|full| self.out.pack(&full));
    }

    /// Ends the file; `read` reads the one that is changed.
    ///
    /// # Errors
    ///
    /// As for [`Blocks::change`]; [`Error::Unmatched`], too, where not as many packages came as were to come.
    pub fn end<E: From<Error>>(mut self, read: &mut Read<'_, E>) -> Result<Changed, E> {
        self.last.flush().into_iter().for_each(|rest| self.out.pack(&rest));
        let old = self.out.old;
        let found: usize = self.out.blocks.iter().map(|block| block.packages).sum();
        if found != self.packages {
            let problem = format!("{} packages were to be listed, and {found} came", self.packages);
            return Err(Error::Unmatched { document: old.document, problem }.into());
        }
        let foot = old.size() - old.foot..old.size();
        self.out.check_old(|| read(foot))?;
        Ok(self.out.end()?)
    }
}

impl Blocks {
    /// Says whether what the file unpacks to is hashed apart from it.
    pub(super) fn is_opened(&self, hashing: &Hashing<'_>) -> bool {
        hashing.is_opened && self.compression != Compression::None
    }

    /// Checks that all of what was read is the file that is known.
    pub(super) fn check(&self, read: Hasher, known: Option<&Digest>) -> Result<(), Error> {
        match known.filter(|known| read.finish() != **known) {
            None => Ok(()),
            Some(known) => {
                let problem = format!("the file is not the one whose digest is {}", known.hex);
                Err(Error::Unmatched { document: self.document, problem })
            }
        }
    }
}

/// A file that grows from its head to its foot.
struct Assembly<'a> {
    old: &'a Blocks,
    /// How many of the first blocks are hashed already.
    hashed: usize,
    parts: Vec<Part>,
    blocks: Vec<Block>,
    head: u64,
    state: State,
    /// Room for a block that is unpacked: to ask for it anew for each of them costs as much as unpacking.
    room: Vec<u8>,
    /// What hashes the file as it was, and what must come out.
    check: Option<(Hasher, &'a Digest)>,
}

impl<'a> Assembly<'a> {
    /// Begins with the head of so many packages, where the blocks in front of `first` stay.
    fn begin(old: &'a Blocks, packages: usize, first: usize, hashing: &Hashing<'a>) -> Self {
        let Hashing { algorithm, known, prepared, .. } = *hashing;
        let is_opened = old.is_opened(hashing);
        let open = old.document.header(packages);
        let head = packed(old.compression, &open, 0);
        let prepared = prepared.and_then(|prepared| prepared.after(packages, first));
        let prepared = prepared.filter(|state| state.open.is_some() == is_opened);
        let mut all = Self {
            old,
            hashed: if prepared.is_some() { first } else { 0 },
            parts: Vec::new(),
            blocks: Vec::new(),
            head: head.len() as u64,
            state: State::new(algorithm, is_opened),
            room: Vec::new(),
            // What was prepared was read then.
            check: known.filter(|_| prepared.is_none()).map(|known| (Hasher::new(algorithm), known)),
        };
        match prepared {
            Some(state) => all.state = state.clone(),
            None => all.state.update(&head, &open),
        }
        put_new(&mut all.parts, head);
        all
    }

    /// Hashes more of the file as it was, if that is checked.
    fn check_old<E, B: AsRef<[u8]>>(&mut self, bytes: impl FnOnce() -> Result<B, E>) -> Result<(), E> {
        if let Some((hasher, _)) = &mut self.check {
            hasher.update(bytes()?.as_ref());
        }
        Ok(())
    }

    /// Copies a block.
    fn keep<E: From<Error>>(
        &mut self,
        at: usize,
        bytes: Range<u64>,
        read: &mut Read<'_, E>,
    ) -> Result<(), E> {
        let block = self.old.blocks[at];
        if at >= self.hashed {
            let packed = read(bytes.clone())?;
            self.check_old(|| Ok::<_, E>(&packed))?;
            match self.state.open {
                Some(_) => {
                    let room = std::mem::take(&mut self.room);
                    let open = self.old.unpacked(at, &bytes, &packed, room)?;
                    self.state.update(&packed, &open);
                    self.room = open;
                }
                None => self.state.update(&packed, &[]),
            }
        }
        self.blocks.push(block);
        match self.parts.last_mut() {
            Some(Part::Old(last)) if last.end == bytes.start => last.end = bytes.end,
            _ => self.parts.push(Part::Old(bytes)),
        }
        Ok(())
    }

    /// Packs packages, if there are any.
    fn anew(&mut self, text: Option<Text>) {
        let Some(text) = text else { return };
        for run in text.runs() {
            self.pack_text(text.bytes_of(run.clone()), run.len());
        }
    }

    /// Packs a block.
    fn pack(&mut self, block: &OpenBlock) {
        self.pack_text(block.text(), block.packages());
    }

    fn pack_text(&mut self, open: &[u8], packages: usize) {
        let packed = packed(self.old.compression, open, packages);
        self.state.update(&packed, open);
        let (packed_size, open_size) = (packed.len() as u64, open.len() as u64);
        self.blocks.push(Block { packed: packed_size, open: open_size, packages });
        put_new(&mut self.parts, packed);
    }

    fn end(mut self) -> Result<Changed, Error> {
        let Blocks { document, compression, .. } = *self.old;
        if let Some((hasher, known)) = self.check.take() {
            self.old.check(hasher, Some(known))?;
        }
        let foot = packed(compression, document.footer(), 0);
        self.state.update(&foot, document.footer());
        let blocks =
            Blocks { document, compression, head: self.head, blocks: self.blocks, foot: foot.len() as u64 };
        put_new(&mut self.parts, foot);
        let file = Measure { checksum: self.state.file.finish(), size: blocks.size() };
        let checksum = self.state.open.map(Hasher::finish);
        let open = (compression != Compression::None).then(|| Open { size: blocks.open_size(), checksum });
        Ok(Changed { parts: self.parts, blocks, file, open })
    }
}

fn put_new(parts: &mut Vec<Part>, bytes: Vec<u8>) {
    match parts.last_mut() {
        Some(Part::New(last)) => last.extend_from_slice(&bytes),
        _ => parts.push(Part::New(bytes)),
    }
}
