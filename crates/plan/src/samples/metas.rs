//! A site whose packages require each other, and whoever reads and builds for it what a decision lacks.

use std::collections::BTreeMap;
use std::sync::Arc;

use closure::{Package, Shelf};
use nevra::Dependency;
use sha2::Digest as _;

use super::{alice, but, listed, world_of};
use crate::check::check;
use crate::decide::{Decision, decide};
use crate::lacking::Indexed;
use crate::layout::{Layout, Product};
use crate::plan::Plan;
use crate::recipe::Recipe;
use crate::refusal::{Code, Refusal};
use crate::request::Request;
use crate::world::{Listed, World, digest, digest_of_set};

/// A world, and what its packages require by their digest.
pub(crate) struct Metas {
    pub(crate) world: World,
    requires: BTreeMap<nevra::Sha256, Vec<String>>,
}

impl Metas {
    /// Reads `sl5/x86_64 delta: a-1-1.x86_64 ui-1-1.noarch(a = 1-1, b = 2-1)`.
    pub(crate) fn of(lines: &[&str]) -> Metas {
        let mut requires = BTreeMap::new();
        let mut plain = Vec::new();
        for line in lines {
            let (repository, packages) = line.split_once(':').unwrap();
            let mut names = Vec::new();
            let mut rest = packages.trim();
            while !rest.is_empty() {
                let end = rest.find([' ', '<']).unwrap_or(rest.len());
                let (name, behind) = rest.split_at(end);
                let (said, behind) = match behind.strip_prefix('<') {
                    Some(inside) => inside.split_once('>').unwrap(),
                    None => ("", behind),
                };
                let said = said.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty());
                let said: Vec<String> = said.collect();
                // A file says the same wherever it is listed.
                if !said.is_empty() || !requires.contains_key(&listed(name).pkgid) {
                    requires.insert(listed(name).pkgid, said);
                }
                names.push(name);
                rest = behind.trim_start();
            }
            plain.push(format!("{repository}: {}", names.join(" ")));
        }
        let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
        Metas { world: world_of(&plain), requires }
    }

    /// Takes over what another site's packages require.
    pub(crate) fn learn(&mut self, other: Metas) {
        self.requires.extend(other.requires);
    }

    /// Changes the only product.
    pub(crate) fn product(mut self, change: impl FnOnce(&mut Product)) -> Metas {
        let layout: &mut Layout = Arc::make_mut(&mut self.world.layout);
        change(layout.products.get_mut("glite-3.2").unwrap());
        self
    }

    fn package(&self, listed: &Listed) -> Package {
        let mut package = Package::new(listed.nevra.clone());
        let said = self.requires.get(&listed.pkgid).into_iter().flatten();
        let (files, said): (Vec<&String>, Vec<&String>) = said.partition(|text| text.starts_with('/'));
        let file = |path: &&String| closure::File {
            path: (*path).clone(),
            kind: closure::FileKind::File,
            contents: None,
        };
        package.files = files.iter().map(file).collect();
        package.requires = said
            .into_iter()
            .map(|text| match text.starts_with('(') {
                true => Dependency { name: text.clone(), bound: None },
                false => text.parse().unwrap(),
            })
            .collect();
        if package.requires.is_empty() {
            package.files.push(closure::File {
                path: format!("/usr/bin/{}", listed.nevra.name),
                kind: closure::FileKind::File,
                contents: None,
            });
        }
        package
    }

    /// Builds as the engine would, with all that it says of itself.
    fn build(&mut self, recipe: &Recipe) -> Listed {
        let of = self.world.repositories.values().flatten().find(|listed| listed.pkgid == recipe.of);
        let of = of.unwrap().clone();
        let mut says = Vec::new();
        for text in &self.requires[&recipe.of] {
            let name = text.split(' ').next().unwrap();
            let plain = name.split('(').next().unwrap();
            match recipe.pins.get(plain) {
                Some(evr) => says.push(format!("{name} = {evr}")),
                None if recipe.without.contains(plain) => {}
                None => says.push(text.clone()),
            }
        }
        let mut hasher = sha2::Sha256::new();
        hasher.update(format!("built by {}", recipe.digest()).as_bytes());
        let made = but(&of, |made| {
            if let Some(release) = &recipe.release {
                made.nevra.evr.release = release.clone();
            }
            made.pkgid = digest(hasher);
        });
        self.requires.insert(made.pkgid, says);
        made
    }

    /// Decides, reading and building what lacks.
    pub(crate) fn decide(&mut self, request: &Request) -> Decision {
        loop {
            let Decision::Lacking(lacking) = decide(&self.world, request, &alice(), &[]) else {
                return decide(&self.world, request, &alice(), &[]);
            };
            for repository in lacking.shelves {
                let listed = self.world.repositories.get(&repository).cloned().unwrap_or_default();
                let packages = listed.iter().map(|listed| self.package(listed)).collect();
                let shelf = Arc::new(Shelf::new(repository.stage.clone(), packages));
                self.world.shelves.insert(repository, Indexed { shelf, set: digest_of_set(&listed) });
            }
            for recipe in lacking.rebuilt {
                let made = self.build(&recipe);
                self.world.relations.insert(made.pkgid, Arc::new(self.package(&made)));
                self.world.rebuilt.insert(recipe, Ok(made));
            }
            for digest in lacking.relations {
                let all = self.world.repositories.values().flatten();
                let one = all.clone().find(|listed| listed.pkgid == digest).unwrap();
                self.world.relations.insert(digest, Arc::new(self.package(one)));
            }
            for (at, digest) in lacking.built.into_iter().enumerate() {
                self.world.built.insert(digest, at as i64);
            }
        }
    }

    /// Decides, demands a plan in which nothing is wrong, and carries it out; gives it with what changed in words.
    pub(crate) fn done(&mut self, request: &Request) -> Plan {
        match self.decide(request) {
            Decision::Effect(plan) => {
                assert_eq!(check(&self.world, &plan), vec![], "{}", plan.print());
                self.world.apply(&plan);
                self.world.shelves.clear();
                plan
            }
            other => panic!("{other:?}"),
        }
    }

    /// Decides, and demands a refusal with a code.
    pub(crate) fn refused(&mut self, request: &Request, code: Code) -> Refusal {
        match self.decide(request) {
            Decision::Refused(refusal) => {
                assert_eq!(refusal.code, code, "{refusal:?}");
                refusal
            }
            other => panic!("{other:?}"),
        }
    }

    /// Lets the world know what all of its packages require.
    pub(crate) fn index(mut self) -> World {
        for (repository, listed) in self.world.repositories.clone() {
            let packages = listed.iter().map(|listed| self.package(listed)).collect();
            let shelf = Arc::new(Shelf::new(repository.stage.clone(), packages));
            self.world.shelves.insert(repository, Indexed { shelf, set: digest_of_set(&listed) });
        }
        self.world
    }

    /// Writes what a listed package requires.
    pub(crate) fn says(&self, nevra: &str) -> String {
        let mut found =
            self.world.repositories.values().flatten().filter(|one| one.nevra.to_string() == nevra);
        let one = found.next().unwrap_or_else(|| panic!("{nevra} is not listed"));
        self.requires[&one.pkgid].join(", ")
    }
}
