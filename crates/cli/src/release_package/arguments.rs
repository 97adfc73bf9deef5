//! What `sluice release-package` is told.

use camino::Utf8PathBuf;
use clap::Args;

/// What the package is for.
#[derive(Debug, Args)]
pub struct ReleasePackage {
    /// The product
    pub product: String,
    /// The stage whose repositories it names [default: the last of the product]
    #[arg(long)]
    pub stage: Option<String>,
    /// For hosts of one platform only: `sl5`, or `sl5/x86_64`
    #[arg(long)]
    pub platform: Option<String>,
    /// Its version [default: the number of the current generation]
    #[arg(long)]
    pub version: Option<String>,
    /// The folder to write it into
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub output: Utf8PathBuf,
}
