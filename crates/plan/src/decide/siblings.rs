//! What goes along with packages that hosts install: what debugs them, and the source they were built from.
//!
//! Built together is what names one source package. Debuginfo of its own (`voms-libs-debuginfo`) goes where its package goes. What
//! several share (the source, `voms-debugsource`, one `voms-debuginfo` for all as el6 has it) goes along with the first of them and
//! leaves with the last: nobody is to offer a package without its source while another of it stays behind.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Arch;

use super::gates::Entering;
use crate::layout::{Kind, Repository};
use crate::world::{Listed, World};

/// How many are told one by one.
const TOLD_MAX: usize = 5;

/// What the name of debuginfo ends with.
const DEBUGINFO: &str = "-debuginfo";

/// What goes along, by the repository that lists it, without what was asked for itself; none of the lists is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Siblings {
    /// What nothing that stays needs.
    pub moving: Entering,
    /// What a package needs, too, that stays where it is.
    pub shared: Entering,
}

/// Finds what goes along with these packages, wherever they are listed.
pub(super) fn siblings(world: &World, asked: &Entering) -> Siblings {
    let mut siblings = Siblings::default();
    for (repository, packages) in asked.iter().filter(|(repository, _)| repository.kind == Kind::Binary) {
        let binaries = Binaries::of(listing(world, repository), packages);
        for kind in [Kind::Debug, Kind::Source] {
            let beside = Repository { kind, ..repository.clone() };
            let is_asked: BTreeSet<&Listed> = asked.get(&beside).into_iter().flatten().collect();
            for one in listing(world, &beside).iter().filter(|one| !is_asked.contains(one)) {
                let along = match binaries.verdict(kind, one) {
                    Verdict::Stays => continue,
                    Verdict::Moves => &mut siblings.moving,
                    Verdict::IsShared => &mut siblings.shared,
                };
                along.entry(beside.clone()).or_default().push(one.clone());
            }
        }
    }
    siblings
}

impl Siblings {
    /// Finds what leaves a stage with these packages: what something that stays was built of as well, stays.
    pub(super) fn leaving(world: &World, asked: &Entering) -> Self {
        Self { moving: siblings(world, asked).moving, shared: Entering::new() }
    }

    /// Leaves out what several share and a stage has already.
    pub(super) fn new_in(mut self, world: &World, stage: &str) -> Self {
        for (repository, shared) in &mut self.shared {
            let there: BTreeSet<_> =
                listing(world, &repository.in_stage(stage)).iter().map(|one| &one.pkgid).collect();
            shared.retain(|one| !there.contains(&one.pkgid));
        }
        self.shared.retain(|_, shared| !shared.is_empty());
        self
    }

    /// Says what goes along, and what of it stays in the stage as well.
    pub(super) fn notes(&self, from: &str) -> Vec<String> {
        let names = |of: &Entering| -> BTreeSet<String> {
            of.values().flatten().map(|one| format!("`{}`", one.nevra)).collect()
        };
        let (moving, shared) = (names(&self.moving), names(&self.shared));
        if moving.len() + shared.len() > TOLD_MAX {
            let mut notes = Vec::new();
            if !moving.is_empty() {
                notes.push(format!(
                    "{} debug and source packages that were built with them go along",
                    moving.len()
                ));
            }
            if !shared.is_empty() {
                let count = shared.len();
                notes.push(format!("{count} debug and source packages go along and stay in `{from}`, too, for what stays there"));
            }
            return notes;
        }
        let moving = moving.iter().map(|name| format!("{name} goes along, built with it"));
        let shared = shared.iter().map(|name| {
            format!("{name} goes along, and stays in `{from}`, too, for what stays there of the same source")
        });
        moving.chain(shared).collect()
    }
}

enum Verdict {
    Stays,
    Moves,
    IsShared,
}

/// What hosts install of the sources that something is asked of, by the file name of the source: what goes, and what stays.
struct Binaries<'a> {
    by_source: BTreeMap<&'a str, [Vec<&'a Listed>; 2]>,
}

impl<'a> Binaries<'a> {
    fn of(listing: &'a [Listed], asked: &'a [Listed]) -> Self {
        let mut by_source: BTreeMap<&str, [Vec<&Listed>; 2]> = BTreeMap::new();
        for one in asked.iter().filter(|one| !one.source_rpm.is_empty()) {
            by_source.entry(&one.source_rpm).or_default()[0].push(one);
        }
        let asked: BTreeSet<&Listed> = asked.iter().collect();
        for one in listing.iter().filter(|one| !asked.contains(one)) {
            if let Some([_, stays]) = by_source.get_mut(one.source_rpm.as_str()) {
                stays.push(one);
            }
        }
        Self { by_source }
    }

    /// Says what becomes of a sibling.
    fn verdict(&self, kind: Kind, one: &Listed) -> Verdict {
        let source = if kind == Kind::Source { one.nevra.file_name() } else { one.source_rpm.clone() };
        let Some([goes, stays]) = self.by_source.get(source.as_str()) else { return Verdict::Stays };
        if kind == Kind::Source {
            return if stays.is_empty() { Verdict::Moves } else { Verdict::IsShared };
        }
        // What is built for another architecture is not debugged by it.
        let is_of_arch = |arch: &Arch| *arch == one.nevra.arch;
        let of_arch = |all: &[&'a Listed]| -> Vec<&'a str> {
            let fit = all.iter().filter(|listed| is_of_arch(&listed.nevra.arch));
            fit.map(|listed| listed.nevra.name.as_str()).collect()
        };
        let (goes, stays) = (of_arch(goes), of_arch(stays));
        let own = one.nevra.name.strip_suffix(DEBUGINFO);
        if own.is_some_and(|own| stays.contains(&own)) || goes.is_empty() {
            return Verdict::Stays;
        }
        match own.is_some_and(|own| goes.contains(&own)) || stays.is_empty() {
            true => Verdict::Moves,
            false => Verdict::IsShared,
        }
    }
}

fn listing<'a>(world: &'a World, repository: &Repository) -> &'a [Listed] {
    world.repositories.get(repository).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests;
