//! What goes along, in the small site of the samples.

mod advisories;
mod groups;
mod held;
mod modules;

use super::*;
use crate::decide::{Decision, decide};
use crate::request::Request;
use crate::samples::{alice, repository};

/// Puts advisories into a repository: `A: p-1-1.noarch q-1-1.noarch`, each a line.
fn says(world: &mut World, at: &str, lines: &[&str]) {
    let updates = Part::Read(Arc::from(advisories::file(lines).into_bytes()));
    world.beside.entry(repository(at)).or_default().updates = updates;
}

/// Decides a request of somebody who may, and gives the world after it with what the answer notes of losses.
fn done(world: &World, request: &Request) -> (World, Vec<String>) {
    let Decision::Effect(plan) = decide(world, request, &alice(), &[]) else {
        panic!("{:?}", decide(world, request, &alice(), &[]))
    };
    let mut after = world.clone();
    after.apply(&plan);
    let begins = ["advisory `", "group `", "module `", "no ", "the "];
    let is_of_loss = |note: &&String| begins.iter().any(|words| note.starts_with(words));
    (after, plan.notes.iter().filter(is_of_loss).cloned().collect())
}
