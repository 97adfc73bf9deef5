//! Which blocks a file has, from what its members say of themselves.

use std::ops::Range;

use super::member::{WORDS, Words};
use super::table::{self, Table};
use super::{Block, Blocks, Found};
use crate::document::Document;
use crate::error::Error;
use crate::packing::Compression;

/// A block that claims more is read in one piece with the whole file.
pub(super) const OPEN_MAX: u64 = 256 << 20;

impl Blocks {
    /// Finds the blocks of a file of so many bytes, reading a few bytes of each and unpacking none.
    ///
    /// The members of gzip tell, the frames of zstd only where a table stands behind them. `None` where they do not say what they
    /// hold, do not fill the file, or list another number of packages than the head claims: the file is somebody else's, or packed
    /// otherwise, and has to be read as a whole. What is found is what the file says; each block is looked at when it is unpacked
    /// ([`Blocks::open`]).
    ///
    /// # Errors
    ///
    /// Those of `read`, which reads bytes of the file.
    ///
    /// ```
    /// use repo::{Blocks, Compression, Document, Error};
    ///
    /// let (file, blocks) = Blocks::write(Document::Other, Compression::Gzip, &[b"<package/>\n"]);
    /// let slice = |range: std::ops::Range<u64>| file[range.start as usize..range.end as usize].to_vec();
    /// let found = Blocks::find(Document::Other, file.len() as u64, &mut |range| Ok::<_, Error>(slice(range)))?;
    /// assert_eq!(found.map(|found| found.blocks), Some(blocks));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn find<E: From<Error>>(
        document: Document,
        size: u64,
        read: &mut dyn FnMut(Range<u64>) -> Result<Vec<u8>, E>,
    ) -> Result<Option<Found>, E> {
        let compression = Compression::of(&read(0..size.min(4))?);
        let end = read(size.saturating_sub(table::END)..size)?;
        let table = match Table::place(compression, size, &end) {
            Some(place) => Table::read(document, compression, &read(place.clone())?, place.start),
            None => None,
        };
        let blocks = match compression {
            Compression::Gzip => {
                let size = table.as_ref().map_or(size, |table| table.blocks.size());
                members(document, size, read)?
            }
            _ => table.as_ref().map(|table| table.blocks.clone()),
        };
        let Some(blocks) = blocks else { return Ok(None) };
        let header = document.header(blocks.packages());
        let told = super::member::unpacked(&read(0..blocks.head)?, header.len() as u64, Vec::new());
        if !told.is_ok_and(|told| told == header) {
            return Ok(None);
        }
        let table = table.filter(|table| table.blocks == blocks);
        Ok(Some(Found { blocks, table, size }))
    }

    /// Finds the bytes of a block in the file, and the places of its packages in the list.
    #[must_use]
    pub fn place(&self, block: usize) -> Option<(Range<u64>, Range<usize>)> {
        let before = self.blocks.get(..block)?;
        let start = self.head + before.iter().map(|block| block.packed).sum::<u64>();
        let first: usize = before.iter().map(|block| block.packages).sum();
        let block = self.blocks.get(block)?;
        Some((start..start + block.packed, first..first + block.packages))
    }

    /// Lists all of [`Blocks::place`].
    #[must_use]
    pub fn all_places(&self) -> Vec<(Range<u64>, Range<usize>)> {
        self.places().into_iter().map(|place| (place.bytes, place.packages)).collect()
    }

    /// Unpacks a block of the file, and says where each of its packages ends in the text. `room` is used for the text, whatever
    /// it holds: memory that is asked for anew costs as much as unpacking into it.
    ///
    /// # Errors
    ///
    /// [`Error::Packed`], [`Error::TooLarge`] or [`Error::Unmatched`] where it does not hold what is known of it.
    pub fn open(&self, block: usize, packed: &[u8], room: Vec<u8>) -> Result<(Vec<u8>, Vec<usize>), Error> {
        let known = self.blocks.get(block).copied();
        let known = known.unwrap_or(Block { packed: 0, open: 0, packages: 0 });
        self.opened(known, packed, room).map(|text| (text.bytes, text.ends))
    }
}

/// Finds the blocks of so many bytes of gzip, reading a few bytes of each member.
fn members<E: From<Error>>(
    document: Document,
    size: u64,
    read: &mut dyn FnMut(Range<u64>) -> Result<Vec<u8>, E>,
) -> Result<Option<Blocks>, E> {
    let mut members: Vec<Block> = Vec::new();
    let mut at = 0;
    while at < size {
        let words = Words::read(&read(at..size.min(at + WORDS as u64))?);
        let Some(words) = words.filter(|words| u64::from(words.open) <= OPEN_MAX) else { return Ok(None) };
        let (packed, open) = (u64::from(words.packed), u64::from(words.open));
        members.push(Block { packed, open, packages: words.packages as usize });
        at += packed;
    }
    let [head, blocks @ .., foot] = &members[..] else { return Ok(None) };
    let is_whole = at == size
        && (head.packages, foot.packages) == (0, 0)
        && blocks.iter().all(|block| block.packages > 0);
    let compression = Compression::Gzip;
    let (blocks, head, foot) = (blocks.to_vec(), head.packed, foot.packed);
    Ok(is_whole.then_some(Blocks { document, compression, head, blocks, foot }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &[u8]) -> Option<Blocks> {
        let slice = |range: Range<u64>| file[range.start as usize..range.end as usize].to_vec();
        let found =
            Blocks::find(Document::Other, file.len() as u64, &mut |range| Ok::<_, Error>(slice(range)));
        found.unwrap().map(|found| found.blocks)
    }

    fn written() -> (Vec<u8>, Blocks) {
        written_of(400)
    }

    fn written_of(packages: usize) -> (Vec<u8>, Blocks) {
        let fragments: Vec<Vec<u8>> = (0..packages)
            .map(|number| {
                format!("<package pkgid=\"{number}\">{}</package>\n", "x ".repeat(700)).into_bytes()
            })
            .collect();
        let lent: Vec<&[u8]> = fragments.iter().map(Vec::as_slice).collect();
        Blocks::write(Document::Other, Compression::Gzip, &lent)
    }

    #[test]
    fn blocks_are_found_again_and_open() {
        let (file, blocks) = written();
        let again = found(&file).unwrap();
        assert_eq!(again, blocks);
        let mut listed = 0;
        for (at, (bytes, packages)) in again.all_places().into_iter().enumerate() {
            assert_eq!(again.place(at), Some((bytes.clone(), packages.clone())));
            let (text, ends) = again
                .open(at, &file[bytes.start as usize..bytes.end as usize], b"what was there".to_vec())
                .unwrap();
            assert_eq!(ends.len(), packages.len());
            assert_eq!(ends.last(), Some(&text.len()));
            listed += ends.len();
        }
        assert_eq!(listed, 400);
        assert_eq!(again.place(again.blocks().len()), None);
        let (nothing, blocks) = Blocks::write(Document::Other, Compression::Gzip, &[]);
        assert_eq!(found(&nothing), Some(blocks));
    }

    #[test]
    fn what_is_not_ours_is_not_found() {
        let (file, _) = written();
        let open = crate::unpack(&file, 1 << 30).unwrap();
        for other in [
            crate::gzip(&open),
            [file.clone(), crate::gzip(b"more")].concat(),
            file[..file.len() - 1].to_vec(),
            open,
            Vec::new(),
            Blocks::write(Document::Filelists, Compression::Gzip, &[]).0,
            Blocks::write(Document::Other, Compression::Zstd, &[]).0,
        ] {
            assert_eq!(found(&other), None);
        }
        // A head that claims something else than the blocks.
        let (one, _) = Blocks::write(Document::Other, Compression::Gzip, &[b"<package></package>\n"]);
        let (two, blocks) =
            Blocks::write(Document::Other, Compression::Gzip, &[b"<package></package>\n".as_slice(); 2]);
        let swapped = [&one[..blocks.head as usize], &two[blocks.head as usize..]].concat();
        assert_eq!(found(&swapped), None);
    }

    #[test]
    fn damage_never_harms_and_is_never_taken_for_the_text() {
        let (file, blocks) = written();
        let (bytes, _) = blocks.place(0).unwrap();
        let member = file[bytes.start as usize..bytes.end as usize].to_vec();
        let (text, _) = blocks.open(0, &member, Vec::new()).unwrap();
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..3_000 {
            let mut damaged = file.clone();
            let at = random.usize(..damaged.len());
            damaged[at] ^= 1 << random.u8(..8);
            let _ = found(&damaged);
            let mut damaged = member.clone();
            let at = random.usize(..damaged.len());
            damaged[at] ^= 1 << random.u8(..8);
            if let Ok((other, _)) = blocks.open(0, &damaged, vec![1; 1 << 19]) {
                assert!(other == text, "byte {at} changed what is read");
            }
        }
        for end in 0..member.len().min(600) {
            assert!(blocks.open(0, &member[..end], Vec::new()).is_err());
        }
        // A second member behind the first is read by whoever reads gzip, so it must not be passed over here.
        assert!(blocks.open(0, &[&*member, &*crate::gzip(b"more")].concat(), Vec::new()).is_err());
    }

    /// A member that says of itself what it likes.
    fn lying(packed: u32, open: u32, packages: u32, deflated: &[u8]) -> Vec<u8> {
        let mut member = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 16, 0, b'S', b'L', 12, 0];
        [packed, open, packages].iter().for_each(|number| member.extend(number.to_le_bytes()));
        member.extend_from_slice(deflated);
        member
    }

    /// Deflate, with CRC-32 and size, of so many zeros.
    fn zeros(size: usize) -> Vec<u8> {
        crate::gzip(&vec![0; size])[10..].to_vec()
    }

    #[test]
    fn members_that_lie_of_their_length_are_those_of_no_list() {
        let (file, blocks) = written_of(900);
        let (bytes, _) = blocks.place(1).unwrap();
        let at = bytes.start as usize + 16;
        let size = (bytes.end - bytes.start) as u32;
        for packed in [0, 1, 27, 35, size - 1, size + 1, size * 2, u32::MAX] {
            let mut lying = file.clone();
            lying[at..at + 4].copy_from_slice(&packed.to_le_bytes());
            assert_eq!(found(&lying), None, "a member of {packed} bytes");
        }
        // As long as two of them: it is found, and nothing comes out of it.
        let (next, _) = blocks.place(2).unwrap();
        let both = (next.end - bytes.start) as u32;
        let mut lying = file.clone();
        let number = |at: u64| u32::from_le_bytes(file[at as usize..][..4].try_into().unwrap());
        let packages = number(bytes.start + 24) + number(next.start + 24);
        lying[at..at + 4].copy_from_slice(&both.to_le_bytes());
        lying[at + 8..at + 12].copy_from_slice(&packages.to_le_bytes());
        let found = found(&lying).unwrap();
        let member = &lying[bytes.start as usize..next.end as usize];
        assert!(found.open(1, member, Vec::new()).is_err());
    }

    #[test]
    fn bombs_cost_no_more_than_they_claim() {
        let head = Blocks::write(Document::Other, Compression::Gzip, &[b"<package></package>\n"]);
        let (head, foot) = (head.0[..head.1.head as usize].to_vec(), {
            let foot = (head.1.size() - head.1.foot) as usize;
            head.0[foot..].to_vec()
        });
        let bomb = zeros(64 << 20);
        let packed = (WORDS + bomb.len()) as u32;
        for (claimed, is_possible) in
            [(1000, true), (16 << 20, true), (OPEN_MAX as u32 + 1, false), (u32::MAX, false)]
        {
            let member = lying(packed, claimed, 1, &bomb);
            let file = [&head[..], &member, &foot].concat();
            let blocks = found(&file);
            assert_eq!(blocks.is_some(), is_possible, "{claimed} bytes");
            let Some(blocks) = blocks else { continue };
            let error = blocks.open(0, &member, Vec::new()).unwrap_err();
            assert!(matches!(error, Error::TooLarge { limit, .. } if limit == u64::from(claimed)), "{error}");
        }
        // What cannot come out of so few bytes is not asked for.
        let member = lying((WORDS + 20) as u32, 1 << 20, 1, &[0; 20]);
        assert_eq!(found(&[&head[..], &member, &foot].concat()), None);
        // Many packages in little text.
        let member = lying((WORDS + 20) as u32, 4, 5, &[0; 20]);
        assert_eq!(found(&[&head[..], &member, &foot].concat()), None);
    }
}
