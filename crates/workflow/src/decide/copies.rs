//! Who is in the Cc of a ticket: what is told of it reaches them too (E4).

use std::collections::BTreeSet;

use crate::command::Command;
use crate::decide::{Asked, Decided, Notice};
use crate::names::Id;
use crate::role::Part;

/// Adds the teams in the Cc of the tickets that a step is about. What one team is asked for is told to that team alone.
pub(super) fn copied(asked: &Asked<'_>, command: &Command, mut decided: Decided) -> Decided {
    let teams = about(asked, command).into_iter().filter_map(|id| asked.state.tickets.get(id));
    let teams: BTreeSet<_> = teams.flat_map(|ticket| &ticket.cc).collect();
    let told = decided.notices.iter().filter(|one| !matches!(one.to, Part::Team(_)));
    let told: BTreeSet<String> = told.map(|one| one.sentence.clone()).collect();
    for sentence in told {
        // Whoever left the register is reached no more.
        for team in teams.iter().filter(|team| asked.state.teams.contains_key(**team)) {
            let copy = Notice { to: Part::Team((*team).clone()), sentence: sentence.clone() };
            if !decided.notices.contains(&copy) {
                decided.notices.push(copy);
            }
        }
    }
    decided
}

/// The tickets that a step is about.
fn about<'a>(asked: &Asked<'a>, command: &'a Command) -> Vec<&'a Id> {
    match command {
        Command::TicketChange { ticket, .. }
        | Command::TicketVerify { ticket }
        | Command::TicketDeploy { ticket }
        | Command::TicketLinks { ticket, .. }
        | Command::TicketComment { ticket, .. }
        | Command::TicketAssign { ticket, .. }
        | Command::TicketRelate { ticket, .. }
        | Command::TicketSummary { ticket, .. }
        | Command::TicketAccept { ticket }
        | Command::TicketReject { ticket, .. } => vec![ticket],
        Command::TicketRelease { tickets, .. } => tickets.iter().collect(),
        Command::TaskAnswer { task, .. }
        | Command::TaskStart { task, .. }
        | Command::TaskComment { task, .. }
        | Command::TaskDone { task, .. }
        | Command::TaskExtend { task, .. }
        | Command::TaskDowntime { task, .. }
        | Command::TaskBeta { task }
        | Command::TaskClose { task } => {
            let task = asked.state.tasks.get(task);
            task.and_then(|task| task.subject.ticket()).into_iter().collect()
        }
        _ => vec![],
    }
}
