//! Files with groups of packages: looked at before they are published, and cut into their parts where those go with packages.

mod cut;
mod groups;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::characters::{is_carried, reference};
use crate::error::Error;
use crate::walk::{DEPTH, shown};

pub use groups::{Comps, CompsKind, CompsPart};

/// Checks that a file with groups is XML that every client takes, and begins with `<comps>`.
///
/// What the groups say is *not* looked at. A document type may name its DTD, as such files do, and may
/// define nothing.
///
/// ```
/// assert!(repo::check_comps(b"<?xml version=\"1.0\"?>\n<comps><group><id>voms</id></group></comps>").is_ok());
/// let error = repo::check_comps(b"<comps>\n<group></comps>").unwrap_err();
/// assert!(error.to_string().starts_with("failed to read the file with groups in line 2: "));
/// ```
///
/// # Errors
///
/// [`Error::Comps`] with the line.
pub fn check_comps(bytes: &[u8]) -> Result<(), Error> {
    let line = |offset: usize| 1 + memchr::memchr_iter(b'\n', &bytes[..offset.min(bytes.len())]).count();
    let wrong = |offset: usize, problem: String| Error::Comps { line: line(offset), problem };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| wrong(error.valid_up_to(), "it is not UTF-8 from here on".to_owned()))?;
    if let Some((offset, character)) = text.char_indices().find(|(_, character)| !is_carried(*character)) {
        let problem = format!("it holds character `{:#04x}`, which XML cannot carry", u32::from(character));
        return Err(wrong(offset, problem));
    }
    let skipped = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut reader = Reader::from_str(&text[skipped..]);
    reader.config_mut().expand_empty_elements = true;
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).saturating_add(skipped);
    let (mut depth, mut has_root) = (0_usize, false);
    loop {
        let event = reader.read_event();
        let event = event.map_err(|error| wrong(place(reader.error_position()), error.to_string()))?;
        let problem = match &event {
            Event::Eof if depth > 0 => Some("it ends early".to_owned()),
            Event::Eof if !has_root => Some("it is empty".to_owned()),
            Event::Eof => return Ok(()),
            Event::Start(element) => {
                let name = element.name().into_inner().to_owned();
                let problem = match depth {
                    0 if has_root => Some("more follows behind the last element".to_owned()),
                    0 if name != "comps" => {
                        Some(format!("its outermost element is `{}`, not `comps`", shown(&name)))
                    }
                    depth if depth >= DEPTH => Some(format!("elements nest more than {DEPTH} deep")),
                    _ => element.attributes().find_map(|attribute| match attribute {
                        Err(error) => Some(error.to_string()),
                        Ok(attribute) => undefined(&attribute.value),
                    }),
                };
                (depth, has_root) = (depth + 1, true);
                problem
            }
            Event::End(_) => {
                depth -= 1;
                None
            }
            Event::Text(text) if depth == 0 && !text.trim_ascii().is_empty() => {
                Some("there is text outside of every element".to_owned())
            }
            Event::GeneralRef(name) => undefined(&format!("&{};", &**name)),
            Event::DocType(said) if said.contains('[') => {
                Some("its document type defines something, which no client should have to read".to_owned())
            }
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(wrong(place(reader.buffer_position()).saturating_sub(1), problem));
        }
    }
}

/// Says what is wrong with the first reference to something that XML does not name.
fn undefined(text: &str) -> Option<String> {
    let mut references = text.match_indices('&');
    let (at, _) = references.find(|(at, _)| reference(&text[*at..]).is_none())?;
    Some(format!("it refers to `{}`, which XML does not name", shown(&text[at..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let said = check_comps(text.as_bytes()).err().map(|error| error.to_string());
        let end =
            |said: &str| said.strip_prefix("failed to read the file with groups in line ").map(str::to_owned);
        assert_eq!(said.and_then(|said| end(&said)).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn groups_as_distributions_write_them_are_taken() {
        check("<comps/>", None);
        check(
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \"comps.dtd\">\n<!-- groups -->\n\
             <comps><group><id a=\"&lt;\">a &amp; b &#228;</id></group></comps>\n",
            None,
        );
    }

    #[test]
    fn what_clients_stumble_over_is_refused_with_its_line() {
        check("", Some("1: it is empty"));
        check("hello", Some("1: there is text outside of every element"));
        check("<comps>\n\n<group>", Some("3: it ends early"));
        check("<metadata/>", Some("1: its outermost element is `metadata`, not `comps`"));
        check("<comps/>\n<comps/>", Some("2: more follows behind the last element"));
        check("<comps>\n&nbsp;</comps>", Some("2: it refers to `&nbsp;`, which XML does not name"));
        check("<comps a='&x;'/>", Some("1: it refers to `&x;`, which XML does not name"));
        check("<comps>\u{1}</comps>", Some("1: it holds character `0x01`, which XML cannot carry"));
        let bomb = "<!DOCTYPE comps [<!ENTITY a \"aaaa\">]><comps/>";
        check(bomb, Some("1: its document type defines something, which no client should have to read"));
        check(&"<comps>".repeat(40), Some("1: elements nest more than 32 deep"));
        assert!(check_comps(b"<comps>\xff</comps>").is_err());
        assert!(check_comps(b"<comps a='1' a='2'/>").is_err());
        assert!(check_comps(b"<comps></group>").is_err());
    }
}
