//! What the urgent lane owes: patches that entered production before any site had tested them.

use crate::names::Id;
use crate::outcome::Outcome;
use crate::patch::{Patch, Place};
use crate::state::State;
use crate::subject::Subject;
use crate::task::{Progress, Work};

/// Lists the patches in production that no site has tested to the end without a failure, with their update.
pub fn debts(state: &State) -> Vec<(Id, u32)> {
    let is_urgent = |patch: &Patch| {
        let bundle = patch.bundle.as_ref().and_then(|id| state.bundles.get(id));
        bundle.is_some_and(|bundle| bundle.is_urgent)
    };
    let released =
        state.patches.iter().filter(|(_, patch)| patch.place == Place::Production && is_urgent(patch));
    let owed = released.filter(|(id, _)| {
        !state.tasks.values().any(|task| {
            task.work == Work::Rollout
                && task.progress == Progress::Done
                && task.outcome != Some(Outcome::Fail)
                && task.patches.contains(*id)
        })
    });
    owed.filter_map(|(id, patch)| Some((id.clone(), patch.update?))).collect()
}

/// Lists the urgent tickets in production that no site has tested to the end without a failure.
pub fn ticket_debts(state: &State) -> Vec<Id> {
    let released = state.tickets.iter().filter(|(_, one)| one.is_urgent && one.place == Place::Production);
    let owed = released.filter(|(id, ticket)| {
        let subject = Subject::Ticket((*id).clone());
        !state.tasks_of(&subject).any(|(_, task)| {
            task.progress == Progress::Done
                && task.outcome != Some(Outcome::Fail)
                && task.content == ticket.content()
        })
    });
    owed.map(|(id, _)| id.clone()).collect()
}
