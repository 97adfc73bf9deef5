//! The text of packages that stand one behind the other, as a block holds it.

use std::ops::Range;

use memchr::memmem;

use super::{BLOCK, SMALL};

/// How each of them ends, and nothing else does.
const END: &[u8] = b"</package>\n";

/// The text of some packages.
#[derive(Default)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    /// Where each package ends.
    pub(super) ends: Vec<usize>,
}

impl Text {
    /// Cuts the text of a block into packages. It was put together of such: the end tag stands nowhere else in them.
    pub(super) fn cut(bytes: Vec<u8>) -> Self {
        let ends = memmem::find_iter(&bytes, END).map(|at| at + END.len()).collect();
        Self { bytes, ends }
    }

    /// Adds a package. However its end tag is written, it ends as [`Text::cut`] finds it.
    pub(super) fn push(&mut self, fragment: &[u8]) {
        if self.ends.is_empty() {
            self.bytes.reserve(BLOCK + SMALL);
        }
        let end = if fragment.ends_with(END) { None } else { memmem::rfind(fragment, b"</package") };
        match end {
            Some(end) => {
                self.bytes.extend_from_slice(&fragment[..end]);
                self.bytes.extend_from_slice(END);
            }
            None => self.bytes.extend_from_slice(fragment),
        }
        self.ends.push(self.bytes.len());
    }

    /// Gives the packages, in order.
    pub(super) fn each(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|at| self.bytes_of(at..at + 1))
    }

    pub(super) fn append(&mut self, other: Self) {
        let behind = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| behind + end));
    }

    /// Cuts off everything behind so many packages.
    pub(super) fn split_off(&mut self, packages: usize) -> Self {
        let end = packages.checked_sub(1).map_or(0, |last| self.ends[last]);
        let bytes = self.bytes.split_off(end);
        let ends = self.ends.split_off(packages).into_iter().map(|behind| behind - end).collect();
        Self { bytes, ends }
    }

    pub(super) fn without(self, is_gone: impl Fn(usize) -> bool) -> Self {
        let mut left = Self::default();
        for at in (0..self.ends.len()).filter(|at| !is_gone(*at)) {
            left.push(self.bytes_of(at..at + 1));
        }
        left
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn is_small(&self) -> bool {
        self.bytes.len() < SMALL
    }

    pub(super) fn bytes_of(&self, packages: Range<usize>) -> &[u8] {
        let begin = packages.start.checked_sub(1).map_or(0, |before| self.ends[before]);
        let end = packages.end.checked_sub(1).map_or(0, |last| self.ends[last]);
        &self.bytes[begin..end.max(begin)]
    }

    /// Divides the packages into blocks: each ends once it is full, and the rest, if it is small, belongs to the last.
    pub(super) fn runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        let (mut first, mut begin) = (0, 0);
        for (at, end) in self.ends.iter().enumerate() {
            if end - begin >= BLOCK {
                runs.push(first..at + 1);
                (first, begin) = (at + 1, *end);
            }
        }
        match runs.last_mut() {
            Some(last) if self.bytes.len() - begin < SMALL => last.end = self.ends.len(),
            _ if first < self.ends.len() => runs.push(first..self.ends.len()),
            _ => {}
        }
        runs
    }
}
