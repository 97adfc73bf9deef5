//! What may stand behind `sluice context`.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::arguments::duration;

/// The contexts that stages name; listed unless a verb says otherwise.
#[derive(Debug, Args)]
pub struct Contexts {
    #[command(subcommand)]
    pub verb: Option<ContextVerb>,
}

/// What is to be done with contexts.
#[derive(Debug, Subcommand)]
pub enum ContextVerb {
    /// Fetch those that lie behind a URL, as the daemon's user; what was fetched before stays until all of it came
    Update(Update),
}

/// Which contexts are fetched, and how patiently.
#[derive(Debug, Args)]
pub struct Update {
    /// Their names [default: all that stages name; what no stage names any more is removed]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// How long a server may say nothing
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = duration)]
    pub timeout: Duration,
}
