//! Everything a procedure remembers of one product.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::archive::Archived;
use crate::bundle::Bundle;
use crate::names::{Id, TeamName};
use crate::patch::{Patch, Patches};
use crate::subject::Subject;
use crate::task::Task;
use crate::team::Team;
use crate::ticket::Ticket;
use crate::update::Update;

/// The number of the stored form.
pub const FORMAT: u32 = 1;

/// What the procedures of a site remember.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// What is remembered of each product.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub products: BTreeMap<String, State>,
}

impl Workflow {
    /// Lists the updates that are still to be published, each with its product and its number.
    pub fn open_updates(&self) -> impl Iterator<Item = (&str, u32, &Update)> {
        self.products.iter().flat_map(|(product, state)| {
            let open = state.updates.iter().filter(|(_, update)| update.is_open());
            open.map(move |(number, update)| (product.as_str(), *number, update))
        })
    }
}

/// What the procedure of one product remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The register of early adopters: of each product its own, as operations are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<TeamName, Team>,
    /// The patches.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub patches: Patches,
    /// The bundles.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<Id, Bundle>,
    /// The tickets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tickets: BTreeMap<Id, Ticket>,
    /// The tasks, by number, counted from 1 and never used again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<u32, Task>,
    /// The updates, by number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub updates: BTreeMap<u32, Update>,
    /// What lies in the archive.
    #[serde(default, skip_serializing_if = "Archived::is_empty")]
    pub archived: Archived,
}

impl State {
    /// Gives the number of the next task.
    pub fn next_task(&self) -> u32 {
        self.tasks.keys().next_back().map_or(0, |last| *last).max(self.archived.last_task) + 1
    }

    /// Lists the patches of a bundle.
    pub fn patches_of<'a>(&'a self, bundle: &'a Bundle) -> impl Iterator<Item = (&'a Id, &'a Patch)> {
        bundle.patches.iter().filter_map(|id| Some((id, self.patches.get(id)?)))
    }

    /// Lists the tasks about a bundle or a ticket.
    pub fn tasks_of<'a>(&'a self, subject: &'a Subject) -> impl Iterator<Item = (u32, &'a Task)> {
        let about =
            move |(number, task): (&u32, &'a Task)| (task.subject == *subject).then_some((*number, task));
        self.tasks.iter().filter_map(about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `sluice demo --once` left, by procedure `glite` and by `egi`, when form 1 was new: it is never made again.
    const FORM_1: &str = include_str!("state/format-1.json");

    #[test]
    fn what_was_stored_in_form_1_is_read_and_written_as_it_is() {
        let mut stored: serde_json::Value = serde_json::from_str(FORM_1).unwrap();
        assert_eq!(stored["format"], 1);
        let written = stored["workflow"].take();
        let read: Workflow = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
        let [emi, umd] = ["emi-1", "umd-1"].map(|product| &read.products[product]);
        assert_eq!((emi.patches.len(), emi.bundles.len(), emi.tasks.len(), emi.updates.len()), (5, 3, 6, 2));
        assert_eq!((umd.tickets.len(), umd.tasks.len(), umd.teams.len()), (2, 4, 3));
    }
}
