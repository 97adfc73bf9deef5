//! How often what is served has changed, and waiting for that instead of sleeping.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Counts the flips of one site; everybody who waits for one is woken by it.
#[derive(Default)]
pub struct Flips {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default)]
struct State {
    count: u64,
    ended: bool,
}

impl Flips {
    /// Tells that there were `count` so far.
    pub fn reached(&self, count: u64) {
        self.state.lock().unwrap().count = count;
        self.changed.notify_all();
    }

    /// Tells that there will be no more.
    pub fn end(&self) {
        self.state.lock().unwrap().ended = true;
        self.changed.notify_all();
    }

    /// Tells that there will be no more when the answer is dropped, also when somebody panics.
    pub fn ending(&self) -> Ending<'_> {
        Ending(self)
    }

    pub fn count(&self) -> u64 {
        self.state.lock().unwrap().count
    }

    pub fn have_ended(&self) -> bool {
        self.state.lock().unwrap().ended
    }

    /// Waits until there were `count`; false if there never will be.
    pub fn wait_for(&self, count: u64) -> bool {
        let state = self.state.lock().unwrap();
        self.changed.wait_while(state, |state| state.count < count && !state.ended).unwrap().count >= count
    }

    /// Rests until an instant, or the end.
    pub fn rest_until(&self, instant: Instant) {
        let patience = instant.saturating_duration_since(Instant::now());
        if patience > Duration::ZERO {
            let state = self.state.lock().unwrap();
            drop(self.changed.wait_timeout_while(state, patience, |state| !state.ended).unwrap());
        }
    }
}

/// Ends the flips when it is dropped.
pub struct Ending<'a>(&'a Flips);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
