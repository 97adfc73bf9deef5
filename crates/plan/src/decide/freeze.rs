//! Freezes: nothing enters or leaves a stage until the freeze is over.

use super::gates::Gates;
use super::{Decision, places};
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::standing::{Decided, Freeze};
use crate::world::{Asker, World};

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub stage: Option<&'a str>,
    pub until: Option<jiff::Timestamp>,
    pub reason: &'a str,
}

pub(super) fn freeze(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let product = places::product(world, wish.product)?;
    wish.stage.map(|stage| places::stage(product, stage)).transpose()?;
    let mut gates = Gates::default();
    let what = format!("freeze `{}`", product.name);
    gates.roles(asker, Some(&product.name), &product.freeze_roles, &what);
    gates.prefer(world.is_bounded("a freeze", wish.until, &[wish.reason]))?;
    let gates = gates.finish()?;
    let freeze = Freeze {
        id: String::new(),
        product: Some(product.name.clone()),
        stage: wish.stage.map(str::to_owned),
        by: asker.name.clone(),
        reason: wish.reason.to_owned(),
        until: wish.until,
    };
    let freeze = freeze.identified();
    if world.standing.freezes.contains_key(&freeze.id) {
        let sentence = format!("{} is frozen already, freeze {}", freeze.what(), freeze.id);
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    let standing = world.standing.freezes.values().filter(|one| one.is_in_force(world));
    world
        .room_for("freezes", &freeze.by, standing.map(|one| &one.by))
        .map_err(|full| full.gates(gates.clone()))?;
    let until = freeze.until.map(|until| format!(" until {until}")).unwrap_or_default();
    let sentence = format!("{} is frozen{until}, freeze {}", freeze.what(), freeze.id);
    let decided = vec![Decided::Frozen(freeze)];
    Ok(Decision::Effect(Plan { action: "freeze".to_owned(), sentence, decided, gates, ..Plan::default() }))
}

pub(super) fn thaw(world: &World, asker: &Asker, id: &str) -> Result<Decision, Refusal> {
    let Some(freeze) = world.standing.freezes.get(id) else {
        let refusal = Refusal::new(Code::NoSuchFreeze, format!("no freeze `{id}` is in force"));
        return Err(refusal.hint(
            "`sluice status` lists them; a file in the control directory is removed, a time of the calendar changed",
        ));
    };
    let product = places::product(world, freeze.product.as_deref().unwrap_or_default())?;
    let mut gates = Gates::default();
    gates.roles(asker, Some(&product.name), &product.freeze_roles, &format!("thaw `{}`", product.name));
    let gates = gates.finish()?;
    let sentence = format!("{} is no longer frozen by freeze {id}", freeze.what());
    let decided = vec![Decided::Thawed(id.to_owned())];
    Ok(Decision::Effect(Plan { action: "thaw".to_owned(), sentence, decided, gates, ..Plan::default() }))
}

#[cfg(test)]
mod tests;
