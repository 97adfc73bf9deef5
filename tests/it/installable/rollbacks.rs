//! Roll-backs of random sites: what is built anew are real RPMs, and libsolv says whether hosts can have them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use closure::{File, FileKind, Package, Shelf};
use fastrand::Rng;
use metapackage::{Rebuild, rebuilt};
use nevra::{Bound, Dependency, Evr, Nevra, Sense, Sha256};
use plan::{
    Action, Asker, Closure, Code, Decision, Indexed, Kind, Layout, Listed, Plan, Product, Recipe, Refusal,
    Repository, Request, Route, Stage, World, check, decide, digest_of_set,
};

use super::oracle;
use super::worlds::Made;

/// A site with components in two versions, and node types that pin some of them and each other.
struct Site {
    world: World,
    /// The files of meta-packages, and what all packages say about others.
    rpms: BTreeMap<Sha256, Vec<u8>>,
    says: BTreeMap<Sha256, Package>,
    rejected: BTreeSet<String>,
}

fn layout() -> Layout {
    let stage = |name: &str, closure: Option<Closure>| Stage {
        name: name.into(),
        path: "{product}/{os}/{arch}/{stage}".into(),
        import_roles: vec!["release".into()],
        closure,
        ..Stage::default()
    };
    let beside = Closure { beside: vec!["production".into()], ..Closure::default() };
    let product = Product {
        name: "emi".into(),
        platforms: vec!["el9/x86_64".parse().unwrap()],
        stages: vec![stage("delta", Some(beside)), stage("production", None)],
        routes: vec![Route { from: "delta".into(), to: "production".into(), ..Route::default() }],
        ..Product::default()
    };
    Layout { products: BTreeMap::from([(product.name.clone(), product)]), ..Layout::default() }
}

fn repository(stage: &str) -> Repository {
    let product = &layout().products["emi"];
    product.repository(&product.platforms[0], stage, Kind::Binary)
}

/// Reads what a real RPM says about others.
fn read(rpm: &[u8]) -> Package {
    let head = repo::read_head(&mut &*rpm).unwrap();
    let facts = repo::FileFacts { size: 0, digest: repo::sha256(rpm).into(), mtime: 0, href: String::new() };
    let said = repo::package_of(&head, facts).unwrap();
    let dependency = |relation: &repo::Relation| Dependency {
        name: relation.name.clone(),
        bound: relation.flags.map(|flag| Bound {
            sense: Sense::from_flag(flag).unwrap(),
            epoch: relation.epoch.as_ref().map(|epoch| epoch.parse().unwrap()),
            version: relation.version.clone().unwrap_or_default(),
            release: relation.release.clone(),
        }),
    };
    let ours = |relation: &&repo::Relation| !relation.name.starts_with("rpmlib(");
    let mut package = Package::new(said.nevra.clone());
    package.provides = said.provides.iter().map(dependency).collect();
    package.requires = said.requires.iter().filter(ours).map(dependency).collect();
    package
}

impl Site {
    fn of(seed: u64) -> Site {
        let mut random = Rng::with_seed(seed);
        let mut site = Site {
            world: World::new(Arc::new(layout()), "2026-03-01T12:00:00Z".parse().unwrap(), 7),
            rpms: BTreeMap::new(),
            says: BTreeMap::new(),
            rejected: BTreeSet::new(),
        };
        for repository in site.world.layout.repositories() {
            site.world.repositories.insert(repository, Vec::new());
        }
        let components = random.usize(2..8);
        let newer: Vec<bool> = (0..components).map(|_| random.u8(..10) < 7).collect();
        let is_new: Vec<bool> = (0..components).map(|_| random.u8(..20) == 0).collect();
        for at in 0..components {
            let mut needs = Vec::new();
            if at > 0 && random.bool() {
                needs.push(format!("c{}", random.usize(..at)));
            }
            if !is_new[at] {
                site.component("production", at, 1, &needs);
            }
            if newer[at] || is_new[at] {
                // Now and then a new version needs the new version of another.
                let other = (0..at).find(|other| newer[*other]).filter(|_| random.u8(..10) == 0);
                needs.extend(other.map(|other| format!("c{other} >= 2")));
                site.component("delta", at, 2, &needs);
            }
        }
        let node_types = random.usize(2..7);
        for node_type in 0..node_types {
            let pinned: BTreeSet<usize> =
                (0..random.usize(1..=components)).map(|_| random.usize(..components)).collect();
            let other = (node_type > 0 && random.u8(..10) < 3).then(|| random.usize(..node_type));
            let old = pinned.iter().filter(|at| !is_new[**at]).map(|at| format!("c{at} = 1-1"));
            let old = old.chain(other.map(|other| format!("t{other} = 1-1"))).collect::<Vec<_>>();
            site.node_type("production", node_type, 1, &old);
            let mut new: Vec<String> = Vec::new();
            for at in &pinned {
                let version = if newer[*at] || is_new[*at] { 2 } else { 1 };
                new.push(match random.u8(..5) {
                    0 => format!("c{at} = {version}"),
                    1 => format!("c{at}(x86-64) = {version}-1"),
                    2 => format!("c{at} >= {version}-1"),
                    _ => format!("c{at} = {version}-1"),
                });
            }
            let form = if random.bool() { "= 2-1" } else { ">= 2" };
            new.extend(other.map(|other| format!("t{other} {form}")));
            site.node_type("delta", node_type, 2, &new);
        }
        let candidates = (0..components).filter(|at| newer[*at] || is_new[*at]);
        let mut candidates: Vec<usize> = candidates.collect();
        random.shuffle(&mut candidates);
        let count = if candidates.is_empty() { 0 } else { random.usize(1..=candidates.len()) };
        site.rejected = candidates.into_iter().take(count).map(|at| format!("c{at}")).collect();
        site
    }

    fn list(&mut self, stage: &str, package: Package, bytes: Vec<u8>) {
        let pkgid = repo::sha256(&bytes);
        let nevra = package.nevra.clone();
        self.says.insert(pkgid, package);
        self.rpms.insert(pkgid, bytes);
        let listed: Listed = plan::ListedPackage { nevra, pkgid, size: 1, source_rpm: String::new() }.into();
        self.world.repositories.get_mut(&repository(stage)).unwrap().push(listed);
    }

    fn component(&mut self, stage: &str, at: usize, version: u8, needs: &[String]) {
        let nevra: Nevra = format!("c{at}-{version}-1.x86_64").parse().unwrap();
        let mut package = Package::new(nevra.clone());
        package.requires = needs.iter().map(|text| text.parse().unwrap()).collect();
        package.provides = vec![nevra.provided(), format!("c{at}(x86-64) = {version}-1").parse().unwrap()];
        package.files = vec![File { path: format!("/usr/bin/c{at}"), kind: FileKind::File, contents: None }];
        self.list(stage, package, format!("{nevra}").into_bytes());
    }

    fn node_type(&mut self, stage: &str, at: usize, version: u8, pins: &[String]) {
        let recipe = repo::Recipe::new(format!("t{at}"), version.to_string(), "1");
        let recipe = pins.iter().fold(recipe, |recipe, pin| recipe.requires(pin));
        let rpm = recipe.build();
        self.list(stage, read(&rpm), rpm);
    }

    fn packages(&self, stage: &str) -> Vec<Package> {
        let listed = &self.world.repositories[&repository(stage)];
        listed.iter().map(|one| self.says[&one.pkgid].clone()).collect()
    }

    /// Builds as the daemon does, without a signature.
    fn build(&mut self, recipe: &Recipe) -> Listed {
        let rpm = &self.rpms[&recipe.of];
        let mut payload = rpm.as_slice();
        let head = repo::read_head(&mut payload).unwrap();
        let rebuild = Rebuild {
            release: recipe.release.clone(),
            build_time: 2_000_000_000,
            pins: recipe.pins.clone(),
            without: recipe.without.clone(),
            change: None,
            files_allowed: false,
        };
        let made = rebuilt(&head, payload, &rebuild).unwrap();
        let package = read(&made);
        let listed: Listed = plan::ListedPackage {
            nevra: package.nevra.clone(),
            pkgid: repo::sha256(&made),
            size: 1,
            source_rpm: String::new(),
        }
        .into();
        self.says.insert(listed.pkgid, package);
        self.rpms.insert(listed.pkgid, made);
        listed
    }

    fn roll_back(&mut self) -> Result<Plan, Refusal> {
        let action = Action::Rollback {
            product: "emi".into(),
            from: "delta".into(),
            packages: self.rejected.iter().cloned().collect(),
            platforms: vec![],
            versions: vec![],
            without: vec![],
            releases: vec![],
        };
        let request = Request { reason: Some("r".into()), ..Request::new(action) };
        let asker = Asker { name: "user:alice".into(), roles: vec![(None, "release".into())] };
        loop {
            let lacking = match decide(&self.world, &request, &asker, &[]) {
                Decision::Lacking(lacking) => lacking,
                Decision::Effect(plan) => return Ok(plan),
                Decision::Refused(refusal) => return Err(refusal),
                Decision::NothingToDo(code, sentence) => panic!("{code}: {sentence}"),
            };
            for at in lacking.shelves {
                let listed = &self.world.repositories[&at];
                let packages = listed.iter().map(|one| self.says[&one.pkgid].clone()).collect();
                let shelf = Arc::new(Shelf::new(at.stage.clone(), packages));
                let indexed = Indexed { shelf, set: digest_of_set(listed) };
                self.world.shelves.insert(at, indexed);
            }
            for recipe in lacking.rebuilt {
                let made = self.build(&recipe);
                self.world.rebuilt.insert(recipe, Ok(made));
            }
            for digest in lacking.relations {
                self.world.relations.insert(digest, Arc::new(self.says[&digest].clone()));
            }
        }
    }

    /// The node types of delta that have to be built anew, worked out from the text of their pins alone.
    fn to_build(&self) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = BTreeSet::new();
        loop {
            let before = found.len();
            for package in self.packages("delta").iter().filter(|package| package.nevra.name.starts_with('t'))
            {
                let is_touched = package.requires.iter().any(|pin| {
                    let name = pin.name.split('(').next().unwrap_or_default();
                    let whole = pin
                        .bound
                        .as_ref()
                        .is_some_and(|bound| bound.sense == Sense::Equal && bound.release.is_some());
                    // Rejected is version 2 of a component; a raised release is not taken by who pins the whole old one.
                    self.rejected.contains(name) || found.contains(name) && whole
                });
                if is_touched {
                    found.insert(package.nevra.name.clone());
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }
}

#[test]
fn after_a_roll_back_libsolv_installs_every_node_type_and_none_pins_what_was_rejected() {
    let count = if std::env::var_os("SLUICE_THOROUGH").is_some() { 2000 } else { 200 };
    let folder = tempfile::tempdir().unwrap();
    let (mut refused, mut built) = (BTreeMap::<&str, usize>::new(), 0);
    let mut done: Vec<(u64, Site)> = Vec::new();
    for seed in 0..count {
        let mut site = Site::of(seed);
        if site.rejected.is_empty() {
            *refused.entry("nothing to reject").or_default() += 1;
            continue;
        }
        let to_build = site.to_build();
        match site.roll_back() {
            Ok(plan) => {
                assert_eq!(check(&site.world, &plan), vec![], "{seed}");
                let rebuilt: BTreeSet<String> =
                    plan.rebuilt.iter().map(|rebuilt| rebuilt.of.name.clone()).collect();
                assert_eq!(rebuilt, to_build, "{seed}: {}", plan.print());
                site.world.apply(&plan);
                built += rebuilt.len();
                done.push((seed, site));
            }
            Err(refusal) => {
                // Nothing to go back to, or something new that needs what is rejected.
                let is_sound = [Code::NoVersionBefore, Code::NotInstallable, Code::MetaPackageBroken]
                    .contains(&refusal.code);
                assert!(is_sound, "{seed}: {refusal:?}");
                *refused.entry(refusal.code.as_str()).or_default() += 1;
            }
        }
    }
    let folders: Vec<PathBuf> = done.iter().map(|(seed, _)| folder.path().join(seed.to_string())).collect();
    let mut looked_at = 0;
    for ((_, site), folder) in done.iter().zip(&folders) {
        let (after, context) = (site.packages("delta"), site.packages("production"));
        oracle::write(folder, &Made { before: vec![], after, context });
    }
    let paths: Vec<_> = folders.iter().map(PathBuf::as_path).collect();
    for ((seed, site), verdicts) in done.iter().zip(oracle::installable(&paths)) {
        for package in site.packages("delta") {
            let verdict = verdicts.get(&package.nevra.to_string());
            assert!(verdict.is_none_or(Vec::is_empty), "{seed}: {}: {verdict:?}", package.nevra);
            looked_at += usize::from(package.nevra.name.starts_with('t'));
            for name in &site.rejected {
                let rejected: Evr = "2-1".parse().unwrap();
                let provided =
                    Nevra::new(name.as_str(), rejected, nevra::Arch::new("x86_64")).unwrap().provided();
                let is_pin = |one: &&Dependency| {
                    one.bound.as_ref().is_some_and(|bound| bound.sense == Sense::Equal)
                        && one.overlaps(&provided)
                };
                let pin = package.requires.iter().find(is_pin);
                assert!(pin.is_none(), "{seed}: {} pins {pin:?}", package.nevra);
            }
        }
    }
    println!(
        "{count} worlds: {} rolled back, {built} node types built anew, {looked_at} looked at; refused {refused:?}",
        done.len()
    );
    assert!(done.len() * 2 > usize::try_from(count).unwrap(), "too few are rolled back: {refused:?}");
}
