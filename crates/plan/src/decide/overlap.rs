//! The end of an overlap: promoted packages leave the stages in which they were still listed.

use std::collections::BTreeMap;

use super::Decision;
use super::gates::Gates;
use super::promote::subject;
use crate::check::is_newer;
use crate::layout::Repository;
use crate::plan::{Change, Plan};
use crate::refusal::{Code, Refusal};
use crate::world::{Asker, Listed, World};

pub(super) fn overlap(world: &World, asker: &Asker) -> Result<Decision, Refusal> {
    let mut gates = Gates::default();
    gates.authority(
        asker,
        asker.is_clock(),
        "end overlaps",
        "the clock does it; `sluice withdraw` does it at once",
    );
    let gates = gates.finish()?;
    let mut plan = Plan { action: "overlap".to_owned(), gates, ..Plan::default() };
    let mut leaving: BTreeMap<Repository, Vec<Listed>> = BTreeMap::new();
    for (repository, overlapping) in &world.overlapping {
        // A repository that the configuration no longer has is not touched.
        let listing = world.repositories.get(repository).map(Vec::as_slice).unwrap_or_default();
        for (digest, _) in overlapping.iter().filter(|(_, until)| **until <= world.proven()) {
            plan.overlaps.entry(repository.clone()).or_default().insert(*digest, None);
            match listing.iter().find(|listed| listed.pkgid == *digest) {
                Some(listed) if is_elsewhere(world, repository, listed) => {
                    leaving.entry(repository.clone()).or_default().push(listed.clone());
                }
                Some(listed) => {
                    let words = format!(
                        "`{}` stays in `{repository}`: no other stage lists it any more",
                        listed.nevra
                    );
                    plan.notes.push(words);
                }
                None => {}
            }
        }
    }
    if plan.overlaps.is_empty() {
        return Ok(Decision::NothingToDo(Code::NothingToDo, "no overlap is over".to_owned()));
    }
    plan.sentence = match leaving.is_empty() {
        true => "overlaps end and nothing leaves".to_owned(),
        false => format!("the overlap is over for {}", subject(&leaving)),
    };
    for (repository, leave) in leaving {
        let change = Change::of(&world.repositories[&repository], vec![], leave);
        plan.changes.extend(change.map(|change| (repository, change)));
    }
    Ok(Decision::Effect(plan))
}

/// Says whether another stage lists the package, or one that follows it.
fn is_elsewhere(world: &World, repository: &Repository, listed: &Listed) -> bool {
    let others = world.repositories.iter().filter(|(other, _)| other.is_same_but_stage(repository));
    others.flat_map(|(_, list)| list).any(|one| one.pkgid == listed.pkgid || is_newer(one, listed))
}

#[cfg(test)]
mod tests;
