//! Which packages a word on the command line means.

use globset::{Glob, GlobMatcher};
use nevra::Nevra;

use crate::failure::Failure;

/// A name, a glob over names, name-version-release, or a whole NEVRA.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    glob: Option<GlobMatcher>,
    nevra: Option<Nevra>,
}

impl Pattern {
    /// Reads a pattern; only a glob can be wrong.
    pub fn parse(text: &str) -> Result<Pattern, Failure> {
        let glob = text.contains(['*', '?', '[', '{']).then(|| Glob::new(text)).transpose();
        let glob = glob.map_err(|error| Failure::usage(format!("`{text}` is no glob: {}", error.kind())))?;
        Ok(Pattern {
            text: text.to_owned(),
            glob: glob.map(|glob| glob.compile_matcher()),
            nevra: text.parse().ok(),
        })
    }

    /// Whether a word of a text, a NEVRA or a name, is meant.
    pub fn names(&self, word: &str) -> bool {
        word == self.text
            || self.glob.as_ref().is_some_and(|glob| glob.is_match(word))
            || word.parse().is_ok_and(|nevra| self.fits(&nevra))
    }

    /// Whether the package is meant.
    pub fn fits(&self, nevra: &Nevra) -> bool {
        self.glob.as_ref().is_some_and(|glob| glob.is_match(&nevra.name))
            || self.nevra.as_ref() == Some(nevra)
            || nevra.name == self.text
            || nevra.to_string() == self.text
            || format!("{}-{}", nevra.name, nevra.evr) == self.text
            || format!("{}-{}-{}", nevra.name, nevra.evr.version, nevra.evr.release) == self.text
            || nevra.file_name() == self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_package_fits() {
        let nevra: Nevra = "voms-clients-1:1.9.10-1.x86_64".parse().unwrap();
        let fits = |text: &str| Pattern::parse(text).unwrap().fits(&nevra);
        for text in [
            "voms-clients",
            "voms-*",
            "voms-clients-1.9.10-1",
            "voms-clients-1:1.9.10-1",
            "voms-clients-1:1.9.10-1.x86_64",
            "1:voms-clients-1.9.10-1.x86_64",
            "voms-clients-1.9.10-1.x86_64.rpm",
        ] {
            assert!(fits(text), "{text}");
        }
        for text in
            ["voms", "voms-clients-1.9.10", "voms-clients-2:1.9.10-1", "x*", "voms-clients-1.9.10-1.i686"]
        {
            assert!(!fits(text), "{text}");
        }
        assert_eq!(Pattern::parse("a[").unwrap_err().exit, 2);
    }
}
