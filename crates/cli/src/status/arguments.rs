//! What may stand behind `sluice status`.

use std::time::Duration;

use clap::Args;

/// What is to be told of the site.
#[derive(Debug, Args)]
pub struct Status {
    /// Say what holds the bytes, and what a sweep would free
    #[arg(long, conflicts_with = "check")]
    pub space: bool,
    /// Judge for monitoring: one line, exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub limits: Limits,
}

/// From where on `--check` warns, and from where on it alarms.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// With --check: how long a request may wait before it is a warning
    #[arg(long, requires = "check", default_value = "10m", value_name = "TIME", value_parser = time)]
    pub wait_warning: Duration,
    /// With --check: how long a request may wait before it is critical
    #[arg(long, requires = "check", default_value = "1h", value_name = "TIME", value_parser = time)]
    pub wait_critical: Duration,
    /// With --check: below how much free space it is a warning
    #[arg(long, requires = "check", default_value_t = 10.0, value_name = "PERCENT")]
    pub free_warning: f64,
    /// With --check: below how much free space it is critical
    #[arg(long, requires = "check", default_value_t = 5.0, value_name = "PERCENT")]
    pub free_critical: f64,
    /// With --check: how far the clock may lie behind the current generation before it is critical
    #[arg(long, requires = "check", default_value = "5m", value_name = "TIME", value_parser = time)]
    pub clock_critical: Duration,
}

/// Reads `90s`, `10m`, `1h`.
fn time(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(span).map_err(|_| "a length of time is not negative".to_owned())
}
