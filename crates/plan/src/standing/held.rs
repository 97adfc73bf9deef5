//! What is said of packages and not yet told: advisories in front of a stage that holds them until all of their packages are there.

use std::collections::BTreeSet;

use nevra::Nevra;
use serde::{Deserialize, Serialize};

use super::Standing;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::world::World;

/// How many bytes the texts of the advisories may have that are held in front of one repository: every manifest carries them.
pub const HELD_BYTES_MAX: usize = 1 << 20;

/// How many advisories of one product may be on record as taken back.
pub const TAKEN_BACK_MAX: usize = 1000;

/// Is an advisory of which the repository lists some packages, and stages before it list others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldAdvisory {
    /// The packages it waits for.
    pub waits_for: BTreeSet<Nevra>,
    /// The element `update` with all of its packages, as it stood where it came from.
    pub text: String,
}

impl HeldAdvisory {
    /// Writes what waits in front of which repository, and for what.
    pub fn evidence(&self, id: &str, repository: &str) -> String {
        let names: Vec<String> = self.waits_for.iter().map(|nevra| format!("`{nevra}`")).collect();
        format!("advisory `{id}` in front of `{repository}`, until that lists {}", names.join(", "))
    }
}

impl Standing {
    /// Gives the last version of an advisory that was taken back.
    pub fn taken_back(&self, product: &str, id: &str) -> Option<u64> {
        self.taken_back.get(product)?.get(id).copied()
    }
}

impl World {
    /// Refuses one more that is taken back, if as many are on record as may.
    pub(crate) fn room_for_taken_back(&self, product: &str, id: &str) -> Result<(), Refusal> {
        let known = self.standing.taken_back.get(product);
        if known.is_none_or(|known| known.len() < TAKEN_BACK_MAX || known.contains_key(id)) {
            return Ok(());
        }
        let sentence =
            format!("{TAKEN_BACK_MAX} advisories of `{product}` were taken back, and no more are remembered");
        let hint = "say the advisory anew, of other packages or with other words, in its place";
        Err(Refusal::new(Code::StandingFull, sentence).hint(hint))
    }

    /// Makes what is held what it is after the plan.
    pub(super) fn hold(&mut self, plan: &Plan) {
        for (repository, held) in &plan.held {
            match held.is_empty() {
                true => drop(self.standing.held.remove(&repository.name())),
                false => drop(self.standing.held.insert(repository.name(), held.clone())),
            }
        }
        if !self.standing.held.is_empty() {
            // Nothing comes to a repository that the configuration no longer knows.
            let known: BTreeSet<String> = self.layout.repositories().iter().map(|one| one.name()).collect();
            self.standing.held.retain(|name, _| known.contains(name));
        }
    }
}
