//! `sluice clock`: what the wall clock says, what of it is witnessed, and how to say that it is right.

pub mod arguments;

use daemon::account::Account;
use daemon::clock::{Clock as _, SystemClock};
use daemon::submit::Submitter;
use daemon::witnessing::witnessed;
use jiff::{SignedDuration, Timestamp};
use plan::{Action, Request, Witness};
use serde::Serialize;
use store::{Generation, PosixDisk, Store};

use crate::ask;
use crate::failure::Failure;
use crate::moment;
use crate::settings::Settings;
use crate::terminal::Terminal;
use arguments::{Clock, ClockVerb};

#[derive(Debug, Serialize)]
struct Told {
    wall: Timestamp,
    witnessed: Timestamp,
    /// By how many seconds the wall clock is ahead.
    lag_seconds: i64,
}

/// Tells, or asks.
pub fn run(settings: &Settings, asked: Clock, terminal: &Terminal) -> Result<u8, Failure> {
    let Some(ClockVerb::Accept(accept)) = asked.verb else { return tell(settings, terminal) };
    let request = ask::dressed(Request::new(Action::AcceptClock {}), &accept.asking);
    let submitter = Submitter::new(settings.config()?.spool);
    ask::request(&submitter, &request, &accept.asking.waiting, terminal)
}

fn tell(settings: &Settings, terminal: &Terminal) -> Result<u8, Failure> {
    let (_, store) = settings.store()?;
    let current = store.current()?;
    let witness = witness(&store, current.as_ref())?;
    let told = Told {
        wall: witness.seen.wall,
        witnessed: witness.time,
        lag_seconds: witness.seen.wall.duration_since(witness.time).as_secs(),
    };
    terminal.either(&told, |_| words(&witness));
    Ok(0)
}

/// Looks at the clocks, without a lock.
pub fn witness(store: &Store, current: Option<&Generation>) -> Result<Witness, Failure> {
    let reading = SystemClock.reading();
    let account =
        current.map(|current| Account::of(current.number, &current.manifest.account)).transpose()?;
    Ok(witnessed(&PosixDisk, store, current.zip(account.as_ref()), &reading))
}

/// Says that time is not witnessed, if it matters.
pub fn lag(witness: &Witness) -> Option<String> {
    let length = length(witness.lag()?);
    Some(format!("{length} of what the clock says are not witnessed: what waits for time waits longer"))
}

fn words(witness: &Witness) -> String {
    let mut text = format!(
        "wall clock  {}\nwitnessed   {}\n",
        moment::text(witness.seen.wall),
        moment::text(witness.time)
    );
    if let Some(lag) = lag(witness) {
        text += &format!("{lag}\nif the wall clock is right: sluice clock accept --reason ...\n");
    }
    text
}

/// Writes a length of time in its two largest units, `3d 4h`.
fn length(length: SignedDuration) -> String {
    let (hours, minutes) = (length.as_hours(), length.as_mins() % 60);
    match hours {
        0 => format!("{minutes}m {}s", length.as_secs() % 60),
        1..48 => format!("{hours}h {minutes}m"),
        _ => format!("{}d {}h", hours / 24, hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::Reading;

    #[test]
    fn a_gap_is_told_with_what_to_do_about_it() {
        let wall = "2026-03-11T14:00:00Z".parse().unwrap();
        let seen = Reading { wall, boot: SignedDuration::ZERO, boot_id: "a".into() };
        let right = Witness::accepted(seen.clone());
        assert_eq!(words(&right), "wall clock  2026-03-11 14:00:00Z\nwitnessed   2026-03-11 14:00:00Z\n");
        let behind = Witness { time: "2026-03-08T10:00:00Z".parse().unwrap(), seen };
        let expected = "\
wall clock  2026-03-11 14:00:00Z
witnessed   2026-03-08 10:00:00Z
3d 4h of what the clock says are not witnessed: what waits for time waits longer
if the wall clock is right: sluice clock accept --reason ...
";
        assert_eq!(words(&behind), expected);
    }

    #[test]
    fn lengths_are_told_in_two_units() {
        let cases = [(61, "1m 1s"), (3660, "1h 1m"), (47 * 3600, "47h 0m"), (50 * 3600, "2d 2h")];
        for (seconds, expected) in cases {
            assert_eq!(length(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
