//! The arguments of `sluice undo`.

use clap::Args;

use crate::arguments::Asking;

/// The request `undo`.
#[derive(Debug, Args)]
pub struct Undo {
    /// The claim name of a settled request, or its id where that means one request only
    pub request: String,
    /// Do not show the plan and ask first; without a terminal there is nobody to ask
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub asking: Asking,
}
