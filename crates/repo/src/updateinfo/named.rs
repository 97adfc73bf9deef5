//! What an advisory names: its packages, and where each stands in its text.

use std::ops::Range;

use nevra::Nevra;

use super::Advisory;
use crate::error::Error;
use crate::xml::{Element, Xml};

/// What of an advisory matters for what becomes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// The attribute `version`.
    pub(super) version: String,
    /// The attribute `status`.
    pub(super) status: String,
    /// Where it says when it was changed last.
    pub(super) updated: Option<Range<usize>>,
    /// When it was issued, as it stands there.
    pub(super) issued: String,
    /// When it was changed last, or else when it was issued; as it stands there.
    pub(super) date: String,
    /// Where the end tag of the first `pkglist` begins; `None` without one that has an end tag of its own.
    pub(super) list_end: Option<usize>,
    /// The collections of all its lists.
    pub(super) collections: Vec<Collection>,
}

/// A collection of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Collection {
    /// The attribute `short`, and the name.
    pub(super) name: [String; 2],
    /// The whole element, with the space before it.
    pub(super) range: Range<usize>,
    /// Where its end tag begins, with the space before it.
    pub(super) end: usize,
    pub(super) packages: Vec<Line>,
}

/// The element `package`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// With the space before it.
    pub(super) range: Range<usize>,
    /// `None` for what is no full name of a package.
    pub(super) nevra: Option<Nevra>,
}

impl Named {
    /// Reads an advisory up to its end; gives its id, and everything else relative to its beginning.
    pub(super) fn read(xml: &mut Xml<'_>, update: &Element<'_>) -> Result<(String, Self), Error> {
        let version = update.attribute("version").unwrap_or_default().to_owned();
        let status = update.attribute("status").unwrap_or_default().to_owned();
        let mut named = Self { version, status, ..Self::default() };
        let mut id = None;
        let date = |element: &Element<'_>| element.attribute("date").unwrap_or_default().to_owned();
        while let Some(element) = xml.child()? {
            match &*element.name {
                "id" if id.is_none() => id = Some(xml.leaf()?.trim().to_owned()),
                "updated" => {
                    named.date = date(&element);
                    xml.skip()?;
                    named.updated = Some(element.start - update.start..xml.offset() - update.start);
                }
                "issued" => {
                    named.issued = date(&element);
                    xml.skip()?;
                }
                "pkglist" => named.list(xml, update.start)?,
                _ => xml.skip()?,
            }
        }
        if named.date.is_empty() {
            named.date.clone_from(&named.issued);
        }
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| xml.wrong("an advisory has no `id`"))?;
        Ok((id, named))
    }

    fn list(&mut self, xml: &mut Xml<'_>, from: usize) -> Result<(), Error> {
        while let Some(element) = xml.child()? {
            match &*element.name {
                "collection" => {
                    let collection = Collection::read(xml, &element, from)?;
                    self.collections.extend(collection);
                }
                _ => xml.skip()?,
            }
        }
        if self.list_end.is_none() {
            self.list_end = end_tag(xml, from);
        }
        Ok(())
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.collections.iter().flat_map(|collection| &collection.packages)
    }
}

impl Collection {
    /// Reads one up to its end; `None` if it is empty and has no end tag.
    fn read(xml: &mut Xml<'_>, element: &Element<'_>, from: usize) -> Result<Option<Self>, Error> {
        let short = element.attribute("short").unwrap_or_default().to_owned();
        let (mut name, mut packages) = (None, Vec::new());
        while let Some(inner) = xml.child()? {
            match &*inner.name {
                "name" if name.is_none() => name = Some(xml.leaf()?.trim().to_owned()),
                "package" => {
                    let nevra = nevra_of(&inner);
                    xml.skip()?;
                    packages.push(Line { range: place(xml, inner.start, from), nevra });
                }
                _ => xml.skip()?,
            }
        }
        let Some(end) = end_tag(xml, from) else { return Ok(None) };
        let range = place(xml, element.start, from);
        Ok(Some(Self { name: [short, name.unwrap_or_default()], range, end, packages }))
    }
}

/// Where the element lies that begins at `start` and was just left, with the space before it, counted from `from`.
fn place(xml: &Xml<'_>, start: usize, from: usize) -> Range<usize> {
    before_space(&xml.text()[from..], start - from)..xml.offset() - from
}

/// Where the end tag begins that was just passed, with the space before it, counted from `from`; `None` after an element
/// that is none but its start tag.
fn end_tag(xml: &Xml<'_>, from: usize) -> Option<usize> {
    let passed = &xml.text()[from..xml.offset()];
    let at = passed.rfind('<')?;
    passed[at..].starts_with("</").then(|| before_space(passed, at))
}

fn before_space(text: &str, at: usize) -> usize {
    text[..at].trim_end_matches([' ', '\t', '\r', '\n']).len()
}

/// Puts the full name of a package together; no epoch is epoch 0.
fn nevra_of(element: &Element<'_>) -> Option<Nevra> {
    let part = |name: &str| element.attribute(name).map(str::trim).filter(|part| !part.is_empty());
    let [name, version, release, arch] = [part("name")?, part("version")?, part("release")?, part("arch")?];
    let epoch = part("epoch").unwrap_or("0");
    format!("{name}-{epoch}:{version}-{release}.{arch}").parse().ok()
}

impl Advisory {
    /// Lists the packages it names, in the order of the file, as far as they are full names.
    pub fn packages(&self) -> impl Iterator<Item = &Nevra> {
        self.named.lines().filter_map(|line| line.nevra.as_ref())
    }

    /// Shows which writing of it this is, as it stands there; mostly a number.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.named.version
    }

    /// Shows when it was changed last, or else when it was issued; as it stands there.
    #[must_use]
    pub fn changed(&self) -> &str {
        &self.named.date
    }

    /// Shows when it was issued, as it stands there.
    #[must_use]
    pub fn issued(&self) -> &str {
        &self.named.issued
    }
}
