//! What packages pin: which versions of which others they require.

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
            let is_it = |pin: &&Pin| pin.name == pinned.name && pin.admits(&pinned.evr);
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
            named("any", &["voms"]),
        ];
        let found = pinning(&Product::default(), &packages, &"voms-1-1.x86_64".parse().unwrap());
        let told: Vec<String> = found
            .iter()
            .map(|one| format!("{} {} {}", one.node_type.name, one.pin, one.by_way_of.is_some()))
            .collect();
        assert_eq!(told, ["ui voms(x86-64) = 1-1 false", "site ui = 1-1 true"]);
    }
}
