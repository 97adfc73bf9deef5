//! A task: the work order to one team of early adopters, to go forward or to go back.

use std::collections::BTreeSet;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::names::{Id, TeamName};
use crate::outcome::Outcome;
use crate::patch::Step;
use crate::subject::Subject;

/// What a team is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// To install the bundle, keep it under load, and report (G7).
    Rollout,
    /// To go back to the versions before (R6).
    Rollback,
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// The team has not answered yet (E5).
    Assigned,
    /// The team takes it on.
    Accepted,
    /// The team does not take it on.
    Declined,
    /// The team runs it, with an outcome so far (G8).
    InProgress,
    /// The quarantine is over, and the outcome is final.
    Done,
    /// Nobody waits for it any more.
    Closed,
}

impl Progress {
    /// Writes the word that pages and answers use.
    pub fn as_str(self) -> &'static str {
        match self {
            Progress::Assigned => "assigned",
            Progress::Accepted => "accepted",
            Progress::Declined => "declined",
            Progress::InProgress => "in-progress",
            Progress::Done => "done",
            Progress::Closed => "closed",
        }
    }

    /// Says whether somebody still waits for the team.
    pub fn is_open(self) -> bool {
        matches!(self, Progress::Assigned | Progress::Accepted | Progress::InProgress)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The work order to one team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What is asked.
    pub work: Work,
    /// The bundle or ticket it is about.
    pub subject: Subject,
    /// The patches of the bundle that it is about; a ticket has none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub patches: BTreeSet<Id>,
    /// The hash of those patches with what each brings, or of the ticket's packages: reports are bound to it.
    pub content: Sha256,
    /// The team.
    pub team: TeamName,
    /// The node types that the team is to install; empty where the product has none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub node_types: BTreeSet<String>,
    /// How far it is.
    pub progress: Progress,
    /// How it went, or goes so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When it was assigned, by what is witnessed.
    pub assigned: Timestamp,
    /// Until when the team is to answer.
    pub answer_by: Timestamp,
    /// How long the site must run it.
    pub quarantine: SignedDuration,
    /// From when on that counts, by what is witnessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Timestamp>,
    /// What the site showed of what it has installed, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Shown>,
    /// The tickets and bugs that it led to: ids or addresses.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tickets: BTreeSet<String>,
    /// When the node is down, as the team announced (E6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime: Option<Downtime>,
    /// Whether the team tagged the node as one that runs what is not released (E6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_beta: bool,
    /// Whether its outcome is shown to everybody (G14).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_published: bool,
    /// What the team and others were reminded of, once each.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reminded: BTreeSet<Reminder>,
    /// Everything that happened to it, in order.
    pub history: Vec<Step>,
}

/// What a site showed of what it has installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// When it came, by what is witnessed.
    pub at: Timestamp,
    /// What differs from the bundle, one sentence each; empty if nothing does.
    pub differs: Vec<String>,
}

/// When a node is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Downtime {
    /// The first instant.
    pub from: Timestamp,
    /// The instant at which it is over.
    pub until: Timestamp,
}

/// What somebody is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reminder {
    /// The team has not answered in time.
    AnswerOverdue,
    /// The quarantine is over, and the team has not said how it went.
    DoneOverdue,
}

impl Task {
    /// Says when the quarantine is over, once it began.
    pub fn quarantine_ends(&self) -> Option<Timestamp> {
        Some(self.begun?.saturating_add(self.quarantine).unwrap_or(Timestamp::MAX))
    }
}
