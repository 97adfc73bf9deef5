//! Which packages are meta-packages to a product: whatever the one definition of `metapackage` takes for one, with the
//! patterns of all stages of the product, so that a package is the same in each of them.

use std::collections::BTreeSet;

use metapackage::Definition;
use nevra::Nevra;

use super::Product;

/// Tells the meta-packages of a product from other packages.
#[derive(Clone, Debug)]
pub struct MetaPackages(Definition);

impl Product {
    /// Lists the patterns of names of meta-packages that its stages have, sorted.
    pub fn meta_packages(&self) -> Vec<String> {
        let closures = self.stages.iter().filter_map(|stage| stage.closure.as_ref());
        let patterns: BTreeSet<&String> = closures.flat_map(|closure| &closure.meta_packages).collect();
        patterns.into_iter().cloned().collect()
    }
}

impl MetaPackages {
    /// By the definition in force.
    pub fn of(product: &Product) -> MetaPackages {
        MetaPackages(Definition::new(product.meta_packages().iter().map(String::as_str)))
    }

    /// By an edition of the definition, and the patterns it was used with; `None` for an edition nobody knows here.
    pub fn of_edition(edition: u32, patterns: &[String]) -> Option<MetaPackages> {
        Definition::new(patterns.iter().map(String::as_str)).of_edition(edition).map(MetaPackages)
    }

    /// Says whether it is one.
    pub fn has(&self, package: &closure::Package) -> bool {
        let paths = package.files.iter().map(|file| file.path.as_str());
        self.0.has(&package.nevra.name, &package.requires, paths)
    }

    /// Says whether the configuration names it, whatever it shows.
    pub(crate) fn is_named(&self, nevra: &Nevra) -> bool {
        self.0.names(&nevra.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Closure, Stage};

    #[test]
    fn what_one_stage_names_is_a_meta_package_in_all() {
        let stage = |patterns: &[&str]| {
            let meta_packages = patterns.iter().map(|text| (*text).to_owned()).collect();
            Stage { closure: Some(Closure { meta_packages, ..Closure::default() }), ..Stage::default() }
        };
        let stages = vec![stage(&["ui", "wn"]), Stage::default(), stage(&["glite-*", "ui"])];
        let product = Product { stages, ..Product::default() };
        assert_eq!(product.meta_packages(), ["glite-*", "ui", "wn"]);
        let package = |nevra: &str| closure::Package::new(nevra.parse().unwrap());
        let has = |nevra: &str| MetaPackages::of(&product).has(&package(nevra));
        assert!(has("glite-UI-1-1.noarch") && has("wn-1-1.noarch"));
        assert!(!has("voms-1-1.noarch"));
    }
}
