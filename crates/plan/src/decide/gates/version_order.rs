//! The order of versions: nothing older than what is listed enters, and what a stage lists no longer leaves.

use std::collections::BTreeMap;

use super::{Entering, Finding, Gates};
use crate::layout::Versions;
use crate::refusal::{Code, Refusal};
use crate::world::{Listed, World};

impl Gates<'_> {
    /// Looks whether a target lists something newer than what is to enter, and whether something would enter
    /// only to leave at once because the stage lists but few versions.
    pub(in crate::decide) fn version_order(
        &mut self,
        world: &World,
        entering: &Entering,
        versions: Versions,
    ) {
        let mut findings = Vec::new();
        for (repository, arriving) in entering {
            let listing = world.repositories.get(repository).map(Vec::as_slice).unwrap_or_default();
            for (_, mut of_key) in by_key(arriving, listing) {
                for arrival in &of_key.arriving {
                    let newer =
                        of_key.listed.iter().find(|l| l.nevra.evr.rpm_cmp(&arrival.nevra.evr).is_gt());
                    if let Some(newer) = newer {
                        let words =
                            format!("`{}` is older than `{}` in `{repository}`", arrival.nevra, newer.nevra);
                        findings.push(Finding::of(&arrival.nevra, words));
                    }
                }
                let ranks = of_key.ranks();
                for (arrival, rank) in of_key.arriving.iter().zip(ranks) {
                    if is_beyond(rank, versions) {
                        let words = format!(
                            "`{}` would leave `{repository}` at once for newer ones that enter with it",
                            arrival.nevra
                        );
                        findings.push(Finding::of(&arrival.nevra, words));
                    }
                }
            }
        }
        let passed = "nothing that enters is older than what is listed".to_owned();
        self.judge("version-order", findings, passed, |open| {
            let sentence = match open {
                [one] => one.clone(),
                several => {
                    format!("in {} cases something that enters is older than what is listed", several.len())
                }
            };
            Refusal::new(Code::Older, sentence).hint("`revert` is the way back to older versions")
        });
    }
}

/// What is listed and arrives of one name and architecture.
#[derive(Default)]
struct OfKey<'a> {
    arriving: Vec<&'a Listed>,
    listed: Vec<&'a Listed>,
}

impl OfKey<'_> {
    /// Counts, for each that arrives and then each that is listed, the versions newer than it.
    fn ranks(&mut self) -> Vec<usize> {
        let all: Vec<&Listed> = self.arriving.iter().chain(&self.listed).copied().collect();
        let mut versions: Vec<_> = all.iter().map(|listed| &listed.nevra.evr).collect();
        versions.sort_by(|a, b| b.rpm_cmp(a));
        versions.dedup_by(|a, b| a.rpm_cmp(b).is_eq());
        let rank = |listed: &&Listed| {
            versions.iter().position(|evr| evr.rpm_cmp(&listed.nevra.evr).is_eq()).unwrap_or_default()
        };
        all.iter().map(rank).collect()
    }
}

fn by_key<'a>(arriving: &'a [Listed], listing: &'a [Listed]) -> BTreeMap<(&'a str, &'a str), OfKey<'a>> {
    let mut keys: BTreeMap<(&str, &str), OfKey> = BTreeMap::new();
    for listed in arriving {
        let key = (listed.nevra.name.as_str(), listed.nevra.arch.as_str());
        keys.entry(key).or_default().arriving.push(listed);
    }
    for listed in listing {
        let key = (listed.nevra.name.as_str(), listed.nevra.arch.as_str());
        if let Some(of_key) = keys.get_mut(&key) {
            of_key.listed.push(listed);
        }
    }
    keys
}

fn is_beyond(rank: usize, versions: Versions) -> bool {
    match versions {
        Versions::All => false,
        Versions::Newest(count) => rank >= usize::try_from(count).unwrap_or(usize::MAX),
    }
}

/// Lists what leaves a repository because newer versions enter and the stage lists but so many.
pub(in crate::decide) fn superseded(
    arriving: &[Listed],
    listing: &[Listed],
    versions: Versions,
) -> Vec<Listed> {
    let mut leave = Vec::new();
    for (_, mut of_key) in by_key(arriving, listing) {
        let ranks = of_key.ranks();
        let listed = of_key.listed.iter().zip(&ranks[of_key.arriving.len()..]);
        leave.extend(listed.filter(|(_, rank)| is_beyond(**rank, versions)).map(|(one, _)| (*one).clone()));
    }
    leave
}
