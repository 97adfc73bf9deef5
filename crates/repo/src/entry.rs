//! A package as a repository lists it: what planning needs, and the fragments that are copied.

mod naming;

use std::sync::Arc;

use nevra::{Digest, Nevra};

use crate::Document;
use crate::error::Error;
use crate::fragments::{Fragments, Slice, fragments_of};
use crate::glance::{Glance, glance};
use crate::identity::placed;
use crate::package::Package;

/// One package of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name, epoch, version, release, architecture; `src` for a source package.
    pub nevra: Nevra,
    /// The digest of the file, which is also the package's identity in metadata.
    pub pkgid: Digest,
    /// Where the file lies, relative to the repository. It is *not* checked to stay inside.
    pub href: String,
    /// The address that `href` is relative to, if it is not the repository; mergerepo_c writes one.
    pub base: Option<String>,
    /// The size of the file in bytes.
    pub size_package: u64,
    /// The offset in the file at which the header starts.
    pub header_start: u64,
    /// The offset in the file of the first byte behind the header.
    pub header_end: u64,
    /// When the file was last changed, in seconds since 1970.
    pub time_file: i64,
    /// When the package was built, in seconds since 1970.
    pub time_build: i64,
    /// The file name of the source package; empty for a source package.
    pub source_rpm: String,
    /// What the three files say about it.
    pub fragments: Arc<Fragments>,
}

/// Lists a package as a new repository would.
#[must_use]
pub fn entry_of(package: &Package) -> Entry {
    Entry {
        nevra: package.nevra.clone(),
        pkgid: package.pkgid.clone(),
        href: package.href.clone(),
        base: None,
        size_package: package.size_package,
        header_start: package.header_start,
        header_end: package.header_end,
        time_file: package.time_file,
        time_build: package.time_build,
        source_rpm: package.source_rpm.clone(),
        fragments: Arc::new(fragments_of(package)),
    }
}

impl Entry {
    /// Lists a package as a repository does of which this is what primary, filelists and other say.
    ///
    /// # Errors
    ///
    /// [`Error::Xml`] where the first is no package, [`Error::Unmatched`] where the others are of another one.
    pub fn of([primary, filelists, other]: [Vec<u8>; 3]) -> Result<Self, Error> {
        let seen = glance(&primary)?;
        for (document, fragment) in [(Document::Filelists, &filelists), (Document::Other, &other)] {
            let tag = &fragment[..memchr::memchr(b'>', fragment).unwrap_or(fragment.len())];
            if memchr::memmem::find(tag, seen.pkgid.hex.as_bytes()).is_none() {
                let problem = format!("at the place of `{}` it has another package", seen.nevra);
                return Err(Error::Unmatched { document, problem });
            }
        }
        let (primary, filelists, other) = (primary.into(), filelists.into(), other.into());
        Ok(Self::seen(seen, Fragments { primary, filelists, other }))
    }

    pub(crate) fn seen(glance: Glance, fragments: Fragments) -> Self {
        Self {
            nevra: glance.nevra,
            pkgid: glance.pkgid,
            href: glance.href,
            base: glance.base,
            size_package: glance.size_package,
            header_start: glance.header.0,
            header_end: glance.header.1,
            time_file: glance.time_file,
            time_build: glance.time_build,
            source_rpm: glance.source_rpm,
            fragments: Arc::new(fragments),
        }
    }

    /// Lists the same package under another href, relative to the repository.
    ///
    /// # Errors
    ///
    /// The entry was made by hand and its primary fragment is no package.
    pub fn at(&self, href: &str) -> Result<Self, Error> {
        if href == self.href && self.base.is_none() {
            return Ok(self.clone());
        }
        self.placed(href, None)
    }

    /// Lists the same package with an address that its href is relative to, instead of the repository.
    ///
    /// # Errors
    ///
    /// As [`Entry::at`].
    pub fn based(&self, base: &str) -> Result<Self, Error> {
        self.placed(&self.href, Some(base))
    }

    fn placed(&self, href: &str, base: Option<&str>) -> Result<Self, Error> {
        let primary = placed(&self.fragments.primary, href, base)?;
        let fragments = Fragments { primary: Slice::from(primary), ..(*self.fragments).clone() };
        let base = base.map(str::to_owned);
        Ok(Self { href: href.to_owned(), base, fragments: Arc::new(fragments), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_three_files_say_is_put_together() {
        let entry = entry_of(&crate::sample::package());
        let fragments = &entry.fragments;
        let three = [&fragments.primary, &fragments.filelists, &fragments.other].map(|one| one.to_vec());
        assert_eq!(Entry::of(three.clone()).unwrap(), entry);
        let [primary, filelists, other] = three;
        let alien = String::from_utf8(filelists.clone()).unwrap().replace(&entry.pkgid.hex, &"0".repeat(64));
        let error = Entry::of([primary, alien.into_bytes(), other.clone()]).unwrap_err();
        assert!(error.to_string().contains("filelists"), "{error}");
        assert!(Entry::of([b"<package>".to_vec(), filelists, other]).is_err());
    }

    #[test]
    fn a_place_may_be_relative_to_an_address_and_come_back() {
        let entry = entry_of(&Package { href: "a/b.rpm".into(), ..crate::sample::package() });
        let based = entry.based("http://example.org/a?b&c").unwrap();
        let primary = String::from_utf8_lossy(&based.fragments.primary).into_owned();
        let expected = "<location xml:base=\"http://example.org/a?b&amp;c\" href=\"a/b.rpm\"/>";
        assert!(primary.contains(expected), "{primary}");
        assert_eq!(based.base.as_deref(), Some("http://example.org/a?b&c"));
        assert_eq!(based.at(&entry.href).unwrap(), entry);
    }
}
