//! Partial release: some packages move on, others stay. Meta-packages that pin both are built anew for the target, so that
//! they pin nothing there that is not released.
//!
//! Also whenever a meta-package follows that was released in part: what is listed under its name has other bytes, so its
//! release rises, or hosts would never take it.

use std::collections::{BTreeMap, BTreeSet};

use closure::Shelf;
use nevra::Nevra;

use super::gates::{Entering, Gates};
use super::pins::{is_for_hosts, is_met, pins_of};
use super::places;
use super::promote::Wish;
use super::raise::Releases;
use super::remake::{Known, Made, Otherwise, Remake, Remaking, known, newest};
use super::rollback::enabled;
use crate::layout::{Kind, PartialRelease, Product, Repository, Stage};
use crate::refusal::{Code, Refusal};
use crate::request::Partial;
use crate::world::{Listed, World};

/// What a promotion does beside moving packages.
#[derive(Default)]
pub(super) struct Parts {
    pub made: Made,
    /// What enters repositories of either stage, built anew.
    pub enter: Entering,
    /// What leaves the source for something that was made of it.
    pub leave: Entering,
    /// Of what something was made.
    pub sources: Entering,
    pub notes: Vec<String>,
}

/// What is made for one platform.
struct OnPlatform {
    source: Repository,
    for_target: Vec<Remake>,
    for_source: Vec<Remake>,
}

/// Works out what is built anew, and takes it out of what is `moving`; whole meta-packages that a partial release completes
/// are added to it.
pub(super) fn parts(
    gates: &mut Gates<'_>,
    world: &World,
    (product, target): (&Product, &Stage),
    wish: &Wish<'_>,
    moving: &mut Entering,
) -> Result<Parts, Refusal> {
    let mut parts = Parts::default();
    let is_asked = |(source, packages): &(&Repository, &Vec<Listed>)| {
        source.kind == Kind::Binary
            && !packages.is_empty()
            && (wish.partial.is_some() || has_part(world, source, target))
    };
    let sources: Vec<Repository> = moving.iter().filter(is_asked).map(|(source, _)| source.clone()).collect();
    if sources.is_empty() {
        return Ok(parts);
    }
    let parted = sources.iter().filter(|source| has_part(world, source, target));
    let parted: Vec<Repository> = parted.map(|source| source.in_stage(&target.name)).collect();
    let indexes = gates.indexes(world, sources.iter().chain(&parted).cloned())?;
    let from = gates.prefer(places::stage(product, wish.from))?;
    let releases = || Releases::of(world, product.raising, &[]);
    let why = |stage: &str| {
        format!("released in part from {} to {} of {}, for {stage}", wish.from, wish.to, product.name)
    };
    let kept = product.partial_release == PartialRelease::Variant && wish.partial.is_some();
    let mut raised = Remaking::of(product, target, Some(gates.prefer(releases())?), why(wish.to));
    let mut variants = Remaking::of(product, target, None, why(wish.to));

    let mut all = Vec::new();
    for source in &sources {
        let listing = places::listing(world, source)?;
        let packages = known(listing, &indexes[source]);
        let there = There::of(world, product, target, source, &moving[source]);
        let has_twin = |known: &Known<'_>| twin(world, source, target, known.0).is_some();
        // What was released in part follows what it pins, whether or not somebody says so.
        let follows = |known: &Known<'_>| wish.partial.is_some() || has_twin(known);
        let affected = affected(&raised, &packages, &moving[source], &follows);
        let mut names: BTreeMap<&str, Vec<&Nevra>> = BTreeMap::new();
        for (listed, _) in &packages {
            names.entry(&listed.nevra.name).or_default().push(&listed.nevra);
        }
        let otherwise = |known: &Known<'_>| {
            let mut otherwise = match follows(known) {
                true => there.otherwise(known, &names, &affected),
                false => Otherwise::default(),
            };
            otherwise.is_forced = has_twin(known);
            otherwise
        };
        let metas: Vec<Known<'_>> =
            packages.iter().filter(|(listed, _)| affected.contains(&listed.nevra)).copied().collect();
        // A file that bears the name already must be told apart by the release.
        let is_variant = kept && !metas.iter().any(has_twin);
        let remaking = if is_variant { &mut variants } else { &mut raised };
        let for_target = gates.prefer(remaking.remake(&metas, &otherwise))?;
        let is_made = |nevra: &Nevra| for_target.iter().any(|remake| remake.of.nevra == *nevra);
        let moved = moving.get_mut(source).expect("its keys were looked at");
        for (listed, _) in metas.iter().filter(|(listed, _)| !is_made(&listed.nevra)) {
            let target = source.in_stage(&target.name);
            let is_there = world
                .repositories
                .get(&target)
                .is_some_and(|all| all.iter().any(|one| one.pkgid == listed.pkgid));
            if !moved.contains(listed) && !is_there {
                parts.notes.push(format!("`{}` moves, too: all that it pins is released", listed.nevra));
                moved.push((*listed).clone());
            }
        }
        let staying = staying(&for_target);
        if wish.partial == Some(Partial::Both) && !is_variant && !staying.is_empty() {
            return gates.prefer(Err(only_variants(product, &staying)));
        }
        moved.retain(|listed| !is_made(&listed.nevra));
        let leave: Vec<Listed> = for_target
            .iter()
            .filter(|remake| !staying.contains(&remake.of.nevra) || wish.partial == Some(Partial::Both))
            .map(|remake| remake.of.clone())
            .collect();
        parts.leave.entry(source.clone()).or_default().extend(leave);
        let mut for_target = for_target;
        let there = source.in_stage(&target.name);
        if let Some(index) = indexes.get(&there) {
            let more = gates.prefer(following(world, remaking, &there, index, &for_target))?;
            let leave = more.iter().map(|remake| remake.of.clone());
            parts.leave.entry(there).or_default().extend(leave);
            // What is listed in both, for an overlap, is built anew once.
            let is_known = |one: &Remake| for_target.iter().any(|known| known.recipe == one.recipe);
            let more: Vec<Remake> = more.into_iter().filter(|one| !is_known(one)).collect();
            for_target.extend(more);
        }
        all.push((source.clone(), for_target, staying, is_variant));
    }
    // Hosts that draw from the source as well must see something newer there than in the target.
    let why_source =
        format!("goes on in {} of {}, newer than what was released in part", from.name, product.name);
    // It follows into the target later, and is signed for that.
    let mut again = raised.go_on(target, why_source);
    let mut remade = Vec::new();
    for (source, for_target, staying, is_variant) in all {
        let listing = places::listing(world, &source)?;
        let packages = known(listing, &indexes[&source]);
        let for_source = if is_variant || staying.is_empty() || wish.partial == Some(Partial::Both) {
            Vec::new()
        } else {
            let leaving: BTreeSet<&Nevra> =
                parts.leave[&source].iter().chain(&moving[&source]).map(|one| &one.nevra).collect();
            let stays: Vec<Known<'_>> =
                packages.iter().filter(|(listed, _)| !leaving.contains(&listed.nevra)).copied().collect();
            let forced = |known: &Known<'_>| Otherwise {
                is_forced: staying.contains(&known.0.nevra),
                ..Otherwise::default()
            };
            gates.prefer(again.remake(&stays, &forced))?
        };
        let leave = for_source.iter().map(|remake| remake.of.clone());
        parts.leave.entry(source.clone()).or_default().extend(leave);
        remade.push(OnPlatform { source, for_target, for_source });
    }
    let every: Vec<&Remake> =
        remade.iter().flat_map(|one| one.for_target.iter().chain(&one.for_source)).collect();
    let made = gates.made(world, &every)?;
    for OnPlatform { source, for_target, for_source } in &remade {
        let target = source.in_stage(&target.name);
        let enter = parts.made.take(&target, for_target, &made);
        if wish.partial == Some(Partial::Both) {
            parts.enter.entry(source.clone()).or_default().extend(enter.iter().cloned());
        }
        parts.enter.entry(target).or_default().extend(enter);
        let enter = parts.made.take(source, for_source, &made);
        parts.enter.entry(source.clone()).or_default().extend(enter);
        let listing = places::listing(world, source)?;
        let sources = for_target.iter().map(|remake| &remake.of).filter(|of| listing.contains(of)).cloned();
        parts.sources.entry(source.clone()).or_default().extend(sources);
    }
    Ok(parts)
}

/// Names what stays in the source: what pins something that is not released, or pins what does. What only rises because
/// its name is taken goes on whole.
fn staying(for_target: &[Remake]) -> BTreeSet<Nevra> {
    let raised: BTreeSet<&str> = for_target.iter().map(|remake| remake.of.nevra.name.as_str()).collect();
    let mut staying: BTreeSet<Nevra> = BTreeSet::new();
    loop {
        let stays = |remake: &&Remake| {
            !staying.contains(&remake.of.nevra)
                && remake.told.iter().any(|change| {
                    !raised.contains(change.name.as_str())
                        || staying.iter().any(|one| one.name == change.name)
                })
        };
        let more: Vec<Nevra> =
            for_target.iter().filter(stays).map(|remake| remake.of.nevra.clone()).collect();
        if more.is_empty() {
            return staying;
        }
        staying.extend(more);
    }
}

/// Builds anew what the target lists already and what pins, by its release, a part that is followed by the whole.
fn following(
    world: &World,
    remaking: &mut Remaking<'_>,
    target: &Repository,
    index: &Shelf,
    for_target: &[Remake],
) -> Result<Vec<Remake>, Refusal> {
    let packages = known(places::listing(world, target)?, index);
    let (newest, _) = newest(&packages);
    remaking.remake(&newest, &|(_, package)| {
        let mut otherwise = Otherwise::default();
        for remake in for_target {
            for pin in pins_of(package).iter().filter(|pin| pin.is_met_by(&remake.of.nevra)) {
                if !pin.is_met_by(&remake.becomes) {
                    otherwise.pin(pin, Some(&remake.becomes.evr));
                }
            }
        }
        otherwise
    })
}

/// Refuses to list in both stages what is raised: hosts of the source have more than it pins.
fn only_variants(product: &Product, staying: &BTreeSet<Nevra>) -> Refusal {
    let names: Vec<String> = staying.iter().map(|nevra| format!("`{nevra}`")).collect();
    let sentence = format!(
        "`partial = \"both\"` lists one file in both stages, and the release of {} would rise above what hosts of the source have",
        names.join(", ")
    );
    let hint = match product.partial_release {
        PartialRelease::Raised => {
            "say `partial = \"target\"`, or `partial_release = \"variant\"` for the product"
        }
        PartialRelease::Variant => "say `partial = \"target\"`: a part was released under that name before",
    };
    Refusal::new(Code::Malformed, sentence).hint(hint)
}

/// Finds another file that the target lists under the name of a package because people decided so: a part of it.
fn twin<'a>(world: &'a World, source: &Repository, target: &Stage, one: &Listed) -> Option<&'a Listed> {
    let mut decided = world.standing.variants.values().filter(|variant| variant.is_decided());
    if !decided.any(|variant| variant.package == one.nevra) {
        return None;
    }
    let listing = world.repositories.get(&source.in_stage(&target.name))?;
    let is_decided =
        |listed: &&Listed| world.standing.variant(&one.nevra, &listed.pkgid, &one.pkgid).is_some();
    listing.iter().find(|listed| listed.nevra == one.nevra && listed.pkgid != one.pkgid).filter(is_decided)
}

/// Says whether the source lists something of which the target has a part.
fn has_part(world: &World, source: &Repository, target: &Stage) -> bool {
    let decided = world.standing.variants.values().filter(|variant| variant.is_decided());
    let names: BTreeSet<&Nevra> = decided.map(|variant| &variant.package).collect();
    let listing = world.repositories.get(source).map(Vec::as_slice).unwrap_or_default();
    let mut named = listing.iter().filter(|listed| names.contains(&listed.nevra));
    !names.is_empty() && named.any(|one| twin(world, source, target, one).is_some())
}

/// Names the meta-packages that are to be in the target: those that move, and of a partial release those that pin
/// something that moves, themselves or by way of another.
fn affected(
    remaking: &Remaking<'_>,
    packages: &[Known<'_>],
    moving: &[Listed],
    follows: &dyn Fn(&Known<'_>) -> bool,
) -> BTreeSet<Nevra> {
    let (newest, older) = newest(packages);
    let is_meta = |(_, package): &&Known<'_>| remaking.meta_packages.has(package);
    let is_named = |known: &&Known<'_>| moving.contains(known.0);
    let metas: Vec<&Known<'_>> = newest.iter().chain(older.iter().filter(is_named)).filter(is_meta).collect();
    let mut moved: BTreeSet<&Nevra> = moving.iter().map(|listed| &listed.nevra).collect();
    let mut found: BTreeSet<Nevra> = BTreeSet::new();
    loop {
        let pins = |package: &closure::Package| {
            let pins = pins_of(package);
            moved.iter().any(|nevra| pins.iter().any(|pin| pin.is_met_by(nevra)))
        };
        let more: Vec<&Known<'_>> = metas
            .iter()
            .filter(|(listed, package)| {
                !found.contains(&listed.nevra)
                    && (moved.contains(&listed.nevra) || follows(&(*listed, *package)) && pins(package))
            })
            .copied()
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more.iter().map(|(listed, _)| listed.nevra.clone()));
        moved.extend(more.iter().map(|(listed, _)| &listed.nevra));
    }
}

/// What hosts of the target will be offered, by name.
struct There<'a> {
    offered: BTreeMap<&'a str, BTreeSet<&'a Nevra>>,
}

impl<'a> There<'a> {
    fn of(
        world: &'a World,
        product: &'a Product,
        target: &'a Stage,
        source: &Repository,
        moving: &'a [Listed],
    ) -> There<'a> {
        let mut offered: BTreeMap<&str, BTreeSet<&Nevra>> = BTreeMap::new();
        let stages = [target.name.as_str()].into_iter().chain(enabled(product, target));
        // Hosts of the target do not draw from the stage that packages are taken from, whatever else they draw from.
        let stages = stages.filter(|stage| *stage != source.stage);
        let there = stages.filter_map(|stage| world.repositories.get(&source.in_stage(stage))).flatten();
        for listed in there.chain(moving) {
            offered.entry(&listed.nevra.name).or_default().insert(&listed.nevra);
        }
        There { offered }
    }

    /// Says what a meta-package must pin instead of what is not released.
    fn otherwise(
        &self,
        (_, package): &Known<'_>,
        names: &BTreeMap<&str, Vec<&Nevra>>,
        affected: &BTreeSet<Nevra>,
    ) -> Otherwise {
        let mut otherwise = Otherwise::default();
        for pin in pins_of(package) {
            let ours = names.get(pin.name.as_str()).map(Vec::as_slice).unwrap_or_default();
            let there = self.offered.get(pin.name.as_str());
            // What is of no product of ours is not ours to pin otherwise.
            let is_ours = !ours.is_empty() || there.is_some();
            // Whatever architecture it is released for, hosts that had the first one do not take the second.
            let stays: BTreeSet<&Nevra> =
                ours.iter().copied().filter(|nevra| there.is_none_or(|all| !all.contains(nevra))).collect();
            let is_there = is_met(&pin, &stays, there.into_iter().flatten().copied());
            let enters = ours.iter().any(|nevra| affected.contains(*nevra) && pin.is_met_by(nevra));
            if is_ours && !is_there && !enters {
                let known: Vec<&Nevra> = ours.iter().chain(there.into_iter().flatten()).copied().collect();
                let would_do = there.into_iter().flatten().filter(|nevra| is_for_hosts(&pin, nevra, &known));
                let newest = would_do.map(|nevra| &nevra.evr).max_by(|a, b| a.rpm_cmp(b));
                otherwise.pin(&pin, newest);
            }
        }
        otherwise
    }
}

#[cfg(test)]
mod tests;
