//! What can go wrong in the daemon, the world being wrong; a wrong *asker* gets a refusal instead.

use crate::config::ConfigErrors;
use crate::ground::Unfit;
use crate::signing::Fault;
use crate::verify::Violation;
use camino::Utf8PathBuf;

/// Everything the daemon's own parts report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store or its disk failed; the text carries operation and path.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The configuration file could not be read.
    #[error("failed to read the configuration `{file}`: {cause}")]
    ReadConfig {
        /// The file.
        file: Utf8PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The configuration file says something that cannot be.
    #[error("failed to accept the configuration:\n{0}")]
    Config(#[from] ConfigErrors),
    /// The site stands where it cannot keep what it promises.
    #[error("failed to accept the place of the site: {}", unfit.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Ground {
        /// At least one thing that is wrong.
        unfit: Vec<Unfit>,
    },
    /// The user or group database of the host did not answer.
    #[error("failed to look up {what}: {cause}")]
    Accounts {
        /// Whom, as in `user 1001`.
        what: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A file of the control directory could not be read, written or moved.
    #[error("failed to {operation} `{path}`: {cause}")]
    File {
        /// What was attempted, as a verb.
        operation: &'static str,
        /// On what.
        path: Utf8PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// Something in the control directory is not what the daemon put there; a person must look.
    #[error("failed to trust `{path}`: {reason}")]
    Spool {
        /// Where.
        path: Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The account in a generation's manifest could not be understood.
    #[error("failed to read the account of generation `{generation}`: {reason}")]
    Account {
        /// The generation.
        generation: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// What the procedures remembered in a generation could not be understood.
    #[error("failed to read `{path}` of generation `{generation}`: {reason}")]
    Workflow {
        /// The generation.
        generation: u64,
        /// The file in its private half.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Published metadata could not be understood.
    #[error("failed to read the metadata `{place}`: {reason}")]
    Metadata {
        /// Which generation and file.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A published file is no longer what was published; a person must look.
    #[error("failed to go on from `{path}`: {reason}; `sluice verify` names what else is damaged")]
    Unsound {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A repository is to appear and the configuration gives it no path.
    #[error("failed to place the repository `{repository}`: the configuration gives it no path")]
    NoPath {
        /// The repository.
        repository: String,
    },
    /// A package is to be listed and nothing knows its metadata; a bug, which stops before it writes.
    #[error("failed to find the metadata of `{nevra}`")]
    NoEntry {
        /// The package.
        nevra: String,
    },
    /// A file with groups was to be published and nobody read it; a bug, which stops before it writes.
    #[error("failed to publish `{path}`: it was not read with the configuration")]
    CompsNotRead {
        /// The file.
        path: Utf8PathBuf,
    },
    /// Metadata was to be signed and nobody read the keys; a bug, which stops before it writes.
    #[error("failed to sign metadata: the keys were not read with the configuration")]
    KeysNotRead,
    /// A certificate that was read could not be written again.
    #[error("failed to announce the key `{name}`: {reason}")]
    Key {
        /// Its name in the configuration.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Metadata could not be signed; nothing was published, and the requests that need it wait.
    #[error("failed to have the metadata of `{repository}` signed: {fault}")]
    NotSigned {
        /// The path of the repository.
        repository: String,
        /// What is wrong with the signer, or with what it made.
        fault: Fault,
    },
    /// The databases for yum 3 could not be made.
    #[error("failed to make the databases for yum 3: {reason}")]
    Databases {
        /// Why.
        reason: String,
    },
    /// A generation could not be built; nothing became visible, and the requests wait.
    #[error("failed to publish generation {generation}, nothing became visible: {source}")]
    Abandoned {
        /// The number that was not used.
        generation: u64,
        /// What failed.
        source: store::Error,
    },
    /// Somebody changed the published tree by hand; nothing is built on it, and the requests wait.
    #[error("failed to build on generation {generation}, which is not as it was sealed: {}; put it back as it was, `sluice verify` names everything", changed.join("; "))]
    Drifted {
        /// The generation.
        generation: u64,
        /// Each path and what is wrong with it; the first few.
        changed: Vec<String>,
    },
    /// A generation is visible and perhaps not durable: nobody was told, a person is needed.
    #[error("failed to make generation {generation} durable, it is visible and nobody was told: {source}")]
    Unproven {
        /// The generation.
        generation: u64,
        /// What failed.
        source: store::Error,
    },
    /// A reload asks for another root or control directory.
    #[error("failed to reload: root `{root}` and spool `{spool}` cannot change while the daemon runs")]
    Moved {
        /// The root in force.
        root: Utf8PathBuf,
        /// The control directory in force.
        spool: Utf8PathBuf,
    },
    /// The configuration moves a repository that is published.
    #[error(
        "failed to accept the configuration: `{repository}` is published at `{from}` and cannot move to `{to}`"
    )]
    PathChanged {
        /// The repository.
        repository: String,
        /// Where it is.
        from: String,
        /// Where it is to be.
        to: String,
    },
    /// A site was to go on that never published anything.
    #[error("failed to go on in `{root}`: nothing was ever published there")]
    NothingToResume {
        /// The root.
        root: Utf8PathBuf,
    },
    /// A restored site is damaged; nothing was published.
    #[error("failed to verify what was restored below `{root}`: {} things are wrong, nothing was published", violations.len())]
    Damaged {
        /// The root.
        root: Utf8PathBuf,
        /// At least one thing that is wrong.
        violations: Vec<Violation>,
    },
    /// Nothing may be published now.
    #[error("failed to publish now: {why}")]
    TooEarly {
        /// Why not.
        why: String,
    },
    /// The process that reads packages could not be had; what is to be read waits.
    #[error("failed to start a worker that reads packages: {why}")]
    Worker {
        /// Why.
        why: String,
    },
    /// The signals of the process could not be listened to.
    #[error("failed to listen to signals: {cause}")]
    Signals {
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// What came through the door in one name is as much as may wait.
    #[error("failed to take in what `{name}` sends: {words} ({code})")]
    DoorFull {
        /// The name that was asked in.
        name: String,
        /// `door-requests` or `door-bytes`.
        code: &'static str,
        /// What waits, in words.
        words: String,
    },
}

impl Error {
    /// Whether trying again is no help: the unit does not restart on it (exit 78).
    pub fn needs_a_person(&self) -> bool {
        matches!(
            self,
            Self::Unproven { .. }
                | Self::Store(store::Error::Broken { .. })
                | Self::Account { .. }
                | Self::Workflow { .. }
        )
    }

    /// Whether something that is published is not what it was: trying again is no help, but the daemon can go on with the rest.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Unsound { .. }
                | Self::Drifted { .. }
                | Self::Abandoned { source: store::Error::Differs { .. }, .. }
        )
    }

    /// Whether the disk, not what was asked of it, is at fault: trying again later may help.
    pub fn is_of_the_disk(&self) -> bool {
        match self {
            Self::Store(source) | Self::Abandoned { source, .. } => {
                matches!(source, store::Error::Disk { .. } | store::Error::NotCleaned { .. })
            }
            Self::File { .. } => true,
            _ => false,
        }
    }

    /// Whether the machine is at fault in a way that mostly passes: no room, a bad read, a disk that became
    /// read-only, too many open files, too little memory.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Store(source) => source.may_pass(),
            Self::File { cause, .. } => store::may_pass(cause),
            _ => false,
        }
    }

    /// Whether there is no room left for what was to be written.
    pub fn is_no_space(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Store(store::Error::Disk { cause, .. }) if matches!(cause.kind(), StorageFull | QuotaExceeded))
    }

    /// Gives the exit code of design: 2 configuration, 4 locked, 75 try again, 78 a person is needed.
    pub fn exit(&self) -> u8 {
        match self {
            _ if self.needs_a_person() => 78,
            Self::Config(_)
            | Self::ReadConfig { .. }
            | Self::Ground { .. }
            | Self::Moved { .. }
            | Self::PathChanged { .. } => 2,
            Self::Store(store::Error::Locked { .. }) => 4,
            Self::Store(store::Error::NoGeneration { .. }) => 5,
            Self::NothingToResume { .. } => 5,
            Self::Damaged { .. } => 6,
            Self::Drifted { .. } | Self::Unsound { .. } => 78,
            Self::Abandoned { .. }
            | Self::TooEarly { .. }
            | Self::NotSigned { .. }
            | Self::DoorFull { .. } => 75,
            _ => 1,
        }
    }
}
