//! What all stages of a product have of one advisory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nevra::Nevra;
use repo::{Advisory, Updateinfo};

use crate::carrying::Part;
use crate::layout::{Product, Repository};
use crate::refusal::{Code, Refusal};
use crate::standing::{HeldAdvisory, TakenBack};
use crate::world::World;

/// One advisory, wherever a product has it.
pub(super) struct Writings<'a> {
    pub(super) world: &'a World,
    pub(super) product: &'a str,
    id: &'a str,
    /// The advisories of each repository that has it among them.
    pub(super) told: BTreeMap<&'a Repository, Updateinfo>,
    /// Where it waits, and its text.
    pub(super) held: BTreeMap<&'a Repository, (&'a HeldAdvisory, Advisory)>,
    /// The repositories of which nobody can say whether they have it, one sentence each.
    pub(super) unread: BTreeMap<&'a Repository, String>,
}

impl<'a> Writings<'a> {
    pub(super) fn of(world: &'a World, product: &'a Product, id: &'a str) -> Self {
        let (mut told, mut held, mut unread) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for repository in world.repositories.keys().filter(|one| one.product == product.name) {
            let waits = world.standing.held.get(&repository.name()).and_then(|held| held.get(id));
            let text = waits.and_then(|one| Some((one, Advisory::read(one.text.clone().into_bytes())?)));
            held.extend(text.map(|text| (repository, text)));
            let why = match world.beside.get(repository).map(|beside| &beside.updates) {
                None | Some(Part::Nothing) => continue,
                Some(Part::Unread(why)) => why.clone(),
                Some(Part::Read(open)) => match Updateinfo::parse(open) {
                    Ok(read) if read.advisories.iter().any(|one| one.id == id) => {
                        told.insert(repository, read);
                        continue;
                    }
                    Ok(_) => continue,
                    Err(error) => error.to_string(),
                },
            };
            unread.insert(repository, format!("the updateinfo of `{repository}` is not read, {why}"));
        }
        Self { world, product: &product.name, id, told, held, unread }
    }

    /// Lists each writing of it.
    pub(super) fn all(&self) -> impl Iterator<Item = &Advisory> {
        let told = self.told.values().flat_map(|read| &read.advisories).filter(|one| one.id == self.id);
        told.chain(self.held.values().map(|(_, one)| one))
    }

    /// Names the stages that have it, or in front of which it waits.
    pub(super) fn stages(&self) -> BTreeSet<&'a str> {
        self.told.keys().chain(self.held.keys()).map(|repository| repository.stage.as_str()).collect()
    }

    /// Names the packages of all writings that some repository lists which has it.
    pub(super) fn packages(&self) -> BTreeMap<Repository, Vec<crate::world::Listed>> {
        let names: BTreeSet<&Nevra> = self.all().flat_map(Advisory::packages).collect();
        let of = |repository: &&Repository| {
            let listed = self.world.repositories.get(*repository).into_iter().flatten();
            let named = listed.filter(|one| names.contains(&one.nevra)).cloned().collect();
            ((*repository).clone(), named)
        };
        self.told.keys().chain(self.held.keys()).map(of).collect()
    }

    /// Says which texts there are, with those that were taken back: the highest version, and the last change.
    pub(super) fn last(&self) -> TakenBack {
        let taken_back = self.world.standing.taken_back(self.product, self.id).cloned().unwrap_or_default();
        let versions = self.all().filter_map(|one| one.version().trim().parse::<u64>().ok());
        let changes = self.all().map(|one| one.changed().trim().to_owned());
        TakenBack {
            version: versions.fold(taken_back.version, u64::max),
            changed: changes.fold(taken_back.changed, String::max),
        }
    }

    /// Gives the number of the next writing: higher than that of any, also of one that was taken back.
    pub(super) fn next(&self) -> Result<u64, Refusal> {
        let last = self.last().version;
        last.checked_add(1).ok_or_else(|| {
            let sentence =
                format!("advisory `{}` has the version {last}, and there is no higher one", self.id);
            Refusal::new(Code::NeedsPerson, sentence).hint("say it under another id")
        })
    }

    /// Shows when it was issued first, as far as that is known.
    pub(super) fn issued(&self) -> Option<String> {
        self.all().map(Advisory::issued).filter(|issued| !issued.is_empty()).min().map(str::to_owned)
    }

    /// Names what a stage lists on the platform of one of its repositories.
    pub(super) fn there(&self, repository: &Repository) -> BTreeSet<&'a Nevra> {
        self.listed(repository, &BTreeSet::from([repository.stage.as_str()]))
    }

    /// Names what stages list on that platform from which routes lead there.
    pub(super) fn before(&self, repository: &Repository) -> BTreeSet<&'a Nevra> {
        let product = self.world.layout.products.get(self.product);
        let stages = product.map(|product| product.stages_before(&repository.stage)).unwrap_or_default();
        self.listed(repository, &stages)
    }

    fn listed(&self, beside: &Repository, stages: &BTreeSet<&str>) -> BTreeSet<&'a Nevra> {
        let is_of = |one: &Repository| {
            one.product == beside.product
                && one.platform() == beside.platform()
                && stages.contains(one.stage.as_str())
        };
        let known = self.world.repositories.iter().filter(|(one, _)| is_of(one));
        known.flat_map(|(_, listed)| listed).map(|one| &one.nevra).collect()
    }

    /// Writes the time as advisories have it, in UTC.
    pub(super) fn now(&self) -> String {
        self.world.now.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Names the advisories that a product has.
    pub(super) fn ids(world: &World, product: &str) -> BTreeSet<String> {
        let of_it = || world.repositories.keys().filter(|repository| repository.product == product);
        let said = of_it().filter_map(|repository| match &world.beside.get(repository)?.updates {
            Part::Read(open) => Updateinfo::parse(open).ok(),
            Part::Nothing | Part::Unread(_) => None,
        });
        let told = said.flat_map(|read| read.advisories).map(|one| one.id);
        let held = of_it().filter_map(|repository| world.standing.held.get(&repository.name()));
        told.chain(held.flat_map(|held| held.keys().cloned())).collect()
    }

    /// Puts `new` in the place of all writings that a repository has, or behind its other advisories.
    pub(super) fn put(&self, repository: &Repository, new: Option<Advisory>) -> Result<Part, Refusal> {
        if let Some(why) = self.unread.get(repository) {
            let refusal = Refusal::new(Code::NeedsPerson, format!("{why}, so nothing can be added to it"));
            return Err(refusal.hint("adopt the repository again with one that can be read"));
        }
        let mut updates = match self.told.get(repository) {
            Some(updates) => updates.clone(),
            None => match self.world.beside.get(repository).map(|beside| &beside.updates) {
                Some(Part::Read(open)) => Updateinfo::parse(open).unwrap_or_default(),
                _ => Updateinfo::default(),
            },
        };
        let at = updates.advisories.iter().position(|one| one.id == self.id);
        updates.advisories.retain(|one| one.id != self.id);
        if let Some(new) = new {
            updates.advisories.insert(at.unwrap_or(updates.advisories.len()), new);
        }
        Ok(match updates.advisories.is_empty() {
            true => Part::Nothing,
            false => Part::Read(Arc::from(updates.write())),
        })
    }
}
