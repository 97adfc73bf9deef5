//! What can go wrong between the store and its disk.

use camino::Utf8PathBuf;
use rustix::io::Errno;

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
    /// Something that is not a directory stands where the store keeps one.
    #[error("failed to use `{path}`: it is not a directory")]
    NotDirectory {
        /// Where.
        path: Utf8PathBuf,
    },
    /// A lock was shown that belongs to another root.
    #[error("failed to write below `{root}`: the lock shown is that of `{locked}`")]
    OtherLock {
        /// The root of the store.
        root: Utf8PathBuf,
        /// The root that is locked.
        locked: Utf8PathBuf,
    },
    /// An abandoned generation could not be cleaned away whole. What is not in quarantine yet recovery puts
    /// there before anything else is made.
    #[error("{error}; then failed to clean up: {cleaning}")]
    NotCleaned {
        /// Why the generation was abandoned.
        error: Box<Error>,
        /// Why it still lies there.
        cleaning: Box<Error>,
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
    /// A name for what arrives cannot be a file name.
    #[error("failed to bring in `{name}`: it is no file name")]
    NoFileName {
        /// The name.
        name: String,
    },
    /// What is to be finished is not the generation in force.
    #[error("failed to finish generation {number}: it is not in force")]
    NotInForce {
        /// Its number.
        number: u64,
    },
    /// No kept generation has this number.
    #[error("failed to find generation {number}: it is not kept")]
    NoGeneration {
        /// The number asked for.
        number: u64,
    },
}

/// Why a generation is not in force, or not known to be.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing of it is visible, and of what was made only the number is left. Its requests may be planned
    /// again.
    #[error("{0}")]
    Abandoned(Error),
    /// It is visible or may be, and may vanish when the power is cut: tell nobody, stop, let a person look
    /// (exit 78).
    #[error("failed to prove that the generation is durable, though it may be visible: {0}")]
    Unproven(Error),
}

/// The errors of the kernel that pass and for which the standard library has no kind.
const PASSING: [i32; 3] =
    [Errno::IO.raw_os_error(), Errno::MFILE.raw_os_error(), Errno::NFILE.raw_os_error()];

/// Whether the machine is at fault in a way that mostly passes: no room, a bad read, a disk that became read-only, too
/// many open files, too little memory.
pub fn may_pass(cause: &std::io::Error) -> bool {
    use std::io::ErrorKind::{OutOfMemory, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(cause.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem | OutOfMemory)
        || cause.raw_os_error().is_some_and(|code| PASSING.contains(&code))
}

impl Error {
    /// Whether the machine is at fault in a way that mostly passes, see [`may_pass`].
    pub fn may_pass(&self) -> bool {
        match self {
            Error::Disk { cause, .. } => may_pass(cause),
            Error::NotCleaned { .. } => true,
            _ => false,
        }
    }

    /// Wraps what the operating system said.
    pub fn disk(
        operation: &'static str,
        path: impl Into<Utf8PathBuf>,
        cause: impl Into<std::io::Error>,
    ) -> Error {
        Error::Disk { operation, path: path.into(), cause: cause.into() }
    }
}
