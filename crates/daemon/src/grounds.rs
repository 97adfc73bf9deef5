//! What a request was decided on, as far as no other record tells it: kept, so that it can be judged again.
//!
//! The generation before and its repositories, the configuration, what stands: all that is on record anyway. What was
//! seen once and is gone is written down here: the text of the request, whose file it was, what the clocks said.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nevra::Sha256;
use plan::{Arrival, Asker, Format, Freeze, Listed, Recipe, Unbuilt};
use serde::{Deserialize, Serialize};

use crate::spool::Claimed;

/// The longest text of a request without effect that is kept, in bytes: whoever is refused fills no disk.
const TEXT_MAX: usize = 8 << 10;

/// The most packages that are kept of a request without effect.
const ARRIVALS_MAX: usize = 100;

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Came {
    /// It was read, and answered by what it says and who asks.
    Read,
    /// The files that it names were looked at.
    Files,
    /// It was decided on what is published.
    Line,
}

/// What one request was decided on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grounds {
    /// How far it came.
    pub came: Came,
    /// The request as it was handed in, with its signature if it has one; absent if it is no text, is too long, or if
    /// the clock asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Whether that is JSON rather than TOML.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_json: bool,
    /// Whose file it was, such as `user:alice`; who asks may be another, see [`plan::Asker`].
    pub file_of: String,
    /// The number of that user.
    pub uid: u32,
    /// The roles that whoever asks had, `product:role` or `role`; of a request with an effect they stand beside this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The digest of the configuration in force.
    pub policy: Sha256,
    /// When it was read, by the wall clock.
    pub read: Timestamp,
    /// When it was decided, by the wall clock.
    pub now: Timestamp,
    /// The time that was witnessed then.
    pub witnessed: Timestamp,
    /// The generation that was published then; 0 if there was none.
    #[serde(default)]
    pub generation: u64,
    /// How many of the requests that share the next generation were decided before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub behind: usize,
    /// The freezes that files in the control directory said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freeze_files: Vec<Freeze>,
    /// Which roles those held who approved of anything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub approvers: BTreeMap<String, Vec<String>>,
    /// What it brought, if it had no effect: of one that had, the generation tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arrivals: Vec<Brought>,
    /// What was built anew for it, or why that could not be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rebuilt: Vec<(Recipe, Result<Listed, Unbuilt>)>,
    /// Whether it brought more than is kept here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub brought_more: bool,
}

/// A package that an import brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Brought {
    /// The package.
    pub listed: Listed,
    /// What whoever asked calls its file.
    pub from: String,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Grounds {
    /// Begins with what is known once a request was read, and whose file it is.
    pub(crate) fn read(
        claimed: &Claimed,
        file_of: &Asker,
        policy: Sha256,
        clocks: [Timestamp; 2],
    ) -> Grounds {
        let text = (!claimed.bytes.is_empty()).then(|| String::from_utf8(claimed.bytes.clone()).ok());
        let [now, witnessed] = clocks;
        Grounds {
            came: Came::Read,
            request: text.flatten(),
            is_json: claimed.format == Format::Json,
            file_of: file_of.name.clone(),
            uid: claimed.owner.uid,
            roles: roles(file_of),
            policy,
            read: now,
            now,
            witnessed,
            generation: 0,
            behind: 0,
            freeze_files: Vec::new(),
            approvers: BTreeMap::new(),
            arrivals: Vec::new(),
            rebuilt: Vec::new(),
            brought_more: false,
        }
    }

    /// Takes note of what it brought, as far as that is kept.
    pub(crate) fn bringing(mut self, arrivals: &[Arrival]) -> Grounds {
        self.brought_more = arrivals.len() > ARRIVALS_MAX;
        let kept = arrivals.iter().filter(|_| !self.brought_more);
        let brought = |one: &Arrival| Brought { listed: one.listed.clone(), from: one.from.clone() };
        self.arrivals = kept.map(brought).collect();
        self
    }

    /// Takes note of what was built anew.
    pub(crate) fn building(mut self, rebuilt: &BTreeMap<Recipe, Result<Listed, Unbuilt>>) -> Grounds {
        self.rebuilt = rebuilt.iter().map(|(recipe, made)| (recipe.clone(), made.clone())).collect();
        self
    }

    /// Leaves out what is too long to be kept of a request that had no effect.
    pub(crate) fn without_effect(mut self) -> Grounds {
        self.request = self.request.filter(|text| text.len() <= TEXT_MAX);
        self
    }

    /// Says what kind of text it was.
    pub(crate) fn format(&self) -> Format {
        if self.is_json { Format::Json } else { Format::Toml }
    }
}

/// Writes the roles of whoever asks as they are recorded.
pub(crate) fn roles(asker: &Asker) -> Vec<String> {
    let role = |(product, role): &(Option<String>, String)| match product {
        Some(product) => format!("{product}:{role}"),
        None => role.clone(),
    };
    asker.roles.iter().map(role).collect()
}

/// Reads roles as they are recorded.
pub(crate) fn held(roles: &[String]) -> Vec<(Option<String>, String)> {
    let role = |text: &String| match text.split_once(':') {
        Some((product, role)) => (Some(product.to_owned()), role.to_owned()),
        None => (None, text.clone()),
    };
    roles.iter().map(role).collect()
}
