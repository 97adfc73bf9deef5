//! The clock and the dice: the only two things in the engine that no earlier state explains.
#![expect(clippy::disallowed_methods, reason = "the system clock is read here and nowhere else")]

use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher};

use jiff::Timestamp;

/// Tells the time and draws the six hexadecimal digits of a claim name.
pub trait Clock: Send + Sync + Debug {
    /// Tells the wall clock's time.
    fn now(&self) -> Timestamp;

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

    fn token(&self) -> u32 {
        // Each RandomState is seeded differently by the standard library; that is all the luck needed here.
        RandomState::new().build_hasher().finish() as u32
    }
}
