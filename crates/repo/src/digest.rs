//! The digest of bytes.

use nevra::Sha256;
use sha2::Digest as _;

/// Hashes bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256::from(<[u8; 32]>::from(sha2::Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_has_the_digest_everybody_knows() {
        assert_eq!(
            super::sha256(b"").hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
