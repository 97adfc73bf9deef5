//! What a package is: no other file under its name where it enters, not purged, not damaged.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Nevra, Sha256};

use super::{Entering, Finding, Gates};
use crate::layout::Repository;
use crate::refusal::{Code, Refusal};
use crate::world::{Listed, World};

impl Gates<'_> {
    /// Looks whether a repository lists another file under the name of one that is to enter it.
    pub(in crate::decide) fn other_content(&mut self, world: &World, entering: &Entering) {
        let mut findings = Vec::new();
        let mut names: BTreeSet<&Nevra> = BTreeSet::new();
        for (repository, enter) in entering {
            let mut among: BTreeMap<&Nevra, &Listed> = BTreeMap::new();
            for listed in enter {
                names.insert(&listed.nevra);
                match among.insert(&listed.nevra, listed) {
                    Some(other) if other.pkgid != listed.pkgid => {
                        let words = format!(
                            "`{}` arrives twice, with the digests {} and {}",
                            listed.nevra, other.pkgid, listed.pkgid
                        );
                        findings.push(Finding::of(&listed.nevra, words));
                    }
                    _ => {}
                }
            }
            for listed in world.repositories.get(repository).into_iter().flatten() {
                let twin = among.get(&listed.nevra).filter(|twin| twin.pkgid != listed.pkgid);
                findings.extend(twin.map(|twin| Finding::of(&listed.nevra, lists(repository, listed, twin))));
            }
        }
        let passed = format!(
            "no other file of its repository bears the name of any of the {} that enter",
            names.len()
        );
        self.judge("other-content", findings, passed, |open| {
            let sentence = match open.len() {
                1 => "another file of the same name is listed already".to_owned(),
                n => format!("other files of the same names are listed already, in {n} cases"),
            };
            Refusal::new(Code::OtherContent, sentence)
                .hint("raise the release of the package and build it again")
        });
    }

    /// Looks whether something is to enter that was purged.
    pub(in crate::decide) fn purged(&mut self, world: &World, entering: &Entering) {
        let is_purged = |digest: &Sha256| world.purged.contains(digest);
        let words = |listed: &Listed| format!("`{}` with the digest {}", listed.nevra, listed.pkgid);
        let findings = findings(entering, is_purged, words);
        self.judge("purged", findings, "nothing that enters was purged".to_owned(), |open| {
            let sentence = match open {
                [one] => format!("{one} was purged from this site"),
                several => format!("{} of what enters was purged from this site", several.len()),
            };
            Refusal::new(Code::Purged, sentence).hint("`sluice audit --action purge` tells by whom and why")
        });
    }

    /// Looks whether something is to enter whose file in the pool was found damaged.
    pub(in crate::decide) fn sound(&mut self, world: &World, entering: &Entering) {
        let is_damaged = |digest: &Sha256| world.damaged.contains(digest);
        let words = |listed: &Listed| {
            format!("`{}`: the file in the pool is not {} any more", listed.nevra, listed.pkgid)
        };
        let findings = findings(entering, is_damaged, words);
        self.judge("sound", findings, "nothing that enters was found damaged".to_owned(), |open| {
            let sentence = match open {
                [one] => one.clone(),
                several => format!("the files of {} packages that would enter are damaged", several.len()),
            };
            let hint = "`sluice verify --deep` names every place; put the file back from a backup";
            Refusal::new(Code::PoolDamaged, sentence).hint(hint)
        });
    }
}

/// Writes that a repository lists another file than the one that is to enter.
pub(super) fn lists(repository: &Repository, listed: &Listed, entering: &Listed) -> String {
    format!(
        "`{repository}` lists `{}` with the digest {}, and not {}",
        listed.nevra, listed.pkgid, entering.pkgid
    )
}

/// Finds what enters and is as it must not be, each package once.
fn findings(
    entering: &Entering,
    is_bad: impl Fn(&Sha256) -> bool,
    words: impl Fn(&Listed) -> String,
) -> Vec<Finding> {
    let bad = entering.values().flatten().filter(|listed| is_bad(&listed.pkgid));
    let bad: BTreeMap<String, &Listed> = bad.map(|listed| (words(listed), listed)).collect();
    bad.into_iter().map(|(words, listed)| Finding::of(&listed.nevra, words)).collect()
}
