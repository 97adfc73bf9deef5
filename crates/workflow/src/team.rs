//! The register of early adopters.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A team of early adopters: it sits at another institute, upgrades first and reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Who may act for it, beside the team itself: names of those who ask, such as `user:paolo`.
    #[serde(default)]
    pub members: BTreeSet<String>,
    /// The middleware stacks it tries; every one if none is named.
    #[serde(default)]
    pub stacks: BTreeSet<String>,
    /// The platforms it has; every one if none is named.
    #[serde(default)]
    pub platforms: BTreeSet<String>,
    /// The node types it runs; every one if none is named.
    #[serde(default)]
    pub node_types: BTreeSet<String>,
    /// Where it is reached: an address, never shown to the world.
    pub contact: String,
}

impl Team {
    /// Says whether it runs one of the node types, or may: because it names none, or there are none.
    pub fn runs_any(&self, node_types: &BTreeSet<String>) -> bool {
        self.node_types.is_empty() || node_types.is_empty() || !self.node_types.is_disjoint(node_types)
    }
}
