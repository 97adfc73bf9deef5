//! What can be wrong with a text.

use thiserror::Error;

/// Says which text is not what it should be, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// The text is no architecture.
    #[error("failed to read architecture `{text}`: {why}")]
    Arch {
        /// The text as it was given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The text is no `[epoch:]version-release`.
    #[error("failed to read version `{text}`: {why}")]
    Evr {
        /// The text as it was given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The text is no `name-[epoch:]version-release.arch`.
    #[error("failed to read package name `{text}`: {why}")]
    Nevra {
        /// The text as it was given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The text is no dependency such as `foo >= 1:2-3`.
    #[error("failed to read dependency `{text}`: {why}")]
    Dependency {
        /// The text as it was given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The text is no digest in lower-case hexadecimal digits.
    #[error("failed to read digest `{text}`: {why}")]
    Digest {
        /// The text as it was given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The text names no checksum algorithm that is known here.
    #[error(
        "failed to read checksum algorithm `{text}`: it is none of md5, sha, sha1, sha224, sha256, sha384, sha512"
    )]
    Algorithm {
        /// The text as it was given.
        text: String,
    },
}
