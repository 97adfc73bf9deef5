//! Fingerprints of keys as text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::KeyError;

/// The fingerprint of a key: 40 hexadecimal digits, 64 for keys of version 6.
///
/// Text may come in either case and with blanks, as gpg and pages print it; it is shown in upper case without blanks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Shows the 40 or 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn of(fingerprint: &sequoia_openpgp::Fingerprint) -> Self {
        Self(fingerprint.to_hex())
    }
}

impl FromStr for Fingerprint {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let digits: String =
            text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).take(65).collect();
        if matches!(digits.len(), 40 | 64) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(digits))
        } else {
            Err(KeyError::Fingerprint { text: text.chars().take(100).collect() })
        }
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_may_be_written_as_gpg_prints_it() {
        let text = "8f3c 1d2e 4b5a 6978 8796  a5b4 c3d2 e1f0 0123 4567";
        let fingerprint: Fingerprint = text.parse().unwrap();
        assert_eq!(fingerprint.to_string(), "8F3C1D2E4B5A69788796A5B4C3D2E1F001234567");
    }

    #[test]
    fn an_identifier_of_eight_or_sixteen_digits_is_no_fingerprint() {
        for text in ["", "01234567", "0123456789abcdef", "x".repeat(40).as_str(), "0".repeat(65).as_str()] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
