//! What is wrong with a configuration file, said so that a person finds the place and the cure.

use std::fmt;

use super::code::Code;

/// Is one thing wrong in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// Its stable name.
    pub code: Code,
    /// What is wrong, in one sentence without a full stop.
    pub reason: String,
    /// What to do about it, where that can be told.
    pub hint: Option<String>,
}

/// Is everything found wrong in one configuration file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors {
    /// The file as it was named by the caller.
    pub file: String,
    /// At least one fault.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.faults.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            fault.write(&self.file, f)?;
        }
        Ok(())
    }
}

impl Fault {
    /// Writes `file:line:column: reason (code)`, and the hint on a line of its own.
    pub(super) fn write(&self, file: &str, f: &mut dyn fmt::Write) -> fmt::Result {
        write!(f, "{file}:{}:{}: {} ({})", self.line, self.column, self.reason, self.code)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// How many faults of one text are told; nobody mends more at a time.
const FAULTS_MAX: usize = 500;

/// Collects the faults of one text; places are byte offsets until a person reads them.
#[derive(Debug)]
pub(super) struct Faults<'a> {
    text: &'a str,
    found: Vec<Fault>,
}

impl<'a> Faults<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, found: Vec::new() }
    }

    pub(super) fn add(&mut self, at: usize, reason: impl Into<String>, hint: Option<String>) {
        self.coded(Code::Value, at, reason, hint);
    }

    /// Adds a fault that is not merely a value of the wrong form.
    pub(super) fn coded(&mut self, code: Code, at: usize, reason: impl Into<String>, hint: Option<String>) {
        // Each is looked up in the text: a megabyte of brackets would be searched a million times.
        if self.found.len() < FAULTS_MAX {
            let (line, column) = self.line_and_column(at);
            self.found.push(Fault { line, column, code, reason: reason.into(), hint });
        }
    }

    pub(super) fn add_in_line(
        &mut self,
        place: (usize, usize),
        reason: impl Into<String>,
        hint: Option<String>,
    ) {
        self.coded_in_line(Code::Value, place, reason, hint);
    }

    /// Adds what is about a place whose line and column are known.
    pub(super) fn coded_in_line(
        &mut self,
        code: Code,
        (line, column): (usize, usize),
        reason: impl Into<String>,
        hint: Option<String>,
    ) {
        self.found.push(Fault { line, column, code, reason: reason.into(), hint });
    }

    /// Starts an empty collection about the same text, for what is not wrong enough.
    pub(super) fn of_same_text(&self) -> Faults<'a> {
        Faults::new(self.text)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Counts lines and characters from 1, as editors do.
    pub(super) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        (line, before[start..].chars().count() + 1)
    }

    pub(super) fn sorted(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|fault| (fault.line, fault.column));
        self.found
    }
}

/// Names the one of `allowed` that somebody who wrote `given` most likely meant.
///
/// Only what differs in at most a third of its letters counts as meant.
pub(super) fn nearest<'a>(given: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (given.chars().count() / 3).clamp(1, 4);
    allowed
        .into_iter()
        .map(|word| (distance(given, word, limit), word))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, word)| word)
}

/// Says "did you mean", or lists what is allowed.
pub(super) fn did_you_mean(given: &str, what: &str, allowed: &[&str]) -> String {
    match nearest(given, allowed.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None if allowed.is_empty() => format!("there is no {what} here"),
        None => format!("{what}: {}", allowed.join(", ")),
    }
}

/// Counts insertions, deletions, substitutions and swaps of neighbours; long words are not compared.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let a: Vec<char> = a.chars().take(65).collect();
    let b: Vec<char> = b.chars().take(65).collect();
    if a.len() > 64 || b.len() > 64 || a.len().abs_diff(b.len()) > limit {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let swap = usize::from(!x.eq_ignore_ascii_case(y));
            let mut best = (rows[i][j] + swap).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_the_one_that_was_meant() {
        let keys = ["base_url", "name", "root", "spool", "grace"];
        assert_eq!(nearest("basurl", keys), Some("base_url"));
        assert_eq!(nearest("sopol", keys), Some("spool"));
        assert_eq!(nearest("Root", keys), Some("root"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest(&"x".repeat(100_000), keys), None);
    }

    #[test]
    fn a_text_full_of_faults_is_judged_in_a_moment() {
        let mut faults = Faults::new("[");
        (0..100_000).for_each(|at| faults.add(at, "wrong", None));
        assert_eq!(faults.sorted().len(), FAULTS_MAX);
    }

    #[test]
    fn places_are_counted_in_characters_from_one() {
        let faults = Faults::new("a\n\u{e9}\u{e9}x\n");
        assert_eq!(faults.line_and_column(0), (1, 1));
        assert_eq!(faults.line_and_column(6), (2, 3));
        assert_eq!(faults.line_and_column(3), (2, 1));
        assert_eq!(faults.line_and_column(99), (3, 1));
    }
}
