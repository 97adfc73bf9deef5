//! Bytes of a header become text that XML can carry.

use crate::Error;
use crate::characters::{all_are_carried, is_carried};
use crate::head::Header;
use crate::tags::Tag;

/// Gives the text of a tag, empty if the header has none.
pub(super) fn text_or_empty(header: &Header, tag: Tag) -> Result<String, Error> {
    header.text(tag).map_or(Ok(String::new()), |bytes| text_of(tag, bytes))
}

/// Gives the text of a tag that every package has.
pub(super) fn required_text(header: &Header, tag: Tag) -> Result<String, Error> {
    match header.text(tag) {
        Some(bytes) => text_of(tag, bytes),
        None => Err(Error::MissingTag { tag: tag.number, name: tag.name }),
    }
}

/// Gives the text of a tag that names the package: what is no UTF-8 is not made into another name, as
/// createrepo_c does, but shown as such, for a full name to refuse.
pub(super) fn required_name(header: &Header, tag: Tag) -> Result<String, Error> {
    match header.text(tag).map(std::str::from_utf8) {
        Some(Err(error)) => {
            let why = format!("its byte {} is not UTF-8", error.valid_up_to() + 1);
            Err(Error::Tag { tag: tag.number, name: tag.name, why })
        }
        _ => required_text(header, tag),
    }
}

/// Reads bytes as UTF-8, or else as Latin-1 without its control characters (which are most likely
/// quotation marks of another code page).
pub(super) fn text_of(tag: Tag, bytes: &[u8]) -> Result<String, Error> {
    own_text_of(tag, bytes.to_vec())
}

/// Reads bytes as [`text_of`] does, and keeps them.
pub(super) fn own_text_of(tag: Tag, bytes: Vec<u8>) -> Result<String, Error> {
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        let bytes = error.into_bytes();
        bytes.into_iter().filter(|byte| !(0x80..0xc0).contains(byte)).map(char::from).collect()
    });
    let odd =
        if all_are_carried(&text) { None } else { text.chars().find(|character| !is_carried(*character)) };
    match odd {
        None => Ok(text),
        Some(character) => Err(Error::ControlCharacter {
            tag: tag.number,
            name: tag.name,
            text: text.escape_debug().take(80).collect(),
            code: character.into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::SUMMARY;

    #[test]
    fn text_that_is_not_utf8_is_latin_1() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(text_of(SUMMARY, bytes).unwrap(), expected);
        check("Grüße".as_bytes(), "Grüße");
        check(b"Gr\xfc\xdfe", "Grüße");
        check(b"\x93quoted\x94 \xe9t\xe9", "quoted été");
        check(b"tab\tline\nreturn\r", "tab\tline\nreturn\r");
    }

    #[test]
    fn a_control_character_is_refused_and_named() {
        for (bytes, expected) in [(&b"a\x07b"[..], 7), (b"\xfc\x1b", 0x1b), ("x\u{ffff}".as_bytes(), 0xffff)]
        {
            let Err(Error::ControlCharacter { tag, code, text, .. }) = text_of(SUMMARY, bytes) else {
                panic!("{bytes:?} was taken");
            };
            assert_eq!((tag, code), (1004, expected));
            assert!(text.is_ascii() || !text.chars().any(char::is_control));
        }
    }
}
