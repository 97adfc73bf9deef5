//! How far what the old metadata says differs from what the packages say.

use std::collections::{BTreeMap, HashMap};

use repo::{Compression, Contents, Document, Entry, Form, Place, Repomd, Written};

use crate::arrivals::Arrived;

/// How many packages are compared element by element; the rest are only counted.
const COMPARED_MAX: usize = 2000;

/// Where a package lies and how it is hashed is ours to say.
const OURS: [&str; 4] = ["checksum", "checksum@type", "location@href", "@pkgid"];

const DOCUMENTS: [Document; 3] = [Document::Primary, Document::Filelists, Document::Other];

/// Says, in one sentence, how many packages the old metadata described otherwise; nothing if none.
pub(super) fn differences(old: &Contents, open: &[Vec<u8>; 3], arrived: &[Arrived]) -> Option<String> {
    let pairs: Vec<(&Entry, &Entry)> = old
        .entries
        .iter()
        .zip(arrived)
        .map(|(old, arrived)| (old, &arrived.entry))
        .filter(|(old, new)| !is_same(old, new))
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let old = Trees::of(open)?;
    let mut kinds = BTreeMap::<String, usize>::new();
    let mut first = None;
    let mut differing = pairs.len().saturating_sub(COMPARED_MAX);
    for (theirs, ours) in pairs.into_iter().take(COMPARED_MAX) {
        let found = differing_kinds(&old, theirs, ours);
        if !found.is_empty() {
            differing += 1;
            first = first.or(Some(&ours.nevra));
            found.into_iter().for_each(|kind| *kinds.entry(kind).or_default() += 1);
        }
    }
    let first = first?;
    let mut kinds: Vec<(usize, String)> = kinds.into_iter().map(|(kind, count)| (count, kind)).collect();
    kinds.sort_by(|a, b| b.cmp(a));
    let kinds: Vec<String> =
        kinds.into_iter().take(8).map(|(count, kind)| format!("`{kind}` ({count})")).collect();
    let kinds = kinds.join(", ");
    Some(format!(
        "the old metadata of {differing} packages says something else than the packages do, `{first}` first: {kinds}; \
         what the packages say is listed"
    ))
}

fn is_same(old: &Entry, new: &Entry) -> bool {
    old.at(&new.href).is_ok_and(|old| old.fragments == new.fragments)
}

/// The old metadata, package by package.
struct Trees<'a> {
    listings: Vec<(Written<'a>, HashMap<String, usize>)>,
}

impl<'a> Trees<'a> {
    fn of(open: &'a [Vec<u8>; 3]) -> Option<Self> {
        let read = |(document, bytes): (Document, &'a Vec<u8>)| {
            let listing = Written::read(document, bytes).ok()?;
            let places = listing.packages.iter().enumerate();
            let at = places.map(|(at, place): (usize, &Place)| (place.pkgid.clone(), at)).collect();
            Some((listing, at))
        };
        let listings = DOCUMENTS.into_iter().zip(open).map(read).collect::<Option<_>>()?;
        Some(Self { listings })
    }
}

/// Compares one package in all three files, and lists what differs.
fn differing_kinds(old: &Trees<'_>, theirs: &Entry, ours: &Entry) -> Vec<String> {
    // Nobody fetches it, so it is not packed.
    let form = Form { compression: Compression::None, ..Form::default() };
    let written = repo::write_metadata_in(&form, std::slice::from_ref(ours), 0, &Repomd::new(""), &[]);
    let mut kinds = Vec::new();
    for ((document, (listing, at)), (_, bytes)) in
        DOCUMENTS.into_iter().zip(&old.listings).zip(&written.files)
    {
        let new = Written::read(document, bytes).ok();
        let new = new.and_then(|listing| listing.tree(listing.packages.first()?).ok());
        let old = at.get(&theirs.pkgid.hex).and_then(|at| listing.tree(&listing.packages[*at]).ok());
        if let Some((old, new)) = old.zip(new) {
            kinds.extend(repo::differences(&old, &new).into_iter().map(|difference| difference.kind));
        }
    }
    kinds.retain(|kind| !OURS.contains(&kind.as_str()));
    kinds.sort();
    kinds.dedup();
    kinds
}
