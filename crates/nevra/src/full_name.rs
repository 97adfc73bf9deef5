//! The full name of a package: name, epoch, version, release, architecture.

use std::fmt;
use std::str::FromStr;

use crate::text::{fault_of, serde_as_text};
use crate::{Arch, Bound, Dependency, Evr, ParseError, Sense};

/// Name, epoch, version, release and architecture of one package.
///
/// Printed as `name-[epoch:]version-release.arch`; also read as `epoch:name-version-release.arch`,
/// the way `rpm -q` and yum's logs write it, and with `.rpm` behind. The order is that of the name,
/// then the version (rpm's), then the architecture.
///
/// A NEVRA is no identity: two files with different bytes can carry the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nevra {
    /// The package's name; may hold `-` and `.`.
    pub name: String,
    /// Its epoch, version and release.
    pub evr: Evr,
    /// Its architecture, `src` for a source package.
    pub arch: Arch,
}

impl Nevra {
    /// Puts the parts together, provided that the whole can be printed, read back and used as a
    /// file name.
    ///
    /// # Errors
    ///
    /// A part is empty, is not visible ASCII, or holds a `/`, a `:` or a separator that would make
    /// the text ambiguous.
    pub fn new(name: impl Into<String>, evr: Evr, arch: Arch) -> Result<Self, ParseError> {
        let nevra = Self { name: name.into(), evr, arch };
        match nevra.fault() {
            Some(why) => Err(ParseError::Nevra { text: nevra.to_string(), why }),
            None => Ok(nevra),
        }
    }

    /// Names the file a package of this name usually has: `name-version-release.arch.rpm`.
    ///
    /// The epoch is left out, as everywhere in the trade.
    #[must_use]
    pub fn file_name(&self) -> String {
        let Evr { version, release, .. } = &self.evr;
        format!("{}-{version}-{release}.{}.rpm", self.name, self.arch)
    }

    /// States what every package provides: its own name in exactly its own version.
    #[must_use]
    pub fn provided(&self) -> Dependency {
        Dependency {
            name: self.name.clone(),
            bound: Some(Bound {
                sense: Sense::Equal,
                epoch: Some(self.evr.epoch),
                version: self.evr.version.clone(),
                release: Some(self.evr.release.clone()),
            }),
        }
    }

    fn fault(&self) -> Option<&'static str> {
        if self.name.starts_with(['.', '-']) {
            return Some("its name starts with `.` or `-`");
        }
        fault_of(&self.name, &[])
            .or_else(|| self.evr.fault())
            .or_else(|| fault_of(self.arch.as_str(), &['-', '.']))
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let text = text.strip_suffix(".rpm").unwrap_or(text);
        let (rest, arch) = text.rsplit_once('.').ok_or("it has no architecture")?;
        let (rest, release) = rest.rsplit_once('-').ok_or("it has no release")?;
        let (name, version) = rest.rsplit_once('-').ok_or("it has no version")?;
        // An epoch stands before the version or before the name; before both it is a mistake,
        // which the check for `:` in a part finds.
        let evr = match name.split_once(':') {
            Some((epoch, _)) => format!("{epoch}:{version}-{release}"),
            None => format!("{version}-{release}"),
        };
        let nevra = Self {
            name: name.split_once(':').map_or(name, |(_, name)| name).to_owned(),
            evr: Evr::read(&evr)?,
            arch: Arch::new(arch),
        };
        match nevra.fault() {
            Some(why) => Err(why),
            None => Ok(nevra),
        }
    }
}

impl FromStr for Nevra {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::read(text).map_err(|why| ParseError::Nevra { text: text.to_owned(), why })
    }
}

impl fmt::Display for Nevra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.name, self.evr, self.arch)
    }
}

serde_as_text!(Nevra);

#[cfg(test)]
mod tests {
    use super::*;

    fn nevra(text: &str) -> Nevra {
        text.parse().unwrap()
    }

    #[test]
    fn text_comes_back_as_it_went() {
        for text in [
            "voms-clients-1.9.10-1.x86_64",
            "glite-WN-3:3.2.12-1.sl5.noarch",
            "libstdc++-4.1.2-55.el5.i386",
            "java-1.6.0-openjdk-1:1.6.0.0-1.66.el5.x86_64",
        ] {
            assert_eq!(nevra(text).to_string(), text);
        }
    }

    #[test]
    fn an_epoch_may_stand_in_front_and_a_suffix_behind() {
        let expected = nevra("foo-bar-2:1-3.noarch");
        assert_eq!(nevra("2:foo-bar-1-3.noarch"), expected);
        assert_eq!(nevra("foo-bar-2:1-3.noarch.rpm"), expected);
        assert_eq!(expected.file_name(), "foo-bar-1-3.noarch.rpm");
        assert_eq!(expected.evr.epoch, 2);
    }

    #[test]
    fn the_name_takes_every_dash_but_two() {
        let nevra = nevra("a-b-1-2.3-4.x.y86");
        assert_eq!(nevra.name, "a-b-1");
        assert_eq!(nevra.evr.to_string(), "2.3-4.x");
        assert_eq!(nevra.arch.as_str(), "y86");
    }

    #[test]
    fn what_is_no_full_name_is_refused() {
        for bad in [
            "",
            "foo",
            "foo-1",
            "foo-1-1",
            "-1-1.noarch",
            "foo--1.noarch",
            "foo-1-.noarch",
            "foo-1-1.",
            "2:foo-3:1-1.noarch",
            "x:foo-1-1.noarch",
            "../foo-1-1.noarch",
            ".foo-1-1.noarch",
            "fo o-1-1.noarch",
            "foo-1-1.no\0arch",
            "föö-1-1.noarch",
            "--foo-1-1.noarch",
            ":foo-1-1.noarch",
        ] {
            assert!(bad.parse::<Nevra>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn parts_that_could_not_be_read_back_are_refused() {
        let evr: Evr = "1-1".parse().unwrap();
        assert!(Nevra::new("foo", evr.clone(), Arch::new("noarch")).is_ok());
        assert!(Nevra::new("f:oo", evr.clone(), Arch::new("noarch")).is_err());
        assert!(Nevra::new("foo", evr.clone(), Arch::new("no.arch")).is_err());
        let dashed = Evr { version: "1-2".into(), ..evr };
        assert!(Nevra::new("foo", dashed, Arch::new("noarch")).is_err());
    }

    #[test]
    fn sorting_is_by_name_then_version_then_architecture() {
        let mut all: Vec<Nevra> =
            ["b-1-1.noarch", "a-1.10-1.x86_64", "a-1.9-1.x86_64", "a-1.10-1.i386"].map(nevra).to_vec();
        all.sort();
        let all: Vec<String> = all.iter().map(Nevra::to_string).collect();
        assert_eq!(all, ["a-1.9-1.x86_64", "a-1.10-1.i386", "a-1.10-1.x86_64", "b-1-1.noarch"]);
    }
}
