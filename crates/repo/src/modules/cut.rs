//! A stream of which only some packages are there, and two writings of one put together.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Nevra;

use super::{Module, Modules};

impl Module {
    /// Makes the same document without the packages that do not stay: their lines go, every other byte stays.
    ///
    /// Gives `None` if no package is left. What lists its packages otherwise than one a line cannot be cut, and stays as it is.
    #[must_use]
    pub fn cut(&self, stays: impl Fn(&Nevra) -> bool) -> Option<Self> {
        let goes = |nevra: &Option<Nevra>| nevra.as_ref().is_some_and(|nevra| !stays(nevra));
        if !self.packages().any(&stays) {
            return None;
        }
        let going: Vec<_> = self.artifacts.iter().filter(|artifact| goes(&artifact.nevra)).collect();
        let lines: Option<BTreeSet<usize>> = going.iter().map(|artifact| artifact.line).collect();
        match lines {
            Some(lines) if !lines.is_empty() => {
                let kept = self.lines().into_iter().enumerate().filter(|(at, _)| !lines.contains(at));
                let raw: Vec<u8> = kept.flat_map(|(_, line)| line).copied().collect();
                Some(Self::read(raw).unwrap_or_else(|| self.clone()))
            }
            _ => Some(self.clone()),
        }
    }

    /// Whether the packages can be cut out of it.
    #[must_use]
    pub fn is_cut_by_lines(&self) -> bool {
        self.artifacts.iter().all(|artifact| artifact.line.is_some())
    }

    /// Makes one of this and a later arrival of the same id: the text of the arrival, and the packages of both.
    #[must_use]
    pub fn merged(&self, arriving: &Self) -> Self {
        let known: BTreeSet<&Nevra> = arriving.packages().collect();
        let new = self
            .artifacts
            .iter()
            .filter(|artifact| artifact.nevra.as_ref().is_some_and(|nevra| !known.contains(nevra)));
        let own = self.lines();
        let new: Vec<&[u8]> = new.filter_map(|artifact| Some(item(own.get(artifact.line?)?))).collect();
        arriving.with(&new).unwrap_or_else(|| arriving.clone())
    }

    /// Adds lines, each in its place where those that are there are sorted, and else behind them.
    fn with(&self, new: &[&[u8]]) -> Option<Self> {
        let lines = self.lines();
        let there: Option<Vec<(usize, &[u8])>> = self
            .artifacts
            .iter()
            .map(|artifact| Some((artifact.line?, item(lines.get(artifact.line?)?))))
            .collect();
        let there = there?;
        let (last, like) = there.last().map(|(at, _)| (*at, lines[*at]))?;
        let indent = &like[..like.len() - item(like).len()];
        let is_sorted = there.is_sorted_by_key(|(_, item)| *item);
        let mut added: BTreeMap<usize, Vec<&[u8]>> = BTreeMap::new();
        for line in new {
            let behind =
                if is_sorted { there.partition_point(|(_, item)| item <= line) } else { there.len() };
            let place = there.get(behind).map_or(last + 1, |(at, _)| *at);
            added.entry(place).or_default().push(line);
        }
        let mut raw = Vec::with_capacity(self.raw.len());
        for at in 0..=lines.len() {
            let mut here = added.remove(&at).unwrap_or_default();
            here.sort_unstable();
            here.iter().for_each(|line| raw.extend([indent, line].concat()));
            raw.extend_from_slice(lines.get(at).copied().unwrap_or_default());
        }
        Self::read(raw)
    }

    fn lines(&self) -> Vec<&[u8]> {
        self.raw.split_inclusive(|byte| *byte == b'\n').collect()
    }

    /// Takes up a document that was changed here; `None` if it is none any more.
    fn read(raw: Vec<u8>) -> Option<Self> {
        let mut read = Modules::parse(&raw).ok()?.documents;
        let one = read.pop()?;
        read.is_empty().then_some(one)
    }
}

/// A line without the space it begins with.
fn item(line: &[u8]) -> &[u8] {
    line.trim_ascii_start()
}
