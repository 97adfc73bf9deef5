//! What goes with packages beside their own metadata: advisories, groups, modules.
//!
//! ```text
//! what each repository says beside its packages  --+
//! what enters and leaves each, by the plan       --+--carry--> what it says then, and what was lost on the way
//! what kept generations said (going back)        --+
//! what waits in front of a stage                 --+
//! ```
//!
//! It follows from a plan, whatever its action is, and is no part of what the plan's hash covers.

mod advisories;
mod family;
mod groups;
mod held;
mod modules;
mod naming;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::layout::Repository;
use crate::plan::Plan;
use crate::standing::HeldAdvisory;
use crate::world::{Listed, World};
use family::{Family, Once};
use held::Line;
use naming::{Place, Target};

static NOTHING: Beside = Beside { updates: Part::Nothing, groups: Part::Nothing, modules: Part::Nothing };

/// How many sentences an answer has of one kind of loss; behind them stands how many more there would be.
const NOTES_MAX: usize = 50;

/// What a repository says beside its packages, as far as its meaning matters when packages come and go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// The advisories, `updateinfo.xml`.
    pub updates: Part,
    /// The groups of packages, `comps.xml`.
    pub groups: Part,
    /// The module streams, `modules.yaml`.
    pub modules: Part,
}

/// One file of metadata, unpacked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// There is none.
    #[default]
    Nothing,
    /// There is one that is not read, and why; it is carried byte for byte.
    Unread(String),
    /// What it says.
    Read(Arc<[u8]>),
}

/// What a repository said once, from which what comes back is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// The generation in which it did.
    pub generation: u64,
    /// What it said.
    pub beside: Beside,
    /// What it listed.
    pub listed: Vec<Listed>,
    /// The advisories that waited in front of it.
    pub held: BTreeMap<String, HeldAdvisory>,
}

/// Where something may come from.
struct Source<'a> {
    /// The repository, if it is one of now.
    repository: Option<&'a Repository>,
    beside: &'a Beside,
    /// What waits in front of it.
    held: Option<&'a BTreeMap<String, HeldAdvisory>>,
    /// What its family listed.
    family: &'a Family<'a>,
}

/// What is found out while a plan is looked at.
#[derive(Default)]
struct Seen {
    /// What was lost, one sentence each.
    notes: Vec<String>,
    /// How many sentences more there would be.
    more: usize,
    /// How many bytes wait, in front of all repositories.
    held_bytes: usize,
}

impl Seen {
    fn note(&mut self, words: String) {
        match self.notes.len() < NOTES_MAX {
            true => self.notes.push(words),
            false => self.more += 1,
        }
    }
}

impl Beside {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What comes into one repository.
#[derive(Default)]
struct Arriving {
    updates: Vec<repo::Advisory>,
    groups: Vec<repo::CompsPart>,
    modules: modules::Arriving,
}

/// Works out what each repository says beside its packages once the plan is done, and notes in the plan what is lost.
pub(crate) fn carry(world: &World, plan: &mut Plan) {
    if plan.changes.is_empty() {
        return;
    }
    let concerned: BTreeSet<_> = plan.changes.keys().chain(plan.overlaps.keys()).map(place_of).collect();
    let now = world.beside.iter().filter(|(repository, _)| concerned.contains(&place_of(repository)));
    let earlier = || world.earlier.values().flatten();
    let is_nothing =
        now.map(|(_, beside)| beside).chain(earlier().map(|one| &one.beside)).all(Beside::is_nothing);
    if is_nothing && world.standing.held.is_empty() && earlier().all(|one| one.held.is_empty()) {
        return;
    }
    let Followed { carried, held, notes } = followed(world, plan);
    (plan.carried, plan.held) = (carried, held);
    plan.notes.extend(notes);
}

/// What hosts of which product a repository is for, whatever its stage.
fn place_of(repository: &Repository) -> (&str, &str, &str) {
    (&repository.product, &repository.os, repository.arch.as_str())
}

/// What follows from a plan.
struct Followed {
    carried: BTreeMap<Repository, Beside>,
    held: BTreeMap<Repository, BTreeMap<String, HeldAdvisory>>,
    notes: Vec<String>,
}

fn followed(world: &World, plan: &Plan) -> Followed {
    let families = family::families(world, plan);
    let earlier = family::earlier(world);
    let mut seen = Seen { held_bytes: world.standing.held_bytes(), ..Seen::default() };
    let mut after: BTreeMap<Repository, Beside> = BTreeMap::new();
    let mut arrivals = BTreeMap::new();
    let mut held = BTreeMap::new();
    for family in families.values() {
        for repository in &family.repositories {
            let sources = sources(world, repository, family, (&families, &earlier));
            let target = Target { repository, family };
            let line = Line::of(world, repository, family, &families);
            let (updates, waiting) = advisories::arriving(target, &sources, &line, &mut seen);
            if waiting.as_ref() != line.held {
                held.insert(repository.clone(), waiting.unwrap_or_default());
            }
            let groups = match is_configured(world, repository) {
                true => Vec::new(),
                false => groups::arriving(target, &sources, &mut seen),
            };
            let modules = modules::arriving(target, &sources, &mut seen);
            arrivals.insert(repository, Arriving { updates, groups, modules });
        }
    }
    let arrived: BTreeSet<_> = families.values().flat_map(|family| family.entered.iter().copied()).collect();
    for family in families.values() {
        for repository in &family.repositories {
            let beside = world.beside.get(repository).unwrap_or(&NOTHING);
            let place = Place { repository, family, arrived: &arrived };
            let arriving = arrivals.remove(repository).unwrap_or_default();
            let updates = advisories::follow(&place, &beside.updates, arriving.updates, &mut seen);
            let groups = match is_configured(world, repository) {
                true => beside.groups.clone(),
                false => groups::follow(&place, &beside.groups, arriving.groups, &mut seen),
            };
            let modules = modules::follow(&place, &beside.modules, arriving.modules, &mut seen);
            let new = Beside { updates, groups, modules };
            if new != *beside {
                after.insert(repository.clone(), new);
            }
        }
    }
    if seen.more > 0 {
        seen.notes.push(format!("and {} more such losses", seen.more));
    }
    Followed { carried: after, held, notes: seen.notes }
}

/// Whether the configuration names the groups of a repository.
fn is_configured(world: &World, repository: &Repository) -> bool {
    world.layout.writing(repository).comps.is_some()
}

/// Finds where what enters a repository may bring something from: first the other stages that the plan is about, then
/// what the repository said before.
fn sources<'a>(
    world: &'a World,
    repository: &Repository,
    family: &Family<'_>,
    (families, earlier): (&'a BTreeMap<Repository, Family<'a>>, &'a Once<'a>),
) -> Vec<Source<'a>> {
    if !family.brings {
        return Vec::new();
    }
    let mut sources = Vec::new();
    for other in families.values().filter(|other| other.is_moved && other.is_of_platform_of(family)) {
        let same = other.repositories.iter().find(|one| one.is_same_but_stage(repository));
        let from = same.map(|one| (one, world.beside.get(one).unwrap_or(&NOTHING)));
        let listed_it = family.entered.iter().any(|nevra| other.before.contains(nevra));
        if let Some((repository, beside)) = from.filter(|_| listed_it) {
            let held = world.standing.held.get(&repository.name());
            sources.push(Source { repository: Some(repository), beside, held, family: other });
        }
    }
    for (Earlier { beside, held, .. }, family) in earlier.get(repository).into_iter().flatten() {
        sources.push(Source { repository: None, beside, held: Some(held), family });
    }
    sources
}

/// Writes some names, and how many more there are.
pub(crate) fn some(names: impl IntoIterator<Item = String>) -> String {
    const SHOWN: usize = 5;
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

#[cfg(test)]
mod tests;
