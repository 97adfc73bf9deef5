//! The end of overlaps: what was promoted, and was listed in the stage it came from for as long as its route says, leaves it.
//!
//! The clock asks for it as soon as the time is witnessed, and by a request like any other: planned, checked, published
//! and recorded.

use jiff::Timestamp;
use plan::Action;
use store::Generation;
use store::planted::{self, Bug};

use super::{Engine, RETRY};
use crate::account::Account;
use crate::waiting::Waiting;

/// When the clock asked last, and on which generation.
#[derive(Debug, Default)]
pub(crate) struct Asked(Option<(u64, Timestamp)>);

impl Engine {
    /// Asks that packages leave where their overlap is over.
    pub(super) fn ask_for_the_end_of_overlaps(
        &mut self,
        current: &Generation,
        account: &Account,
        now: Timestamp,
    ) {
        let is_asked = |one: &Waiting| one.is_of_the_clock() && one.request.action == Action::Overlap {};
        if self.waiting.iter().any(is_asked) {
            return;
        }
        let proven = self.witnessing.witness.time.min(now);
        let Some(first) = account.overlapping.values().flat_map(|all| all.values()).min() else { return };
        if *first > proven && !planted::is(Bug::OverlapForgotten) {
            return;
        }
        // What is refused is not asked for at every look.
        let pause = self.config.sweep_every.max(RETRY);
        let asked = self.overlap_asked.0.filter(|(number, _)| *number == current.number);
        if asked.is_some_and(|(_, asked)| proven < asked.checked_add(pause).unwrap_or(Timestamp::MAX)) {
            return;
        }
        self.overlap_asked = Asked(Some((current.number, proven)));
        self.waiting.push(Waiting::of_the_clock("overlap", Action::Overlap {}, now));
    }
}
