//! What `dnf upgrade` demands of a host: every package makes way for the best that follows it.

use nevra::Nevra;

use crate::clause::Clause;
use crate::world::{PackageId, World};

/// What must become of one installed package.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The package as it is installed.
    pub(crate) from: PackageId,
    /// One of these must be there afterwards.
    pub(crate) demand: Clause,
}

/// Works out what becomes of each package that a host has, with dnf's `best=1`: the newest version of its
/// name, or what obsoletes it; itself if nothing follows. Nothing is ever removed.
pub(crate) fn steps(world: &World<'_>) -> Vec<Step> {
    let host = world.layers().iter().position(|layer| layer.installed);
    let installed = host.into_iter().flat_map(|layer| world.of_layer(layer));
    installed.map(|from| Step { from, demand: Clause { any: best(world, from), none: vec![] } }).collect()
}

fn best(world: &World<'_>, from: PackageId) -> Vec<PackageId> {
    let old = &world.package(from).nevra;
    let offered = |id: &PackageId| !world.is_installed(*id);
    let follows = |id: &PackageId| {
        let new = &world.package(*id).nevra;
        new.evr.rpm_cmp(&old.evr).is_gt() && may_follow(old, new)
    };
    let newer: Vec<_> = world.each(|shelf| shelf.named(&old.name)).filter(offered).filter(follows).collect();
    let obsoletes = |id: &PackageId, old: &Nevra| {
        let provided = old.provided();
        world.package(*id).obsoletes.iter().any(|obsolete| obsolete.overlaps(&provided))
    };
    let replaces = |id: &PackageId| world.package(*id).nevra.name != old.name && obsoletes(id, old);
    let replacing: Vec<_> =
        world.each(|shelf| shelf.refusing(&old.name)).filter(offered).filter(replaces).collect();
    if newer.is_empty() && replacing.is_empty() {
        return vec![from];
    }
    let mut best: Vec<PackageId> = Vec::new();
    for id in newer.into_iter().chain(replacing) {
        let new = &world.package(id).nevra;
        let beaten = |other: &PackageId| {
            let other = &world.package(*other).nevra;
            let by_arch = world.is_second(&new.arch).cmp(&world.is_second(&other.arch));
            other.name == new.name && other.evr.rpm_cmp(&new.evr).then(by_arch).is_gt()
        };
        if best.iter().any(beaten) {
            continue;
        }
        best.retain(|other| {
            let other = &world.package(*other).nevra;
            let by_arch = world.is_second(&other.arch).cmp(&world.is_second(&new.arch));
            other.name != new.name || new.evr.rpm_cmp(&other.evr).then(by_arch).is_le()
        });
        best.push(id);
    }
    let obsolete = |id: &PackageId| {
        let nevra = &world.package(*id).nevra;
        best.iter().any(|other| world.package(*other).nevra.name != nevra.name && obsoletes(other, nevra))
    };
    let left: Vec<_> = best.iter().copied().filter(|id| !obsolete(id)).collect();
    if left.is_empty() { best } else { left }
}

/// dnf changes from and to `noarch`, and never from one word size to the other.
fn may_follow(old: &Nevra, new: &Nevra) -> bool {
    let any = |nevra: &Nevra| nevra.arch.as_str() == "noarch";
    let family = |nevra: &Nevra| matches!(nevra.arch.as_str(), "i386" | "i486" | "i586" | "i686" | "athlon");
    old.arch == new.arch || any(old) || any(new) || family(old) && family(new)
}
