//! A stage on one platform: what its repositories list together, for an advisory of one may name what a sibling lists.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use nevra::Nevra;

use super::{Earlier, place_of};
use crate::layout::{Kind, Repository};
use crate::plan::Plan;
use crate::world::{Listed, World};

/// What repositories said once, with the families of then.
pub(super) type Once<'a> = BTreeMap<Repository, Vec<(&'a Earlier, Family<'a>)>>;

/// The repositories of one stage on one platform.
pub(super) struct Family<'a> {
    /// Its repositories that exist.
    pub(super) repositories: Vec<Repository>,
    /// What they list before the plan.
    pub(super) before: HashSet<&'a Nevra>,
    /// What they list after it.
    pub(super) after: HashSet<&'a Nevra>,
    /// What they list only after it.
    pub(super) entered: BTreeSet<&'a Nevra>,
    /// What they list only before it.
    pub(super) left: BTreeSet<&'a Nevra>,
    /// Whether what enters brings along what was said of it: not where it comes from outside.
    pub(super) brings: bool,
    /// Whether the plan is about it; the others are looked at for what waits.
    pub(super) is_moved: bool,
}

impl Family<'_> {
    /// Says whether both are stages, perhaps the same one, of one product on one platform.
    pub(super) fn is_of_platform_of(&self, other: &Family<'_>) -> bool {
        let key = |family: &Family<'_>| family.repositories.first().map(binary);
        let (Some(one), Some(two)) = (key(self), key(other)) else { return false };
        one == two || one.is_same_but_stage(&two)
    }

    /// Says whether the stage has advisories wait until all of their packages are there.
    pub(super) fn holds(&self, world: &World) -> bool {
        self.repositories.first().is_some_and(|one| holds(world, one))
    }
}

fn holds(world: &World, repository: &Repository) -> bool {
    let product = world.layout.products.get(&repository.product);
    let stage = product.and_then(|product| product.stage(&repository.stage));
    stage.is_some_and(|stage| stage.holds_advisories)
}

/// Names what the stages before this one have on its platform.
pub(super) fn before(world: &World, repository: &Repository) -> BTreeSet<Repository> {
    let product = world.layout.products.get(&repository.product);
    let stages = product.map(|product| product.stages_before(&repository.stage)).unwrap_or_default();
    stages.into_iter().map(|stage| binary(repository).in_stage(stage)).collect()
}

fn binary(repository: &Repository) -> Repository {
    Repository { kind: Kind::Binary, ..repository.clone() }
}

/// Finds the families that a plan is about, by their repository of binary packages; beside them those in front of which something
/// waits on the same platforms, and those from which it may come.
pub(super) fn families<'a>(world: &'a World, plan: &'a Plan) -> BTreeMap<Repository, Family<'a>> {
    let brings = ["promote", "revert", "undo"].contains(&plan.action.as_str());
    let moved: BTreeSet<Repository> = plan.changes.keys().chain(plan.overlaps.keys()).map(binary).collect();
    let mut keys = moved.clone();
    if !world.standing.held.is_empty() {
        let places: BTreeSet<_> = moved.iter().map(place_of).collect();
        let known = world.repositories.keys().filter(|one| places.contains(&place_of(one)));
        keys.extend(known.filter(|one| world.standing.held.contains_key(&one.name())).map(binary));
    }
    // Also where a stage has nothing wait any more: what waits there still is cut for what lies before it.
    let waits = |key: &Repository| {
        let mut siblings = Kind::ALL.map(|kind| Repository { kind, ..key.clone() }).into_iter();
        siblings.any(|one| world.standing.held.contains_key(&one.name()))
    };
    let is_behind = |key: &&Repository| holds(world, key) || waits(key);
    let behind: Vec<Repository> = keys.iter().filter(is_behind).cloned().collect();
    keys.extend(behind.iter().flat_map(|key| before(world, key)));
    let family = |key: Repository| {
        let siblings = Kind::ALL.map(|kind| Repository { kind, ..key.clone() });
        let repositories = siblings.into_iter().filter(|one| world.repositories.contains_key(one));
        let mut family =
            Family { brings, is_moved: moved.contains(&key), ..of(repositories.collect(), world) };
        for repository in &family.repositories {
            let Some(change) = plan.changes.get(repository) else { continue };
            let leave: HashSet<_> = change.leave.iter().map(|left| left.pkgid).collect();
            let listed = world.repositories.get(repository).into_iter().flatten();
            for gone in listed.filter(|one| leave.contains(&one.pkgid)) {
                family.after.remove(&gone.nevra);
            }
        }
        // Another file of the same name may stay, or come, also in a sibling.
        for repository in &family.repositories {
            let change = plan.changes.get(repository);
            let leave: HashSet<_> =
                change.iter().flat_map(|change| &change.leave).map(|one| one.pkgid).collect();
            if !leave.is_empty() {
                let listed = world.repositories.get(repository).into_iter().flatten();
                family.after.extend(listed.filter(|one| !leave.contains(&one.pkgid)).map(|one| &one.nevra));
            }
            family.after.extend(change.into_iter().flat_map(|change| &change.enter).map(|one| &one.nevra));
        }
        let changes = || family.repositories.iter().filter_map(|repository| plan.changes.get(repository));
        let names = |listed: &'a [Listed]| listed.iter().map(|one| &one.nevra);
        let entered = changes().flat_map(|change| names(&change.enter));
        let entered = entered.filter(|nevra| !family.before.contains(nevra)).collect();
        let left = changes().flat_map(|change| names(&change.leave));
        let left = left.filter(|nevra| !family.after.contains(nevra)).collect();
        (key, Family { entered, left, ..family })
    };
    keys.into_iter().map(family).collect()
}

/// Puts what repositories said once beside what they listed then.
pub(super) fn earlier(world: &World) -> Once<'_> {
    let mut all = BTreeMap::new();
    for (repository, earlier) in &world.earlier {
        let siblings = Kind::ALL.map(|kind| Repository { kind, ..repository.clone() });
        let those = earlier.iter().map(|one| {
            let known = siblings.iter().filter_map(|sibling| world.earlier.get(sibling)).flatten();
            let then = known.filter(|known| known.generation == one.generation);
            let listed = then.flat_map(|one| one.listed.iter()).map(|listed| &listed.nevra).collect();
            (one, made(vec![repository.clone()], listed))
        });
        all.insert(repository.clone(), those.collect());
    }
    all
}

fn of(repositories: Vec<Repository>, world: &World) -> Family<'_> {
    let listed = repositories.iter().filter_map(|one| world.repositories.get(one)).flatten();
    let listed: HashSet<&Nevra> = listed.map(|listed| &listed.nevra).collect();
    made(repositories, listed)
}

fn made<'a>(repositories: Vec<Repository>, listed: HashSet<&'a Nevra>) -> Family<'a> {
    let (entered, left) = (BTreeSet::new(), BTreeSet::new());
    Family {
        repositories,
        after: listed.clone(),
        before: listed,
        entered,
        left,
        brings: false,
        is_moved: false,
    }
}
