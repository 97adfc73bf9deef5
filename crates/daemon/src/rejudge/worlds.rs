//! The world a request was decided in, built again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nevra::Sha256;
use plan::{Action, Arrival, Asker, Existing, Plan, Request, World};
use store::Store;

use super::asking;
use super::chapters::{Chapter, lists_of};
use super::policies::Policy;
use crate::account::{Account, Settled};
use crate::error::Error;
use crate::grounds::Grounds;
use crate::line::{names, overlapping};
use crate::soaking::Soaking;

/// What requests that share a generation did, in their order.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// What was judged again.
    Judged(Box<Plan>),
    /// What is recorded of one that could not be, or differs.
    Recorded(Box<plan::Answer>),
}

/// Builds the world of a request on the generation before it, and lets those do their work that were before it in the
/// line. `after` is the generation they share, if they made one.
pub(super) fn build(
    policy: &Policy,
    grounds: &Grounds,
    before: Option<&Chapter>,
    (effects, after): (&[Effect], Option<&Account>),
    damaged: &BTreeSet<Sha256>,
) -> World {
    let number = before.map_or(0, |before| before.number);
    let mut world = World::new(Arc::clone(&policy.layout), grounds.now, number);
    world.witnessed = grounds.witnessed;
    world.freeze_files.clone_from(&grounds.freeze_files);
    world.damaged.clone_from(damaged);
    world.rebuilt = grounds.rebuilt.iter().cloned().collect();
    world.next = number + 1;
    if let Some(Chapter { manifest, account, lists, workflow, .. }) = before {
        world.repositories.clone_from(lists);
        world.purged.clone_from(&account.purged);
        world.names = names(manifest);
        world.retained.clone_from(&manifest.retained);
        world.standing = account.standing.clone();
        world.overlapping = overlapping(account);
        world.workflow = Arc::clone(workflow);
    }
    world.repositories.retain(|repository, _| world.layout.has(repository));
    let approve = world.standing.approvals.iter().map(|approval| &approval.by);
    let asker =
        |name: &String| asking::approver(&policy.config, name, grounds).map(|one| (name.clone(), one));
    world.approvers = approve.filter_map(asker).collect::<BTreeMap<String, Asker>>();
    effects.iter().for_each(|effect| apply(&mut world, effect, after));
    world
}

/// Fills in what only some requests ask for.
pub(super) fn fill(
    world: &mut World,
    (store, numbers): (&Store, &BTreeSet<u64>),
    soaking: &mut Soaking,
    request: &Request,
) -> Result<(), Error> {
    let needs = plan::needs(request, &world.layout, &world.names);
    if let Action::Revert { .. } | Action::Keep { .. } = request.action {
        // Which of them were swept by then is not known: whoever pointed to one found it.
        world.kept_generations = numbers.range(..=world.generation).copied().collect();
    }
    if let Some(number) = needs.past.filter(|number| world.kept_generations.contains(number)) {
        let mut past = lists_of(store, number)?;
        past.retain(|repository, _| needs.past_repositories.contains(repository));
        world.past.insert(number, past);
    }
    if let Action::Adopt { .. } = request.action {
        world.existing = Some(Existing::default());
    }
    soaking.fill(world, store, &needs.entered)
}

/// Makes the world what it was after one of the requests that share a generation.
pub(super) fn apply(world: &mut World, effect: &Effect, after: Option<&Account>) {
    let answer = match effect {
        Effect::Judged(plan) => return world.apply(plan),
        Effect::Recorded(answer) => answer,
    };
    // What no longer counts goes with every request.
    let is_it = |settled: &&Settled| settled.answer.claim == answer.claim;
    let settled = after.and_then(|after| after.requests.iter().find(is_it));
    let deed = settled.and_then(|settled| settled.deed.as_deref().cloned());
    world.apply(&Plan { deed, ..Plan::default() });
    for moved in &answer.moved {
        let found = world.repositories.keys().find(|repository| repository.name() == moved.repository);
        let Some(repository) = found.cloned() else { continue };
        let entered = after.and_then(|after| after.changes.get(&moved.repository)).into_iter();
        let entered = entered.flat_map(|moves| &moves.entered);
        let mut fresh: Vec<_> =
            entered.filter(|listed| moved.entered.contains(&listed.nevra.to_string())).cloned().collect();
        let Some(listed) = world.repositories.get_mut(&repository) else { continue };
        listed.retain(|one| !moved.left.contains(&one.nevra.to_string()));
        fresh.retain(|one| !listed.contains(one));
        listed.extend(fresh);
    }
    let appeared = after.into_iter().filter(|_| answer.action == "config");
    for shelved in appeared.flat_map(|after| after.repositories.values()) {
        world.repositories.entry(shelved.repository()).or_default();
    }
}

/// Finds what an import brought: what is recorded of it, or what the generation says entered by it.
pub(super) fn arrivals(
    grounds: &Grounds,
    answer: &plan::Answer,
    after: Option<&Account>,
) -> Option<Vec<Arrival>> {
    let Some(after) = after else {
        if grounds.brought_more {
            return None;
        }
        let arrival =
            |one: &crate::grounds::Brought| Arrival { listed: one.listed.clone(), from: one.from.clone() };
        return Some(grounds.arrivals.iter().map(arrival).collect());
    };
    let mut found = BTreeMap::new();
    for moved in &answer.moved {
        let entered = after.changes.get(&moved.repository).map(|moves| &moves.entered);
        for nevra in &moved.entered {
            let of_name = |listed: &&plan::Listed| listed.nevra.to_string() == *nevra;
            let listed = entered.into_iter().flatten().find(of_name)?;
            let from = listed.href();
            found.insert(listed.pkgid, Arrival { listed: listed.clone(), from });
        }
    }
    Some(found.into_values().collect())
}
