//! The rounds of the clock: who is late is reminded, and what is over is laid aside in the archive.
//!
//! The clock asks for it as soon as the time is witnessed, and by a request like any other: planned, checked, published
//! and recorded. So nobody is reminded twice, whatever the wall clock says.

use jiff::Timestamp;
use plan::Action;
use store::Generation;
use workflow::{Command, State, next_reminder, resting};

use super::{Engine, RETRY};
use crate::error::Error;
use crate::waiting::Waiting;

/// When the clock went round last, and on which generation.
#[derive(Debug, Default)]
pub(crate) struct Made(Option<(u64, Timestamp)>);

impl Engine {
    /// Asks the procedures for what has come due.
    pub(super) fn ask_for_rounds(&mut self, current: &Generation, now: Timestamp) -> Result<(), Error> {
        if self.config.layout.products.values().all(|product| product.procedure.is_none()) {
            return Ok(());
        }
        let proven = self.witnessing.witness.time.min(now);
        // What is refused is not asked for at every look, and nothing comes due within a breath.
        let made = self.rounds.0.filter(|(number, _)| *number == current.number);
        if made.is_some_and(|(_, made)| proven < made.saturating_add(RETRY).unwrap_or(Timestamp::MAX)) {
            return Ok(());
        }
        self.rounds = Made(Some((current.number, proven)));
        let workflow = self.remembered.of(&self.store, current)?;
        let nothing = State::default();
        for product in self.config.layout.products.values() {
            let Some(procedure) = &product.procedure else { continue };
            let state = workflow.products.get(&product.name).unwrap_or(&nothing);
            let is_late = next_reminder(state).is_some_and(|from| from <= proven);
            let rests = || !resting(state, &procedure.rules, proven).is_empty();
            let asked = match is_late {
                true => Some(("remind", Command::Remind {})),
                // Together they would share a generation; one after the other they are told apart.
                false => rests().then_some(("archive", Command::Archive {})),
            };
            let Some((what, command)) = asked else { continue };
            let action = Action::Step { product: product.name.clone(), command: Box::new(command) };
            if !self.waiting.iter().any(|one| one.is_of_the_clock() && one.request.action == action) {
                let what = format!("{what}/{}", product.name);
                self.waiting.push(Waiting::of_the_clock(&what, action, now));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
