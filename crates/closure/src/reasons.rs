//! The fewest statements that cannot all hold: what is left when everything that does not matter is put aside.

use std::collections::BTreeSet;

use crate::clause::Clause;
use crate::solver::{Mask, Outcome, solve};
use crate::unjudged::Unjudged;
use crate::world::{PackageId, World};

/// How many questions the search for reasons may put to the solver, and how many conclusions that may take.
const QUESTIONS_MAX: usize = 600;
const STEPS_MAX: u64 = 40_000;

/// Statements that cannot all hold while the demands are met; dropping any one of them would do.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    /// The demands that matter, by their place.
    pub(crate) demands: BTreeSet<usize>,
    /// The statements that matter, by package and place.
    pub(crate) statements: BTreeSet<(PackageId, usize)>,
}

struct Search<'a> {
    world: &'a World<'a>,
    demands: &'a [Clause],
    questions: usize,
    steps_until: u64,
}

impl Search<'_> {
    /// Whether what is left still cannot be met; an answer that does not come counts as *it can*.
    fn fails(&mut self, demands: &BTreeSet<usize>, mask: &Mask) -> bool {
        self.questions += 1;
        if self.questions > QUESTIONS_MAX || self.world.work().steps.get() > self.steps_until {
            return false;
        }
        let demands: Vec<Clause> = demands.iter().map(|at| self.demands[*at].clone()).collect();
        matches!(solve(self.world, &demands, mask), Ok(Outcome::Impossible(_)))
    }

    /// Keeps of `parts` only what is needed for `fails` to say yes: halves are put aside as long as that works.
    fn shrink<T: Copy + Ord>(
        &mut self,
        parts: Vec<T>,
        fails: &mut impl FnMut(&mut Self, &BTreeSet<T>) -> bool,
    ) -> BTreeSet<T> {
        let (mut kept, mut open) = (BTreeSet::new(), vec![parts]);
        while let Some(part) = open.pop() {
            let others = |open: &[Vec<T>], kept: &BTreeSet<T>| {
                open.iter().flatten().chain(kept).copied().collect::<BTreeSet<T>>()
            };
            if part.is_empty() || fails(self, &others(&open, &kept)) {
                continue;
            }
            if let [one] = part.as_slice() {
                kept.insert(*one);
                continue;
            }
            let (near, far) = part.split_at(part.len() / 2);
            open.push(near.to_vec());
            open.push(far.to_vec());
        }
        kept
    }
}

/// Finds the reasons why demands cannot be met, given which packages the solver looked at.
pub(crate) fn reasons(
    world: &World<'_>,
    demands: &[Clause],
    asked: &BTreeSet<PackageId>,
) -> Result<Reasons, Unjudged> {
    world.work().begin();
    let steps_until = world.work().steps.get() + STEPS_MAX;
    let mut search = Search { world, demands, questions: 0, steps_until };
    let all: Vec<usize> = (0..demands.len()).collect();
    let first = Mask { packages: Some(asked.clone()), statements: None };
    let demands = search.shrink(all, &mut |search, left| search.fails(left, &first));
    // What is near the demands comes first, so that it is kept rather than what is far.
    let packages = search
        .shrink(by_distance(world, search.demands, &demands, asked)?, &mut |search, left| {
            search.fails(&demands, &Mask { packages: Some(left.clone()), statements: None })
        });
    let mut statements = Vec::new();
    for id in &packages {
        statements.extend((0..world.statements(*id)?.len()).map(|at| (*id, at)));
    }
    let statements = search.shrink(statements, &mut |search, left| {
        search.fails(&demands, &Mask { packages: Some(packages.clone()), statements: Some(left.clone()) })
    });
    Ok(Reasons { demands, statements })
}

/// Orders packages by how many steps they are away from the demands.
fn by_distance(
    world: &World<'_>,
    demands: &[Clause],
    left: &BTreeSet<usize>,
    asked: &BTreeSet<PackageId>,
) -> Result<Vec<PackageId>, Unjudged> {
    let mut ordered: Vec<PackageId> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next: Vec<PackageId> = left.iter().flat_map(|at| demands[*at].any.clone()).collect();
    while !next.is_empty() {
        let mut further = Vec::new();
        for id in next {
            if asked.contains(&id) && seen.insert(id) {
                ordered.push(id);
                for statement in world.statements(id)?.iter() {
                    further.extend(&statement.clause.any);
                    further.extend(statement.clause.none.iter().flatten());
                }
            }
        }
        next = further;
    }
    ordered.extend(asked.iter().filter(|id| !seen.contains(id)));
    Ok(ordered)
}
