//! Waivers: somebody with the right answers for what a gate would refuse, and takes that back.

use super::gates::{Gates, WAIVABLE};
use super::{Decision, places};
use crate::near::nearest;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::standing::{Decided, Waiver};
use crate::world::{Asker, World};

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub stage: &'a str,
    pub gate: &'a str,
    pub packages: &'a [String],
    pub until: jiff::Timestamp,
    pub reason: &'a str,
}

pub(super) fn waive(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let product = places::product(world, wish.product)?;
    let stage = places::stage(product, wish.stage)?;
    let mut gates = Gates::default();
    let what = format!("waive gates of `{}` of `{}`", stage.name, product.name);
    gates.roles(asker, Some(&product.name), &stage.waiver_roles, &what);
    gates.prefer(good(world, wish))?;
    let gates = gates.finish()?;
    let waiver = Waiver {
        id: String::new(),
        product: product.name.clone(),
        stage: stage.name.clone(),
        gate: wish.gate.to_owned(),
        packages: wish.packages.to_vec(),
        by: asker.name.clone(),
        reason: wish.reason.to_owned(),
        until: wish.until,
    };
    let waiver = waiver.identified();
    if world.standing.waivers.contains_key(&waiver.id) {
        let sentence = format!("the waiver {} says so already", waiver.id);
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    let standing = world.standing.waivers.values().filter(|one| one.is_in_force(world));
    world
        .room_for("waivers", &waiver.by, standing.map(|one| &one.by))
        .map_err(|full| full.gates(gates.clone()))?;
    let sentence = format!(
        "`{}` answers for {} at the gate `{}` of `{}` of `{}` until {}, waiver {}",
        waiver.by,
        waiver.packages.join(", "),
        waiver.gate,
        waiver.stage,
        waiver.product,
        waiver.until,
        waiver.id
    );
    let decided = vec![Decided::Waived(waiver)];
    Ok(Decision::Effect(Plan { action: "waive".to_owned(), sentence, decided, gates, ..Plan::default() }))
}

fn good(world: &World, wish: &Wish<'_>) -> Result<(), Refusal> {
    if !WAIVABLE.contains(&wish.gate) {
        let near = nearest(wish.gate, WAIVABLE);
        let meant = near.first().map(|near| format!("did you mean `{near}`; ")).unwrap_or_default();
        let refusal =
            Refusal::new(Code::NotWaivable, format!("nobody can answer for the gate `{}`", wish.gate));
        return Err(refusal.hint(format!("{meant}gates that can be waived are {}", WAIVABLE.join(", "))));
    }
    let mut words: Vec<&str> = vec![wish.reason];
    words.extend(wish.packages.iter().map(String::as_str));
    world.is_bounded("a waiver", Some(wish.until), &words)
}

pub(super) fn end_waiver(world: &World, asker: &Asker, id: &str) -> Result<Decision, Refusal> {
    let Some(waiver) = world.standing.waivers.get(id) else {
        let refusal = Refusal::new(Code::NoSuchWaiver, format!("no waiver `{id}` is in force"));
        return Err(refusal.hint("`sluice status` lists those that are"));
    };
    let mut gates = Gates::default();
    let product = places::product(world, &waiver.product)?;
    let roles = product.stage(&waiver.stage).map(|stage| stage.waiver_roles.as_slice()).unwrap_or_default();
    match asker.name == waiver.by {
        true => gates.authority(asker, true, "end what they answer for", ""),
        false => gates.roles(asker, Some(&product.name), roles, &format!("end the waiver {id}")),
    }
    let gates = gates.finish()?;
    let sentence = format!("`{}` no longer answers for the waiver {id}", waiver.by);
    let decided = vec![Decided::WaiverEnded(id.to_owned())];
    Ok(Decision::Effect(Plan {
        action: "end-waiver".to_owned(),
        sentence,
        decided,
        gates,
        ..Plan::default()
    }))
}

#[cfg(test)]
mod tests;
