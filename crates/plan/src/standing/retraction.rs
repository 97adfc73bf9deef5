//! What was rejected and is offered no more: what hosts that have it already are told of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nevra::Nevra;
use serde::{Deserialize, Serialize};

use super::{Standing, id_of};
use crate::layout::Kind;
use crate::plan::Plan;
use crate::world::World;

/// How many retractions stand at a time in one repository: every manifest carries them, and the oldest goes first.
pub const RETRACTIONS_MAX: usize = 100;

/// Says that packages were rejected: those that left by a roll-back, and the meta-packages that pinned them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraction {
    /// A word of twelve hexadecimal digits, a function of product, instant and packages.
    pub id: String,
    /// The product.
    pub product: String,
    /// When they were rejected.
    pub at: Timestamp,
    /// What was rejected in each repository, by its name.
    pub repositories: BTreeMap<String, Rejected>,
}

/// Is what one repository lists no more, because it was rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejected {
    /// What is retracted.
    pub packages: BTreeSet<Nevra>,
    /// What is listed again, and retracted no more unless that is taken back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub back: BTreeSet<Nevra>,
    /// How often it changed: clients know a changed advisory by that.
    #[serde(default)]
    pub changes: u32,
    /// When it changed last, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Timestamp>,
}

impl Retraction {
    /// Gives it its id.
    fn identified(mut self) -> Self {
        let mut words = vec!["retraction".to_owned(), self.product.clone(), self.at.to_string()];
        for (repository, rejected) in &self.repositories {
            words.push(repository.clone());
            words.extend(rejected.packages.iter().map(Nevra::to_string));
        }
        self.id = id_of(&words.iter().map(String::as_str).collect::<Vec<_>>());
        self
    }

    /// Says whether nothing of it is retracted any more.
    pub fn is_lifted(&self) -> bool {
        self.repositories.values().all(|rejected| rejected.packages.is_empty())
    }

    /// Writes what is retracted since when, each package once.
    pub fn evidence(&self) -> String {
        let Self { id, product, at, repositories } = self;
        let packages = repositories.values().flat_map(|rejected| &rejected.packages);
        let names: BTreeSet<String> = packages.map(|nevra| format!("`{nevra}`")).collect();
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        format!("{names} of `{product}`, rejected {at}, retraction {id}")
    }
}

impl Rejected {
    /// Takes back the retraction of what is listed again, and retracts anew what came back and is taken back itself.
    fn follow(&mut self, entered: &BTreeSet<&Nevra>, taken_back: &mut BTreeSet<&Nevra>, now: Timestamp) {
        let is_listed = |one: &&Nevra| entered.contains(one);
        let listed: BTreeSet<Nevra> = self.packages.iter().filter(is_listed).cloned().collect();
        let gone: BTreeSet<Nevra> =
            taken_back.iter().filter(|one| self.back.contains(**one)).map(|one| (*one).clone()).collect();
        taken_back.retain(|one| !gone.contains(*one));
        if listed.is_empty() && gone.is_empty() {
            return;
        }
        self.packages.retain(|one| !listed.contains(one));
        self.back.retain(|one| !gone.contains(one));
        self.back.extend(listed);
        self.packages.extend(gone);
        (self.changes, self.changed) = (self.changes.saturating_add(1), Some(now));
    }
}

impl Standing {
    /// Lists what is retracted in the repository of this name, oldest first.
    pub fn retracted_in<'a>(
        &'a self,
        repository: &str,
    ) -> impl Iterator<Item = (&'a Retraction, &'a Rejected)> {
        let rejected =
            |retraction: &'a Retraction| Some((retraction, retraction.repositories.get(repository)?));
        let all = self.retracted.values().filter_map(rejected);
        let mut all: Vec<_> = all.filter(|(_, rejected)| !rejected.packages.is_empty()).collect();
        all.sort_by_key(|(retraction, _)| (retraction.at, &retraction.id));
        all.into_iter()
    }
}

impl World {
    /// Retracts what a plan rejects, and takes back the retraction of what it brings back; its changes are made already.
    pub(super) fn retract(&mut self, plan: &Plan) {
        let takes_back = plan.action == "undo";
        for (repository, change) in &plan.changes {
            let name = repository.name();
            let entered: BTreeSet<&Nevra> = change.enter.iter().map(|listed| &listed.nevra).collect();
            let left = change.leave.iter().map(|listed| &listed.nevra);
            let mut left: BTreeSet<&Nevra> =
                left.filter(|nevra| takes_back && !entered.contains(nevra)).collect();
            let mut newest_first: Vec<&mut Retraction> = self.standing.retracted.values_mut().collect();
            newest_first.sort_by_key(|one| std::cmp::Reverse((one.at, one.id.clone())));
            for retraction in newest_first {
                if let Some(rejected) = retraction.repositories.get_mut(&name) {
                    rejected.follow(&entered, &mut left, self.now);
                }
            }
        }
        if let Some(retraction) = self.retraction_of(plan) {
            self.forget_old(retraction.repositories.keys());
            self.standing.retracted.insert(retraction.id.clone(), retraction);
        }
    }

    /// Makes room for one more in these repositories.
    fn forget_old<'a>(&mut self, repositories: impl Iterator<Item = &'a String>) {
        for repository in repositories {
            let all = self.standing.retracted.values_mut();
            let mut all: Vec<_> = all.filter(|one| one.repositories.contains_key(repository)).collect();
            // What is retracted no more goes first.
            let is_told = |one: &Retraction| !one.repositories[repository].packages.is_empty();
            all.sort_by_key(|one| (is_told(one), one.at, one.id.clone()));
            let too_many = (all.len() + 1).saturating_sub(RETRACTIONS_MAX);
            all.into_iter().take(too_many).for_each(|one| drop(one.repositories.remove(repository)));
        }
        self.standing.retracted.retain(|_, retraction| !retraction.repositories.is_empty());
    }

    fn retraction_of(&self, plan: &Plan) -> Option<Retraction> {
        if plan.action != "rollback" {
            return None;
        }
        let changes = || plan.changes.iter().filter(|(repository, _)| repository.kind == Kind::Binary);
        let product = changes().next()?.0.product.clone();
        let mut repositories = BTreeMap::new();
        for (repository, change) in changes() {
            let listed = self.repositories.get(repository).map(Vec::as_slice).unwrap_or_default();
            // Another file of the same name may stay listed.
            let is_gone = |nevra: &&Nevra| listed.iter().all(|listed| listed.nevra != **nevra);
            let left = change.leave.iter().map(|left| &left.nevra);
            let packages: BTreeSet<Nevra> = left.filter(is_gone).cloned().collect();
            if !packages.is_empty() {
                repositories.insert(repository.name(), Rejected { packages, ..Rejected::default() });
            }
        }
        let retraction = Retraction { id: String::new(), product, at: self.now, repositories };
        (!retraction.repositories.is_empty()).then(|| retraction.identified())
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
        told.map(|(_, rejected)| format!("{} {}", rejected.changes, names(&rejected.packages))).collect()
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
        assert_eq!(told(&world, DELTA), Vec::<String>::new());
        assert!(world.standing.retracted.values().all(Retraction::is_lifted));
    }

    #[test]
    fn what_came_back_is_retracted_again_where_that_is_taken_back() {
        let mut world = world_of(&[
            "sl5/x86_64 delta: voms-2-1.x86_64 lcg-2-1.x86_64",
            "sl6/x86_64 delta: voms-2-1.x86_64",
        ]);
        change(&mut world, "rollback", DELTA, &[], &["voms-2-1.x86_64"]);
        change(&mut world, "undo", DELTA, &["voms-2-1.x86_64"], &[]);
        assert!(told(&world, DELTA).is_empty());
        change(&mut world, "undo", DELTA, &[], &["voms-2-1.x86_64"]);
        assert_eq!(told(&world, DELTA), ["2 voms-2-1.x86_64"]);
        change(&mut world, "import", DELTA, &["voms-2-1.x86_64"], &[]);
        change(&mut world, "promote", DELTA, &[], &["voms-2-1.x86_64"]);
        assert!(told(&world, DELTA).is_empty(), "it moved on");
        change(&mut world, "import", DELTA, &["voms-2-1.x86_64"], &[]);
        change(&mut world, "rollback", DELTA, &[], &["voms-2-1.x86_64"]);
        assert_eq!(told(&world, DELTA), ["0 voms-2-1.x86_64"], "the second is told of, once");
    }

    #[test]
    fn each_repository_is_told_of_its_own() {
        let lines = ["sl5/x86_64 delta: voms-2-1.x86_64", "sl6/x86_64 delta: voms-2-1.x86_64"];
        let mut world = world_of(&lines);
        let other = "sl6/x86_64 delta";
        let changes = [DELTA, other].map(|at| {
            let left = vec![listed("voms-2-1.x86_64")];
            (repository(at), Change::of(&left, vec![], left.clone()).unwrap())
        });
        world.apply(&Plan { action: "rollback".into(), changes: changes.into(), ..Plan::default() });
        assert_eq!(world.standing.retracted.len(), 1);
        change(&mut world, "import", DELTA, &["voms-2-1.x86_64"], &[]);
        assert_eq!(
            (told(&world, DELTA), told(&world, other)),
            (vec![], vec!["0 voms-2-1.x86_64".to_owned()])
        );
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
