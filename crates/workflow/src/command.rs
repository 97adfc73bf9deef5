//! What somebody asks of a procedure.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::names::{Id, TeamName};
use crate::naming::Priority;
use crate::outcome::Outcome;
use crate::patch::Status;

/// What a team answers (E5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It takes the task on.
    Accept,
    /// It does not.
    Reject,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Answer::Accept => "accept",
            Answer::Reject => "reject",
        })
    }
}

/// A request to the procedure of one product; who asks, when and why stand beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Enters a team of early adopters into the register, or says of one something else.
    TeamAdd {
        /// Its name.
        team: TeamName,
        /// Where it is reached.
        contact: String,
        /// Who may act for it, beside the team itself.
        members: BTreeSet<String>,
        /// The middleware stacks it tries; every one if none is named.
        stacks: BTreeSet<String>,
        /// The platforms it has; every one if none is named.
        platforms: BTreeSet<String>,
        /// The node types it runs; every one if none is named.
        node_types: BTreeSet<String>,
    },
    /// Takes a team out of the register.
    TeamRemove {
        /// Its name.
        team: TeamName,
    },
    /// Registers a patch with its packages.
    PatchAdd {
        /// Its id.
        patch: Id,
        /// What it is, in one line.
        title: String,
        /// Its packages in the stage before the early adopters', as requests select them.
        packages: Vec<String>,
        /// The platforms; all of the product if none is named.
        platforms: Vec<String>,
        /// Node types that it touches beside those that pin its packages.
        node_types: BTreeSet<String>,
        /// The bugs that it cures.
        bugs: BTreeSet<String>,
    },
    /// Gives a patch other packages; what was certified before is not any more.
    PatchChange {
        /// Its id.
        patch: Id,
        /// As for [`Command::PatchAdd`].
        packages: Vec<String>,
        /// The platforms.
        platforms: Vec<String>,
    },
    /// Sets patches to a status, all or none.
    PatchStatus {
        /// Their ids.
        patches: BTreeSet<Id>,
        /// The status.
        status: Status,
    },
    /// Says something about a patch.
    PatchComment {
        /// Its id.
        patch: Id,
        /// What is said.
        comment: String,
    },
    /// Makes a bundle of patches (G3).
    BundleCreate {
        /// Its id.
        bundle: Id,
        /// Its first patches.
        patches: BTreeSet<Id>,
        /// Whether it takes the urgent lane.
        urgent: bool,
    },
    /// Takes patches into a bundle.
    BundleAdd {
        /// Its id.
        bundle: Id,
        /// The patches.
        patches: BTreeSet<Id>,
    },
    /// Takes patches out of a bundle that early adopters have not got yet.
    BundleRemove {
        /// Its id.
        bundle: Id,
        /// The patches.
        patches: BTreeSet<Id>,
    },
    /// Hands a bundle to the early adopters: packages, preview and status in one instant (G4, G5, G6).
    BundleDeploy {
        /// Its id.
        bundle: Id,
    },
    /// Keeps a bundle from going further; the reason is the request's.
    BundleHold {
        /// Its id.
        bundle: Id,
    },
    /// Lets a bundle go on.
    BundleContinue {
        /// Its id.
        bundle: Id,
    },
    /// Takes what was rejected out of the stage of the early adopters (R2, R3, R4).
    BundleRollback {
        /// Its id.
        bundle: Id,
        /// Versions to go back to.
        versions: Vec<String>,
        /// Names that are pinned no more.
        without: Vec<String>,
        /// Releases of what is built anew.
        releases: Vec<String>,
    },
    /// Makes tasks and assigns them to teams (G7, R6).
    TaskAssign {
        /// The bundle.
        bundle: Id,
        /// The teams, one task each.
        teams: BTreeSet<TeamName>,
        /// Whether they are to go back.
        rollback: bool,
        /// The node types to install; those of the bundle that the team runs if none is named.
        node_types: BTreeSet<String>,
        /// How many days the site runs it, where that is another number than usual.
        days: Option<u32>,
    },
    /// Answers whether a team takes a task on (E5).
    TaskAnswer {
        /// The task.
        task: u32,
        /// Whether it does.
        answer: Answer,
    },
    /// Says that the site runs it, and how it goes so far (G8).
    TaskStart {
        /// The task.
        task: u32,
        /// How it goes.
        outcome: Outcome,
        /// The tickets and bugs that it led to.
        tickets: BTreeSet<String>,
        /// The hash of what was installed; what the task is about if there is none.
        content: Option<Sha256>,
    },
    /// Says something about a task.
    TaskComment {
        /// The task.
        task: u32,
        /// What is said.
        comment: String,
    },
    /// Says how it went (G8, R7).
    TaskDone {
        /// The task.
        task: u32,
        /// How it went.
        outcome: Outcome,
        /// The tickets and bugs that it led to.
        tickets: BTreeSet<String>,
        /// The hash of what was installed; what the task is about if there is none.
        content: Option<Sha256>,
    },
    /// Lengthens the quarantine of a task (E8).
    TaskExtend {
        /// The task.
        task: u32,
        /// By how many days.
        days: u32,
    },
    /// Says when the node is down (E6).
    TaskDowntime {
        /// The task.
        task: u32,
        /// The first instant.
        from: Timestamp,
        /// The instant at which it is over.
        until: Timestamp,
    },
    /// Waits no longer for a task; the reason is the request's.
    TaskClose {
        /// The task.
        task: u32,
    },
    /// Gives patches an update number, and works out what publishing them would do (G11, G12, G15).
    ReleasePrepare {
        /// The number.
        update: u32,
        /// The patches; all that are ready for production if none is named.
        patches: BTreeSet<Id>,
        /// How soon sites had better follow.
        priority: Priority,
        /// Whether patches of the same bundles may stay behind (P1).
        partial: bool,
    },
    /// Tells operations that the release notes are ready (G16).
    ReleaseReady {
        /// The number.
        update: u32,
    },
    /// Approves of the plan of an update (G17).
    ReleaseApprove {
        /// The number.
        update: u32,
    },
    /// Puts an update on line: packages, pages and status in one instant (G13, G18).
    ReleasePublish {
        /// The number.
        update: u32,
    },
    /// Shows everybody how the tests of an update went (G14).
    ReleaseReports {
        /// The number.
        update: u32,
    },
    /// Reminds those who are late; for the clock only.
    Remind {},
}
