//! How far what the old metadata says differs from what the packages say.

use std::collections::BTreeMap;

use repo::{Entry, Written};

use super::old::{AT_ONCE, DOCUMENTS, Old};
use crate::arrivals::Brought;

/// How many packages are compared element by element; the rest are only counted.
const COMPARED_MAX: usize = 2000;

/// Where a package lies and how it is hashed is ours to say.
const OURS: [&str; 4] = ["checksum", "checksum@type", "location@href", "@pkgid"];

/// Says, in one sentence, how many packages the old metadata described otherwise; nothing if none.
pub(super) fn differences(old: &Old, arrived: &Brought) -> Result<Option<String>, repo::Error> {
    let mut kinds = BTreeMap::<String, usize>::new();
    let mut first = None;
    let (mut compared, mut differing) = (0, 0);
    for begin in (0..old.packages.len()).step_by(AT_ONCE) {
        let places = begin..old.packages.len().min(begin + AT_ONCE);
        let pairs = old.entries(places.clone())?.into_iter().zip(arrived.said.entries(&places.collect())?);
        for (theirs, ours) in pairs.filter(|(theirs, ours)| !is_same(theirs, ours)) {
            compared += 1;
            if compared > COMPARED_MAX {
                differing += 1;
                continue;
            }
            let found = differing_kinds(&theirs, &ours);
            if !found.is_empty() {
                differing += 1;
                first = first.or(Some(ours.nevra));
                found.into_iter().for_each(|kind| *kinds.entry(kind).or_default() += 1);
            }
        }
    }
    let Some(first) = first else { return Ok(None) };
    let mut kinds: Vec<(usize, String)> = kinds.into_iter().map(|(kind, count)| (count, kind)).collect();
    kinds.sort_by(|a, b| b.cmp(a));
    let kinds: Vec<String> =
        kinds.into_iter().take(8).map(|(count, kind)| format!("`{kind}` ({count})")).collect();
    let kinds = kinds.join(", ");
    Ok(Some(format!(
        "the old metadata of {differing} packages says something else than the packages do, `{first}` first: {kinds}; \
         what the packages say is listed"
    )))
}

fn is_same(old: &Entry, new: &Entry) -> bool {
    old.at(&new.href).is_ok_and(|old| old.fragments == new.fragments)
}

/// Compares one package in all three files, and lists what differs.
fn differing_kinds(theirs: &Entry, ours: &Entry) -> Vec<String> {
    let mut kinds = Vec::new();
    for document in DOCUMENTS {
        let tree = |entry: &Entry| {
            let file = repo::unpacked_file(document, std::slice::from_ref(entry));
            let listing = Written::read(document, &file).ok()?;
            listing.tree(listing.packages.first()?).ok()
        };
        if let Some((old, new)) = tree(theirs).zip(tree(ours)) {
            kinds.extend(repo::differences(&old, &new).into_iter().map(|difference| difference.kind));
        }
    }
    kinds.retain(|kind| !OURS.contains(&kind.as_str()));
    kinds.sort();
    kinds.dedup();
    kinds
}
