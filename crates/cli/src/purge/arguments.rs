//! The arguments of `sluice purge`.

use clap::Args;

use crate::arguments::Asking;

/// The request `purge`.
#[derive(Debug, Args)]
pub struct Purge {
    /// File names (`name-version-release.arch`) or the sha256 of whole files; one that nothing here holds is kept out
    #[arg(required = true, value_name = "PACKAGE|SHA256")]
    pub packages: Vec<String>,
    /// Do not show the plan and ask first
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub asking: Asking,
}
