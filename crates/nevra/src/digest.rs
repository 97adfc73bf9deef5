//! Digests as text and bytes; nothing is hashed here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ParseError;
use crate::text::serde_as_text;

/// A SHA-256 digest.
///
/// Text is 64 hexadecimal digits in lower case; upper case is refused, so that one digest has one
/// spelling and file names can be compared as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Shows the digest as 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        crate::to_hex(&self.0)
    }

    /// Shows the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Shows the first 2 digits, the name of the folder the file lies in.
    #[must_use]
    pub fn shard(&self) -> String {
        self.hex()[..2].to_owned()
    }

    /// Shows the first 16 digits, enough to tell files of one site apart.
    #[must_use]
    pub fn short(&self) -> String {
        self.hex()[..16].to_owned()
    }
}

impl From<[u8; 32]> for Sha256 {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Sha256 {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        check_hex(text, 64)?;
        let nibble = |digit: u8| match digit {
            b'0'..=b'9' => digit - b'0',
            _ => digit - b'a' + 10,
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({})", self.hex())
    }
}

serde_as_text!(Sha256);

/// A checksum algorithm that repository metadata may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// MD5, 32 digits.
    Md5,
    /// SHA-1 by the name that metadata for the oldest clients has, who know no other: `sha`. 40 digits.
    Sha,
    /// SHA-1, 40 digits.
    Sha1,
    /// SHA-224, 56 digits.
    Sha224,
    /// SHA-256, 64 digits.
    Sha256,
    /// SHA-384, 96 digits.
    Sha384,
    /// SHA-512, 128 digits.
    Sha512,
}

impl Algorithm {
    /// Shows the name metadata uses today: `sha256`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha => "sha",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Counts the hexadecimal digits of a digest.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha | Self::Sha1 => 40,
            Self::Sha224 => 56,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

impl FromStr for Algorithm {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Ok(match text {
            "md5" => Self::Md5,
            "sha" => Self::Sha,
            "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return Err(ParseError::Algorithm { text: text.to_owned() }),
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A digest together with the algorithm that made it, as foreign metadata states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest {
    /// What made it.
    pub algorithm: Algorithm,
    /// The digest in lower-case hexadecimal digits.
    pub hex: String,
}

impl Digest {
    /// Puts the two together.
    ///
    /// # Errors
    ///
    /// `hex` is not as many lower-case hexadecimal digits as the algorithm makes.
    pub fn new(algorithm: Algorithm, hex: impl Into<String>) -> Result<Self, ParseError> {
        let hex = hex.into();
        check_hex(&hex, algorithm.digits())?;
        Ok(Self { algorithm, hex })
    }

    /// Shows the digest as a [`Sha256`], if it is one.
    #[must_use]
    pub fn sha256(&self) -> Option<Sha256> {
        match self.algorithm {
            Algorithm::Sha256 => self.hex.parse().ok(),
            _ => None,
        }
    }
}

impl From<Sha256> for Digest {
    fn from(digest: Sha256) -> Self {
        Self { algorithm: Algorithm::Sha256, hex: digest.hex() }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

fn check_hex(text: &str, digits: usize) -> Result<(), ParseError> {
    let why = if text.len() != digits {
        "it does not have as many digits as its algorithm makes"
    } else if !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        "it holds something else than lower-case hexadecimal digits"
    } else {
        return Ok(());
    };
    Err(ParseError::Digest { text: text.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "3fa9c1d2e4b5a6970123456789abcdef00112233445566778899aabbccddeeff";

    #[test]
    fn a_digest_comes_back_as_it_went() {
        let digest: Sha256 = HEX.parse().unwrap();
        assert_eq!(digest.to_string(), HEX);
        assert_eq!(digest.shard(), "3f");
        assert_eq!(digest.short(), "3fa9c1d2e4b5a697");
        assert_eq!(digest.as_bytes()[0], 0x3f);
        assert_eq!(Sha256::from(*digest.as_bytes()), digest);
    }

    #[test]
    fn one_digest_has_one_spelling() {
        for bad in
            [&HEX[1..], &HEX.to_uppercase(), &format!("{HEX}0"), &HEX.replace('0', "g"), "", &"ü".repeat(32)]
        {
            assert!(bad.parse::<Sha256>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_knows_its_algorithm() {
        let digest: Sha256 = HEX.parse().unwrap();
        assert_eq!(Digest::from(digest).sha256(), Some(digest));
        assert_eq!(Digest::new("sha".parse().unwrap(), "a".repeat(40)).unwrap().sha256(), None);
        assert!(Digest::new(Algorithm::Md5, HEX).is_err());
        for algorithm in ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] {
            let parsed: Algorithm = algorithm.parse().unwrap();
            assert_eq!(parsed.to_string(), algorithm);
        }
        assert!("crc32".parse::<Algorithm>().is_err());
    }
}
