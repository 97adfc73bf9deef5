//! Which meta-packages of a repository are built anew, and how: those that must pin something else, and those that pin one
//! of these by its release.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use closure::{Package, Shelf};
use nevra::{Evr, Nevra, Sha256};

use super::gates::Gates;
use super::pins::{Pin, is_met, pins_of};
use super::raise::Releases;
use crate::layout::{MetaPackages, Product, Repository, Stage};
use crate::plan::Change;
use crate::recipe::{NodeType, PinChange, Raised, Rebuilt, Recipe};
use crate::refusal::{Code, Refusal};
use crate::world::{Listed, World};

/// A package and what it says about others.
pub(super) type Known<'a> = (&'a Listed, &'a Package);

/// What a meta-package must say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Otherwise {
    pub pins: BTreeMap<String, Evr>,
    pub without: BTreeSet<String>,
    pub told: BTreeSet<PinChange>,
    /// Whether it gets another release although no pin differs.
    pub is_forced: bool,
}

impl Otherwise {
    pub(super) fn is_nothing(&self) -> bool {
        self.pins.is_empty() && self.without.is_empty() && !self.is_forced
    }

    /// Pins a name at another version, or no more.
    pub(super) fn pin(&mut self, pin: &Pin, evr: Option<&Evr>) {
        match evr {
            Some(evr) => drop(self.pins.insert(pin.name.clone(), evr.clone())),
            None => drop(self.without.insert(pin.name.clone())),
        }
        self.told.insert(PinChange {
            name: pin.name.clone(),
            before: pin.bound.to_string(),
            after: evr.cloned(),
        });
    }
}

/// A meta-package that is to be built anew for one repository.
#[derive(Clone, Debug)]
pub(super) struct Remake {
    /// As it is listed.
    pub of: Listed,
    /// What it will be called.
    pub becomes: Nevra,
    pub raised: Option<Raised>,
    pub recipe: Recipe,
    pub is_direct: bool,
    pub told: BTreeSet<PinChange>,
}

impl Remake {
    /// Writes what became of it.
    pub(super) fn rebuilt(&self, made: Listed) -> Rebuilt {
        Rebuilt { recipe: self.recipe.clone(), of: self.of.nevra.clone(), made, raised: self.raised.clone() }
    }

    /// Writes what becomes of the node type.
    pub(super) fn node_type(&self, repository: &Repository) -> NodeType {
        NodeType {
            repository: repository.name(),
            before: self.of.nevra.clone(),
            after: self.becomes.clone(),
            is_direct: self.is_direct,
            pins: self.told.iter().cloned().collect(),
        }
    }
}

/// Works out what is built anew for one stage; repositories of several platforms may share files, and what is made of them.
pub(super) struct Remaking<'a> {
    pub product: &'a Product,
    pub stage: &'a Stage,
    pub meta_packages: MetaPackages,
    /// Nothing is given another release if there is none.
    pub releases: Option<Releases<'a>>,
    /// What its changelogs begin with.
    pub why: String,
    known: BTreeMap<(Sha256, Otherwise), (Nevra, Option<Raised>)>,
}

impl<'a> Remaking<'a> {
    pub(super) fn of(
        product: &'a Product,
        stage: &'a Stage,
        releases: Option<Releases<'a>>,
        why: String,
    ) -> Remaking<'a> {
        let meta_packages = MetaPackages::of(product);
        Remaking { product, stage, meta_packages, releases, why, known: BTreeMap::new() }
    }

    /// Goes on for another stage, where the same file becomes something else; no release is given twice.
    pub(super) fn go_on(self, stage: &'a Stage, why: String) -> Remaking<'a> {
        Remaking { stage, why, known: BTreeMap::new(), ..self }
    }

    /// Builds anew, of `packages`, what `otherwise` wants to say something else, and what pins one of these.
    ///
    /// # Errors
    ///
    /// Meta-packages pin each other in a circle; a release that was asked for is taken.
    pub(super) fn remake(
        &mut self,
        packages: &[Known<'_>],
        otherwise: &dyn Fn(&Known<'_>) -> Otherwise,
    ) -> Result<Vec<Remake>, Refusal> {
        let is_meta = |(_, package): &&Known<'_>| self.meta_packages.has(package);
        let metas: Vec<Known<'_>> = packages.iter().filter(is_meta).copied().collect();
        let all: Vec<(Known<'_>, Vec<Pin>, Otherwise)> =
            metas.iter().map(|known| (*known, pins_of(known.1), otherwise(known))).collect();
        let on: Vec<BTreeSet<usize>> = all.iter().map(|(_, pins, _)| pinned(&all, pins)).collect();
        let mut decided: BTreeMap<usize, Option<Remake>> = BTreeMap::new();
        // What nothing else hangs on is decided as it comes; the rest waits for what it pins.
        let mut touched: BTreeSet<usize> = (0..all.len()).filter(|at| !all[*at].2.is_nothing()).collect();
        loop {
            let more = (0..all.len()).filter(|at| !on[*at].is_disjoint(&touched));
            let before = touched.len();
            touched = more.chain(touched.iter().copied()).collect();
            if touched.len() == before {
                break;
            }
        }
        while decided.len() < touched.len() {
            let is_ready = |at: &&usize| {
                !decided.contains_key(*at)
                    && on[**at].iter().all(|on| !touched.contains(on) || decided.contains_key(on))
            };
            let Some(at) = touched.iter().find(is_ready).copied() else {
                let stuck = touched.iter().filter(|at| !decided.contains_key(*at));
                let names: Vec<String> = stuck.map(|at| format!("`{}`", all[*at].0.0.nevra)).collect();
                let sentence = format!("meta-packages pin each other in a circle: {}", names.join(", "));
                return Err(Refusal::new(Code::PinNotUnderstood, sentence));
            };
            let (known, pins, direct) = &all[at];
            let mut whole = direct.clone();
            let remade = || on[at].iter().filter_map(|other| decided.get(other)?.as_ref());
            let gone: BTreeSet<&Nevra> = remade().map(|other| &other.of.nevra).collect();
            let on_offer = || {
                let stays = on[at].iter().map(|other| &all[*other].0.0.nevra);
                stays.filter(|nevra| !gone.contains(nevra)).chain(remade().map(|other| &other.becomes))
            };
            for other in remade() {
                for pin in pins.iter().filter(|pin| pin.is_met_by(&other.of.nevra)) {
                    if !is_met(pin, &gone, on_offer()) {
                        whole.pin(pin, Some(&other.becomes.evr));
                    }
                }
            }
            let remake = if whole.is_nothing() { None } else { Some(self.one(known.0, whole, direct)?) };
            decided.insert(at, remake);
        }
        Ok(decided.into_values().flatten().collect())
    }

    fn one(&mut self, of: &Listed, otherwise: Otherwise, direct: &Otherwise) -> Result<Remake, Refusal> {
        let key = (of.pkgid, otherwise);
        let (becomes, raised) = match (self.known.get(&key), &mut self.releases) {
            (Some(known), _) => known.clone(),
            (None, Some(releases)) => releases.next(&of.nevra)?,
            (None, None) => (of.nevra.clone(), None),
        };
        self.known.insert(key.clone(), (becomes.clone(), raised.clone()));
        let (_, Otherwise { pins, without, told, .. }) = key;
        let change = |change: &PinChange| match &change.after {
            Some(after) => format!("{} {} is = {after} now", change.name, change.before),
            None => format!("{} {} is pinned no more", change.name, change.before),
        };
        let recipe = Recipe {
            product: self.product.name.clone(),
            stage: self.stage.name.clone(),
            of: of.pkgid,
            release: (becomes != of.nevra).then(|| becomes.evr.release.clone()),
            pins,
            without,
            change: [self.why.clone()].into_iter().chain(told.iter().map(change)).collect(),
            may_have_files: self.meta_packages.is_named(&of.nevra),
        };
        let is_direct = !direct.is_nothing();
        Ok(Remake { of: of.clone(), becomes, raised, recipe, is_direct, told })
    }
}

/// Finds which of all meta-packages some pins are about.
fn pinned(all: &[(Known<'_>, Vec<Pin>, Otherwise)], pins: &[Pin]) -> BTreeSet<usize> {
    let is_about =
        |(other, ..): &(Known<'_>, Vec<Pin>, Otherwise)| pins.iter().any(|pin| pin.is_met_by(&other.0.nevra));
    all.iter().enumerate().filter(|(_, other)| is_about(other)).map(|(at, _)| at).collect()
}

/// Puts what a repository lists and what its index says of it side by side.
pub(super) fn known<'a>(listing: &'a [Listed], shelf: &'a Shelf) -> Vec<Known<'a>> {
    let by_nevra: BTreeMap<&Nevra, &Package> =
        shelf.packages().iter().map(|package| (&package.nevra, package)).collect();
    listing.iter().filter_map(|listed| Some((listed, *by_nevra.get(&listed.nevra)?))).collect()
}

/// Parts packages into the newest of each name and architecture, and older ones: an older one that rose would take the
/// place of a newer one.
pub(super) fn newest<'a>(packages: &[Known<'a>]) -> (Vec<Known<'a>>, Vec<Known<'a>>) {
    let mut newest: BTreeMap<(&str, &str), &Nevra> = BTreeMap::new();
    for (listed, _) in packages {
        let nevra = &listed.nevra;
        let known = newest.entry((&nevra.name, nevra.arch.as_str())).or_insert(nevra);
        if nevra.evr.rpm_cmp(&known.evr).is_gt() {
            *known = nevra;
        }
    }
    packages.iter().copied().partition(|(listed, _)| {
        newest[&(listed.nevra.name.as_str(), listed.nevra.arch.as_str())] == &listed.nevra
    })
}

/// What a repository is to be after some of its meta-packages were built anew.
#[derive(Default)]
pub(super) struct Made {
    pub rebuilt: Vec<Rebuilt>,
    pub node_types: Vec<NodeType>,
}

impl Made {
    /// Takes in what was made for a repository; gives what enters it.
    pub(super) fn take(
        &mut self,
        repository: &Repository,
        remakes: &[Remake],
        made: &BTreeMap<Recipe, Listed>,
    ) -> Vec<Listed> {
        let mut enter = Vec::new();
        for remake in remakes {
            let Some(listed) = made.get(&remake.recipe) else { continue };
            enter.push(listed.clone());
            self.node_types.push(remake.node_type(repository));
            let rebuilt = remake.rebuilt(listed.clone());
            if !self.rebuilt.contains(&rebuilt) {
                self.rebuilt.push(rebuilt);
            }
        }
        enter
    }
}

/// Adds to the change of a repository, which may have one already.
pub(super) fn merge(
    world: &World,
    changes: &mut BTreeMap<Repository, Change>,
    repository: &Repository,
    mut enter: Vec<Listed>,
    mut leave: Vec<Listed>,
) {
    if let Some(before) = changes.remove(repository) {
        enter.extend(before.enter);
        leave.extend(before.leave);
    }
    for all in [&mut enter, &mut leave] {
        all.sort();
        all.dedup();
    }
    let listing = world.repositories.get(repository).map(Vec::as_slice).unwrap_or_default();
    changes.extend(Change::of(listing, enter, leave).map(|change| (repository.clone(), change)));
}

impl Gates<'_> {
    /// Gives what is made by some recipes.
    ///
    /// # Errors
    ///
    /// It was not made yet, which is noted as lacking; or cannot be made.
    pub(super) fn made(
        &mut self,
        world: &World,
        remakes: &[&Remake],
    ) -> Result<BTreeMap<Recipe, Listed>, Refusal> {
        // Nothing is built and signed for what is refused anyway.
        self.prefer(Ok(()))?;
        let (mut made, mut wrong) = (BTreeMap::new(), Vec::new());
        for remake in remakes {
            match world.rebuilt.get(&remake.recipe) {
                None => self.lacks(|lacking| {
                    lacking.rebuilt.insert(remake.recipe.clone());
                }),
                Some(Ok(listed)) if listed.nevra == remake.becomes => {
                    made.insert(remake.recipe.clone(), listed.clone());
                }
                Some(Ok(listed)) => {
                    let words = format!(
                        "`{}` would become `{}`, and was to be `{}`",
                        remake.of.nevra, listed.nevra, remake.becomes
                    );
                    wrong.push((Code::NotRebuildable, words));
                }
                Some(Err(unbuilt)) => wrong.push((unbuilt.code, unbuilt.words.clone())),
            }
        }
        wrong.dedup();
        let Some((code, first)) = wrong.first().cloned() else { return self.prefer_known(made) };
        let sentence = match wrong.len() {
            1 => first,
            n => format!("{n} meta-packages cannot be built anew"),
        };
        let refusal = Refusal::new(code, sentence).reasons(wrong.into_iter().map(|(_, words)| words));
        let refusal = refusal.hint("nothing was changed; build it by hand and import it, or leave it out");
        self.prefer(Err(refusal))
    }

    /// Gives the indexes of repositories.
    ///
    /// # Errors
    ///
    /// One was not read yet, which is noted as lacking; or is not of what the repository lists.
    pub(super) fn indexes(
        &mut self,
        world: &World,
        repositories: impl IntoIterator<Item = Repository>,
    ) -> Result<BTreeMap<Repository, Arc<Shelf>>, Refusal> {
        let mut indexes = BTreeMap::new();
        for repository in repositories {
            let Some(indexed) = world.shelves.get(&repository) else {
                self.lacks(|lacking| {
                    lacking.shelves.insert(repository);
                });
                continue;
            };
            let listed = world.repositories.get(&repository).map(Vec::as_slice).unwrap_or_default();
            if indexed.set != crate::world::digest_of_set(listed) {
                let sentence = format!("the index of `{repository}` is not of what it lists");
                return self.prefer(Err(Refusal::new(Code::InstallableUnknown, sentence)));
            }
            indexes.insert(repository, Arc::clone(&indexed.shelf));
        }
        self.prefer_known(indexes)
    }
}
