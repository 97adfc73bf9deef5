//! The structural check every header passes before anything in it is read.
//!
//! ```text
//! 8e ad e8 01  00 00 00 00  | entries | bytes of store |        16 bytes
//! tag | kind | offset | count                                   16 bytes for each entry, the region first
//!                                                               (rpm 3 knew no regions: then there is none)
//! values, one entry's behind the other's, the region's trailer among them
//! ```
//!
//! What passes has every value inside the store, aligned, not overlapping another, of the kind its
//! tag demands; so reading can neither fail nor cost more memory than the header has bytes.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::Error;
use crate::tags::{self, Kind};

/// The first eight bytes of a header.
pub(crate) const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
/// The bytes before a header's index.
pub(crate) const INTRO: usize = 16;
/// The bytes of one entry of the index, and of a region's trailer.
pub(crate) const ENTRY: usize = 16;

/// rpm's limit for the values of one entry, bytes apart.
const VALUES_MAX: usize = 0x000f_ffff;

/// Which of the two headers of an RPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Signature,
    Header,
}

impl Part {
    /// Names the part in error texts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature header",
            Self::Header => "header",
        }
    }

    /// Gives the tag of the region that must come first.
    pub(crate) fn region(self) -> u32 {
        match self {
            Self::Signature => tags::REGION_SIGNATURES.number,
            Self::Header => tags::REGION_IMMUTABLE.number,
        }
    }

    /// Gives the most entries and bytes of store that rpm takes.
    fn limits(self) -> (usize, usize) {
        match self {
            Self::Signature => (32, 64 << 20),
            Self::Header => (0xffff, 0x0fff_ffff),
        }
    }

    fn kind_of(self, tag: u32) -> Option<Kind> {
        match self {
            Self::Signature => tags::kind_in_signature(tag),
            Self::Header => tags::kind_in_header(tag),
        }
    }
}

/// Where the values of one tag lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) count: usize,
    /// The bytes of the store that hold them, the last NUL included.
    pub(crate) range: Range<usize>,
}

/// Reads the intro: how many bytes of index and of store follow.
pub(crate) fn check_intro(part: Part, intro: &[u8; INTRO]) -> Result<(usize, usize), Error> {
    if intro[..8] != MAGIC {
        return Err(fault(part, "its first bytes".into(), "they are not those of a header"));
    }
    let (entries, store) = (number(intro, 8), number(intro, 12));
    let (most_entries, most_store) = part.limits();
    if entries == 0 || entries > most_entries {
        let why = format!("it claims {entries} entries, 1 to {most_entries} are allowed");
        return Err(Error::Oversized { part: part.name(), why });
    }
    if store > most_store {
        let why = format!("it claims {store} bytes of values, {most_store} are allowed");
        return Err(Error::Oversized { part: part.name(), why });
    }
    Ok((entries * ENTRY, store))
}

/// Checks index and store, and says where the values of each tag lie.
pub(crate) fn check(part: Part, index: &[u8], store: &[u8]) -> Result<BTreeMap<u32, Entry>, Error> {
    let trailer = if has_region(index) { Some(check_region(part, index, store)?) } else { None };
    let mut entries = BTreeMap::new();
    let (mut end, mut taken) = (0, 0_usize);
    for raw in index.chunks_exact(ENTRY).skip(usize::from(trailer.is_some())).map(RawEntry::read) {
        let entry = raw.check(part, store).map_err(|why| fault(part, raw.place(), why))?;
        if entry.range.start < end {
            return Err(fault(part, raw.place(), "its values overlap those of the entry before"));
        }
        if trailer
            .as_ref()
            .is_some_and(|trailer| entry.range.end > trailer.start && entry.range.start < trailer.end)
        {
            return Err(fault(part, raw.place(), "its values overlap the trailer of the region"));
        }
        end = entry.range.end;
        taken = taken.next_multiple_of(entry.kind.width().unwrap_or(1)) + entry.range.len();
        if entries.insert(raw.tag, entry).is_some() {
            return Err(fault(part, raw.place(), "the tag occurs twice"));
        }
    }
    // rpm loads no header that has bytes which belong to nothing.
    let taken = taken + trailer.map_or(0, |trailer| trailer.len());
    if taken != store.len() {
        let why = format!("they take {taken} bytes of {}", store.len());
        return Err(fault(part, "its values".into(), why));
    }
    check_translations(part, &entries)?;
    Ok(entries)
}

/// Checks that what may stand in either header stands in one.
pub(crate) fn check_both(
    signature: &BTreeMap<u32, Entry>,
    header: &BTreeMap<u32, Entry>,
) -> Result<(), Error> {
    let has_both = |(of, as_): &&(u32, u32)| signature.contains_key(of) && header.contains_key(as_);
    match tags::IN_EITHER.iter().find(has_both) {
        None => Ok(()),
        Some((of, as_)) => {
            Err(fault(Part::Header, place(*as_), format!("the signature header has it too, as tag `{of}`")))
        }
    }
}

/// Says whether a header has a region: all have since rpm 4, none had before.
///
/// A region that was tampered with is no way around its check: the first entry's values then lie
/// behind those of all others, which is refused.
pub(crate) fn has_region(index: &[u8]) -> bool {
    index.chunks_exact(ENTRY).next().map(RawEntry::read).is_some_and(|first| first.tag < tags::LOCALES.number)
}

/// Checks that the region comes first and covers what it must; gives the bytes of its trailer.
fn check_region(part: Part, index: &[u8], store: &[u8]) -> Result<Range<usize>, Error> {
    let bad = |why: &str| Err(fault(part, format!("tag `{}` (region)", part.region()), why));
    let Some(first) = index.chunks_exact(ENTRY).next().map(RawEntry::read) else {
        return bad("it is missing");
    };
    if first.tag != part.region() {
        return bad("another region comes first");
    }
    if first.kind != Kind::Binary as u32 || first.count != ENTRY {
        return bad("it is not 16 bytes of binary");
    }
    let end = first.offset.saturating_add(ENTRY);
    let Some(trailer) = store.get(first.offset..end).map(RawEntry::read) else {
        return bad("its trailer lies outside the values");
    };
    // Some signature headers of old end with the tag of the header's region of old.
    let tag_fits = trailer.tag == part.region() || (part == Part::Signature && trailer.tag == 61);
    if !tag_fits || trailer.kind != Kind::Binary as u32 || trailer.count != ENTRY {
        return bad("its trailer does not repeat it");
    }
    // The trailer's offset is minus the bytes of index the region covers, as 32 bits.
    let covered = (trailer.offset as u32).wrapping_neg() as usize;
    if !covered.is_multiple_of(ENTRY) || covered == 0 || covered > index.len() {
        return bad("it covers more entries than there are");
    }
    // Who signs a package may add entries behind the region of the signature header.
    if part == Part::Header && (covered != index.len() || end != store.len()) {
        return bad("it does not cover the whole header");
    }
    Ok(first.offset..end)
}

/// Checks that no entry has more translations than there are locales.
fn check_translations(part: Part, entries: &BTreeMap<u32, Entry>) -> Result<(), Error> {
    let locales = entries.get(&tags::LOCALES.number).map_or(1, |entry| entry.count);
    for (tag, entry) in entries {
        if entry.kind == Kind::Translations && entry.count > locales {
            let why = format!("it has {} translations for {locales} locales", entry.count);
            return Err(fault(part, place(*tag), why));
        }
    }
    Ok(())
}

/// One entry as it stands in the index.
#[derive(Clone, Copy)]
struct RawEntry {
    tag: u32,
    kind: u32,
    offset: usize,
    count: usize,
}

impl RawEntry {
    fn read(bytes: &[u8]) -> Self {
        Self {
            tag: number(bytes, 0) as u32,
            kind: number(bytes, 4) as u32,
            offset: number(bytes, 8),
            count: number(bytes, 12),
        }
    }

    fn place(&self) -> String {
        place(self.tag)
    }

    /// Checks the entry by itself; the error is the reason alone.
    fn check(&self, part: Part, store: &[u8]) -> Result<Entry, String> {
        if self.tag < tags::LOCALES.number {
            return Err("tags below 100 are for regions, which come first".into());
        }
        if i32::try_from(self.tag).is_err() {
            return Err("to rpm its number is negative".into());
        }
        if part == Part::Header && tags::is_taken_from_signature(self.tag) {
            return Err("it belongs into the signature header".into());
        }
        let kind = Kind::from_number(self.kind).ok_or_else(|| format!("there is no kind {}", self.kind))?;
        if let Some((known, count)) =
            (part == Part::Signature).then(|| tags::form_in_signature(self.tag)).flatten()
        {
            if kind != known {
                return Err(format!("it is stored as {kind:?} and must be {known:?}"));
            }
            if let Some(count) = count.filter(|count| *count != self.count) {
                return Err(format!("it has {} values and must have {count}", self.count));
            }
        }
        if let Some(known) = part.kind_of(self.tag)
            && known != kind
            && !(known.is_text() && kind.is_text())
        {
            return Err(format!("it is stored as {kind:?} and should be {known:?}"));
        }
        if self.count == 0 {
            return Err("it has no values".into());
        }
        if kind == Kind::Text && self.count != 1 {
            return Err(format!("it is one string and claims {}", self.count));
        }
        if kind != Kind::Binary && self.count > VALUES_MAX {
            return Err(format!("it has {} values, {VALUES_MAX} are allowed", self.count));
        }
        let length = match kind.width() {
            Some(width) if !self.offset.is_multiple_of(width) => {
                return Err(format!("offset `{}` is not a multiple of {width}", self.offset));
            }
            Some(width) => self.count.checked_mul(width),
            None => store.get(self.offset..).and_then(|rest| strings_length(rest, self.count)),
        };
        let end = length.and_then(|length| self.offset.checked_add(length)).filter(|end| *end <= store.len());
        match end {
            Some(end) => Ok(Entry { kind, count: self.count, range: self.offset..end }),
            None => Err(format!(
                "its {} values at offset `{}` do not end within the store",
                self.count, self.offset
            )),
        }
    }
}

/// Counts the bytes of the first `count` strings, each with its NUL.
fn strings_length(bytes: &[u8], count: usize) -> Option<usize> {
    memchr::memchr_iter(0, bytes).nth(count - 1).map(|nul| nul + 1)
}

/// Reads four bytes, the first being the highest; `bytes` must be long enough.
fn number(bytes: &[u8], at: usize) -> usize {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn place(tag: u32) -> String {
    match tags::name_of(tag) {
        Some(name) => format!("tag `{tag}` ({name})"),
        None => format!("tag `{tag}`"),
    }
}

fn fault(part: Part, place: String, why: impl Into<String>) -> Error {
    Error::Structure { part: part.name(), place, why: why.into() }
}

#[cfg(test)]
mod tests;
