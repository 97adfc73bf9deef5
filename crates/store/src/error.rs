//! What can go wrong between the store and its disk.

use camino::Utf8PathBuf;

/// Everything the store reports: the world is wrong, and the text says where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation.
    #[error("failed to {operation} `{path}`: {cause}")]
    Disk {
        /// What was attempted, as a verb: `create`, `sync directory`.
        operation: &'static str,
        /// On what.
        path: Utf8PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// Something that is not a regular file stands where a file was to be opened.
    #[error("failed to open `{path}`: it is {what}, not a regular file")]
    NotRegular {
        /// Where.
        path: Utf8PathBuf,
        /// What it is instead: `a symlink`, `a directory`.
        what: &'static str,
    },
    /// Somebody else holds the lock on the root.
    #[error("failed to lock `{root}`: another process holds the lock")]
    Locked {
        /// The root of the store.
        root: Utf8PathBuf,
    },
    /// The published tree was damaged from outside; nothing was touched, a person is needed (exit 78).
    #[error("failed to trust `{path}`: {what}; {advice}")]
    Broken {
        /// The name that is wrong.
        path: Utf8PathBuf,
        /// What is wrong with it.
        what: String,
        /// What a person can do.
        advice: String,
    },
    /// A stored file does not hold what is recorded of it.
    #[error("failed to verify `{path}`: {what}")]
    Differs {
        /// The file.
        path: Utf8PathBuf,
        /// What differs.
        what: String,
    },
    /// A stored JSON file could not be understood.
    #[error("failed to parse `{path}`: {cause}")]
    Parse {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong, with line and column.
        cause: String,
    },
    /// A draft asks for something that no generation can hold.
    #[error("failed to build generation {number}: {what}")]
    Draft {
        /// The number of the draft.
        number: u64,
        /// What is wrong with it.
        what: String,
    },
    /// No kept generation has this number.
    #[error("failed to find generation {number}: it is not kept")]
    NoGeneration {
        /// The number asked for.
        number: u64,
    },
}

impl Error {
    /// Wraps what the operating system said.
    pub fn disk(
        operation: &'static str,
        path: impl Into<Utf8PathBuf>,
        cause: impl Into<std::io::Error>,
    ) -> Error {
        Error::Disk { operation, path: path.into(), cause: cause.into() }
    }
}
