//! One block as bytes: packed by itself, and, where the form has room for it, saying how large it is and what it lists.
//!
//! ```text
//! 1f 8b 08 04 | time, level, system | 10 00 | 'S' 'L' | 0c 00 | packed | open | packages | deflated | CRC-32 | open
//!             |       00 ...        | XLEN  |         | size  |      three u32, LE       |
//! ```
//!
//! A gzip member has an extra field for such words (RFC 1952, 2.3.1.1), which every reader passes over. With it whoever finds
//! the file finds its blocks by reading 28 bytes of each, and unpacks one into a buffer of the right size. Nothing is believed
//! that would cost more than it claims: what does not fit is read as any gzip is.

use std::cell::RefCell;

use libdeflater::{CompressionLvl, Compressor, Decompressor};

use super::{BLOCK, SMALL};
use crate::error::Error;
use crate::packing::{Compression, pack, unpack};

/// libdeflate's default: smaller than level 6 of zlib, and faster.
const LEVEL: i32 = 6;
/// No gzip unpacks to more than so many times its size.
const RATIO_MAX: u64 = 1032;
/// Identification of our words in an extra field.
const NAME: [u8; 2] = *b"SL";
/// Method deflate, an extra field and nothing else, no time; level and system are whatever they are.
const START: [u8; 8] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0];
/// Where the extra field begins in a member.
const EXTRA: usize = 10;
/// The bytes before what is deflated.
pub(super) const WORDS: usize = EXTRA + 2 + 4 + 12;
/// Flags of a gzip member stand here; one of them says that there is an extra field.
const FLAGS: usize = 3;
/// CRC-32 and size at the end.
const END: usize = 8;

/// What a member says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// The bytes of the whole member.
    pub packed: u32,
    /// The bytes of what comes out.
    pub open: u32,
    /// How many packages it lists; head and foot list none.
    pub packages: u32,
}

impl Words {
    /// Reads the first [`WORDS`] bytes of a member; `None` if it says nothing of the kind, or what cannot be.
    pub(super) fn read(member: &[u8]) -> Option<Self> {
        let (start, words) = member.get(..WORDS)?.split_at(EXTRA);
        let [16, 0, first, second, 12, 0, numbers @ ..] = words else { return None };
        if !start.starts_with(&START) || [*first, *second] != NAME {
            return None;
        }
        let mut numbers =
            numbers.chunks_exact(4).filter_map(|four| Some(u32::from_le_bytes(four.try_into().ok()?)));
        let words = Self { packed: numbers.next()?, open: numbers.next()?, packages: numbers.next()? };
        let is_possible = words.packed as usize >= WORDS + END
            && u64::from(words.open) <= u64::from(words.packed) * RATIO_MAX
            && words.packages <= words.open;
        is_possible.then_some(words)
    }
}

/// Packs a block that lists so many packages: same input, same bytes, as long as this program is the same.
pub(super) fn packed(compression: Compression, open: &[u8], packages: usize) -> Vec<u8> {
    let sizes = (u32::try_from(open.len()), u32::try_from(packages));
    let (Compression::Gzip, (Ok(open_size), Ok(packages))) = (compression, sizes) else {
        return pack(compression, open);
    };
    TOOLS.with_borrow_mut(|Tools { packer, room, .. }| {
        let bound = packer.gzip_compress_bound(open.len());
        room.resize(bound.max(room.len()), 0);
        let size = packer.gzip_compress(open, room).expect("the bound is the bound");
        let Ok(packed) = u32::try_from(size + WORDS - EXTRA) else { return pack(compression, open) };
        let mut member = Vec::with_capacity(packed as usize);
        member.extend_from_slice(&room[..EXTRA]);
        member[FLAGS] |= START[FLAGS];
        member.extend([16, 0, NAME[0], NAME[1], 12, 0]);
        [packed, open_size, packages].iter().for_each(|number| member.extend(number.to_le_bytes()));
        member.extend_from_slice(&room[EXTRA..size]);
        // A package may be larger than any block; room for it is not kept.
        room.truncate(2 * BLOCK);
        room.shrink_to(2 * BLOCK);
        member
    })
}

/// What packing and unpacking need, large enough that to ask for it anew for each block costs as much as a tenth of the work.
struct Tools {
    packer: Compressor,
    unpacker: Decompressor,
    room: Vec<u8>,
}

thread_local! {
    static TOOLS: RefCell<Tools> = RefCell::new(Tools {
        packer: Compressor::new(CompressionLvl::new(LEVEL).expect("it is the default")),
        unpacker: Decompressor::new(),
        room: Vec::new(),
    });
}

/// Unpacks a block of which so many bytes come out; `out` is room for them that is used again, whatever it holds.
///
/// # Errors
///
/// [`Error::Packed`] and [`Error::TooLarge`], as [`unpack`].
pub(super) fn unpacked(member: &[u8], open: u64, mut out: Vec<u8>) -> Result<Vec<u8>, Error> {
    let fits = |words: &Words| (words.packed as usize, u64::from(words.open)) == (member.len(), open);
    let Some(words) = Words::read(member).filter(fits) else { return unpack(member, open) };
    let size = words.open as usize;
    if out.capacity() < size {
        // Room for a block is room for the next one, too. Left to grow it would become too large to be kept.
        out = Vec::with_capacity(if size < SMALL { size } else { size.max(BLOCK + SMALL / 2) });
    }
    out.resize(size, 0);
    let deflated = &member[WORDS..member.len() - END];
    match TOOLS.with_borrow_mut(|tools| tools.unpacker.deflate_decompress(deflated, &mut out)) {
        Ok(size) if size == out.len() && ends_as(member, &out) => Ok(out),
        // Another reader may know what is wrong with it, or that nothing is.
        _ => unpack(member, open),
    }
}

/// Says whether the member ends with the sum and size of what came out of it, so that nothing lies behind what was read but
/// what was made to deceive.
fn ends_as(member: &[u8], open: &[u8]) -> bool {
    let size = u32::try_from(open.len()).unwrap_or(u32::MAX);
    let end = [libdeflater::crc32(open).to_le_bytes(), size.to_le_bytes()].concat();
    member.ends_with(&end)
}
