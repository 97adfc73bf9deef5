//! What the daemon says to a worker it starts.

use clap::Args;

/// What the worker may use.
#[derive(Debug, Args)]
pub struct ReadPackages {
    /// Bytes of memory, the program included
    #[arg(long, value_name = "BYTES")]
    pub address_space: u64,
    /// Seconds of computing
    #[arg(long, value_name = "SECONDS")]
    pub cpu_seconds: u64,
}
