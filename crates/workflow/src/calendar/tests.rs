use jiff::civil::date;

use super::*;

/// Clocks of Rome by rule, so that no table of zones is read.
const ROME: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

const WEEK: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

const ALWAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn rome() -> Calendar {
    let holidays = [date(2026, 4, 6), date(2026, 5, 1), date(2026, 12, 25)].into();
    Calendar::new(&TimeZone::posix(ROME).unwrap(), &WEEK, holidays).unwrap()
}

#[track_caller]
fn check(calendar: &Calendar, from: &str, working_days: u32, expected: &str) {
    let due = calendar.due(from.parse().unwrap(), working_days);
    assert_eq!(due, expected.parse().unwrap(), "{from} and {working_days} working days");
}

#[test]
fn the_same_time_so_many_working_days_later() {
    // 2026-03-04 is a Wednesday; the clocks of Rome are an hour ahead of UTC in winter, two in summer.
    for (from, working_days, expected) in [
        ("2026-03-04T09:30:00Z", 0, "2026-03-04T09:30:00Z"),
        ("2026-03-04T09:30:00Z", 1, "2026-03-05T09:30:00Z"),
        ("2026-03-06T14:30:00.5Z", 1, "2026-03-09T14:30:00.5Z"),
        ("2026-03-06T22:59:59Z", 1, "2026-03-09T22:59:59Z"),
        // Saturday by the clocks of Rome, Friday by UTC: all of Monday.
        ("2026-03-06T23:00:00Z", 1, "2026-03-09T23:00:00Z"),
        ("2026-03-07T12:00:00Z", 0, "2026-03-08T23:00:00Z"),
        ("2026-03-08T22:59:59Z", 1, "2026-03-09T23:00:00Z"),
        ("2026-03-04T09:30:00Z", 5, "2026-03-11T09:30:00Z"),
        // Over the weekend of the clocks: the same time on the wall, an hour less.
        ("2026-03-27T14:00:00Z", 1, "2026-03-30T13:00:00Z"),
        // Over Easter Monday, which is a holiday, and asked on it.
        ("2026-04-03T10:00:00Z", 1, "2026-04-07T10:00:00Z"),
        ("2026-04-06T10:00:00Z", 1, "2026-04-07T22:00:00Z"),
        ("2026-04-30T10:00:00Z", 1, "2026-05-04T10:00:00Z"),
    ] {
        check(&rome(), from, working_days, expected);
    }
}

#[test]
fn a_time_that_is_skipped_or_comes_twice() {
    let calendar = Calendar::new(&TimeZone::posix(ROME).unwrap(), &ALWAYS, BTreeSet::new()).unwrap();
    for (from, working_days, expected) in [
        // 02:30 is skipped on 29 March: 03:30 of summer.
        ("2026-03-28T01:30:00Z", 1, "2026-03-29T01:30:00Z"),
        ("2026-03-28T01:30:00Z", 2, "2026-03-30T00:30:00Z"),
        // 02:30 comes twice on 25 October: the first, of summer.
        ("2026-10-24T00:30:00Z", 1, "2026-10-25T00:30:00Z"),
        // Asked at the second: not before.
        ("2026-10-25T01:30:00Z", 0, "2026-10-25T01:30:00Z"),
        ("2026-10-25T01:30:00Z", 1, "2026-10-26T01:30:00Z"),
    ] {
        check(&calendar, from, working_days, expected);
    }
}

#[test]
fn a_day_that_clocks_leave_out_is_not_worked() {
    let apia = Calendar::of_weeks(&TimeZone::get("Pacific/Apia").unwrap());
    assert_eq!(apia.zone(), "Pacific/Apia");
    assert!(apia.is_working_day(date(2011, 12, 29)) && apia.is_working_day(date(2012, 1, 6)));
    assert!(!apia.is_working_day(date(2011, 12, 30)) && !apia.is_working_day(date(2011, 12, 31)));
    // Thursday, 10:00, ten hours behind UTC; then Monday, 10:00, fourteen ahead.
    check(&apia, "2011-12-29T20:00:00Z", 1, "2012-01-01T20:00:00Z");
}

/// Counts day by day with the library's clocks.
fn slow(
    zone: &TimeZone,
    week: &[Weekday],
    holidays: &BTreeSet<Date>,
    from: Timestamp,
    working_days: u32,
) -> Timestamp {
    let is_worked = |day: Date| {
        let is_there = day.to_zoned(zone.clone()).unwrap().date() == day;
        week.contains(&day.weekday()) && !holidays.contains(&day) && is_there
    };
    let mut at = from.to_zoned(zone.clone()).datetime();
    while !is_worked(at.date()) {
        at = at.date().tomorrow().unwrap().at(0, 0, 0, 0);
    }
    let mut left = working_days;
    while left > 0 {
        at = at.tomorrow().unwrap();
        left -= u32::from(is_worked(at.date()));
    }
    at.to_zoned(zone.clone()).unwrap().timestamp().max(from)
}

#[test]
fn it_counts_as_a_slow_count_does() {
    let mut random = fastrand::Rng::with_seed(0xE5);
    let zones = ["Europe/Rome", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC"];
    let mut differs_from_hours = 0;
    for name in zones {
        let zone = TimeZone::get(name).unwrap();
        for _ in 0..2_000 {
            // Half of them near to a change of the clocks, and none so late that the clocks are not known.
            let mut second = random.i64(946_684_800..4_070_908_800);
            let change = zone.following(Timestamp::from_second(second).unwrap()).next();
            if let (Some(change), true) = (change, random.bool()) {
                // By the same time of day, so that it is skipped or comes twice when they change.
                second =
                    change.timestamp().as_second() - 86_400 * random.i64(-1..6) + random.i64(-8_000..8_000);
            }
            let from = Timestamp::new(second, random.i32(0..1_000_000_000)).unwrap();
            let today = from.to_zoned(zone.clone()).date();
            let holidays: BTreeSet<Date> = (0..random.usize(0..4))
                .map(|_| today.checked_add(jiff::Span::new().days(random.i64(-1..9))).unwrap())
                .collect();
            let working_days = random.u32(0..12);
            // Clocks change on Sundays.
            let week = if random.bool() { &WEEK[..] } else { &ALWAYS[..] };
            let calendar = Calendar::new(&zone, week, holidays.clone()).unwrap();
            let due = calendar.due(from, working_days);
            assert_eq!(
                due,
                slow(&zone, week, &holidays, from, working_days),
                "{name}: {from}, {working_days}, {holidays:?}"
            );
            assert!(due >= from);
            differs_from_hours += usize::from((due.as_second() - from.as_second()) % 3_600 != 0);
        }
    }
    assert!(differs_from_hours > 500, "{differs_from_hours} began with a next day");
}

#[test]
fn the_ends_of_time_are_no_trap() {
    for name in ["Europe/Rome", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC"] {
        let calendar = Calendar::of_weeks(&TimeZone::get(name).unwrap());
        for working_days in [0, 1, 5, 10_000_000, u32::MAX] {
            let from = [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH];
            for from in from.into_iter().filter(|from| working_days < 10 || *from == Timestamp::MAX) {
                assert!(calendar.due(from, working_days) >= from, "{name} {from} {working_days}");
            }
        }
        assert_eq!(calendar.due(Timestamp::MAX, 1), Timestamp::MAX);
        for day in [Date::MIN, Date::MAX] {
            calendar.is_working_day(day);
        }
    }
    assert_eq!(Calendar::default().due(Timestamp::UNIX_EPOCH, u32::MAX), Timestamp::MAX);
}

#[test]
fn it_is_stored_with_its_clocks_and_read_back_the_same() {
    let stored = serde_json::to_string(&Calendar::default()).unwrap();
    assert_eq!(
        stored,
        r#"{"clocks":{"name":"UTC","first":0},"working_days":["monday","tuesday","wednesday","thursday","friday"],"holidays":[]}"#
    );
    for calendar in [Calendar::default(), rome(), Calendar::of_weeks(&TimeZone::get("Pacific/Apia").unwrap())]
    {
        let stored = serde_json::to_string(&calendar).unwrap();
        assert!(stored.len() < 8_000, "{}", stored.len());
        assert_eq!(serde_json::from_str::<Calendar>(&stored).unwrap(), calendar);
    }
}

#[test]
fn what_is_no_calendar_says_why() {
    let none = Calendar::new(&TimeZone::UTC, &[], BTreeSet::new());
    assert_eq!(none, Err(NotACalendar::NeverWorked));
    let whole = r#"{"clocks":{"name":"x","first":3600,"changes":[[10,0],[20,3600]]},"working_days":["monday"],"holidays":["2026-12-25"]}"#;
    assert!(serde_json::from_str::<Calendar>(whole).is_ok());
    for (from, to, reason) in [
        ("[\"monday\"]", "[]", "without a working day"),
        ("monday", "moonday", "`moonday` is no day"),
        ("monday", "\\u001b", "`\\u{1b}` is no day"),
        ("[20,", "[10,", "the clocks of `x`"),
        ("[20,3600]", "[20,360000]", "the clocks of `x`"),
        ("[20,", "[20000000000000,", "the clocks of `x`"),
        ("12-25", "12-32", "'day' is not in the required range"),
        ("\"first\"", "\"fist\"", "unknown field"),
    ] {
        let said = serde_json::from_str::<Calendar>(&whole.replace(from, to)).unwrap_err().to_string();
        assert!(said.contains(reason), "{said}");
    }
}
