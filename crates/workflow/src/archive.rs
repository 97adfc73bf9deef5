//! What is over: matters that rest leave what is remembered for the archive, so that a commit does not write old ones again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bundle::Bundle;
use crate::names::Id;
use crate::patch::Patches;
use crate::state::State;
use crate::task::Task;
use crate::ticket::Ticket;
use crate::update::Update;

/// Names matters, of one product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matters {
    /// The patches.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub patches: BTreeSet<Id>,
    /// The bundles.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub bundles: BTreeSet<Id>,
    /// The tickets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tickets: BTreeSet<Id>,
    /// The tasks.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tasks: BTreeSet<u32>,
    /// The updates.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub updates: BTreeSet<u32>,
}

impl Matters {
    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.patches.is_empty()
            && self.bundles.is_empty()
            && self.tickets.is_empty()
            && self.tasks.is_empty()
            && self.updates.is_empty()
    }

    /// Counts them.
    pub fn len(&self) -> usize {
        self.patches.len() + self.bundles.len() + self.tickets.len() + self.tasks.len() + self.updates.len()
    }
}

/// What is known of matters that lie in the archive: no id and no number is given twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archived {
    /// The ids of patches.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub patches: BTreeSet<Id>,
    /// The ids of bundles.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub bundles: BTreeSet<Id>,
    /// The ids of tickets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tickets: BTreeSet<Id>,
    /// The numbers of updates.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub updates: BTreeSet<u32>,
    /// The highest number of a task; 0 if there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_task: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Archived {
    /// Says whether nothing was archived.
    pub fn is_empty(&self) -> bool {
        *self == Archived::default()
    }
}

/// Matters as the archive keeps them: what was remembered of them at last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filed {
    /// The product.
    pub product: String,
    /// When they were archived, by what is witnessed.
    pub at: Timestamp,
    /// The patches.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub patches: Patches,
    /// The bundles.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<Id, Bundle>,
    /// The tickets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tickets: BTreeMap<Id, Ticket>,
    /// The tasks, by number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<u32, Task>,
    /// The updates, by number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub updates: BTreeMap<u32, Update>,
}

impl State {
    /// Takes matters out of what is remembered, and hands them out.
    pub(crate) fn file(&mut self, product: &str, at: Timestamp, matters: &Matters) -> Filed {
        let filed = Filed {
            product: product.to_owned(),
            at,
            patches: taken(&mut self.patches, &matters.patches),
            bundles: taken(&mut self.bundles, &matters.bundles),
            tickets: taken(&mut self.tickets, &matters.tickets),
            tasks: taken(&mut self.tasks, &matters.tasks),
            updates: taken(&mut self.updates, &matters.updates),
        };
        self.archived.patches.extend(filed.patches.keys().cloned());
        self.archived.bundles.extend(filed.bundles.keys().cloned());
        self.archived.tickets.extend(filed.tickets.keys().cloned());
        self.archived.updates.extend(filed.updates.keys());
        let last = filed.tasks.keys().next_back().copied().unwrap_or_default();
        self.archived.last_task = self.archived.last_task.max(last);
        filed
    }
}

fn taken<K: Ord + Clone, V>(from: &mut BTreeMap<K, V>, keys: &BTreeSet<K>) -> BTreeMap<K, V> {
    keys.iter().filter_map(|key| from.remove_entry(key)).collect()
}
