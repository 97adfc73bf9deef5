//! Sets of packages that can be installed together: checked, and found by taking the best choice each time.

use std::collections::{BTreeMap, BTreeSet};

use crate::clause::Clause;
use crate::unjudged::Unjudged;
use crate::world::{Group, PackageId, World};

/// Says whether everything that the packages state holds, and no group has two of them.
pub(crate) fn holds(world: &World<'_>, together: &BTreeSet<PackageId>) -> Result<bool, Unjudged> {
    let mut groups = BTreeSet::new();
    for id in together {
        if !groups.insert(world.group_of(*id)) {
            return Ok(false);
        }
        let stated = world.statements(*id)?;
        let is_there = |other| together.contains(&other);
        if !stated.iter().filter(|one| world.counts(*id, one)).all(|one| one.clause.holds(&is_there)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A set that grows while it holds: what is in it can be installed, each by itself and all together.
#[derive(Debug, Default)]
pub(crate) struct Together {
    packages: BTreeSet<PackageId>,
    groups: BTreeMap<Group, PackageId>,
    /// Packages that something in the set wants absent, and how many want that.
    absent: BTreeMap<PackageId, usize>,
}

impl Together {
    /// Tries to bring in what the demands ask for, by the best choice each time; if that does not work
    /// out the set stays as it was. A failure says nothing: another choice might do.
    pub(crate) fn take_in(&mut self, world: &World<'_>, demands: &[Clause]) -> Result<bool, Unjudged> {
        let mut entered = Vec::new();
        let mut absent = Vec::new();
        let done = self.grow(world, demands, &mut entered, &mut absent);
        // Also where something cannot be read nothing stays that was not looked at to its end.
        if !matches!(done, Ok(true)) {
            for id in entered {
                self.packages.remove(&id);
                self.groups.remove(&world.group_of(id));
            }
            for id in absent {
                match self.absent.get_mut(&id) {
                    Some(count) if *count > 1 => *count -= 1,
                    _ => drop(self.absent.remove(&id)),
                }
            }
        }
        done
    }

    pub(crate) fn packages(&self) -> &BTreeSet<PackageId> {
        &self.packages
    }

    /// What is demanded has its place before what it needs may choose: a host keeps and takes that and no other copy of it.
    fn grow(
        &mut self,
        world: &World<'_>,
        demands: &[Clause],
        entered: &mut Vec<PackageId>,
        absent: &mut Vec<PackageId>,
    ) -> Result<bool, Unjudged> {
        let mut open = Vec::new();
        for demand in demands {
            if !self.settle(world, demand, &mut open, entered, absent)? {
                return Ok(false);
            }
        }
        while let Some(clause) = open.pop() {
            if !self.settle(world, &clause, &mut open, entered, absent)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes one clause hold by the best choice, and opens what that states; says whether there is one.
    fn settle(
        &mut self,
        world: &World<'_>,
        clause: &Clause,
        open: &mut Vec<Clause>,
        entered: &mut Vec<PackageId>,
        absent: &mut Vec<PackageId>,
    ) -> Result<bool, Unjudged> {
        if clause.any.iter().any(|id| self.packages.contains(id)) {
            return Ok(true);
        }
        let free = |set: &&Vec<PackageId>| !set.iter().any(|id| self.packages.contains(id));
        if let Some(refused) = clause.none.iter().find(free) {
            for id in refused {
                *self.absent.entry(*id).or_default() += 1;
                absent.push(*id);
            }
            return Ok(true);
        }
        let chosen = clause.any.iter().copied().find(|id| self.has_room(world, *id));
        let Some(chosen) = chosen else { return Ok(false) };
        self.packages.insert(chosen);
        self.groups.insert(world.group_of(chosen), chosen);
        entered.push(chosen);
        let stated = world.statements(chosen)?;
        world.work().count(stated.len());
        let counted = stated.iter().filter(|one| world.counts(chosen, one));
        // What must be absent is settled first: the last in is the first out.
        let (refusals, wishes): (Vec<_>, Vec<_>) =
            counted.map(|one| one.clause.clone()).partition(|clause| clause.any.is_empty());
        open.extend(wishes.into_iter().rev());
        open.extend(refusals);
        Ok(true)
    }

    fn has_room(&self, world: &World<'_>, id: PackageId) -> bool {
        !self.absent.contains_key(&id) && !self.groups.contains_key(&world.group_of(id))
    }
}
