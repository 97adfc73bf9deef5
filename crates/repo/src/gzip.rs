//! Packing and unpacking gzip.

use std::io::Write;

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

use crate::error::Error;
use crate::packing::{self, bounded};

/// The level createrepo_c uses.
const LEVEL: Compression = Compression::new(6);

/// Packs bytes as one gzip member without name or time: same input, same bytes.
///
/// The same is *not* promised of another version of this program.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzBuilder::new().mtime(0).write(Vec::with_capacity(bytes.len() / 6), LEVEL);
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("a Vec takes whatever is written to it")
}

/// Unpacks gzip of one or many members.
///
/// No more than `limit` bytes come out, and no more than a few times that is ever held, whatever the
/// bytes claim.
///
/// # Errors
///
/// [`Error::Packed`] if it is not gzip, damaged, cut short, or followed by something else;
/// [`Error::TooLarge`] if more than `limit` bytes would come out.
pub fn gunzip(bytes: &[u8], limit: u64) -> Result<Vec<u8>, Error> {
    bounded(packing::Compression::Gzip, MultiGzDecoder::new(bytes), bytes.len(), limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_again() {
        for bytes in [&b""[..], b"x", &b"primary ".repeat(20_000)] {
            let packed = gzip(bytes);
            assert_eq!(gunzip(&packed, bytes.len() as u64).unwrap(), bytes);
            assert_eq!(packed, gzip(bytes));
            assert_eq!(packed[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "no name, no time");
        }
    }

    #[test]
    fn members_are_read_one_after_another() {
        let packed = [gzip(b"one "), gzip(b""), gzip(b"two")].concat();
        assert_eq!(gunzip(&packed, 100).unwrap(), b"one two");
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = gzip(&vec![0; 10_000_000]);
        assert!(bomb.len() < 20_000);
        let mut many = Vec::new();
        for _ in 0..100 {
            many.extend_from_slice(&bomb);
        }
        let error = gunzip(&many, 1_000_000).unwrap_err();
        assert_eq!(error.to_string(), "failed to unpack gzip: more than `1000000` bytes come out");
    }

    #[test]
    fn damage_is_told() {
        let packed = gzip(&b"0123456789".repeat(100));
        for end in 0..packed.len() {
            let error = gunzip(&packed[..end], 10_000).unwrap_err();
            assert!(error.to_string().starts_with("failed to unpack gzip: "), "{end}: {error}");
        }
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let mut damaged = packed.clone();
            let at = random.usize(..damaged.len());
            damaged[at] ^= 1 << random.u8(..8);
            if let Ok(bytes) = gunzip(&damaged, 10_000) {
                assert_eq!(bytes, b"0123456789".repeat(100), "only the unchecked header may differ");
            }
        }
        assert!(gunzip(&[&packed[..], b"tail"].concat(), 10_000).is_err());
        assert!(gunzip(b"<?xml version=\"1.0\"?>", 10_000).is_err());
    }
}
