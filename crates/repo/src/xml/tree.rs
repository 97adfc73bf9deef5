//! One element with everything in it, for whoever compares what two programs wrote.

use std::fmt;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::{Element, Xml};
use crate::Document;
use crate::characters::{escape_attribute, escape_text, text_of};
use crate::document::RPM_NAMESPACE;
use crate::error::Error;

/// How many elements one package may have: a hundred times what the largest packages have.
const ELEMENTS: usize = 2_000_000;

/// An element as whoever understands XML sees it: quoting, indentation and prefixes are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// `rpm:entry` for what lies in rpm's namespace and `package` for what lies in the document's own,
    /// whatever the file itself writes; anything else as written.
    pub name: String,
    /// The attributes, in the order of their names.
    pub attributes: Vec<(String, String)>,
    /// The text, as it stands; of an element that holds others, without the space around it.
    pub text: String,
    /// The elements in it, in the order of the file.
    pub children: Vec<Tree>,
}

impl Tree {
    /// Reads a fragment as [`Fragments`](crate::Fragments) hold them, with createrepo_c's prefixes.
    ///
    /// # Errors
    ///
    /// [`Error::Xml`] for what is no whole element.
    pub fn of_fragment(document: Document, fragment: &[u8]) -> Result<Self, Error> {
        let prefixes = Prefixes { own: vec![String::new()], rpm: vec!["rpm".to_owned()] };
        Xml::cut(document, text_of(document, fragment)?, &prefixes)
    }

    /// Finds an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Writes the element as XML on one line, but for the lines its text has.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = Vec::new();
        write!(f, "<{}", self.name)?;
        for (key, text) in &self.attributes {
            value.clear();
            escape_attribute(&mut value, text);
            write!(f, " {key}=\"{}\"", String::from_utf8_lossy(&value))?;
        }
        if self.text.is_empty() && self.children.is_empty() {
            return f.write_str("/>");
        }
        value.clear();
        escape_text(&mut value, &self.text);
        write!(f, ">{}", String::from_utf8_lossy(&value))?;
        for child in &self.children {
            write!(f, "{child}")?;
        }
        write!(f, "</{}>", self.name)
    }
}

/// Which prefixes of a file mean what; those declared at its outermost element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prefixes {
    own: Vec<String>,
    rpm: Vec<String>,
}

impl Prefixes {
    /// Reads the declarations of the outermost element.
    pub(crate) fn of(document: Document, root: &Element<'_>) -> Self {
        let mut prefixes = Self::default();
        for (key, value) in root.attributes() {
            let Some(prefix) = key.strip_prefix("xmlns") else { continue };
            let prefix = prefix.strip_prefix(':').unwrap_or(prefix).to_owned();
            if Some(value) == document.namespace() {
                prefixes.own.push(prefix);
            } else if value == RPM_NAMESPACE {
                prefixes.rpm.push(prefix);
            }
        }
        prefixes
    }

    /// Names an element as createrepo_c would.
    fn name(&self, element: &Element<'_>) -> String {
        let Element { prefix, name, .. } = element;
        if self.own.contains(prefix) {
            name.clone()
        } else if self.rpm.contains(prefix) {
            format!("rpm:{name}")
        } else if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}:{name}")
        }
    }
}

impl<'a> Xml<'a> {
    /// Reads one element cut from a file whose characters were judged already.
    pub(crate) fn cut(document: Document, text: &'a str, prefixes: &Prefixes) -> Result<Tree, Error> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut xml = Self { reader, document, text, depth: 0 };
        let element = xml.child()?.ok_or_else(|| xml.wrong("it is empty"))?;
        let mut left = ELEMENTS;
        xml.tree(&element, prefixes, &mut left)
    }

    /// Reads the present element to its end. It recurses no deeper than elements may nest.
    fn tree(&mut self, element: &Element<'_>, prefixes: &Prefixes, left: &mut usize) -> Result<Tree, Error> {
        *left = left
            .checked_sub(1)
            .ok_or_else(|| self.wrong(format!("the package has more than {ELEMENTS} elements")))?;
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let mut attributes: Vec<_> = element.attributes().map(owned).collect();
        attributes.sort();
        let mut tree =
            Tree { name: prefixes.name(element), attributes, text: String::new(), children: Vec::new() };
        loop {
            let start = self.offset();
            match self.event()? {
                Event::Start(tag) => {
                    let child = self.element(start, tag)?;
                    tree.children.push(self.tree(&child, prefixes, left)?);
                }
                Event::End(_) | Event::Eof => break,
                Event::Text(text) => tree.text.push_str(&text.xml10_content()),
                Event::CData(text) => tree.text.push_str(&text.xml10_content()),
                Event::GeneralRef(name) => tree.text.push(self.referred(&name)?),
                _ => {}
            }
        }
        if !tree.children.is_empty() {
            tree.text = tree.text.trim_ascii().to_owned();
        }
        Ok(tree)
    }
}
