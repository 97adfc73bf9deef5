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
use crate::rules::Procedure;
use crate::text::{Line, Link, Reference, Words};

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
    /// Opens a ticket that follows one product through procedure `egi` (E2).
    TicketAdd {
        /// Its id.
        ticket: Id,
        /// The component, `SE-DPM_mysql`.
        component: String,
        /// Its version, `1.8.0-1`.
        version: String,
        /// Its packages in the stage before the early adopters', as requests select them.
        packages: Vec<String>,
        /// The middleware stack, `EMI`.
        stack: Option<String>,
        /// The major release of the stack, `1.0`.
        major: Option<String>,
        /// The operating system, `SL5`.
        os: Option<String>,
        /// The architecture, `x86_64`.
        arch: Option<String>,
        /// The platforms; all of the product if none is named.
        platforms: Vec<String>,
        /// Node types that it touches beside those that pin its packages.
        node_types: BTreeSet<String>,
        /// Whether it takes the urgent lane.
        urgent: bool,
    },
    /// Gives a ticket other packages; what was verified before is not any more.
    TicketChange {
        /// Its id.
        ticket: Id,
        /// As for [`Command::TicketAdd`].
        packages: Vec<String>,
        /// The platforms.
        platforms: Vec<String>,
    },
    /// Begins to verify what a ticket follows.
    TicketVerify {
        /// Its id.
        ticket: Id,
    },
    /// Says that verification accepted it, and hands it to the early adopters (E1).
    TicketDeploy {
        /// Its id.
        ticket: Id,
    },
    /// Says where more is said of it; what is not given stays (E3).
    TicketLinks {
        /// Its id.
        ticket: Id,
        /// What is new.
        release_notes: Option<Link>,
        /// How it is installed and configured.
        installation: Option<Link>,
        /// Which bugs it cures.
        bugs_fixed: Option<Link>,
        /// Everything else.
        documentation: Option<Link>,
    },
    /// Says something about a ticket (E7).
    TicketComment {
        /// Its id.
        ticket: Id,
        /// What is said.
        comment: String,
    },
    /// Asks teams to try it, one task each (E4).
    TicketAssign {
        /// Its id.
        ticket: Id,
        /// The teams.
        teams: BTreeSet<TeamName>,
        /// How many days the site runs it, where that is another number than usual.
        days: Option<u32>,
    },
    /// Names a ticket at the helpdesk that it led to (E7).
    TicketRelate {
        /// Its id.
        ticket: Id,
        /// The other ticket: its address, or its id in a tracker.
        related: Reference,
        /// Its subject, which begins with what is rolled out.
        subject: Line,
        /// How bad it is for the site.
        criticality: Option<Line>,
        /// How the site got around it.
        workaround: Option<Words>,
    },
    /// Says where the manager's summary lies, beside the reports (E10).
    TicketSummary {
        /// Its id.
        ticket: Id,
        /// The id of the document with all reports.
        document: Id,
        /// The name of the summary's file.
        file: String,
    },
    /// Ends the staged roll-out well: the packages enter production (E11).
    TicketAccept {
        /// Its id.
        ticket: Id,
    },
    /// Ends it badly: what early adopters have leaves their stage (E11). The reason is the request's.
    TicketReject {
        /// Its id.
        ticket: Id,
        /// Versions to go back to.
        versions: Vec<String>,
        /// Names that are pinned no more.
        without: Vec<String>,
        /// Releases of what is built anew.
        releases: Vec<String>,
    },
    /// Says which release contains what was accepted (E12).
    TicketRelease {
        /// The tickets.
        tickets: BTreeSet<Id>,
        /// The name of the release.
        release: Id,
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
    /// Says that the node is tagged as one that runs what is not released (E6).
    TaskBeta {
        /// The task.
        task: u32,
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
    /// Gives up an update that is not published: its patches are free again.
    ReleaseDrop {
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
    /// Lays aside what is over; for the clock only.
    Archive {},
}

impl Command {
    /// Names the procedure that it belongs to; none if both know it.
    pub fn procedure(&self) -> Option<Procedure> {
        match self {
            Command::PatchAdd { .. }
            | Command::PatchChange { .. }
            | Command::PatchStatus { .. }
            | Command::PatchComment { .. }
            | Command::BundleCreate { .. }
            | Command::BundleAdd { .. }
            | Command::BundleRemove { .. }
            | Command::BundleDeploy { .. }
            | Command::BundleHold { .. }
            | Command::BundleContinue { .. }
            | Command::BundleRollback { .. }
            | Command::TaskAssign { .. }
            | Command::ReleasePrepare { .. }
            | Command::ReleaseReady { .. }
            | Command::ReleaseApprove { .. }
            | Command::ReleasePublish { .. }
            | Command::ReleaseDrop { .. }
            | Command::ReleaseReports { .. } => Some(Procedure::Glite),
            Command::TicketAdd { .. }
            | Command::TicketChange { .. }
            | Command::TicketVerify { .. }
            | Command::TicketDeploy { .. }
            | Command::TicketLinks { .. }
            | Command::TicketComment { .. }
            | Command::TicketAssign { .. }
            | Command::TicketRelate { .. }
            | Command::TicketSummary { .. }
            | Command::TicketAccept { .. }
            | Command::TicketReject { .. }
            | Command::TicketRelease { .. } => Some(Procedure::Egi),
            Command::TeamAdd { .. }
            | Command::TeamRemove { .. }
            | Command::TaskAnswer { .. }
            | Command::TaskStart { .. }
            | Command::TaskComment { .. }
            | Command::TaskDone { .. }
            | Command::TaskExtend { .. }
            | Command::TaskDowntime { .. }
            | Command::TaskBeta { .. }
            | Command::TaskClose { .. }
            | Command::Remind {}
            | Command::Archive {} => None,
        }
    }
}
