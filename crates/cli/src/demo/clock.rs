//! The clock of the demo: that of the machine, ahead by as many days as the story has skipped.

use std::sync::atomic::{AtomicI64, Ordering};

use daemon::clock::{Clock, SystemClock};
use jiff::{SignedDuration, Timestamp};
use plan::Reading;

/// A clock that can be told that time has passed.
#[derive(Debug, Default)]
pub struct StoryClock {
    /// How many seconds were skipped.
    ahead: AtomicI64,
}

impl StoryClock {
    /// Skips some hours, on every clock that there is: nobody touched the wall clock, time really passed.
    pub fn pass(&self, hours: i64) {
        self.ahead.fetch_add(hours * 3600, Ordering::SeqCst);
    }

    fn ahead(&self) -> SignedDuration {
        SignedDuration::from_secs(self.ahead.load(Ordering::SeqCst))
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + self.ahead()
    }

    fn reading(&self) -> Reading {
        let ahead = self.ahead();
        let Reading { wall, boot, boot_id } = SystemClock.reading();
        Reading { wall: wall + ahead, boot: boot + ahead, boot_id }
    }

    fn token(&self) -> u32 {
        SystemClock.token()
    }
}
