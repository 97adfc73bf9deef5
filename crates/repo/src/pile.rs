//! What is said of packages that are not listed yet: packed as it comes, because ten thousand packages say more than is to be held.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::entry::Entry;
use crate::error::Error;
use crate::fragments::{Fragments, Slice};
use crate::glance::glance;
use crate::packing::Compression;

/// How much text is packed at once, in bytes.
const PIECE: usize = 1 << 18;
/// Nobody keeps what is packed here: it is to cost less time than the text costs room.
const LEVEL: i32 = 1;

/// Entries in the order in which they came, packed in memory.
#[derive(Clone, Debug, Default)]
pub struct Pile {
    pieces: Vec<Piece>,
    /// What came last is not packed yet.
    text: Vec<u8>,
    ends: Vec<Ends>,
    /// How many entries are packed.
    packed: usize,
}

/// Where what the three files say of a package ends, behind each other.
type Ends = [usize; 3];

/// Some entries, packed.
#[derive(Clone, Debug)]
struct Piece {
    packed: Box<[u8]>,
    /// How many bytes come out.
    open: usize,
    /// How many entries lie here and in front of it.
    behind: usize,
    ends: Vec<Ends>,
}

impl Pile {
    /// Adds an entry; tells its place.
    pub fn push(&mut self, entry: &Entry) -> usize {
        let Fragments { primary, filelists, other } = &*entry.fragments;
        let ends = [primary, filelists, other].map(|fragment| {
            self.text.extend_from_slice(fragment);
            self.text.len()
        });
        self.ends.push(ends);
        let place = self.len() - 1;
        if self.text.len() >= PIECE {
            self.pack();
        }
        place
    }

    /// Counts the entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packed + self.ends.len()
    }

    /// Says whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts the bytes that are said of the package at a place; none where there is none.
    #[must_use]
    pub fn size_at(&self, place: usize) -> usize {
        let piece = self.pieces.partition_point(|piece| piece.behind <= place);
        let first = piece.checked_sub(1).map_or(0, |before| self.pieces[before].behind);
        let ends = self.pieces.get(piece).map_or(&self.ends, |piece| &piece.ends);
        let end_of = |at: usize| ends.get(at).map_or(0, |ends| ends[2]);
        let at = place - first;
        end_of(at).saturating_sub(at.checked_sub(1).map_or(0, end_of))
    }

    /// Gives the entries at some places, in this order; places where there is none are passed over.
    ///
    /// # Errors
    ///
    /// Memory changed under us: what was packed cannot be unpacked.
    pub fn entries(&self, places: &BTreeSet<usize>) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::with_capacity(places.len());
        let mut first = 0;
        for piece in &self.pieces {
            let behind = first + piece.ends.len();
            let mut inside = places.range(first..behind).peekable();
            if inside.peek().is_some() {
                let text = zstd::bulk::decompress(&piece.packed, piece.open);
                let text = text.map_err(|cause| {
                    let problem = cause.to_string();
                    Error::Packed { compression: Compression::Zstd, problem }
                })?;
                inside.try_for_each(|at| {
                    entry_at(&text, &piece.ends, at - first).map(|one| entries.push(one))
                })?;
            }
            first = behind;
        }
        let mut inside = places.range(first..self.len()).peekable();
        if inside.peek().is_some() {
            inside.try_for_each(|at| {
                entry_at(&self.text, &self.ends, at - first).map(|one| entries.push(one))
            })?;
        }
        Ok(entries)
    }

    fn pack(&mut self) {
        // It comes in room for the worst.
        let packed = zstd::bulk::compress(&self.text, LEVEL).expect("memory takes what is packed");
        let packed = packed.into_boxed_slice();
        let (open, ends) = (self.text.len(), std::mem::take(&mut self.ends));
        self.packed += ends.len();
        self.pieces.push(Piece { packed, open, behind: self.packed, ends });
        self.text.clear();
        // A package may be larger than any piece; room for it is not kept.
        self.text.shrink_to(2 * PIECE);
    }
}

/// Takes an entry out of the text of some, which it does not keep: where few of each piece are wanted, that would be most of it.
fn entry_at(text: &[u8], ends: &[Ends], at: usize) -> Result<Entry, Error> {
    let begin = at.checked_sub(1).map_or(0, |before| ends[before][2]);
    let [primary, filelists, other] = ends[at];
    let own = Arc::new(text[begin..other].to_vec());
    let slice = |from: usize, to: usize| Slice::of(&own, from - begin..to - begin);
    let fragments = Fragments {
        primary: slice(begin, primary),
        filelists: slice(primary, filelists),
        other: slice(filelists, other),
    };
    Ok(Entry::seen(glance(&fragments.primary)?, fragments))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::entry_of;
    use crate::sample::package;

    #[test]
    fn whatever_is_piled_comes_back_from_any_place() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut pile = Pile::default();
        let entries: Vec<Entry> = (0..300)
            .map(|number| {
                let mut package = package();
                package.href = format!("Packages/{number}.rpm");
                let size = if random.u8(..) == 0 { 2 * PIECE } else { random.usize(..20_000) };
                package.description = std::iter::repeat_with(|| random.alphanumeric()).take(size).collect();
                entry_of(&package)
            })
            .collect();
        for (at, entry) in entries.iter().enumerate() {
            assert_eq!(pile.push(entry), at);
            let Fragments { primary, filelists, other } = &*entry.fragments;
            assert_eq!(pile.size_at(at), primary.len() + filelists.len() + other.len());
        }
        assert!(pile.pieces.len() > 3 && !pile.ends.is_empty(), "both kinds of places are there");
        for _ in 0..30 {
            let count = random.usize(..40);
            let places: BTreeSet<usize> =
                std::iter::repeat_with(|| random.usize(..300)).take(count).collect();
            let expected: Vec<&Entry> = places.iter().map(|at| &entries[*at]).collect();
            assert_eq!(pile.entries(&places).unwrap().iter().collect::<Vec<_>>(), expected);
        }
        assert_eq!(pile.entries(&(0..300).collect()).unwrap(), entries);
        assert!(pile.entries(&BTreeSet::from([300])).unwrap().is_empty());
        assert_eq!((pile.size_at(300), Pile::default().size_at(0)), (0, 0));
    }
}
