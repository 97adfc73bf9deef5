//! A change of a repository, and what hosts can draw before it and after it.

use std::collections::BTreeSet;
use std::sync::Arc;

use nevra::{Arch, Nevra};

use crate::headers::Origin;
use crate::package::Package;
use crate::shelf::Shelf;
use crate::work::Work;
use crate::world::{PackageId, World};

/// A change of one repository, and everything that its packages may need.
#[derive(Clone, Debug)]
pub struct Change {
    /// The architecture of the hosts.
    pub platform: Arch,
    /// What the target lists before the change.
    pub target: Arc<Shelf>,
    /// What leaves it, and what is not in it is passed over.
    pub leave: BTreeSet<Nevra>,
    /// What enters it; its name is of no interest.
    pub enter: Vec<Package>,
    /// What hosts draw from beside the target, and what does not change: base system, EPEL.
    pub context: Vec<Arc<Shelf>>,
    /// Other stages that hosts draw from beside the target, which may change in the same instant. Judged is the target alone.
    pub beside: Vec<Beside>,
    /// Where a package that is missed may lie: the source stage. Nothing is installed from there.
    pub elsewhere: Vec<Arc<Shelf>>,
    /// The meta-packages of the target and of the stages beside it, also of what enters them: which these are is not
    /// decided here.
    pub meta_packages: BTreeSet<Nevra>,
    /// Names of packages that hosts keep in several versions: kernels.
    pub install_only: BTreeSet<String>,
    /// Whether hosts are told to take what is offered instead of what they have, also where that is older (`distro-sync`): then
    /// nobody asks whether a plain update goes through.
    pub goes_back: bool,
}

/// A repository beside the target, and how it changes with it.
#[derive(Clone, Debug)]
pub struct Beside {
    /// What it lists before the change.
    pub shelf: Arc<Shelf>,
    /// What leaves it, and what is not in it is passed over.
    pub leave: BTreeSet<Nevra>,
    /// What enters it.
    pub enter: Vec<Package>,
}

impl Change {
    /// What hosts can draw before the change.
    pub(crate) fn before<'a>(&'a self, work: &'a Work) -> World<'a> {
        let none = BTreeSet::new;
        let world = World::new(&self.platform, &self.install_only, work);
        let mut world = world.with(Origin::Target, &self.target, none());
        for (n, shelf) in self.context.iter().enumerate() {
            world = world.with(Origin::Context(n), shelf, none());
        }
        for (n, beside) in self.beside.iter().enumerate() {
            world = world.with(Origin::Beside(n), &beside.shelf, none());
        }
        world
    }

    /// What hosts can draw after it.
    pub(crate) fn after<'a>(&'a self, work: &'a Work) -> World<'a> {
        let world = World::new(&self.platform, &self.install_only, work);
        let world = world.with(Origin::Target, &self.target, places(&self.target, &self.leave));
        let entering = |shelf: &Shelf, enter: &[Package]| Arc::new(Shelf::new(shelf.name(), enter.to_vec()));
        let mut world = world.with(Origin::Enters, &entering(&self.target, &self.enter), BTreeSet::new());
        for (n, shelf) in self.context.iter().enumerate() {
            world = world.with(Origin::Context(n), shelf, BTreeSet::new());
        }
        for (n, Beside { shelf, leave, enter }) in self.beside.iter().enumerate() {
            world = world.with(Origin::Beside(n), shelf, places(shelf, leave));
            world = world.with(Origin::EntersBeside(n), &entering(shelf, enter), BTreeSet::new());
        }
        world
    }

    /// Says whether a package of the world before the change leaves.
    pub(crate) fn takes_away(&self, before: &World<'_>, id: PackageId) -> bool {
        let nevra = &before.package(id).nevra;
        match before.origin(id) {
            Some(Origin::Target) => self.leave.contains(nevra),
            Some(Origin::Beside(n)) => self.beside[n].leave.contains(nevra),
            _ => false,
        }
    }

    /// What leaves, as packages of the world before the change.
    pub(crate) fn gone(&self, before: &World<'_>) -> Vec<PackageId> {
        let mut gone = Vec::new();
        for layer in before.layers() {
            let leave = match layer.origin {
                Some(Origin::Target) => &self.leave,
                Some(Origin::Beside(n)) => &self.beside[n].leave,
                _ => continue,
            };
            gone.extend(places(&layer.shelf, leave).into_iter().map(|at| layer.id(at)));
        }
        gone
    }
}

/// Finds packages on a shelf.
fn places(shelf: &Shelf, wanted: &BTreeSet<Nevra>) -> BTreeSet<u32> {
    let place = |nevra: &Nevra| {
        let mut named = shelf.named(&nevra.name).iter().copied();
        named.find(|at| shelf.packages()[*at as usize].nevra == *nevra)
    };
    wanted.iter().filter_map(place).collect()
}
