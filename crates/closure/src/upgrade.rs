//! What `dnf upgrade` demands of a host: every package makes way for the best that follows it.

use nevra::Nevra;

use crate::clause::Clause;
use crate::world::{Layer, PackageId, World};

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
    let installed = world.of_layers(Layer::is_installed);
    installed.map(|from| Step { from, demand: Clause { any: best(world, from), none: vec![] } }).collect()
}

/// The best that can become of a package, by the order in which libsolv rules candidates out: by architecture, by
/// version, by what obsoletes what, and at last by the architecture that is installed.
fn best(world: &World<'_>, from: PackageId) -> Vec<PackageId> {
    let nevra = |id: &PackageId| &world.package(*id).nevra;
    let old = nevra(&from);
    let offered = |id: &PackageId| !world.is_installed(*id);
    let follows = |id: &PackageId| nevra(id).evr.rpm_cmp(&old.evr).is_ge() && may_follow(old, nevra(id));
    let named = world.each(|shelf| shelf.named(&old.name)).filter(|id| *id == from || offered(id));
    let replaces = |id: &PackageId| nevra(id).name != old.name && obsoletes(world, *id, old);
    let replacing = world.each(|shelf| shelf.refusing(&old.name)).filter(offered).filter(replaces);
    let mut best: Vec<PackageId> = named.filter(follows).chain(replacing).collect();
    best.sort_unstable();
    best.dedup();
    let any = |id: &PackageId| nevra(id).arch.as_str() == "noarch";
    let rank = best.iter().filter(|id| !any(id)).map(|id| world.rank(&nevra(id).arch)).min();
    best.retain(|id| any(id) || rank.is_none_or(|rank| world.rank(&nevra(id).arch) == rank));
    let all = best.clone();
    best.retain(|id| {
        let newer = |other: &&PackageId| nevra(other).evr.rpm_cmp(&nevra(id).evr).is_gt();
        !all.iter().filter(|other| nevra(other).name == nevra(id).name).any(|other| newer(&other))
    });
    let all = best.clone();
    best.retain(|id| {
        let mut others = all.iter().filter(|other| nevra(other).name != nevra(id).name);
        !others.any(|other| obsoletes(world, *other, nevra(id)))
    });
    let like_the_old = |id: &PackageId| nevra(id).name == old.name && nevra(id).arch == old.arch;
    if best.iter().any(like_the_old) {
        best.retain(|id| nevra(id).name != old.name || like_the_old(id));
    }
    // What does not change is kept as it is, rather than installed again.
    if best.is_empty() || best.contains(&from) { vec![from] } else { best }
}

fn obsoletes(world: &World<'_>, id: PackageId, old: &Nevra) -> bool {
    let provided = old.provided();
    world.package(id).obsoletes.iter().any(|obsolete| obsolete.overlaps(&provided))
}

/// dnf changes from and to `noarch`, and never from one word size to the other.
fn may_follow(old: &Nevra, new: &Nevra) -> bool {
    let any = |nevra: &Nevra| nevra.arch.as_str() == "noarch";
    let family = |nevra: &Nevra| matches!(nevra.arch.as_str(), "i386" | "i486" | "i586" | "i686" | "athlon");
    old.arch == new.arch || any(old) || any(new) || family(old) && family(new)
}
