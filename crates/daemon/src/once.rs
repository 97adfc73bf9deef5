//! One round of the daemon: what waits is done, then it ends. For cron, for timers and for tests.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use jiff::Timestamp;
use store::PosixDisk;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::engine::Engine;
use crate::error::Error;
use crate::reading::PackageReader;
use crate::run::{Wake, sleep};

/// The longest wait that belongs to the round: generations come at most once a second.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Takes the lock, recovers, and steps until nothing waits; a stop ends it between two steps.
///
/// What fails is tried once more for every request that waits, so that a request that cannot be carried out now
/// does not hold up its neighbours. Fails with [`Error::TooEarly`] if something waits longer than the next
/// second, and with the last error if nothing got on.
pub fn run(
    read: &dyn Fn() -> Result<Config, Error>,
    reader: Arc<dyn PackageReader>,
    wakes: &Receiver<Wake>,
) -> Result<(), Error> {
    let config = Arc::new(read()?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut engine = Engine::open(config, Arc::new(PosixDisk), Arc::clone(&clock))?;
    engine.read_packages_with(reader);
    let mut failures = 0;
    loop {
        let step = match engine.step() {
            Ok(step) => step,
            Err(error) if error.needs_a_person() || failures >= engine.waiting() => return Err(error),
            Err(error) => {
                tracing::error!("the requests wait and are tried one at a time: {error}");
                failures += 1;
                continue;
            }
        };
        let has_moved = step.published.is_some() || !step.answers.is_empty();
        failures = if has_moved { 0 } else { failures };
        match step.wait {
            _ if step.has_more => {}
            Some((instant, why)) if !has_moved && ahead(&*clock, instant) > WAIT_MAX => {
                return Err(Error::TooEarly { why });
            }
            Some((instant, _)) => {
                let wait = ahead(&*clock, instant).min(WAIT_MAX);
                if sleep(wakes, wait, true) == Some(Wake::Stop) {
                    return Ok(());
                }
            }
            None if !has_moved => return Ok(()),
            None => {}
        }
    }
}

/// How long it is until `instant`; nothing if that has passed.
fn ahead(clock: &dyn Clock, instant: Timestamp) -> Duration {
    Duration::try_from(clock.now().duration_until(instant)).unwrap_or_default()
}
