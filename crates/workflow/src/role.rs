//! Who acts in a procedure.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::TeamName;

/// A part that somebody plays in the procedure of a product (the second table of the domain's words).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Moves packages, writes pages, announces (MU).
    ReleaseTeam,
    /// Gives green lights, assigns tasks, approves (OU).
    Operations,
    /// Operations for one middleware stack, the staged roll-out manager.
    Manager(String),
    /// Certifies a product before the roll-out.
    Verifier,
    /// A team of early adopters.
    Team(TeamName),
    /// The daemon's own clock.
    Clock,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::ReleaseTeam => f.write_str("the release team"),
            Part::Operations => f.write_str("operations"),
            Part::Manager(stack) => write!(f, "the staged roll-out manager of `{stack}`"),
            Part::Verifier => f.write_str("the verifiers"),
            Part::Team(team) => write!(f, "`{team}`"),
            Part::Clock => f.write_str("the clock"),
        }
    }
}

/// Somebody who asks for something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Who it is, such as `user:alice`.
    pub name: String,
    /// Every part that they may play for the product.
    pub parts: BTreeSet<Part>,
}

impl Actor {
    /// Says whether they play the part.
    pub fn is(&self, part: &Part) -> bool {
        self.parts.contains(part)
    }
}
