//! Who waits for whom: what comes next in a procedure, whose step it is, since when, and which step goes on.
//!
//! Everything follows from what is remembered; nothing is stored for it. A step that is named here is one that the procedure would
//! take, as far as that hangs on what is remembered: what repositories list, and whom somebody answers for, is not looked at.

use std::collections::BTreeSet;

use jiff::Timestamp;
use nevra::Sha256;

use crate::command::Command;
use crate::decide::Times;
use crate::matter::Matter;
use crate::role::Part;
use crate::rules::{Procedure, Rules};
use crate::state::State;

mod egi;
mod glite;
mod task;

/// Something that cannot go on before somebody does something, or before time has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What it is about, with everything that waits together with it.
    pub about: BTreeSet<Matter>,
    /// Whose step it is; the clock's where only time helps.
    pub who: Part,
    /// Who waits for that.
    pub for_whom: Part,
    /// What is to be done, in words that go on from "is": `to verify patch ...`.
    pub for_what: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it is late, or over where only time helps.
    pub until: Option<Timestamp>,
    /// The step that goes on; none where only time helps, or where nobody can tell.
    pub step: Option<Next>,
}

/// A step as somebody would ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The step.
    pub command: Command,
    /// Why, where the step needs a reason.
    pub reason: Option<String>,
    /// The plan it is about, where it needs one.
    pub plan: Option<Sha256>,
}

impl Waiting {
    /// Says whether whoever is waited for is late.
    pub fn is_late(&self, times: Times) -> bool {
        self.who != Part::Clock && self.until.is_some_and(|until| until <= times.proven())
    }
}

/// Lists everything that waits in the procedure of a product, what waits longest first.
pub fn waiting(state: &State, rules: &Rules, times: Times) -> Vec<Waiting> {
    let mut found = match rules.procedure {
        Procedure::Glite => glite::waiting(state, rules, times),
        Procedure::Egi => egi::waiting(state, rules, times),
    };
    found.sort_by_key(|one| one.since);
    found
}
