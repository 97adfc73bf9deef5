//! What one file of metadata says of each package, element by element, known or not.

use std::ops::Range;

use crate::Document;
use crate::error::Error;
use crate::xml::{Element, Prefixes, Tree, Xml};

/// A primary, filelists or other as whoever wrote it left it: nothing is lost, and little is demanded.
///
/// Unlike [`Contents`](crate::Contents) it needs neither the two other files nor any order in them, and
/// counts that do not fit are told, not refused. It holds the file and a few words on each package.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// How many packages the file claims to list, in its own words.
    pub claimed: Option<String>,
    /// The packages, in the order of the file.
    pub packages: Vec<Place>,
    /// The names of elements beside the packages, which no known writer makes.
    pub others: Vec<String>,
    document: Document,
    text: &'a str,
    prefixes: Prefixes,
}

/// Where a file speaks of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The package's digest as the file writes it; empty if it has none.
    pub pkgid: String,
    /// What the digest is called, such as `sha256`; only primary tells.
    pub algorithm: String,
    /// Where the package file lies, as the file writes it; only primary tells.
    pub href: String,
    /// `name-version-release.arch` as the file writes them; never taken apart.
    pub name: String,
    /// The element `package` in the file, without the space around it.
    range: Range<usize>,
}

impl<'a> Written<'a> {
    /// Finds every package of one file, unpacked.
    ///
    /// # Errors
    ///
    /// [`Error::Xml`] for what is no XML of this kind, for control characters, document types, and
    /// elements nested deeper than 32.
    pub fn read(document: Document, bytes: &'a [u8]) -> Result<Self, Error> {
        let (mut xml, root) = Xml::open(document, bytes)?;
        let mut written = Self {
            claimed: root.attribute("packages").map(str::to_owned),
            packages: Vec::new(),
            others: Vec::new(),
            document,
            text: xml.text(),
            prefixes: Prefixes::of(document, &root),
        };
        while let Some(element) = xml.child()? {
            if element.name == "package" {
                let mut place = place(&mut xml, &element)?;
                place.range = element.start..xml.offset();
                written.packages.push(place);
            } else {
                xml.skip()?;
                written.others.push(element.name);
            }
        }
        xml.finish()?;
        Ok(written)
    }

    /// Shows what the file says of a package, byte for byte.
    #[must_use]
    pub fn bytes(&self, place: &Place) -> &'a [u8] {
        self.text.as_bytes().get(place.range.clone()).unwrap_or_default()
    }

    /// Reads what the file says of a package.
    ///
    /// # Errors
    ///
    /// [`Error::Xml`] for an element that cannot be read, or for more than two million of them.
    pub fn tree(&self, place: &Place) -> Result<Tree, Error> {
        let text = self.text.get(place.range.clone()).unwrap_or_default();
        Xml::cut(self.document, text, &self.prefixes).map_err(|error| match error {
            Error::Xml { document, offset, problem } => {
                Error::Xml { document, offset: offset + place.range.start as u64, problem }
            }
            other => other,
        })
    }
}

/// Reads a few words on a package, and leaves it. Filelists and other have them in its start tag.
fn place(xml: &mut Xml<'_>, package: &Element<'_>) -> Result<Place, Error> {
    let of = |element: &Element<'_>, key: &str| element.attribute(key).unwrap_or_default().to_owned();
    let mut place = Place { pkgid: of(package, "pkgid"), ..Place::default() };
    let (mut name, mut arch, mut evr) = (of(package, "name"), of(package, "arch"), String::new());
    while let Some(element) = xml.child()? {
        match &*element.name {
            "name" => name = xml.leaf()?,
            "arch" => arch = xml.leaf()?,
            "checksum" => {
                place.algorithm = of(&element, "type");
                place.pkgid = xml.leaf()?;
            }
            "version" => {
                evr = format!("{}-{}", of(&element, "ver"), of(&element, "rel"));
                xml.skip()?;
            }
            "location" => {
                place.href = of(&element, "href");
                xml.skip()?;
            }
            _ => xml.skip()?,
        }
    }
    place.name = format!("{name}-{evr}.{arch}");
    Ok(place)
}

#[cfg(test)]
mod tests;
