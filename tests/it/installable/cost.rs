//! What a judgement costs grows with the change, and not with what a site holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use closure::{Change, File, FileKind, Package, Shelf};
use fastrand::Rng;
use nevra::Arch;

/// How many packages a meta-package pins.
const PINS: usize = 20;

/// A package like those of a distribution: libraries, files, and requirements of what came before it.
fn package(place: &str, number: usize, version: usize, below: &[String], rng: &mut Rng) -> Package {
    let mut package = Package::new(format!("{place}-{number}-{version}-1.x86_64").parse().unwrap());
    for library in 0..3 {
        package.provides.push(format!("lib{place}{number}.so.{library}()(64bit)").parse().unwrap());
    }
    for _ in 0..4 {
        let required = below.get(rng.usize(..below.len().max(1)));
        package.requires.extend(required.map(|name| name.parse().unwrap()));
    }
    for file in 0..20 {
        let path = format!("/usr/share/{place}{number}/{file}");
        package.files.push(File { path, kind: FileKind::File, contents: None });
    }
    package
}

/// Packages of which each needs some of the context and a few of those before it.
fn shelf(place: &str, count: usize, below: &[String], rng: &mut Rng) -> Vec<Package> {
    let mut all = Vec::new();
    let mut names: Vec<String> = below.to_vec();
    for number in 0..count {
        all.push(package(place, number, 1, &names, rng));
        // What is needed by many is in few packages: the first ones.
        if number < 300 {
            names.push(format!("lib{place}{number}.so.1()(64bit)"));
        }
    }
    all
}

/// Ten packages that enter a site of that size in a new version, with a meta-package that pins them.
pub(super) fn change(production: usize, context: usize) -> Change {
    let mut rng = Rng::with_seed(7);
    let context = shelf("base", context, &[], &mut rng);
    let basic: Vec<String> = (0..200).map(|number| format!("libbase{number}.so.1()(64bit)")).collect();
    let mut packages = shelf("grid", production, &basic, &mut rng);
    for meta in 0..production / 200 {
        let mut package = Package::new(format!("glite-{meta}-1-1.noarch").parse().unwrap());
        for pin in 0..PINS {
            let number = 400 + (meta * PINS + pin) % (production - 400);
            package.requires.push(format!("grid-{number} = 1-1").parse().unwrap());
        }
        packages.push(package);
    }
    let mut enter: Vec<Package> =
        (400..410).map(|number| package("grid", number, 2, &basic, &mut rng)).collect();
    let mut meta = Package::new("glite-0-2-1.noarch".parse().unwrap());
    let pins =
        (400..400 + PINS).map(|number| format!("grid-{number} = {}-1", if number < 410 { 2 } else { 1 }));
    meta.requires = pins.map(|pin| pin.parse().unwrap()).collect();
    enter.push(meta);
    let meta_packages = super::metas(packages.iter().chain(&enter));
    Change {
        platform: Arch::new("x86_64"),
        target: Arc::new(Shelf::new("production", packages)),
        leave: BTreeSet::new(),
        enter,
        context: vec![Arc::new(Shelf::new("base", context))],
        beside: vec![],
        elsewhere: vec![],
        meta_packages,
        install_only: BTreeSet::new(),
        goes_back: false,
    }
}

#[test]
fn what_a_judgement_looks_at_grows_with_the_change() {
    let small = closure::judge(&change(1_000, 2_000));
    let large = closure::judge(&change(10_000, 20_000));
    println!("1,000 beside 2,000: {} things; 10,000 beside 20,000: {} things", small.work, large.work);
    for judgement in [&small, &large] {
        assert!(judgement.broken.is_empty() && judgement.known.is_empty(), "{judgement:?}");
        assert_eq!(judgement.judged, 11);
    }
    assert!(large.work < small.work * 2, "{} things, and {} on a site of a tenth", large.work, small.work);
}
