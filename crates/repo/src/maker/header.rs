//! The tags of one header, on their way into bytes.

use crate::guard::Part;
use crate::layout;
use crate::tags::{Kind, Tag};

use super::assembly::Row;

/// Tags of one header on their way into bytes.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    values: Vec<(u32, Values)>,
}

#[derive(Debug)]
struct Values {
    kind: Kind,
    count: usize,
    bytes: Vec<u8>,
}

impl Writer {
    /// Adds one string.
    pub(crate) fn text(&mut self, tag: Tag, text: &str) {
        self.strings(tag, Kind::Text, [text]);
    }

    /// Adds one string unless it is empty.
    pub(crate) fn filled_text(&mut self, tag: Tag, text: &str) {
        self.strings(tag, Kind::Text, Some(text).filter(|text| !text.is_empty()));
    }

    /// Adds a string that could have translations.
    pub(crate) fn translated(&mut self, tag: Tag, text: &str) {
        self.strings(tag, Kind::Translations, [text]);
    }

    /// Adds a list of strings; no tag if there are none.
    pub(crate) fn texts<T: AsRef<[u8]>>(&mut self, tag: Tag, texts: impl IntoIterator<Item = T>) {
        self.strings(tag, Kind::Texts, texts);
    }

    /// Adds a list of 32-bit numbers; no tag if there are none.
    pub(crate) fn numbers(&mut self, tag: Tag, numbers: impl IntoIterator<Item = u32>) {
        let bytes: Vec<u8> = numbers.into_iter().flat_map(u32::to_be_bytes).collect();
        self.put(tag, Kind::Int32, bytes.len() / 4, bytes);
    }

    /// Adds a list of 16-bit numbers; no tag if there are none.
    pub(crate) fn small_numbers(&mut self, tag: Tag, numbers: impl IntoIterator<Item = u16>) {
        let bytes: Vec<u8> = numbers.into_iter().flat_map(u16::to_be_bytes).collect();
        self.put(tag, Kind::Int16, bytes.len() / 2, bytes);
    }

    /// Adds a list of dependencies, sorted and without repeats; no tags if there are none.
    pub(super) fn relations(&mut self, [names, flags, versions]: [Tag; 3], mut rows: Vec<Row>) {
        rows.sort();
        rows.dedup();
        self.texts(names, rows.iter().map(|row| &row.name));
        self.numbers(flags, rows.iter().map(|row| row.flags));
        self.texts(versions, rows.iter().map(|row| &row.version));
    }

    fn strings<T: AsRef<[u8]>>(&mut self, tag: Tag, kind: Kind, texts: impl IntoIterator<Item = T>) {
        let (mut bytes, mut count) = (Vec::new(), 0);
        for text in texts {
            bytes.extend_from_slice(text.as_ref());
            bytes.push(0);
            count += 1;
        }
        self.put(tag, kind, count, bytes);
    }

    fn put(&mut self, tag: Tag, kind: Kind, count: usize, bytes: Vec<u8>) {
        // rpm refuses a whole header for one entry without values.
        if count > 0 {
            self.values.push((tag.number, Values { kind, count, bytes }));
        }
    }

    /// Writes the header: the entries by tag, as rpmbuild does.
    pub(crate) fn finish(mut self, part: Part) -> Vec<u8> {
        self.values.sort_by_key(|(tag, _)| *tag);
        let rows: Vec<_> = self
            .values
            .iter()
            .map(|(tag, Values { kind, count, bytes })| layout::Row {
                tag: *tag,
                kind: *kind,
                count: *count,
                bytes,
            })
            .collect();
        layout::lay_out(part, &rows)
    }
}
