//! The transitions of procedure `egi`, line by line of the domain: who may set what, and who is told.

use crate::ticket::Standing::{
    self, Accepted, InVerification, Rejected, Released, StageRollOut, Unverified, WaitingForResponse,
};
use Role::{Manager, ReleaseTeam, Team, Verifier};

/// A part in procedure `egi`; which manager and which teams is the ticket's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Moves packages, announces.
    ReleaseTeam,
    /// Certifies a product before the roll-out.
    Verifier,
    /// The staged roll-out manager of the ticket's stack; operations, if that has none of its own.
    Manager,
    /// A team of early adopters that was asked.
    Team,
}

/// One way for a ticket to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The line of the domain; none where the way is ours.
    pub line: Option<&'static str>,
    /// Where it begins.
    pub from: &'static [Standing],
    /// Where it ends.
    pub to: Standing,
    /// Whose step it is.
    pub actor: &'static [Role],
    /// Who is told, beside the teams that are in the ticket's Cc.
    pub notice: &'static [Role],
    /// The request that takes the step.
    pub by: &'static str,
}

/// Every way for a ticket to go.
pub const EGI: &[Way] = &[
    Way {
        line: None,
        from: &[Unverified],
        to: InVerification,
        actor: &[Verifier],
        notice: &[ReleaseTeam],
        by: "ticket-verify",
    },
    Way {
        line: None,
        from: &[InVerification],
        to: Unverified,
        actor: &[ReleaseTeam, Verifier],
        notice: &[Verifier],
        by: "ticket-change",
    },
    Way {
        line: Some("E1"),
        from: &[InVerification],
        to: StageRollOut,
        actor: &[Verifier],
        notice: &[Manager],
        by: "ticket-deploy",
    },
    Way {
        line: Some("E4"),
        from: &[StageRollOut],
        to: WaitingForResponse,
        actor: &[Manager],
        notice: &[Team],
        by: "ticket-assign",
    },
    Way {
        line: Some("E5"),
        from: &[WaitingForResponse],
        to: StageRollOut,
        actor: &[Team],
        notice: &[Manager],
        by: "task-answer",
    },
    // Who begins without an answer has given it.
    Way {
        line: Some("E5"),
        from: &[WaitingForResponse],
        to: StageRollOut,
        actor: &[Team],
        notice: &[Manager],
        by: "task-start",
    },
    Way {
        line: Some("E11"),
        from: &[StageRollOut, WaitingForResponse],
        to: Accepted,
        actor: &[Manager],
        notice: &[ReleaseTeam],
        by: "ticket-accept",
    },
    Way {
        line: Some("E11"),
        from: &[StageRollOut, WaitingForResponse],
        to: Rejected,
        actor: &[Manager],
        notice: &[ReleaseTeam, Verifier],
        by: "ticket-reject",
    },
    // What verification does not accept never reaches early adopters.
    Way {
        line: None,
        from: &[Unverified, InVerification],
        to: Rejected,
        actor: &[Verifier],
        notice: &[ReleaseTeam],
        by: "ticket-reject",
    },
    Way {
        line: None,
        from: &[Accepted],
        to: Released,
        actor: &[ReleaseTeam],
        notice: &[Manager],
        by: "ticket-release",
    },
];

/// Finds the way from one standing to another that a request takes.
pub fn way(from: Standing, to: Standing, by: &str) -> Option<&'static Way> {
    EGI.iter().find(|way| way.from.contains(&from) && way.to == to && way.by == by)
}
