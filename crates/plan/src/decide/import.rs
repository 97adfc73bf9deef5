//! Import: new package files enter a stage, each in the repositories it belongs in.

use std::collections::{BTreeMap, BTreeSet};

use super::gates::{Entering, Gates, Reach, superseded};
use super::promote::subject;
use super::{Decision, places};
use crate::layout::{Kind, Platform, Product, Stage};
use crate::plan::{Change, Plan};
use crate::refusal::{Code, Refusal};
use crate::world::{Arrival, Asker, Listed, World};

pub(super) struct Wish<'a> {
    pub product: &'a str,
    pub to: &'a str,
    pub platforms: &'a [String],
    pub arrivals: &'a [Arrival],
}

pub(super) fn import(world: &World, asker: &Asker, wish: &Wish<'_>) -> Result<Decision, Refusal> {
    let product = places::product(world, wish.product)?;
    let stage = places::stage(product, wish.to)?;
    let mut gates = Gates::of(world, &product.name, &stage.name);
    let what = format!("import into `{}` of `{}`", stage.name, product.name);
    gates.roles(asker, Some(&product.name), &stage.import_roles, &what);
    let platforms = gates.prefer(chosen(product, wish.platforms))?;
    let wanted = gates.prefer(wanted(product, stage, &platforms, wish.arrivals))?;
    let entering = gates.prefer(entering(world, &wanted))?;
    gates.purged(world, &entering);
    gates.sound(world, &entering);
    gates.other_content(world, &entering);
    gates.variants(world, product, &entering, Reach::Site);
    gates.version_order(world, &entering, stage.versions);
    gates.signatures(world, &product.name, &stage.name, &entering);
    gates.freeze(world, &product.name, &[&stage.name], &entering);
    gates.procedure(product, &[&stage.name], &entering);
    let is_there = entering.is_empty();
    let subject = subject(&entering);
    let mut changes = BTreeMap::new();
    for (repository, enter) in entering {
        let listing = places::listing(world, &repository)?;
        let leave = superseded(&enter, listing, stage.versions);
        changes.extend(Change::of(listing, enter, leave).map(|change| (repository, change)));
    }
    gates.installable(world, product, stage, None, &changes);
    let gates = gates.finish()?;
    if is_there {
        let sentence =
            format!("everything that arrives is in `{}` of `{}` already", stage.name, product.name);
        return Ok(Decision::NothingToDo(Code::AlreadyThere, sentence));
    }
    let verb = if subject.starts_with('`') { "enters" } else { "enter" };
    let sentence = format!("{subject} {verb} `{}` of `{}`", stage.name, product.name);
    Ok(Decision::Effect(Plan { action: "import".to_owned(), sentence, changes, gates, ..Plan::default() }))
}

/// Finds the platforms. A package does not say for which operating system it was built, so a request must
/// where there are several.
fn chosen(product: &Product, asked: &[String]) -> Result<Vec<Platform>, Refusal> {
    let systems: BTreeSet<&str> = product.platforms.iter().map(|platform| platform.os.as_str()).collect();
    if asked.is_empty() && systems.len() > 1 {
        let sentence =
            format!("`{}` is for several operating systems, and the request names none", product.name);
        let known = product.platforms.iter().map(|platform| format!("`{platform}`"));
        let hint = format!(
            "name `platforms` (`--platform`), such as \"{}/*\"",
            systems.iter().next().unwrap_or(&"*")
        );
        return Err(Refusal::new(Code::Ambiguous, sentence).reasons(known).hint(hint));
    }
    places::platforms(product, asked)
}

/// Finds the repositories each arrival belongs in.
fn wanted(
    product: &Product,
    stage: &Stage,
    platforms: &[Platform],
    arrivals: &[Arrival],
) -> Result<Entering, Refusal> {
    if arrivals.is_empty() {
        return Err(Refusal::new(Code::NoSuchUpload, "there is no package to import"));
    }
    let mut wanted = Entering::new();
    let mut homeless = Vec::new();
    for arrival in arrivals {
        let nevra = &arrival.listed.nevra;
        let kind = Kind::of(nevra);
        let takes = |platform: &&Platform| kind == Kind::Source || nevra.arch.accepted_by(&platform.arch);
        let mut takers = platforms.iter().filter(takes).peekable();
        if takers.peek().is_none() {
            homeless.push(format!("`{nevra}`, which came as `{}`", arrival.from));
        }
        for platform in takers {
            let repository = product.repository(platform, &stage.name, kind);
            wanted.entry(repository).or_default().push(arrival.listed.clone());
        }
    }
    if homeless.is_empty() {
        return Ok(wanted);
    }
    let sentence = match homeless.as_slice() {
        [one] => format!("no platform takes {one}"),
        several => format!("no platform takes {} of the packages", several.len()),
    };
    let platforms: Vec<String> = platforms.iter().map(|platform| format!("`{platform}`")).collect();
    let hint = format!("the platforms are {}", platforms.join(", "));
    Err(Refusal::new(Code::ArchitectureNotTaken, sentence).reasons(homeless).hint(hint))
}

/// Leaves out what is listed already, and what arrives twice with the same bytes.
fn entering(world: &World, wanted: &Entering) -> Result<Entering, Refusal> {
    let mut entering = Entering::new();
    for (repository, arriving) in wanted {
        let mut there: BTreeSet<_> =
            places::listing(world, repository)?.iter().map(|listed| &listed.pkgid).collect();
        let enter: Vec<Listed> =
            arriving.iter().filter(|listed| there.insert(&listed.pkgid)).cloned().collect();
        if !enter.is_empty() {
            entering.insert(repository.clone(), enter);
        }
    }
    Ok(entering)
}

#[cfg(test)]
mod tests;
