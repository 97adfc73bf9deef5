//! What `sluice generate` takes.

use camino::Utf8PathBuf;
use clap::Subcommand;

/// What is to be generated from the command line's own description.
#[derive(Debug, Subcommand)]
pub enum GenerateVerb {
    /// Write the manual pages, one for each verb
    Man {
        /// The folder, which is made if it is not there
        folder: Utf8PathBuf,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}
