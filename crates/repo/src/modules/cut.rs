//! A stream of which only some packages are there, and two writings of one put together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use nevra::Nevra;

use super::{Artifact, Module, Modules};

impl Module {
    /// Makes the same document without the packages that do not stay: their lines go, comments in them included, or their
    /// places in a list between brackets; every other byte stays.
    ///
    /// Gives `None` if no package is left.
    #[must_use]
    pub fn cut(&self, stays: impl Fn(&Nevra) -> bool) -> Option<Self> {
        let is_left = |artifact: &Artifact| artifact.nevra.as_ref().is_none_or(&stays);
        if !self.packages().any(&stays) {
            return None;
        }
        let mut gone: Vec<Range<usize>> = Vec::new();
        let mut last_left = None;
        for (at, artifact) in self.artifacts.iter().enumerate() {
            match (is_left(artifact), &artifact.line) {
                (true, _) => last_left = Some(artifact.name.end),
                (false, Some(line)) => gone.push(line.clone()),
                (false, None) => {
                    // What stands between it and the next goes along: a comma, at most a comment.
                    let next = self.artifacts.get(at + 1).map(|next| artifact.name.start..next.name.start);
                    match next {
                        Some(range) => gone.push(range),
                        None => {
                            let from = last_left.expect("a package is left, and it is not behind this one");
                            gone.retain(|range| range.end <= from);
                            gone.push(from..artifact.name.end);
                        }
                    }
                }
            }
        }
        match gone.is_empty() {
            true => Some(self.clone()),
            // What was read here is cut where it was read; if ever not, the whole is better than nothing.
            false => Some(
                self.with_edits(gone.into_iter().map(|at| (at, Vec::new()))).unwrap_or_else(|| self.clone()),
            ),
        }
    }

    /// Makes one of this and a later arrival of the same id: the text of the arrival, and the packages of both.
    #[must_use]
    pub fn merged(&self, arriving: &Self) -> Self {
        let known: BTreeSet<&Nevra> = arriving.packages().collect();
        let is_new =
            |artifact: &&Artifact| artifact.nevra.as_ref().is_some_and(|nevra| !known.contains(nevra));
        let new: Vec<&Artifact> = self.artifacts.iter().filter(is_new).collect();
        match new.is_empty() {
            true => arriving.clone(),
            false => arriving.with(self, &new).unwrap_or_else(|| arriving.clone()),
        }
    }

    /// Adds packages of another, each in its place where those that are there are sorted, and else behind them.
    fn with(&self, other: &Self, new: &[&Artifact]) -> Option<Self> {
        let name = |artifact: &Artifact| &self.raw[artifact.name.clone()];
        let last = self.artifacts.last()?;
        let is_sorted = self.artifacts.is_sorted_by_key(name);
        let mut added: BTreeMap<usize, BTreeSet<&[u8]>> = BTreeMap::new();
        let mut lines: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
        for artifact in new {
            let text = &other.raw[artifact.name.clone()];
            let behind = self.artifacts.partition_point(|one| name(one) <= text);
            added.entry(if is_sorted { behind } else { self.artifacts.len() }).or_default().insert(text);
            lines.extend(artifact.line.clone().map(|line| (text, other.raw[line].trim_ascii_start())));
        }
        let edits = added.into_iter().map(|(behind, texts)| {
            let next = self.artifacts.get(behind);
            match &last.line {
                Some(line) => {
                    let like = &self.raw[line.clone()];
                    let indent = &like[..like.len() - like.trim_ascii_start().len()];
                    let at = next.and_then(|next| next.line.as_ref()).map_or(line.end, |line| line.start);
                    let line = |text: &[u8]| match lines.get(text) {
                        Some(line) => [indent, line].concat(),
                        None => [indent, b"- ", text, b"\n"].concat(),
                    };
                    (at..at, texts.into_iter().flat_map(line).collect())
                }
                None => {
                    let texts: Vec<Cow<'_, [u8]>> = texts.into_iter().map(between_brackets).collect();
                    let texts = texts.join(&b", "[..]);
                    match next {
                        Some(next) => (next.name.start..next.name.start, [&texts[..], b", "].concat()),
                        None => (last.name.end..last.name.end, [b", ", &texts[..]].concat()),
                    }
                }
            }
        });
        self.with_edits(edits.collect::<Vec<_>>())
    }

    /// Puts other bytes in the place of some, in order; `None` if it is no document then.
    fn with_edits(&self, edits: impl IntoIterator<Item = (Range<usize>, Vec<u8>)>) -> Option<Self> {
        let mut raw = Vec::with_capacity(self.raw.len());
        let mut from = 0;
        for (at, bytes) in edits {
            raw.extend_from_slice(self.raw.get(from..at.start)?);
            raw.extend(bytes);
            from = at.end;
        }
        raw.extend_from_slice(self.raw.get(from..)?);
        let mut read = Modules::parse(&raw).ok()?.documents;
        let one = read.pop()?;
        read.is_empty().then_some(one)
    }
}

/// Writes a name so that it may stand between brackets, where commas and brackets end one that has no quotes.
fn between_brackets(name: &[u8]) -> Cow<'_, [u8]> {
    let is_quoted = name.starts_with(b"\"") || name.starts_with(b"'");
    match is_quoted || !name.iter().any(|byte| b",[]{}".contains(byte)) {
        true => Cow::Borrowed(name),
        false => Cow::Owned(
            [b"'", &*String::from_utf8_lossy(name).replace('\'', "''").into_bytes(), b"'"].concat(),
        ),
    }
}
