//! Whether demands can be met: the best choices first, the solver where they do not work out.

use std::collections::BTreeSet;

use crate::clause::Clause;
use crate::proof::{Together, holds};
use crate::solver::{Mask, Outcome, solve};
use crate::unjudged::Unjudged;
use crate::world::{PackageId, World};

/// Meets the demand that one package be there, which somebody names in full.
pub(crate) fn install_one(world: &World<'_>, id: PackageId) -> Result<Outcome, Unjudged> {
    world.let_alone(BTreeSet::from([id]));
    install(world, &[demand(id)])
}

/// Says whether one package could be there if those of a second word size needed no twin: that is more than a host
/// surely does, and where libsolv finds a way round, it does it. Where nobody can tell, it could.
pub(crate) fn can_be_without_twins(world: &World<'_>, id: PackageId) -> bool {
    world.let_all_alone();
    !matches!(install(world, &[demand(id)]), Ok(Outcome::Impossible(_)))
}

/// Demands that one package be there.
pub(crate) fn demand(id: PackageId) -> Clause {
    Clause { any: vec![id], none: vec![] }
}

/// Meets the demands, or says what was looked at in vain.
///
/// What the solver finds is checked against what the packages state before it is believed.
pub(crate) fn install(world: &World<'_>, demands: &[Clause]) -> Result<Outcome, Unjudged> {
    world.work().begin();
    let mut together = Together::default();
    if together.take_in(world, demands)? {
        return Ok(Outcome::Together(together.packages().clone()));
    }
    let outcome = solve(world, demands, &Mask::default())?;
    if let Outcome::Together(found) = &outcome {
        let is_there = |id| found.contains(&id);
        let met = demands.iter().all(|demand| demand.holds(&is_there));
        if !met || !holds(world, found)? {
            return Err(Unjudged::Unsound);
        }
    }
    Ok(outcome)
}

/// Which of many packages can each be installed by itself; those that share most of what they need are
/// judged together.
pub(crate) struct Many {
    together: Together,
}

impl Many {
    pub(crate) fn new() -> Self {
        Self { together: Together::default() }
    }

    /// Judges one more; `None` if it can be installed.
    pub(crate) fn fault(
        &mut self,
        world: &World<'_>,
        id: PackageId,
    ) -> Option<Result<BTreeSet<PackageId>, Unjudged>> {
        world.work().begin();
        world.let_alone(BTreeSet::new());
        // What fails among others may do alone.
        if let Ok(true) = self.together.take_in(world, &[demand(id)]) {
            return None;
        }
        match install_one(world, id) {
            Ok(Outcome::Together(_)) => None,
            Ok(Outcome::Impossible(asked)) => Some(Ok(asked)),
            Err(unjudged) => Some(Err(unjudged)),
        }
    }
}
