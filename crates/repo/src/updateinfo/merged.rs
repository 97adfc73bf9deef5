//! Two writings of one advisory, each of which names some of its packages.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::Advisory;
use super::named::{Collection, Line};

impl Advisory {
    /// Makes one of this and a later arrival of the same id: the text of the newer writing, and the packages of both.
    ///
    /// Which is newer the version tells, then the date; where both are the same and the texts are not, the arrival counts.
    #[must_use]
    pub fn merged(&self, arriving: &Self) -> Self {
        let (base, other) = match self.cmp_writing(arriving) {
            Ordering::Greater => (self, arriving),
            Ordering::Equal if self.skeleton() == arriving.skeleton() => (self, arriving),
            Ordering::Equal | Ordering::Less => (arriving, self),
        };
        let known: BTreeSet<_> = base.packages().collect();
        let mut merged = base.clone();
        for collection in &other.named.collections {
            let is_new = |line: &&Line| line.nevra.as_ref().is_some_and(|nevra| !known.contains(nevra));
            let new: Vec<&Line> = collection.packages.iter().filter(is_new).collect();
            if !new.is_empty() {
                // What cannot be put together stays as the newer writing has it.
                merged = merged.with(other, collection, &new).unwrap_or(merged);
            }
        }
        merged
    }

    /// Compares by which writing it is.
    fn cmp_writing(&self, other: &Self) -> Ordering {
        let (one, two) = (&self.named, &other.named);
        cmp_numbers(&one.version, &two.version).then_with(|| cmp_numbers(&one.date, &two.date))
    }

    /// Its text without the collections of packages.
    fn skeleton(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut from = 0;
        for collection in &self.named.collections {
            out.extend_from_slice(&self.raw[from..collection.range.start]);
            from = collection.range.end;
        }
        out.extend_from_slice(&self.raw[from..]);
        out
    }

    /// Adds these packages of a collection of another: to the collection of the same name, or else with a collection of
    /// their own.
    fn with(&self, other: &Self, collection: &Collection, new: &[&Line]) -> Option<Self> {
        let lines: Vec<u8> = new.iter().flat_map(|line| &other.raw[line.range.clone()]).copied().collect();
        let same = self.named.collections.iter().find(|one| one.name == collection.name);
        let (at, added) = match same {
            Some(same) => (same.packages.last().map_or(same.end, |last| last.range.end), lines),
            None => {
                let ends = [
                    collection.packages.first().map_or(collection.end, |first| first.range.start),
                    collection.packages.last().map_or(collection.end, |last| last.range.end),
                ];
                let [head, tail] =
                    [collection.range.start..ends[0], ends[1]..collection.range.end].map(|at| &other.raw[at]);
                let whole = [head, &lines, tail].concat();
                let last = self.named.collections.last().map(|last| last.range.end);
                match last.or(self.named.list_end) {
                    Some(at) => (at, whole),
                    None => {
                        let end = self.raw.len().checked_sub("</update>".len())?;
                        (end, [b"<pkglist>".as_slice(), &whole, b"</pkglist>"].concat())
                    }
                }
            }
        };
        Self::read([&self.raw[..at], &added, &self.raw[at..]].concat())
    }
}

/// Compares numbers as such, and what is none by its text, before any number.
fn cmp_numbers(one: &str, other: &str) -> Ordering {
    let [one, other] = [one, other].map(|text| (text.trim().parse::<u64>().ok(), text.trim()));
    one.cmp(&other)
}
