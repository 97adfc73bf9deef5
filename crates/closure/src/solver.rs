//! The question whether packages can be installed together, put to the solver library.
//!
//! To resolvo a package is a solvable, and a [`Group`] is a name of which it chooses at most one. What
//! it has no words for is put with packages that exist nowhere: *none of these* is a package that
//! constrains each of them away, so that `(a if b)` becomes a requirement of `a` or *no b*. Its own
//! conditions are not used: they take the absence of a name for a version that does not match.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;

use resolvo::{
    Candidates, Condition, ConditionId, ConditionalRequirement, Dependencies, DependencyProvider, Interner,
    KnownDependencies, NameId, Problem, Requirement, SolvableId, Solver, SolverCache, StringId,
    UnsolvableOrCancelled, VersionSetId, VersionSetUnionId,
};

use crate::clause::Clause;
use crate::unjudged::Unjudged;
use crate::world::{Group, PackageId, World};

/// How often the solver may draw conclusions from one question before it gives up: so many for itself, and so
/// many more for each package that it looks at.
const STEPS_MAX: usize = 5_000;
const STEPS_PER_PACKAGE_MAX: usize = 4;

/// What the solver says.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// These packages can be installed together, and the demands are met.
    Together(BTreeSet<PackageId>),
    /// Nothing meets the demands; these are the packages whose statements were looked at.
    Impossible(BTreeSet<PackageId>),
}

/// Which statements count: all, or only some while the reasons for a failure are sought.
#[derive(Debug, Default)]
pub(crate) struct Mask {
    /// The packages whose statements count; without it, all.
    pub(crate) packages: Option<BTreeSet<PackageId>>,
    /// The statements that count; without it, all.
    pub(crate) statements: Option<BTreeSet<(PackageId, usize)>>,
}

impl Mask {
    fn counts(&self, id: PackageId, at: usize) -> bool {
        self.packages.as_ref().is_none_or(|packages| packages.contains(&id))
            && self.statements.as_ref().is_none_or(|statements| statements.contains(&(id, at)))
    }
}

/// Asks for packages that meet all demands together.
pub(crate) fn solve(world: &World<'_>, demands: &[Clause], mask: &Mask) -> Result<Outcome, Unjudged> {
    world.work().solved.set(world.work().solved.get() + 1);
    let question = Question::new(world, mask);
    let requirements: Vec<ConditionalRequirement> =
        demands.iter().map(|demand| question.requirement(demand)).collect();
    let mut solver = Solver::new(question);
    let problem = Problem::new().requirements(requirements);
    match solver.solve(problem) {
        Ok(chosen) => {
            let slots = solver.provider().slots.borrow();
            let package = |id: SolvableId| match &slots[id.into_raw() as usize] {
                Slot::Package(id) => Some(*id),
                Slot::NoneOf(_) => None,
            };
            Ok(Outcome::Together(chosen.into_iter().filter_map(package).collect()))
        }
        Err(UnsolvableOrCancelled::Unsolvable(_)) => {
            Ok(Outcome::Impossible(solver.provider().asked.borrow().clone()))
        }
        Err(UnsolvableOrCancelled::Cancelled(_)) => {
            let failed = solver.provider().failed.borrow_mut().take();
            Err(failed.unwrap_or(Unjudged::TooMuch))
        }
    }
}

/// What a solvable stands for.
#[derive(Clone, Debug)]
enum Slot {
    Package(PackageId),
    NoneOf(Vec<PackageId>),
}

/// What a name stands for: a group, or one of the packages that exist nowhere.
#[derive(Clone, Debug)]
enum Name {
    Group(Group),
    NoneOf(SolvableId),
    Nothing,
}

/// One question with everything the solver was told.
struct Question<'a> {
    world: &'a World<'a>,
    mask: &'a Mask,
    slots: RefCell<Vec<Slot>>,
    places: RefCell<HashMap<PackageId, SolvableId>>,
    names: RefCell<Vec<Name>>,
    groups: RefCell<HashMap<Group, NameId>>,
    absences: RefCell<HashMap<Vec<PackageId>, SolvableId>>,
    name_of: RefCell<HashMap<SolvableId, NameId>>,
    sets: RefCell<Vec<(NameId, BTreeSet<SolvableId>, bool)>>,
    unions: RefCell<Vec<Vec<VersionSetId>>>,
    asked: RefCell<BTreeSet<PackageId>>,
    failed: RefCell<Option<Unjudged>>,
    steps: Cell<usize>,
}

impl<'a> Question<'a> {
    fn new(world: &'a World<'a>, mask: &'a Mask) -> Self {
        Self {
            world,
            mask,
            slots: RefCell::default(),
            places: RefCell::default(),
            names: RefCell::new(vec![Name::Nothing]),
            groups: RefCell::default(),
            absences: RefCell::default(),
            name_of: RefCell::default(),
            sets: RefCell::default(),
            unions: RefCell::default(),
            asked: RefCell::default(),
            failed: RefCell::default(),
            steps: Cell::default(),
        }
    }

    fn slot(&self, slot: Slot, name: NameId) -> SolvableId {
        let mut slots = self.slots.borrow_mut();
        let id = SolvableId::from_raw(slots.len() as u32);
        slots.push(slot);
        self.name_of.borrow_mut().insert(id, name);
        id
    }

    fn name(&self, name: Name) -> NameId {
        let mut names = self.names.borrow_mut();
        names.push(name);
        NameId::from_raw(names.len() as u32 - 1)
    }

    fn place(&self, id: PackageId) -> SolvableId {
        if let Some(known) = self.places.borrow().get(&id) {
            return *known;
        }
        let group = self.world.group_of(id);
        let known = self.groups.borrow().get(&group).copied();
        let name = known.unwrap_or_else(|| {
            let name = self.name(Name::Group(group.clone()));
            self.groups.borrow_mut().insert(group, name);
            name
        });
        let place = self.slot(Slot::Package(id), name);
        self.places.borrow_mut().insert(id, place);
        place
    }

    /// The package that exists nowhere and stands for the absence of all these.
    fn absence(&self, absent: &[PackageId]) -> SolvableId {
        if let Some(known) = self.absences.borrow().get(absent) {
            return *known;
        }
        let name = self.name(Name::Nothing);
        let place = self.slot(Slot::NoneOf(absent.to_vec()), name);
        self.names.borrow_mut()[name.into_raw() as usize] = Name::NoneOf(place);
        self.absences.borrow_mut().insert(absent.to_vec(), place);
        place
    }

    /// One version set for each name among the solvables, in their order.
    fn sets(&self, solvables: impl Iterator<Item = SolvableId>, inverse: bool) -> Vec<VersionSetId> {
        let mut by_name: Vec<(NameId, BTreeSet<SolvableId>)> = Vec::new();
        let mut places: HashMap<NameId, usize> = HashMap::new();
        for solvable in solvables {
            let name = self.name_of.borrow()[&solvable];
            let at = *places.entry(name).or_insert_with(|| {
                by_name.push((name, BTreeSet::new()));
                by_name.len() - 1
            });
            by_name[at].1.insert(solvable);
        }
        let mut sets = self.sets.borrow_mut();
        let mut put = |(name, members)| {
            sets.push((name, members, inverse));
            VersionSetId(sets.len() as u32 - 1)
        };
        by_name.into_iter().map(&mut put).collect()
    }

    fn requirement(&self, clause: &Clause) -> ConditionalRequirement {
        let wanted = clause.any.iter().map(|id| self.place(*id));
        let absent = clause.none.iter().map(|absent| self.absence(absent));
        let mut sets = self.sets(wanted.chain(absent).collect::<Vec<_>>().into_iter(), false);
        if sets.is_empty() {
            // Of the name that stands for nothing there is no package.
            let mut all = self.sets.borrow_mut();
            all.push((NameId::from_raw(0), BTreeSet::new(), false));
            sets.push(VersionSetId(all.len() as u32 - 1));
        }
        if let [one] = sets.as_slice() {
            return Requirement::Single(*one).into();
        }
        let mut unions = self.unions.borrow_mut();
        unions.push(sets);
        Requirement::Union(VersionSetUnionId(unions.len() as u32 - 1)).into()
    }

    fn dependencies(&self, id: PackageId) -> Result<KnownDependencies, Unjudged> {
        self.asked.borrow_mut().insert(id);
        let mut known = KnownDependencies::default();
        let mut absent = Vec::new();
        for (at, statement) in self.world.statements(id)?.iter().enumerate() {
            if !self.mask.counts(id, at) || !self.world.counts(id, statement) {
                continue;
            }
            self.world.work().count(1 + statement.clause.any.len());
            match &statement.clause {
                Clause { any, none } if any.is_empty() && none.len() == 1 => absent.extend(&none[0]),
                clause => known.requirements.push(self.requirement(clause)),
            }
        }
        known.constrains = self.constraints(&absent);
        Ok(known)
    }

    fn steps_max(&self) -> usize {
        STEPS_MAX + STEPS_PER_PACKAGE_MAX * self.asked.borrow().len()
    }

    fn constraints(&self, absent: &[PackageId]) -> Vec<VersionSetId> {
        self.sets(absent.iter().map(|id| self.place(*id)).collect::<Vec<_>>().into_iter(), true)
    }
}

impl Interner for Question<'_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        match &self.slots.borrow()[solvable.into_raw() as usize] {
            Slot::Package(id) => self.world.package(*id).nevra.to_string(),
            Slot::NoneOf(_) => "nothing of the kind".to_owned(),
        }
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        match &self.names.borrow()[name.into_raw() as usize] {
            Name::Group(group) => group.name.clone(),
            Name::NoneOf(_) | Name::Nothing => "nothing".to_owned(),
        }
    }

    fn display_version_set(&self, set: VersionSetId) -> impl Display + '_ {
        set.0
    }

    fn display_string(&self, string: StringId) -> impl Display + '_ {
        string.0
    }

    fn version_set_name(&self, set: VersionSetId) -> NameId {
        self.sets.borrow()[set.0 as usize].0
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        self.name_of.borrow()[&solvable]
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        self.unions.borrow()[union.0 as usize].clone().into_iter()
    }

    fn resolve_condition(&self, _: ConditionId) -> Condition {
        unreachable!("no condition is ever told to the solver")
    }
}

impl DependencyProvider for Question<'_> {
    async fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        set: VersionSetId,
        inverse: bool,
    ) -> Vec<SolvableId> {
        let sets = self.sets.borrow();
        let (_, members, negated) = &sets[set.0 as usize];
        candidates.iter().copied().filter(|one| (members.contains(one) != *negated) != inverse).collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates<SolvableId>> {
        let name = self.names.borrow()[name.into_raw() as usize].clone();
        let candidates = match name {
            Name::Group(group) => self.world.group(&group).into_iter().map(|id| self.place(id)).collect(),
            Name::NoneOf(place) => vec![place],
            Name::Nothing => vec![],
        };
        Some(Candidates { candidates, ..Candidates::default() })
    }

    async fn sort_candidates(&self, _: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        let slots = self.slots.borrow();
        let package = |id: &SolvableId| match &slots[id.into_raw() as usize] {
            Slot::Package(id) => Some(*id),
            Slot::NoneOf(_) => None,
        };
        solvables.sort_by(|a, b| match (package(a), package(b)) {
            (Some(one), Some(two)) => {
                let evr = |id| &self.world.package(id).nevra.evr;
                evr(two).rpm_cmp(evr(one)).then_with(|| one.cmp(&two))
            }
            _ => a.cmp(b),
        });
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        let slot = self.slots.borrow()[solvable.into_raw() as usize].clone();
        match slot {
            Slot::NoneOf(absent) => Dependencies::Known(KnownDependencies {
                constrains: self.constraints(&absent),
                ..KnownDependencies::default()
            }),
            Slot::Package(id) => match self.dependencies(id) {
                Ok(known) => Dependencies::Known(known),
                Err(unjudged) => {
                    self.failed.borrow_mut().get_or_insert(unjudged);
                    Dependencies::Known(KnownDependencies::default())
                }
            },
        }
    }

    fn should_cancel_with_value(&self) -> Option<Box<dyn Any>> {
        self.steps.set(self.steps.get() + 1);
        self.world.work().step();
        let over = self.steps.get() > self.steps_max() || self.world.work().is_over();
        (over || self.failed.borrow().is_some()).then(|| Box::new(()) as Box<dyn Any>)
    }
}
