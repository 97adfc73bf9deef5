//! What systemd's watchdog is told: the daemon lives as long as it waits for work or gets on with some.
//!
//! A thread of its own tells it, so that hours of copying and hashing are no hang. Getting on means using the
//! processor: whatever copies, hashes, compresses or renames does, and what stands still on a lock or a dead disk does not.
//! A process that was stopped tells nothing at all.
#![expect(clippy::disallowed_methods, reason = "watches the clocks of this process")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use sd_notify::NotifyState;

/// How much of the processor the looking itself may use between two looks; less counts as nothing.
const NOISE: Duration = Duration::from_millis(1);

/// How long one step may last, however busy it is: an endless loop is busy too.
const STEP_MAX: Duration = Duration::from_secs(24 * 3600);

/// The thread that tells systemd; it ends when this is dropped. Without a watchdog there is none.
#[derive(Debug)]
pub(crate) struct Watchdog {
    /// Since when the daemon works; nothing while it waits.
    working_since: Arc<RwLock<Option<Instant>>>,
    steps: Arc<AtomicU64>,
    _end: Option<Sender<()>>,
}

impl Watchdog {
    /// Starts telling if systemd asks for it (`WATCHDOG_USEC`).
    pub(crate) fn start() -> Self {
        let working_since = Arc::new(RwLock::new(Some(Instant::now())));
        let steps = Arc::new(AtomicU64::new(0));
        let limit = sd_notify::watchdog_enabled();
        let end = limit.map(|limit| {
            let (end, ended) = channel::<()>();
            let (working_since, steps) = (Arc::clone(&working_since), Arc::clone(&steps));
            std::thread::spawn(move || {
                let mut last = Look::now(&working_since, &steps);
                // The first message is due at once, the others three times as often as asked for.
                while ended.recv_timeout(limit / 3) == Err(RecvTimeoutError::Timeout) {
                    let look = Look::now(&working_since, &steps);
                    if look.lives(&last) {
                        if let Err(error) = sd_notify::notify(&[NotifyState::Watchdog]) {
                            tracing::debug!("systemd was not told: {error}");
                        }
                    } else {
                        tracing::warn!(
                            "a step stands still; systemd ends the daemon if it does so for {limit:?}"
                        );
                    }
                    last = look;
                }
            });
            end
        });
        Self { working_since, steps, _end: end }
    }

    /// A step begins.
    pub(crate) fn works(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        *self.working_since.write().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The daemon waits to be woken.
    pub(crate) fn waits(&self) {
        *self.working_since.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What is seen at one instant.
#[derive(Debug, Clone, Copy)]
struct Look {
    working_for: Option<Duration>,
    steps: u64,
    processor: Duration,
}

impl Look {
    fn now(working_since: &RwLock<Option<Instant>>, steps: &AtomicU64) -> Self {
        let since = *working_since.read().unwrap_or_else(PoisonError::into_inner);
        let used = clock_gettime(ClockId::ProcessCPUTime);
        Self {
            working_for: since.map(|since| since.elapsed()),
            steps: steps.load(Ordering::Relaxed),
            processor: Duration::try_from(used).unwrap_or_default(),
        }
    }

    /// Says whether the daemon lives, by what was seen a while ago.
    fn lives(&self, before: &Look) -> bool {
        match self.working_for {
            None => true,
            Some(working) if working > STEP_MAX => false,
            Some(_) => self.steps != before.steps || self.processor.saturating_sub(before.processor) > NOISE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(working_seconds: Option<u64>, steps: u64, processor_millis: u64) -> Look {
        let working_for = working_seconds.map(Duration::from_secs);
        Look { working_for, steps, processor: Duration::from_millis(processor_millis) }
    }

    #[test]
    fn waiting_and_getting_on_are_life_and_standing_still_is_not() {
        let before = look(Some(10), 7, 100);
        let cases = [
            ("it waits", look(None, 7, 100), true),
            ("it copies", look(Some(4000), 7, 900), true),
            ("it began another step", look(Some(1), 8, 100), true),
            ("it stands still", look(Some(20), 7, 100), false),
            ("only the look itself used the processor", look(Some(20), 7, 101), false),
            ("it is busy for ever", look(Some(100_000), 7, 90_000), false),
        ];
        for (what, now, lives) in cases {
            assert_eq!(now.lives(&before), lives, "{what}");
        }
    }

    #[test]
    fn work_uses_the_processor_and_standing_still_does_not_count() {
        let watchdog = Watchdog::start();
        watchdog.works();
        let before = Look::now(&watchdog.working_since, &watchdog.steps);
        let mut sum = 0_u64;
        while Look::now(&watchdog.working_since, &watchdog.steps).processor <= before.processor + 2 * NOISE {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        assert!(Look::now(&watchdog.working_since, &watchdog.steps).lives(&before));
        watchdog.waits();
        assert_eq!(Look::now(&watchdog.working_since, &watchdog.steps).working_for, None);
    }
}
