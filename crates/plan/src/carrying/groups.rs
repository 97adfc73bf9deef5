//! Groups, categories and environments: what they list goes with packages by name, and leaves with the last of a name.

use std::collections::BTreeSet;
use std::sync::Arc;

use nevra::Nevra;
use repo::{Comps, CompsKind, CompsPart};

use super::naming::{Place, Target};
use super::{Part, Seen, Source, some};

/// Finds what comes with what enters a repository: groups that list a name of it, cut to what is listed there, and what names
/// those groups.
pub(super) fn arriving(target: Target<'_>, sources: &[Source<'_>], seen: &mut Seen) -> Vec<CompsPart> {
    let Target { repository: at, family, .. } = target;
    let mut arriving: Vec<CompsPart> = Vec::new();
    let has_none = |source: &Source<'_>| source.beside.groups == Part::Nothing;
    if family.entered.is_empty() || sources.iter().all(has_none) {
        return arriving;
    }
    let [entered, after] = [names(family.entered.iter().copied()), names(family.after.iter().copied())];
    for source in sources {
        let read = match read(&source.beside.groups) {
            Ok(read) => read,
            Err(why) => {
                if let Some(repository) = source.repository {
                    let words =
                        format!("no group goes along from `{repository}`: its groups are not read, {why}");
                    seen.note(words);
                }
                continue;
            }
        };
        let of = |kind: CompsKind| read.parts.iter().filter(move |part| part.kind == kind);
        let before = names(source.family.before.iter().copied());
        for group in of(CompsKind::Group).filter(|group| group.names().any(|name| entered.contains(name))) {
            let away = group.names().filter(|name| before.contains(name) && !after.contains(name));
            let away: BTreeSet<&str> = away.collect();
            if !away.is_empty() {
                let names = some(away.iter().map(|name| (*name).to_owned()));
                let id = &group.id;
                seen.note(format!("group `{id}` is cut for `{at}`, which does not list {names}"));
            }
            put(&mut arriving, group.cut(|name| after.contains(name)));
        }
        let groups: BTreeSet<String> = arriving.iter().map(|part| part.id.clone()).collect();
        let above = of(CompsKind::Category).chain(of(CompsKind::Environment));
        for part in above.filter(|part| part.names().any(|id| groups.contains(id))) {
            // Which groups there are then is known when all is together.
            put(&mut arriving, Some(part.clone()));
        }
    }
    arriving
}

/// The names by which groups may list packages: a source package has the name of another one, and no group lists it.
fn names<'a>(packages: impl Iterator<Item = &'a Nevra>) -> BTreeSet<&'a str> {
    packages.filter(|nevra| !nevra.arch.is_source()).map(|nevra| nevra.name.as_str()).collect()
}

/// Puts a part to others, together with one of the same kind and id.
fn put(parts: &mut Vec<CompsPart>, new: Option<CompsPart>) {
    let Some(new) = new else { return };
    match parts.iter_mut().find(|part| part.kind == new.kind && part.id == new.id) {
        // What came first counts.
        Some(known) => *known = new.merged(known),
        None => parts.push(new),
    }
}

/// Works out what groups a repository has.
pub(super) fn follow(place: &Place<'_>, own: &Part, arriving: Vec<CompsPart>, seen: &mut Seen) -> Part {
    let Place { repository, family, .. } = place;
    if (family.left.is_empty() || *own == Part::Nothing) && arriving.is_empty() {
        return own.clone();
    }
    let [after, left] = [names(family.after.iter().copied()), names(family.left.iter().copied())];
    let left: BTreeSet<&str> = left.difference(&after).copied().collect();
    if left.is_empty() && arriving.is_empty() {
        return own.clone();
    }
    let before = match read(own) {
        Ok(before) => before,
        Err(why) => {
            seen.note(format!("the groups of `{repository}` stay as they are: they are not read, {why}"));
            return own.clone();
        }
    };
    let arrived = names(place.arrived.iter().copied());
    let mut comps = before.clone();
    comps.parts.clear();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for part in &before.parts {
        let stays = |name: &str| !left.contains(name);
        let is_concerned = part.kind == CompsKind::Group && !part.names().all(stays);
        let cut = if is_concerned { part.cut(stays) } else { Some(part.clone()) };
        let lost: BTreeSet<&str> =
            part.names().filter(|name| is_concerned && !stays(name) && !arrived.contains(name)).collect();
        if !lost.is_empty() {
            let names = some(lost.iter().map(|name| (*name).to_owned()));
            let id = &part.id;
            seen.note(match cut {
                Some(_) => format!("group `{id}` is cut in `{repository}`, which no longer lists {names}"),
                None => format!("group `{id}` leaves `{repository}`, which no longer lists {names}"),
            });
        }
        match cut {
            Some(cut) => comps.parts.push(cut),
            None => drop(gone.insert(part.id.clone())),
        }
    }
    let (groups, above): (Vec<_>, Vec<_>) =
        arriving.into_iter().partition(|part| part.kind == CompsKind::Group);
    let position = |parts: &[CompsPart]| parts.iter().rposition(|part| part.kind == CompsKind::Group);
    for group in groups {
        gone.remove(&group.id);
        match comps.parts.iter_mut().find(|part| part.kind == CompsKind::Group && part.id == group.id) {
            Some(known) => *known = known.merged(&group),
            None => {
                let at = position(&comps.parts).map_or(0, |at| at + 1);
                comps.parts.insert(at, group);
            }
        }
    }
    let has: BTreeSet<String> =
        comps.parts.iter().filter(|part| part.kind == CompsKind::Group).map(|part| part.id.clone()).collect();
    for part in above {
        let Some(part) = part.cut(|id| has.contains(id)) else { continue };
        match comps.parts.iter_mut().find(|known| known.kind == part.kind && known.id == part.id) {
            Some(known) => *known = known.merged(&part),
            None => comps.parts.push(part),
        }
    }
    let is_above = |part: &CompsPart| matches!(part.kind, CompsKind::Category | CompsKind::Environment);
    let parts = std::mem::take(&mut comps.parts).into_iter();
    comps.parts = parts
        .filter_map(|part| if is_above(&part) { part.cut(|id| !gone.contains(id)) } else { Some(part) })
        .collect();
    match (comps.parts == before.parts, comps.parts.is_empty()) {
        (true, _) => own.clone(),
        (false, true) => Part::Nothing,
        (false, false) => Part::Read(Arc::from(comps.write())),
    }
}

/// Reads a file; what is not there has no groups.
fn read(part: &Part) -> Result<Comps, String> {
    match part {
        Part::Nothing => Ok(Comps::default()),
        Part::Unread(why) => Err(why.clone()),
        Part::Read(open) => Comps::parse(open).map_err(|error| error.to_string()),
    }
}
