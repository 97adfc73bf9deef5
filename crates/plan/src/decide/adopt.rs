//! Adoption: a repository that exists already enters one repository of a stage, and goes on answering.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Sha256;

use super::gates::{Entering, Gates, Reach};
use super::{Decision, places};
use crate::layout::{Kind, NODE_TYPES, Platform, Product, Repository};
use crate::plan::{Adopted, Change, Plan};
use crate::refusal::{Code, Refusal};
use crate::world::{Arrival, Asker, Existing, Listed, World};

mod together;

pub(super) use together::say_together;

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub stage: &'a str,
    pub platform: &'a str,
    pub kind: Kind,
    pub arrivals: &'a [Arrival],
}

pub(super) fn adopt(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let product = places::product(world, wish.product)?;
    let stage = places::stage(product, wish.stage)?;
    let mut gates = Gates::of(world, &product.name, &stage.name);
    let what = format!("adopt a repository into `{}` of `{}`", stage.name, product.name);
    gates.roles(asker, Some(&product.name), &stage.import_roles, &what);
    let platform = gates.prefer(chosen(product, wish.platform))?;
    let repository = product.repository(&platform, &stage.name, wish.kind);
    let existing = gates.prefer(read(world, wish.arrivals))?;
    let listing = gates.prefer(places::listing(world, &repository))?;

    let mut seen: BTreeSet<&Sha256> = listing.iter().map(|listed| &listed.pkgid).collect();
    let arriving = wish.arrivals.iter().map(|arrival| &arrival.listed);
    let enter: Vec<Listed> = arriving.filter(|listed| seen.insert(&listed.pkgid)).cloned().collect();
    let entering = Entering::from([(repository.clone(), enter.clone())]);
    gates.purged(world, &entering);
    gates.sound(world, &entering);
    gates.other_content(world, &entering);
    gates.variants(world, product, &entering, Reach::Site);
    gates.signatures(world, &product.name, &stage.name, &entering);
    gates.freeze(world, &product.name, &[&stage.name], &entering);
    let mut changes = BTreeMap::new();
    changes.extend(Change::of(listing, enter.clone(), Vec::new()).map(|change| (repository.clone(), change)));
    // What the world saw under the old URL it may go on seeing, whatever the order of versions and whatever it lacks;
    // but nothing is adopted past the gates of what is published here already.
    if !listing.is_empty() {
        gates.installable(world, product, stage, None, &changes);
    }
    let gates = gates.finish()?;
    let hrefs = hrefs(world, &repository, wish.arrivals, existing)?;
    if enter.is_empty() {
        let sentence = format!("everything that it lists is in `{repository}` already");
        return Ok(Decision::NothingToDo(Code::AlreadyThere, sentence));
    }

    let bytes: u64 = enter.iter().map(|listed| listed.size).sum();
    let count = enter.len();
    let old = hrefs.len();
    let sentence = format!(
        "{count} packages ({bytes} bytes) of an existing repository enter `{repository}`, {old} old hrefs go on answering"
    );
    let mut notes = existing.notes.clone();
    notes.extend(strangers(&platform, &enter));
    let adopted = Adopted { hrefs, metadata: existing.metadata.clone(), carried: existing.carried.clone() };
    let adopted = BTreeMap::from([(repository, adopted)]);
    Ok(Decision::Effect(Plan {
        action: "adopt".to_owned(),
        sentence,
        changes,
        adopted,
        gates,
        notes,
        ..Plan::default()
    }))
}

/// Finds the platform: exactly one, because one repository is adopted into one.
fn chosen(product: &Product, asked: &str) -> Result<Platform, Refusal> {
    let mut platforms = places::platforms(product, &[asked.to_owned()])?;
    match platforms.len() {
        1 => Ok(platforms.remove(0)),
        _ => {
            let sentence = format!("`{asked}` is several platforms of `{}`", product.name);
            let known = platforms.iter().map(|platform| format!("`{platform}`"));
            let refusal = Refusal::new(Code::Ambiguous, sentence).reasons(known);
            Err(refusal.hint("name the one platform whose repository this is"))
        }
    }
}

fn read<'a>(world: &'a World, arrivals: &[Arrival]) -> Result<&'a Existing, Refusal> {
    let existing = world.existing.as_ref().filter(|_| !arrivals.is_empty());
    existing.ok_or_else(|| Refusal::new(Code::NoSuchUpload, "the repository to adopt lists no package"))
}

/// Finds the old hrefs that differ from the new ones; what answers there already must be the same.
fn hrefs(
    world: &World,
    repository: &Repository,
    arrivals: &[Arrival],
    existing: &Existing,
) -> Result<BTreeMap<String, Sha256>, Refusal> {
    let mut hrefs = BTreeMap::new();
    let of_views = format!("{NODE_TYPES}/");
    let mut old = arrivals.iter().map(|arrival| &arrival.from).chain(existing.metadata.keys());
    let has_views = world.layout.views(repository).is_some();
    if let Some(href) = old.find(|href| has_views && href.starts_with(&of_views)) {
        let sentence = format!("`{href}` would lie where the views of `{repository}` lie");
        let refusal = Refusal::new(Code::OtherContent, sentence);
        return Err(
            refusal.hint(format!("`{of_views}` of a stage is for its views: call the folder something else, or let the stage have none before the old hrefs have had their time"))
        );
    }
    let mut reasons = Vec::new();
    for Arrival { listed, from } in arrivals.iter().filter(|arrival| arrival.from != arrival.listed.href()) {
        let here = hrefs.insert(from.clone(), listed.pkgid);
        let others = here.iter().chain(existing.taken.get(from));
        if let Some(other) = others.filter(|digest| **digest != listed.pkgid).min() {
            reasons.push(format!("`{from}` is {} and would be {}", other.short(), listed.pkgid.short()));
        }
    }
    if reasons.is_empty() {
        return Ok(hrefs);
    }
    let sentence = format!("old hrefs of `{repository}` answer with other files already");
    let refusal = Refusal::new(Code::OtherContent, sentence).reasons(reasons);
    Err(refusal.hint("a URL keeps its content while it is promised; adopt when its time is over"))
}

/// Says which packages hosts of the platform cannot install; they are listed as they were.
fn strangers(platform: &Platform, enter: &[Listed]) -> Option<String> {
    let is_strange =
        |listed: &&Listed| !listed.nevra.arch.is_source() && !listed.nevra.arch.accepted_by(&platform.arch);
    let strange: Vec<&Listed> = enter.iter().filter(is_strange).collect();
    let first = strange.first()?;
    let count = strange.len();
    Some(format!(
        "{count} packages, `{}` first, are of an architecture that `{platform}` does not take",
        first.nevra
    ))
}

#[cfg(test)]
mod tests;
