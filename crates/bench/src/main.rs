//! `sluice-bench`: what Sluice costs beside createrepo_c, on repositories that are made for it.
//!
//! ```text
//! generate --RPMs as distributions have them--> run --every program in alternation--> a table
//! ```
//!
//! It is for developers and installed nowhere. Nothing here is a test: whoever changes how repodata is made looks at the
//! table before and after.

mod generate;
mod invention;
mod words;

use camino::Utf8PathBuf;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "sluice-bench", about = "Measures Sluice beside createrepo_c")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Makes a directory of RPMs as distributions have them; the same seed makes the same bytes
    Generate {
        /// The directory, which must not hold any
        directory: Utf8PathBuf,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 1000)]
        packages: usize,
        /// What chance begins with
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Generate { directory, packages, seed } => generate::generate(&directory, packages, seed),
    }
}
