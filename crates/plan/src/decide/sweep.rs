//! Sweeping: what is promised to nobody any more goes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::Decision;
use super::gates::Gates;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::retention::POOL;
use crate::world::{Asker, World};

/// Says of one thing that is no longer current whether a sweep would take it, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// What it is.
    pub kind: Held,
    /// Which: the path of a link, the number of a generation.
    pub what: String,
    /// Whether it goes.
    pub goes: bool,
    /// Why.
    pub reason: String,
}

/// What can be swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// A superseded generation.
    Generation,
    /// The link of a package that left its repository.
    Link,
    /// A package of the pool to which nothing links.
    Package,
    /// A superseded file of metadata.
    File,
    /// A generation that was abandoned.
    Quarantine,
}

pub(super) fn sweep(world: &World, asker: &Asker) -> Result<Decision, Refusal> {
    let mut gates = Gates::default();
    let is_allowed = asker.is_clock() || asker.has("admin", None);
    gates.authority(asker, is_allowed, "sweep", "it takes the role `admin` for the whole site");
    let gates = gates.finish()?;
    let drop_links = links(world);
    let drop_generations = over(world);
    let (unlinked, drop_pool) = pool(world);
    let sweeps_metadata = world.expired_metadata;
    if drop_links.is_empty() && drop_generations.is_empty() && drop_pool.is_empty() && !sweeps_metadata {
        let sentence = "everything that is there is promised to somebody".to_owned();
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    let mut sentence =
        format!("{} package links and {} generations go", drop_links.len(), drop_generations.len());
    if !drop_pool.is_empty() {
        sentence += &format!(", {} packages leave the pool", drop_pool.len());
    }
    if sweeps_metadata {
        sentence += ", and superseded metadata";
    }
    Ok(Decision::Effect(Plan {
        action: "sweep".to_owned(),
        sentence,
        drop_links,
        drop_generations,
        drop_pool,
        unlinked: Some(unlinked),
        sweeps_metadata,
        gates,
        ..Plan::default()
    }))
}

/// Finds links whose time has passed and that nothing lists which stays.
fn links(world: &World) -> BTreeSet<String> {
    let is_over = |(_, until): &(&String, &Timestamp)| **until <= world.proven();
    let mut passed: BTreeSet<&String> = world.retained.iter().filter(is_over).map(|(link, _)| link).collect();
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

/// Finds superseded generations whose time has passed and that no name holds. The metalinks of the generation that
/// a sweep makes name them no more, in the same instant.
///
/// It looks at the generations of the world and until when they are kept; what they list need not be there.
pub fn over(world: &World) -> BTreeSet<u64> {
    world.kept_generations.iter().copied().filter(|number| generation(world, *number).0).collect()
}

/// Says whether a generation goes, and why or why not.
fn generation(world: &World, number: u64) -> (bool, String) {
    let is_named =
        |(_, named): &(&String, &crate::NamedGeneration)| !named.ended && named.generation == number;
    let name = world.names.iter().find(is_named);
    match (name, world.kept_until.get(&number)) {
        _ if number >= world.generation => (false, "it is current".to_owned()),
        (Some((name, _)), _) => (false, format!("it is named `{name}`")),
        (None, Some(until)) => (*until <= world.proven(), format!("kept until {until}")),
        (None, None) => (false, "until when it is kept is not known".to_owned()),
    }
}

/// Finds until when packages of the pool stay to which nothing links, and those whose time has passed.
fn pool(world: &World) -> (BTreeMap<String, Timestamp>, BTreeSet<String>) {
    let until = |file: &String, known: &Option<Timestamp>| {
        let listed_again = world.repositories.values().flatten().any(|listed| listed.pooled() == *file);
        if listed_again { None } else { Some(known.unwrap_or(world.proven() + POOL)) }
    };
    let all = world.unlinked.iter().filter_map(|(file, known)| Some((file.clone(), until(file, known)?)));
    let (over, stay): (BTreeMap<_, _>, BTreeMap<_, _>) = all.partition(|(_, until)| *until <= world.proven());
    (stay, over.into_keys().collect())
}

/// Lists everything that is held though it is not current, with the reason why it stays or goes.
pub fn promises(world: &World) -> Vec<Promise> {
    let mut promises = Vec::new();
    for number in world.kept_generations.iter().filter(|number| **number < world.generation) {
        let (goes, reason) = generation(world, *number);
        promises.push(Promise { kind: Held::Generation, what: number.to_string(), goes, reason });
    }
    let links = links(world);
    for (link, until) in &world.retained {
        let reason = match *until <= world.proven() {
            true if !links.contains(link) => "a kept generation lists it".to_owned(),
            _ => format!("retained until {until}"),
        };
        promises.push(Promise { kind: Held::Link, what: link.clone(), goes: links.contains(link), reason });
    }
    let (stay, over) = pool(world);
    for (file, until) in &stay {
        let reason = format!("nothing links to it, in the pool until {until}");
        promises.push(Promise { kind: Held::Package, what: file.clone(), goes: false, reason });
    }
    for file in over {
        let reason = "nothing linked to it for 90 days".to_owned();
        promises.push(Promise { kind: Held::Package, what: file, goes: true, reason });
    }
    promises
}

#[cfg(test)]
mod tests;
