//! The transitions of procedure `glite`, line by line of the domain: who may set what, and who is told.

use crate::patch::Status::{
    self, ReadyForProduction, ReadyForRollout, Registered, Rejected, Released, RollingOut, Verified,
};
use crate::role::Part::{self, Operations, ReleaseTeam};

/// One way for a patch to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The line of the domain; none where the way is ours.
    pub line: Option<&'static str>,
    /// Where it begins.
    pub from: &'static [Status],
    /// Where it ends.
    pub to: Status,
    /// Whose step it is.
    pub actor: Part,
    /// Who is told.
    pub notice: Option<Part>,
    /// The request that takes the step.
    pub by: &'static str,
}

/// Every way for a patch to go.
pub const GLITE: &[Edge] = &[
    Edge {
        line: Some("G1"),
        from: &[Registered],
        to: Verified,
        actor: ReleaseTeam,
        notice: Some(Operations),
        by: "patch-status",
    },
    Edge {
        line: Some("G2"),
        from: &[Verified],
        to: ReadyForRollout,
        actor: Operations,
        notice: None,
        by: "patch-status",
    },
    Edge {
        line: None,
        from: &[ReadyForRollout],
        to: Verified,
        actor: Operations,
        notice: None,
        by: "patch-status",
    },
    Edge {
        line: Some("G6"),
        from: &[Verified, ReadyForRollout],
        to: RollingOut,
        actor: ReleaseTeam,
        notice: Some(Operations),
        by: "bundle-deploy",
    },
    Edge {
        line: Some("G10"),
        from: &[RollingOut],
        to: ReadyForProduction,
        actor: Operations,
        notice: None,
        by: "patch-status",
    },
    Edge {
        line: None,
        from: &[ReadyForProduction],
        to: RollingOut,
        actor: Operations,
        notice: None,
        by: "patch-status",
    },
    Edge {
        line: Some("G18"),
        from: &[ReadyForProduction],
        to: Released,
        actor: ReleaseTeam,
        notice: None,
        by: "release-publish",
    },
    Edge {
        line: Some("R1"),
        from: &[Registered, Verified, ReadyForRollout, RollingOut, ReadyForProduction],
        to: Rejected,
        actor: Operations,
        notice: Some(ReleaseTeam),
        by: "patch-status",
    },
    Edge {
        line: None,
        from: &[Verified, ReadyForRollout],
        to: Registered,
        actor: ReleaseTeam,
        notice: Some(Operations),
        by: "patch-change",
    },
];

/// Finds the way from one status to another that a request takes.
pub fn edge(from: Status, to: Status, by: &str) -> Option<&'static Edge> {
    GLITE.iter().find(|edge| edge.from.contains(&from) && edge.to == to && edge.by == by)
}
