//! What a task is about: a bundle of procedure `glite`, or a ticket of procedure `egi`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::Id;

/// What somebody is asked to try.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The bundle of this id.
    Bundle(Id),
    /// The ticket of this id.
    Ticket(Id),
}

impl Subject {
    /// Gives the id of the bundle, if it is one.
    pub fn bundle(&self) -> Option<&Id> {
        match self {
            Subject::Bundle(id) => Some(id),
            Subject::Ticket(_) => None,
        }
    }

    /// Gives the id of the ticket, if it is one.
    pub fn ticket(&self) -> Option<&Id> {
        match self {
            Subject::Bundle(_) => None,
            Subject::Ticket(id) => Some(id),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Bundle(id) => write!(f, "bundle `{id}`"),
            Subject::Ticket(id) => write!(f, "ticket `{id}`"),
        }
    }
}
