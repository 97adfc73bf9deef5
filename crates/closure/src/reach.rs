//! What a change can affect: everything from which a changed package can be reached.

use std::collections::BTreeSet;

use crate::world::{PackageId, World};

/// Finds the packages that need, refuse or would make way for one of those given, directly or through others.
///
/// Ranges are not looked at: a newer version of what is needed affects, too.
pub(crate) fn reached(world: &World<'_>, changed: Vec<PackageId>) -> BTreeSet<PackageId> {
    let mut found: BTreeSet<PackageId> = changed.iter().copied().collect();
    let mut names: BTreeSet<String> = BTreeSet::new();
    // What a changed package replaces affects those that need it as if it were changed itself.
    let replaced = changed.iter().flat_map(|id| {
        let package = world.package(*id);
        let refused = package.obsoletes.iter().chain(&package.conflicts);
        refused.flat_map(|old| world.offering(old).to_vec()).collect::<Vec<_>>()
    });
    let mut open: Vec<PackageId> = changed.iter().copied().chain(replaced).collect();
    let mut walked = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !walked.insert(id) {
            continue;
        }
        found.insert(id);
        let package = world.package(id);
        let provided = package.provides.iter().map(|provided| &provided.name);
        let files = package.files.iter().map(|file| &file.path);
        let beside = world.owned_beside(id).iter();
        for name in provided.chain([&package.nevra.name]).chain(files).chain(beside) {
            world.work().count(1);
            if names.contains(name) {
                continue;
            }
            let wanting: Vec<_> = world.each(|shelf| shelf.wanting(name)).collect();
            if !wanting.is_empty() {
                names.insert(name.clone());
            }
            open.extend(wanting.into_iter().filter(|id| !walked.contains(id)));
        }
    }
    found
}

/// Finds the packages of the second word size that bear the name of one of those given: they stand only beside their twin where
/// there is any version for the platform itself, so what comes or goes there changes what they may do.
pub(crate) fn twins(world: &World<'_>, changed: &[PackageId]) -> Vec<PackageId> {
    let is_second = |id: &PackageId| world.is_second(&world.package(*id).nevra.arch);
    let first: BTreeSet<&str> =
        changed.iter().filter(|id| !is_second(id)).map(|id| &*world.package(*id).nevra.name).collect();
    let named = first.into_iter().flat_map(|name| world.each(move |shelf| shelf.named(name)));
    named.filter(is_second).collect()
}

/// The packages given and their [`twins`].
pub(crate) fn with_twins(world: &World<'_>, mut changed: Vec<PackageId>) -> Vec<PackageId> {
    changed.extend(twins(world, &changed));
    changed
}
