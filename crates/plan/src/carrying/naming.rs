//! What names packages in full, advisories and module streams alike: it goes with them, is cut where only some go, and keeps
//! its id in every stage.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Nevra;

use super::{Family, Seen, Source, some};
use crate::layout::Repository;

/// Something in a file of metadata that names packages.
pub(super) trait Naming: Clone {
    /// What it is called.
    const WORD: &'static str;

    /// What makes it the same in every stage.
    fn id(&self) -> &str;

    /// What it names.
    fn names(&self) -> impl Iterator<Item = &Nevra>;

    /// Whether it stays in its repository whatever comes and goes.
    fn is_fixed(&self) -> bool;

    /// It without what does not stay; nothing if nothing is left.
    fn without(&self, stays: impl Fn(&Nevra) -> bool) -> Option<Self>;

    /// It together with an arrival of the same id.
    fn together(&self, arriving: &Self) -> Self;
}

/// A repository into which something comes.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) repository: &'a Repository,
    pub(super) family: &'a Family<'a>,
}

impl Target<'_> {
    /// Finds what comes with what enters, of all that a source says and `holds` does not keep; puts it to what is `arriving` already.
    ///
    /// `holds` is told what the source knew of it and the target does not list.
    pub(super) fn arriving<N: Naming>(
        &self,
        source: &Source<'_>,
        all: &[N],
        arriving: &mut Vec<N>,
        seen: &mut Seen,
        mut holds: impl FnMut(&N, &BTreeSet<&Nevra>) -> bool,
    ) {
        let Self { repository: target, family } = *self;
        let mut places = places(arriving);
        for one in all.iter().filter(|one| !one.is_fixed()) {
            if !one.names().any(|nevra| family.entered.contains(nevra)) {
                continue;
            }
            let (word, id) = (N::WORD, one.id());
            let waits = source.held.and_then(|held| held.get(id));
            let is_known = |nevra: &Nevra| {
                source.family.before.contains(nevra) || waits.is_some_and(|one| one.waits_for.contains(nevra))
            };
            let away: BTreeSet<&Nevra> =
                one.names().filter(|nevra| is_known(nevra) && !family.after.contains(*nevra)).collect();
            if holds(one, &away) {
                continue;
            }
            if !away.is_empty() {
                let names = some(away.iter().map(|nevra| nevra.to_string()));
                seen.note(format!("{word} `{id}` is cut for `{target}`, which does not list {names}"));
            }
            let Some(cut) = one.without(|nevra| !away.contains(nevra)) else { continue };
            match places.get(cut.id()) {
                // What came first counts.
                Some(at) => arriving[*at] = cut.together(&arriving[*at]),
                None => {
                    places.insert(cut.id().to_owned(), arriving.len());
                    arriving.push(cut);
                }
            }
        }
    }
}

/// Where each stands that may move, by its id; the first where there are several.
pub(super) fn places<N: Naming>(all: &[N]) -> BTreeMap<String, usize> {
    let all = all.iter().enumerate().rev().filter(|(_, one)| !one.is_fixed());
    all.map(|(at, one)| (one.id().to_owned(), at)).collect()
}

/// A repository that says only what is so.
pub(super) struct Place<'a> {
    pub(super) repository: &'a Repository,
    pub(super) family: &'a Family<'a>,
    /// What enters any repository of the plan: of that nothing is lost.
    pub(super) arrived: &'a BTreeSet<&'a Nevra>,
}

impl Place<'_> {
    /// Works out what the repository says: what left is named no more, what `arriving` names is.
    pub(super) fn follow<N: Naming>(&self, own: &[N], arriving: Vec<N>, seen: &mut Seen) -> Vec<N> {
        let mut all: Vec<N> = Vec::with_capacity(own.len());
        let coming = places(&arriving);
        for one in own {
            all.extend(self.without_what_left(one, coming.contains_key(one.id()), seen));
        }
        let places = places(&all);
        for one in arriving {
            match places.get(one.id()) {
                Some(at) => all[*at] = all[*at].together(&one),
                None => all.push(one),
            }
        }
        all
    }

    /// Cuts what left out of what the repository says; nothing stays of what names nothing that is listed.
    fn without_what_left<N: Naming>(&self, one: &N, comes_anew: bool, seen: &mut Seen) -> Option<N> {
        let Self { repository, family, arrived } = self;
        let left: BTreeSet<&Nevra> = one.names().filter(|nevra| family.left.contains(nevra)).collect();
        if left.is_empty() || one.is_fixed() {
            return Some(one.clone());
        }
        let is_listed = |nevra: &Nevra| family.after.contains(nevra);
        let after = match one.names().any(is_listed) || comes_anew {
            true => one.without(|nevra| !left.contains(nevra)),
            false => None,
        };
        let lost: BTreeSet<&Nevra> = left.into_iter().filter(|nevra| !arrived.contains(nevra)).collect();
        if !lost.is_empty() {
            let names = some(lost.iter().map(|nevra| nevra.to_string()));
            let (word, id) = (N::WORD, one.id());
            seen.note(match after {
                Some(_) => format!("{word} `{id}` is cut in `{repository}`, which no longer lists {names}"),
                None => format!("{word} `{id}` leaves `{repository}`, which no longer lists {names}"),
            });
        }
        after
    }
}
