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
use crate::carrying::{Beside, some};
use crate::layout::{Platform, Repository};
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
    // Where it is told already its words change, too; nobody may import where everything comes by a route.
    for other in writings.stages().into_iter().filter(|other| *other != stage.name) {
        let other = places::stage(product, other)?;
        let what = format!("say something of packages in `{}` of `{}`", other.name, product.name);
        gates.roles(asker, Some(&product.name), other.takers_back(), &what);
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
    /// What it named there before and names no more, by platform: on others it goes on naming that.
    dropped: BTreeMap<Platform, BTreeSet<Nevra>>,
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
        let mut dropped: BTreeMap<Platform, BTreeSet<Nevra>> = BTreeMap::new();
        for (repository, read) in told {
            let known =
                read.advisories.iter().filter(|one| one.id == advised.id).flat_map(Advisory::packages);
            let no_more = known.filter(|nevra| !named.contains(nevra)).cloned();
            dropped.entry(repository.platform()).or_default().extend(no_more);
        }
        let (version, issued) = (writings.next()?, writings.issued());
        Ok(Self { writings, advised, version, issued, said, named, dropped })
    }

    /// Whether it named a package before where a repository is, and names it no more.
    fn is_dropped(&self, repository: &Repository, nevra: &Nevra) -> bool {
        self.dropped.get(&repository.platform()).is_some_and(|dropped| dropped.contains(nevra))
    }

    /// Writes it where it waits; what waits for nothing any more is put to what is `told`.
    fn where_it_waits(
        &'a self,
        told: &mut BTreeMap<&'a Repository, BTreeSet<&'a Nevra>>,
        notes: &mut Vec<String>,
    ) -> BTreeMap<Repository, BTreeMap<String, HeldAdvisory>> {
        let Self { writings, advised: Advised { id, .. }, .. } = self;
        let mut held = BTreeMap::new();
        for (repository, (waiting, one)) in &writings.held {
            let mut all = writings.world.standing.held.get(&repository.name()).cloned().unwrap_or_default();
            let (there, before) = (writings.there(repository), writings.before(repository));
            let is_to_come = |nevra: &Nevra| before.contains(nevra) && !there.contains(nevra);
            let is_lost = |nevra: &Nevra| {
                self.is_dropped(repository, nevra)
                    || waiting.waits_for.contains(nevra) && !before.contains(nevra) && !there.contains(nevra)
            };
            let mut names: BTreeSet<&Nevra> = one.packages().filter(|nevra| !is_lost(nevra)).collect();
            let new = self.named.iter().copied();
            names.extend(new.filter(|nevra| there.contains(nevra) || before.contains(nevra)));
            let waits_for: BTreeSet<Nevra> =
                names.iter().copied().filter(|nevra| is_to_come(nevra)).cloned().collect();
            all.remove(id);
            if !names.iter().any(|nevra| there.contains(nevra)) {
                notes.push(format!(
                    "advisory `{id}` is held in front of `{repository}` no more, which lists nothing of it"
                ));
            } else if waits_for.is_empty() {
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
        held
    }

    /// Writes it wherever it is told or waits.
    #[expect(clippy::type_complexity, reason = "what a plan has of both")]
    fn everywhere(
        &self,
        notes: &mut Vec<String>,
    ) -> Result<(BTreeMap<Repository, Beside>, BTreeMap<Repository, BTreeMap<String, HeldAdvisory>>), Refusal>
    {
        let Self { writings, advised: Advised { id, .. }, .. } = self;
        let world = writings.world;
        let mut told: BTreeMap<&Repository, BTreeSet<&Nevra>> = BTreeMap::new();
        let mut lost: BTreeMap<&Repository, BTreeSet<&Nevra>> = BTreeMap::new();
        for (repository, read) in &writings.told {
            let known = read.advisories.iter().filter(|one| one.id == *id).flat_map(Advisory::packages);
            let (gone, stay): (BTreeSet<_>, BTreeSet<_>) =
                known.partition(|nevra| self.is_dropped(repository, nevra));
            told.entry(repository).or_default().extend(stay);
            lost.insert(repository, gone);
        }
        let held = self.where_it_waits(&mut told, notes);
        world.room_for_held(&held)?;
        for (repository, names) in &mut told {
            let listed: BTreeSet<&Nevra> =
                world.repositories.get(*repository).into_iter().flatten().map(|one| &one.nevra).collect();
            names.extend(self.named.iter().filter(|nevra| listed.contains(**nevra)));
        }
        for (repository, names) in told.iter().filter(|(repository, _)| !self.said.contains_key(**repository))
        {
            let lost = lost.get(repository).into_iter().flatten().map(|nevra| nevra.to_string());
            let lost: Vec<String> = lost.collect();
            notes.push(match (names.is_empty(), lost.is_empty()) {
                (true, _) => {
                    format!("advisory `{id}` leaves `{repository}`, for it is about nothing there any more")
                }
                (false, true) => format!("advisory `{id}` is written anew in `{repository}`, too"),
                (false, false) => {
                    let lost = some(lost);
                    format!("advisory `{id}` is written anew in `{repository}`, too, without {lost}")
                }
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
