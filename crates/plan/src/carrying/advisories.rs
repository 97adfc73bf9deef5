//! Advisories go with their packages; one that tells of a roll-back stays where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nevra::Nevra;
use repo::{Advisory, Updateinfo};

use super::held::{self, Line};
use super::naming::{Naming, Place, Target};
use super::{Part, Seen, Source, some};
use crate::standing::HeldAdvisory;

impl Naming for Advisory {
    const WORD: &'static str = "advisory";

    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> impl Iterator<Item = &Nevra> {
        self.packages()
    }

    /// What tells of a roll-back is each repository's own, and follows from what stands.
    fn is_fixed(&self) -> bool {
        let is_digest = |word: &str| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.id.starts_with("retracted-") && self.id.rsplit('-').next().is_some_and(is_digest)
    }

    fn without(&self, stays: impl Fn(&Nevra) -> bool) -> Option<Self> {
        self.cut(stays)
    }

    fn together(&self, arriving: &Self) -> Self {
        self.merged(arriving)
    }
}

/// Finds the advisories that come with what enters a repository, or for which nothing waits any more; and those that wait then.
pub(super) fn arriving(
    target: Target<'_>,
    sources: &[Source<'_>],
    line: &Line<'_>,
    seen: &mut Seen,
) -> (Vec<Advisory>, Option<BTreeMap<String, HeldAdvisory>>) {
    let mut arriving = Vec::new();
    let (mut waiting, mut old, mut cut) = (line.waiting(), BTreeSet::new(), BTreeMap::new());
    for source in sources.iter().filter(|_| !target.family.entered.is_empty()) {
        let mut hold = |one: &Advisory, away: &BTreeSet<&Nevra>| {
            let is_old = line.is_taken_back(one);
            if is_old {
                old.insert(one.id.clone());
            }
            let waits = is_old || line.hold(&mut waiting, one, away);
            let gone: Vec<String> = line.gone(away).map(Nevra::to_string).collect();
            if waits && !is_old && !gone.is_empty() {
                cut.insert(one.id.clone(), gone);
            }
            waits
        };
        if let Some(held) = source.held.map(held::read) {
            target.arriving(source, &held, &mut arriving, seen, &mut hold);
        }
        match (read(&source.beside.updates), source.repository) {
            (Ok(read), _) => target.arriving(source, &read.advisories, &mut arriving, seen, &mut hold),
            (Err(why), Some(repository)) => seen.note(format!(
                "no advisory goes along from `{repository}`: its updateinfo is not read, {why}"
            )),
            (Err(_), None) => {}
        }
    }
    for id in old {
        let repository = target.repository;
        seen.note(format!(
            "advisory `{id}` does not go along to `{repository}`: this text of it was taken back"
        ));
    }
    for (id, gone) in cut {
        let (repository, names) = (target.repository, some(gone));
        seen.note(format!("advisory `{id}` is cut for `{repository}`, which will not list {names}"));
    }
    let held = line.settle(waiting, &mut arriving, seen);
    (arriving, held)
}

/// Works out what advisories a repository has.
pub(super) fn follow(place: &Place<'_>, own: &Part, arriving: Vec<Advisory>, seen: &mut Seen) -> Part {
    if place.family.left.is_empty() && arriving.is_empty() {
        return own.clone();
    }
    let before = match read(own) {
        Ok(before) => before,
        Err(why) => {
            let repository = place.repository;
            seen.note(format!(
                "the advisories of `{repository}` stay as they are: its updateinfo is not read, {why}"
            ));
            return own.clone();
        }
    };
    let after = Updateinfo { advisories: place.follow(&before.advisories, arriving, seen) };
    match (after == before, after.advisories.is_empty()) {
        (true, _) => own.clone(),
        (false, true) => Part::Nothing,
        (false, false) => Part::Read(Arc::from(after.write())),
    }
}

/// Reads a file; what is not there lists nothing.
pub(super) fn read(part: &Part) -> Result<Updateinfo, String> {
    match part {
        Part::Nothing => Ok(Updateinfo::default()),
        Part::Unread(why) => Err(why.clone()),
        Part::Read(open) => Updateinfo::parse(open).map_err(|error| error.to_string()),
    }
}
