//! An update: the number under which patches enter production.

use std::collections::BTreeSet;

use jiff::Timestamp;
use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::names::Id;
use crate::naming::Priority;
use crate::patch::Step;

/// How far an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// It has a number and a plan (G12).
    Prepared,
    /// The release notes are ready (G16).
    Ready,
    /// Operations approve of it (G17).
    Approved,
    /// It is in production (G18).
    Published,
}

/// A set of patches that enters production under one number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// Its patches.
    pub patches: BTreeSet<Id>,
    /// How soon sites had better follow.
    #[serde(default)]
    pub priority: Priority,
    /// How far it is.
    pub readiness: Readiness,
    /// Whether patches of the same bundles may stay behind.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// The hash of the plan that would publish it, when it was prepared: what operations approve of.
    pub plan: Sha256,
    /// When it came to where it stands, by what is witnessed.
    pub since: Timestamp,
    /// Everything that happened to it, in order.
    pub history: Vec<Step>,
}

impl Update {
    /// Says whether it is still to be published: then the generation holds its candidate.
    pub fn is_open(&self) -> bool {
        self.readiness != Readiness::Published
    }

    /// Names the generation that publishes it.
    pub fn name(number: u32) -> String {
        format!("update-{number}")
    }
}
