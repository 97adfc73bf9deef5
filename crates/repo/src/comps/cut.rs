//! A part without some of what it lists, and two of one id put together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::groups::{CompsPart, Line};

impl CompsPart {
    /// Makes the same part without the names that do not stay; every other byte stays.
    ///
    /// Gives `None` if it listed something and nothing is left.
    #[must_use]
    pub fn cut(&self, stays: impl Fn(&str) -> bool) -> Option<Self> {
        let gone: Vec<_> =
            self.lines.iter().filter(|line| !stays(&line.name)).map(|line| line.range.clone()).collect();
        if gone.is_empty() {
            return Some(self.clone());
        }
        if gone.len() == self.lines.len() {
            return None;
        }
        let mut raw = Vec::with_capacity(self.raw.len());
        let mut from = 0;
        for range in gone {
            raw.extend_from_slice(&self.raw[from..range.start]);
            from = range.end;
        }
        raw.extend_from_slice(&self.raw[from..]);
        Self::again(&raw)
    }

    /// Makes one of this and a later arrival of the same id: the text of the arrival, and what both list, each in the list it
    /// stood in. Where the arrival says nothing that this one does not it is this one.
    #[must_use]
    pub fn merged(&self, arriving: &Self) -> Self {
        let own: BTreeSet<_> = self.lines.iter().map(|line| self.said(line)).collect();
        let says_more = arriving.lines.iter().any(|line| !own.contains(&arriving.said(line)));
        if !says_more && self.skeleton() == arriving.skeleton() {
            return self.clone();
        }
        let known: BTreeSet<&str> = arriving.names().collect();
        let mut new: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| !known.contains(line.name.as_str())) {
            new.entry(line.list).or_default().extend_from_slice(&self.raw[line.range.clone()]);
        }
        let mut edits: Vec<(Range<usize>, Vec<u8>)> =
            new.iter().map(|(element, lines)| arriving.room_for(element, lines)).collect();
        edits.sort_by_key(|(at, _)| at.start);
        let mut raw = Vec::with_capacity(arriving.raw.len() + new.values().map(Vec::len).sum::<usize>());
        let mut from = 0;
        for (at, bytes) in edits {
            raw.extend_from_slice(&arriving.raw[from..at.start]);
            raw.extend(bytes);
            from = at.end;
        }
        raw.extend_from_slice(&arriving.raw[from..]);
        Self::again(&raw).unwrap_or_else(|| arriving.clone())
    }

    /// Finds where more lines of a list go, and with what around them: behind its last line, into an empty list, or in front of
    /// the end of the part where there is no such list.
    fn room_for(&self, element: &str, lines: &[u8]) -> (Range<usize>, Vec<u8>) {
        let mut lists = self.lists.iter().filter(|list| list.element == element);
        if let Some((list, end)) = lists.clone().find_map(|list| Some((list, list.end?))) {
            let last = self.lines.iter().rfind(|line| list.range.contains(&line.range.start));
            let at = last.map_or(end, |last| last.range.end);
            return (at..at, lines.to_vec());
        }
        let element = element.as_bytes();
        let whole = [b"<", element, b">", lines, b"</", element, b">"].concat();
        let end = self.raw.iter().rposition(|byte| *byte == b'<').unwrap_or(self.raw.len());
        (lists.next().map_or(end..end, |list| list.range.clone()), whole)
    }

    /// What a line says, and in which list.
    fn said<'a>(&'a self, line: &'a Line) -> (&'a str, &'a [u8]) {
        (line.list, self.raw[line.range.clone()].trim_ascii())
    }

    /// Its text without what it lists.
    fn skeleton(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut from = 0;
        for Line { range, .. } in &self.lines {
            out.extend_from_slice(&self.raw[from..range.start]);
            from = range.end;
        }
        out.extend_from_slice(&self.raw[from..]);
        out.trim_ascii().to_vec()
    }
}
