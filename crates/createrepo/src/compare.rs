//! Metadata that lies in a directory, against the metadata made anew from its packages.
//!
//! ```text
//!   Theirs::read ---- repomd.xml, every record verified, primary, filelists and other unpacked
//!                                                                        \
//!   packages_below, entries_of ---- what is listed anew                   compare --> Comparison
//! ```
//!
//! Nothing is written. The metadata may be anybody's and may lie: whatever is wrong with it is a [`Finding`].

mod finding;
mod theirs;

use std::collections::{BTreeSet, HashMap, VecDeque};

use repo::{Document, Entry, Place, Tree, Written, differences};

pub use finding::{Claim, Finding};
pub use theirs::{MetadataFile, Theirs};

use crate::{Excludes, Listing};

const DOCUMENTS: [Document; 3] = [Document::Primary, Document::Filelists, Document::Other];

/// What comparing brought to light.
#[derive(Debug, Default)]
pub struct Comparison {
    /// How many packages the metadata lists.
    pub listed: usize,
    /// How many packages were listed anew.
    pub made: usize,
    /// How many packages all three files describe alike.
    pub alike: usize,
    /// How many of those are spelled otherwise, such as with other quotes or indentation: no client can tell.
    pub respelled: usize,
    /// Whether the metadata lists the packages in another order, which means nothing to clients.
    pub in_other_order: bool,
    /// Everything that differs: first what is wrong with the files, then package by package.
    pub findings: Vec<Finding>,
}

/// Compares, package by package and element by element.
///
/// Packages are the same if they lie at the same place, else if they have the same digest. What `excludes`
/// names was not listed anew on purpose, and is passed over.
#[must_use]
pub fn compare(theirs: &Theirs, ours: &Listing, excludes: &Excludes) -> Comparison {
    let mut comparison = Comparison { made: ours.entries.len(), ..Comparison::default() };
    comparison.findings.extend(theirs.findings.iter().cloned());
    let unreadable = ours
        .unreadable
        .iter()
        .map(|package| Finding::UnreadablePackage { href: package.place.clone(), why: package.why.clone() });
    comparison.findings.extend(unreadable);
    let lists =
        [0, 1, 2].map(|at| listed(DOCUMENTS[at], theirs.open[at].as_deref(), &mut comparison.findings));
    let [Some(primary), ..] = &lists else { return comparison };
    comparison.listed = primary.packages.len();
    Matching::of(&lists, ours, excludes, &mut comparison).compare(&mut comparison);
    comparison
}

/// Finds the packages of one file, and what is wrong with the file as a whole.
fn listed<'a>(
    document: Document,
    open: Option<&'a [u8]>,
    findings: &mut Vec<Finding>,
) -> Option<Written<'a>> {
    let written = match Written::read(document, open?) {
        Ok(written) => written,
        Err(error) => {
            findings.push(Finding::UnreadableMetadata { file: document.to_string(), why: error.to_string() });
            return None;
        }
    };
    let count = written.packages.len();
    let claimed = written.claimed.clone().unwrap_or_else(|| "no number".to_owned());
    if claimed != count.to_string() {
        findings.push(Finding::Count { file: document.as_str(), claimed, listed: count });
    }
    let others: BTreeSet<&String> = written.others.iter().collect();
    findings.extend(
        others
            .into_iter()
            .map(|name| Finding::UnknownElement { file: document.as_str(), element: name.clone() }),
    );
    Some(written)
}

/// Which packages belong together.
struct Matching<'a> {
    lists: &'a [Option<Written<'a>>; 3],
    /// Each package of primary with ours.
    pairs: Vec<(&'a Place, &'a Entry)>,
    /// Where filelists and other speak of the packages of `pairs`.
    places: [Vec<Option<&'a Place>>; 2],
}

impl<'a> Matching<'a> {
    fn of(
        lists: &'a [Option<Written<'a>>; 3],
        ours: &'a Listing,
        excludes: &Excludes,
        comparison: &mut Comparison,
    ) -> Self {
        let mut matching = Matching { lists, pairs: Vec::new(), places: [Vec::new(), Vec::new()] };
        let packages: &[Place] = lists[0].as_ref().map_or(&[], |primary| &primary.packages);
        let partners = partners(packages, &ours.entries);
        let unreadable: BTreeSet<&str> = ours.unreadable.iter().map(|package| &*package.place).collect();
        let mut shelves = [1, 2].map(|at| lists[at].as_ref().map(shelved));
        let mut seen = BTreeSet::new();
        let mut last = 0;
        for (place, partner) in packages.iter().zip(&partners) {
            let findings = &mut comparison.findings;
            if !seen.insert(&place.href) {
                findings.push(Finding::ListedTwice { href: place.href.clone() });
            }
            let mut found = [None, None];
            for at in 0..2 {
                let Some(shelf) = &mut shelves[at] else { continue };
                found[at] = shelf.get_mut(place.pkgid.as_str()).and_then(VecDeque::pop_front);
                if found[at].is_none() {
                    findings.push(Finding::Unmatched {
                        file: DOCUMENTS[at + 1].as_str(),
                        package: place.name.clone(),
                        pkgid: place.pkgid.clone(),
                        lists: false,
                    });
                }
            }
            match *partner {
                Some(partner) => {
                    comparison.in_other_order |= partner < last;
                    last = partner;
                    matching.pairs.push((place, &ours.entries[partner]));
                    matching.places[0].push(found[0]);
                    matching.places[1].push(found[1]);
                }
                None if excludes.exclude(&place.href) || unreadable.contains(place.href.as_str()) => {}
                None => findings.push(Finding::absent(place)),
            }
        }
        for (document, shelf) in DOCUMENTS[1..].iter().zip(&shelves) {
            let left: BTreeSet<(&str, &str)> = shelf
                .iter()
                .flatten()
                .flat_map(|(pkgid, places)| places.iter().map(|place| (&*place.name, *pkgid)))
                .collect();
            comparison.findings.extend(left.into_iter().map(|(package, pkgid)| Finding::Unmatched {
                file: document.as_str(),
                package: package.to_owned(),
                pkgid: pkgid.to_owned(),
                lists: true,
            }));
        }
        let taken: BTreeSet<usize> = partners.into_iter().flatten().collect();
        let alone = ours.entries.iter().enumerate().filter(|(at, _)| !taken.contains(at));
        let listed: HashMap<&str, &str> =
            packages.iter().map(|place| (place.pkgid.as_str(), place.href.as_str())).collect();
        comparison.findings.extend(alone.map(|(_, entry)| {
            let (package, href) = (entry.nevra.to_string(), entry.href.clone());
            match listed.get(entry.pkgid.hex.as_str()) {
                Some(&listed) => Finding::SecondPlace { package, href, listed: listed.to_owned() },
                None => Finding::NotListed { package, href },
            }
        }));
        matching
    }

    /// Compares what belongs together. Elements are made only where bytes differ, for one package at a time.
    fn compare(&self, comparison: &mut Comparison) {
        for (at, (place, entry)) in self.pairs.iter().enumerate() {
            let places = [Some(*place), self.places[0][at], self.places[1][at]];
            let fragments = [&entry.fragments.primary, &entry.fragments.filelists, &entry.fragments.other];
            let before = comparison.findings.len();
            let mut respelled = false;
            for (((document, list), place), ours) in
                DOCUMENTS.iter().zip(self.lists).zip(places).zip(fragments)
            {
                let (Some(list), Some(place)) = (list, place) else { continue };
                if list.bytes(place) == ours.trim_ascii_end() {
                    continue;
                }
                let trees =
                    list.tree(place).and_then(|theirs| Ok((theirs, Tree::of_fragment(*document, ours)?)));
                match trees {
                    Ok((theirs, ours)) => {
                        let differences = differences(&theirs, &ours);
                        respelled |= differences.is_empty();
                        comparison.findings.extend(
                            differences.into_iter().map(|found| Finding::element(*document, entry, found)),
                        );
                    }
                    Err(error) => comparison.findings.push(Finding::UnreadableMetadata {
                        file: document.to_string(),
                        why: error.to_string(),
                    }),
                }
            }
            let alike = comparison.findings.len() == before && self.is_whole(places);
            comparison.alike += usize::from(alike);
            comparison.respelled += usize::from(alike && respelled);
        }
    }

    fn is_whole(&self, places: [Option<&Place>; 3]) -> bool {
        self.lists.iter().all(Option::is_some) && places.iter().all(Option::is_some)
    }
}

/// Finds for each of their packages the one of ours at the same place, else the one with the same digest.
fn partners(theirs: &[Place], ours: &[Entry]) -> Vec<Option<usize>> {
    let mut by_href: HashMap<&str, usize> =
        ours.iter().enumerate().map(|(at, entry)| (entry.href.as_str(), at)).collect();
    let mut partners: Vec<Option<usize>> =
        theirs.iter().map(|place| by_href.remove(place.href.as_str())).collect();
    let mut by_pkgid: HashMap<&str, VecDeque<usize>> = HashMap::new();
    let mut alone: Vec<usize> = by_href.into_values().collect();
    alone.sort_unstable();
    for at in alone {
        by_pkgid.entry(ours[at].pkgid.hex.as_str()).or_default().push_back(at);
    }
    for (place, partner) in theirs.iter().zip(&mut partners).filter(|(_, partner)| partner.is_none()) {
        *partner = by_pkgid.get_mut(place.pkgid.as_str()).and_then(VecDeque::pop_front);
    }
    partners
}

/// Orders a file by digest. The same package may be listed at two places: then each file has it as often.
fn shelved<'a>(written: &'a Written<'a>) -> HashMap<&'a str, VecDeque<&'a Place>> {
    let mut shelf: HashMap<&str, VecDeque<&Place>> = HashMap::new();
    for place in &written.packages {
        shelf.entry(place.pkgid.as_str()).or_default().push_back(place);
    }
    shelf
}

#[cfg(test)]
mod tests;
