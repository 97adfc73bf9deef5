//! How long what was superseded is kept: the rule for metadata, and for generations nobody named.
//!
//! ```text
//!   ten minutes |          |          |          |
//!   sets        aaaaabbccddddddddddddddeeffffffffffff
//!   kept for    a: the grace   b, c: an hour   d: the grace   e: an hour
//! ```
//!
//! The last set of every ten minutes, which is the one in force when the next ten begin, stays for the whole
//! grace; any other for an hour. So how long something stays is known when it is superseded, and never shortened.

use jiff::{SignedDuration, Timestamp};

/// How long every superseded set is kept, if the grace is not shorter.
pub const EVERY_SET: SignedDuration = SignedDuration::from_hours(1);

/// The time of which the last set is kept for the whole grace.
pub const LAST_OF: SignedDuration = SignedDuration::from_mins(10);

/// How long a package stays in the pool after the last link to it went.
pub const POOL: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long what was abandoned lies in quarantine.
pub const QUARANTINE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Tells until when a set is kept that was in force from one instant to the other.
pub fn kept_until(published: Timestamp, superseded: Timestamp, grace: SignedDuration) -> Timestamp {
    let part = |instant: Timestamp| instant.as_second().div_euclid(LAST_OF.as_secs());
    let is_last = part(published) != part(superseded);
    superseded + if is_last { grace } else { grace.min(EVERY_SET) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(published: &str, superseded: &str, grace_hours: i64, expected: &str) {
        let at = |text: &str| format!("2026-03-{text}Z").parse::<Timestamp>().unwrap();
        let grace = SignedDuration::from_hours(grace_hours);
        assert_eq!(kept_until(at(published), at(superseded), grace), at(expected));
    }

    #[test]
    fn the_last_set_of_ten_minutes_stays_for_the_grace_and_others_for_an_hour() {
        check("01T12:03:00", "01T12:09:59", 72, "01T13:09:59");
        check("01T12:09:59", "01T12:10:00", 72, "04T12:10:00");
        check("01T12:03:00", "02T12:05:00", 72, "05T12:05:00");
        check("01T12:03:00", "01T12:04:00", 0, "01T12:04:00");
    }

    #[test]
    fn of_a_busy_hour_six_sets_stay() {
        let at = |second: i64| Timestamp::from_second(1_699_999_800 + second).unwrap();
        let grace = SignedDuration::from_hours(72);
        let kept = |second| kept_until(at(second), at(second + 1), grace).duration_since(at(second + 1));
        assert_eq!((0..3600).filter(|second| kept(*second) == grace).count(), 6);
    }

    #[test]
    fn a_clock_that_went_back_keeps_more_rather_than_less() {
        check("01T12:30:00", "01T12:05:00", 72, "04T12:05:00");
    }
}
