//! The arguments of `sluice adopt`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use crate::arguments::Asking;

/// The request `adopt`.
#[derive(Debug, Args)]
#[command(mut_arg("timeout", |timeout| timeout.default_value("24h")))]
pub struct Adopt {
    /// The folder that holds `repodata`, or the http(s) URL of a repository
    pub source: String,
    /// The product; may be left out where the site has only one
    #[arg(long)]
    pub product: Option<String>,
    /// The stage, whose `path` in the configuration is the URL the repository had
    #[arg(long)]
    pub stage: String,
    /// The platform; may be left out where the product has only one
    #[arg(long, value_name = "OS/ARCH")]
    pub platform: Option<String>,
    /// Which of the siblings the repository becomes
    #[arg(long, value_enum, default_value = "binary")]
    pub kind: Sibling,
    /// Where what is downloaded is kept, for the daemon to read and for the next attempt to go on with
    /// [default: a folder in `tmp/` of the control directory]
    #[arg(long, value_name = "DIR")]
    pub work: Option<Utf8PathBuf>,
    /// Do not show the plan and ask first
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub asking: Asking,
}

/// A repository or one of its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sibling {
    /// The packages hosts install
    Binary,
    /// Debuginfo packages, at `<path>/debug`
    Debug,
    /// Source packages, at `<path>/source`
    Source,
}

impl From<Sibling> for plan::Kind {
    fn from(sibling: Sibling) -> plan::Kind {
        match sibling {
            Sibling::Binary => plan::Kind::Binary,
            Sibling::Debug => plan::Kind::Debug,
            Sibling::Source => plan::Kind::Source,
        }
    }
}
