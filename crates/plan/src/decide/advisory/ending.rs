//! An advisory is taken back: it goes from all stages, or stays as one that does not count any more.

use std::collections::BTreeMap;

use repo::Advisory;

use super::Writings;
use crate::carrying::Beside;
use crate::decide::gates::Gates;
use crate::decide::{Decision, places};
use crate::layout::Stage;
use crate::near::nearest;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::standing::{Decided, HeldAdvisory};
use crate::world::{Asker, World};

pub(in crate::decide) struct Ending<'a> {
    pub product: &'a str,
    pub id: &'a str,
    /// Whether it stays, with the status `retracted`.
    pub retracted: bool,
}

pub(in crate::decide) fn end(world: &World, asker: &Asker, wish: &Ending<'_>) -> Result<Decision, Refusal> {
    let Ending { id, retracted, .. } = *wish;
    let product = places::product(world, wish.product)?;
    let writings = Writings::of(world, product, id);
    let stages: Vec<&str> = writings.stages().into_iter().collect();
    let mut gates = Gates::of(world, &product.name, stages.first().copied().unwrap_or_default());
    if stages.is_empty() {
        // Who may do nothing here learns nothing of what there is.
        let roles: Vec<String> = product.stages.iter().flat_map(Stage::takers_back).cloned().collect();
        let what = format!("take back an advisory of `{}`", product.name);
        gates.roles(asker, Some(&product.name), &roles, &what);
        return gates.prefer(Err(unknown(world, &writings, id)));
    }
    for stage in &stages {
        let stage = places::stage(product, stage)?;
        let what = format!("take back an advisory in `{}` of `{}`", stage.name, product.name);
        gates.roles(asker, Some(&product.name), stage.takers_back(), &what);
    }
    gates.freeze(world, &product.name, &stages, &writings.packages());
    if retracted && writings.all().all(|one| one.status() == Advisory::RETRACTED) {
        gates.finish()?;
        let sentence = format!("advisory `{id}` of `{}` is retracted already", product.name);
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    // What is only taken away needs no next version.
    let next = if retracted { gates.prefer(writings.next())? } else { 0 };
    let retract = |one: &Advisory| {
        one.retracted(next, &writings.now()).ok_or_else(|| {
            let sentence = format!("advisory `{id}` is written so that no status can be put into it");
            Refusal::new(Code::NeedsPerson, sentence).hint("take it back without `retracted`")
        })
    };
    let mut carried = BTreeMap::new();
    for (repository, read) in &writings.told {
        // An id that stands there several times has the packages of all.
        let known = read.advisories.iter().filter(|one| one.id == id && retracted).cloned();
        let known = known.reduce(|known, one| known.merged(&one));
        let new = gates.prefer(known.as_ref().map(retract).transpose())?;
        let updates = gates.prefer(writings.put(repository, new))?;
        let beside = world.beside.get(repository).cloned().unwrap_or_default();
        carried.insert((*repository).clone(), Beside { updates, ..beside });
    }
    let mut held = BTreeMap::new();
    for (repository, (waiting, one)) in &writings.held {
        let mut all = world.standing.held.get(&repository.name()).cloned().unwrap_or_default();
        all.remove(id);
        if retracted {
            let text = String::from_utf8_lossy(&gates.prefer(retract(one))?.raw).into_owned();
            all.insert(id.to_owned(), HeldAdvisory { text, waits_for: waiting.waits_for.clone() });
        }
        held.insert((*repository).clone(), all);
    }
    gates.prefer(world.room_for_taken_back(&product.name, id))?;
    gates.prefer(world.room_for_held(&held))?;
    let gates = gates.finish()?;
    let named: Vec<String> = stages.iter().map(|stage| format!("`{stage}`")).collect();
    let (where_, of) = (named.join(" and "), &product.name);
    let sentence = match retracted {
        true => format!("advisory `{id}` is retracted in {where_} of `{of}`"),
        false => format!("advisory `{id}` is taken back from {where_} of `{of}`"),
    };
    let notes = writings.unread.values().map(|why| format!("{why}: it stays as it is")).collect();
    let (product, id) = (product.name.clone(), id.to_owned());
    let decided = vec![Decided::AdvisoryEnded { product, id, texts: writings.last(), retracted }];
    let action = "end-advisory".to_owned();
    Ok(Decision::Effect(Plan { action, sentence, carried, held, decided, gates, notes, ..Plan::default() }))
}

fn unknown(world: &World, writings: &Writings<'_>, id: &str) -> Refusal {
    let product = writings.product;
    let refusal = Refusal::new(
        Code::NoSuchAdvisory,
        format!("no stage of `{product}` has an advisory `{}`", id.escape_debug()),
    );
    if let Some(why) = writings.unread.values().next() {
        return refusal.hint(format!("{why}: nobody knows what it has"));
    }
    let known: Vec<String> = Writings::ids(world, product).into_iter().collect();
    match nearest(id, known.iter().map(String::as_str)).first() {
        Some(near) => refusal.hint(format!("did you mean `{near}`")),
        None => refusal,
    }
}
