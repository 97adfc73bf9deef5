//! What a repository says beside its packages, and what one that is adopted says: put together by id.
//!
//! What is there stays. Of an id that both have the newer writing counts, as where something is promoted, and names what both
//! name; what cannot be read cannot be put together, and the adopted file stands in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use repo::{Advisory, Comps, CompsKind, CompsPart, Module, Modules, Updateinfo};

use crate::carrying::{Beside, Part};
use crate::layout::Repository;
use crate::plan::Plan;
use crate::world::World;

/// How many replaced ids a note names.
const NAMED_MAX: usize = 10;

/// Works out what each repository that something is adopted into says then, and notes what of it is replaced.
pub(crate) fn say_together(world: &World, plan: &mut Plan) {
    let Some(existing) = &world.existing else { return };
    let nothing = Beside::default();
    for repository in plan.adopted.keys() {
        let known = plan.carried.get(repository).or_else(|| world.beside.get(repository)).unwrap_or(&nothing);
        let new = &existing.beside;
        let updates = together(&known.updates, &new.updates, updates);
        let modules = together(&known.modules, &new.modules, modules);
        let groups = together(&known.groups, &new.groups, groups);
        if updates.alone.is_some() {
            // What waits there and came with it would be lost: it waits until something can be put to it.
            plan.held.remove(repository);
        }
        let mut notes =
            [updates.notes("advisories", repository), modules.notes("modules", repository)].concat();
        match world.layout.writing(repository).comps.filter(|_| new.groups != Part::Nothing) {
            Some(path) => notes.push(format!(
                "the adopted groups are not published: the configuration names those of `{repository}`, `{path}`"
            )),
            None => notes.extend(groups.notes("groups", repository)),
        }
        let after = Beside { updates: updates.part, groups: groups.part, modules: modules.part };
        if after != *known {
            plan.carried.insert(repository.clone(), after);
        }
        plan.notes.append(&mut notes);
    }
}

/// What comes of two files.
struct Together {
    part: Part,
    /// The ids that say something else than they did.
    replaced: BTreeSet<String>,
    /// The ids of which the adopted file has another writing that is not newer.
    kept: BTreeSet<String>,
    /// Why the adopted file stands alone.
    alone: Option<String>,
}

fn together(known: &Part, new: &Part, merged: fn(&[u8], &[u8]) -> Result<Put, repo::Error>) -> Together {
    let only = |part: &Part| Together {
        part: part.clone(),
        replaced: BTreeSet::new(),
        kept: BTreeSet::new(),
        alone: None,
    };
    let alone = |why: String| Together { alone: Some(why), ..only(new) };
    match (known, new) {
        (known, Part::Nothing) => only(known),
        (Part::Nothing, new) => only(new),
        (known, new) if known == new => only(new),
        (_, Part::Unread(why)) => alone(format!("they are not read, {why}")),
        (Part::Unread(why), _) => alone(format!("the others are not read, {why}")),
        (Part::Read(open), Part::Read(new_open)) => match merged(open, new_open) {
            Ok(Put { file, replaced, kept }) => {
                let part = file.map_or_else(|| new.clone(), |file| Part::Read(Arc::from(file)));
                Together { part, replaced, kept, alone: None }
            }
            Err(error) => alone(error.to_string()),
        },
    }
}

impl Together {
    /// Says what became another thing than somebody may expect.
    fn notes(&self, word: &str, repository: &Repository) -> Vec<String> {
        let some = |ids: &BTreeSet<String>| {
            let named: Vec<String> = ids.iter().take(NAMED_MAX).map(|id| format!("`{id}`")).collect();
            match ids.len().checked_sub(NAMED_MAX) {
                None | Some(0) => named.join(", "),
                Some(more) => format!("{} and {more} more", named.join(", ")),
            }
        };
        let alone = self.alone.iter().map(|why| {
            format!("the adopted {word} stand in the place of all that `{repository}` has, for {why}")
        });
        let replaced = Some(&self.replaced).filter(|ids| !ids.is_empty()).map(|ids| {
            format!("these {word} of `{repository}` are replaced by the adopted ones: {}", some(ids))
        });
        let kept = Some(&self.kept).filter(|ids| !ids.is_empty()).map(|ids| {
            format!(
                "these {word} of `{repository}` stay, for the adopted ones say nothing newer: {}",
                some(ids)
            )
        });
        alone.chain(replaced).chain(kept).collect()
    }
}

/// What two lists of the same things make.
struct Put {
    /// The file; nothing if it is the adopted one.
    file: Option<Vec<u8>>,
    replaced: BTreeSet<String>,
    kept: BTreeSet<String>,
}

/// Puts what is new to what is known: together with the first of its id, and else behind all others.
fn put<T: Clone + PartialEq>(
    known: &[T],
    new: &[T],
    (id, merged): (impl Fn(&T) -> String, impl Fn(&T, &T) -> T),
    write: impl FnOnce(Vec<T>) -> Vec<u8>,
) -> Put {
    let mut all = known.to_vec();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (at, one) in known.iter().enumerate() {
        places.entry(id(one)).or_insert(at);
    }
    let (mut replaced, mut kept) = (BTreeSet::new(), BTreeSet::new());
    for one in new {
        let id = id(one);
        match places.get(&id) {
            Some(at) if all[*at] == *one => {}
            Some(at) => {
                let now = merged(&all[*at], one);
                match now == all[*at] {
                    true => kept.insert(id),
                    false => replaced.insert(id),
                };
                all[*at] = now;
            }
            None => all.push(one.clone()),
        }
    }
    let file = (all.as_slice() != new).then(|| write(all));
    Put { file, replaced, kept }
}

fn updates(known: &[u8], new: &[u8]) -> Result<Put, repo::Error> {
    let [known, new] = [Updateinfo::parse(known)?, Updateinfo::parse(new)?];
    let by = (|one: &Advisory| one.id.clone(), Advisory::merged);
    Ok(put(&known.advisories, &new.advisories, by, |advisories| Updateinfo { advisories }.write()))
}

fn groups(known: &[u8], new: &[u8]) -> Result<Put, repo::Error> {
    let [mut known, new] = [Comps::parse(known)?, Comps::parse(new)?];
    let id = |one: &CompsPart| match one.kind {
        CompsKind::Group => one.id.clone(),
        // What is nothing of these stands once as it is.
        CompsKind::Other => String::from_utf8_lossy(one.raw.trim_ascii()).into_owned(),
        kind => format!("{} {}", kind.as_str(), one.id),
    };
    let parts = std::mem::take(&mut known.parts);
    Ok(put(&parts, &new.parts, (id, CompsPart::merged), |mut parts| {
        // Categories and environments stand behind the groups that they name.
        parts.sort_by_key(|part| part.kind != CompsKind::Group);
        known.parts = parts;
        known.write()
    }))
}

fn modules(known: &[u8], new: &[u8]) -> Result<Put, repo::Error> {
    let [known, new] = [Modules::parse(known)?, Modules::parse(new)?];
    let id = |one: &Module| match (one.is_stream(), one.module.is_empty()) {
        (true, _) => one.id.clone(),
        (false, false) => format!("{} {}", one.kind, one.id),
        (false, true) => String::from_utf8_lossy(one.raw.trim_ascii()).into_owned(),
    };
    let merged = |one: &Module, other: &Module| match one.is_stream() {
        true => one.merged(other),
        false if one.modified <= other.modified => other.clone(),
        false => one.clone(),
    };
    Ok(put(&known.documents, &new.documents, (id, merged), |documents| Modules { documents }.write()))
}

#[cfg(test)]
mod tests;
