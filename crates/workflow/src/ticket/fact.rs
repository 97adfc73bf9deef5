//! What happens to a ticket.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::content::Item;
use crate::names::{Id, TeamName};
use crate::naming::Component;
use crate::patch::Place;
use crate::text::Reference;
use crate::ticket::{Links, Related, Standing, Summary};

/// One thing that happened to a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Turn {
    /// It is known.
    Opened {
        /// What it follows.
        component: Component,
        /// Its packages.
        items: BTreeSet<Item>,
        /// The node types it touches.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        node_types: BTreeSet<String>,
        /// Whether it takes the urgent lane.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        urgent: bool,
    },
    /// It has other packages, and is unverified.
    Changed {
        /// Its packages.
        items: BTreeSet<Item>,
        /// The node types it touches.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        node_types: BTreeSet<String>,
    },
    /// It stands somewhere else.
    Set(Standing),
    /// Its packages lie somewhere else.
    Moved(Place),
    /// One of its packages was built anew, with other pins, where it lies.
    Rebuilt {
        /// The package as it was.
        was: Item,
        /// As it is.
        item: Item,
    },
    /// More is said of it there.
    Linked(Links),
    /// Later notices reach these as well.
    Copied(BTreeSet<TeamName>),
    /// It led to a ticket at the helpdesk.
    Related {
        /// Which.
        ticket: Reference,
        /// What is known of that.
        entry: Related,
    },
    /// Its manager wrote how it went.
    Summarised(Summary),
    /// A release contains it.
    Released(Id),
}
