//! Advisories that wait in front of a stage, until all of their packages are there or will not come any more.
//!
//! What waits is on record with all of its packages ([`crate::Standing::held`]), so that nothing hangs on what other stages go on
//! saying: they name what they list. Waited for is what a stage lists from which routes lead here.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Nevra;
use repo::Advisory;

use super::family::{self, Family};
use super::naming::{Naming, places};
use super::{Seen, advisories, some};
use crate::layout::Repository;
use crate::standing::{HELD_BYTES_MAX, HELD_BYTES_OF_ALL_MAX, HeldAdvisory, TakenBack};
use crate::world::World;

/// A repository, and what leads to it.
pub(super) struct Line<'a> {
    repository: &'a Repository,
    family: &'a Family<'a>,
    /// What waits in front of it before the plan, by id.
    pub(super) held: Option<&'a BTreeMap<String, HeldAdvisory>>,
    /// What was taken back of its product, and the last versions of that.
    taken_back: Option<&'a BTreeMap<String, TakenBack>>,
    /// Whether its stage has advisories wait, and they can be put to its own.
    holds: bool,
    /// Whether nothing can be put to what it says.
    is_unread: bool,
    /// The stages before it.
    before: Vec<&'a Family<'a>>,
    /// All of its platform that the plan moves, itself among them.
    moved: Vec<&'a Family<'a>>,
}

/// Reads what waits; what is none any more is left out.
pub(super) fn read(held: &BTreeMap<String, HeldAdvisory>) -> Vec<Advisory> {
    held.values().filter_map(|one| Advisory::read(one.text.clone().into_bytes())).collect()
}

impl<'a> Line<'a> {
    pub(super) fn of(
        world: &'a World,
        repository: &'a Repository,
        family: &'a Family<'a>,
        families: &'a BTreeMap<Repository, Family<'a>>,
    ) -> Self {
        let held = world.standing.held.get(&repository.name());
        let is_concerned = held.is_some() || family.holds(world) && !family.entered.is_empty();
        let own = world.beside.get(repository).filter(|_| is_concerned);
        let is_unread = own.is_some_and(|own| advisories::read(&own.updates).is_err());
        let before = family::before(world, repository);
        Self {
            repository,
            family,
            held,
            taken_back: world.standing.taken_back.get(&repository.product),
            holds: family.holds(world) && !is_unread,
            is_unread,
            before: before.iter().filter_map(|key| families.get(key)).collect(),
            moved: families
                .values()
                .filter(|other| other.is_moved && other.is_of_platform_of(family))
                .collect(),
        }
    }

    /// Gives what waits before the plan.
    pub(super) fn waiting(&self) -> BTreeMap<String, Advisory> {
        let all = self.held.map(read).unwrap_or_default();
        all.into_iter().map(|one| (one.id.clone(), one)).collect()
    }

    /// Whether an old text counts no more; a later one may bear its id.
    pub(super) fn is_taken_back(&self, one: &Advisory) -> bool {
        let last = self.taken_back.and_then(|all| all.get(&one.id));
        last.is_some_and(|last| last.is_of(one))
    }

    /// Takes an advisory that comes to what waits, if anything of both is still to come; without what is `away` and will not come.
    pub(super) fn hold(
        &self,
        waiting: &mut BTreeMap<String, Advisory>,
        one: &Advisory,
        away: &BTreeSet<&Nevra>,
    ) -> bool {
        let Some(one) = one.without(|nevra| !away.contains(nevra) || self.is_to_come(nevra)) else {
            return false;
        };
        let together = match waiting.get(&one.id) {
            Some(known) => known.merged(&one),
            None => one.clone(),
        };
        let waits = self.holds && together.packages().any(|nevra| self.is_to_come(nevra));
        if waits {
            waiting.insert(one.id.clone(), together);
        }
        waits
    }

    /// Finds what will not come of what is not there.
    pub(super) fn gone<'b>(&self, away: &BTreeSet<&'b Nevra>) -> impl Iterator<Item = &'b Nevra> {
        away.iter().copied().filter(|nevra| !self.is_to_come(nevra))
    }

    fn is_to_come(&self, nevra: &Nevra) -> bool {
        !self.family.after.contains(nevra) && self.before.iter().any(|before| before.after.contains(nevra))
    }

    /// Whether a package will not come any more: it went from everywhere, by the plan or earlier if it was waited for.
    fn is_gone(&self, nevra: &Nevra, known: Option<&HeldAdvisory>) -> bool {
        !self.family.after.contains(nevra)
            && !self.is_to_come(nevra)
            && (self.moved.iter().any(|moved| moved.left.contains(nevra))
                || known.is_some_and(|known| known.waits_for.contains(nevra)))
    }

    /// Whether a package comes to a stage by the plan: then nothing of it is lost.
    fn arrives(&self, nevra: &Nevra) -> bool {
        self.moved.iter().any(|moved| moved.entered.contains(nevra))
    }

    /// Says what goes on waiting, and puts the rest to what is `arriving`.
    pub(super) fn settle(
        &self,
        waiting: BTreeMap<String, Advisory>,
        arriving: &mut Vec<Advisory>,
        seen: &mut Seen,
    ) -> Option<BTreeMap<String, HeldAdvisory>> {
        if self.is_unread {
            return self.held.cloned();
        }
        let repository = self.repository;
        let mut held = BTreeMap::new();
        let own: usize = self.held.into_iter().flatten().map(|(_, one)| one.text.len()).sum();
        let others = seen.held_bytes.saturating_sub(own);
        let may = HELD_BYTES_MAX.min(HELD_BYTES_OF_ALL_MAX.saturating_sub(others));
        let mut room = may;
        let places = places(arriving);
        for (id, one) in waiting {
            let known = self.held.and_then(|held| held.get(&id));
            let gone: BTreeSet<Nevra> =
                one.packages().filter(|nevra| self.is_gone(nevra, known)).cloned().collect();
            let to_come: BTreeSet<Nevra> =
                one.packages().filter(|nevra| self.is_to_come(nevra)).cloned().collect();
            let is_listed = one.packages().any(|nevra| self.family.after.contains(nevra));
            let Some(rest) = one.without(|nevra| !gone.contains(nevra)).filter(|_| is_listed) else {
                if !one.packages().any(|nevra| self.arrives(nevra)) {
                    seen.note(format!(
                        "advisory `{id}` is held in front of `{repository}` no more, which lists nothing of it"
                    ));
                }
                continue;
            };
            let lost: Vec<_> =
                gone.iter().filter(|nevra| !self.arrives(nevra)).map(Nevra::to_string).collect();
            if !lost.is_empty() {
                let names = some(lost);
                seen.note(format!("advisory `{id}` is cut for `{repository}`, which will not list {names}"));
            }
            if self.holds && !to_come.is_empty() {
                let names = some(to_come.iter().map(Nevra::to_string));
                let text = String::from_utf8_lossy(&rest.raw).into_owned();
                if let Some(left) = room.checked_sub(text.len()) {
                    if known.is_none_or(|known| known.waits_for != to_come) {
                        let words = format!(
                            "advisory `{id}` is held in front of `{repository}` until that lists {names}, too"
                        );
                        seen.note(words);
                    }
                    room = left;
                    held.insert(id, HeldAdvisory { waits_for: to_come, text });
                    continue;
                }
                seen.note(format!(
                    "advisory `{id}` is not held in front of `{repository}`, where more than {may} bytes would wait: \
                     it is cut, for {names} is missing"
                ));
            }
            if !self.holds && !to_come.is_empty() {
                let names = some(to_come.iter().map(Nevra::to_string));
                seen.note(format!("advisory `{id}` is cut for `{repository}`, which does not list {names}"));
            }
            let Some(rest) = rest.without(|nevra| !to_come.contains(nevra)) else { continue };
            match places.get(&id) {
                Some(at) => arriving[*at] = rest.merged(&arriving[*at]),
                None => arriving.push(rest),
            }
        }
        seen.held_bytes = others + (may - room);
        (!held.is_empty()).then_some(held)
    }
}
