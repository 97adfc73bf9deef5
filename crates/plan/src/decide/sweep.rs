//! Sweeping: what is promised to nobody any more goes.

use std::collections::BTreeSet;

use super::Decision;
use super::gates::Gates;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::world::{Asker, World};

pub(super) fn sweep(world: &World, asker: &Asker) -> Result<Decision, Refusal> {
    let mut gates = Gates::default();
    let is_allowed = asker.is_clock() || asker.has("admin", None);
    gates.authority(asker, is_allowed, "sweep", "it takes the role `admin` for the whole site");
    let gates = gates.finish()?;
    let drop_links = links(world);
    let drop_generations = generations(world);
    let sweeps_metadata = world.expired_metadata;
    if drop_links.is_empty() && drop_generations.is_empty() && !sweeps_metadata {
        let sentence = "everything that is there is promised to somebody".to_owned();
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    let metadata = if sweeps_metadata { ", and superseded metadata" } else { "" };
    let (links, generations) = (drop_links.len(), drop_generations.len());
    let sentence = format!("{links} package links and {generations} generations go{metadata}");
    Ok(Decision::Effect(Plan {
        action: "sweep".to_owned(),
        sentence,
        drop_links,
        drop_generations,
        sweeps_metadata,
        gates,
        ..Plan::default()
    }))
}

/// Finds links whose time has passed and that nothing lists. What only a generation lists that goes in the
/// same sweep stays until the next one.
fn links(world: &World) -> BTreeSet<String> {
    let mut passed: BTreeSet<&String> =
        world.retained.iter().filter(|(_, until)| **until <= world.proven()).map(|(link, _)| link).collect();
    passed.retain(|link| !world.listed_by_kept.contains(*link));
    if passed.is_empty() {
        return BTreeSet::new();
    }
    for (repository, listing) in &world.repositories {
        for listed in listing {
            passed.remove(&listed.link(repository));
        }
    }
    passed.into_iter().cloned().collect()
}

/// Finds superseded generations without a name whose time has passed.
fn generations(world: &World) -> BTreeSet<u64> {
    let named: BTreeSet<u64> =
        world.names.values().filter(|named| !named.ended).map(|named| named.generation).collect();
    let is_over = |number: &u64| {
        *number < world.generation
            && !named.contains(number)
            && world.kept_until.get(number).is_some_and(|until| *until <= world.proven())
    };
    world.kept_generations.iter().copied().filter(is_over).collect()
}

#[cfg(test)]
mod tests;
