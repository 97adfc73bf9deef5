//! What can be said of a signature.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Fingerprint;

/// What was found out about one signature.
pub type Verdict = Result<Good, Bad>;

/// A signature that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Good {
    /// The primary key of the certificate: what configurations name.
    pub fingerprint: Fingerprint,
    /// The key that made the signature: the primary key itself or one of its subkeys.
    pub key: Fingerprint,
    /// When it says it was made.
    pub made: Timestamp,
    /// The digest it was made of: `SHA256`.
    pub hash: String,
    /// The key's algorithm: `RSA`, `DSA`, `EdDSA`, ...
    pub algorithm: String,
    /// The key's size; 256 for an elliptic curve of that size.
    pub bits: usize,
}

/// A signature that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{words}")]
#[serde(deny_unknown_fields)]
pub struct Bad {
    /// Why, for programs.
    pub code: Code,
    /// Which key it names, or the primary key if that is known: hexadecimal digits.
    pub key: Option<String>,
    /// Why, for people, without the name of what was signed.
    pub words: String,
}

/// The ways in which a signature fails to count.
///
/// The words are kept for ever: they stand in answers and manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// None of the keys made it, as far as its issuer says.
    UnknownKey,
    /// The primary key or the subkey is expired now.
    KeyExpired,
    /// The key is dated in the future.
    KeyNotYetValid,
    /// The key was not valid when the signature says it was made.
    KeyNotValidThen,
    /// The primary key is revoked, for whatever reason.
    KeyRevoked,
    /// The subkey is revoked, for whatever reason.
    SubkeyRevoked,
    /// The key may do other things, not sign.
    KeyNotForSigning,
    /// No signature that counts binds the key: none at all, one of a weak digest, one the subkey did not return.
    KeyNotBound,
    /// A key of a size that others can break.
    ShortKey,
    /// It was made of MD5, SHA-1 or RIPEMD-160.
    WeakDigest,
    /// The bytes are not those that were signed.
    BadSignature,
    /// It is no signature, or not one alone.
    SignatureMalformed,
    /// A version, kind, algorithm or demand that is not known here.
    SignatureUnsupported,
    /// It is dated in the future.
    SignatureFromFuture,
    /// It says itself that it no longer counts.
    SignatureExpired,
}

impl Code {
    /// Shows the word programs compare: `key-expired`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown-key",
            Self::KeyExpired => "key-expired",
            Self::KeyNotYetValid => "key-not-yet-valid",
            Self::KeyNotValidThen => "key-not-valid-then",
            Self::KeyRevoked => "key-revoked",
            Self::SubkeyRevoked => "subkey-revoked",
            Self::KeyNotForSigning => "key-not-for-signing",
            Self::KeyNotBound => "key-not-bound",
            Self::ShortKey => "short-key",
            Self::WeakDigest => "weak-digest",
            Self::BadSignature => "bad-signature",
            Self::SignatureMalformed => "signature-malformed",
            Self::SignatureUnsupported => "signature-unsupported",
            Self::SignatureFromFuture => "signature-from-future",
            Self::SignatureExpired => "signature-expired",
        }
    }
}

impl Bad {
    pub(crate) fn new(code: Code, key: Option<String>, words: impl Into<String>) -> Self {
        Self { code, key, words: words.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_word_it_is_stored_as() {
        for code in [Code::UnknownKey, Code::KeyNotValidThen, Code::SignatureFromFuture, Code::ShortKey] {
            let stored: String = serde_plain(code);
            assert_eq!(stored, code.as_str());
        }
    }

    fn serde_plain(code: Code) -> String {
        let stored = serde_json::to_string(&code).unwrap();
        stored.trim_matches('"').to_owned()
    }
}
