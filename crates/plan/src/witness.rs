//! Witnessed time: how much of what the wall clock says has passed is believed.
//!
//! The wall clock can be set to anything, the clock that counts since the machine was started cannot. So within
//! one boot the smaller advance of the two counts; across boots nothing but the wall clock tells, and it is
//! believed for a day. What is believed never runs ahead of time itself, as long as it once began right:
//!
//! ```text
//!   wall clock   12:00 --- set to 2036 --- set right ---  12:10
//!   boot clock    0:00 --------------------------------    0:10
//!   witnessed    12:00 --------------------------------   12:10     (but for the moments of the two jumps)
//! ```
//!
//! A jump forwards opens nothing, a jump back takes nothing away for good: while the wall clock is behind, it is
//! the one that counts ([`crate::World::proven`]).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What the wall clock alone can prove, across two boots.
pub const ACROSS_BOOTS_MAX: SignedDuration = SignedDuration::from_hours(24);

/// What lags by less is not worth telling anybody.
pub const LAG_MIN: SignedDuration = SignedDuration::from_mins(1);

/// What the clocks of the machine say at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The wall clock.
    pub wall: Timestamp,
    /// How long ago the machine was started, sleep included.
    pub boot: SignedDuration,
    /// What tells one start of the machine from all others.
    pub boot_id: String,
}

/// The time that is witnessed, and the clocks as they stood then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// The witnessed time.
    pub time: Timestamp,
    /// The reading it was witnessed at.
    pub seen: Reading,
}

impl Witness {
    /// Begins with what the wall clock says: nothing older has to be protected, or somebody answers for it.
    pub fn accepted(seen: Reading) -> Witness {
        Witness { time: seen.wall, seen }
    }

    /// Begins with an instant that is known to have been, read in a boot that nobody remembers.
    pub fn since(time: Timestamp) -> Witness {
        let seen = Reading { wall: time, boot: SignedDuration::ZERO, boot_id: String::new() };
        Witness { time, seen }
    }

    /// Moves on to a later reading.
    pub fn advanced(&self, now: &Reading) -> Witness {
        let wall = now.wall.duration_since(self.seen.wall);
        let is_same_boot = now.boot_id == self.seen.boot_id && !now.boot_id.is_empty();
        let other = if is_same_boot { now.boot - self.seen.boot } else { ACROSS_BOOTS_MAX };
        let advance = wall.min(other).max(SignedDuration::ZERO);
        // What no calendar holds has not passed.
        let time = self.time.checked_add(advance).unwrap_or(self.time);
        Witness { time, seen: now.clone() }
    }

    /// Tells by how much the wall clock is ahead of what is witnessed, if that is worth telling.
    pub fn lag(&self) -> Option<SignedDuration> {
        let lag = self.seen.wall.duration_since(self.time);
        (lag >= LAG_MIN).then_some(lag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reading: day of March and time, seconds since the start, which start.
    fn read(wall: &str, boot: i64, id: &str) -> Reading {
        let wall = format!("2026-03-{wall}:00Z").parse().unwrap();
        Reading { wall, boot: SignedDuration::from_secs(boot), boot_id: id.to_owned() }
    }

    /// Begins with the first reading, goes through the others, and compares what is witnessed then.
    fn check(readings: &[(&str, i64, &str)], expected: &str) {
        let mut readings = readings.iter().map(|(wall, boot, id)| read(wall, *boot, id));
        let first = Witness::accepted(readings.next().unwrap());
        let last = readings.fold(first, |witness, reading| witness.advanced(&reading));
        assert_eq!(last.time, format!("2026-03-{expected}:00Z").parse().unwrap());
    }

    #[test]
    fn time_that_passes_is_witnessed() {
        check(&[("01T12:00", 100, "a"), ("01T12:30", 1900, "a"), ("09T12:30", 693_100, "a")], "09T12:30");
        check(&[("01T12:00", 100, "a"), ("01T12:00", 100, "a")], "01T12:00");
    }

    #[test]
    fn a_clock_that_jumps_forwards_witnesses_nothing() {
        check(&[("01T12:00", 0, "a"), ("09T12:00", 60, "a")], "01T12:01");
        check(&[("01T12:00", 0, "a"), ("09T12:00", 60, "a"), ("09T13:00", 3660, "a")], "01T13:01");
        check(&[("01T12:00", 0, "a"), ("09T12:00", 60, "a"), ("01T12:02", 120, "a")], "01T12:01");
    }

    #[test]
    fn a_clock_that_jumps_back_takes_nothing_away_and_gives_nothing_when_it_is_set_right() {
        check(&[("09T12:00", 0, "a"), ("01T12:00", 60, "a")], "09T12:00");
        check(&[("09T12:00", 0, "a"), ("01T12:00", 60, "a"), ("01T13:00", 3660, "a")], "09T13:00");
        check(&[("09T12:00", 0, "a"), ("01T12:00", 60, "a"), ("09T12:02", 120, "a")], "09T12:01");
    }

    #[test]
    fn sleep_is_witnessed_because_the_boot_clock_counts_it() {
        check(&[("01T12:00", 0, "a"), ("04T12:00", 3 * 86_400, "a")], "04T12:00");
    }

    #[test]
    fn a_boot_clock_that_runs_back_or_ahead_gives_nothing() {
        check(&[("01T12:00", 500, "a"), ("01T13:00", 100, "a")], "01T12:00");
        check(&[("01T12:00", 0, "a"), ("01T13:00", 999_999, "a")], "01T13:00");
    }

    #[test]
    fn across_boots_the_wall_clock_is_believed_for_a_day() {
        check(&[("01T12:00", 9000, "a"), ("01T12:05", 20, "b")], "01T12:05");
        check(&[("01T12:00", 9000, "a"), ("02T12:00", 20, "b")], "02T12:00");
        check(&[("01T12:00", 9000, "a"), ("20T12:00", 20, "b")], "02T12:00");
        check(&[("01T12:00", 9000, "a"), ("20T12:00", 20, "b"), ("20T13:00", 3620, "b")], "02T13:00");
        check(&[("09T12:00", 9000, "a"), ("01T12:00", 20, "b"), ("09T12:10", 80, "b")], "09T12:01");
    }

    #[test]
    fn a_boot_nobody_remembers_is_never_the_same() {
        let witness = Witness::since("2026-03-01T12:00:00Z".parse().unwrap());
        let now = witness.advanced(&read("09T12:00", 5, ""));
        assert_eq!(now.time, "2026-03-02T12:00:00Z".parse().unwrap());
        assert_eq!(now.lag(), Some(SignedDuration::from_hours(7 * 24)));
    }

    #[test]
    fn only_a_lag_that_matters_is_told() {
        let lag = |wall| Witness::accepted(read("01T12:00", 0, "a")).advanced(&read(wall, 0, "a")).lag();
        assert_eq!(lag("01T12:00"), None);
        assert_eq!(lag("01T11:00"), None);
        assert_eq!(lag("01T12:01"), Some(SignedDuration::from_mins(1)));
        let accepted = Witness::accepted(read("09T12:00", 0, "a"));
        assert_eq!(accepted.lag(), None);
    }

    #[test]
    fn the_end_of_the_calendar_is_no_way_out() {
        let last = Reading { wall: Timestamp::MAX, ..read("01T12:00", 0, "b") };
        let witness = Witness::since(Timestamp::MAX).advanced(&last);
        assert_eq!(witness.time, Timestamp::MAX);
        assert!(Witness::since(Timestamp::MIN).advanced(&last).time < Timestamp::MAX);
    }
}
