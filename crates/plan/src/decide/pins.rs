//! What packages pin: which versions of which others they require.

use std::collections::BTreeSet;

use globset::{Glob, GlobSet, GlobSetBuilder};
use nevra::{Bound, Dependency, Evr, Nevra, Sense};
use serde::Serialize;

use crate::layout::{Product, Stage};

/// One requirement of some versions of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    /// The name of the package, without the architecture that may stand behind it in parentheses.
    pub name: String,
    /// The versions, of the plain name.
    wanted: Dependency,
    /// Whether it stands inside of a rich dependency.
    pub is_rich: bool,
}

impl Pin {
    fn of(dependency: &Dependency, is_rich: bool) -> Option<Pin> {
        let mut bound = dependency.bound.clone()?;
        // Metadata writes the epoch that nobody wrote.
        bound.epoch = bound.epoch.filter(|epoch| *epoch != 0);
        let name = plain(&dependency.name).to_owned();
        let wanted = Dependency { name: name.clone(), bound: Some(bound) };
        Some(Pin { name, wanted, is_rich })
    }

    /// Says whether a version of the package is one of those.
    pub(super) fn admits(&self, evr: &Evr) -> bool {
        let bound = Bound {
            sense: Sense::Equal,
            epoch: Some(evr.epoch),
            version: evr.version.clone(),
            release: Some(evr.release.clone()),
        };
        self.wanted.overlaps(&Dependency { name: self.name.clone(), bound: Some(bound) })
    }

    /// Writes the versions, `= 1.9.10-1`.
    pub(super) fn versions(&self) -> String {
        let text = self.wanted.to_string();
        text.strip_prefix(&self.name).unwrap_or(&text).trim().to_owned()
    }
}

/// Lists what a package pins, also what stands in rich dependencies.
pub(super) fn pins_of(package: &closure::Package) -> Vec<Pin> {
    let mut pins = Vec::new();
    for required in &package.requires {
        if required.name.starts_with('(') {
            pins.extend(inside(&required.name));
        } else {
            pins.extend(Pin::of(required, false));
        }
    }
    pins
}

/// Finds `name sign version` in a rich dependency.
fn inside(rich: &str) -> Vec<Pin> {
    // A parenthesis that touches a name is an architecture, `voms(x86-64)`.
    let words: Vec<&str> = rich.split_whitespace().map(bare).collect();
    let three = words.windows(3).filter_map(|three| three.join(" ").parse::<Dependency>().ok());
    three.filter_map(|dependency| Pin::of(&dependency, true)).collect()
}

/// Takes off a word of a rich dependency the parentheses that group.
fn bare(word: &str) -> &str {
    let mut word = word.trim_start_matches('(');
    while word.ends_with(')') && word.matches(')').count() > word.matches('(').count() {
        word = &word[..word.len() - 1];
    }
    word
}

/// Takes the architecture off a capability: rpm lets every package provide `name(x86-64)` and the like.
fn plain(name: &str) -> &str {
    let Some((plain, isa)) = name.strip_suffix(')').and_then(|name| name.split_once('(')) else {
        return name;
    };
    let is_isa = matches!(isa.rsplit_once('-'), Some((family, "32" | "64")) if !family.is_empty());
    if is_isa { plain } else { name }
}

/// Tells meta-packages from others: those that show what they are (no files but documentation, and something that is
/// required in some versions only), and those that the configuration names.
pub(super) struct MetaPackages(GlobSet);

impl MetaPackages {
    pub(super) fn of(product: &Product, stage: &Stage) -> MetaPackages {
        // Whoever judges by one stage knows the meta-packages of all: they travel.
        let patterns = [stage].into_iter().chain(&product.stages).filter_map(|stage| stage.closure.as_ref());
        let mut globs = GlobSetBuilder::new();
        for glob in
            patterns.flat_map(|closure| &closure.meta_packages).filter_map(|text| Glob::new(text).ok())
        {
            globs.add(glob);
        }
        MetaPackages(globs.build().unwrap_or_default())
    }

    /// Says whether it is one.
    pub(super) fn has(&self, package: &closure::Package) -> bool {
        let is_plain = package.files.iter().all(|file| is_documentation(&file.path));
        is_plain && !pins_of(package).is_empty() || self.is_named(&package.nevra)
    }

    /// Says whether the configuration names it, whatever it shows.
    pub(super) fn is_named(&self, nevra: &Nevra) -> bool {
        self.0.is_match(&nevra.name)
    }
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
    let Some(stage) = product.stages.first() else { return Vec::new() };
    let metas = MetaPackages::of(product, stage);
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
            found.push(Pinning { node_type: (*nevra).clone(), pin: pin.wanted.to_string(), by_way_of });
        }
    }
    found
}

/// Says whether a path is one of documentation; the header tells more, and is looked at before anything is built.
fn is_documentation(path: &str) -> bool {
    ["/usr/share/doc/", "/usr/share/licenses/", "/usr/share/man/"].iter().any(|place| path.starts_with(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(requires: &[&str]) -> closure::Package {
        let mut package = closure::Package::new("ui-1-1.noarch".parse().unwrap());
        package.requires = requires.iter().map(|text| text.parse().unwrap()).collect();
        package
    }

    fn admits(requires: &str, evr: &str) -> Vec<(String, bool, bool)> {
        let pins = pins_of(&package(&[requires]));
        pins.iter().map(|pin| (pin.name.clone(), pin.admits(&evr.parse().unwrap()), pin.is_rich)).collect()
    }

    #[test]
    fn a_pin_is_of_a_package_whatever_architecture_stands_behind_it() {
        let voms = |is_admitted, is_rich| vec![("voms".to_owned(), is_admitted, is_rich)];
        assert_eq!(admits("voms = 1.9-1", "1.9-1"), voms(true, false));
        assert_eq!(admits("voms = 1.9-1", "1.9-2"), voms(false, false));
        assert_eq!(admits("voms(x86-64) = 1.9", "1.9-2"), voms(true, false));
        assert_eq!(admits("voms >= 2", "1.9-2"), voms(false, false));
        assert_eq!(admits("(voms = 1.9-1 if (x and y))", "1.9-1"), voms(true, true));
        assert_eq!(admits("(voms(x86-64) = 1.9-1 or other)", "1.9-1"), voms(true, true));
        assert_eq!(admits("voms", "1.9-1"), vec![]);
        assert_eq!(admits("config(voms) = 1.9-1", "1.9-1"), vec![("config(voms)".to_owned(), true, false)]);
    }

    #[test]
    fn what_pins_a_package_is_found_by_way_of_others_too() {
        let named = |name: &str, requires: &[&str]| {
            let mut package = package(requires);
            package.nevra.name = name.into();
            package
        };
        let packages = [
            named("ui", &["voms = 1-1"]),
            named("site", &["ui = 1-1"]),
            named("wn", &["voms = 2-1"]),
            named("any", &["voms"]),
        ];
        let found = pinning(
            &Product { stages: vec![Stage::default()], ..Product::default() },
            &packages,
            &"voms-1-1.x86_64".parse().unwrap(),
        );
        let told: Vec<String> = found
            .iter()
            .map(|one| format!("{} {} {}", one.node_type.name, one.pin, one.by_way_of.is_some()))
            .collect();
        assert_eq!(told, ["ui voms = 1-1 false", "site ui = 1-1 true"]);
    }

    #[test]
    fn versions_are_written_as_rpm_does() {
        let pins = pins_of(&package(&["voms(x86-64) = 1:1.9-1", "b >= 2"]));
        let versions: Vec<String> = pins.iter().map(Pin::versions).collect();
        assert_eq!(versions, ["= 1:1.9-1", ">= 2"]);
    }
}
