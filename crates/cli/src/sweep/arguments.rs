//! What may stand behind `sluice sweep`.

use clap::Args;

use crate::arguments::Asking;

/// The request `sweep`; a dry run lists everything that is held, with the reason.
#[derive(Debug, Args)]
pub struct Sweep {
    #[command(flatten)]
    pub asking: Asking,
}
