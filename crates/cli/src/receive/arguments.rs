//! The arguments of `sluice receive`.

use clap::Args;

use crate::arguments::Waiting;

/// For whom the door is opened.
#[derive(Debug, Args)]
pub struct Receive {
    /// Whose key opened it: every request is asked in this name, for which `[roles]` says "as:NAME"
    #[arg(long = "as", value_name = "NAME")]
    pub name: String,
    /// The largest file that is taken, in bytes
    #[arg(long, default_value_t = 4 << 30, value_name = "BYTES")]
    pub upload_max: u64,
    /// How many bytes stay free where files are taken, whatever comes
    #[arg(long, default_value_t = 1 << 30, value_name = "BYTES")]
    pub free_min: u64,
    /// How many requests in this name may wait for their answer
    #[arg(long, default_value_t = 100, value_name = "REQUESTS")]
    pub waiting_max: usize,
    /// How many bytes of files in this name may lie there that no request has taken yet; a small one counts 64 KiB
    #[arg(long, default_value_t = 20 << 30, value_name = "BYTES")]
    pub held_max: u64,
    #[command(flatten)]
    pub waiting: Waiting,
}
