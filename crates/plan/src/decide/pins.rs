//! What packages pin: which versions of which others they require, and whether that is still there.

use std::collections::BTreeSet;

pub(super) use metapackage::Pin;
use nevra::Nevra;
use serde::Serialize;

use crate::layout::{MetaPackages, Product};

/// Lists what a package pins, also what stands in rich dependencies.
pub(super) fn pins_of(package: &closure::Package) -> Vec<Pin> {
    let mut pins = metapackage::pins_among(&package.requires);
    for pin in &mut pins {
        // Metadata writes the epoch that nobody wrote.
        pin.bound.epoch = pin.bound.epoch.filter(|epoch| *epoch != 0);
    }
    pins
}

/// Says whether what `stays` meets a pin as well as what is `gone` did.
///
/// The second architecture of a host is no match for the first: whoever had `voms-2-1.x86_64` does not take
/// `voms-2-1.i686` in its place, whatever the words of the pin say.
pub(super) fn is_met<'a>(
    pin: &Pin,
    gone: &BTreeSet<&Nevra>,
    stays: impl IntoIterator<Item = &'a Nevra>,
) -> bool {
    let met: Vec<&Nevra> = gone.iter().copied().filter(|nevra| pin.is_met_by(nevra)).collect();
    let is_as_good = |nevra: &Nevra| !met.iter().any(|gone| nevra.arch.is_second_to(&gone.arch));
    stays.into_iter().any(|nevra| pin.is_met_by(nevra) && is_as_good(nevra))
}

/// Says whether a package is what hosts take for a pin in some version: of the word size that is named, else of the first
/// architecture of all that are `known` of the name.
pub(super) fn is_for_hosts(pin: &Pin, nevra: &Nevra, known: &[&Nevra]) -> bool {
    let is_first = || !known.iter().any(|other| nevra.arch.is_second_to(&other.arch));
    pin.is_of_size(nevra) && (pin.isa.is_some() || is_first())
}

/// A meta-package that pins a package, itself or by way of others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Pinning {
    /// The meta-package.
    pub node_type: Nevra,
    /// What it pins, as it is written: `voms = 1.9.10-1`.
    pub pin: String,
    /// The meta-package that it pins instead, if it does not pin the package itself.
    pub by_way_of: Option<Nevra>,
}

/// Finds every meta-package among `packages` that pins one of them, the nearest first.
pub fn pinning(product: &Product, packages: &[closure::Package], wanted: &Nevra) -> Vec<Pinning> {
    let metas = MetaPackages::of(product);
    let metas: Vec<(&Nevra, Vec<Pin>)> = packages
        .iter()
        .filter(|package| metas.has(package))
        .map(|package| (&package.nevra, pins_of(package)))
        .collect();
    let (mut found, mut open): (Vec<Pinning>, Vec<&Nevra>) = (Vec::new(), vec![wanted]);
    let mut seen = BTreeSet::from([wanted]);
    while let Some(pinned) = open.first().copied() {
        open.remove(0);
        for (nevra, pins) in &metas {
            let is_it = |pin: &&Pin| pin.is_met_by(pinned);
            let Some(pin) = pins.iter().find(is_it).filter(|_| !seen.contains(nevra)) else { continue };
            seen.insert(nevra);
            open.push(nevra);
            let by_way_of = (pinned != wanted).then(|| pinned.clone());
            found.push(Pinning { node_type: (*nevra).clone(), pin: pin.to_string(), by_way_of });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(requires: &[&str]) -> closure::Package {
        let mut package = closure::Package::new("ui-1-1.noarch".parse().unwrap());
        package.requires = requires.iter().map(|text| text.parse().unwrap()).collect();
        package
    }

    #[test]
    fn what_pins_a_package_is_found_by_way_of_others_too() {
        let named = |name: &str, requires: &[&str]| {
            let mut package = package(requires);
            package.nevra.name = name.into();
            package
        };
        let packages = [
            named("ui", &["voms(x86-64) = 1-1"]),
            named("site", &["ui = 1-1"]),
            named("wn", &["voms = 2-1"]),
            named("old", &["voms(x86-32) = 1-1"]),
            named("any", &["voms"]),
        ];
        let found = pinning(&Product::default(), &packages, &"voms-1-1.x86_64".parse().unwrap());
        let told: Vec<String> = found
            .iter()
            .map(|one| format!("{} {} {}", one.node_type.name, one.pin, one.by_way_of.is_some()))
            .collect();
        assert_eq!(told, ["ui voms(x86-64) = 1-1 false", "site ui = 1-1 true"]);
    }

    #[test]
    fn a_pin_without_a_word_size_is_met_by_the_first_of_two() {
        let check = |pin: &str, gone: &str, stays: &str, expected| {
            let pins = pins_of(&package(&[pin]));
            let (gone, stays): (Nevra, Nevra) = (gone.parse().unwrap(), stays.parse().unwrap());
            assert_eq!(is_met(&pins[0], &[&gone].into(), [&stays]), expected, "{pin}: {gone}, {stays}");
        };
        check("voms = 2-1", "voms-2-1.i686", "voms-2-1.x86_64", true);
        check("voms = 2-1", "voms-2-1.x86_64", "voms-2-1.i686", false);
        check("voms >= 2-1", "voms-2-1.x86_64", "voms-2-2.i686", false);
        check("voms >= 2-1", "voms-2-1.x86_64", "voms-2-2.noarch", true);
        check("voms(x86-32) = 2-1", "voms-2-1.i686", "voms-2-1.x86_64", false);
        check("voms(x86-32) = 2-1", "voms-2-1.x86_64", "voms-2-1.i686", true);
        check("voms = 0:2-1", "voms-2-1.i686", "voms-2-1.x86_64", true);
    }
}
