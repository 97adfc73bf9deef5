//! What may stand behind `sluice init`.

use clap::Args;

/// How a site is to begin.
#[derive(Debug, Args)]
pub struct Init {
    /// Only say what would be made
    #[arg(long)]
    pub dry_run: bool,
    /// Go on from a root that was restored from a backup: verify it, and publish it anew with a number and dates
    /// ahead of everything that clients may have seen
    #[arg(long)]
    pub resume: bool,
    /// With --resume: by how much the number jumps [default: a generation for every second since, at least 1000]
    #[arg(long, requires = "resume", value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub ahead: Option<u64>,
}
