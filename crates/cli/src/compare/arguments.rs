//! What may stand behind `sluice compare`.

use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use clap::Args;
use nevra::Algorithm;

/// Which directory is looked at, and how.
#[derive(Debug, Args)]
pub struct Compare {
    /// The directory that holds `repodata`
    #[arg(value_name = "DIR")]
    pub dir: Utf8PathBuf,
    /// Show every finding, not only the first of each kind
    #[arg(long)]
    pub all: bool,
    /// Pass over packages whose path matches, as for `createrepo`; may be given several times
    #[arg(short = 'x', long, value_name = "GLOB")]
    pub excludes: Vec<String>,
    /// What hashes packages [default: what the repository uses]
    #[arg(short = 's', long, value_name = "TYPE")]
    pub checksum: Option<Algorithm>,
    /// How many packages are read side by side [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
}
