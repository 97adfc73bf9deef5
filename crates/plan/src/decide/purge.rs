//! Purging: a package goes from everything that exists, at once, whatever was promised, and never comes back.
//!
//! The one deliberate exception to grace and to names of generations, for malware and for what the law forbids.
//! Kept generations stay, without the file; only one that holds it itself (under an old href of an adopted repository, or
//! in a candidate) goes with it, because a sealed half is never written to.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Sha256;

use super::gates::{Entering, Gates};
use super::{Decision, places};
use crate::plan::{Change, Plan};
use crate::refusal::{Code, Refusal};
use crate::world::{Asker, World};

pub(super) fn purge(world: &World, asker: &Asker, packages: &[String]) -> Result<Decision, Refusal> {
    let mut gates = Gates::default();
    let hint = "it takes the role `admin` for the whole site";
    gates.authority(asker, asker.has("admin", None), "purge", hint);
    let wanted = gates.prefer(wanted(world, packages))?;
    let gates = gates.finish()?;
    let purged: BTreeSet<Sha256> =
        wanted.iter().filter(|digest| !world.purged.contains(*digest)).copied().collect();
    if purged.is_empty() {
        let sentence = "all of it was purged before".to_owned();
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }

    let mut leaving = Entering::new();
    for (repository, listing) in &world.repositories {
        for listed in listing.iter().filter(|listed| purged.contains(&listed.pkgid)) {
            leaving.entry(repository.clone()).or_default().push(listed.clone());
        }
    }
    let mut changes = BTreeMap::new();
    for (repository, leave) in leaving {
        let change = Change::of(places::listing(world, &repository)?, vec![], leave);
        changes.extend(change.map(|change| (repository, change)));
    }
    let mut drop_links = BTreeSet::new();
    let mut drop_generations = BTreeSet::new();
    let mut notes = Vec::new();
    for digest in &purged {
        let Some(holders) = world.holders.get(digest) else {
            notes.push(format!("nothing here holds {digest}; it may never come in"));
            continue;
        };
        drop_links.extend(holders.links.iter().cloned());
        drop_links.insert(format!("pool/{}/{digest}.rpm", digest.shard()));
        // The current generation is superseded by the one this makes, and goes then like the others.
        drop_generations.extend(holders.generations.iter().copied());
    }
    let ends =
        world.names.iter().filter(|(_, named)| !named.ended && drop_generations.contains(&named.generation));
    let names: BTreeMap<String, Option<u64>> = ends.map(|(name, _)| (name.clone(), None)).collect();
    for number in &drop_generations {
        notes.push(format!("generation {number} goes: it holds a purged file itself"));
    }
    notes.push("hosts and mirrors that have fetched it keep it: tell them".to_owned());
    let listings = changes.len();
    let sentence = match purged.len() {
        1 => format!("{} leaves {listings} repositories and everything else, for ever", name(world, &purged)),
        n => format!("{n} packages leave {listings} repositories and everything else, for ever"),
    };
    Ok(Decision::Effect(Plan {
        action: "purge".to_owned(),
        sentence,
        changes,
        names,
        drop_links,
        drop_generations,
        purged,
        gates,
        notes,
        ..Plan::default()
    }))
}

/// Finds the digests that are meant. A name must fit one file exactly: a purge is no place for guessing.
fn wanted(world: &World, packages: &[String]) -> Result<BTreeSet<Sha256>, Refusal> {
    let mut wanted = BTreeSet::new();
    for text in packages {
        if let Ok(digest) = text.parse::<Sha256>() {
            wanted.insert(digest);
            continue;
        }
        let found = called(world, text);
        match found.len() {
            0 => {
                let sentence = format!("nothing that this site holds is called `{text}`");
                let listed = world.repositories.values().flatten();
                let names: BTreeSet<String> = listed.map(|one| one.nevra.to_string()).collect();
                let near = crate::near::nearest(text, names.iter().map(String::as_str));
                let meant = near.first().map(|near| format!("did you mean `{near}`; ")).unwrap_or_default();
                let hint = "name files in full, as `name-version-release.arch`, or by their sha256";
                return Err(Refusal::new(Code::NoSuchPackage, sentence).hint(format!("{meant}{hint}")));
            }
            1 => wanted.extend(found),
            n => {
                let sentence = format!("{n} different files are called `{text}`");
                let digests = found.iter().map(|digest| format!("{digest}"));
                let refusal = Refusal::new(Code::Ambiguous, sentence).reasons(digests);
                return Err(refusal.hint("name the one that is meant by its sha256, or all of them"));
            }
        }
    }
    Ok(wanted)
}

/// Finds every file of this name, wherever a link leads to it.
fn called(world: &World, text: &str) -> BTreeSet<Sha256> {
    let file = match text.strip_suffix(".rpm") {
        Some(_) => text.to_owned(),
        None => format!("{text}.rpm"),
    };
    let listed = world.repositories.values().flatten();
    let listed = listed.filter(|one| one.nevra.file_name() == file || one.nevra.to_string() == text);
    let mut found: BTreeSet<Sha256> = listed.map(|one| one.pkgid).collect();
    for (digest, holders) in &world.holders {
        if holders.links.iter().any(|link| link.rsplit('/').next() == Some(file.as_str())) {
            found.insert(*digest);
        }
    }
    found
}

/// Names the one package that is purged.
fn name(world: &World, purged: &BTreeSet<Sha256>) -> String {
    let listed = world.repositories.values().flatten().find(|listed| purged.contains(&listed.pkgid));
    let linked = || {
        let links = purged.iter().filter_map(|digest| world.holders.get(digest)).flat_map(|one| &one.links);
        links.filter_map(|link| link.rsplit('/').next()).next().map(str::to_owned)
    };
    let name = listed.map(|listed| listed.nevra.to_string()).or_else(linked);
    name.or_else(|| purged.first().map(ToString::to_string))
        .map(|name| format!("`{name}`"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
