//! Names of generations: given once, for ever to the same number, and once ended never again.

use std::collections::BTreeMap;

use super::gates::Gates;
use super::{Decision, is_generation_name, pointed_to};
use crate::layout::Product;
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
    let gates = allowed(
        asker,
        is_admin(asker) || world.layout.products.values().any(|product| moves(asker, product)),
        "name a generation",
        "it takes a role that may import into some stage or promote along some route, or `admin`",
    )?;
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
    let mut products = world.layout.products.values();
    let gates = allowed(
        asker,
        is_admin(asker) || (products.len() > 0 && products.all(|product| moves(asker, product))),
        "end the name of a generation",
        "it takes a role that may import or promote in every product, or `admin`: the name is the whole site's",
    )?;
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

fn allowed(asker: &Asker, is_allowed: bool, what: &str, hint: &str) -> Result<Vec<GateSeen>, Refusal> {
    let mut gates = Gates::default();
    gates.authority(asker, is_allowed, what, hint);
    gates.finish()
}

fn is_admin(asker: &Asker) -> bool {
    asker.has("admin", None)
}

/// Says whether somebody may import into a stage of the product or promote along a route of it.
fn moves(asker: &Asker, product: &Product) -> bool {
    let stages = product.stages.iter().flat_map(|stage| &stage.import_roles);
    let mut roles = stages.chain(product.routes.iter().flat_map(|route| &route.roles));
    roles.any(|role| asker.has(role, Some(&product.name)))
}

#[cfg(test)]
mod tests;
