//! The head of an RPM: everything before its payload.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;

use nevra::{Algorithm, Digest, Fingerprint};
use sha1::Digest as _;

use crate::Error;
use crate::guard::{self, Entry, INTRO, Part};
use crate::layout::Row;
use crate::tags::{self, Tag};

pub(crate) const LEAD: usize = 96;
/// For so many bytes room is made on a promise alone; nearly all headers have fewer.
const PROMISED: usize = 32 << 10;

/// Lead, signature header and header of one RPM, checked for structure and for nothing else.
///
/// What the header says is not believed here: digests and signatures are [`Head::check_header`]'s
/// and the importer's affair.
#[derive(Clone, Debug)]
pub struct Head {
    pub(crate) lead: [u8; LEAD],
    pub(crate) signature: Header,
    /// What fills the signature header up to a multiple of eight bytes.
    pub(crate) padding: Vec<u8>,
    pub(crate) header: Header,
    header_start: u64,
}

/// Reads the head of an RPM, and not a byte more: afterwards `reader` stands at the payload.
///
/// Memory grows with what arrives, not with what is promised, and no header is read whose index or
/// values are larger than rpm takes: 64 MiB of values in the signature header, 256 MiB in the header.
///
/// # Errors
///
/// The reader fails or ends early; the bytes are no RPM; or the structure of one of the two headers
/// is broken (a region that covers too little, an offset outside, values that overlap, a tag of the
/// wrong kind, a digest or signature in a form that rpm does not take or in the wrong header).
pub fn read_head(reader: &mut dyn Read) -> Result<Head, Error> {
    let lead = read_lead(reader)?;
    let signature = Header::read(reader, Part::Signature)?;
    let padding = signature.bytes.len().next_multiple_of(8) - signature.bytes.len();
    let padding = read_exactly(reader, padding, Part::Signature.name())?;
    let header_start = (LEAD + signature.bytes.len() + padding.len()) as u64;
    let header = Header::read(reader, Part::Header)?;
    guard::check_both(&signature.entries, &header.entries)?;
    Ok(Head { lead, signature, padding, header, header_start })
}

impl Head {
    /// Says which bytes of the file are the header; the payload starts where they end.
    #[must_use]
    pub fn header_range(&self) -> Range<u64> {
        self.header_start..self.header_start + self.header.bytes.len() as u64
    }

    /// Shows the header as it stands in the file: what header digests and signatures are made of.
    #[must_use]
    pub fn header_bytes(&self) -> &[u8] {
        &self.header.bytes
    }

    /// Shows the values of a tag of the signature header, as they stand in the file.
    #[must_use]
    pub fn signature_bytes(&self, tag: u32) -> Option<&[u8]> {
        self.signature.entries.get(&tag).map(|entry| self.signature.values(entry))
    }

    /// Compares the header with the SHA-256 and the SHA-1 the signature header states.
    ///
    /// Gives the algorithm of the strongest that is stated, `None` if there is none (packages older
    /// than rpm 4.14 have no SHA-256). It shows that a file is whole, not who made it.
    ///
    /// # Errors
    ///
    /// A digest is stated and is not the header's.
    pub fn check_header(&self) -> Result<Option<Algorithm>, Error> {
        let bytes = self.header_bytes();
        let mut strongest = None;
        let stated = [
            (tags::signature::SHA1, Algorithm::Sha1, nevra::to_hex(&sha1::Sha1::digest(bytes))),
            (tags::signature::SHA256, Algorithm::Sha256, nevra::to_hex(&sha2::Sha256::digest(bytes))),
        ];
        for (tag, algorithm, computed) in stated {
            if let Some(stated) = self.signature.text(tag) {
                if stated != computed.as_bytes() {
                    let stated = String::from_utf8_lossy(stated);
                    let why = format!("it states `{}`, the header has `{computed}`", stated.escape_debug());
                    return Err(Error::Tag { tag: tag.number, name: tag.name, why });
                }
                strongest = Some(algorithm);
            }
        }
        Ok(strongest)
    }

    /// Tells by what a database of rpm knows this package once it is installed.
    ///
    /// The digests of the header are made from its bytes, whether they are stated or not: a database has what the
    /// package states, and that they are the same is [`Head::check_header`]'s to say, as it is rpm's before it
    /// installs. Headers of rpm 3 have none, for rpm rewrites them as it installs. The MD5 is the one that is stated:
    /// it covers the payload, which is not read here.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let bytes = (!self.header.is_of_rpm_3).then(|| self.header_bytes());
        Fingerprint {
            sha256_header: bytes.map(crate::sha256),
            sha1_header: bytes.map(|bytes| sha1::Sha1::digest(bytes).into()),
            md5: self.signature_bytes(tags::signature::MD5.number).and_then(|md5| md5.try_into().ok()),
        }
    }

    /// Shows the digest the header states for the payload as it lies in the file, `None` if it
    /// states none, or one of an algorithm that is not known here.
    #[must_use]
    pub fn payload_digest(&self) -> Option<Digest> {
        // Packages of rpm 6 no longer say which: the tag is SHA-256's own.
        let algorithm = match self.header.number(tags::PAYLOAD_DIGEST_ALGORITHM).unwrap_or(8) {
            1 => Algorithm::Md5,
            2 => Algorithm::Sha1,
            8 => Algorithm::Sha256,
            9 => Algorithm::Sha384,
            10 => Algorithm::Sha512,
            11 => Algorithm::Sha224,
            _ => return None,
        };
        let hex = std::str::from_utf8(self.header.text(tags::PAYLOAD_DIGEST)?).ok()?;
        Digest::new(algorithm, hex).ok()
    }
}

/// One header, checked by the guard, and its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// Intro, index and store.
    pub(crate) bytes: Vec<u8>,
    store: usize,
    entries: BTreeMap<u32, Entry>,
    /// Whether rpm 3 or something older made it, which knew no regions.
    pub(crate) is_of_rpm_3: bool,
}

impl Header {
    fn read(reader: &mut dyn Read, part: Part) -> Result<Self, Error> {
        let mut bytes = read_exactly(reader, INTRO, part.name())?;
        let intro: &[u8; INTRO] = bytes.first_chunk().expect("as many bytes were read");
        let (index, store) = guard::check_intro(part, intro)?;
        bytes.reserve_exact((index + store).min(PROMISED));
        append_exactly(reader, index, part.name(), &mut bytes)?;
        let start = bytes.len();
        append_exactly(reader, store, part.name(), &mut bytes)?;
        let entries = guard::check(part, &bytes[INTRO..start], &bytes[start..])?;
        let is_of_rpm_3 = !guard::has_region(&bytes[INTRO..start]);
        Ok(Self { bytes, store: start, entries, is_of_rpm_3 })
    }

    pub(crate) fn has(&self, tag: Tag) -> bool {
        self.entries.contains_key(&tag.number)
    }

    /// Lists all entries but the region, in the order of the index, which is that of their values.
    pub(crate) fn rows(&self) -> Vec<Row<'_>> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(_, entry)| entry.range.start);
        let rows = entries.into_iter();
        rows.map(|(tag, entry)| Row {
            tag: *tag,
            kind: entry.kind,
            count: entry.count,
            bytes: self.values(entry),
        })
        .collect()
    }

    fn values(&self, entry: &Entry) -> &[u8] {
        &self.bytes[self.store..][entry.range.clone()]
    }

    /// Gives the strings of a tag without their NULs; nothing if the tag holds no strings.
    pub(crate) fn texts(&self, tag: Tag) -> impl ExactSizeIterator<Item = &[u8]> {
        let found = self.entries.get(&tag.number).filter(|entry| entry.kind.is_text());
        let mut rest = found.map_or(&[][..], |entry| self.values(entry));
        (0..found.map_or(0, |entry| entry.count)).map(move |_| {
            let end = memchr::memchr(0, rest).unwrap_or(rest.len());
            let (text, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            text
        })
    }

    /// Says whether the strings of a tag are ASCII without control characters, as nearly all are.
    pub(crate) fn is_plain(&self, tag: Tag) -> bool {
        let found = self.entries.get(&tag.number).filter(|entry| entry.kind.is_text());
        let values = found.map_or(&[][..], |entry| self.values(entry));
        // A NUL ends a string.
        !values.iter().fold(false, |any, byte| any | !matches!(byte, 0 | b' '..=b'~'))
    }

    /// Gives the first string of a tag: of translations that of the untranslated locale.
    pub(crate) fn text(&self, tag: Tag) -> Option<&[u8]> {
        self.texts(tag).next()
    }

    /// Gives the numbers of a tag; nothing if the tag holds none.
    pub(crate) fn numbers(&self, tag: Tag) -> impl ExactSizeIterator<Item = u64> {
        let found = self.entries.get(&tag.number);
        let width = found.and_then(|entry| entry.kind.width()).unwrap_or(1);
        let values = found.filter(|entry| !entry.kind.is_text()).map_or(&[][..], |entry| self.values(entry));
        values
            .chunks_exact(width)
            .map(|bytes| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Gives the first number of a tag.
    pub(crate) fn number(&self, tag: Tag) -> Option<u64> {
        self.numbers(tag).next()
    }
}

fn read_lead(reader: &mut dyn Read) -> Result<[u8; LEAD], Error> {
    let lead = read_exactly(reader, LEAD, "lead")?;
    let lead: [u8; LEAD] = lead.try_into().expect("as many bytes were read");
    if lead[..4] != [0xed, 0xab, 0xee, 0xdb] {
        return Err(Error::NotRpm { why: "it does not begin with the four bytes of an RPM".into() });
    }
    let major = lead[4];
    if !(3..=4).contains(&major) {
        return Err(Error::NotRpm { why: format!("its lead is of version `{major}`, 3 and 4 are known") });
    }
    Ok(lead)
}

fn read_exactly(reader: &mut dyn Read, count: usize, part: &'static str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(count.min(PROMISED));
    append_exactly(reader, count, part, &mut bytes)?;
    Ok(bytes)
}

/// Appends `count` bytes; memory is asked for as they arrive, but for the little there is room for already.
fn append_exactly(
    reader: &mut dyn Read,
    count: usize,
    part: &'static str,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    let read = reader.take(count as u64).read_to_end(bytes).map_err(|source| Error::Read { part, source })?;
    if read < count {
        let why = format!("it ends {} bytes early", count - read);
        return Err(Error::Read { part, source: io::Error::new(io::ErrorKind::UnexpectedEof, why) });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
