//! What may stand behind `sluice audit`.

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What of the audit log is to be shown.
#[derive(Debug, Clone, Args)]
pub struct Audit {
    /// Only what happened at that time or later, such as 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub since: Option<Timestamp>,
    /// Only what happened before that time
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub until: Option<Timestamp>,
    /// Only what this user asked for: alice, user:alice, or clock
    #[arg(long, value_name = "OWNER")]
    pub owner: Option<String>,
    /// Only what is about packages that fit: a name, a glob over names, or a NEVRA
    #[arg(long, value_name = "PACKAGE")]
    pub package: Option<String>,
    /// Only this action, such as promote
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// Only what was refused
    #[arg(long)]
    pub refused: bool,
    /// Show nothing; check that no line was changed, removed or moved, and exit with 6 if one was
    #[arg(long, conflicts_with_all = ["since", "until", "owner", "package", "action", "refused"])]
    pub verify: bool,
    /// Judge every settled request again, from the records alone; tell what would be answered otherwise, and exit with 6 if anything would
    #[arg(long, conflicts_with = "verify")]
    pub rejudge: bool,
}

impl Audit {
    /// Says whether an instant is of the time that is asked for.
    pub fn is_of_the_time(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }
}

/// Reads an instant, or a day, which begins at midnight UTC.
fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let day = text.parse::<Date>().ok().and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    day.map(|day| day.timestamp())
        .ok_or_else(|| "write a day or an instant, such as 2026-01-31 or 2026-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_are_read() {
        assert_eq!(instant("2026-01-31"), instant("2026-01-31T00:00:00Z"));
        assert!(instant("2026-01-31T12:00:00+01:00").unwrap() < instant("2026-01-31T12:00:00Z").unwrap());
        assert!(instant("tomorrow").is_err());
    }
}
