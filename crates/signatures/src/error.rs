/// Why a file is no certificate that can be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is larger than any certificate that is handed out for packages.
    #[error("failed to read the key: it has `{size}` bytes, {limit} are allowed")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// It is no OpenPGP certificate, or a damaged one.
    #[error("failed to read the key: {why}")]
    Malformed {
        /// What is wrong, in words.
        why: String,
    },
    /// It holds several certificates, so that nobody can say which is meant.
    #[error("failed to read the key: the file holds {count} certificates, one is wanted")]
    Several {
        /// How many.
        count: usize,
    },
    /// It holds the secret half of a key.
    #[error("failed to take the key: the file holds its secret part, which belongs to the signer alone")]
    Secret,
    /// A text is no fingerprint.
    #[error("failed to read `{text}` as a fingerprint: 40 or 64 hexadecimal digits are wanted")]
    Fingerprint {
        /// The text.
        text: String,
    },
}
