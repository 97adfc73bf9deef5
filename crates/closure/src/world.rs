//! What a host could draw from: repositories one behind the other, some packages hidden.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use nevra::{Arch, Dependency};

use crate::headers::{Bringer, Origin};
use crate::package::{FileKind, Package};
use crate::shelf::Shelf;
use crate::statement::{Source, Statement, statements_of};
use crate::unjudged::Unjudged;
use crate::work::Work;

/// One package of a [`World`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PackageId(pub(crate) u32);

/// Packages of which a host has at most one: those of one name and word size, or one version of them
/// where several may be installed side by side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) second: bool,
    pub(crate) version: Option<String>,
}

pub(crate) struct Layer {
    pub(crate) shelf: Arc<Shelf>,
    first: u32,
    hidden: BTreeSet<u32>,
    /// Where it lies; nowhere if it is what a host has, rather than what it could draw.
    pub(crate) origin: Option<Origin>,
}

impl Layer {
    /// The package at a place.
    pub(crate) fn id(&self, at: u32) -> PackageId {
        PackageId(self.first + at)
    }

    pub(crate) fn is_installed(&self) -> bool {
        self.origin.is_none()
    }
}

/// What a package states, or why that cannot be told.
type Stated = Result<Rc<[Statement]>, Unjudged>;

/// Repositories that a host of one platform draws from together.
pub(crate) struct World<'a> {
    platform: &'a Arch,
    install_only: &'a BTreeSet<String>,
    layers: Vec<Layer>,
    statements: RefCell<HashMap<PackageId, Stated>>,
    offered: RefCell<HashMap<Dependency, Rc<[PackageId]>>>,
    alone: RefCell<BTreeSet<PackageId>>,
    /// Whether all of them may stand alone.
    all_alone: Cell<bool>,
    /// The wanted paths that packages own beside those that stand in them.
    owned_beside: OnceCell<HashMap<PackageId, Vec<String>>>,
    work: &'a Work,
}

impl<'a> World<'a> {
    pub(crate) fn new(platform: &'a Arch, install_only: &'a BTreeSet<String>, work: &'a Work) -> Self {
        let (statements, offered, alone) = (RefCell::default(), RefCell::default(), RefCell::default());
        let owned_beside = OnceCell::new();
        let (layers, all_alone) = (Vec::new(), Cell::new(false));
        Self { platform, install_only, layers, statements, offered, alone, all_alone, owned_beside, work }
    }

    /// Adds a repository behind the others, without those packages that `hidden` numbers.
    pub(crate) fn with(mut self, origin: Origin, shelf: &Arc<Shelf>, hidden: BTreeSet<u32>) -> Self {
        let first = self.end();
        self.layers.push(Layer { shelf: Arc::clone(shelf), first, hidden, origin: Some(origin) });
        self
    }

    /// Adds what a host has.
    pub(crate) fn on_a_host_with(mut self, packages: Vec<Package>) -> Self {
        let (first, shelf) = (self.end(), Arc::new(Shelf::new("the host", packages)));
        self.layers.push(Layer { shelf, first, hidden: BTreeSet::new(), origin: None });
        self
    }

    fn end(&self) -> u32 {
        self.layers.last().map_or(0, |last| last.first + last.shelf.packages().len() as u32)
    }

    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    pub(crate) fn work(&self) -> &'a Work {
        self.work
    }

    fn layer_of(&self, id: PackageId) -> &Layer {
        let behind = self.layers.partition_point(|layer| layer.first <= id.0);
        &self.layers[behind - 1]
    }

    pub(crate) fn package(&self, id: PackageId) -> &Package {
        let layer = self.layer_of(id);
        &layer.shelf.packages()[(id.0 - layer.first) as usize]
    }

    /// The shelf that a package lies on.
    pub(crate) fn shelf_of(&self, id: PackageId) -> &Shelf {
        &self.layer_of(id).shelf
    }

    /// The number of the layer that a package lies in.
    pub(crate) fn layer_number(&self, id: PackageId) -> usize {
        self.layers.partition_point(|layer| layer.first <= id.0) - 1
    }

    /// Where a package lies; nowhere if a host has it.
    pub(crate) fn origin(&self, id: PackageId) -> Option<Origin> {
        self.layer_of(id).origin
    }

    /// A package by where it lies.
    pub(crate) fn bringer(&self, id: PackageId) -> Option<Bringer> {
        let layer = self.layer_of(id);
        let at = (id.0 - layer.first) as usize;
        Some(Bringer { origin: layer.origin?, at, nevra: self.package(id).nevra.clone() })
    }

    /// Says whether hosts take 32-bit packages beside 64-bit ones.
    pub(crate) fn has_both_word_sizes(&self) -> bool {
        self.platform.as_str() == "x86_64"
    }

    pub(crate) fn is_installed(&self, id: PackageId) -> bool {
        self.layer_of(id).is_installed()
    }

    /// Every package of the layers that are wanted that a host can see.
    pub(crate) fn of_layers(&self, wanted: impl Fn(&Layer) -> bool) -> impl Iterator<Item = PackageId> {
        let layers = self.layers.iter().filter(move |layer| wanted(layer));
        layers.flat_map(move |layer| {
            (0..layer.shelf.packages().len() as u32).filter_map(move |at| self.seen(layer, at))
        })
    }

    /// The package at a place of a layer, unless it is hidden or of no use to the platform.
    fn seen(&self, layer: &Layer, at: u32) -> Option<PackageId> {
        let arch = &layer.shelf.packages()[at as usize].nevra.arch;
        (!layer.hidden.contains(&at) && arch.accepted_by(self.platform)).then_some(layer.id(at))
    }

    /// What `find` finds in each layer.
    pub(crate) fn each<'s>(
        &'s self,
        find: impl Fn(&'s Shelf) -> &'s [u32] + 's,
    ) -> impl Iterator<Item = PackageId> + 's {
        self.layers.iter().flat_map(move |layer| {
            let found = find(&layer.shelf);
            self.work.count(found.len());
            found.iter().filter_map(move |at| self.seen(layer, *at))
        })
    }

    /// Those of `packages` that own a path and know its kind by the shelf's [`crate::Paths`], and those whose own list of files
    /// has to be asked, with none.
    pub(crate) fn owners_among(
        &self,
        path: &str,
        packages: &BTreeSet<PackageId>,
    ) -> Vec<(PackageId, Option<FileKind>)> {
        let mut found = Vec::new();
        for layer in &self.layers {
            let beside = layer.shelf.paths();
            let listed = layer.shelf.owners(path).iter().map(|at| (*at, None));
            let known = beside.owners(path).iter().map(|at| (*at, beside.kind(path, *at)));
            for (at, kind) in listed.chain(known) {
                self.work.count(1);
                let owner = self.seen(layer, at).filter(|id| packages.contains(id));
                found.extend(owner.map(|id| (id, kind)));
            }
        }
        found
    }

    /// The wanted paths that a package owns and that do not stand in it.
    pub(crate) fn owned_beside(&self, id: PackageId) -> &[String] {
        let all = self.owned_beside.get_or_init(|| {
            let mut all: HashMap<PackageId, Vec<String>> = HashMap::new();
            if self.layers.iter().all(|layer| layer.shelf.paths().is_empty()) {
                return all;
            }
            let wanted: BTreeSet<&str> =
                self.layers.iter().flat_map(|layer| layer.shelf.wanted_paths()).collect();
            for layer in &self.layers {
                for (at, paths) in layer.shelf.paths().owned(wanted.iter().copied()) {
                    let paths = paths.into_iter().map(str::to_owned);
                    all.entry(layer.id(at)).or_default().extend(paths);
                }
            }
            all
        });
        all.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// What satisfies a dependency that is no rich one, the best choice first.
    pub(crate) fn offering(&self, wanted: &Dependency) -> Rc<[PackageId]> {
        if let Some(known) = self.offered.borrow().get(wanted) {
            return Rc::clone(known);
        }
        let mut found = Vec::new();
        for layer in &self.layers {
            for (at, said) in layer.shelf.offering(&wanted.name) {
                self.work.count(1);
                if said.is_none_or(|said| said.overlaps(wanted)) {
                    found.extend(self.seen(layer, at));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        self.sort(&wanted.name, &mut found);
        let found: Rc<[PackageId]> = found.into();
        self.offered.borrow_mut().insert(wanted.clone(), Rc::clone(&found));
        found
    }

    /// Puts first what a host would rather take: what bears the name, the platform's own word size, the newest, what it has.
    fn sort(&self, name: &str, found: &mut [PackageId]) {
        found.sort_by(|a, b| {
            let (one, two) = (&self.package(*a).nevra, &self.package(*b).nevra);
            let other_name = |nevra: &nevra::Nevra| nevra.name != name;
            other_name(one)
                .cmp(&other_name(two))
                .then_with(|| self.is_second(&one.arch).cmp(&self.is_second(&two.arch)))
                .then_with(|| one.name.cmp(&two.name))
                .then_with(|| two.evr.rpm_cmp(&one.evr))
                .then_with(|| self.is_installed(*b).cmp(&self.is_installed(*a)))
                .then_with(|| self.layer_number(*a).cmp(&self.layer_number(*b)))
                .then_with(|| one.cmp(two))
        });
    }

    /// Says whether an architecture is the 32-bit one beside a 64-bit platform.
    pub(crate) fn is_second(&self, arch: &Arch) -> bool {
        arch != self.platform && arch.as_str() != "noarch" && self.has_both_word_sizes()
    }

    /// How far an architecture is from what the platform runs best: 0 is its own, and that of `noarch`.
    pub(crate) fn rank(&self, arch: &Arch) -> usize {
        let second = ["athlon", "i686", "i586", "i486", "i386"];
        if arch == self.platform {
            return 0;
        }
        second.iter().position(|other| arch.as_str() == *other).map_or(0, |at| at + 1)
    }

    pub(crate) fn group_of(&self, id: PackageId) -> Group {
        let nevra = &self.package(id).nevra;
        let version = self.install_only.contains(&nevra.name).then(|| nevra.evr.to_string());
        Group { name: nevra.name.clone(), second: self.is_second(&nevra.arch), version }
    }

    /// Every package of a group.
    pub(crate) fn group(&self, group: &Group) -> Vec<PackageId> {
        let named = self.each(|shelf| shelf.named(&group.name)).collect::<Vec<_>>();
        let mut named: Vec<_> = named.into_iter().filter(|id| self.group_of(*id) == *group).collect();
        self.sort(&group.name, &mut named);
        named
    }

    /// Says which packages of a second word size may stand alone in the questions that follow: what a person
    /// asks for by its full name, or what follows such a package on a host.
    pub(crate) fn let_alone(&self, packages: BTreeSet<PackageId>) {
        *self.alone.borrow_mut() = packages;
        self.all_alone.set(false);
    }

    /// Lets every package of a second word size stand alone in the questions that follow.
    pub(crate) fn let_all_alone(&self) {
        self.all_alone.set(true);
    }

    /// Says whether a statement of a package counts.
    pub(crate) fn counts(&self, id: PackageId, statement: &Statement) -> bool {
        let is_alone = || self.all_alone.get() || self.alone.borrow().contains(&id);
        statement.source != Source::Twin || !is_alone()
    }

    /// What a package states, worked out once.
    pub(crate) fn statements(&self, id: PackageId) -> Stated {
        if let Some(known) = self.statements.borrow().get(&id) {
            return known.clone();
        }
        let stated = statements_of(self, id).map(Rc::from);
        if self.work.is_over() {
            return Err(Unjudged::TooMuch);
        }
        self.statements.borrow_mut().insert(id, stated.clone());
        stated
    }
}
