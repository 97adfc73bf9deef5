//! Names of generations: given once, for ever to the same number, and once ended never again.

use std::collections::BTreeMap;

use super::gates::Gates;
use super::{Decision, is_generation_name, pointed_to};
use crate::plan::{GateSeen, Plan};
use crate::refusal::{Code, Refusal};
use crate::request::Reference;
use crate::world::{Asker, World};

pub(super) fn keep(
    world: &World,
    asker: &Asker,
    generation: Option<&Reference>,
    name: &str,
) -> Result<Decision, Refusal> {
    let gates = allowed(asker, "name a generation")?;
    if !is_generation_name(name) {
        let refusal = Refusal::new(Code::BadName, format!("`{name}` cannot be the name of a generation"));
        let rule = "small letters, digits, `.`, `_` and `-`, a letter or digit first, not digits alone, not `current`";
        return Err(refusal.hint(format!("names are of {rule}")));
    }
    let number = match generation {
        None => world.generation,
        Some(reference) => pointed_to(world, reference)?,
    };
    match world.names.get(name) {
        Some(named) if named.generation != number => {
            let sentence = format!("the name `{name}` belongs to generation {} for ever", named.generation);
            return Err(Refusal::new(Code::NameTaken, sentence).hint("choose another name"));
        }
        // Whoever saw it end may count on it: the store binds no ended name again.
        Some(named) if named.ended => {
            let sentence = format!("the name `{name}` of generation {number} was ended, for ever");
            return Err(Refusal::new(Code::NameTaken, sentence).hint("choose another name"));
        }
        Some(_) => {
            let sentence = format!("generation {number} is called `{name}` already");
            return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
        }
        None => {}
    }
    let sentence = format!("generation {number} is kept as `{name}`");
    let names = BTreeMap::from([(name.to_owned(), Some(number))]);
    Ok(Decision::Effect(Plan { action: "keep".to_owned(), sentence, names, gates, ..Plan::default() }))
}

pub(super) fn drop_name(world: &World, asker: &Asker, name: &str) -> Result<Decision, Refusal> {
    let gates = allowed(asker, "end the name of a generation")?;
    let Some(named) = world.names.get(name) else {
        return Err(Refusal::new(Code::NoSuchName, format!("no generation is called `{name}`")));
    };
    if named.ended {
        let sentence = format!("the name `{name}` keeps generation {} no longer already", named.generation);
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    let sentence = format!("the name `{name}` keeps generation {} no longer", named.generation);
    let names = BTreeMap::from([(name.to_owned(), None)]);
    Ok(Decision::Effect(Plan { action: "keep".to_owned(), sentence, names, gates, ..Plan::default() }))
}

fn allowed(asker: &Asker, what: &str) -> Result<Vec<GateSeen>, Refusal> {
    let mut gates = Gates::default();
    gates.authority(asker, !asker.roles.is_empty(), what, "it takes any role on this site");
    gates.finish()
}

#[cfg(test)]
mod tests;
