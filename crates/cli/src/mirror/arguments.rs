//! The arguments of `sluice mirror`.

use std::num::NonZeroU64;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::Args;

use crate::arguments::duration;

/// What is copied, where to, and how often.
#[derive(Debug, Clone, Args)]
pub struct Mirror {
    /// The web root of the site (http or https), or its rsync module (rsync://HOST/sluice)
    #[arg(value_name = "URL")]
    pub source: String,
    /// The directory: a web server serves DIR/current
    pub dir: Utf8PathBuf,
    /// How many earlier generations stay, for clients in the middle of something
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub keep: usize,
    /// Copy once and end; this is what happens anyway
    #[arg(long, conflicts_with = "follow")]
    pub once: bool,
    /// Go on, and look for a new generation this often, such as 60s or 5m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub follow: Option<Duration>,
    /// How many bytes a second may come in
    #[arg(long, value_name = "BYTES")]
    pub rate: Option<NonZeroU64>,
    /// How long the source may say nothing
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = duration)]
    pub timeout: Duration,
}
