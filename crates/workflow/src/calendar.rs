//! Working days: until when somebody who has so many of them must have answered (E5).

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

mod clocks;

use crate::names::shown;
use clocks::Clocks;

/// Knows which days are worked at some place, by the clocks on the wall there.
///
/// It is whole in itself: what it counts depends on no table of time zones of the machine that reads it back.
///
/// ```
/// let calendar = workflow::Calendar::default();
/// let friday = "2026-03-06T15:30:00Z".parse()?;
/// assert_eq!(calendar.due(friday, 1), "2026-03-09T15:30:00Z".parse()?);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Calendar {
    clocks: Clocks,
    /// Monday first.
    worked: [bool; 7],
    holidays: BTreeSet<Date>,
}

/// Says why something is no calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACalendar {
    /// Nobody ever works.
    #[error("failed to make a calendar without a working day")]
    NeverWorked,
    /// There is no such day.
    #[error("`{0}` is no day of the week, which is written as `monday`")]
    Day(String),
    /// The offsets of the clocks are not what a time zone has.
    #[error("the clocks of `{0}` change in an order or by an amount that no clocks do")]
    Clocks(String),
}

/// How a calendar is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    clocks: Clocks,
    working_days: Vec<String>,
    holidays: BTreeSet<Date>,
}

/// The days as they are stored, Monday first.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Monday to Friday.
const WORKED: [bool; 7] = [true, true, true, true, true, false, false];

impl Calendar {
    /// Makes the calendar of a place, whose time zone the caller has looked up. Its clocks are known from 2000 to 2099; before
    /// and after that they stay as they are at the first and the last instant of these years.
    ///
    /// # Errors
    /// Without any working day nobody would ever have to answer.
    pub fn new(
        zone: &TimeZone,
        working_days: &[Weekday],
        holidays: BTreeSet<Date>,
    ) -> Result<Calendar, NotACalendar> {
        let mut worked = [false; 7];
        for (at, day) in worked.iter_mut().enumerate() {
            *day = working_days.iter().any(|worked| place(*worked) == at);
        }
        if worked == [false; 7] {
            return Err(NotACalendar::NeverWorked);
        }
        Ok(Calendar { clocks: Clocks::of(zone), worked, holidays })
    }

    /// Makes the calendar of a place where people work from Monday to Friday and have no holidays.
    pub fn of_weeks(zone: &TimeZone) -> Calendar {
        Calendar { clocks: Clocks::of(zone), worked: WORKED, holidays: BTreeSet::new() }
    }

    /// Names the time zone.
    pub fn zone(&self) -> &str {
        self.clocks.name()
    }

    /// Says whether people work on a day. A day that the clocks of the place leave out is none: Friday 30 December 2011 of Apia.
    pub fn is_working_day(&self, day: Date) -> bool {
        self.worked[place(day.weekday())] && !self.holidays.contains(&day) && self.clocks.have(day)
    }

    /// Tells the instant by which somebody who was asked at `from` and has so many working days must have answered.
    ///
    /// It is when the clocks show the same time of day so many working days later: asked on Friday at 15:30 with one
    /// working day, somebody has until Monday, 15:30. Who is asked on a day that is not worked counts as asked at the
    /// beginning of the next one that is: asked on Saturday, somebody has until the end of Monday. The time of day does
    /// not matter otherwise; there are no office hours. With none, it is the instant itself, or the beginning of that next day.
    ///
    /// Where the clocks skip that time it is as much later as they skip, and where they show it twice it is the first
    /// (as RFC 5545 has it). It is never before `from`. What lies after the last instant that there is, is that instant.
    pub fn due(&self, from: Timestamp, working_days: u32) -> Timestamp {
        let asked = self.clocks.shown_at(from);
        let (first, time) = match self.is_working_day(asked.date()) {
            true => (Some(asked.date()), asked.time()),
            false => (self.working_day_after(asked.date()), Time::midnight()),
        };
        // Ends with the calendar, at the latest: no day comes after 9999.
        let day = (0..working_days).try_fold(first, |day, _| Some(Some(self.working_day_after(day?)?)));
        match day.flatten() {
            Some(day) => self.clocks.instant(day.to_datetime(time)).max(from),
            None => Timestamp::MAX,
        }
    }

    /// Finds the next working day, if one is left.
    fn working_day_after(&self, day: Date) -> Option<Date> {
        let mut day = day;
        loop {
            day = day.tomorrow().ok()?;
            if self.is_working_day(day) {
                return Some(day);
            }
        }
    }
}

/// Counts from Monday, which is 0.
fn place(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

impl Default for Calendar {
    /// From Monday to Friday, by UTC.
    fn default() -> Calendar {
        Calendar::of_weeks(&TimeZone::UTC)
    }
}

impl TryFrom<Written> for Calendar {
    type Error = NotACalendar;

    fn try_from(written: Written) -> Result<Calendar, NotACalendar> {
        let mut worked = [false; 7];
        for name in &written.working_days {
            let at = DAYS.iter().position(|day| day == name);
            worked[at.ok_or_else(|| NotACalendar::Day(shown(name)))?] = true;
        }
        if worked == [false; 7] {
            return Err(NotACalendar::NeverWorked);
        }
        Ok(Calendar { clocks: written.clocks, worked, holidays: written.holidays })
    }
}

impl From<Calendar> for Written {
    fn from(calendar: Calendar) -> Written {
        let worked = DAYS.iter().zip(calendar.worked).filter(|(_, worked)| *worked);
        Written {
            clocks: calendar.clocks,
            working_days: worked.map(|(name, _)| (*name).to_owned()).collect(),
            holidays: calendar.holidays,
        }
    }
}

#[cfg(test)]
mod tests;
