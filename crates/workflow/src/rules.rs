//! How the procedure of one product is set up: what the configuration says.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::calendar::Calendar;
use crate::role::Part;

/// Tells the two procedures apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Procedure {
    /// Certification, staged roll-out, production: patches travel in bundles.
    Glite,
    /// Untested, testing, production: one ticket follows one product.
    Egi,
}

impl Procedure {
    /// Writes the word that the configuration uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Procedure::Glite => "glite",
            Procedure::Egi => "egi",
        }
    }
}

/// Says how one product's procedure is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Which procedure it is.
    pub procedure: Procedure,
    /// The stage that holds what was not handed to early adopters yet.
    pub from: String,
    /// The stage of the early adopters: `delta`, or `testing`.
    pub beta: String,
    /// The stage of everybody.
    pub production: String,
    /// How long a site runs the new version before its task may be done.
    pub quarantine: SignedDuration,
    /// The same where the lane is urgent.
    pub quarantine_urgent: SignedDuration,
    /// The same for going back.
    pub quarantine_rollback: SignedDuration,
    /// How long after a bundle was deployed tasks are made at the earliest, so that mirrors show it.
    pub mirrors_delay: SignedDuration,
    /// How long what is over is still remembered before it lies in the archive.
    pub archive_after: SignedDuration,
    /// How many working days a team has to answer.
    pub answer_days: u32,
    /// Which days those are.
    pub calendar: Calendar,
    /// Whether a task is done only where the site showed what it has installed.
    pub wants_evidence: bool,
    /// The middleware stacks, and the roles of their managers; empty where operations manage all.
    pub managers: BTreeMap<String, Vec<String>>,
}

impl Rules {
    /// Names who manages the staged roll-out of a stack (E2): operations, where it has nobody of its own.
    pub fn manager(&self, stack: &str) -> Part {
        match self.managers.contains_key(stack) {
            true => Part::Manager(stack.to_owned()),
            false => Part::Operations,
        }
    }
}
