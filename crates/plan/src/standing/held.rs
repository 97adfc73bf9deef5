//! What is said of packages and not yet told: advisories in front of a stage that holds them until all of their packages are there.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Nevra;
use repo::Advisory;
use serde::{Deserialize, Serialize};

use super::Standing;
use crate::layout::Repository;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::world::World;

/// How many bytes the texts of the advisories may have that are held in front of one repository.
pub const HELD_BYTES_MAX: usize = 1 << 20;

/// How many bytes they may have in front of all together: every manifest carries them.
pub const HELD_BYTES_OF_ALL_MAX: usize = 8 << 20;

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

/// Tells the texts of an advisory that was taken back from later ones of the same id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenBack {
    /// The last version that counts no more.
    pub version: u64,
    /// When the last of the texts was changed, as they have it: distributions call all versions `2.0`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub changed: String,
}

impl TakenBack {
    /// Whether a text is one of those, or older.
    pub(crate) fn is_of(&self, one: &Advisory) -> bool {
        match one.version().trim().parse::<u64>() {
            Ok(version) => version <= self.version,
            Err(_) => one.changed().trim() <= self.changed.as_str(),
        }
    }
}

/// Counts the bytes of texts.
fn bytes(held: &BTreeMap<String, HeldAdvisory>) -> usize {
    held.values().map(|one| one.text.len()).sum()
}

impl Standing {
    /// Counts the bytes of all texts that wait.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held.values().map(bytes).sum()
    }

    /// Says what of an advisory was taken back.
    pub fn taken_back(&self, product: &str, id: &str) -> Option<&TakenBack> {
        self.taken_back.get(product)?.get(id)
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

    /// Refuses texts that are longer than may wait, in front of one repository or of all.
    pub(crate) fn room_for_held(
        &self,
        new: &BTreeMap<Repository, BTreeMap<String, HeldAdvisory>>,
    ) -> Result<(), Refusal> {
        let known = &self.standing.held;
        let (mut all, before) = (self.standing.held_bytes(), self.standing.held_bytes());
        let hint = "let what waits come or go first; `sluice status` lists it";
        for (repository, held) in new {
            let (old, bytes) = (known.get(&repository.name()).map_or(0, bytes), bytes(held));
            if bytes > HELD_BYTES_MAX.max(old) {
                let sentence = format!(
                    "{bytes} bytes of advisories would wait in front of `{repository}`, more than {HELD_BYTES_MAX}"
                );
                return Err(Refusal::new(Code::StandingFull, sentence).hint(hint));
            }
            all = all - old + bytes;
        }
        if all > HELD_BYTES_OF_ALL_MAX.max(before) {
            let sentence =
                format!("{all} bytes of advisories would wait in all, more than {HELD_BYTES_OF_ALL_MAX}");
            return Err(Refusal::new(Code::StandingFull, sentence).hint(hint));
        }
        Ok(())
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
