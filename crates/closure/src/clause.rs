//! A demand on what is installed together, as alternatives.

use std::collections::BTreeSet;

use nevra::Dependency;

use crate::rich::Rich;
use crate::world::{PackageId, World};

/// How many alternatives one rich dependency may unfold to.
const CLAUSES_MAX: usize = 512;

/// Demands that one of the packages be there, or that all packages of one of the sets be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Clause {
    /// One of these, the best choice first.
    pub(crate) any: Vec<PackageId>,
    /// Or none of all those in one of these.
    pub(crate) none: Vec<Vec<PackageId>>,
}

/// A rich dependency unfolds to too much.
#[derive(Debug)]
pub(crate) struct Unfolds;

impl Clause {
    /// Says whether it holds where exactly the packages for which `is_there` says so are installed.
    pub(crate) fn holds(&self, is_there: &impl Fn(PackageId) -> bool) -> bool {
        self.any.iter().any(|id| is_there(*id))
            || self.none.iter().any(|absent| !absent.iter().any(|id| is_there(*id)))
    }

    /// What is left of it for a package that is there itself; nothing if it holds whatever else there is.
    pub(crate) fn beside(mut self, own: PackageId) -> Option<Clause> {
        if self.any.contains(&own) || self.none.iter().any(Vec::is_empty) {
            return None;
        }
        self.none.retain(|absent| !absent.contains(&own));
        Some(self)
    }
}

/// Unfolds a rich dependency into clauses that must all hold; `wanted` is false for a conflict.
pub(crate) fn clauses_of(world: &World<'_>, rich: &Rich, wanted: bool) -> Result<Vec<Clause>, Unfolds> {
    let both = |parts: Vec<Vec<Clause>>| bounded(parts.concat());
    let either = |parts: Vec<Vec<Clause>>| {
        parts.into_iter().try_fold(vec![Clause::default()], |all, part| product(&all, &part))
    };
    let all_of = |parts: &[Rich]| {
        parts.iter().map(|part| clauses_of(world, part, wanted)).collect::<Result<Vec<_>, _>>()
    };
    match (rich, wanted) {
        (Rich::Simple(dependency), _) => {
            Ok(vec![literal(world, world.offering(dependency).to_vec(), wanted)])
        }
        (Rich::With(_) | Rich::Without(..), _) => Ok(vec![literal(world, set_of(world, rich), wanted)]),
        (Rich::And(parts), true) | (Rich::Or(parts), false) => both(all_of(parts)?),
        (Rich::Or(parts), true) | (Rich::And(parts), false) => either(all_of(parts)?),
        // a if b else c: (a or not b) and (c or b)
        (Rich::If(a, b, c), true) => {
            let mut all = product(&clauses_of(world, a, true)?, &clauses_of(world, b, false)?)?;
            if let Some(c) = c {
                all.extend(product(&clauses_of(world, c, true)?, &clauses_of(world, b, true)?)?);
            }
            bounded(all)
        }
        // Its contrary: (not a and b) or (not c and not b)
        (Rich::If(a, b, c), false) => {
            let first = both(vec![clauses_of(world, a, false)?, clauses_of(world, b, true)?])?;
            let Some(c) = c else { return Ok(first) };
            product(&first, &both(vec![clauses_of(world, c, false)?, clauses_of(world, b, false)?])?)
        }
        // a unless b else c: (a and not b) or (c and b)
        (Rich::Unless(a, b, c), true) => {
            let first = both(vec![clauses_of(world, a, true)?, clauses_of(world, b, false)?])?;
            let Some(c) = c else { return Ok(first) };
            product(&first, &both(vec![clauses_of(world, c, true)?, clauses_of(world, b, true)?])?)
        }
        (Rich::Unless(a, b, c), false) => {
            let mut all = product(&clauses_of(world, a, false)?, &clauses_of(world, b, true)?)?;
            if let Some(c) = c {
                all.extend(product(&clauses_of(world, c, false)?, &clauses_of(world, b, false)?)?);
            }
            bounded(all)
        }
    }
}

/// The one clause of a simple dependency.
pub(crate) fn wanted(world: &World<'_>, dependency: &Dependency) -> Clause {
    literal(world, world.offering(dependency).to_vec(), true)
}

fn literal(world: &World<'_>, found: Vec<PackageId>, wanted: bool) -> Clause {
    world.work().count(found.len());
    if wanted { Clause { any: found, none: vec![] } } else { Clause { any: vec![], none: vec![found] } }
}

/// The packages that are everything a dependency with `with`, `without` and `or` asks of one package.
fn set_of(world: &World<'_>, rich: &Rich) -> Vec<PackageId> {
    match rich {
        Rich::Simple(dependency) => world.offering(dependency).to_vec(),
        Rich::With(parts) => {
            let mut parts = parts.iter().map(|part| set_of(world, part));
            let first = parts.next().unwrap_or_default();
            parts.fold(first, |all, part| {
                let part: BTreeSet<_> = part.into_iter().collect();
                all.into_iter().filter(|id| part.contains(id)).collect()
            })
        }
        Rich::Without(a, b) => {
            let without: BTreeSet<_> = set_of(world, b).into_iter().collect();
            set_of(world, a).into_iter().filter(|id| !without.contains(id)).collect()
        }
        Rich::Or(parts) | Rich::And(parts) => {
            let mut seen = BTreeSet::new();
            parts.iter().flat_map(|part| set_of(world, part)).filter(|id| seen.insert(*id)).collect()
        }
        // rpm takes none of these below `with`, nothing is both.
        Rich::If(..) | Rich::Unless(..) => Vec::new(),
    }
}

/// Every alternative of the one with every alternative of the other.
fn product(one: &[Clause], two: &[Clause]) -> Result<Vec<Clause>, Unfolds> {
    if one.len().saturating_mul(two.len()) > CLAUSES_MAX {
        return Err(Unfolds);
    }
    let mut all = Vec::with_capacity(one.len() * two.len());
    for a in one {
        for b in two {
            let mut clause = a.clone();
            clause.any.extend(b.any.iter().filter(|id| !a.any.contains(id)));
            clause.none.extend(b.none.iter().filter(|absent| !a.none.contains(absent)).cloned());
            all.push(clause);
        }
    }
    bounded(all)
}

fn bounded(mut clauses: Vec<Clause>) -> Result<Vec<Clause>, Unfolds> {
    if clauses.len() > 1 {
        let mut seen = BTreeSet::new();
        clauses.retain(|clause| seen.insert(clause.clone()));
    }
    let size: usize =
        clauses.iter().map(|clause| clause.any.len() + clause.none.iter().map(Vec::len).sum::<usize>()).sum();
    if clauses.len() > CLAUSES_MAX || size > 1_000_000 { Err(Unfolds) } else { Ok(clauses) }
}
