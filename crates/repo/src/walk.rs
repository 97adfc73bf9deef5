//! A walk over the tags of metadata as the usual writers make it.
//!
//! It understands elements, attributes and text, and proves that elements nest. Comments, CDATA,
//! processing instructions and document types it does not understand: whoever meets one reads the
//! file completely instead.

use crate::characters::unescape_attribute;

/// How deep elements may nest; createrepo_c's nest 5 deep.
pub(crate) const DEPTH: usize = 32;

/// What keeps a walk from going on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The file uses something that only complete parsing understands.
    NotPlain,
    /// The file is no XML, or says what metadata cannot say.
    Wrong {
        /// Where.
        offset: usize,
        /// What.
        problem: String,
    },
}

/// Whether a tag begins an element, ends it, or is all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Start,
    End,
    Empty,
}

/// One tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag<'a> {
    pub side: Side,
    /// With its prefix.
    pub name: &'a str,
    /// Everything between the name and the end of the tag.
    attributes: &'a str,
    /// The offset of its `<`.
    pub start: usize,
    /// The offset behind its `>`.
    pub end: usize,
    /// How many elements it lies in.
    pub depth: usize,
}

/// The walk.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    text: &'a str,
    at: usize,
    open: Vec<&'a str>,
}

pub(crate) fn wrong(offset: usize, problem: impl Into<String>) -> Stop {
    Stop::Wrong { offset, problem: problem.into() }
}

impl<'a> Walk<'a> {
    /// Begins behind the XML declaration, if there is one.
    pub(crate) fn over(text: &'a str) -> Result<Self, Stop> {
        let mut at = 0;
        if let Some(declaration) = text.strip_prefix("<?xml") {
            let end = declaration.find("?>").ok_or_else(|| wrong(0, "the declaration does not end"))?;
            let words = &declaration[..end].to_ascii_lowercase();
            if words.contains("encoding") && !words.contains("utf-8") && !words.contains("utf8") {
                return Err(Stop::NotPlain);
            }
            at = end + "<?xml?>".len();
        }
        Ok(Self { text, at, open: Vec::with_capacity(8) })
    }

    /// Steps to the next tag; `None` at the end of the file, where every element has ended.
    pub(crate) fn next(&mut self) -> Result<Option<Tag<'a>>, Stop> {
        let bytes = self.text.as_bytes();
        let Some(start) = memchr::memchr(b'<', &bytes[self.at..]).map(|found| self.at + found) else {
            return match self.open.last() {
                Some(name) => Err(wrong(bytes.len(), format!("it ends within `{}`", shown(name)))),
                None if self.blank(bytes.len()) => Ok(None),
                None => Err(wrong(self.at, "there is text outside of every element")),
            };
        };
        if self.open.is_empty() && !self.blank(start) {
            return Err(wrong(self.at, "there is text outside of every element"));
        }
        if let Some(end) = self.quick_end(start) {
            self.at = end;
            return if bytes[start + 1] == b'/' {
                self.close(&self.text[start + 2..end - 1], start, end).map(Some)
            } else {
                self.open(&self.text[start + 1..end - 1], start, end).map(Some)
            };
        }
        let end = end_of_tag(bytes, start).ok_or_else(|| wrong(start, "the tag does not end"))?;
        self.at = end;
        let inside = &self.text[start + 1..end - 1];
        match inside.as_bytes().first() {
            Some(b'!' | b'?') => Err(Stop::NotPlain),
            Some(b'/') => self.close(inside[1..].trim_ascii_end(), start, end).map(Some),
            _ => self.open(inside, start, end).map(Some),
        }
    }

    /// Finds the end of a tag that is nothing but a name, as most are.
    fn quick_end(&self, start: usize) -> Option<usize> {
        let rest = &self.text.as_bytes()[start + 1..];
        let slash = usize::from(rest.first() == Some(&b'/'));
        let length = slash + rest[slash..].iter().take_while(|&&byte| is_name(byte)).count();
        (rest.get(length) == Some(&b'>')).then_some(start + 1 + length + 1)
    }

    fn blank(&self, end: usize) -> bool {
        self.text.as_bytes()[self.at..end].iter().all(u8::is_ascii_whitespace)
    }

    fn close(&mut self, name: &'a str, start: usize, end: usize) -> Result<Tag<'a>, Stop> {
        if self.open.last() != Some(&name) {
            return Err(wrong(start, format!("`{}` ends, which has not begun", shown(name))));
        }
        self.open.pop();
        Ok(Tag { side: Side::End, name, attributes: "", start, end, depth: self.open.len() })
    }

    fn open(&mut self, inside: &'a str, start: usize, end: usize) -> Result<Tag<'a>, Stop> {
        let (side, inside) = match inside.strip_suffix('/') {
            Some(inside) => (Side::Empty, inside),
            None => (Side::Start, inside),
        };
        let length = inside.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(inside.len());
        let (name, attributes) = inside.split_at(length);
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(wrong(start, format!("`{}` is no name of an element", shown(name))));
        }
        let depth = self.open.len();
        if side == Side::Start {
            if depth == DEPTH {
                return Err(wrong(start, format!("elements nest more than {DEPTH} deep")));
            }
            self.open.push(name);
        }
        Ok(Tag { side, name, attributes, start, end, depth })
    }

    /// Shows the text up to the end tag that comes next, as it stands; `None` if another tag comes first.
    pub(crate) fn leaf_text(&self) -> Option<&'a str> {
        let rest = &self.text[self.at..];
        let (text, tag) = rest.split_at(memchr::memchr(b'<', rest.as_bytes())?);
        tag.starts_with("</").then_some(text)
    }

    /// Shows where the walk is.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.')
}

/// Finds the end of a tag: quotes may hold a `>`.
fn end_of_tag(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr3(b'>', b'"', b'\'', &bytes[at..])?;
        match bytes[at] {
            b'>' => return Some(at + 1),
            quote => at += 2 + memchr::memchr(quote, &bytes[at + 1..])?,
        }
    }
}

/// Shortens what a file says for an error text.
pub(crate) fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(80).collect();
    if out.len() < text.len() {
        out.push_str("...");
    }
    out
}

impl<'a> Tag<'a> {
    /// Looks at each attribute, value as it stands, until `look` has seen enough.
    ///
    /// Nothing is looked for twice: a tag that says one thing two ways is refused.
    pub(crate) fn attributes(&self) -> Attributes<'a> {
        Attributes { rest: self.attributes, start: self.start }
    }

    /// Finds one attribute and resolves its entities; empty where there is none.
    pub(crate) fn attribute(&self, name: &str) -> Result<Option<String>, Stop> {
        let mut found = None;
        for attribute in self.attributes() {
            let (key, value) = attribute?;
            if key == name && found.replace(value).is_some() {
                return Err(wrong(self.start, format!("attribute `{name}` is there twice")));
            }
        }
        found
            .map(|value| unescape_attribute(value).map(|value| value.into_owned()))
            .map(|value| value.ok_or_else(|| wrong(self.start, format!("attribute `{name}` cannot be read"))))
            .transpose()
    }
}

/// The attributes of a tag: name, and value as it stands between the quotes.
#[derive(Debug)]
pub(crate) struct Attributes<'a> {
    rest: &'a str,
    start: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(&'a str, &'a str), Stop>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_ascii_start();
        if rest.is_empty() {
            return None;
        }
        let parsed = rest.split_once('=').and_then(|(name, rest)| {
            let rest = rest.trim_ascii_start();
            let quote = rest.chars().next().filter(|&quote| quote == '"' || quote == '\'')?;
            let (value, rest) = rest[1..].split_once(quote)?;
            let apart = rest.bytes().next().is_none_or(|byte| byte.is_ascii_whitespace());
            apart.then_some((name.trim_ascii_end(), value, rest))
        });
        let Some((name, value, rest)) = parsed else {
            self.rest = "";
            return Some(Err(wrong(self.start, "its attributes cannot be read")));
        };
        self.rest = rest;
        Some(Ok((name, value)))
    }
}
