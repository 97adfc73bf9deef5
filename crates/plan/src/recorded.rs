//! What is on record of settled requests: what an `undo` is the inverse of.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nevra::Sha256;

use crate::answer::Outcome;
use crate::layout::Repository;
use crate::recipe::{NodeType, PinChange};
use crate::request::Request;
use crate::world::Listed;

/// What is on record of one settled request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The claim name.
    pub claim: String,
    /// Its id; the claim name if the requester gave none.
    pub id: String,
    /// Who asked.
    pub owner: String,
    /// The name of the action, such as `promote`.
    pub action: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What it did; none if that is nothing.
    pub effect: Option<Effected>,
}

/// What a request did, as far as the manifests tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effected {
    /// The generation that holds it.
    pub generation: u64,
    /// What was asked, if that was kept.
    pub request: Option<Request>,
    /// What it moved.
    pub moves: BTreeMap<Repository, Moves>,
    /// What the manifests do not tell of that, one sentence each.
    pub unclear: Vec<String>,
    /// The overlaps that it began, and until when the packages were to stay.
    pub began: BTreeMap<Repository, BTreeMap<Sha256, Timestamp>>,
    /// The overlaps that it ended, and until when the packages would have stayed.
    pub ended: BTreeMap<Repository, BTreeMap<Sha256, Timestamp>>,
    /// What others let into the same repositories, in its generation and every later one.
    pub since: BTreeMap<Repository, BTreeSet<Sha256>>,
    /// What became of node types of which it built the meta-package anew, as its answer told.
    pub node_types: Vec<NodeType>,
    /// The packages that cannot be listed again, and why: a text that follows their name.
    pub missing: BTreeMap<Sha256, String>,
}

/// What one request let into one repository and took out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// What entered.
    pub entered: Vec<Listed>,
    /// What left.
    pub left: Vec<Listed>,
}

impl Recorded {
    /// Says whether a name means it: its claim name, or its id.
    pub fn bears(&self, name: &str) -> bool {
        self.claim == name || self.id == name
    }
}

impl Effected {
    /// Turns round what became of node types: what was rejected is pinned again.
    pub(crate) fn node_types_back(&self) -> Vec<NodeType> {
        let back = |one: &NodeType| {
            let of = self.moves.iter().find(|(repository, _)| repository.name() == one.repository);
            let left = of.map(|(_, moves)| moves.left.as_slice()).unwrap_or_default();
            let pin = |change: &PinChange| {
                let named = left.iter().find(|listed| listed.nevra.name == change.name);
                let pinned = || change.before.strip_prefix("= ").and_then(|text| text.parse().ok());
                PinChange {
                    name: change.name.clone(),
                    before: change.after.as_ref().map(|evr| format!("= {evr}")).unwrap_or_default(),
                    after: named.map(|listed| listed.nevra.evr.clone()).or_else(pinned),
                }
            };
            NodeType {
                before: one.after.clone(),
                after: one.before.clone(),
                pins: one.pins.iter().map(pin).collect(),
                ..one.clone()
            }
        };
        self.node_types.iter().map(back).collect()
    }

    /// Says whether the request took a package out of a repository, at once or when its overlap was over.
    pub(crate) fn took(&self, repository: &Repository, package: &Sha256) -> bool {
        self.moves.get(repository).is_some_and(|moves| moves.left.iter().any(|left| left.pkgid == *package))
            || self.began.get(repository).is_some_and(|began| began.contains_key(package))
    }

    /// Says whether the request let a package into a repository.
    pub(crate) fn brought(&self, repository: &Repository, package: &Sha256) -> bool {
        let moves = self.moves.get(repository);
        moves.is_some_and(|moves| moves.entered.iter().any(|entered| entered.pkgid == *package))
    }

    /// Finds a package that the request moved, by its digest.
    pub(crate) fn moved(&self, package: &Sha256) -> Option<&Listed> {
        let mut moved = self.moves.values().flat_map(|moves| moves.entered.iter().chain(&moves.left));
        moved.find(|listed| listed.pkgid == *package)
    }
}
