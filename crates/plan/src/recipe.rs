//! How a meta-package is built anew: decided here, done by whoever may read packages.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Evr, Nevra, Sha256};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::refusal::Code;
use crate::world::{Listed, digest};

/// Says how a meta-package is made of another, with nothing left to choose but its build time and signature.
///
/// The same recipe gives the same file as long as that is kept, so that a plan can be looked at, approved of and
/// done later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The product whose stage it is made for.
    pub product: String,
    /// The stage: the first key that signs its metadata signs the package.
    pub stage: String,
    /// The file it is made of.
    pub of: Sha256,
    /// The release it gets; the one it has if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The version that each of these names is pinned at from now on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pins: BTreeMap<String, Evr>,
    /// The names that are pinned no more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub without: BTreeSet<String>,
    /// What its changelog says of it, a line each.
    pub change: Vec<String>,
    /// Whether it may bring files that are no documentation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_have_files: bool,
}

impl Recipe {
    /// Computes a digest over all that the recipe says.
    pub fn digest(&self) -> Sha256 {
        let mut hasher = sha2::Sha256::new();
        hasher.update(serde_json::to_vec(self).expect("a recipe holds nothing JSON cannot say"));
        digest(hasher)
    }
}

/// Says why a meta-package cannot be built anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unbuilt {
    /// One of [`Code::NotAMetaPackage`], [`Code::PinNotUnderstood`], [`Code::NotRebuildable`], [`Code::ReaderDied`].
    pub code: Code,
    /// Which package, and why.
    pub words: String,
}

/// One meta-package that a plan has built anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// How.
    pub recipe: Recipe,
    /// The package it is made of.
    pub of: Nevra,
    /// What came of it.
    pub made: Listed,
    /// What is remembered of its release, so that no other package ever gets the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Raised>,
}

/// A release that was given to a meta-package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raised {
    /// Name, version and release, with `*` for the number that is raised: `glite-ui-3.2.1-1.el9.*`.
    pub series: String,
    /// The number.
    pub number: u64,
}

/// What becomes of one node type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeType {
    /// The repository.
    pub repository: String,
    /// The meta-package as it was.
    pub before: Nevra,
    /// The meta-package that hosts get instead.
    pub after: Nevra,
    /// Whether it pins one of the packages in question itself, rather than another meta-package that does.
    pub is_direct: bool,
    /// The pins that differ.
    pub pins: Vec<PinChange>,
}

/// How one pin of a meta-package differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PinChange {
    /// What is pinned.
    pub name: String,
    /// As it was written, such as `= 1.9.10-1`.
    pub before: String,
    /// The version that is pinned now; none if it is pinned no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Evr>,
}

/// What some hosts have to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostsRun {
    /// Which hosts: those with this meta-package installed, or all that draw from the stage if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_type: Option<String>,
    /// The stage that they draw from.
    pub stage: String,
    /// Whether they go back to an older version of something, which no plain update does.
    pub goes_back: bool,
    /// The command for dnf.
    pub dnf: String,
    /// The command for yum 3.
    pub yum: String,
    /// The command for zypper.
    pub zypper: String,
}
