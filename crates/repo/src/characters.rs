//! Which characters metadata may hold, and how they are written.

use std::borrow::Cow;

use memchr::memmem;

use crate::Document;
use crate::error::Error;

/// Says whether XML 1.0 can carry a character; clients refuse a whole file for one it cannot.
#[must_use]
pub fn is_carried(character: char) -> bool {
    !matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Takes a metadata file as text: UTF-8, no byte order mark, no character that XML cannot carry.
///
/// A character given by number is [`reference`]'s to judge.
///
/// # Errors
///
/// [`Error::Xml`] with the offset of the first byte that breaks a rule.
pub(crate) fn text_of(document: Document, bytes: &[u8]) -> Result<&str, Error> {
    let wrong = |offset: usize, problem: String| Error::Xml { document, offset: offset as u64, problem };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| wrong(error.valid_up_to(), "it is not UTF-8 from here on".to_owned()))?;
    if let Some(offset) = first_control(bytes) {
        return Err(wrong(offset, format!("it holds control character `{:#04x}`", bytes[offset])));
    }
    for offset in memmem::find_iter(bytes, b"\xef\xbf") {
        if matches!(bytes.get(offset + 2), Some(0xbe | 0xbf)) {
            return Err(wrong(offset, "it holds a character that XML cannot carry".to_owned()));
        }
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Finds the first ampersand behind which there is neither one of the five entities nor the number of
/// a character that XML can carry.
pub(crate) fn first_unnamed(text: &str) -> Option<usize> {
    memchr::memchr_iter(b'&', text.as_bytes()).find(|&offset| reference(&text[offset..]).is_none())
}

/// Says whether a byte is a control character that XML cannot carry.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\t' && byte != b'\n' && byte != b'\r'
}

/// Says whether XML can carry every character of a text. Nearly always it can, and that is seen at once.
pub(crate) fn all_are_carried(text: &str) -> bool {
    !any(text, |byte| is_control(byte) || byte == 0xef) || text.chars().all(is_carried)
}

/// Finds the first control character; whole blocks are judged at once, so that it costs little.
fn first_control(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    for block in bytes.chunks(1024) {
        if block.iter().fold(false, |any, &byte| any | is_control(byte)) {
            return block.iter().position(|&byte| is_control(byte)).map(|at| start + at);
        }
        start += block.len();
    }
    None
}

/// Resolves the reference that text begins with: the character, and how long the reference is.
pub(crate) fn reference(text: &str) -> Option<(char, usize)> {
    let body = text.strip_prefix('&')?;
    // The longest that can be meant is `#x10FFFF` with a few zeros in front.
    let end = body.bytes().take(16).position(|byte| byte == b';')?;
    let name = &body[..end];
    let number = |digits: &str, radix: u32| {
        let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        plain.then(|| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)).flatten()
    };
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#')? {
            hexadecimal if hexadecimal.starts_with('x') => number(&hexadecimal[1..], 16)?,
            decimal => number(decimal, 10)?,
        },
    };
    is_carried(character).then_some((character, end + 2))
}

/// Reads what stands between two tags, as an XML parser would.
///
/// `None` where an ampersand begins nothing.
pub(crate) fn unescape_text(raw: &str) -> Option<Cow<'_, str>> {
    unescape(
        raw,
        |byte| byte == b'\r',
        |raw, at, out| {
            out.push('\n');
            if raw.as_bytes().get(at + 1) == Some(&b'\n') { 2 } else { 1 }
        },
    )
}

/// Reads what stands between the quotes of an attribute, as an XML parser would.
///
/// `None` where an ampersand begins nothing.
pub(crate) fn unescape_attribute(raw: &str) -> Option<Cow<'_, str>> {
    unescape(
        raw,
        |byte| matches!(byte, b'\t' | b'\n' | b'\r'),
        |raw, at, out| {
            out.push(' ');
            if raw[at..].starts_with("\r\n") { 2 } else { 1 }
        },
    )
}

fn unescape(
    raw: &str,
    is_space: impl Fn(u8) -> bool,
    space: impl Fn(&str, usize, &mut String) -> usize,
) -> Option<Cow<'_, str>> {
    let bytes = raw.as_bytes();
    let special = |from: usize| {
        bytes[from..].iter().position(|&byte| byte == b'&' || is_space(byte)).map(|at| from + at)
    };
    let Some(mut at) = special(0) else { return Some(Cow::Borrowed(raw)) };
    let mut out = String::with_capacity(raw.len());
    let mut copied = 0;
    loop {
        out.push_str(&raw[copied..at]);
        copied = at
            + if bytes[at] == b'&' {
                let (character, length) = reference(&raw[at..])?;
                out.push(character);
                length
            } else {
                space(raw, at, &mut out)
            };
        match special(copied) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.push_str(&raw[copied..]);
    Some(Cow::Owned(out))
}

/// Writes text between two tags as createrepo_c does; what XML cannot carry is left out.
pub(crate) fn escape_text(out: &mut Vec<u8>, text: &str) {
    // U+FFFE and U+FFFF begin with this byte.
    let special = |byte| matches!(byte, b'<' | b'>' | b'&' | 0xef) || is_control(byte) || byte == b'\r';
    if !any(text, special) {
        return out.extend_from_slice(text.as_bytes());
    }
    escape(
        out,
        text,
        |character| matches!(character, '<' | '>' | '&' | '\r') || !is_carried(character),
        false,
    );
}

/// Writes an attribute's value as createrepo_c does: whatever is not ASCII by its number.
pub(crate) fn escape_attribute(out: &mut Vec<u8>, text: &str) {
    if !any(text, |byte| matches!(byte, b'<' | b'>' | b'&' | b'"' | 0x80..) || byte < b' ') {
        return out.extend_from_slice(text.as_bytes());
    }
    escape(
        out,
        text,
        |character| {
            matches!(character, '<' | '>' | '&' | '"' | '\t' | '\n' | '\r')
                || !character.is_ascii()
                || !is_carried(character)
        },
        true,
    );
}

/// Says whether a byte of the text is special; all are looked at, many at once, so that it costs little.
fn any(text: &str, is_special: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |any, byte| any | is_special(byte))
}

fn escape(out: &mut Vec<u8>, text: &str, is_special: impl Fn(char) -> bool, attribute: bool) {
    let mut copied = 0;
    for (at, character) in text.char_indices().filter(|&(_, character)| is_special(character)) {
        out.extend_from_slice(&text.as_bytes()[copied..at]);
        copied = at + character.len_utf8();
        match character {
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '&' => out.extend_from_slice(b"&amp;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\t' | '\n' | '\r' => out.extend_from_slice(format!("&#{};", u32::from(character)).as_bytes()),
            _ if attribute && is_carried(character) => {
                out.extend_from_slice(format!("&#x{:X};", u32::from(character)).as_bytes());
            }
            _ => {}
        }
    }
    out.extend_from_slice(&text.as_bytes()[copied..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, between_tags: &str, in_quotes: &str) {
        let mut out = Vec::new();
        escape_text(&mut out, text);
        assert_eq!(String::from_utf8(out).unwrap(), between_tags);
        let mut out = Vec::new();
        escape_attribute(&mut out, text);
        assert_eq!(String::from_utf8(out).unwrap(), in_quotes);
        assert_eq!(unescape_text(between_tags).unwrap(), text);
        assert_eq!(unescape_attribute(in_quotes).unwrap(), text);
    }

    #[test]
    fn text_is_written_as_libxml2_writes_it_and_comes_back() {
        check("plain", "plain", "plain");
        check("", "", "");
        check("<a> & \"b\" 'c'", "&lt;a&gt; &amp; \"b\" 'c'", "&lt;a&gt; &amp; &quot;b&quot; 'c'");
        check("tab\there\nand\r\nthere", "tab\there\nand&#13;\nthere", "tab&#9;here&#10;and&#13;&#10;there");
        check("ö€𝄞", "ö€𝄞", "&#xF6;&#x20AC;&#x1D11E;");
        check("\u{7f}", "\u{7f}", "\u{7f}");
    }

    #[test]
    fn what_xml_cannot_carry_is_left_out() {
        let mut out = Vec::new();
        escape_text(&mut out, "a\u{1}b\u{ffff}c");
        escape_attribute(&mut out, "a\u{1}b\u{fffe}c");
        assert_eq!(out, b"abcabc");
    }

    #[test]
    fn line_ends_and_spaces_are_read_as_xml_says() {
        assert_eq!(unescape_text("a\r\nb\rc&#13;\n").unwrap(), "a\nb\nc\r\n");
        assert_eq!(unescape_attribute("a\r\nb\tc\nd").unwrap(), "a b c d");
    }

    #[test]
    fn only_what_xml_names_can_be_referred_to() {
        for good in ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#65;", "&#x41;", "&#x0041;", "&#10;"] {
            assert_eq!(reference(good).map(|(_, length)| length), Some(good.len()), "{good}");
        }
        for bad in [
            "&",
            "&;",
            "&a",
            "&nbsp;",
            "&#;",
            "&#x;",
            "&#0;",
            "&#1;",
            "&#xD800;",
            "&#x110000;",
            "&#xFFFF;",
            "&#+65;",
            "&#-1;",
            "&#x+1;",
            "&#99999999999;",
            "& amp;",
            "&#a;",
            "&amp",
            "&ü;",
            "&aaaaaaaaaaaaaaaü;",
        ] {
            assert_eq!(reference(bad), None, "{bad}");
            assert_eq!(first_unnamed(&format!("&amp; {bad}")), Some(6), "{bad}");
        }
    }

    #[test]
    fn a_file_with_anything_else_is_refused_where_it_stands() {
        let refused = |bytes: &[u8]| match text_of(Document::Primary, bytes) {
            Err(Error::Xml { offset, problem, .. }) => format!("{offset}: {problem}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(b"abc\xff"), "3: it is not UTF-8 from here on");
        assert_eq!(refused(b"a\x0bc"), "1: it holds control character `0x0b`");
        let mut long = vec![b'x'; 5000];
        long[4321] = 0;
        assert_eq!(refused(&long), "4321: it holds control character `0x00`");
        assert_eq!(refused("ab\u{ffff}".as_bytes()), "2: it holds a character that XML cannot carry");
        assert_eq!(
            text_of(Document::Primary, "\u{feff}a\t\r\n\u{fffd}".as_bytes()).unwrap(),
            "a\t\r\n\u{fffd}"
        );
    }
}
