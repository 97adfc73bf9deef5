//! Going back: a stage lists again what it listed in an earlier generation.

use std::collections::{BTreeMap, BTreeSet};

use super::gates::{Entering, Gates, Reach};
use super::{Decision, places, pointed_to};
use crate::layout::{Product, Repository, Route};
use crate::plan::{Change, Plan};
use crate::refusal::{Code, Refusal};
use crate::request::Reference;
use crate::world::{Asker, Listed, World};

/// How many packages are named that are then in no stage.
const NAMED_MAX: usize = 20;

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub stage: &'a str,
    pub generation: &'a Reference,
    pub platforms: &'a [String],
    /// Whether only the plan is wanted.
    pub is_rehearsal: bool,
    /// The hash of the plan that is asked for.
    pub approved: Option<&'a str>,
}

pub(super) fn revert(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let product = places::product(world, wish.product)?;
    let stage = places::stage(product, wish.stage)?;
    let platforms = places::platforms(product, wish.platforms)?;
    let mut gates = Gates::of(world, &product.name, &stage.name);
    let what = format!("revert `{}` of `{}`", stage.name, product.name);
    let routes = || product.routes.iter().filter(|route| route.to == stage.name);
    let mut roles = stage.revert_roles.as_ref().unwrap_or(&stage.import_roles).clone();
    if wish.is_rehearsal {
        // Whoever is to approve may see for themselves what of.
        roles.extend(routes().flat_map(Route::approvers));
    }
    gates.roles(asker, Some(&product.name), &roles, &what);
    let number = gates.prefer(pointed_to(world, wish.generation))?;
    let repositories = places::repositories(product, &stage.name, &platforms);
    let then = gates.prefer(listings_then(world, number, &repositories))?;

    let mut entering = Entering::new();
    let mut leaving = Entering::new();
    let mut purged = BTreeSet::new();
    for (repository, then) in then {
        let now = gates.prefer(places::listing(world, repository))?;
        let mut enter = missing_from(then, now);
        for left_out in enter.extract_if(.., |listed| world.purged.contains(&listed.pkgid)) {
            purged.insert(left_out.nevra.to_string());
        }
        entering.insert(repository.clone(), enter);
        leaving.insert(repository.clone(), missing_from(now, then));
    }
    gates.sound(world, &entering);
    gates.other_content(world, &entering);
    gates.variants(world, product, &entering, Reach::Site);
    gates.signatures(world, &product.name, &stage.name, &entering);
    let mut moving = entering.clone();
    for (repository, leave) in &leaving {
        moving.entry(repository.clone()).or_default().extend(leave.iter().cloned());
    }
    gates.freeze(world, &product.name, &[&stage.name], &moving);
    gates.procedure(product, &[&stage.name], &moving);
    let mut changes = BTreeMap::new();
    for (repository, enter) in entering {
        let leave = leaving.remove(&repository).unwrap_or_default();
        let change = Change::of(places::listing(world, &repository)?, enter, leave);
        changes.extend(change.map(|change| (repository, change)));
    }
    gates.installable(world, product, stage, None, &changes);
    if changes.is_empty() {
        gates.finish()?;
        let sentence =
            format!("`{}` of `{}` lists what it listed in generation {number}", stage.name, product.name);
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    let sentence =
        format!("`{}` of `{}` goes back to what it listed in generation {number}", stage.name, product.name);
    let mut notes: Vec<String> =
        purged.iter().map(|nevra| format!("`{nevra}` stays away: it was purged")).collect();
    notes.extend(in_no_stage(world, product, &changes));
    let mut plan = Plan { action: "revert".to_owned(), sentence, changes, notes, ..Plan::default() };
    // Whoever must be heard before packages enter this stage is heard before others enter it again.
    if wish.approved.is_none_or(|approved| approved == plan.hash().hex()) {
        for route in routes() {
            gates.external(world, route, &plan, wish.is_rehearsal);
            gates.approvals(world, asker, (&product.name, route), &plan, wish.is_rehearsal);
        }
    }
    plan.gates = gates.finish()?;
    Ok(Decision::Effect(plan))
}

/// Finds what each repository listed. One that did not exist then has nothing to go back to.
///
/// The current generation is looked up like any other: earlier requests of the same line may have changed the
/// world since it was published.
fn listings_then<'a>(
    world: &'a World,
    number: u64,
    repositories: &'a [Repository],
) -> Result<Vec<(&'a Repository, &'a [Listed])>, Refusal> {
    let Some(past) = world.past.get(&number) else {
        return Err(Refusal::new(Code::Gone, format!("generation {number} is not kept")));
    };
    let then = |repository| past.get(repository).map(|listed| (repository, listed.as_slice()));
    let absent: Vec<String> = repositories
        .iter()
        .filter(|repository| then(repository).is_none())
        .map(|repository| format!("`{repository}`"))
        .collect();
    if absent.is_empty() {
        return Ok(repositories.iter().filter_map(then).collect());
    }
    let refusal =
        Refusal::new(Code::Gone, format!("generation {number} does not hold all that is to go back"));
    let reasons = absent.into_iter().map(|repository| format!("{repository} did not exist then"));
    Err(refusal.reasons(reasons).hint("name only `platforms` that existed then"))
}

fn missing_from(these: &[Listed], those: &[Listed]) -> Vec<Listed> {
    let mut seen: BTreeSet<_> = those.iter().map(|listed| &listed.pkgid).collect();
    these.iter().filter(|listed| seen.insert(&listed.pkgid)).cloned().collect()
}

/// Notes what is then in no stage of the product: going back undoes no removal elsewhere.
pub(super) fn in_no_stage(
    world: &World,
    product: &Product,
    changes: &BTreeMap<Repository, Change>,
) -> Vec<String> {
    let mut gone: BTreeMap<&nevra::Sha256, &Listed> =
        changes.values().flat_map(|change| &change.leave).map(|left| (&left.pkgid, left)).collect();
    for (repository, listing) in world.repositories.iter().filter(|(r, _)| r.product == product.name) {
        let leave: BTreeSet<_> = changes.get(repository).iter().flat_map(|change| &change.leave).collect();
        for listed in listing.iter().filter(|listed| !leave.contains(listed)) {
            gone.remove(&listed.pkgid);
        }
    }
    let mut notes: Vec<String> = gone
        .values()
        .take(NAMED_MAX)
        .map(|listed| format!("`{}` is then in no stage of `{}`", listed.nevra, product.name))
        .collect();
    if gone.len() > NAMED_MAX {
        notes.push(format!("and {} more", gone.len() - NAMED_MAX));
    }
    notes
}

#[cfg(test)]
mod tests;
