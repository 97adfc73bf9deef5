//! What can go wrong between a directory of packages and its repodata.

use camino::Utf8PathBuf;

/// Says what could not be done, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk refused something.
    #[error(transparent)]
    Disk(#[from] store::Error),
    /// A file broke off while it was read.
    #[error("failed to read `{path}`: {cause}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// What the disk said.
        cause: std::io::Error,
    },
    /// A file is no package that can be listed.
    #[error("failed to list `{path}`: {cause}")]
    Package {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        cause: repo::Error,
    },
    /// A package changed while it was read.
    #[error("failed to list `{path}`: it changed while it was read")]
    Changed {
        /// The file.
        path: Utf8PathBuf,
    },
    /// No package is listed with a digest of this kind.
    #[error("failed to use `{algorithm}` for packages: only sha256 is known")]
    Algorithm {
        /// What was asked for.
        algorithm: nevra::Algorithm,
    },
    /// A directory has no metadata.
    #[error("failed to find `{path}`: the directory is no repository")]
    NoRepodata {
        /// Where it should be.
        path: Utf8PathBuf,
    },
}

/// Something in the directory that looked like a package and cannot be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Where it lies, relative to the directory; replacement characters stand for what is not UTF-8, and
    /// control characters are escaped.
    pub place: String,
    /// Why it cannot be listed: a whole sentence, "failed to ...".
    pub why: String,
}
