//! The arguments of `sluice impact`.

use clap::Args;

use crate::arguments::Waiting;

/// What a package touches.
#[derive(Debug, Args)]
pub struct Impact {
    /// A name, a glob over names, name-version-release, or a whole NEVRA
    pub package: String,
    /// Do not ask the daemon what a roll-back would do: only what is published is looked at
    #[arg(long)]
    pub published_only: bool,
    #[command(flatten)]
    pub waiting: Waiting,
}
