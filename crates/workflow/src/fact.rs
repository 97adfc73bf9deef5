//! What happened in a procedure: the only way its state changes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::archive::Matters;
use crate::content::Item;
use crate::matter::Matter;
use crate::names::{Id, TeamName};
use crate::naming::Priority;
use crate::outcome::Outcome;
use crate::patch::{Place, Status};
use crate::subject::Subject;
use crate::task::{Downtime, Reminder, Work};
use crate::team::Team;
use crate::ticket::fact::Turn;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fact {
    /// A team stands in the register, with this entry.
    TeamEntered {
        /// Its name.
        team: TeamName,
        /// What is known of it.
        entry: Team,
    },
    /// A team stands in the register no more.
    TeamLeft {
        /// Its name.
        team: TeamName,
    },
    /// A patch is known.
    PatchRegistered {
        /// Its id.
        patch: Id,
        /// What it is.
        title: String,
        /// Its packages.
        items: BTreeSet<Item>,
        /// The node types it touches.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        node_types: BTreeSet<String>,
        /// The bugs it cures.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        bugs: BTreeSet<String>,
    },
    /// A patch has other packages, and nobody vouches for them yet.
    PatchChanged {
        /// Its id.
        patch: Id,
        /// Its packages.
        items: BTreeSet<Item>,
        /// The node types it touches.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        node_types: BTreeSet<String>,
    },
    /// A patch stands somewhere else.
    PatchSet {
        /// Its id.
        patch: Id,
        /// Where.
        status: Status,
    },
    /// The packages of a patch lie somewhere else.
    PatchMoved {
        /// Its id.
        patch: Id,
        /// Where.
        place: Place,
    },
    /// A package of a patch was built anew, with other pins, where it lies.
    PatchRebuilt {
        /// The patch.
        patch: Id,
        /// The package as it was.
        was: Item,
        /// As it is.
        item: Item,
    },
    /// Somebody said something.
    Said {
        /// About what.
        about: About,
        /// What.
        words: String,
    },
    /// A bundle is known.
    BundleCreated {
        /// Its id.
        bundle: Id,
        /// Whether it takes the urgent lane.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        urgent: bool,
    },
    /// A patch travels with a bundle.
    BundleJoined {
        /// The bundle.
        bundle: Id,
        /// The patch.
        patch: Id,
    },
    /// A patch does not travel with a bundle any more.
    BundleLeft {
        /// The bundle.
        bundle: Id,
        /// The patch.
        patch: Id,
    },
    /// Early adopters find this in the bundle from now on.
    BundleRevised {
        /// The bundle.
        bundle: Id,
        /// The hash of its patches with what each brings.
        content: Sha256,
    },
    /// A bundle goes no further for now, or goes on where there is no reason.
    BundleHeld {
        /// The bundle.
        bundle: Id,
        /// Why.
        why: Option<String>,
    },
    /// Something happened to a ticket.
    Ticket {
        /// The ticket.
        ticket: Id,
        /// What.
        turn: Turn,
    },
    /// A team has a task.
    TaskAssigned {
        /// Its number.
        task: u32,
        /// What is asked.
        work: Work,
        /// The bundle or ticket.
        subject: Subject,
        /// The patches; a ticket has none.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        patches: BTreeSet<Id>,
        /// The hash of the patches with what each brings, or of the ticket's packages.
        content: Sha256,
        /// The team.
        team: TeamName,
        /// The node types.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        node_types: BTreeSet<String>,
        /// Until when the team is to answer.
        answer_by: Timestamp,
        /// How long the site must run it.
        quarantine: SignedDuration,
    },
    /// A team answered.
    TaskAnswered {
        /// The task.
        task: u32,
        /// Whether it takes the task on.
        accepts: bool,
    },
    /// A site runs it.
    TaskStarted {
        /// The task.
        task: u32,
        /// How it goes.
        outcome: Outcome,
        /// The tickets and bugs that it led to.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tickets: BTreeSet<String>,
    },
    /// A site showed what it has installed.
    TaskShown {
        /// The task.
        task: u32,
        /// What differs from the bundle.
        differs: Vec<String>,
    },
    /// It is known how it went.
    TaskDone {
        /// The task.
        task: u32,
        /// How it went.
        outcome: Outcome,
        /// The tickets and bugs that it led to.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tickets: BTreeSet<String>,
    },
    /// The quarantine of a task is longer.
    TaskExtended {
        /// The task.
        task: u32,
        /// By how much.
        by: SignedDuration,
    },
    /// It is known when the node is down.
    TaskDown {
        /// The task.
        task: u32,
        /// When.
        downtime: Downtime,
    },
    /// The node is tagged as one that runs what is not released (E6).
    TaskTagged {
        /// The task.
        task: u32,
    },
    /// Nobody waits for a task any more.
    TaskClosed {
        /// The task.
        task: u32,
        /// Why.
        why: String,
    },
    /// Somebody was reminded.
    Reminded {
        /// The task.
        task: u32,
        /// Of what.
        of: Reminder,
    },
    /// Patches have an update number and a plan.
    UpdatePrepared {
        /// The number.
        update: u32,
        /// The patches.
        patches: BTreeSet<Id>,
        /// How soon sites had better follow.
        priority: Priority,
        /// The hash of the plan that would publish them.
        plan: Sha256,
        /// Whether patches of the same bundles may stay behind.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        partial: bool,
    },
    /// The release notes are ready.
    UpdateReady {
        /// The number.
        update: u32,
    },
    /// Operations approve of the plan.
    UpdateApproved {
        /// The number.
        update: u32,
    },
    /// It is in production.
    UpdatePublished {
        /// The number.
        update: u32,
        /// How soon sites had better follow.
        priority: Priority,
    },
    /// It is given up, and its number is free again.
    UpdateDropped {
        /// The number.
        update: u32,
        /// The patches that were its own.
        patches: BTreeSet<Id>,
    },
    /// Matters lie in the archive.
    Archived {
        /// Which.
        matters: Matters,
    },
    /// Everybody sees how the tests went.
    TasksPublished {
        /// The tasks.
        tasks: BTreeSet<u32>,
    },
}

impl Fact {
    /// Says whether it happened to a thing, or to what the thing is made of.
    pub fn concerns(&self, matter: &Matter) -> bool {
        match (self, matter) {
            (
                Fact::PatchRegistered { patch, .. }
                | Fact::PatchChanged { patch, .. }
                | Fact::PatchSet { patch, .. }
                | Fact::PatchMoved { patch, .. }
                | Fact::PatchRebuilt { patch, .. }
                | Fact::Said { about: About::Patch(patch), .. }
                | Fact::BundleJoined { patch, .. }
                | Fact::BundleLeft { patch, .. },
                Matter::Patch(id),
            ) => patch == id,
            (
                Fact::TaskAssigned { patches, .. }
                | Fact::UpdatePrepared { patches, .. }
                | Fact::UpdateDropped { patches, .. },
                Matter::Patch(id),
            ) => patches.contains(id),
            (
                Fact::BundleCreated { bundle, .. }
                | Fact::BundleJoined { bundle, .. }
                | Fact::BundleLeft { bundle, .. }
                | Fact::BundleRevised { bundle, .. }
                | Fact::BundleHeld { bundle, .. },
                Matter::Bundle(id),
            ) => bundle == id,
            (Fact::TaskAssigned { subject, .. }, Matter::Bundle(id)) => subject.bundle() == Some(id),
            (
                Fact::Ticket { ticket, .. } | Fact::Said { about: About::Ticket(ticket), .. },
                Matter::Ticket(id),
            ) => ticket == id,
            (Fact::TaskAssigned { subject, .. }, Matter::Ticket(id)) => subject.ticket() == Some(id),
            (
                Fact::TaskAssigned { task, .. }
                | Fact::TaskAnswered { task, .. }
                | Fact::TaskStarted { task, .. }
                | Fact::TaskShown { task, .. }
                | Fact::TaskDone { task, .. }
                | Fact::TaskExtended { task, .. }
                | Fact::TaskDown { task, .. }
                | Fact::TaskClosed { task, .. }
                | Fact::Reminded { task, .. }
                | Fact::Said { about: About::Task(task), .. },
                Matter::Task(number),
            ) => task == number,
            (Fact::TasksPublished { tasks }, Matter::Task(number)) => tasks.contains(number),
            (
                Fact::UpdatePrepared { update, .. }
                | Fact::UpdateReady { update }
                | Fact::UpdateApproved { update }
                | Fact::UpdateDropped { update, .. }
                | Fact::UpdatePublished { update, .. },
                Matter::Update(number),
            ) => update == number,
            _ => false,
        }
    }
}

/// What something was said about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum About {
    /// A patch.
    Patch(Id),
    /// A task.
    Task(u32),
    /// A ticket.
    Ticket(Id),
}

/// Everything that one request brought about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// The product.
    pub product: String,
    /// When, by the wall clock.
    pub at: Timestamp,
    /// When, by what is witnessed.
    pub witnessed: Timestamp,
    /// Who asked.
    pub by: String,
    /// What happened, in order.
    pub facts: Vec<Fact>,
}
