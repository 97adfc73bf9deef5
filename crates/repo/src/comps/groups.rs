//! Groups, categories and environments, each cut out of its file as it stood.

use std::collections::BTreeMap;
use std::ops::Range;

use super::check_comps;
use crate::Document;
use crate::error::Error;
use crate::walk::shown;
use crate::xml::{Element, Xml};

/// How many groups and the like there may be: Fedora had some hundreds.
const PARTS_MAX: usize = 10_000;

/// How many there may be of one kind and id: each of a distribution stands once.
const SAME_ID_MAX: usize = 16;

/// A file with groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comps {
    /// Everything up to the end of the first start tag.
    head: Vec<u8>,
    /// In the order of the file.
    pub parts: Vec<CompsPart>,
    /// Everything behind the last part.
    tail: Vec<u8>,
}

/// A group, a category, an environment, or what else stands in such a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompsPart {
    /// What it is.
    pub kind: CompsKind,
    /// Its name for programs; empty where it has none.
    pub id: String,
    /// The element with the space before it, as it stood.
    pub raw: Vec<u8>,
    /// What it lists, in the order of the file.
    pub(super) lines: Vec<Line>,
    /// The elements that hold what it lists, in the order of the file.
    pub(super) lists: Vec<List>,
}

/// The name of a package, or the id of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where in `raw` its element stands, with the space before it.
    pub(super) range: Range<usize>,
    pub(super) name: String,
    /// The element that holds it: what is optional in one stage must not be mandatory in the next.
    pub(super) list: &'static str,
}

/// An element that holds lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List {
    pub(super) element: &'static str,
    /// Where in `raw` it stands.
    pub(super) range: Range<usize>,
    /// Where in `raw` its end tag begins, with the space before it; `None` if it has none, as `<optionlist/>`.
    pub(super) end: Option<usize>,
}

/// Kinds of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CompsKind {
    /// `group`: lists names of packages.
    Group,
    /// `category`: lists ids of groups.
    Category,
    /// `environment`: lists ids of groups.
    Environment,
    /// `langpacks` and the like.
    Other,
}

impl CompsKind {
    fn of(name: &str) -> Self {
        match name {
            "group" => Self::Group,
            "category" => Self::Category,
            "environment" => Self::Environment,
            _ => Self::Other,
        }
    }

    /// Shows the word for it, as the element has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Category => "category",
            Self::Environment => "environment",
            Self::Other => "part",
        }
    }

    /// The elements that hold what it lists, and the one for each.
    fn lists(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Group => (&["packagelist"], "packagereq"),
            Self::Category => (&["grouplist"], "groupid"),
            Self::Environment => (&["grouplist", "optionlist"], "groupid"),
            Self::Other => (&[], ""),
        }
    }
}

impl Default for Comps {
    fn default() -> Self {
        Self { head: head(), parts: Vec::new(), tail: Document::Comps.footer().to_vec() }
    }
}

impl Comps {
    /// Cuts a file, uncompressed, into its parts.
    ///
    /// ```
    /// let file = b"<comps>\n  <group><id>g</id><packagelist><packagereq type=\"mandatory\">voms</packagereq></packagelist></group>\n</comps>";
    /// let read = repo::Comps::parse(file)?;
    /// assert_eq!(read.parts[0].names().collect::<Vec<_>>(), ["voms"]);
    /// assert_eq!(read.write(), file);
    /// # Ok::<(), repo::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Comps`] for what [`check_comps`] refuses, [`Error::Xml`] for what cannot be cut, prefixes that the outermost
    /// element declares, and for too many parts, or of one kind and id.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        check_comps(bytes)?;
        let plain = without_doctype(bytes);
        let (mut xml, root) = Xml::open(Document::Comps, &plain)?;
        if root.attributes().any(|(name, _)| name.starts_with("xmlns")) {
            return Err(xml.wrong("its outermost element declares a prefix"));
        }
        // What is before the file proper (a mark of its order of bytes) is kept with its head.
        let skipped = bytes.len() - xml.text().len();
        let from = xml.offset();
        let (mut to, mut parts) = (from, Vec::new());
        let mut ids: BTreeMap<(CompsKind, String), usize> = BTreeMap::new();
        while let Some(element) = xml.child()? {
            if parts.len() == PARTS_MAX {
                return Err(xml.wrong(format!("there are more than {PARTS_MAX} groups and the like")));
            }
            let part = CompsPart::read(&mut xml, &element, to)?;
            to = xml.offset();
            // What is nothing of these is never put together with anything.
            let same = ids.entry((part.kind, part.id.clone())).or_default();
            *same += usize::from(part.kind != CompsKind::Other);
            if *same > SAME_ID_MAX {
                let (kind, id) = (part.kind.as_str(), shown(&part.id));
                return Err(xml.wrong(format!("there are more than {SAME_ID_MAX} of {kind} `{id}`")));
            }
            parts.push(part);
        }
        xml.finish()?;
        let (head, tail) = (&bytes[..from + skipped], &bytes[to + skipped..]);
        if parts.is_empty() && head.ends_with(b"/>") {
            return Ok(Self::default());
        }
        Ok(Self { head: head.to_vec(), parts, tail: tail.to_vec() })
    }

    /// Writes the file.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = self.head.clone();
        for part in &self.parts {
            out.extend_from_slice(&part.raw);
        }
        if !out.ends_with(b"\n") && !self.tail.starts_with(b"\n") {
            out.push(b'\n');
        }
        out.extend_from_slice(&self.tail);
        out
    }

    /// Finds a part.
    #[must_use]
    pub fn part(&self, kind: CompsKind, id: &str) -> Option<&CompsPart> {
        self.parts.iter().find(|part| part.kind == kind && part.id == id)
    }
}

impl CompsPart {
    fn read(xml: &mut Xml<'_>, element: &Element<'_>, from: usize) -> Result<Self, Error> {
        let kind = if element.prefix.is_empty() { CompsKind::of(&element.name) } else { CompsKind::Other };
        let (elements, line) = kind.lists();
        let (mut id, mut lines, mut lists) = (None, Vec::new(), Vec::new());
        while let Some(inner) = xml.child()? {
            if let Some(element) = elements.iter().find(|element| **element == inner.name) {
                while let Some(one) = xml.child()? {
                    let before = before_space(&xml.text()[from..], one.start - from);
                    if one.name == line {
                        let name = xml.leaf()?.trim().to_owned();
                        lines.push(Line { range: before..xml.offset() - from, name, list: element });
                    } else {
                        xml.skip()?;
                    }
                }
                let range = inner.start - from..xml.offset() - from;
                let end = end_tag(&xml.text()[from..xml.offset()]);
                lists.push(List { element, range, end });
            } else if inner.name == "id" && id.is_none() {
                id = Some(xml.leaf()?.trim().to_owned());
            } else {
                xml.skip()?;
            }
        }
        let raw = xml.text().as_bytes()[from..xml.offset()].to_vec();
        Ok(Self { kind, id: id.unwrap_or_default(), raw, lines, lists })
    }

    /// Lists the names of packages, or the ids of groups, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.name.as_str())
    }

    /// Takes up a part that was changed here; `None` if it is none any more.
    pub(super) fn again(raw: &[u8]) -> Option<Self> {
        let file = [&head(), raw, Document::Comps.footer()].concat();
        let mut read = Comps::parse(&file).ok()?.parts;
        let one = read.pop()?;
        read.is_empty().then_some(one)
    }
}

/// Everything up to the end of the first start tag of a new file; each part begins with the space before it.
fn head() -> Vec<u8> {
    Document::Comps.header(0).trim_ascii_end().to_vec()
}

/// Where the end tag begins with which the text ends, and the space before it.
fn end_tag(passed: &str) -> Option<usize> {
    let at = passed.rfind('<')?;
    passed[at..].starts_with("</").then(|| before_space(passed, at))
}

fn before_space(text: &str, at: usize) -> usize {
    text[..at].trim_end_matches([' ', '\t', '\r', '\n']).len()
}

/// Puts spaces where the document type stands, which [`check_comps`] found to define nothing: every offset stays.
fn without_doctype(bytes: &[u8]) -> Vec<u8> {
    let mut plain = bytes.to_vec();
    // In front of the outermost element only comments and instructions may stand beside it.
    let Some(start) = memchr::memmem::find(bytes, b"<comps") else { return plain };
    if let Some(at) = memchr::memmem::rfind(&bytes[..start], b"<!DOCTYPE")
        && let Some(end) = memchr::memchr(b'>', &bytes[at..])
        && at + end < start
    {
        plain[at..=at + end].fill(b' ');
    }
    plain
}

#[cfg(test)]
mod tests;
