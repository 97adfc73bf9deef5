//! A ticket: it follows one product (name, version, operating system, architecture) through procedure `egi`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::content::{Item, content};
use crate::names::{Id, TeamName};
use crate::naming::{Component, description, ticket_title};
use crate::patch::{Place, Step};
use crate::text::{Line, Link, Reference, Words};

pub(crate) mod fact;

/// Where a ticket stands: its RolloutProgress.
///
/// `InVerification` and `StageRollOut` are EGI's names, the others ours. Those who were asked and have not said yes
/// are what `WaitingForResponse` waits for (E4, E5): a ticket that nobody takes on stays there, and whoever looks at it sees that the manager has
/// to ask others. `Accepted` and `Rejected` are the two outcomes of E11, so that both are told by the same word that moves
/// the packages; a team that takes its work on is told of in its task. What is accepted lies in production and is a
/// candidate; `Released` says that a release of the distribution contains it, which E12 tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is known, and nobody has looked at it yet.
    Unverified,
    /// The verifiers look at it.
    InVerification,
    /// Verification accepted it, and it is with the early adopters (E1).
    StageRollOut,
    /// Teams were asked to try it, and none has taken that on (E4, E5).
    WaitingForResponse,
    /// The staged roll-out went well, and it is in production (E11).
    Accepted,
    /// A release contains it (E12).
    Released,
    /// It will not come (E11).
    Rejected,
}

impl Standing {
    /// Every one, in the order of the procedure.
    pub const ALL: [Standing; 7] = [
        Standing::Unverified,
        Standing::InVerification,
        Standing::StageRollOut,
        Standing::WaitingForResponse,
        Standing::Accepted,
        Standing::Released,
        Standing::Rejected,
    ];

    /// Writes the word that answers and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Unverified => "unverified",
            Standing::InVerification => "in-verification",
            Standing::StageRollOut => "stage-roll-out",
            Standing::WaitingForResponse => "waiting-for-response",
            Standing::Accepted => "accepted",
            Standing::Released => "released",
            Standing::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One product on its way through procedure `egi`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// What it follows; its title is made of that (E2).
    pub component: Component,
    /// Where it stands.
    pub standing: Standing,
    /// Its packages.
    pub items: BTreeSet<Item>,
    /// The node types that it touches.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub node_types: BTreeSet<String>,
    /// Whether it takes the urgent lane: to production at once, the tests follow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_urgent: bool,
    /// Where more is said of it (E3).
    #[serde(default, skip_serializing_if = "Links::is_empty")]
    pub links: Links,
    /// The teams that every later notice reaches too (E4).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cc: BTreeSet<TeamName>,
    /// The tickets at the helpdesk that it led to (E7).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub related: BTreeMap<Reference, Related>,
    /// What its manager wrote at the end (E10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// The release that contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Id>,
    /// Where its packages lie.
    #[serde(default)]
    pub place: Place,
    /// When early adopters got it, by what is witnessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Timestamp>,
    /// When it came to where it stands, by what is witnessed.
    pub since: Timestamp,
    /// What people say of it, and everything that happened to it, in order.
    pub history: Vec<Step>,
}

/// Where more is said of a product (E3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// What is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_notes: Option<Link>,
    /// How it is installed and configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<Link>,
    /// Which bugs it cures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bugs_fixed: Option<Link>,
    /// Everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<Link>,
}

impl Links {
    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Links::default()
    }

    /// Takes over those that are given.
    pub fn with(&self, given: &Links) -> Links {
        let either = |new: &Option<Link>, old: &Option<Link>| new.clone().or_else(|| old.clone());
        Links {
            release_notes: either(&given.release_notes, &self.release_notes),
            installation: either(&given.installation, &self.installation),
            bugs_fixed: either(&given.bugs_fixed, &self.bugs_fixed),
            documentation: either(&given.documentation, &self.documentation),
        }
    }
}

/// A ticket at the helpdesk (E7); which priority it has is the helpdesk's to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Related {
    /// Its subject, which begins with what is rolled out.
    pub subject: Line,
    /// How bad it is for the site, in its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Line>,
    /// How the site got around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workaround: Option<Words>,
}

/// What the manager wrote at the end, and where it lies with the reports (E10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The id under which all reports of the component lie: the ticket's StageRolloutReport.
    pub document: Id,
    /// The name of the file.
    pub file: String,
}

impl Ticket {
    /// Writes its title (E2).
    pub fn title(&self) -> String {
        ticket_title(&self.component)
    }

    /// Writes how the document with all its reports is described (E10).
    pub fn description(&self) -> String {
        description(&self.component)
    }

    /// Computes the hash of what it brings.
    pub fn content(&self) -> Sha256 {
        content(&self.items)
    }
}
