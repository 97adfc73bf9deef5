//! What tells whether a file is the one that metadata lists, and where metadata says that it lies.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use nevra::{Algorithm, Digest};

use crate::error::Error;
use crate::fragments::location_element;
use crate::glance::glance;

/// What stands before the four things that are looked for: to prepare the search for each package takes as long as to search.
static BEFORE: LazyLock<[Finder<'static>; 4]> = LazyLock::new(|| {
    ["\n  <checksum type=\"", "\n  <time file=\"", "\n  <size package=\"", "\n  <location href=\""]
        .map(Finder::new)
});

/// What a primary fragment says of the file it lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The digest of the file.
    pub pkgid: Digest,
    /// Where the file lies, relative to the repository. It is *not* checked to stay inside.
    pub href: String,
    /// The address that `href` is relative to, if it is not the repository.
    pub base: Option<String>,
    /// The size of the file in bytes.
    pub size_package: u64,
    /// When the file was last changed, in seconds since 1970.
    pub time_file: i64,
}

impl Identity {
    /// Reads it from a fragment, one whole element `package` of primary.
    ///
    /// Where the fragment is as createrepo_c writes it, only what is asked for is looked at, and it is not proven that the rest
    /// is an element at all.
    ///
    /// # Errors
    ///
    /// [`Error::Xml`] where something of it is missing.
    pub fn of(fragment: &[u8]) -> Result<Self, Error> {
        if let Some(identity) = Self::at_sight(fragment) {
            return Ok(identity);
        }
        let glance = glance(fragment)?;
        let (pkgid, href, base) = (glance.pkgid, glance.href, glance.base);
        Ok(Self { pkgid, href, base, size_package: glance.size_package, time_file: glance.time_file })
    }

    /// Finds the four elements in the order of createrepo_c. Text cannot be taken for them: it holds no `<`.
    fn at_sight(fragment: &[u8]) -> Option<Self> {
        let [checksum, time, size, location] = &*BEFORE;
        let mut rest = fragment;
        let mut between = |before: Option<&Finder<'_>>, after: &[u8]| {
            let begin = before.map_or(Some(0), |before| Some(before.find(rest)? + before.needle().len()))?;
            let behind = &rest[begin..];
            let end = memchr::memchr(*after.first()?, behind)?;
            rest = behind[end..].strip_prefix(after)?;
            std::str::from_utf8(&behind[..end]).ok()
        };
        let algorithm: Algorithm = between(Some(checksum), b"\" pkgid=\"YES\">")?.parse().ok()?;
        let pkgid = Digest::new(algorithm, between(None, b"</checksum>\n")?).ok()?;
        let time_file = between(Some(time), b"\"")?.parse().ok()?;
        let size_package = between(Some(size), b"\"")?.parse().ok()?;
        let href = between(Some(location), b"\"/>\n")?;
        let is_plain = !href.is_empty() && !href.contains(['&', '<', '>', '"', '\n', '\t']);
        is_plain.then(|| Self { pkgid, href: href.to_owned(), base: None, size_package, time_file })
    }
}

/// Writes a primary fragment anew, with another place and otherwise as it is.
///
/// # Errors
///
/// [`Error::Xml`] if it is not one whole element `package` of primary.
pub fn placed(fragment: &[u8], href: &str, base: Option<&str>) -> Result<Vec<u8>, Error> {
    let location = glance(fragment)?.location;
    let mut out = Vec::with_capacity(fragment.len() + href.len());
    out.extend_from_slice(&fragment[..location.start]);
    location_element(&mut out, href, base);
    out.extend_from_slice(&fragment[location.end..]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Package, fragments_of};

    fn fragment(href: &str) -> Vec<u8> {
        let package = Package {
            href: href.into(),
            description: "no <location href=\"elsewhere\"/>\n  <time file=\"1\"".into(),
            ..crate::sample::package()
        };
        fragments_of(&package).primary.to_vec()
    }

    #[test]
    fn what_is_seen_at_sight_is_what_reading_tells() {
        for (href, at_sight) in [("a/b-1-1.noarch.rpm", true), ("a&b.rpm", false)] {
            let fragment = fragment(href);
            let glance = glance(&fragment).unwrap();
            let identity = Identity::of(&fragment).unwrap();
            assert_eq!(identity.href, href);
            assert_eq!((identity.pkgid, identity.base), (glance.pkgid, None));
            assert_eq!((identity.size_package, identity.time_file), (glance.size_package, glance.time_file));
            assert_eq!(Identity::at_sight(&fragment).is_some(), at_sight, "{href}");
        }
    }

    #[test]
    fn another_order_and_an_address_are_read_too() {
        let based = placed(&fragment("a.rpm"), "b/c.rpm", Some("http://example.org/")).unwrap();
        let identity = Identity::of(&based).unwrap();
        assert_eq!(
            (identity.href.as_str(), identity.base.as_deref()),
            ("b/c.rpm", Some("http://example.org/"))
        );
        assert_eq!(placed(&based, "a.rpm", None).unwrap(), fragment("a.rpm"));
        let text = String::from_utf8(fragment("a.rpm")).unwrap();
        let (before, rest) = text.split_once("  <time").unwrap();
        let (time, behind) = rest.split_once('\n').unwrap();
        let turned =
            format!("{before}{}", behind.replace("  <format>", &format!("  <time{time}\n  <format>")));
        assert_eq!(Identity::at_sight(turned.as_bytes()), None);
        assert_eq!(Identity::of(turned.as_bytes()).unwrap(), Identity::of(text.as_bytes()).unwrap());
        for broken in
            ["<package/>", "", "<package>", &text[..text.len() - 200].replace("<location", "<place")]
        {
            assert!(Identity::of(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
