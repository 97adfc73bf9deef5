//! An RPM with other values of a few tags, and every other byte as it was.
//!
//! ```text
//! lead | signature header | padding | header | payload
//!   |         |                         |         `-- copied
//!   |         |                         `-- named tags exchanged, laid out anew as rpm lays out
//!   |         `-- digests and sizes computed anew where they stood, signatures dropped
//!   `-- the name, if the release changed
//! ```
//!
//! Only what comes out the same when nothing is changed is edited: where a header was laid out by other
//! rules than rpm's of today, the package is refused rather than tidied up on the way.

use std::collections::BTreeMap;

use nevra::{Algorithm, Nevra};

use crate::guard::Part;
use crate::head::{Head, Header, LEAD, read_head};
use crate::layout::{Row, lay_out};
use crate::package_of::{is_source, nevra_of};
use crate::tags::{self, Kind, Tag, signature};
use crate::{Error, digest, sha256};

/// The place of the name in the lead: 66 bytes, of which the last is NUL.
const LEAD_NAME: std::ops::Range<usize> = 10..76;

/// Tags of the signature header that sign the header, or header and payload, or digest them by an algorithm
/// that is not known here (279, SHA3-256).
const DROPPED: [u32; 7] = [267, 268, 278, 279, 1002, 1005, 1006];

/// Tags of the signature header that say nothing about the header: size of the payload, signatures of the
/// files, reserved space.
const KEPT: [u32; 9] = [271, 274, 275, 276, 277, 999, 1007, 1008, 266];

/// A tag of the header that can be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// One text.
    Release,
    /// One number: seconds since 1970.
    BuildTime,
    /// Texts: what is required, by name.
    RequireNames,
    /// Texts, one for each name, empty where every version will do.
    RequireVersions,
    /// Numbers, one for each name: the comparison and its occasions.
    RequireFlags,
    /// Texts: what is provided, by name.
    ProvideNames,
    /// Texts, one for each name, empty where there is no version.
    ProvideVersions,
    /// Numbers, one for each name.
    ProvideFlags,
    /// Numbers: when each change was made, the latest first.
    ChangelogTimes,
    /// Texts: who made it, and of which version.
    ChangelogNames,
    /// Texts: what was changed.
    ChangelogTexts,
}

impl Field {
    fn tag(self) -> Tag {
        match self {
            Self::Release => tags::RELEASE,
            Self::BuildTime => tags::BUILD_TIME,
            Self::RequireNames => tags::REQUIRE_NAME,
            Self::RequireVersions => tags::REQUIRE_VERSION,
            Self::RequireFlags => tags::REQUIRE_FLAGS,
            Self::ProvideNames => tags::PROVIDE_NAME,
            Self::ProvideVersions => tags::PROVIDE_VERSION,
            Self::ProvideFlags => tags::PROVIDE_FLAGS,
            Self::ChangelogTimes => tags::CHANGELOG_TIME,
            Self::ChangelogNames => tags::CHANGELOG_NAME,
            Self::ChangelogTexts => tags::CHANGELOG_TEXT,
        }
    }

    /// Gives the kind in which rpmbuild stores the tag.
    fn kind(self) -> Kind {
        match self {
            Self::Release => Kind::Text,
            Self::BuildTime | Self::RequireFlags | Self::ProvideFlags | Self::ChangelogTimes => Kind::Int32,
            _ => Kind::Texts,
        }
    }

    fn is_single(self) -> bool {
        matches!(self, Self::Release | Self::BuildTime)
    }
}

/// The values of one tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Texts without a NUL.
    Texts(Vec<String>),
    /// Numbers of 32 bits.
    Numbers(Vec<u32>),
}

impl Values {
    fn count(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// Writes them as a header stores them.
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Texts(texts) => texts.iter().flat_map(|text| text.bytes().chain([0])).collect(),
            Self::Numbers(numbers) => numbers.iter().flat_map(|number| number.to_be_bytes()).collect(),
        }
    }
}

/// What the tags named shall hold; those not named stay as they are, those that get no values go.
pub type Edit = BTreeMap<Field, Values>;

impl Head {
    /// Shows the full name of the package.
    ///
    /// # Errors
    ///
    /// A part of it is missing or cannot stand in a file name.
    pub fn nevra(&self) -> Result<Nevra, Error> {
        nevra_of(&self.header, is_source(&self.header)?)
    }

    /// Shows the epoch if there is one: 0 is not the same as none where a version is written out.
    #[must_use]
    pub fn epoch(&self) -> Option<u32> {
        self.header.number(tags::EPOCH).and_then(|epoch| u32::try_from(epoch).ok())
    }

    /// Shows the texts of a tag; none if it is not there or holds numbers.
    ///
    /// # Errors
    ///
    /// A text is not UTF-8.
    pub fn texts_of(&self, field: Field) -> Result<Vec<&str>, Error> {
        let tag = field.tag();
        self.header.texts(tag).map(|text| utf8(tag.number, text)).collect()
    }

    /// Shows the numbers of a tag; none if it is not there or holds texts.
    #[must_use]
    pub fn numbers_of(&self, field: Field) -> Vec<u32> {
        self.header.numbers(field.tag()).map(|number| number as u32).collect()
    }

    /// Makes the whole RPM anew, with other values of some tags; `payload` is what follows this head.
    ///
    /// Nothing else changes in the header. In the signature header digests and sizes are computed anew where they
    /// stood, and signatures, which no longer hold, are dropped; a new one is put in by
    /// [`with_header_signature`](crate::with_header_signature). With an empty edit the bytes are those of the
    /// original, signatures and all.
    ///
    /// # Errors
    ///
    /// rpm of today lays one of the two headers out otherwise, so that editing would change more than was asked
    /// (packages of rpm 3, entries outside of the region); a text is not UTF-8; the package is damaged by the
    /// digests it states; the signature header holds a tag of which nobody knows whether it still holds; the values
    /// are not of the kind of their tag, or more than rpm takes.
    pub fn edited(&self, edit: &Edit, payload: &[u8]) -> Result<Vec<u8>, Error> {
        check_layout(Part::Signature, &self.signature)?;
        check_layout(Part::Header, &self.header)?;
        if self.padding.iter().any(|byte| *byte != 0) {
            let why = "what fills it up to eight bytes is not zero".into();
            return Err(Error::Edit { part: Part::Signature.name(), why });
        }
        for row in self.header.rows().iter().filter(|row| row.kind.is_text()) {
            utf8(row.tag, row.bytes)?;
        }
        if edit.is_empty() {
            return Ok(
                [&self.lead[..], &self.signature.bytes, &self.padding, &self.header.bytes, payload].concat()
            );
        }
        self.check_whole(payload)?;
        let header = edited_header(&self.header, edit)?;
        let mut signature = self.edited_signature(&header, payload)?;
        signature.resize(signature.len().next_multiple_of(8), 0);
        let mut lead = self.lead;
        if edit.contains_key(&Field::Release) {
            let edited = read_head(&mut [&lead[..], &signature, &header].concat().as_slice())?;
            rename(&mut lead, &edited);
        }
        let rpm = [&lead[..], &signature, &header, payload].concat();
        // What rpm would not take is no result: the guard's limits hold for what is made here, too.
        read_head(&mut rpm.as_slice())?.check_header()?;
        Ok(rpm)
    }

    /// Compares header and payload with what the package states of them: a damaged package must not come out with
    /// digests that fit the damage.
    fn check_whole(&self, payload: &[u8]) -> Result<(), Error> {
        self.check_header()?;
        let damaged = |why: &str| Err(Error::Edit { part: "payload", why: why.into() });
        let size = (self.header.bytes.len() + payload.len()) as u64;
        if [signature::SIZE, signature::LONG_SIZE]
            .iter()
            .filter_map(|tag| self.signature.number(*tag))
            .any(|stated| stated != size)
        {
            return damaged("header and payload have not the size that the signature header states");
        }
        if let Some(stated) = self.signature_bytes(signature::MD5.number)
            && nevra::to_hex(stated) != md5_of(&self.header.bytes, payload)
        {
            return damaged("header and payload have not the MD5 that the signature header states");
        }
        match self.payload_digest() {
            Some(stated) if stated != digest(stated.algorithm, payload) => {
                damaged("it has not the digest that the header states")
            }
            _ => Ok(()),
        }
    }

    /// Makes the signature header of another header and the same payload.
    fn edited_signature(&self, header: &[u8], payload: &[u8]) -> Result<Vec<u8>, Error> {
        let size = (header.len() + payload.len()) as u64;
        let mut exchanged: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        for row in self.signature.rows() {
            let bytes = match row.tag {
                tag if tag == signature::SHA1.number => text(&digest(Algorithm::Sha1, header).hex),
                tag if tag == signature::SHA256.number => text(&sha256(header).hex()),
                tag if tag == signature::MD5.number => unhex(&md5_of(header, payload)),
                tag if tag == signature::LONG_SIZE.number => size.to_be_bytes().to_vec(),
                tag if tag == signature::SIZE.number => match u32::try_from(size) {
                    Ok(size) => size.to_be_bytes().to_vec(),
                    Err(_) => {
                        let why = format!("tag `{tag}` has no room for a size of {size} bytes");
                        return Err(Error::Edit { part: Part::Signature.name(), why });
                    }
                },
                tag if DROPPED.contains(&tag) || KEPT.contains(&tag) => continue,
                tag => {
                    let why = format!("tag `{tag}` is not known, it may speak of the header that was");
                    return Err(Error::Edit { part: Part::Signature.name(), why });
                }
            };
            exchanged.insert(row.tag, bytes);
        }
        let rows = self.signature.rows().into_iter().filter(|row| !DROPPED.contains(&row.tag));
        let rows: Vec<Row<'_>> = rows
            .map(|row| Row { bytes: exchanged.get(&row.tag).map_or(row.bytes, Vec::as_slice), ..row })
            .collect();
        Ok(lay_out(Part::Signature, &rows))
    }
}

/// Refuses a header that does not come out as it went in.
pub(crate) fn check_layout(part: Part, header: &Header) -> Result<(), Error> {
    let why = if header.is_of_rpm_3 {
        "it has no region, as before rpm 4"
    } else if lay_out(part, &header.rows()) != header.bytes {
        "rpm of today would lay it out otherwise"
    } else {
        return Ok(());
    };
    Err(Error::Edit { part: part.name(), why: why.into() })
}

/// Exchanges the values of the tags named; a new tag goes before the first with a higher number.
fn edited_header(header: &Header, edit: &Edit) -> Result<Vec<u8>, Error> {
    let made: Vec<(Field, Vec<u8>)> = edit.iter().map(|(field, values)| (*field, values.bytes())).collect();
    let mut rows = header.rows();
    for ((field, bytes), values) in made.iter().zip(edit.values()) {
        let tag = field.tag().number;
        let found = rows.iter().position(|row| row.tag == tag);
        let kind = found.map_or(field.kind(), |at| rows[at].kind);
        check_values(*field, kind, values)?;
        let row = Row { tag, kind, count: values.count(), bytes };
        match found {
            Some(at) if row.count == 0 => drop(rows.remove(at)),
            Some(at) => rows[at] = row,
            None if row.count == 0 => {}
            None => {
                let at = rows.iter().position(|row| row.tag > tag).unwrap_or(rows.len());
                rows.insert(at, row);
            }
        }
    }
    Ok(lay_out(Part::Header, &rows))
}

/// Refuses values that the tag cannot hold, or cannot hold in the kind in which it stands.
fn check_values(field: Field, kind: Kind, values: &Values) -> Result<(), Error> {
    let bad = |why: &str| {
        let Tag { number, name } = field.tag();
        Err(Error::Tag { tag: number, name, why: why.into() })
    };
    match values {
        Values::Texts(_) if !field.kind().is_text() => bad("it holds numbers, texts were given"),
        Values::Numbers(_) if field.kind().is_text() => bad("it holds texts, numbers were given"),
        Values::Texts(texts) if texts.iter().any(|text| text.contains('\0')) => bad("a text holds a NUL"),
        _ if (field.is_single() || kind == Kind::Text) && values.count() > 1 => bad("it holds one value"),
        _ if field == Field::Release && values.count() == 0 => bad("no package is without"),
        _ => Ok(()),
    }
}

/// Writes the name of the package into the lead, cut to 65 bytes, unless nobody wrote one there.
fn rename(lead: &mut [u8; LEAD], head: &Head) {
    if lead[LEAD_NAME.start] == 0 {
        return;
    }
    let parts =
        [tags::NAME, tags::VERSION, tags::RELEASE].map(|tag| head.header.text(tag).unwrap_or_default());
    let name = parts.join(&b'-');
    let room = &mut lead[LEAD_NAME];
    room.fill(0);
    let length = name.len().min(room.len() - 1);
    room[..length].copy_from_slice(&name[..length]);
}

fn utf8(tag: u32, text: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(text).map_err(|error| {
        let why = format!("its byte {} is not UTF-8", error.valid_up_to() + 1);
        Error::Tag { tag, name: tags::name_of(tag).unwrap_or("text"), why }
    })
}

fn md5_of(header: &[u8], payload: &[u8]) -> String {
    let mut hasher = crate::Hasher::new(Algorithm::Md5);
    hasher.update(header);
    hasher.update(payload);
    hasher.finish().hex
}

fn text(hex: &str) -> Vec<u8> {
    hex.bytes().chain([0]).collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    nevra::from_hex(hex).unwrap_or_default()
}

#[cfg(test)]
mod tests;
