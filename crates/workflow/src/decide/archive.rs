//! The archive: what is over for a while is laid aside, whole. Only the clock asks for it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::archive::Matters;
use crate::debt::{debts, ticket_debts};
use crate::decide::{Asked, Decided, count};
use crate::fact::Fact;
use crate::names::Id;
use crate::patch::{Patch, Place};
use crate::refusal::Refusal;
use crate::role::Part;
use crate::rules::Rules;
use crate::state::State;
use crate::subject::Subject;
use crate::ticket::Standing;
use crate::update::Readiness;

pub(super) fn archive(asked: &Asked<'_>) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::Clock], "to lay aside what is over")?;
    let matters = resting(asked.state, asked.rules, asked.times.proven());
    if matters.is_empty() {
        return Ok(Decided::default());
    }
    let sentence = format!("{} laid aside in the archive", count(matters.len(), "matter"));
    Ok(Decided { facts: vec![Fact::Archived { matters }], sentence, ..Decided::default() })
}

/// Finds what is over, and was for as long as the rules say: bundles and tickets with everything that
/// belongs to them, patches that travel with no bundle, and updates of which nothing is left.
pub fn resting(state: &State, rules: &Rules, now: Timestamp) -> Matters {
    let owed: BTreeSet<Id> = debts(state).into_iter().map(|(id, _)| id).collect();
    let open: BTreeSet<&Subject> =
        state.tasks.values().filter(|task| task.progress.is_open()).map(|task| &task.subject).collect();
    let has_rested =
        |since: Timestamp| since.saturating_add(rules.archive_after).is_ok_and(|rested| rested <= now);
    let is_over = |id: &Id, patch: &Patch| {
        // An update that was not published yet may still name it.
        let update = patch.update.and_then(|number| state.updates.get(&number));
        patch.status.is_final()
            && patch.place != Place::Beta
            && has_rested(patch.since)
            && update.is_none_or(|update| update.readiness == Readiness::Published)
            && !owed.contains(id)
    };
    let mut matters = Matters::default();
    for (id, bundle) in &state.bundles {
        let all_over =
            bundle.patches.iter().all(|id| state.patches.get(id).is_some_and(|patch| is_over(id, patch)));
        if all_over && !bundle.patches.is_empty() && !open.contains(&Subject::Bundle(id.clone())) {
            matters.bundles.insert(id.clone());
            matters.patches.extend(bundle.patches.iter().cloned());
        }
    }
    let alone = state.patches.iter().filter(|(id, patch)| patch.bundle.is_none() && is_over(id, patch));
    matters.patches.extend(alone.map(|(id, _)| id.clone()));
    let owed: BTreeSet<Id> = ticket_debts(state).into_iter().collect();
    let tickets = state.tickets.iter().filter(|(id, ticket)| {
        matches!(ticket.standing, Standing::Released | Standing::Rejected)
            && ticket.place != Place::Beta
            && has_rested(ticket.since)
            && !owed.contains(*id)
            && !open.contains(&Subject::Ticket((*id).clone()))
    });
    matters.tickets.extend(tickets.map(|(id, _)| id.clone()));
    let about = state.tasks.iter().filter(|(_, task)| match &task.subject {
        Subject::Bundle(id) => matters.bundles.contains(id),
        Subject::Ticket(id) => matters.tickets.contains(id),
    });
    matters.tasks.extend(about.map(|(number, _)| *number));
    let is_left = |id: &Id| state.patches.contains_key(id) && !matters.patches.contains(id);
    let updates = state.updates.iter().filter(|(_, update)| {
        update.readiness == Readiness::Published && !update.patches.iter().any(is_left)
    });
    matters.updates.extend(updates.map(|(number, _)| *number));
    matters
}
