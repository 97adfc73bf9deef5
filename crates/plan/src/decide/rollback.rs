//! Roll-back: packages are rejected, and every meta-package that pins one pins the version before again.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Evr, Nevra};

use super::gates::{Entering, Gates, Reach};
use super::pins::{is_met, pins_of};
use super::promote::{add, subject};
use super::raise::Releases;
use super::remake::{Known, Made, Remake, Remaking, known, merge, newest};
use super::selection::{Place, name_and_version, select};
use super::siblings::Siblings;
use super::step::Under;
use super::{Decision, places};
use crate::layout::{Kind, Platform, Product, Repository, Stage};
use crate::plan::{Change, Plan};
use crate::refusal::{Code, Refusal};
use crate::world::{Asker, Listed, World};
use back::Back;

mod back;

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub from: &'a str,
    pub packages: &'a [String],
    pub platforms: &'a [String],
    /// Versions to go back to, `name-version-release`, where it is not the newest that is offered.
    pub versions: &'a [String],
    /// Names that are to be pinned no more, because there is no version before.
    pub without: &'a [String],
    /// Releases of what is built anew, `name-version-release`, where it is not the next that is free.
    pub releases: &'a [String],
    /// The step of a procedure whose packages they are, if it is one.
    pub under: Option<&'a Under<'a>>,
}

pub(super) fn rollback(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let product = places::product(world, wish.product)?;
    let stage = places::stage(product, wish.from)?;
    let platforms = places::platforms(product, wish.platforms)?;
    let mut gates = Gates::of(world, &product.name, &stage.name);
    let what = format!("roll back in `{}` of `{}`", stage.name, product.name);
    let roles = wish.under.map_or(stage.takers_back(), |under| under.roles);
    gates.roles(asker, Some(&product.name), roles, &what);
    let place = Place { world, product, stage: &stage.name, platforms: &platforms, target: None };
    let mut selection = gates.prefer(select(&place, wish.packages))?;
    if let Some(under) = wish.under {
        under.keep(&mut selection.packages);
    }
    let rejected = &selection.packages;
    gates.prefer(offered_still(world, product, stage, rejected))?;

    let versions = gates.prefer(versions(wish.versions, rejected))?;
    let releases = gates.prefer(Releases::of(world, product.raising, wish.releases))?;
    let why = format!("rolled back in {} of {}", stage.name, product.name);
    let mut remaking = Remaking::of(product, stage, Some(releases), why);
    let touched: Vec<Repository> =
        rejected.keys().filter(|repository| repository.kind == Kind::Binary).cloned().collect();
    let elsewhere = others(world, product, stage, &touched);
    let indexes = gates.indexes(world, touched.iter().cloned().chain(elsewhere.iter().cloned()))?;
    gates.prefer(shared(world, rejected, elsewhere.iter().filter_map(|at| indexes.get_key_value(at))))?;

    let mut remakes: BTreeMap<Repository, Vec<Remake>> = BTreeMap::new();
    let mut outdated: BTreeMap<Repository, Vec<Listed>> = BTreeMap::new();
    let mut notes = selection.notes;
    for repository in &touched {
        let listing = places::listing(world, repository)?;
        let back =
            Back::of(world, product, stage, repository, &rejected[repository], &versions, wish.without);
        let all = known(listing, &indexes[repository]);
        let stays: Vec<Known<'_>> =
            all.into_iter().filter(|(listed, _)| !back.rejected.contains(&listed.nevra)).collect();
        let (stays, older) = newest(&stays);
        gates.prefer(back.is_possible(&stays, &remaking))?;
        let made = gates.prefer(remaking.remake(&stays, &|known| back.otherwise(known)))?;
        let gone = back.left_behind(&older, &made, &remaking);
        notes.extend(gone.iter().map(|one| format!("`{}` leaves as well: a newer one is listed", one.nevra)));
        if stage.closure.is_none() {
            gates.prefer(back.is_whole(&stays, &made, &remaking))?;
        }
        outdated.insert(repository.clone(), gone);
        remakes.insert(repository.clone(), made);
        notes.extend(back.notes());
    }
    let unused = remaking.releases.as_ref().map_or(Ok(()), Releases::all_used);
    gates.prefer(unused)?;
    let all: Vec<&Remake> = remakes.values().flatten().collect();
    let sources: Entering = remakes
        .iter()
        .map(|(at, remakes)| (at.clone(), remakes.iter().map(|remake| remake.of.clone()).collect()))
        .collect();
    let mut moving = rejected.clone();
    let along = Siblings::leaving(world, rejected);
    notes.extend(along.notes(&stage.name));
    add(&mut moving, &along.moving);
    for (repository, olds) in sources.iter().chain(&outdated) {
        moving.entry(repository.clone()).or_default().extend(olds.iter().cloned());
    }
    let left = moving.clone();
    gates.sound(world, &sources);
    gates.freeze(world, &product.name, &[&stage.name], &moving);
    if wish.under.is_none() {
        gates.procedure(product, &[&stage.name], &moving);
    }
    let made = gates.made(world, &all)?;

    let (mut told, mut entering, mut changes) = (Made::default(), Entering::new(), BTreeMap::new());
    for (repository, remakes) in &remakes {
        entering.insert(repository.clone(), told.take(repository, remakes, &made));
    }
    for (repository, leave) in moving {
        let enter = entering.get(&repository).cloned().unwrap_or_default();
        let change = Change::of(places::listing(world, &repository)?, enter, leave);
        changes.extend(change.map(|change| (repository, change)));
    }
    for (repository, leave) in overlapping(world, &left) {
        let names: Vec<String> = leave.iter().map(|one| format!("`{}`", one.nevra)).collect();
        let names = names.join(", ");
        notes.push(format!("{names} leave `{repository}` too, where they were still listed for the overlap"));
        merge(world, &mut changes, &repository, Vec::new(), leave);
    }
    if changes.keys().any(|repository| world.layout.writing(repository).has_retractions) {
        notes.push(
            "an advisory with the status `retracted` is to tell zypper of it; the log says so where the updateinfo cannot be read"
                .to_owned(),
        );
    }
    gates.other_content(world, &entering);
    gates.variants(world, product, &entering, Reach::Site);
    gates.signatures(world, &product.name, &stage.name, &entering);
    gates.go_back();
    gates.installable(world, product, stage, None, &changes);
    let gates = gates.finish()?;

    let count = told.rebuilt.len();
    let built = match count {
        0 => "no meta-package pins it".to_owned(),
        1 => format!("`{}` takes the place of `{}`", told.rebuilt[0].made.nevra, told.rebuilt[0].of),
        n => format!("{n} meta-packages are built anew"),
    };
    let subject = subject(rejected);
    let verb = if subject.starts_with('`') { "leaves" } else { "leave" };
    let sentence = format!("{subject} {verb} `{}` of `{}`; {built}", stage.name, product.name);
    let Made { rebuilt, node_types } = told;
    let action = "rollback".to_owned();
    let plan = Plan { action, sentence, changes, gates, notes, rebuilt, node_types, ..Plan::default() };
    Ok(Decision::Effect(wish.under.map_or_else(|| plan.clone(), |under| (under.shape)(plan.clone()))))
}

/// Names the stages that hosts of a stage draw from beside it: those that the configuration says, or else those that its
/// packages move on to.
pub(super) fn enabled<'a>(product: &'a Product, stage: &'a Stage) -> Vec<&'a str> {
    let of_product = |name: &&str| product.stage(name).is_some() && *name != stage.name;
    if let Some(closure) = &stage.closure {
        return closure.beside.iter().map(String::as_str).filter(of_product).collect();
    }
    let mut reached = vec![stage.name.as_str()];
    let mut at = 0;
    while let Some(from) = reached.get(at).copied() {
        for route in product.routes.iter().filter(|route| route.from == from) {
            if !reached.contains(&route.to.as_str()) {
                reached.push(&route.to);
            }
        }
        at += 1;
    }
    reached.into_iter().filter(of_product).collect()
}

/// Refuses what hosts would go on being offered: they would never go back.
fn offered_still(
    world: &World,
    product: &Product,
    stage: &Stage,
    rejected: &BTreeMap<Repository, Vec<Listed>>,
) -> Result<(), Refusal> {
    let mut reasons = Vec::new();
    for (repository, packages) in rejected.iter().filter(|(repository, _)| repository.kind == Kind::Binary) {
        for name in enabled(product, stage) {
            let other = repository.in_stage(name);
            let listing = world.repositories.get(&other).map(Vec::as_slice).unwrap_or_default();
            let is_there = |one: &&Listed| listing.iter().any(|listed| listed.nevra == one.nevra);
            let there = packages.iter().filter(is_there);
            reasons.extend(there.map(|one| format!("`{}` is listed in `{other}` as well", one.nevra)));
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let sentence = format!(
        "hosts of `{}` would go on being offered what is rejected, from another stage that they draw from",
        stage.name
    );
    let hint = "roll back there first, or withdraw it there";
    Err(Refusal::new(Code::StillOffered, sentence).reasons(reasons).hint(hint))
}

/// Lists the binary repositories whose hosts may draw from those that change: of other products for the same platform, and
/// of stages of this one that draw from this stage.
fn others(world: &World, product: &Product, stage: &Stage, touched: &[Repository]) -> Vec<Repository> {
    let platforms: BTreeSet<_> = touched.iter().map(Repository::platform).collect();
    let draws = |name: &str| {
        product.stage(name).is_some_and(|other| enabled(product, other).contains(&stage.name.as_str()))
    };
    let is_for_them = |repository: &&Repository| {
        repository.kind == Kind::Binary
            && platforms.contains(&repository.platform())
            && (repository.product != product.name || draws(&repository.stage))
    };
    world.repositories.keys().filter(is_for_them).cloned().collect()
}

/// Refuses to take away what is pinned elsewhere and then offered nowhere.
fn shared<'a>(
    world: &World,
    rejected: &BTreeMap<Repository, Vec<Listed>>,
    elsewhere: impl Iterator<Item = (&'a Repository, &'a std::sync::Arc<closure::Shelf>)>,
) -> Result<(), Refusal> {
    let names: BTreeSet<&str> =
        rejected.values().flatten().map(|listed| listed.nevra.name.as_str()).collect();
    let is_gone =
        |at: &Repository, listed: &Listed| rejected.get(at).is_some_and(|gone| gone.contains(listed));
    let mut offered: BTreeMap<(Platform, &str), Vec<&Nevra>> = BTreeMap::new();
    for (at, listing) in world.repositories.iter().filter(|(at, _)| at.kind == Kind::Binary) {
        let stays = listing.iter().filter(|one| names.contains(one.nevra.name.as_str()) && !is_gone(at, one));
        for one in stays {
            offered.entry((at.platform(), &one.nevra.name)).or_default().push(&one.nevra);
        }
    }
    let mut reasons = Vec::new();
    for (other, shelf) in elsewhere {
        let gone: BTreeSet<&Nevra> = rejected
            .iter()
            .filter(|(at, _)| at.kind == Kind::Binary && at.platform() == other.platform())
            .flat_map(|(_, packages)| packages.iter().map(|listed| &listed.nevra))
            .collect();
        for package in shelf.packages() {
            for pin in pins_of(package).into_iter().filter(|pin| names.contains(pin.name.as_str())) {
                let stays = offered.get(&(other.platform(), pin.name.as_str()));
                if is_met(&pin, &gone, stays.into_iter().flatten().copied()) {
                    continue;
                }
                if let Some(one) = gone.iter().find(|nevra| pin.is_met_by(nevra)) {
                    reasons.push(format!("`{}` in `{other}` pins `{one}`", package.nevra));
                }
            }
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let sentence = "what is rejected is pinned elsewhere, and would be offered nowhere".to_owned();
    let hint = "roll back or withdraw there what pins it, first";
    Err(Refusal::new(Code::SharedPin, sentence).reasons(reasons).hint(hint))
}

/// Reads versions that somebody chose, of what is rejected.
fn versions(
    texts: &[String],
    rejected: &BTreeMap<Repository, Vec<Listed>>,
) -> Result<BTreeMap<String, Evr>, Refusal> {
    let mut versions = BTreeMap::new();
    for text in texts {
        let wrong = |why: &str| Refusal::new(Code::Malformed, format!("`{}` {why}", text.escape_debug()));
        let (name, evr) =
            name_and_version(text).ok_or_else(|| wrong("is not a name with version and release"))?;
        if !rejected.values().flatten().any(|listed| listed.nevra.name == name) {
            return Err(wrong("is a version to go back to, and nothing of that name is rejected"));
        }
        if versions.insert(name, evr).is_some() {
            return Err(wrong("is not the only version to go back to of its name"));
        }
    }
    Ok(versions)
}

/// Finds where else a rejected package is listed, only because it was promoted lately.
fn overlapping(
    world: &World,
    rejected: &BTreeMap<Repository, Vec<Listed>>,
) -> BTreeMap<Repository, Vec<Listed>> {
    let mut found: BTreeMap<Repository, Vec<Listed>> = BTreeMap::new();
    for (repository, packages) in rejected {
        let others = world.overlapping.iter().filter(|(other, _)| other.is_same_but_stage(repository));
        for (other, overlapping) in others {
            let is_one = |listed: &&Listed| overlapping.contains_key(&listed.pkgid);
            let leave: Vec<Listed> = packages.iter().filter(is_one).cloned().collect();
            if !leave.is_empty() {
                found.entry(other.clone()).or_default().extend(leave);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
