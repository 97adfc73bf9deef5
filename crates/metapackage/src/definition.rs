//! What a meta-package is: whoever asks, this is what tells.
//!
//! A package is one if it brings no files, or documentation only, and pins something; or if the configuration names it.
//! What was published is looked up by the definition it was published by, so every edition there was stays here.

use globset::{Glob, GlobSet, GlobSetBuilder};
use nevra::{Dependency, Sense};

use crate::pin::pins_among;

/// The edition that is in force.
pub const EDITION: u32 = 2;

/// Tells meta-packages from other packages: those that show what they are, and those whose names fit a pattern.
#[derive(Clone, Debug)]
pub struct Definition {
    edition: u32,
    named: GlobSet,
}

impl Definition {
    /// Makes the definition in force, with patterns of names; a pattern that is none takes nothing.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut named = GlobSetBuilder::new();
        for glob in patterns.into_iter().filter_map(|text| Glob::new(text).ok()) {
            named.add(glob);
        }
        Self { edition: EDITION, named: named.build().unwrap_or_default() }
    }

    /// Takes another edition of it; `None` for one that was never written here.
    #[must_use]
    pub fn of_edition(self, edition: u32) -> Option<Self> {
        (1..=EDITION).contains(&edition).then_some(Self { edition, ..self })
    }

    /// Says whether a package is a meta-package, by its name, what it requires, and the paths of its files.
    pub fn has<'a>(
        &self,
        name: &str,
        requires: &[Dependency],
        mut paths: impl Iterator<Item = &'a str>,
    ) -> bool {
        let shows_it = match self.edition {
            1 => paths.next().is_none() && requires.iter().any(is_exact),
            _ => paths.all(is_documentation) && !pins_among(requires).is_empty(),
        };
        shows_it || self.names(name)
    }

    /// Says whether the configuration names it, whatever it shows.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        self.named.is_match(name)
    }
}

/// The pins of the first edition, in which files of any kind made another package of it.
fn is_exact(required: &Dependency) -> bool {
    required.bound.as_ref().is_some_and(|bound| bound.sense == Sense::Equal)
}

/// Guesses by its path whether a file is documentation.
///
/// A header marks each file that is; the metadata of a repository does not, and this is asked of packages of which nothing
/// else was read. Where the guess takes too much, [`crate::substance_of`] finds it out of the header before anything is
/// built anew; where it takes too little, the configuration names the package.
fn is_documentation(path: &str) -> bool {
    ["/usr/share/doc/", "/usr/share/licenses/", "/usr/share/man/"].iter().any(|place| path.starts_with(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(requires: &[&str], paths: &[&str], expected: [bool; 2]) {
        let requires: Vec<Dependency> = requires.iter().map(|text| text.parse().unwrap()).collect();
        let is_one = |edition| {
            let definition = Definition::new([]).of_edition(edition).unwrap();
            definition.has("ui", &requires, paths.iter().copied())
        };
        assert_eq!([1, 2].map(is_one), expected, "{requires:?} {paths:?}");
    }

    #[test]
    fn a_meta_package_brings_nothing_but_documentation_and_pins() {
        let readme = "/usr/share/doc/ui/README";
        check(&["voms = 1-1"], &[], [true, true]);
        check(&["voms"], &[], [false, false]);
        check(&["voms >= 1"], &[], [false, true]);
        check(&["(voms = 1-1 or other)"], &[], [false, true]);
        check(&["voms = 1-1"], &[readme, "/usr/share/licenses/ui/LICENSE"], [false, true]);
        check(&["voms = 1-1"], &[readme, "/usr/bin/ui"], [false, false]);
        check(&["voms = 1-1"], &["/usr/share/doctor"], [false, false]);
        // What rpm itself requires pins no component.
        check(&["rpmlib(CompressedFileNames) <= 3.0.4-1"], &[], [false, false]);
        check(&["config(ui) = 1-1"], &[], [true, false]);
    }

    #[test]
    fn the_configuration_names_others_in_every_edition() {
        for edition in [1, 2] {
            let definition = Definition::new(["*-UI", "["]).of_edition(edition).unwrap();
            assert!(definition.has("glite-UI", &[], ["/usr/bin/ui"].into_iter()), "{edition}");
            assert!(!definition.has("glite-WN", &[], [].into_iter()), "{edition}");
        }
        assert!(Definition::new([]).of_edition(0).is_none());
        assert!(Definition::new([]).of_edition(EDITION + 1).is_none());
    }
}
