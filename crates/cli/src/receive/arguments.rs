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
    #[command(flatten)]
    pub waiting: Waiting,
}
