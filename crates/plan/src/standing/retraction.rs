//! What was rejected and is offered no more: what hosts that have it already are told of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nevra::Nevra;
use serde::{Deserialize, Serialize};

use super::{Standing, id_of};
use crate::layout::Kind;
use crate::plan::Plan;
use crate::world::World;

/// How many retractions stand at a time: every manifest carries them, and the oldest goes first.
pub const RETRACTIONS_MAX: usize = 100;

/// Says that packages were rejected: those that left by a roll-back, and the meta-packages that pinned them.
///
/// It stands until all of them are listed again, or [`RETRACTIONS_MAX`] later ones stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraction {
    /// A word of twelve hexadecimal digits, a function of product, instant and packages.
    pub id: String,
    /// The product.
    pub product: String,
    /// When they were rejected.
    pub at: Timestamp,
    /// What is retracted in each repository, by its name.
    pub packages: BTreeMap<String, BTreeSet<Nevra>>,
    /// How often some of them came back: clients know a changed advisory by it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lifted: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Retraction {
    /// Gives it its id.
    fn identified(mut self) -> Self {
        let at = self.at.to_string();
        let mut words = vec!["retraction".to_owned(), self.product.clone(), at];
        for (repository, packages) in &self.packages {
            words.push(repository.clone());
            words.extend(packages.iter().map(Nevra::to_string));
        }
        self.id = id_of(&words.iter().map(String::as_str).collect::<Vec<_>>());
        self
    }

    /// Writes what was rejected when, each package once.
    pub fn evidence(&self) -> String {
        let Self { id, product, at, packages, .. } = self;
        let names: BTreeSet<String> = packages.values().flatten().map(|nevra| format!("`{nevra}`")).collect();
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        format!("{names} of `{product}`, rejected {at}, retraction {id}")
    }
}

impl Standing {
    /// Lists what is retracted in the repository of this name, oldest first.
    pub fn retracted_in<'a>(
        &'a self,
        repository: &str,
    ) -> impl Iterator<Item = (&'a Retraction, &'a BTreeSet<Nevra>)> {
        let mut all: Vec<_> = self
            .retracted
            .values()
            .filter_map(|retraction| Some((retraction, retraction.packages.get(repository)?)))
            .collect();
        all.sort_by_key(|(retraction, _)| (retraction.at, &retraction.id));
        all.into_iter()
    }
}

impl World {
    /// Retracts what a plan rejects, and takes back the retraction of what it brings back; its changes are made already.
    pub(super) fn retract(&mut self, plan: &Plan) {
        for (repository, change) in &plan.changes {
            let name = repository.name();
            let entered: BTreeSet<&Nevra> = change.enter.iter().map(|listed| &listed.nevra).collect();
            for retraction in self.standing.retracted.values_mut() {
                let Some(packages) = retraction.packages.get_mut(&name) else { continue };
                let before = packages.len();
                packages.retain(|nevra| !entered.contains(nevra));
                retraction.lifted += u32::from(packages.len() < before);
            }
        }
        for retraction in self.standing.retracted.values_mut() {
            retraction.packages.retain(|_, packages| !packages.is_empty());
        }
        self.standing.retracted.retain(|_, retraction| !retraction.packages.is_empty());
        if let Some(retraction) = self.retraction_of(plan) {
            self.standing.retracted.insert(retraction.id.clone(), retraction);
        }
        while self.standing.retracted.len() > RETRACTIONS_MAX {
            let oldest = self.standing.retracted.values().min_by_key(|one| (one.at, &one.id));
            let Some(id) = oldest.map(|oldest| oldest.id.clone()) else { break };
            self.standing.retracted.remove(&id);
        }
    }

    fn retraction_of(&self, plan: &Plan) -> Option<Retraction> {
        if plan.action != "rollback" {
            return None;
        }
        let changes = || plan.changes.iter().filter(|(repository, _)| repository.kind == Kind::Binary);
        let product = changes().next()?.0.product.clone();
        let mut packages: BTreeMap<String, BTreeSet<Nevra>> = BTreeMap::new();
        for (repository, change) in changes() {
            let listed = self.repositories.get(repository).map(Vec::as_slice).unwrap_or_default();
            // Another file of the same name may stay listed.
            let is_gone = |nevra: &&Nevra| listed.iter().all(|listed| listed.nevra != **nevra);
            let gone: BTreeSet<Nevra> =
                change.leave.iter().map(|left| &left.nevra).filter(is_gone).cloned().collect();
            if !gone.is_empty() {
                packages.insert(repository.name(), gone);
            }
        }
        let retraction = Retraction { id: String::new(), product, at: self.now, packages, lifted: 0 };
        (!retraction.packages.is_empty()).then(|| retraction.identified())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Clients;
    use crate::plan::Change;
    use crate::samples::{listed, now, repository, world_of};

    /// Applies a change of what a repository lists, as the action says.
    fn change(world: &mut World, action: &str, at: &str, enter: &[&str], leave: &[&str]) {
        let repository = repository(at);
        let all = |texts: &[&str]| texts.iter().map(|text| listed(text)).collect::<Vec<_>>();
        let before = world.repositories[&repository].clone();
        let change = Change::of(&before, all(enter), all(leave)).unwrap();
        let plan = Plan { action: action.into(), changes: [(repository, change)].into(), ..Plan::default() };
        world.apply(&plan);
    }

    fn told(world: &World, at: &str) -> Vec<String> {
        let name = repository(at).name();
        let names =
            |nevras: &BTreeSet<Nevra>| nevras.iter().map(Nevra::to_string).collect::<Vec<_>>().join(" ");
        let told = world.standing.retracted_in(&name);
        told.map(|(one, packages)| format!("{} {}", one.lifted, names(packages))).collect()
    }

    const DELTA: &str = "sl5/x86_64 delta";

    #[test]
    fn what_a_roll_back_rejects_is_retracted_until_it_is_listed_again() {
        let mut world = world_of(&["sl5/x86_64 delta: voms-2-1.x86_64 ui-2-1.noarch lcg-2-1.x86_64"]);
        change(&mut world, "withdraw", DELTA, &[], &["lcg-2-1.x86_64"]);
        assert!(told(&world, DELTA).is_empty(), "only what is rejected is retracted");
        change(&mut world, "rollback", DELTA, &["ui-2-1.1.noarch"], &["voms-2-1.x86_64", "ui-2-1.noarch"]);
        assert_eq!(told(&world, DELTA), ["0 ui-2-1.noarch voms-2-1.x86_64"]);
        let ids: Vec<String> = world.standing.retracted.keys().cloned().collect();
        assert!(told(&world, "sl5/x86_64 production").is_empty());
        change(&mut world, "import", "sl5/x86_64 production", &["voms-2-1.x86_64"], &[]);
        assert_eq!(told(&world, DELTA).len(), 1, "it came back elsewhere");
        change(&mut world, "import", DELTA, &["voms-2-1.x86_64"], &[]);
        assert_eq!(told(&world, DELTA), ["1 ui-2-1.noarch"]);
        assert_eq!(world.standing.retracted.keys().cloned().collect::<Vec<_>>(), ids, "it is the same still");
        change(&mut world, "revert", DELTA, &["ui-2-1.noarch"], &["ui-2-1.1.noarch"]);
        assert_eq!(world.standing.retracted, BTreeMap::new());
    }

    #[test]
    fn another_file_of_the_same_name_that_stays_is_not_retracted() {
        let mut world = world_of(&["sl5/x86_64 delta: voms-2-1.x86_64 voms-2-1.x86_64#other lcg-2-1.x86_64"]);
        change(&mut world, "rollback", DELTA, &[], &["voms-2-1.x86_64"]);
        assert!(told(&world, DELTA).is_empty());
    }

    #[test]
    fn the_oldest_goes_where_too_many_stand() {
        let mut world = world_of(&["sl5/x86_64 delta:"]);
        for number in 0..=RETRACTIONS_MAX {
            let package = format!("voms-{number}-1.x86_64");
            world.now = now() + jiff::SignedDuration::from_secs(i64::try_from(number).unwrap());
            change(&mut world, "import", DELTA, &[&package], &[]);
            change(&mut world, "rollback", DELTA, &[], &[&package]);
        }
        let told = told(&world, DELTA);
        assert_eq!(told.len(), RETRACTIONS_MAX);
        assert_eq!(told[0], "0 voms-1-1.x86_64");
    }

    #[test]
    fn only_clients_that_understand_it_are_told_unless_somebody_says_so() {
        let at = repository(DELTA);
        let of = |profile, retractions| {
            Clients { profile, retractions, ..Clients::default() }.writing(&at).has_retractions
        };
        assert!(of(crate::Profile::Sles, None) && of(crate::Profile::El9, Some(true)));
        assert!(!of(crate::Profile::Modern, None) && !of(crate::Profile::Sles, Some(false)));
        let debug = crate::Repository { kind: Kind::Debug, ..at.clone() };
        let clients = Clients { retractions: Some(true), ..Clients::default() };
        assert!(!clients.writing(&debug).has_retractions);
        assert_eq!(clients.writing(&at).recorded(None), None, "it is recorded one by one");
    }
}
