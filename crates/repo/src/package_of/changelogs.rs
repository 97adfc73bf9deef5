//! The last changes of a package.

use super::text::text_of;
use super::{check_length, seconds};
use crate::head::Header;
use crate::{Changelog, Error, tags};

/// How many changes metadata carries unless somebody says otherwise.
pub(super) const USUAL: usize = 10;

/// However many are wanted: a header may hold a million of one second, and each moves all of them.
const MOST: usize = 20_000;

/// Lists so many of the first changes of the header, the oldest of them first.
///
/// Changes of one second get one second more each, so that clients which sort them keep the order.
pub(super) fn changelogs_of(header: &Header, wanted: usize) -> Result<Vec<Changelog>, Error> {
    let times = header.numbers(tags::CHANGELOG_TIME);
    let (names, texts) = (header.texts(tags::CHANGELOG_NAME), header.texts(tags::CHANGELOG_TEXT));
    if times.len() == 0 || names.len() == 0 || texts.len() == 0 {
        return Ok(Vec::new());
    }
    check_length(tags::CHANGELOG_NAME, names.len(), tags::CHANGELOG_TIME, times.len())?;
    check_length(tags::CHANGELOG_TEXT, texts.len(), tags::CHANGELOG_TIME, times.len())?;
    let mut newest_first: Vec<Changelog> = Vec::new();
    let mut last = 0;
    for ((time, name), text) in times.zip(names).zip(texts).take(wanted.min(MOST)) {
        let date = seconds(Some(time));
        if date == last {
            push_apart(&mut newest_first, date);
        }
        last = date;
        let author = text_of(tags::CHANGELOG_NAME, trim_end(name))?;
        newest_first.push(Changelog { author, date, text: text_of(tags::CHANGELOG_TEXT, text)? });
    }
    newest_first.reverse();
    Ok(newest_first)
}

/// Moves the entries at the end that have `date`, and whom they run into, one second on.
fn push_apart(newest_first: &mut [Changelog], date: i64) {
    for (entry, taken) in newest_first.iter_mut().rev().zip(date..) {
        if entry.date != taken {
            break;
        }
        entry.date += 1;
    }
}

/// Cuts blanks off the end, but never the first character.
fn trim_end(mut name: &[u8]) -> &[u8] {
    while let [rest @ .., b' '] = name
        && !rest.is_empty()
    {
        name = rest;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blanks_at_the_end_are_cut() {
        assert_eq!(trim_end(b" A B  "), b" A B");
        assert_eq!(trim_end(b"   "), b" ");
        assert_eq!(trim_end(b""), b"");
        assert_eq!(trim_end(b"A\t "), b"A\t");
    }

    #[test]
    fn equal_dates_are_pushed_apart() {
        let entry = |date| Changelog { author: String::new(), date, text: String::new() };
        let mut all = vec![entry(8), entry(7), entry(6)];
        push_apart(&mut all, 6);
        assert_eq!(all.iter().map(|entry| entry.date).collect::<Vec<_>>(), [9, 8, 7]);
    }
}
