//! The arguments of `sluice verify`.

use clap::Args;

/// What is looked at, and how strictly.
#[derive(Debug, Args)]
pub struct Verify {
    /// Nothing is running and nothing waits: also check what holds only then
    #[arg(long)]
    pub at_rest: bool,
    /// Look at a mirror from outside instead: whether it serves one whole generation, and which
    #[arg(long, value_name = "URL", conflicts_with = "at_rest")]
    pub mirror: Option<String>,
    /// The site it is a mirror of, to tell how far behind it is
    #[arg(long, value_name = "URL", requires = "mirror")]
    pub source: Option<String>,
    /// Hash every package of the pool, also those that nothing leads to any more, and name all that lists a damaged
    /// one; verify the signatures of packages anew, instead of believing the record of them; of a mirror read every
    /// package, instead of asking for its size
    #[arg(long)]
    pub deep: bool,
}
