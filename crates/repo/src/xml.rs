//! Reading metadata completely, whatever wrote it, one element at a time.

mod tree;

use std::borrow::Cow;

use nevra::{Digest, ParseError};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::Document;
use crate::characters::{reference, text_of, unescape_attribute};
use crate::error::Error;
use crate::walk::{DEPTH, shown};

pub(crate) use tree::Prefixes;
pub use tree::Tree;

/// No element that is known has more than five attributes.
const ATTRIBUTES: usize = 64;

/// A reader that stands somewhere in a file.
///
/// It holds no more than the file and the value being read. Document types are refused, so no entity
/// can grow; comments and processing instructions are passed over.
pub(crate) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    document: Document,
    text: &'a str,
    depth: usize,
}

/// One start tag.
pub(crate) struct Element<'a> {
    /// Without its prefix.
    pub name: String,
    /// The prefix, without the colon; mostly empty.
    pub prefix: String,
    /// The offset of its `<` in the text.
    pub start: usize,
    attributes: Vec<(String, Cow<'a, str>)>,
}

impl<'a> Xml<'a> {
    /// Opens a file and steps into its outermost element.
    pub(crate) fn open(document: Document, bytes: &'a [u8]) -> Result<(Self, Element<'a>), Error> {
        let text = text_of(document, bytes)?;
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut xml = Self { reader, document, text, depth: 0 };
        let root = xml.child()?.ok_or_else(|| xml.wrong("it is empty"))?;
        if root.name != document.root() {
            return Err(xml.wrong(format!(
                "its outermost element is `{}`, not `{}`",
                shown(&root.name),
                document.root()
            )));
        }
        Ok((xml, root))
    }

    /// Makes an error that names the place reached.
    pub(crate) fn wrong(&self, problem: impl Into<String>) -> Error {
        Error::Xml { document: self.document, offset: self.reader.buffer_position(), problem: problem.into() }
    }

    /// Makes an error of a value that does not parse.
    pub(crate) fn unparsed(&self, error: &ParseError) -> Error {
        self.wrong(error.to_string())
    }

    /// Shows where the reader stands, as an offset in the text.
    pub(crate) fn offset(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX).min(self.text.len())
    }

    /// Shows the whole file.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    fn event(&mut self) -> Result<Event<'a>, Error> {
        let event = self.reader.read_event().map_err(|error| Error::Xml {
            document: self.document,
            offset: self.reader.error_position(),
            problem: error.to_string(),
        })?;
        match &event {
            Event::Start(_) if self.depth == DEPTH => {
                return Err(self.wrong(format!("elements nest more than {DEPTH} deep")));
            }
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth -= 1,
            Event::Text(text) if self.depth == 0 && !text.trim_ascii().is_empty() => {
                return Err(self.wrong("there is text outside of every element"));
            }
            Event::GeneralRef(name) => self.referred(name).map(drop)?,
            Event::DocType(_) => return Err(self.wrong("it has a document type")),
            Event::Eof if self.depth > 0 => return Err(self.wrong("it ends early")),
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().and_then(Result::ok).unwrap_or(Cow::Borrowed("utf-8"));
                if !matches!(&*encoding.to_ascii_lowercase(), "utf-8" | "utf8" | "us-ascii") {
                    return Err(self.wrong(format!("its encoding is `{}`, not UTF-8", shown(&encoding))));
                }
            }
            _ => {}
        }
        Ok(event)
    }

    fn referred(&self, name: &str) -> Result<char, Error> {
        let whole = format!("&{name};");
        let unnamed = || self.wrong(format!("`{}` refers to nothing that XML names", shown(&whole)));
        reference(&whole).map(|(character, _)| character).ok_or_else(unnamed)
    }

    /// Steps to the next element within the present one; `None` when the present one ends.
    pub(crate) fn child(&mut self) -> Result<Option<Element<'a>>, Error> {
        loop {
            let start = self.offset();
            match self.event()? {
                Event::Start(tag) => return self.element(start, tag).map(Some),
                Event::End(_) | Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    fn element(&self, start: usize, tag: BytesStart<'a>) -> Result<Element<'a>, Error> {
        let mut attributes = Vec::new();
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.wrong(error.to_string()))?;
            let key: &str = attribute.key.as_ref();
            if attributes.len() == ATTRIBUTES || attributes.iter().any(|(other, _)| other == key) {
                return Err(self.wrong(format!("it has attribute `{}` twice, or too many", shown(key))));
            }
            let value = unescape_attribute(&attribute.value)
                .ok_or_else(|| self.wrong(format!("attribute `{}` cannot be read", shown(key))))?;
            attributes.push((key.to_owned(), Cow::Owned(value.into_owned())));
        }
        let name: &str = tag.name().into_inner();
        let (prefix, name) = name.rsplit_once(':').unwrap_or(("", name));
        Ok(Element { name: name.to_owned(), prefix: prefix.to_owned(), start, attributes })
    }

    /// Reads the text of the present element, and leaves it.
    pub(crate) fn leaf(&mut self) -> Result<String, Error> {
        let mut out = String::new();
        loop {
            match self.event()? {
                Event::Text(text) => out.push_str(&text.xml10_content()),
                Event::CData(text) => out.push_str(&text.xml10_content()),
                Event::GeneralRef(name) => out.push(self.referred(&name)?),
                Event::End(_) => return Ok(out),
                Event::Start(tag) => {
                    let name: &str = tag.name().into_inner();
                    return Err(self.wrong(format!("element `{}` stands where only text may", shown(name))));
                }
                _ => {}
            }
        }
    }

    /// Reads a digest: its algorithm is the attribute `type`, its digits the text; leaves the element.
    pub(crate) fn digest(&mut self, element: &Element<'_>) -> Result<Digest, Error> {
        let algorithm = element.attribute("type").unwrap_or_default();
        let algorithm = algorithm.parse().map_err(|error| self.unparsed(&error))?;
        let hex = self.leaf()?;
        Digest::new(algorithm, hex.trim_ascii()).map_err(|error| self.unparsed(&error))
    }

    /// Passes over the rest of the present element.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        let outside = self.depth - 1;
        while self.depth > outside {
            self.event()?;
        }
        Ok(())
    }

    /// Checks that no element follows the outermost one.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        match self.child()? {
            None => Ok(()),
            Some(_) => Err(self.wrong("more follows behind the last element")),
        }
    }

    /// Reads a number that may have a fraction, which old metadata writes in times.
    pub(crate) fn number<T: std::str::FromStr>(&self, what: &str, text: &str) -> Result<T, Error> {
        let whole = text.trim_ascii();
        let whole = whole.split_once('.').map_or(whole, |(whole, _)| whole);
        whole.parse().map_err(|_| self.wrong(format!("{what} `{}` is no number it can be", shown(text))))
    }
}

impl Element<'_> {
    /// Shows an attribute, by its name as written, prefix included.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Shows all attributes, by their names as written, in the order of the file.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(key, value)| (key.as_str(), &**value))
    }
}
