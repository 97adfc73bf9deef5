//! Two writings of one advisory, each of which names some of its packages.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

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
        // What cannot be put together stays as the newer writing has it.
        base.with_packages_of(other).unwrap_or_else(|| base.clone())
    }

    /// Adds what another names: to the collection of the same name, or else with a collection of its own.
    fn with_packages_of(&self, other: &Self) -> Option<Self> {
        let known: BTreeSet<_> = self.packages().collect();
        let collections: BTreeMap<_, &Collection> =
            self.named.collections.iter().rev().map(|one| (&one.name, one)).collect();
        let mut added: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        let mut alone = Vec::new();
        for collection in &other.named.collections {
            let is_new = |line: &&Line| line.nevra.as_ref().is_some_and(|nevra| !known.contains(nevra));
            let new: Vec<&Line> = collection.packages.iter().filter(is_new).collect();
            let lines: Vec<u8> =
                new.iter().flat_map(|line| &other.raw[line.range.clone()]).copied().collect();
            let (first, last) = match (new.first(), collection.packages.first(), collection.packages.last()) {
                (Some(_), Some(first), Some(last)) => (first.range.start, last.range.end),
                _ => continue,
            };
            match collections.get(&collection.name) {
                Some(same) => {
                    let at = same.packages.last().map_or(same.end, |last| last.range.end);
                    added.entry(at).or_default().extend(lines);
                }
                None => {
                    alone.extend_from_slice(&other.raw[collection.range.start..first]);
                    alone.extend(lines);
                    alone.extend_from_slice(&other.raw[last..collection.range.end]);
                }
            }
        }
        if !alone.is_empty() {
            let last = self.named.collections.last().map(|last| last.range.end);
            match last.or(self.named.list_end) {
                Some(at) => added.entry(at).or_default().extend(alone),
                None => {
                    let end = self.raw.len().checked_sub("</update>".len())?;
                    added.insert(end, [b"<pkglist>".as_slice(), &alone, b"</pkglist>"].concat());
                }
            }
        }
        if added.is_empty() {
            return Some(self.clone());
        }
        let mut raw = Vec::with_capacity(self.raw.len() + added.values().map(Vec::len).sum::<usize>());
        let mut from = 0;
        for (at, bytes) in added {
            raw.extend_from_slice(self.raw.get(from..at)?);
            raw.extend(bytes);
            from = at;
        }
        raw.extend_from_slice(&self.raw[from..]);
        Self::read(raw)
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
}

/// Compares numbers as such, and what is none by its text, before any number.
fn cmp_numbers(one: &str, other: &str) -> Ordering {
    let [one, other] = [one, other].map(|text| (text.trim().parse::<u64>().ok(), text.trim()));
    one.cmp(&other)
}
