//! A patch: one tracked change, its packages and where it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::content::{Item, content};
use crate::names::Id;

/// Where a patch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is known, and nobody vouches for it yet; before the first line of the procedure.
    Registered,
    /// It is certified (G1).
    Verified,
    /// Operations can take its roll-out on now (G2).
    ReadyForRollout,
    /// It is with the early adopters (G6).
    RollingOut,
    /// It may enter production (G10).
    ReadyForProduction,
    /// It is in production (G18).
    Released,
    /// It will not come (R1).
    Rejected,
}

impl Status {
    /// Every status, in the order of the procedure.
    pub const ALL: [Status; 7] = [
        Status::Registered,
        Status::Verified,
        Status::ReadyForRollout,
        Status::RollingOut,
        Status::ReadyForProduction,
        Status::Released,
        Status::Rejected,
    ];

    /// Writes the word that requests use.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Registered => "registered",
            Status::Verified => "verified",
            Status::ReadyForRollout => "ready-for-rollout",
            Status::RollingOut => "rolling-out",
            Status::ReadyForProduction => "ready-for-production",
            Status::Released => "released",
            Status::Rejected => "rejected",
        }
    }

    /// Says whether nothing follows it.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Released | Status::Rejected)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where the packages of a patch lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In front of the early adopters.
    #[default]
    Before,
    /// In the stage of the early adopters.
    Beta,
    /// In production.
    Production,
    /// They were with the early adopters, and were taken out again.
    TakenOut,
}

/// One tracked change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// What it is, in one line.
    pub title: String,
    /// Where it stands.
    pub status: Status,
    /// Its packages.
    pub items: BTreeSet<Item>,
    /// The node types that it touches: those that pin one of its packages, and those that somebody named.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub node_types: BTreeSet<String>,
    /// The bugs that it cures: ids or addresses.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub bugs: BTreeSet<String>,
    /// The bundle it travels with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Id>,
    /// The update under which it entered production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<u32>,
    /// Where its packages lie.
    #[serde(default)]
    pub place: Place,
    /// When it came to where it stands, by what is witnessed.
    pub since: Timestamp,
    /// What people say of it, and everything that happened to it, in order.
    pub history: Vec<Step>,
}

/// Something that happened to a patch, bundle, task or ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When, by the wall clock.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// What it was, in words.
    pub what: String,
}

impl Patch {
    /// Computes the hash of what it brings.
    pub fn content(&self) -> Sha256 {
        content(&self.items)
    }

    /// Names its packages, without platforms.
    pub fn names(&self) -> BTreeSet<&str> {
        self.items.iter().map(|item| item.nevra.name.as_str()).collect()
    }
}

/// Patches by their id.
pub type Patches = BTreeMap<Id, Patch>;
