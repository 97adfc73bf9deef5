//! Withdrawal: packages leave a stage.

use std::collections::BTreeMap;

use super::gates::Gates;
use super::promote::{add, subject};
use super::selection::{Place, select};
use super::siblings::Siblings;
use super::{Decision, places};
use crate::plan::{Change, Plan};
use crate::refusal::Refusal;
use crate::world::{Asker, World};

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub from: &'a str,
    pub packages: &'a [String],
    pub platforms: &'a [String],
}

pub(super) fn withdraw(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let product = places::product(world, wish.product)?;
    let stage = places::stage(product, wish.from)?;
    let platforms = places::platforms(product, wish.platforms)?;
    let mut gates = Gates::of(world, &product.name, &stage.name);
    let what = format!("withdraw from `{}` of `{}`", stage.name, product.name);
    gates.roles(asker, Some(&product.name), stage.takers_back(), &what);
    let place = Place { world, product, stage: &stage.name, platforms: &platforms, target: None };
    let selection = gates.prefer(select(&place, wish.packages))?;
    let subject = subject(&selection.packages);
    let along = Siblings::leaving(world, &selection.packages);
    let mut leaving = selection.packages;
    add(&mut leaving, &along.moving);
    gates.freeze(world, &product.name, &[&stage.name], &leaving);
    gates.procedure(product, &[&stage.name], &leaving);
    let mut changes = BTreeMap::new();
    for (repository, leave) in leaving {
        let change = Change::of(places::listing(world, &repository)?, vec![], leave);
        changes.extend(change.map(|change| (repository, change)));
    }
    gates.installable(world, product, stage, None, &changes);
    let gates = gates.finish()?;
    let verb = if subject.starts_with('`') { "leaves" } else { "leave" };
    let sentence = format!("{subject} {verb} `{}` of `{}`", stage.name, product.name);
    let mut notes = selection.notes;
    notes.extend(along.notes(&stage.name));
    Ok(Decision::Effect(Plan {
        action: "withdraw".to_owned(),
        sentence,
        changes,
        gates,
        notes,
        ..Plan::default()
    }))
}

#[cfg(test)]
mod tests;
