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
    /// A file could not be written whole.
    #[error("failed to write `{path}`: {cause}")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// What the disk said.
        cause: std::io::Error,
    },
    /// Another run replaces the same repodata.
    #[error("failed to replace the repodata of `{output}`: another run is at work there")]
    Busy {
        /// The directory that holds `repodata`.
        output: Utf8PathBuf,
    },
    /// createrepo_c is at work there, or was killed there.
    #[error(
        "failed to replace the repodata beside `{path}`: createrepo_c is at work there, or was killed there"
    )]
    OtherLock {
        /// The directory it takes for a lock.
        path: Utf8PathBuf,
    },
    /// Simple names cannot be replaced one by one, and not all at once on this file system.
    #[error(
        "failed to replace the repodata of `{output}`: its file system cannot exchange two names in one instant, \
         and files of one name cannot be replaced one by one without readers that see half of it"
    )]
    NoExchange {
        /// The directory that holds `repodata`.
        output: Utf8PathBuf,
    },
    /// A name that cannot be kept and must not be lost.
    #[error("failed to keep `{name}` of `{repodata}`: its name is not UTF-8")]
    OddName {
        /// The directory.
        repodata: Utf8PathBuf,
        /// The name, with replacement characters.
        name: String,
    },
    /// A file is no package that can be listed.
    #[error("failed to list `{path}`: {cause}")]
    Package {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        cause: repo::Error,
    },
    /// A file of metadata that was there could not be understood.
    #[error("failed to understand `{path}`: {cause}")]
    Metadata {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        cause: repo::Error,
    },
    /// A file of metadata is not the one its record names.
    #[error("failed to believe `{path}`: its digest is not `{checksum}`")]
    Checksum {
        /// The file.
        path: Utf8PathBuf,
        /// What it should be.
        checksum: nevra::Digest,
    },
    /// An index lacks what every repository has.
    #[error("failed to find a record `{kind}` in `{path}`")]
    NoRecord {
        /// The index.
        path: Utf8PathBuf,
        /// What it lacks.
        kind: &'static str,
    },
    /// A file is larger than any of its kind.
    #[error("failed to read `{path}`: it is larger than `{limit}` bytes")]
    TooLarge {
        /// The file.
        path: Utf8PathBuf,
        /// How large it may be.
        limit: u64,
    },
    /// A package changed while it was read.
    #[error("failed to list `{path}`: it changed while it was read")]
    Changed {
        /// The file.
        path: Utf8PathBuf,
    },
    /// A directory has no metadata.
    #[error("failed to find `{path}`: the directory is no repository")]
    NoRepodata {
        /// Where it should be.
        path: Utf8PathBuf,
    },
    /// The databases for yum 3 could not be made.
    #[error(transparent)]
    Databases(#[from] databases::Error),
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
