//! A bundle: the patches that travel together.

use std::collections::BTreeSet;

use jiff::Timestamp;
use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::content::content_of_all;
use crate::names::Id;
use crate::patch::{Patches, Place, Step};

/// The patches that travel together (G3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Its patches, also those that were released or rejected since.
    pub patches: BTreeSet<Id>,
    /// Whether it takes the urgent lane: to production at once, the tests follow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_urgent: bool,
    /// Why it goes no further for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// What it was each time it was deployed or changed afterwards, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<Revision>,
    /// Everything that happened to it, in order.
    pub history: Vec<Step>,
}

/// What a bundle was at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The hash of its patches with what each brings.
    pub content: Sha256,
    /// When it was deployed, by what is witnessed.
    pub deployed: Timestamp,
}

impl Bundle {
    /// Computes the hash of the patches of `among` that are with the early adopters, with what each brings.
    pub fn content(&self, among: &Patches) -> Sha256 {
        let all = self.patches.iter().filter_map(|id| Some((id, among.get(id)?)));
        content_of_all(
            all.filter(|(_, patch)| patch.place == Place::Beta).map(|(id, patch)| (id, patch.content())),
        )
    }

    /// Says whether it was deployed.
    pub fn is_deployed(&self) -> bool {
        !self.revisions.is_empty()
    }
}
