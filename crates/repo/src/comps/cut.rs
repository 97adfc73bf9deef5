//! A part without some of what it lists, and two of one id put together.

use std::collections::BTreeSet;

use super::groups::{CompsKind, CompsPart};

impl CompsPart {
    /// Makes the same part without the names that do not stay; every other byte stays.
    ///
    /// Gives `None` if it listed something and nothing is left.
    #[must_use]
    pub fn cut(&self, stays: impl Fn(&str) -> bool) -> Option<Self> {
        let gone: Vec<_> =
            self.lines.iter().filter(|(_, name)| !stays(name)).map(|(at, _)| at.clone()).collect();
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

    /// Makes one of this and a later arrival of the same id: the text of the arrival, and what both list. Where both list the
    /// same it is this one.
    #[must_use]
    pub fn merged(&self, arriving: &Self) -> Self {
        let known: BTreeSet<&str> = arriving.names().collect();
        let own: BTreeSet<&str> = self.names().collect();
        if known.is_subset(&own) && self.skeleton() == arriving.skeleton() {
            return self.clone();
        }
        let new = self.lines.iter().filter(|(_, name)| !known.contains(name.as_str()));
        let new: Vec<u8> = new.flat_map(|(at, _)| &self.raw[at.clone()]).copied().collect();
        let last = arriving.lines.last().map(|(at, _)| at.end);
        let (at, new) = match last.or(arriving.list_end) {
            _ if new.is_empty() => return arriving.clone(),
            Some(at) => (at, new),
            None => {
                let list: &[u8] = if self.kind == CompsKind::Group { b"packagelist" } else { b"grouplist" };
                let end = arriving.raw.iter().rposition(|byte| *byte == b'<').unwrap_or(arriving.raw.len());
                (end, [b"<", list, b">", &new, b"</", list, b">"].concat())
            }
        };
        let raw = [&arriving.raw[..at], &new, &arriving.raw[at..]].concat();
        Self::again(&raw).unwrap_or_else(|| arriving.clone())
    }

    /// Its text without what it lists.
    fn skeleton(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut from = 0;
        for (range, _) in &self.lines {
            out.extend_from_slice(&self.raw[from..range.start]);
            from = range.end;
        }
        out.extend_from_slice(&self.raw[from..]);
        out.trim_ascii().to_vec()
    }
}
