//! What does not go along because the target takes nothing: its groups are configured, or what it has is not read.

use std::collections::BTreeSet;

use nevra::Nevra;
use repo::{Comps, CompsKind, Modules, Updateinfo};

use crate::carrying::{Beside, Part};
use crate::layout::Repository;
use crate::plan::Plan;
use crate::world::World;

/// How many ids a note names.
const NAMED_MAX: usize = 10;

/// The three files, each with what reads the ids in it that name something that enters.
type Kind = (
    &'static str,
    fn(&Beside) -> &Part,
    fn(&[u8], &BTreeSet<&Nevra>) -> Result<BTreeSet<String>, repo::Error>,
);
const KINDS: [Kind; 3] = [
    ("advisories", |beside| &beside.updates, updates),
    ("groups", |beside| &beside.groups, groups),
    ("modules", |beside| &beside.modules, modules),
];

/// Notes what is said of packages that a plan moves, where the repository that they enter does not take it.
pub(super) fn note(world: &World, plan: &mut Plan) {
    if !["promote", "revert", "undo"].contains(&plan.action.as_str()) {
        return;
    }
    let mut notes = Vec::new();
    for (target, change) in plan.changes.iter().filter(|(_, change)| !change.enter.is_empty()) {
        let entered: BTreeSet<&Nevra> = change.enter.iter().map(|listed| &listed.nevra).collect();
        for kind in KINDS {
            notes.extend(unheard(world, plan, (target, &entered), kind));
        }
    }
    plan.notes.extend(notes);
}

fn unheard(
    world: &World,
    plan: &Plan,
    (target, entered): (&Repository, &BTreeSet<&Nevra>),
    (word, part, ids): Kind,
) -> Option<String> {
    let own = world.beside.get(target).map(part).unwrap_or(&Part::Nothing);
    let configured = world.layout.writing(target).comps.filter(|_| word == "groups");
    let is_followed = plan.carried.get(target).is_some_and(|after| part(after) != own);
    if configured.is_none() && (is_followed || *own == Part::Nothing) {
        return None;
    }
    let mut said = BTreeSet::new();
    for (repository, beside) in &world.beside {
        if let Part::Read(open) = part(beside)
            && repository.is_same_but_stage(target)
        {
            let listed = world.repositories.get(repository).into_iter().flatten();
            let here = listed.map(|one| &one.nevra).filter(|nevra| entered.contains(nevra)).collect();
            said.extend(ids(open, &here).unwrap_or_default());
        }
    }
    if said.is_empty() {
        return None;
    }
    let why = match (configured, own) {
        (Some(path), _) => format!("the configuration names its own, `{path}`"),
        (None, Part::Unread(why)) => format!("its own are not read, {why}"),
        (None, Part::Read(open)) => format!("its own are not read, {}", ids(open, &BTreeSet::new()).err()?),
        (None, Part::Nothing) => return None,
    };
    let named: Vec<String> = said.iter().take(NAMED_MAX).map(|id| format!("`{id}`")).collect();
    let more = match said.len().checked_sub(NAMED_MAX) {
        None | Some(0) => String::new(),
        Some(more) => format!(" and {more} more"),
    };
    Some(format!("these {word} do not go along to `{target}`, for {why}: {}{more}", named.join(", ")))
}

fn updates(open: &[u8], entered: &BTreeSet<&Nevra>) -> Result<BTreeSet<String>, repo::Error> {
    let read = Updateinfo::parse(open)?.advisories.into_iter();
    let named = read.filter(|one| one.packages().any(|nevra| entered.contains(nevra)));
    Ok(named.map(|one| one.id).collect())
}

fn groups(open: &[u8], entered: &BTreeSet<&Nevra>) -> Result<BTreeSet<String>, repo::Error> {
    let names: BTreeSet<&str> = entered.iter().map(|nevra| nevra.name.as_str()).collect();
    let read = Comps::parse(open)?.parts.into_iter();
    let named =
        read.filter(|part| part.kind == CompsKind::Group && part.names().any(|name| names.contains(name)));
    Ok(named.map(|part| part.id).collect())
}

fn modules(open: &[u8], entered: &BTreeSet<&Nevra>) -> Result<BTreeSet<String>, repo::Error> {
    let read = Modules::parse(open)?.documents.into_iter();
    let named = read.filter(|one| one.packages().any(|nevra| entered.contains(nevra)));
    Ok(named.map(|one| one.id).collect())
}

#[cfg(test)]
mod tests;
