//! What ends when: answers that are due, quarantines, downtimes, updates under way and debts.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::debt::{debts, ticket_debts};
use crate::matter::Matter;
use crate::state::State;
use crate::task::Progress;
use crate::update::Readiness;

/// What kind of time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A team has so long to answer.
    Answer,
    /// A site runs what it tries.
    Quarantine,
    /// A node is down.
    Downtime,
    /// An update is under way.
    Update,
    /// The urgent lane owes a test.
    Debt,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Answer => "answer",
            Kind::Quarantine => "quarantine",
            Kind::Downtime => "downtime",
            Kind::Update => "update",
            Kind::Debt => "debt",
        })
    }
}

/// A length of time that people plan with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// What it is about.
    pub about: Matter,
    /// What kind of time it is; one thing has one of a kind at most.
    pub kind: Kind,
    /// What happens then, in one line.
    pub words: String,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends; open where nobody can tell.
    pub until: Option<Timestamp>,
}

/// Lists what ends, what ends first in front; what has no end comes last, the oldest in front.
pub fn schedule(state: &State) -> Vec<Span> {
    let mut spans = Vec::new();
    for (number, task) in state.tasks.iter().filter(|(_, task)| task.progress.is_open()) {
        let mut span = |kind, words, from, until| {
            spans.push(Span { about: Matter::Task(*number), kind, words, from, until: Some(until) });
        };
        let team = &task.team;
        if task.progress == Progress::Assigned {
            span(Kind::Answer, format!("{team} answers about task {number}"), task.assigned, task.answer_by);
        }
        if let (Some(begun), Some(ends)) = (task.begun, task.quarantine_ends()) {
            span(Kind::Quarantine, format!("{team} runs what task {number} is about"), begun, ends);
        }
        if let Some(down) = task.downtime {
            span(
                Kind::Downtime,
                format!("the node of {team} for task {number} is down"),
                down.from,
                down.until,
            );
        }
    }
    for (number, update) in state.updates.iter().filter(|(_, one)| one.readiness != Readiness::Published) {
        let words = match update.readiness {
            Readiness::Prepared => format!("update {number} is prepared, and its release notes are written"),
            Readiness::Ready => format!("update {number} waits for operations to approve of it"),
            Readiness::Approved | Readiness::Published => {
                format!("update {number} is approved, to be put on line")
            }
        };
        let about = Matter::Update(*number);
        spans.push(Span { about, kind: Kind::Update, words, from: update.since, until: None });
    }
    for (patch, update) in debts(state) {
        let from = state.patches.get(&patch).map_or(Timestamp::MIN, |patch| patch.since);
        let words = format!("no site has tested patch {patch} to the end, which update {update} brought");
        spans.push(Span { about: Matter::Patch(patch), kind: Kind::Debt, words, from, until: None });
    }
    for ticket in ticket_debts(state) {
        let from = state.tickets.get(&ticket).map_or(Timestamp::MIN, |one| one.since);
        let words = format!("no site has tested ticket {ticket} to the end, which is in production");
        spans.push(Span { about: Matter::Ticket(ticket), kind: Kind::Debt, words, from, until: None });
    }
    spans.sort_by(|one, other| {
        let key = |span: &Span| (span.until.unwrap_or(Timestamp::MAX), span.from);
        key(one).cmp(&key(other))
    });
    spans
}
