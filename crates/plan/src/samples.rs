//! A small site for the tests: one product, two stages, two platforms.

pub(crate) mod metas;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use nevra::Sha256;
use sha2::Digest as _;

use crate::check::check;
use crate::decide::{Decision, decide};
use crate::layout::{Kind, Layout, Platform, Product, Repository, Route, Stage, Versions};
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::request::{Action, Request};
use crate::world::{Arrival, Asker, Listed, ListedPackage, World, digest, digest_of_set};

/// `glite-3.2` on `sl5/x86_64` and `sl5/i386`, from `delta` to `production`; the latter lists the newest two.
pub(crate) fn layout() -> Layout {
    let stage = |name: &str, versions| Stage {
        name: name.into(),
        path: "{product}/{os}/{arch}/{stage}".into(),
        versions,
        import_roles: vec!["integrator".into()],
        ..Stage::default()
    };
    let product = Product {
        name: "glite-3.2".into(),
        platforms: vec![platform("sl5/x86_64"), platform("sl5/i386")],
        stages: vec![stage("delta", Versions::All), stage("production", Versions::Newest(2))],
        routes: vec![Route {
            from: "delta".into(),
            to: "production".into(),
            roles: vec!["release".into()],
            ..Route::default()
        }],
        ..Product::default()
    };
    Layout { products: BTreeMap::from([(product.name.clone(), product)]), ..Layout::default() }
}

pub(crate) fn platform(text: &str) -> Platform {
    text.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// All repositories of [`layout`], empty, at generation 40.
pub(crate) fn world() -> World {
    let mut world = World::new(Arc::new(layout()), now(), 40);
    for repository in world.layout.repositories() {
        world.repositories.insert(repository, vec![]);
    }
    world
}

/// `sl5/x86_64 delta` and the like, with `debug` or `source` behind for the siblings.
pub(crate) fn repository(text: &str) -> Repository {
    let mut words = text.split(' ');
    let platform = platform(words.next().unwrap());
    let stage = words.next().unwrap();
    let kind = match words.next() {
        None => Kind::Binary,
        Some("debug") => Kind::Debug,
        Some("source") => Kind::Source,
        Some(other) => panic!("{other}"),
    };
    layout().products["glite-3.2"].repository(&platform, stage, kind)
}

/// A package of a NEVRA; a `#` and a word behind it make other bytes.
pub(crate) fn listed(text: &str) -> Listed {
    let nevra: nevra::Nevra = text.split('#').next().unwrap().parse().unwrap();
    let mut hasher = sha2::Sha256::new();
    hasher.update(text.as_bytes());
    let pkgid: Sha256 = digest(hasher);
    let source_rpm = if nevra.arch.is_source() {
        String::new()
    } else {
        format!("{}-{}-{}.src.rpm", nevra.name, nevra.evr.version, nevra.evr.release)
    };
    ListedPackage { nevra, pkgid, size: 1000, source_rpm }.into()
}

pub(crate) fn arrivals(texts: &[&str]) -> Vec<Arrival> {
    texts.iter().map(|text| Arrival { listed: listed(text), from: format!("{text}.rpm") }).collect()
}

/// The same package but for what is changed.
pub(crate) fn but(listed: &Listed, change: impl FnOnce(&mut ListedPackage)) -> Listed {
    let mut package = (**listed).clone();
    change(&mut package);
    package.into()
}

/// A world whose repositories list what the text says: `sl5/x86_64 delta: a-1-1.x86_64 b-1-1.noarch`.
pub(crate) fn world_of(lines: &[&str]) -> World {
    let mut world = world();
    for line in lines {
        let (name, packages) = line.split_once(':').unwrap();
        world.repositories.insert(repository(name), packages.split_whitespace().map(listed).collect());
    }
    world
}

/// Somebody with every role.
pub(crate) fn alice() -> Asker {
    let roles = ["integrator", "release", "admin"].map(|role| (None, role.to_owned()));
    Asker { name: "user:alice".into(), roles: roles.to_vec() }
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(crate) fn import(platforms: &[&str]) -> Request {
    Request::new(Action::Import {
        product: "glite-3.2".into(),
        to: "delta".into(),
        files: vec![],
        folder: Some("/srv/new".into()),
        platforms: words(platforms),
    })
}

pub(crate) fn promote(packages: &[&str]) -> Request {
    promote_on(packages, &[])
}

pub(crate) fn promote_on(packages: &[&str], platforms: &[&str]) -> Request {
    Request::new(Action::Promote {
        partial: None,
        product: "glite-3.2".into(),
        from: "delta".into(),
        to: "production".into(),
        packages: words(packages),
        platforms: words(platforms),
    })
}

pub(crate) fn withdraw(stage: &str, packages: &[&str]) -> Request {
    Request::new(Action::Withdraw {
        product: "glite-3.2".into(),
        from: stage.into(),
        packages: words(packages),
        platforms: vec![],
    })
}

pub(crate) fn revert(stage: &str, generation: &str, platforms: &[&str]) -> Request {
    let Ok(generation) = generation.parse();
    Request::new(Action::Revert {
        product: "glite-3.2".into(),
        stage: stage.into(),
        generation,
        platforms: words(platforms),
    })
}

pub(crate) fn keep(generation: Option<&str>, name: &str) -> Request {
    let generation = generation.map(|text| {
        let Ok(generation) = text.parse();
        generation
    });
    Request::new(Action::Keep { generation, as_: Some(name.into()), drop: None })
}

/// Decides, and demands a plan in which nothing is wrong and that does what it announces.
pub(crate) fn effect(world: &World, request: &Request, asker: &Asker, arrivals: &[Arrival]) -> Plan {
    match decide(world, request, asker, arrivals) {
        Decision::Effect(plan) => {
            assert_eq!(check(world, &plan), vec![], "{}", plan.print());
            let mut after = world.clone();
            after.apply(&plan);
            for (repository, change) in &plan.changes {
                assert_eq!(digest_of_set(&after.repositories[repository]), change.after, "{repository}");
            }
            plan
        }
        other => panic!("{other:?}"),
    }
}

/// Decides, and demands a refusal with a code.
pub(crate) fn refused(
    world: &World,
    request: &Request,
    asker: &Asker,
    arrivals: &[Arrival],
    code: Code,
) -> Refusal {
    match decide(world, request, asker, arrivals) {
        Decision::Refused(refusal) => {
            assert_eq!(refusal.code, code, "{refusal:?}");
            refusal
        }
        other => panic!("{other:?}"),
    }
}

/// Decides, and demands that nothing is to do.
pub(crate) fn nothing(
    world: &World,
    request: &Request,
    asker: &Asker,
    arrivals: &[Arrival],
    code: Code,
) -> String {
    match decide(world, request, asker, arrivals) {
        Decision::NothingToDo(seen, sentence) => {
            assert_eq!(seen, code, "{sentence}");
            sentence
        }
        other => panic!("{other:?}"),
    }
}

/// Writes what changes, one repository a line: `sl5/x86_64 delta: +a-1-1.x86_64 -b-1-1.noarch`.
pub(crate) fn brief(plan: &Plan) -> String {
    let mut text = String::new();
    for (repository, change) in &plan.changes {
        let kind = match repository.kind {
            Kind::Binary => "",
            Kind::Debug => " debug",
            Kind::Source => " source",
        };
        text.push_str(&format!("{} {}{kind}:", repository.platform(), repository.stage));
        change.enter.iter().for_each(|one| text.push_str(&format!(" +{}", one.nevra)));
        change.leave.iter().for_each(|one| text.push_str(&format!(" -{}", one.nevra)));
        text.push('\n');
    }
    text
}
