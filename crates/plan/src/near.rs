//! Near misses: which of the known words somebody may have meant.

use std::collections::BTreeSet;

/// How many near misses are named.
const NEAREST_MAX: usize = 5;

/// Lists the candidates most like `word`, the most alike first; those too unlike are left out.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter_map(|candidate| {
            let contains = |a: &str, b: &str| b.len() >= 3 && a.contains(b);
            let contains = contains(candidate, word) || contains(word, candidate);
            let distance = distance(word, candidate);
            (contains || distance <= allowed).then_some((distance, candidate))
        })
        .collect();
    near.sort();
    near.into_iter().take(NEAREST_MAX).map(|(_, candidate)| candidate).collect()
}

/// Counts the letters to insert, delete or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_alike_comes_first_and_strangers_are_left_out() {
        let words = ["voms", "voms-clients", "voms-devel", "glite-wms", "yaim"];
        let cases: [(&str, &[&str]); 4] = [
            ("vons", &["voms"]),
            ("voms-client", &["voms-clients", "voms"]),
            ("voms", &["voms", "voms-devel", "voms-clients"]),
            ("kernel", &[]),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, words), expected, "{word}");
        }
    }

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, expected) in [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)] {
            assert_eq!(distance(a, b), expected);
            assert_eq!(distance(b, a), expected);
        }
    }
}
