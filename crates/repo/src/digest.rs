//! The digest of bytes.

use std::io::{self, Write};

use md5::Md5;
use nevra::{Algorithm, Digest, Sha256};
use sha1::{Digest as _, Sha1};
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Sha224, Sha384, Sha512};

/// Hashes bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256::from(<[u8; 32]>::from(sha2::Sha256::digest(bytes)))
}

/// Hashes bytes by any algorithm that metadata may name.
#[must_use]
pub fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

/// Hashes bytes as they come; whatever is written to it counts, and writing never fails.
///
/// ```
/// use nevra::Algorithm;
/// use repo::Hasher;
///
/// let mut hasher = Hasher::new(Algorithm::Sha512);
/// std::io::copy(&mut &b"an RPM"[..], &mut hasher)?;
/// assert_eq!(hasher.finish(), repo::digest(Algorithm::Sha512, b"an RPM"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Hasher(State);

#[derive(Clone, Debug)]
enum State {
    Md5(Md5),
    Sha(Sha1),
    Sha1(Sha1),
    Sha224(Sha224),
    Sha256(sha2::Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

/// How far a SHA-256 is: eight words, the number of 64-byte pieces that went into them, and what is left over, its length first.
pub(crate) type Saved = [u8; SAVED];

/// The size of [`Saved`].
pub(crate) const SAVED: usize = 32 + 8 + 64;

/// Tells how many bytes went into what was saved.
pub(crate) fn hashed_by(saved: &Saved) -> u64 {
    let pieces = saved[32..].first_chunk().map_or(0, |pieces| u64::from_le_bytes(*pieces));
    pieces.saturating_mul(64).saturating_add(saved[40].into())
}

impl Hasher {
    /// Begins with nothing.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Md5 => State::Md5(Md5::new()),
            Algorithm::Sha => State::Sha(Sha1::new()),
            Algorithm::Sha1 => State::Sha1(Sha1::new()),
            Algorithm::Sha224 => State::Sha224(Sha224::new()),
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha384 => State::Sha384(Sha384::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Md5(state) => state.update(bytes),
            State::Sha(state) | State::Sha1(state) => state.update(bytes),
            State::Sha224(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// Gives the digest of all that was added.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Md5(state) => made(Algorithm::Md5, &state.finalize()),
            State::Sha(state) => made(Algorithm::Sha, &state.finalize()),
            State::Sha1(state) => made(Algorithm::Sha1, &state.finalize()),
            State::Sha224(state) => made(Algorithm::Sha224, &state.finalize()),
            State::Sha256(state) => made(Algorithm::Sha256, &state.finalize()),
            State::Sha384(state) => made(Algorithm::Sha384, &state.finalize()),
            State::Sha512(state) => made(Algorithm::Sha512, &state.finalize()),
        }
    }

    /// Saves how far it is; `None` for whatever is not SHA-256.
    pub(crate) fn saved(&self) -> Option<Saved> {
        match &self.0 {
            State::Sha256(state) => state.serialize().as_slice().try_into().ok(),
            _ => None,
        }
    }

    /// Goes on from what was saved; `None` if that is none.
    pub(crate) fn resumed(saved: &Saved) -> Option<Self> {
        sha2::Sha256::deserialize(saved.into()).ok().map(|state| Self(State::Sha256(state)))
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn made(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    Digest { algorithm, hex: nevra::to_hex(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_the_digest_everybody_knows() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b"").hex(), empty);
        let check = |algorithm, expected: &str| {
            let digest = digest(algorithm, b"");
            assert!(digest.hex.starts_with(expected), "{digest}");
            assert_eq!(Digest::new(algorithm, &*digest.hex).unwrap(), digest);
        };
        check(Algorithm::Md5, "d41d8cd98f00b204");
        check(Algorithm::Sha1, "da39a3ee5e6b4b0d");
        check(Algorithm::Sha224, "d14a028c2a3a2bc9");
        check(Algorithm::Sha256, empty);
        check(Algorithm::Sha384, "38b060a751ac9638");
        check(Algorithm::Sha512, "cf83e1357eefb8bd");
    }

    #[test]
    fn pieces_have_the_digest_of_the_whole() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
            let mut hasher = Hasher::new(algorithm);
            for piece in b"a package in pieces".chunks(3) {
                hasher.write_all(piece).unwrap();
            }
            assert_eq!(hasher.finish(), digest(algorithm, b"a package in pieces"));
        }
    }
}
