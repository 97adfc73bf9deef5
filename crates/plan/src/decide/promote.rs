//! Promotion: packages move from one stage to the next, on every platform at once.

use std::collections::{BTreeMap, BTreeSet};

use super::gates::{Entering, Gates, Reach, superseded};
use super::partial::parts;
use super::remake::{Made, merge};
use super::selection::{Place, select};
use super::siblings::siblings;
use super::step::Under;
use super::{Decision, places};
use crate::layout::Repository;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::request::Partial;
use crate::world::{Asker, Listed, World};

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    pub packages: &'a [String],
    pub platforms: &'a [String],
    /// Whether meta-packages that pin what stays behind are built anew.
    pub partial: Option<Partial>,
    /// Whether only the plan is wanted.
    pub is_rehearsal: bool,
    /// The hash of the plan that is asked for.
    pub approved: Option<&'a str>,
    /// The step of a procedure whose packages they are, if it is one.
    pub under: Option<&'a Under<'a>>,
}

pub(super) fn promote(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let Wish { from, to, .. } = *wish;
    let product = places::product(world, wish.product)?;
    let route = places::route(product, from, to)?;
    let target = places::stage(product, to)?;
    let platforms = places::platforms(product, wish.platforms)?;
    let mut gates = Gates::of(world, &product.name, to);
    let what = format!("promote from `{from}` to `{to}` of `{}`", product.name);
    let mut roles = wish.under.map_or_else(|| route.roles.clone(), |under| under.roles.to_vec());
    if wish.is_rehearsal {
        // Whoever is to approve may see for themselves what of.
        roles.extend(route.approvers());
    }
    gates.roles(asker, Some(&product.name), &roles, &what);
    let place = Place { world, product, stage: from, platforms: &platforms, target: Some(to) };
    let mut selection = gates.prefer(select(&place, wish.packages))?;
    if let Some(under) = wish.under {
        under.keep(&mut selection.packages);
    }
    let until = world.now.max(world.witnessed) + route.overlap;
    if !route.overlap.is_zero() {
        overlapping(world, to, &mut selection.packages);
    }
    if selection.packages.is_empty() {
        let sentence = format!("everything asked for is in `{to}` already, and no longer in `{from}`");
        return Ok(Decision::NothingToDo(Code::AlreadyThere, sentence));
    }
    let mut parts = parts(&mut gates, world, (product, target), wish, &mut selection.packages)?;
    let mut asked = selection.packages.clone();
    add(&mut asked, &parts.sources);
    let mut along = siblings(world, &selection.packages).new_in(world, to);
    if !route.overlap.is_zero() {
        overlapping(world, to, &mut along.moving);
    }
    add(&mut selection.packages, &along.moving);
    let mut coming = selection.packages.clone();
    add(&mut coming, &along.shared);
    let mut whole = coming.clone();
    add(&mut whole, &parts.sources);
    let mut entering = gates.prefer(entering(world, &coming, to))?;
    add(&mut entering, &parts.enter);
    gates.sound(world, &entering);
    gates.other_content(world, &beside(&entering, &parts.leave));
    gates.variants(world, product, &entering, Reach::Product);
    gates.version_order(world, &entering, target.versions);
    // What goes on in the source, built anew, is judged by what the source demands.
    let (entering_to, entering_from): (Entering, Entering) =
        entering.clone().into_iter().partition(|(repository, _)| repository.stage == *to);
    gates.signatures(world, &product.name, to, &entering_to);
    if !entering_from.is_empty() {
        gates.signatures(world, &product.name, from, &entering_from);
    }
    gates.soak(world, route.soak, &whole);
    gates.freeze(world, &product.name, &[from, to], &whole);
    if wish.under.is_none() {
        gates.procedure(product, &[from, to], &whole);
    }

    let mut changes = BTreeMap::new();
    for (repository, enter) in entering {
        let listing = places::listing(world, &repository)?;
        let mut leave = match repository.stage == *to {
            true => superseded(&enter, listing, target.versions),
            false => Vec::new(),
        };
        leave.extend(parts.leave.remove(&repository).unwrap_or_default());
        merge(world, &mut changes, &repository, enter, leave);
    }
    let mut overlaps = BTreeMap::new();
    for (repository, leave) in &selection.packages {
        if !route.overlap.is_zero() {
            let stay = leave.iter().map(|listed| (listed.pkgid, Some(until))).collect();
            overlaps.insert(repository.clone(), stay);
            continue;
        }
        merge(world, &mut changes, repository, vec![], leave.clone());
    }
    for (repository, leave) in parts.leave {
        merge(world, &mut changes, &repository, vec![], leave);
    }
    gates.installable(world, product, target, Some(from), &changes);
    let verb = if count(&asked) == 1 { "moves" } else { "move" };
    let both = if overlaps.is_empty() { String::new() } else { format!(", listed in both until {until}") };
    let Made { rebuilt, node_types } = parts.made;
    let in_part = node_types.iter().filter(|one| !one.pins.is_empty()).map(|one| &one.before.name);
    let part = match in_part.collect::<BTreeSet<_>>().len() {
        0 => String::new(),
        1 => ", one node type in part".to_owned(),
        n => format!(", {n} node types in part"),
    };
    let sentence =
        format!("{} {verb} from `{from}` to `{to}` of `{}`{both}{part}", subject(&asked), product.name);
    let mut notes = selection.notes;
    notes.extend(along.notes(from));
    notes.extend(parts.notes);
    notes.extend(selection.already_there.iter().map(|text| format!("`{text}` is in `{to}` already")));
    let action = "promote".to_owned();
    let mut plan =
        Plan { action, sentence, changes, overlaps, notes, rebuilt, node_types, ..Plan::default() };
    if let Some(under) = wish.under {
        plan = (under.shape)(plan);
    }
    // Another plan than the one that is asked for is refused as such; who approves of it is no matter then.
    if wish.approved.is_none_or(|approved| approved == plan.hash().hex()) {
        gates.external(world, route, &plan, wish.is_rehearsal);
        gates.approvals(world, asker, (&product.name, route), &plan, wish.is_rehearsal);
    }
    plan.gates = gates.finish()?;
    Ok(Decision::Effect(plan))
}

/// Leaves out what was promoted before and is listed in both for its time.
fn overlapping(world: &World, to: &str, packages: &mut BTreeMap<Repository, Vec<Listed>>) {
    for (repository, selected) in packages.iter_mut() {
        let known = world.overlapping.get(repository);
        let target = world.repositories.get(&repository.in_stage(to)).map(Vec::as_slice).unwrap_or_default();
        selected.retain(|listed| {
            let is_known = known.is_some_and(|known| known.contains_key(&listed.pkgid));
            !(is_known && target.iter().any(|one| one.pkgid == listed.pkgid))
        });
    }
    packages.retain(|_, selected| !selected.is_empty());
}

/// Works out what each target does not list yet.
fn entering(
    world: &World,
    packages: &BTreeMap<Repository, Vec<Listed>>,
    to: &str,
) -> Result<Entering, Refusal> {
    let mut entering = Entering::new();
    for (source, selected) in packages {
        let target = source.in_stage(to);
        let there: BTreeSet<_> =
            places::listing(world, &target)?.iter().map(|listed| &listed.pkgid).collect();
        let enter: Vec<Listed> =
            selected.iter().filter(|listed| !there.contains(&listed.pkgid)).cloned().collect();
        entering.insert(target, enter);
    }
    Ok(entering)
}

/// Leaves out what takes the place of another file of its name.
fn beside(entering: &Entering, leave: &Entering) -> Entering {
    let replaces = |repository: &Repository, one: &Listed| {
        leave.get(repository).is_some_and(|leave| leave.iter().any(|left| left.nevra == one.nevra))
    };
    let beside = |(repository, enter): (&Repository, &Vec<Listed>)| {
        let enter = enter.iter().filter(|one| !replaces(repository, one)).cloned().collect();
        (repository.clone(), enter)
    };
    entering.iter().map(beside).collect()
}

/// Adds packages of some repositories to others.
pub(super) fn add(packages: &mut Entering, more: &Entering) {
    for (repository, more) in more {
        packages.entry(repository.clone()).or_default().extend(more.iter().cloned());
    }
}

fn count(packages: &BTreeMap<Repository, Vec<Listed>>) -> usize {
    packages.values().flatten().map(|listed| &listed.pkgid).collect::<BTreeSet<_>>().len()
}

/// Names the package if it is one, and else counts them.
pub(super) fn subject(packages: &BTreeMap<Repository, Vec<Listed>>) -> String {
    match (count(packages), packages.values().flatten().next()) {
        (1, Some(listed)) => format!("`{}`", listed.nevra),
        (n, _) => format!("{n} packages"),
    }
}

#[cfg(test)]
mod tests;
