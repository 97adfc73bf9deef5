//! What a package states about what else is installed.

use std::collections::BTreeSet;

use crate::clause::{Clause, clauses_of, wanted};
use crate::rich::{Rich, is_rich};
use crate::unjudged::Unjudged;
use crate::world::{PackageId, World};

/// Which words of a package a statement comes from, by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    Requires(usize),
    Conflicts(usize),
    Obsoletes(usize),
    /// dnf takes a second word size only beside the first, in the same version, where there is a first.
    Twin,
    /// A package for every architecture takes the place of all others of its name.
    OneOfAName,
}

impl Source {
    fn is_requires(self) -> bool {
        matches!(self, Self::Requires(_))
    }
}

/// Holds wherever the package is installed.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) source: Source,
    pub(crate) clause: Clause,
}

/// Works out what a package states; what holds in any case is left out.
pub(crate) fn statements_of(world: &World<'_>, id: PackageId) -> Result<Vec<Statement>, Unjudged> {
    let package = world.package(id);
    let (mut all, mut known) = (Vec::new(), Known::new());
    world.work().count(1 + package.requires.len() + package.conflicts.len() + package.obsoletes.len());
    for (at, required) in package.requires.iter().enumerate() {
        if required.name.starts_with("rpmlib(") {
            continue;
        }
        let clauses = match is_rich(&required.name) {
            false => vec![wanted(world, required)],
            true => unfolded(world, id, &required.name, true)?,
        };
        put(&mut all, &mut known, id, Source::Requires(at), clauses);
        if world.work().is_over() {
            return Err(Unjudged::TooMuch);
        }
    }
    for (at, refused) in package.conflicts.iter().enumerate() {
        let clauses = match is_rich(&refused.name) {
            false => absent(world.offering(refused).iter().copied(), id),
            true => unfolded(world, id, &refused.name, false)?,
        };
        put(&mut all, &mut known, id, Source::Conflicts(at), clauses);
        if world.work().is_over() {
            return Err(Unjudged::TooMuch);
        }
    }
    for (at, old) in package.obsoletes.iter().enumerate() {
        let named = world.each(|shelf| shelf.named(&old.name));
        let old = named.filter(|one| world.package(*one).nevra.provided().overlaps(old));
        put(&mut all, &mut known, id, Source::Obsoletes(at), absent(old.collect::<Vec<_>>(), id));
    }
    put(&mut all, &mut known, id, Source::Twin, twin(world, id).into_iter().collect());
    if package.nevra.arch.as_str() == "noarch" {
        let mut group = world.group_of(id);
        group.second = true;
        put(&mut all, &mut known, id, Source::OneOfAName, absent(world.group(&group), id));
    }
    Ok(all)
}

/// Demands the same version for the best architecture that the name comes in, unless the package is that.
///
/// This is what libsolv calls lock-step, as it is built for Fedora and EL. It looks only at what a question
/// reaches, we at everything there is: where only *other* versions come in the better architecture, and nothing
/// leads to them, dnf would take the package alone.
fn twin(world: &World<'_>, id: PackageId) -> Option<Clause> {
    let nevra = &world.package(id).nevra;
    let own = world.rank(&nevra.arch);
    if own == 0 || world.is_installed(id) {
        return None;
    }
    let named: Vec<_> = world.each(|shelf| shelf.named(&nevra.name)).collect();
    let rank = |id: &PackageId| world.rank(&world.package(*id).nevra.arch);
    let any = |id: &PackageId| world.package(*id).nevra.arch.as_str() == "noarch";
    let offered = named.iter().filter(|id| !any(id) && !world.is_installed(**id));
    let best = offered.map(rank).min().unwrap_or(own);
    let same = |other: &PackageId| {
        world.package(*other).nevra.evr == nevra.evr && (rank(other) == best || any(other))
    };
    (best < own).then(|| Clause { any: named.iter().copied().filter(same).collect(), none: vec![] })
}

/// One clause for each package that must be absent.
fn absent(all: impl IntoIterator<Item = PackageId>, own: PackageId) -> Vec<Clause> {
    let one = |id| Clause { any: vec![], none: vec![vec![id]] };
    all.into_iter().filter(|id| *id != own).map(one).collect()
}

fn unfolded(world: &World<'_>, id: PackageId, text: &str, wanted: bool) -> Result<Vec<Clause>, Unjudged> {
    let subject = || world.package(id).nevra.to_string();
    let rich = Rich::parse(text).map_err(|error| Unjudged::Rich { subject: subject(), error })?;
    let shown = || text.chars().take(80).collect();
    clauses_of(world, &rich, wanted).map_err(|_| Unjudged::Unfolds { subject: subject(), text: shown() })
}

/// What was put already: many packages require one thing by many names.
type Known = BTreeSet<Clause>;

fn put(all: &mut Vec<Statement>, known: &mut Known, id: PackageId, source: Source, clauses: Vec<Clause>) {
    for clause in clauses.into_iter().filter_map(|clause| clause.beside(id)) {
        let repeats = source.is_requires() && !known.insert(clause.clone());
        if !repeats {
            all.push(Statement { source, clause });
        }
    }
}
