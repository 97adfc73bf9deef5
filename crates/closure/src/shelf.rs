//! The packages of one repository, found by what they provide, own and want.

use std::collections::HashMap;

use nevra::Dependency;

use crate::package::Package;
use crate::paths::Paths;
use crate::rich::{Rich, is_rich};

/// The packages of one repository or of one context, indexed once; what enters and leaves it later costs what
/// these packages cost.
#[derive(Clone, Debug)]
pub struct Shelf {
    name: String,
    packages: Vec<Package>,
    paths: Paths,
    /// The package, and at which place of its list it provides the name: a base system has a million of these.
    provided: HashMap<String, Vec<(u32, u32)>>,
    /// What packages provide without saying so: themselves.
    unsaid: HashMap<u32, Dependency>,
    owned: HashMap<String, Vec<u32>>,
    named: HashMap<String, Vec<u32>>,
    wanting: HashMap<String, Vec<u32>>,
    refusing: HashMap<String, Vec<u32>>,
}

impl Shelf {
    /// Indexes packages; `name` is what people call the place: `production`, `epel`.
    #[must_use]
    pub fn new(name: impl Into<String>, packages: Vec<Package>) -> Self {
        Self::with_paths(name, packages, Paths::default())
    }

    /// Indexes packages of which `paths` knows the files that do not stand in them. Such a shelf never changes.
    #[must_use]
    pub fn with_paths(name: impl Into<String>, packages: Vec<Package>, paths: Paths) -> Self {
        let mut shelf = Self {
            name: name.into(),
            packages: Vec::new(),
            paths,
            provided: HashMap::new(),
            unsaid: HashMap::new(),
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

    /// Adds a package at the end.
    pub fn add(&mut self, package: Package) {
        let at = self.packages.len() as u32;
        self.index(at, &package);
        self.packages.push(package);
    }

    /// Takes a package away; the last one takes its place. Nothing is taken from a shelf with [`Paths`], whose places
    /// are fixed, or where there is no such place.
    pub fn take(&mut self, at: usize) -> Option<Package> {
        if at >= self.packages.len() || !self.paths.is_empty() {
            return None;
        }
        let last = self.packages.len() - 1;
        let taken = self.packages.swap_remove(at);
        self.forget(at as u32, &taken);
        if at != last {
            let moved = self.packages[at].clone();
            self.forget(last as u32, &moved);
            self.index(at as u32, &moved);
        }
        Some(taken)
    }

    fn index(&mut self, at: u32, package: &Package) {
        let own = package.nevra.provided();
        put(&mut self.named, &package.nevra.name, at);
        for (place, provided) in (0..UNSAID).zip(&package.provides) {
            self.provides(&provided.name, (at, place));
        }
        if !package.provides.contains(&own) {
            self.provides(&own.name, (at, UNSAID));
            self.unsaid.insert(at, own);
        }
        package.files.iter().for_each(|file| put(&mut self.owned, &file.path, at));
        each_name(&package.requires, &mut |name| put(&mut self.wanting, name, at));
        each_name(&package.conflicts, &mut |name| put(&mut self.refusing, name, at));
        package.obsoletes.iter().for_each(|old| put(&mut self.refusing, &old.name, at));
    }

    fn provides(&mut self, name: &str, (at, place): (u32, u32)) {
        match self.provided.get_mut(name) {
            Some(all) => all.push((at, place)),
            None => drop(self.provided.insert(name.to_owned(), vec![(at, place)])),
        }
    }

    fn forget(&mut self, at: u32, package: &Package) {
        self.unsaid.remove(&at);
        drop_from(&mut self.named, &package.nevra.name, |one| *one == at);
        for provided in package.provides.iter().map(|provided| &provided.name).chain([&package.nevra.name]) {
            drop_from(&mut self.provided, provided, |(one, _)| *one == at);
        }
        package.files.iter().for_each(|file| drop_from(&mut self.owned, &file.path, |one| *one == at));
        each_name(&package.requires, &mut |name| drop_from(&mut self.wanting, name, |one| *one == at));
        each_name(&package.conflicts, &mut |name| drop_from(&mut self.refusing, name, |one| *one == at));
        package.obsoletes.iter().for_each(|old| drop_from(&mut self.refusing, &old.name, |one| *one == at));
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
        let owned = name.starts_with('/').then(|| self.owners(name).iter().chain(self.paths.owners(name)));
        let said = |(at, place): &(u32, u32)| {
            let said = match *place {
                UNSAID => self.unsaid.get(at),
                place => self.packages[*at as usize].provides.get(place as usize),
            };
            said.map(|said| (*at, Some(said)))
        };
        provided.filter_map(said).chain(owned.into_iter().flatten().map(|at| (*at, None)))
    }

    /// What knows the files that do not stand in the packages.
    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Every path that something here requires.
    pub(crate) fn wanted_paths(&self) -> impl Iterator<Item = &str> {
        self.wanting.keys().map(String::as_str).filter(|name| name.starts_with('/'))
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

/// The place of what a package provides without saying so.
const UNSAID: u32 = u32::MAX;

fn put(map: &mut HashMap<String, Vec<u32>>, name: &str, at: u32) {
    match map.get_mut(name) {
        Some(all) if all.last() == Some(&at) => {}
        Some(all) => all.push(at),
        None => drop(map.insert(name.to_owned(), vec![at])),
    }
}

fn drop_from<T>(map: &mut HashMap<String, Vec<T>>, name: &str, is_it: impl Fn(&T) -> bool) {
    if let Some(all) = map.get_mut(name) {
        all.retain(|one| !is_it(one));
        if all.is_empty() {
            map.remove(name);
        }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::judgement::tests::package;

    /// What an index says, whatever the places are.
    fn said(shelf: &Shelf) -> BTreeMap<String, Vec<String>> {
        let name = |at: &u32| shelf.packages[*at as usize].nevra.to_string();
        let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (kind, map) in [
            ("owned", &shelf.owned),
            ("named", &shelf.named),
            ("wanting", &shelf.wanting),
            ("refusing", &shelf.refusing),
        ] {
            for (key, all) in map {
                said.insert(format!("{kind} {key}"), all.iter().map(name).collect());
            }
        }
        for key in shelf.provided.keys() {
            said.insert(
                format!("provided {key}"),
                shelf
                    .offering(key)
                    .filter_map(|(at, what)| Some(format!("{} {}", name(&at), what?)))
                    .collect(),
            );
        }
        said.values_mut().for_each(|all| all.sort());
        said
    }

    #[test]
    fn a_shelf_that_changed_says_what_a_new_one_says() {
        let names = ["a", "b", "c", "d", "e"];
        let all: Vec<Package> = (0..40)
            .map(|n| {
                let name = names[n % 5];
                let other = names[(n / 2) % 5];
                let lines = [
                    format!("provides lib{other}.so"),
                    format!("provides {name} = {n}-1"),
                    format!("requires {other} >= 1"),
                    format!("requires (lib{name}.so or {other})"),
                    format!("conflicts {other} < 1"),
                    format!("obsoletes old-{other} < {n}"),
                    format!("file /usr/bin/{other}"),
                ];
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                package(&format!("{name}-{n}-1.x86_64"), &lines)
            })
            .collect();
        let mut rng = fastrand::Rng::with_seed(3);
        let mut shelf = Shelf::new("production", all[..20].to_vec());
        for new in &all[20..] {
            assert!(shelf.take(rng.usize(..shelf.packages().len())).is_some());
            if rng.bool() {
                assert!(shelf.take(rng.usize(..shelf.packages().len())).is_some());
            }
            shelf.add(new.clone());
            let anew = Shelf::new("production", shelf.packages().to_vec());
            assert_eq!(said(&shelf), said(&anew));
        }
        assert_eq!(shelf.take(shelf.packages().len()), None);
        while shelf.take(0).is_some() {}
        assert_eq!(said(&shelf), BTreeMap::new());
    }
}
