//! A small site for the tests: one product, two stages, two platforms.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use nevra::Sha256;
use sha2::Digest as _;

use crate::layout::{Kind, Layout, Platform, Product, Repository, Route, Stage, Versions};
use crate::world::{Arrival, Asker, Listed, World, digest};

/// `glite-3.2` on `sl5/x86_64` and `sl5/i386`, from `delta` to `production`; the latter lists the newest two.
pub(crate) fn layout() -> Layout {
    let stage = |name: &str, versions| Stage {
        name: name.into(),
        path: "{product}/{os}/{arch}/{stage}".into(),
        versions,
        import_roles: vec!["integrator".into()],
    };
    let product = Product {
        name: "glite-3.2".into(),
        platforms: vec![platform("sl5/x86_64"), platform("sl5/i386")],
        stages: vec![stage("delta", Versions::All), stage("production", Versions::Newest(2))],
        routes: vec![Route { from: "delta".into(), to: "production".into(), roles: vec!["release".into()] }],
    };
    Layout { products: BTreeMap::from([(product.name.clone(), product)]) }
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
    Listed { nevra, pkgid, size: 1000, source_rpm }
}

pub(crate) fn arrivals(texts: &[&str]) -> Vec<Arrival> {
    texts.iter().map(|text| Arrival { listed: listed(text), from: format!("{text}.rpm") }).collect()
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
