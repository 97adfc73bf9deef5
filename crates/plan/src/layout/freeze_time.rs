//! The calendar of freezes.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;

/// Says when nothing enters or leaves a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezeTime {
    /// The product; every product if there is none.
    pub product: Option<String>,
    /// The stage; every stage if there is none.
    pub stage: Option<String>,
    /// When.
    pub span: FreezeSpan,
    /// Why, for people.
    pub reason: String,
}

/// Is a stretch of time, once or again and again. Its last instant is not included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FreezeSpan {
    /// From an instant on until another.
    Once {
        /// The first instant.
        from: Timestamp,
        /// The instant at which it is over.
        until: Timestamp,
    },
    /// Every week, by what clocks on the wall of some place show: an hour that they show twice counts twice.
    Weekly {
        /// When it begins.
        from: WeekTime,
        /// When it is over; in the next week where that is no later in the week.
        until: WeekTime,
        /// The place.
        zone: TimeZone,
    },
}

/// Is a minute of the week, printed and parsed as `Friday 12:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekTime {
    day: Weekday,
    hour: u8,
    minute: u8,
}

impl WeekTime {
    /// Counts the minutes since Monday, 00:00.
    fn minutes(self) -> u32 {
        minutes_of(self.day, u32::from(self.hour), u32::from(self.minute))
    }
}

fn minutes_of(day: Weekday, hour: u32, minute: u32) -> u32 {
    let days = u32::from(day.to_monday_zero_offset().unsigned_abs());
    (days * 24 + hour) * 60 + minute
}

/// The days as they are written, in full or by their first three letters.
const DAYS: [(&str, Weekday); 7] = [
    ("Monday", Weekday::Monday),
    ("Tuesday", Weekday::Tuesday),
    ("Wednesday", Weekday::Wednesday),
    ("Thursday", Weekday::Thursday),
    ("Friday", Weekday::Friday),
    ("Saturday", Weekday::Saturday),
    ("Sunday", Weekday::Sunday),
];

/// Says that a text is no minute of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a day of the week and a time, such as `Friday 12:00`")]
pub struct NotAWeekTime;

impl FromStr for WeekTime {
    type Err = NotAWeekTime;

    fn from_str(text: &str) -> Result<WeekTime, NotAWeekTime> {
        let (day, time) = text.split_once(' ').ok_or(NotAWeekTime)?;
        let is_meant = |name: &str| name.eq_ignore_ascii_case(day) || name[..3].eq_ignore_ascii_case(day);
        let (_, day) = DAYS.into_iter().find(|(name, _)| is_meant(name)).ok_or(NotAWeekTime)?;
        let (hour, minute) = time.split_once(':').ok_or(NotAWeekTime)?;
        let number = |text: &str, below: u8| {
            let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| is_plain && *number < below).ok_or(NotAWeekTime)
        };
        Ok(WeekTime { day, hour: number(hour, 24)?, minute: number(minute, 60)? })
    }
}

impl fmt::Display for WeekTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = DAYS.iter().find(|(_, day)| *day == self.day).map_or("", |(name, _)| name);
        write!(f, "{name} {:02}:{:02}", self.hour, self.minute)
    }
}

impl FreezeSpan {
    /// Says whether an instant lies in it.
    pub fn holds(&self, instant: Timestamp) -> bool {
        match self {
            FreezeSpan::Once { from, until } => *from <= instant && instant < *until,
            FreezeSpan::Weekly { from, until, zone } => {
                let local: DateTime = zone.to_datetime(instant);
                let [hour, minute] =
                    [local.hour(), local.minute()].map(|number| u32::from(number.unsigned_abs()));
                let now = minutes_of(local.weekday(), hour, minute);
                let (from, until) = (from.minutes(), until.minutes());
                if from < until { from <= now && now < until } else { from <= now || now < until }
            }
        }
    }

    /// Says whether no later instant lies in it.
    pub fn is_over(&self, instant: Timestamp) -> bool {
        matches!(self, FreezeSpan::Once { until, .. } if *until <= instant)
    }
}

impl FreezeTime {
    /// Says whether it is about a stage.
    pub fn is_for(&self, product: &str, stage: &str) -> bool {
        self.product.as_deref().is_none_or(|frozen| frozen == product)
            && self.stage.as_deref().is_none_or(|frozen| frozen == stage)
    }

    /// Writes what the calendar says.
    pub fn evidence(&self) -> String {
        let when = match &self.span {
            FreezeSpan::Once { from, until } => format!("from {from} until {until}"),
            FreezeSpan::Weekly { from, until, zone } => {
                let zone = zone.iana_name().unwrap_or("local time");
                format!("every week from {from} until {until} ({zone})")
            }
        };
        format!("by the calendar frozen {when}: {}", self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clocks of Rome by rule, so that no table of zones is read.
    const ROME: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    fn weekly(from: &str, until: &str, zone: &str) -> FreezeSpan {
        let zone = TimeZone::posix(zone).unwrap();
        FreezeSpan::Weekly { from: from.parse().unwrap(), until: until.parse().unwrap(), zone }
    }

    #[track_caller]
    fn check(span: &FreezeSpan, instant: &str, expected: bool) {
        assert_eq!(span.holds(instant.parse().unwrap()), expected, "{instant}");
    }

    #[test]
    fn a_weekend_begins_and_ends_by_the_clock_on_the_wall() {
        let weekend = weekly("Friday 12:00", "Monday 08:00", ROME);
        // In winter an hour ahead of UTC, in summer two; 2026-03-06 is a Friday.
        for (instant, expected) in [
            ("2026-03-06T10:59:59Z", false),
            ("2026-03-06T11:00:00Z", true),
            ("2026-03-08T23:30:00Z", true),
            ("2026-03-09T06:59:59Z", true),
            ("2026-03-09T07:00:00Z", false),
            ("2026-03-11T12:00:00Z", false),
            ("2026-07-03T09:59:59Z", false),
            ("2026-07-03T10:00:00Z", true),
            ("2026-07-06T05:59:59Z", true),
            ("2026-07-06T06:00:00Z", false),
        ] {
            check(&weekend, instant, expected);
        }
    }

    #[test]
    fn within_a_week_it_does_not_wrap_and_a_whole_week_is_frozen() {
        let night = weekly("Tuesday 22:00", "Wednesday 06:00", "UTC0");
        for (instant, expected) in [
            ("2026-03-03T21:59:00Z", false),
            ("2026-03-03T22:00:00Z", true),
            ("2026-03-04T05:59:59Z", true),
            ("2026-03-04T06:00:00Z", false),
            ("2026-03-08T23:59:59Z", false),
        ] {
            check(&night, instant, expected);
        }
    }

    #[test]
    fn the_hour_that_is_left_out_and_the_one_that_comes_twice() {
        let early = weekly("Sunday 02:30", "Sunday 03:30", ROME);
        // 2026-03-29: clocks go from 01:59:59 (UTC+1) to 03:00; 2026-10-25: from 02:59:59 (UTC+2) back to 02:00.
        for (instant, expected) in [
            ("2026-03-29T00:59:59Z", false),
            ("2026-03-29T01:00:00Z", true),
            ("2026-03-29T01:30:00Z", false),
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T01:00:00Z", false),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T02:30:00Z", false),
        ] {
            check(&early, instant, expected);
        }
    }

    #[test]
    fn minutes_of_the_week_are_read_as_they_are_written() {
        for text in ["Friday 12:00", "Monday 00:00", "Sunday 23:59"] {
            assert_eq!(text.parse::<WeekTime>().unwrap().to_string(), text);
        }
        assert_eq!("fri 08:05".parse::<WeekTime>().unwrap().to_string(), "Friday 08:05");
        for text in [
            "",
            "Friday",
            "Fr 12:00",
            "Friday 24:00",
            "Friday 12:60",
            "Friday 1:00",
            "Friday 12:00:00",
            "é 12:00",
            "Friday +1:00",
        ] {
            assert_eq!(text.parse::<WeekTime>(), Err(NotAWeekTime), "{text}");
        }
    }
}
