//! The requirements of a meta-package that name versions of a component.

use std::fmt;

use nevra::{Bound, Dependency, Evr, Nevra, Sense};
use repo::Head;

use crate::RebuildError;
use crate::requirements::{REQUIRES, Row, component, is_technical, rows_of};

/// One requirement that names versions of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The component, without a word size: `voms`.
    pub name: String,
    /// The word size, if it names one: `x86-64` of `voms(x86-64)`.
    pub isa: Option<String>,
    /// The versions, as they are written. Without a release they stand for any.
    pub bound: Bound,
    /// Whether it stands inside of a rich dependency, of which nothing can be changed.
    pub is_rich: bool,
}

impl Pin {
    fn of(dependency: &Dependency, is_rich: bool) -> Option<Self> {
        let bound = dependency.bound.clone().filter(|_| !is_technical(&dependency.name))?;
        let (name, isa) = component(&dependency.name);
        Some(Self { name: name.to_owned(), isa: isa.map(str::to_owned), bound, is_rich })
    }

    /// Says whether this version of the component is one of those, as rpm compares.
    ///
    /// ```
    /// let rpm = repo::Recipe::new("meta", "1", "1").requires("voms = 2.0").build();
    /// let pins = metapackage::pins_of(&repo::read_head(&mut rpm.as_slice())?)?;
    /// assert!(pins[0].admits(&"2.0-7.el9".parse()?));
    /// assert!(!pins[0].admits(&"1:2.0-7.el9".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn admits(&self, evr: &Evr) -> bool {
        admits(&self.bound, evr)
    }

    /// Says whether a package is the component, in one of the versions, and of the word size if one is named.
    ///
    /// What the package provides beside its own name is not looked at.
    #[must_use]
    pub fn is_met_by(&self, nevra: &Nevra) -> bool {
        self.is_of_size(nevra) && self.admits(&nevra.evr)
    }

    /// Says whether a package is the component in any version, of the word size if one is named.
    #[must_use]
    pub fn is_of_size(&self, nevra: &Nevra) -> bool {
        let is_its_own = |isa: &String| nevra.arch.isa().is_none_or(|own| own == *isa);
        self.name == nevra.name && self.isa.as_ref().is_none_or(is_its_own)
    }

    /// Writes the component as it is required, `voms(x86-64)`.
    #[must_use]
    pub fn component(&self) -> String {
        match &self.isa {
            Some(isa) => format!("{}({isa})", self.name),
            None => self.name.clone(),
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.component(), self.bound)
    }
}

/// Says whether a range of versions has this one in it.
pub(crate) fn admits(bound: &Bound, evr: &Evr) -> bool {
    let of_one = |bound: Bound| Dependency { name: String::new(), bound: Some(bound) };
    let Evr { epoch, version, release } = evr.clone();
    let one = Bound { sense: Sense::Equal, epoch: Some(epoch), version, release: Some(release) };
    of_one(bound.clone()).overlaps(&of_one(one))
}

/// Lists the pins of a package in the order of its header.
///
/// What rpm needs itself, what scriptlets run, and files are none.
///
/// # Errors
///
/// The requirements are not equally many names, flags and versions, or one of their texts is not UTF-8.
pub fn pins_of(head: &Head) -> Result<Vec<Pin>, RebuildError> {
    let rows = rows_of(head, REQUIRES)?;
    let required: Vec<Dependency> = rows.iter().filter_map(Row::dependency).collect();
    Ok(pins_among(&required))
}

/// Lists the pins among what a package requires, in that order; those that stand in rich dependencies, too.
#[must_use]
pub fn pins_among(requires: &[Dependency]) -> Vec<Pin> {
    let mut pins = Vec::new();
    for required in requires {
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
    // A parenthesis that touches a name is a word size, `voms(x86-64)`.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(requires: &str) -> Vec<Pin> {
        pins_among(&[requires.parse().unwrap()])
    }

    fn admitted(requires: &str, evr: &str) -> Vec<(String, bool, bool)> {
        let evr = evr.parse().unwrap();
        pins(requires).iter().map(|pin| (pin.name.clone(), pin.admits(&evr), pin.is_rich)).collect()
    }

    #[test]
    fn a_pin_is_of_a_component_whatever_word_size_stands_behind_it() {
        let voms = |is_admitted, is_rich| vec![("voms".to_owned(), is_admitted, is_rich)];
        assert_eq!(admitted("voms = 1.9-1", "1.9-1"), voms(true, false));
        assert_eq!(admitted("voms = 1.9-1", "1.9-2"), voms(false, false));
        assert_eq!(admitted("voms(x86-64) = 1.9", "1.9-2"), voms(true, false));
        assert_eq!(admitted("voms >= 2", "1.9-2"), voms(false, false));
        assert_eq!(admitted("voms < 2", "1.9-2"), voms(true, false));
        assert_eq!(admitted("(voms = 1.9-1 if (x and y))", "1.9-1"), voms(true, true));
        assert_eq!(admitted("(voms(x86-64) = 1.9-1 or other)", "1.9-1"), voms(true, true));
    }

    #[test]
    fn what_names_no_version_or_is_rpms_own_is_no_pin() {
        for none in ["voms", "(voms or other)", "config(voms) = 1.9-1", "rpmlib(X) <= 4.0-1", "/bin/sh = 1"] {
            assert_eq!(pins(none), vec![], "{none}");
        }
        assert_eq!(pins("perl(Some)(x86-64) = 1")[0].component(), "perl(Some)(x86-64)");
    }

    #[test]
    fn a_pin_of_a_word_size_is_met_by_that_one_alone() {
        let check = |requires: &str, nevra: &str, is_met| {
            assert_eq!(pins(requires)[0].is_met_by(&nevra.parse().unwrap()), is_met, "{requires} by {nevra}");
        };
        check("voms = 1-1", "voms-1-1.x86_64", true);
        check("voms = 1-1", "voms-1-1.i686", true);
        check("voms = 1-1", "vomses-1-1.i686", false);
        check("voms(x86-64) = 1-1", "voms-1-1.x86_64", true);
        check("voms(x86-64) = 1-1", "voms-2-1.x86_64", false);
        check("voms(x86-64) = 1-1", "voms-1-1.i686", false);
        check("voms(x86-64) = 1-1", "voms-1-1.noarch", false);
        check("voms(x86-32) = 1-1", "voms-1-1.i686", true);
        // Nobody knows what rpm calls the word size of every machine there will be.
        check("voms(quantum-64) = 1-1", "voms-1-1.quantum", true);
    }

    #[test]
    fn versions_are_written_as_they_were() {
        for text in ["voms(x86-64) = 1:1.9-1", "b >= 2", "c = 0:1"] {
            assert_eq!(pins(text)[0].to_string(), text);
        }
    }
}
