//! An advisory of one's own: what is said of packages that a stage lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nevra::Nevra;
use repo::{Advisory, Announced, Updateinfo};

use super::gates::Gates;
use super::selection::{Place, select};
use super::{Decision, places};
use crate::carrying::{Beside, Part};
use crate::layout::Repository;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::request::Advised;
use crate::world::{Asker, World};

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
    // Hosts that install what advisories name do something else now.
    gates.freeze(world, &product.name, &[&stage.name], &selection.packages);
    let gates = gates.finish()?;
    let mut carried = BTreeMap::new();
    let mut advised = BTreeMap::new();
    let mut names: BTreeSet<&Nevra> = BTreeSet::new();
    for (repository, listed) in &selection.packages {
        let packages: BTreeSet<&Nevra> = listed.iter().map(|one| &one.nevra).collect();
        names.extend(&packages);
        let beside = world.beside.get(repository).cloned().unwrap_or_default();
        let updates = said(world, repository, &beside.updates, (wish.advised, &packages))?;
        carried.insert(repository.clone(), Beside { updates, ..beside });
        let named = packages.into_iter().cloned().collect();
        advised.insert(repository.clone(), (wish.advised.clone(), named));
    }
    let subject = match names.len() {
        1 => format!("`{}`", names.first().map(|nevra| nevra.to_string()).unwrap_or_default()),
        n => format!("{n} packages"),
    };
    let sentence = format!("advisory `{id}` is about {subject} in `{}` of `{}`", stage.name, product.name);
    let notes = selection.notes;
    let action = "advisory".to_owned();
    Ok(Decision::Effect(Plan { action, sentence, carried, advised, gates, notes, ..Plan::default() }))
}

/// Puts the advisory in the place of one of the same id, as its next writing, or behind the others.
fn said(
    world: &World,
    repository: &Repository,
    own: &Part,
    (advised, packages): (&Advised, &BTreeSet<&Nevra>),
) -> Result<Part, Refusal> {
    let unread = |why: String| {
        let sentence =
            format!("the updateinfo of `{repository}` is not read, {why}, so nothing can be added to it");
        Refusal::new(Code::NeedsPerson, sentence).hint("adopt the repository again with one that can be read")
    };
    let mut updates = match own {
        Part::Nothing => Updateinfo::default(),
        Part::Unread(why) => return Err(unread(why.clone())),
        Part::Read(open) => Updateinfo::parse(open).map_err(|error| unread(error.to_string()))?,
    };
    let known = updates.advisories.iter().position(|one| one.id == advised.id);
    let before = known.map(|at| &updates.advisories[at]);
    let version = before.map_or(1, |one| one.version().parse::<u32>().unwrap_or(0).saturating_add(1));
    let now = world.now.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let issued = before.map(Advisory::issued).filter(|issued| !issued.is_empty()).unwrap_or(&now).to_owned();
    let advisory = Advisory::of(&Announced {
        id: &advised.id,
        from: &repository.product,
        status: "final",
        kind: &advised.kind,
        version,
        title: &advised.title,
        severity: advised.severity.as_deref(),
        references: &advised.references,
        suggests_reboot: advised.reboot,
        description: &advised.description,
        issued: &issued,
        updated: &now,
        collection: &format!("{} {}", repository.product, repository.stage),
        packages: packages.iter().copied().collect(),
    });
    match known {
        Some(at) => updates.advisories[at] = advisory,
        None => updates.advisories.push(advisory),
    }
    Ok(Part::Read(Arc::from(updates.write())))
}

#[cfg(test)]
mod tests;
