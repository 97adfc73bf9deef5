//! An advisory of one's own: what is said of packages that a stage lists, and how it is taken back.
//!
//! It is one advisory in all stages of the product: whoever says it anew, or takes it back, does so wherever it is told or waits,
//! in the same instant.

mod ending;
mod writings;

use std::collections::{BTreeMap, BTreeSet};

use nevra::Nevra;
use repo::{Advisory, Announced};

use super::gates::{Entering, Gates};
use super::selection::{Place, select};
use super::{Decision, places};
use crate::carrying::Beside;
use crate::layout::Repository;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::request::Advised;
use crate::standing::HeldAdvisory;
use crate::world::{Asker, World};
pub(super) use ending::{Ending, end};
use writings::Writings;

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub stage: &'a str,
    pub advised: &'a Advised,
    pub packages: &'a [String],
    pub platforms: &'a [String],
}

pub(super) fn advisory(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let product = places::product(world, wish.product)?;
    let stage = places::stage(product, wish.stage)?;
    let platforms = places::platforms(product, wish.platforms)?;
    let id = &wish.advised.id;
    let mut gates = Gates::of(world, &product.name, &stage.name);
    let what = format!("say something of packages in `{}` of `{}`", stage.name, product.name);
    gates.roles(asker, Some(&product.name), &stage.import_roles, &what);
    let place = Place { world, product, stage: &stage.name, platforms: &platforms, target: None };
    let selection = gates.prefer(select(&place, wish.packages).map_err(|refusal| match refusal.code {
        Code::NoSuchPackage => {
            let sentence = format!("advisory `{id}` would name what is not there: {}", refusal.sentence);
            Refusal { code: Code::NotListed, sentence, ..refusal }
        }
        _ => refusal,
    }))?;
    let writings = Writings::of(world, product, id);
    let is_there = |repository: &&Repository| {
        repository.stage == stage.name && platforms.contains(&repository.platform())
    };
    let saying = gates.prefer(Saying::of(&writings, wish.advised, &selection.packages, is_there))?;
    // Where it is told already its words change, too.
    for other in writings.stages().into_iter().filter(|other| *other != stage.name) {
        let other = places::stage(product, other)?;
        let what = format!("say something of packages in `{}` of `{}`", other.name, product.name);
        gates.roles(asker, Some(&product.name), &other.import_roles, &what);
    }
    // Hosts that install what advisories name do something else now.
    let mut stages = writings.stages();
    stages.insert(&stage.name);
    let stages: Vec<&str> = stages.into_iter().collect();
    gates.freeze(world, &product.name, &stages, &selection.packages);
    let mut notes = selection.notes;
    let (carried, held) = gates.prefer(saying.everywhere(&mut notes))?;
    let gates = gates.finish()?;
    let named = |(repository, names): (&Repository, &BTreeSet<&Nevra>)| {
        (repository.clone(), (wish.advised.clone(), names.iter().map(|one| (*one).clone()).collect()))
    };
    let advised = saying.said.iter().map(|(repository, names)| named((repository, names))).collect();
    let subject = match saying.named.len() {
        1 => format!("`{}`", saying.named.first().map(|nevra| nevra.to_string()).unwrap_or_default()),
        n => format!("{n} packages"),
    };
    let sentence = format!("advisory `{id}` is about {subject} in `{}` of `{}`", stage.name, product.name);
    let action = "advisory".to_owned();
    Ok(Decision::Effect(Plan { action, sentence, carried, held, advised, gates, notes, ..Plan::default() }))
}

/// The next writing of an advisory.
struct Saying<'a> {
    writings: &'a Writings<'a>,
    advised: &'a Advised,
    version: u64,
    issued: Option<String>,
    /// What it names in each repository of the stage.
    said: BTreeMap<&'a Repository, BTreeSet<&'a Nevra>>,
    /// What it names.
    named: BTreeSet<&'a Nevra>,
    /// What it named there before and names no more.
    dropped: BTreeSet<Nevra>,
}

impl<'a> Saying<'a> {
    fn of(
        writings: &'a Writings<'a>,
        advised: &'a Advised,
        packages: &'a Entering,
        is_there: impl Fn(&&Repository) -> bool,
    ) -> Result<Self, Refusal> {
        let names = |(repository, listed): (&'a Repository, &'a Vec<crate::world::Listed>)| {
            (repository, listed.iter().map(|one| &one.nevra).collect())
        };
        let said: BTreeMap<&Repository, BTreeSet<&Nevra>> = packages.iter().map(names).collect();
        let named: BTreeSet<&Nevra> = said.values().flatten().copied().collect();
        let told = writings.told.iter().filter(|(repository, _)| is_there(repository));
        let told = told.flat_map(|(_, read)| &read.advisories).filter(|one| one.id == advised.id);
        let dropped = told.flat_map(Advisory::packages).filter(|nevra| !named.contains(nevra));
        let dropped = dropped.cloned().collect();
        let (version, issued) = (writings.next()?, writings.issued());
        Ok(Self { writings, advised, version, issued, said, named, dropped })
    }

    /// Writes it wherever it is told or waits.
    #[expect(clippy::type_complexity, reason = "what a plan has of both")]
    fn everywhere(
        &self,
        notes: &mut Vec<String>,
    ) -> Result<(BTreeMap<Repository, Beside>, BTreeMap<Repository, BTreeMap<String, HeldAdvisory>>), Refusal>
    {
        let Self { writings, advised: Advised { id, .. }, dropped, .. } = self;
        let world = writings.world;
        let mut held = BTreeMap::new();
        let mut told: BTreeMap<&Repository, BTreeSet<&Nevra>> = BTreeMap::new();
        for (repository, read) in &writings.told {
            let known = read.advisories.iter().filter(|one| one.id == *id).flat_map(Advisory::packages);
            told.entry(repository).or_default().extend(known.filter(|nevra| !dropped.contains(*nevra)));
        }
        for (repository, (waiting, one)) in &writings.held {
            let mut all = world.standing.held.get(&repository.name()).cloned().unwrap_or_default();
            let waits_for: BTreeSet<Nevra> = waiting.waits_for.difference(dropped).cloned().collect();
            let names: BTreeSet<&Nevra> = one.packages().filter(|nevra| !dropped.contains(*nevra)).collect();
            if waits_for.is_empty() {
                all.remove(id);
                told.entry(repository).or_default().extend(names);
            } else {
                let written = self.written(repository, names.into_iter().collect());
                let text = String::from_utf8_lossy(&written.raw).into_owned();
                all.insert(id.clone(), HeldAdvisory { waits_for, text });
                notes.push(format!(
                    "advisory `{id}` is written anew where it waits in front of `{repository}`"
                ));
            }
            held.insert((*repository).clone(), all);
        }
        for (repository, names) in &mut told {
            let listed: BTreeSet<&Nevra> =
                world.repositories.get(*repository).into_iter().flatten().map(|one| &one.nevra).collect();
            names.extend(self.named.iter().filter(|nevra| listed.contains(**nevra)));
            if writings.held.contains_key(*repository) && !writings.told.contains_key(*repository) {
                names.retain(|nevra| listed.contains(nevra));
            }
        }
        let others = told.keys().filter(|repository| !self.said.contains_key(**repository));
        for repository in others {
            notes.push(match told[*repository].is_empty() {
                true => {
                    format!("advisory `{id}` leaves `{repository}`, for it is about nothing there any more")
                }
                false => format!("advisory `{id}` is written anew in `{repository}`, too"),
            });
        }
        for (repository, names) in &self.said {
            told.insert(repository, names.clone());
        }
        for why in
            writings.unread.iter().filter(|(one, _)| !self.said.contains_key(**one)).map(|(_, why)| why)
        {
            notes.push(format!("{why}: it stays as it is"));
        }
        let mut carried = BTreeMap::new();
        for (repository, names) in told {
            let new = (!names.is_empty()).then(|| self.written(repository, names.into_iter().collect()));
            let updates = writings.put(repository, new)?;
            let beside = world.beside.get(repository).cloned().unwrap_or_default();
            carried.insert(repository.clone(), Beside { updates, ..beside });
        }
        Ok((carried, held))
    }

    fn written(&self, repository: &Repository, packages: Vec<&Nevra>) -> Advisory {
        let advised = self.advised;
        let now = self.writings.now();
        Advisory::of(&Announced {
            id: &advised.id,
            from: &repository.product,
            status: "final",
            kind: &advised.kind,
            version: self.version,
            title: &advised.title,
            severity: advised.severity.as_deref(),
            references: &advised.references,
            suggests_reboot: advised.reboot,
            description: &advised.description,
            issued: self.issued.as_deref().unwrap_or(&now),
            updated: &now,
            collection: &format!("{} {}", repository.product, repository.stage),
            packages,
        })
    }
}

#[cfg(test)]
mod tests;
