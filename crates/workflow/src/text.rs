//! What people write freely, and the links they give.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::shown;

/// The most bytes of a [`Words`].
pub const BYTES_MAX: usize = 16 * 1024;
/// The most words of a [`Words`].
pub const WORDS_MAX: usize = 2_000;
/// The most characters of a [`Line`].
pub const LINE_MAX: usize = 200;
/// The most bytes of a [`Link`].
pub const LINK_MAX: usize = 2_000;

/// Says why a text is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAText {
    /// Nothing is written.
    #[error("the text is empty")]
    Empty,
    /// It has too many words.
    #[error("the text has {words} words, and at most {WORDS_MAX} are taken")]
    Words {
        /// How many.
        words: usize,
    },
    /// It has few words, and long ones.
    #[error("the text has {bytes} bytes, and at most {BYTES_MAX} are taken")]
    Bytes {
        /// How many.
        bytes: usize,
    },
    /// What has to be one short line is not short.
    #[error("the line has {chars} characters, and at most {LINE_MAX} are taken")]
    Long {
        /// How many.
        chars: usize,
    },
    /// It has a character that a terminal or a page would suffer from, or that makes it read as something else.
    #[error(
        "line {line} has the character U+{:04X}, which is not taken: {}", u32::from(*character), why(*character)
    )]
    Character {
        /// Which.
        character: char,
        /// Where, from 1.
        line: usize,
    },
    /// What has to be one line has several.
    #[error("the text has several lines, and only one is taken")]
    Lines,
    /// It is no address of a page.
    #[error(
        "`{0}` is not a link, which begins with `https://` or `http://` and a host, has no spaces, and at most {LINK_MAX} bytes"
    )]
    Link(String),
    /// It refers to no ticket and no bug.
    #[error(
        "`{0}` names no ticket or bug, which is a link such as `https://tracker.example/1234`, or an id such as `#1234` or `savannah:1234`"
    )]
    Reference(String),
}

/// Tells why a character is not taken.
fn why(character: char) -> &'static str {
    match character {
        _ if is_turning(character) => "it changes the direction in which text is read",
        _ => "it controls what shows the text",
    }
}

/// Says whether a character overrides the direction in which text is read, or isolates from it.
fn is_turning(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Finds the first character of one line that is never taken; tabs are.
pub(crate) fn forbidden(line: &str) -> Option<char> {
    line.chars().find(|c| (c.is_control() && *c != '\t') || is_turning(*c))
}

/// A text of one or more lines: a comment, a note, an account of tests, a workaround.
///
/// It is not empty, has at most [`WORDS_MAX`] words and [`BYTES_MAX`] bytes, and no control characters but newline and
/// tab. Blanks around it are left out, and lines end with a newline whatever they ended with. Nothing else is
/// changed: HTML stays the text it is, and whoever shows it escapes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Words(String);

/// One line, such as a title; at most [`LINE_MAX`] characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Line(String);

/// The address of a page: `http` or `https`, a host, no name or password in front of it, and only characters that an
/// address has (RFC 3986), so that others stand in it as `%20` does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Link(String);

/// Names a ticket or a bug: a [`Link`], or an id as people of a tracker write it, `#1234` or `savannah:1234`: at most
/// twelve digits, behind `#` or behind the tracker's name of ASCII letters and digits, a letter first, at most 32. An id is never
/// an address, whatever its tracker is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Reference {
    /// An address.
    Link(Link),
    /// An id.
    Id(String),
}

impl FromStr for Words {
    type Err = NotAText;

    fn from_str(text: &str) -> Result<Words, NotAText> {
        let text = text.trim();
        let words = text.split_whitespace().count();
        if words == 0 {
            return Err(NotAText::Empty);
        }
        if words > WORDS_MAX {
            return Err(NotAText::Words { words });
        }
        let text = text.replace("\r\n", "\n");
        if text.len() > BYTES_MAX {
            return Err(NotAText::Bytes { bytes: text.len() });
        }
        for (at, line) in text.split('\n').enumerate() {
            if let Some(character) = forbidden(line) {
                return Err(NotAText::Character { character, line: at + 1 });
            }
        }
        Ok(Words(text))
    }
}

impl FromStr for Line {
    type Err = NotAText;

    fn from_str(text: &str) -> Result<Line, NotAText> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NotAText::Empty);
        }
        if text.contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
            return Err(NotAText::Lines);
        }
        if let Some(character) = forbidden(text) {
            return Err(NotAText::Character { character, line: 1 });
        }
        match text.chars().count() {
            chars if chars > LINE_MAX => Err(NotAText::Long { chars }),
            _ => Ok(Line(text.to_owned())),
        }
    }
}

impl FromStr for Link {
    type Err = NotAText;

    fn from_str(text: &str) -> Result<Link, NotAText> {
        let scheme = ["https://", "http://"]
            .into_iter()
            .find(|scheme| text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)));
        let Some(scheme) = scheme.filter(|_| text.len() <= LINK_MAX) else {
            return Err(NotAText::Link(shown(text)));
        };
        let rest = &text[scheme.len()..];
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_sound = rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
        match is_sound && is_host(host) {
            true => Ok(Link(text.to_owned())),
            false => Err(NotAText::Link(shown(text))),
        }
    }
}

/// Says whether a text is a host's name or number, with a port or without.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rfind(':').filter(|at| !text[*at..].contains(']')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let is_port =
        port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok());
    let is_name = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(number) => {
            number.contains(':')
                && number.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }
        None => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            host.starts_with(|first: char| first.is_ascii_alphanumeric()) && host.bytes().all(plain)
        }
    };
    is_port && is_name
}

impl FromStr for Reference {
    type Err = NotAText;

    fn from_str(text: &str) -> Result<Reference, NotAText> {
        if let Ok(link) = text.parse() {
            return Ok(Reference::Link(link));
        }
        let number = text.strip_prefix('#').or_else(|| {
            let (tracker, number) = text.split_once(':')?;
            let is_name = tracker.len() <= 32
                && tracker.starts_with(|first: char| first.is_ascii_alphabetic())
                && tracker.bytes().all(|byte| byte.is_ascii_alphanumeric());
            is_name.then_some(number)
        });
        match number {
            Some(digits)
                if (1..=12).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) =>
            {
                Ok(Reference::Id(text.to_owned()))
            }
            _ => Err(NotAText::Reference(shown(text))),
        }
    }
}

impl Reference {
    /// Gives the text.
    pub fn as_str(&self) -> &str {
        match self {
            Reference::Link(link) => link.as_str(),
            Reference::Id(id) => id,
        }
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> String {
        match reference {
            Reference::Link(link) => link.0,
            Reference::Id(id) => id,
        }
    }
}

macro_rules! is_stored_as_text {
    ($($name:ident)*) => {$(
        impl TryFrom<String> for $name {
            type Error = NotAText;

            fn try_from(text: String) -> Result<$name, NotAText> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

macro_rules! is_one_text {
    ($($name:ident)*) => {$(
        impl $name {
            /// Gives the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }
    )*};
}

is_stored_as_text!(Words Line Link Reference);
is_one_text!(Words Line Link);

#[cfg(test)]
mod tests;
