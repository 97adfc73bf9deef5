//! What clocks on the wall of a place show, without a table of time zones.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

use super::NotACalendar;
use crate::names::shown;

/// The first instant of 2000, from which on the clocks are known.
const FIRST: Timestamp = Timestamp::constant(946_684_800, 0);

/// The first instant of 2100, until which they are.
const END: Timestamp = Timestamp::constant(4_102_444_800, 0);

/// More changes than the clocks of any place make in a hundred years.
const CHANGES_MAX: usize = 2_000;

/// Knows by how much clocks differ from UTC, and since when. A time zone is stored as this because its name alone would
/// need a table of the machine, which differs between machines and from year to year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub(super) struct Clocks {
    name: String,
    /// Never empty; the first holds since ever, the others rise.
    offsets: Vec<(Timestamp, Offset)>,
}

/// How clocks are stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    /// Seconds that they were ahead of UTC at first.
    first: i32,
    /// The second since 1970 of a change, and the seconds ahead of UTC from then on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<(i64, i32)>,
}

impl Clocks {
    /// Writes down what the clocks of a time zone do.
    pub(super) fn of(zone: &TimeZone) -> Clocks {
        let mut offsets = vec![(Timestamp::MIN, zone.to_offset(FIRST))];
        for change in zone.following(FIRST).take_while(|change| change.timestamp() < END) {
            // Some changes are of the name of the time alone.
            if offsets.last().is_some_and(|(_, offset)| *offset != change.offset()) {
                offsets.push((change.timestamp(), change.offset()));
            }
        }
        Clocks { name: zone.iana_name().unwrap_or("local time").to_owned(), offsets }
    }

    /// Names the time zone.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Tells what they show.
    pub(super) fn shown_at(&self, instant: Timestamp) -> DateTime {
        let later = self.offsets.partition_point(|(since, _)| *since <= instant);
        self.offsets[later.saturating_sub(1)].1.to_datetime(instant)
    }

    /// Tells when they show something: the first time if twice, and if never then as much later as they skip.
    pub(super) fn instant(&self, shown: DateTime) -> Timestamp {
        let later = self.offsets.partition_point(|(since, offset)| offset.to_datetime(*since) <= shown);
        let at = later.saturating_sub(1);
        let (since, offset) = self.offsets[at];
        let before = at.checked_sub(1).map(|before| instant_by(self.offsets[before].1, shown));
        before.filter(|instant| *instant < since).unwrap_or_else(|| instant_by(offset, shown))
    }

    /// Says whether they show a day at all.
    pub(super) fn have(&self, day: Date) -> bool {
        self.shown_at(self.instant(day.at(0, 0, 0, 0))).date() == day
    }
}

/// Tells when clocks with an offset show something, or the last or first instant that there is.
fn instant_by(offset: Offset, shown: DateTime) -> Timestamp {
    let beyond = if shown.year() > 0 { Timestamp::MAX } else { Timestamp::MIN };
    offset.to_timestamp(shown).unwrap_or(beyond)
}

impl TryFrom<Written> for Clocks {
    type Error = NotACalendar;

    fn try_from(written: Written) -> Result<Clocks, NotACalendar> {
        let wrong = || NotACalendar::Clocks(shown(&written.name));
        let rises = written.changes.is_sorted_by(|(earlier, _), (later, _)| earlier < later);
        let plain = written.name.len() <= 100 && !written.name.chars().any(char::is_control);
        if !rises || !plain || written.changes.len() > CHANGES_MAX {
            return Err(wrong());
        }
        let offset = |seconds| Offset::from_seconds(seconds).map_err(|_| wrong());
        let mut offsets = vec![(Timestamp::MIN, offset(written.first)?)];
        for (second, seconds) in &written.changes {
            let since = Timestamp::from_second(*second).map_err(|_| wrong())?;
            offsets.push((since, offset(*seconds)?));
        }
        Ok(Clocks { name: written.name, offsets })
    }
}

impl From<Clocks> for Written {
    fn from(clocks: Clocks) -> Written {
        let mut offsets = clocks.offsets.iter().map(|(since, offset)| (since.as_second(), offset.seconds()));
        let first = offsets.next().map_or(0, |(_, seconds)| seconds);
        Written { name: clocks.name, first, changes: offsets.collect() }
    }
}
