//! The clock and the dice: the only two things in the engine that no earlier state explains.
#![expect(clippy::disallowed_methods, reason = "the system clock is read here and nowhere else")]

use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher};

use jiff::{SignedDuration, Timestamp};
use plan::Reading;
use rustix::time::{ClockId, clock_gettime};
use std::sync::OnceLock;

/// Tells the time and draws the six hexadecimal digits of a claim name.
pub trait Clock: Send + Sync + Debug {
    /// Tells the wall clock's time.
    fn now(&self) -> Timestamp;

    /// Tells what all clocks say: the wall clock, and how long ago which start of the machine was.
    fn reading(&self) -> Reading;

    /// Draws a number that makes claim names of one microsecond differ; it need not be secret.
    fn token(&self) -> u32;
}

/// The clock of the machine.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn reading(&self) -> Reading {
        // The wall clock first: what passes between the two only makes less of it count.
        let wall = Timestamp::now();
        let boot = clock_gettime(ClockId::Boottime);
        let nanoseconds = i32::try_from(boot.tv_nsec).unwrap_or_default();
        Reading { wall, boot: SignedDuration::new(boot.tv_sec, nanoseconds), boot_id: boot_id().to_owned() }
    }

    fn token(&self) -> u32 {
        // Each RandomState is seeded differently by the standard library; that is all the luck needed here.
        RandomState::new().build_hasher().finish() as u32
    }
}

/// The name of this start of the machine; where the kernel does not tell, of this start of the program.
fn boot_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| match std::fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        Ok(id) if !id.trim().is_empty() => id.trim().to_owned(),
        _ => format!("process-{:016x}", RandomState::new().build_hasher().finish()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_clock_goes_on_and_the_boot_stays_the_same() {
        let (first, second) = (SystemClock.reading(), SystemClock.reading());
        assert!(first.boot > SignedDuration::ZERO && first.boot <= second.boot);
        assert_eq!(first.boot_id, second.boot_id);
        assert!(!first.boot_id.is_empty());
    }
}
