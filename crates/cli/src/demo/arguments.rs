//! The arguments of `sluice demo`.

use std::net::SocketAddr;

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

/// The procedures that the demo plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Played {
    /// Certification, staged roll-out, production: patches travel in bundles
    Glite,
    /// Untested, testing, production: one ticket follows one product
    Egi,
}

/// How the demo is to be played.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Where everything is made; must be absent, empty, or of an earlier demo
    #[arg(long, default_value = "demo")]
    pub folder: Utf8PathBuf,
    /// Where the web server listens; a free port of this machine otherwise
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Which procedure the second half plays
    #[arg(long, value_enum, default_value = "glite")]
    pub procedure: Played,
    /// End after the last step; exit 0 only if every step held
    #[arg(long)]
    pub once: bool,
    /// Spoil one step on purpose, to see that the demo notices
    #[arg(long = "break", value_name = "STEP", hide = true)]
    pub spoil: Option<usize>,
}
