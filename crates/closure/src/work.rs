//! How much was looked at, and when that is too much.

use std::cell::Cell;

/// How many things one question may look at: a host with everything installed asks for a few millions.
const QUESTION_MAX: u64 = 40_000_000;

/// How many things a whole judgement may look at, and how often its solver may draw conclusions.
const JUDGEMENT_MAX: u64 = 100_000_000;
const STEPS_MAX: u64 = 100_000;

/// Counts what a judgement looks at.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) total: Cell<u64>,
    pub(crate) solved: Cell<u64>,
    pub(crate) steps: Cell<u64>,
    until: Cell<u64>,
}

impl Work {
    /// Begins a question.
    pub(crate) fn begin(&self) {
        self.until.set((self.total.get() + QUESTION_MAX).min(JUDGEMENT_MAX));
    }

    /// Counts things that are looked at.
    pub(crate) fn count(&self, things: usize) {
        self.total.set(self.total.get() + things as u64);
    }

    /// Counts a conclusion of the solver.
    pub(crate) fn step(&self) {
        self.steps.set(self.steps.get() + 1);
    }

    /// Says whether the question, or the judgement, takes too much.
    pub(crate) fn is_over(&self) -> bool {
        self.total.get() > self.until.get() || self.steps.get() > STEPS_MAX
    }
}
