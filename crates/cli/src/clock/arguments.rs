//! What may stand behind `sluice clock`.

use clap::{Args, Subcommand};

use crate::arguments::Asking;

/// The clocks, and what they prove.
#[derive(Debug, Args)]
pub struct Clock {
    #[command(subcommand)]
    pub verb: Option<ClockVerb>,
}

/// What is to be done with the clock.
#[derive(Debug, Subcommand)]
pub enum ClockVerb {
    /// Say that the wall clock is right: what it is ahead by counts as passed
    Accept(Accept),
}

/// The request `accept-clock`.
#[derive(Debug, Args)]
pub struct Accept {
    #[command(flatten)]
    pub asking: Asking,
}
