//! The packages of one repository, found by what they provide, own and want.

use std::collections::HashMap;

use nevra::Dependency;

use crate::package::Package;
use crate::rich::{Rich, is_rich};

/// The packages of one repository or of one context, indexed once and then only read.
#[derive(Debug)]
pub struct Shelf {
    name: String,
    packages: Vec<Package>,
    provided: HashMap<String, Vec<(u32, Dependency)>>,
    owned: HashMap<String, Vec<u32>>,
    named: HashMap<String, Vec<u32>>,
    wanting: HashMap<String, Vec<u32>>,
    refusing: HashMap<String, Vec<u32>>,
}

impl Shelf {
    /// Indexes packages; `name` is what people call the place: `production`, `epel`.
    #[must_use]
    pub fn new(name: impl Into<String>, packages: Vec<Package>) -> Self {
        let mut shelf = Self {
            name: name.into(),
            packages: Vec::new(),
            provided: HashMap::new(),
            owned: HashMap::new(),
            named: HashMap::new(),
            wanting: HashMap::new(),
            refusing: HashMap::new(),
        };
        for (at, package) in (0_u32..).zip(&packages) {
            shelf.index(at, package);
        }
        shelf.packages = packages;
        shelf
    }

    fn index(&mut self, at: u32, package: &Package) {
        let own = package.nevra.provided();
        put(&mut self.named, &package.nevra.name, at);
        let said = package.provides.iter().filter(|provided| **provided != own);
        for provided in said.chain([&own]) {
            self.provided.entry(provided.name.clone()).or_default().push((at, provided.clone()));
        }
        package.files.iter().for_each(|file| put(&mut self.owned, &file.path, at));
        each_name(&package.requires, &mut |name| put(&mut self.wanting, name, at));
        each_name(&package.conflicts, &mut |name| put(&mut self.refusing, name, at));
        package.obsoletes.iter().for_each(|old| put(&mut self.refusing, &old.name, at));
    }

    /// Shows what people call the place.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Shows the packages, in the order they came.
    #[must_use]
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Everything that provides or owns the name, with what it says; a file is owned in every version.
    pub(crate) fn offering<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = (u32, Option<&'a Dependency>)> {
        let provided = self.provided.get(name).into_iter().flatten();
        let owned = name.starts_with('/').then(|| self.owners(name)).into_iter().flatten();
        provided.map(|(at, said)| (*at, Some(said))).chain(owned.map(|at| (*at, None)))
    }

    /// Everything that owns the path.
    pub(crate) fn owners(&self, path: &str) -> &[u32] {
        self.owned.get(path).map(Vec::as_slice).unwrap_or_default()
    }

    /// Everything of that name.
    pub(crate) fn named(&self, name: &str) -> &[u32] {
        self.named.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Everything whose requirements name it.
    pub(crate) fn wanting(&self, name: &str) -> &[u32] {
        self.wanting.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Everything whose conflicts or obsoletes name it.
    pub(crate) fn refusing(&self, name: &str) -> &[u32] {
        self.refusing.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

fn put(map: &mut HashMap<String, Vec<u32>>, name: &str, at: u32) {
    match map.get_mut(name) {
        Some(all) if all.last() == Some(&at) => {}
        Some(all) => all.push(at),
        None => drop(map.insert(name.to_owned(), vec![at])),
    }
}

/// Calls `see` with each capability that dependencies name, also inside rich ones.
pub(crate) fn each_name(dependencies: &[Dependency], see: &mut impl FnMut(&str)) {
    for dependency in dependencies {
        if !is_rich(&dependency.name) {
            see(&dependency.name);
        } else if let Ok(rich) = Rich::parse(&dependency.name) {
            rich.each_name(&mut |one| see(&one.name));
        }
    }
}
