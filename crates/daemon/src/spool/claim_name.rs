//! Claim names, `<stem>-<yyyymmddThhmmss.microsecondsZ>-<6 hex>`: what they are made of, and reading them back.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The most bytes taken from the name of the request file; with time, token and endings below 200.
const STEM_MAX: usize = 100;

/// How the time is written; its length is always 23.
const TIME: &str = "%Y%m%dT%H%M%S.%6fZ";
const TIME_LENGTH: usize = 23;
const TOKEN_LENGTH: usize = 6;

/// Makes the name of a claim; `at` counts to the microsecond, of `token` the lowest 24 bits.
pub(super) fn claim_name(stem: &str, at: Timestamp, token: u32) -> String {
    format!("{}-{}-{:06x}", clean(stem), at.strftime(TIME), token & 0x00ff_ffff)
}

/// Keeps letters, digits, `.`, `_` and `-` of a stem, and begins with a letter, a digit or `_`.
pub(super) fn clean(stem: &str) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let mut clean: String = stem.chars().take(STEM_MAX).map(|c| if good(c) { c } else { '_' }).collect();
    if clean.is_empty() || clean.starts_with(['.', '-']) {
        clean.insert(0, '_');
    }
    clean
}

/// Reads the time out of a claim name; `None` if it is none.
pub(super) fn claimed_at(claim: &str) -> Option<Timestamp> {
    Some(taken_apart(claim)?.1)
}

/// Says whether a text can be the name of a claim, one of the clock's among them.
pub(crate) fn is_claim_name(text: &str) -> bool {
    text.starts_with("clock/") || taken_apart(text).is_some()
}

/// Reads the cleaned stem out of a claim name; `None` if it is none.
pub(super) fn stem_of(claim: &str) -> Option<&str> {
    Some(taken_apart(claim)?.0)
}

fn taken_apart(claim: &str) -> Option<(&str, Timestamp)> {
    let (rest, token) = claim.rsplit_once('-')?;
    let (stem, time) = rest.rsplit_once('-')?;
    let hex = token.len() == TOKEN_LENGTH && token.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex || stem.is_empty() || time.len() != TIME_LENGTH {
        return None;
    }
    let civil = DateTime::strptime(TIME, time).ok()?;
    let at = TimeZone::UTC.to_timestamp(civil).ok()?;
    Some((stem, at))
}

/// Cuts a time to what a claim name can hold.
pub(super) fn to_microseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_name_gives_its_time_back() {
        let at: Timestamp = "2026-11-21T23:04:35.000042Z".parse().unwrap();
        let name = claim_name("update-57", at, 0xff00_1abc);
        assert_eq!(name, "update-57-20261121T230435.000042Z-001abc");
        assert_eq!(claimed_at(&name), Some(at));
    }

    #[test]
    fn hostile_stems_become_plain_and_short() {
        assert_eq!(clean("../../etc/x y\n\u{e9}"), "_.._.._etc_x_y__");
        assert_eq!(clean("-rf"), "_-rf");
        assert_eq!(clean(""), "_");
        let long = claim_name(&"\u{e9}".repeat(300), Timestamp::UNIX_EPOCH, 0);
        assert!(format!(".{long}.answer.json").len() < 200);
        assert_eq!(claimed_at(&long), Some(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn other_names_have_no_time() {
        for name in ["", "a", "a-b-c", "x-20261121T230435.000042Z-00zabc", "-20261121T230435.000042Z-001abc"]
        {
            assert_eq!(claimed_at(name), None, "{name}");
        }
    }

    #[test]
    fn names_sort_by_time_where_the_stem_is_the_same() {
        let at = |us| Timestamp::from_microsecond(us).unwrap();
        assert!(claim_name("a", at(9), 9) < claim_name("a", at(10), 1));
        assert!(claim_name("a", at(999_999), 9) < claim_name("a", at(1_000_000), 1));
    }
}
