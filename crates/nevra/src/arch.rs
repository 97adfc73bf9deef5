//! Architectures, and which packages a platform takes.

use std::fmt;
use std::str::FromStr;

use crate::ParseError;
use crate::text::{fault_of, serde_as_text};

/// An architecture as RPM headers write it: `x86_64`, `noarch`, `src`.
///
/// Any word is an architecture: nobody keeps a list of all there will ever be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arch(String);

impl Arch {
    /// Takes a word as it is; use [`str::parse`] for words that somebody else wrote.
    pub fn new(word: impl Into<String>) -> Self {
        Self(word.into())
    }

    /// Shows the word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether this is the architecture of a source package: `src` or `nosrc`.
    #[must_use]
    pub fn is_source(&self) -> bool {
        matches!(self.as_str(), "src" | "nosrc")
    }

    /// Says whether a package of this architecture belongs into a repository of `platform`.
    ///
    /// A platform takes its own architecture and `noarch`; `x86_64` also the 32-bit family, and a
    /// member of that family all of it (which members a machine can run is the machine's affair).
    /// Nobody takes source packages: they go beside, never in.
    #[must_use]
    pub fn accepted_by(&self, platform: &Self) -> bool {
        if self.is_source() {
            return false;
        }
        self == platform
            || self.as_str() == "noarch"
            || (self.is_32_bit_x86() && (platform.as_str() == "x86_64" || platform.is_32_bit_x86()))
    }

    /// Names the word size as rpm puts it behind names, `x86-64` of `voms(x86-64)`; `None` for what is not known here.
    /// `noarch` has none, and says so by an empty text.
    #[must_use]
    pub fn isa(&self) -> Option<&'static str> {
        Some(match self.as_str() {
            "noarch" => "",
            "x86_64" | "amd64" | "ia32e" => "x86-64",
            "aarch64" => "aarch-64",
            "ppc64" | "ppc64le" => "ppc-64",
            "ppc" => "ppc-32",
            "s390x" => "s390-64",
            "s390" => "s390-32",
            "ia64" => "ia-64",
            "riscv64" => "riscv-64",
            _ if self.is_32_bit_x86() => "x86-32",
            _ => return None,
        })
    }

    /// Says whether hosts of the other architecture take packages of this one, and rather those of their own: `i686` beside
    /// `x86_64`.
    #[must_use]
    pub fn is_second_to(&self, other: &Self) -> bool {
        let both = (self.as_str(), other.as_str());
        self.is_32_bit_x86() && other.as_str() == "x86_64"
            || matches!(both, ("s390", "s390x") | ("ppc", "ppc64"))
    }

    fn is_32_bit_x86(&self) -> bool {
        matches!(self.as_str(), "i386" | "i486" | "i586" | "i686" | "athlon")
    }
}

impl FromStr for Arch {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match fault_of(text, &['-', '.']) {
            Some(why) => Err(ParseError::Arch { text: text.to_owned(), why }),
            None => Ok(Self::new(text)),
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Arch);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(package: &str, platform: &str, expected: bool) {
        assert_eq!(
            Arch::new(package).accepted_by(&Arch::new(platform)),
            expected,
            "{package} beside {platform}"
        );
    }

    #[test]
    fn a_platform_takes_its_own_and_noarch() {
        check("x86_64", "x86_64", true);
        check("noarch", "x86_64", true);
        check("noarch", "aarch64", true);
        check("aarch64", "aarch64", true);
        check("aarch64", "x86_64", false);
        check("x86_64", "i386", false);
    }

    #[test]
    fn the_32_bit_family_stands_beside_x86_64_and_itself() {
        for arch in ["i386", "i486", "i586", "i686", "athlon"] {
            check(arch, "x86_64", true);
            check(arch, "i686", true);
            check(arch, "i386", true);
            check(arch, "aarch64", false);
        }
    }

    #[test]
    fn a_second_architecture_is_the_narrower_of_one_family() {
        let second = |one: &str, other: &str| Arch::new(one).is_second_to(&Arch::new(other));
        assert!(second("i686", "x86_64") && second("s390", "s390x"));
        for (one, other) in [("x86_64", "i686"), ("i686", "i386"), ("noarch", "x86_64"), ("x86_64", "x86_64")]
        {
            assert!(!second(one, other), "{one} beside {other}");
        }
    }

    #[test]
    fn nobody_takes_source_packages() {
        check("src", "x86_64", false);
        check("src", "src", false);
        check("nosrc", "noarch", false);
    }

    #[test]
    fn an_architecture_is_one_word() {
        assert!("x86_64".parse::<Arch>().is_ok());
        for bad in ["", "x86.64", "x86-64", "x86 64", "../x", "x\n"] {
            assert!(bad.parse::<Arch>().is_err(), "{bad:?}");
        }
    }
}
