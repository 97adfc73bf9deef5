//! Advisories: each goes with its packages, is cut or held where only some go, and keeps its id in every stage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nevra::Nevra;
use repo::{Advisory, Updateinfo};

use super::{Family, Part, Seen, Source, some};
use crate::layout::Repository;

/// The advisories that come into a repository, and whether it matters if its own cannot be read.
pub(super) type Arriving = Vec<Advisory>;

/// A repository whose advisories follow what it lists.
pub(super) struct Place<'a> {
    pub(super) repository: &'a Repository,
    pub(super) family: &'a Family<'a>,
    /// What enters any repository of the plan: of that nothing is lost.
    pub(super) arrived: &'a BTreeSet<&'a Nevra>,
}

/// Finds the advisories that come with what enters a family; where it `holds`, one of which something stays away does not
/// come.
pub(super) fn arriving(
    (target, family): (&Repository, &Family<'_>),
    sources: &[Source<'_>],
    holds: bool,
    seen: &mut Seen,
) -> Arriving {
    let mut arriving: Arriving = Vec::new();
    for source in sources.iter().filter(|_| !family.entered.is_empty()) {
        let read = match read(&source.beside.updates) {
            Ok(read) => read,
            Err(why) => {
                if let Some(repository) = source.repository {
                    seen.notes.push(format!(
                        "no advisory goes along from `{repository}`: its updateinfo is not read, {why}"
                    ));
                }
                continue;
            }
        };
        for advisory in read.advisories.iter().filter(|one| !is_retraction(&one.id)) {
            if !advisory.packages().any(|nevra| family.entered.contains(nevra)) {
                continue;
            }
            let stays_away =
                |nevra: &&Nevra| source.family.before.contains(nevra) && !family.after.contains(nevra);
            let away: BTreeSet<&Nevra> = advisory.packages().filter(stays_away).collect();
            let names = || some(away.iter().map(|nevra| nevra.to_string()));
            let id = &advisory.id;
            match (away.is_empty(), holds, source.repository) {
                (false, true, Some(repository)) => {
                    let words = format!(
                        "advisory `{id}` is held in `{repository}` until `{target}` lists {}, too",
                        names()
                    );
                    seen.notes.push(words);
                    seen.held.insert((repository.clone(), id.clone()));
                    continue;
                }
                (false, ..) => {
                    let words =
                        format!("advisory `{id}` is cut for `{target}`, which does not list {}", names());
                    seen.notes.push(words);
                }
                (true, ..) => {}
            }
            // Where advisories are held they go on naming what went ahead, and that may be gone by now.
            let stays = |nevra: &Nevra| match holds {
                true => family.after.contains(nevra),
                false => !away.contains(nevra),
            };
            let Some(cut) = advisory.cut(stays) else { continue };
            match arriving.iter_mut().find(|one| one.id == cut.id) {
                Some(known) => *known = cut.merged(known),
                None => arriving.push(cut),
            }
        }
    }
    arriving
}

impl Place<'_> {
    /// Works out what the repository says: what left is named no more, what `arriving` names is.
    pub(super) fn follow(&self, own: &Part, arriving: Arriving, seen: &mut Seen) -> Part {
        let Self { repository, family, .. } = self;
        if family.left.is_empty() && arriving.is_empty() {
            return own.clone();
        }
        let before = match read(own) {
            Ok(before) => before,
            Err(why) => {
                let words = format!(
                    "the advisories of `{repository}` stay as they are: its updateinfo is not read, {why}"
                );
                seen.notes.push(words);
                return own.clone();
            }
        };
        let mut advisories: Vec<Advisory> = Vec::with_capacity(before.advisories.len());
        for advisory in &before.advisories {
            advisories.extend(self.without_what_left(advisory, &arriving, seen));
        }
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for (at, advisory) in advisories.iter().enumerate() {
            places.entry(advisory.id.clone()).or_insert(at);
        }
        for advisory in arriving {
            match places.get(&advisory.id) {
                Some(at) => advisories[*at] = advisories[*at].merged(&advisory),
                None => advisories.push(advisory),
            }
        }
        let after = Updateinfo { advisories };
        match (after == before, after.advisories.is_empty()) {
            (true, _) => own.clone(),
            (false, true) => Part::Nothing,
            (false, false) => Part::Read(Arc::from(after.write())),
        }
    }

    /// Cuts what left out of an advisory of the repository; nothing is left of one that names nothing that is listed.
    fn without_what_left(
        &self,
        advisory: &Advisory,
        arriving: &[Advisory],
        seen: &mut Seen,
    ) -> Option<Advisory> {
        let Self { repository, family, arrived } = self;
        let left: BTreeSet<&Nevra> =
            advisory.packages().filter(|nevra| family.left.contains(nevra)).collect();
        if left.is_empty() || is_retraction(&advisory.id) {
            return Some(advisory.clone());
        }
        let is_held = seen.held.contains(&((*repository).clone(), advisory.id.clone()));
        let is_listed = |nevra: &Nevra| family.after.contains(nevra);
        let goes = |nevra: &Nevra| left.contains(nevra) && !(is_held && arrived.contains(nevra));
        let comes_anew = || arriving.iter().any(|one| one.id == advisory.id);
        let after = match advisory.packages().any(is_listed) || comes_anew() {
            true => advisory.cut(|nevra| !goes(nevra)),
            false if is_held => Some(advisory.clone()),
            false => None,
        };
        let lost: BTreeSet<&Nevra> = left.into_iter().filter(|nevra| !arrived.contains(nevra)).collect();
        if !lost.is_empty() {
            let names = some(lost.iter().map(|nevra| nevra.to_string()));
            let id = &advisory.id;
            let words = match after {
                Some(_) => format!("advisory `{id}` is cut in `{repository}`, which no longer lists {names}"),
                None => format!("advisory `{id}` leaves `{repository}`, which no longer lists {names}"),
            };
            seen.notes.push(words);
        }
        after
    }
}

/// Reads a file; what is not there lists nothing.
fn read(part: &Part) -> Result<Updateinfo, String> {
    match part {
        Part::Nothing => Ok(Updateinfo::default()),
        Part::Unread(why) => Err(why.clone()),
        Part::Read(open) => Updateinfo::parse(open).map_err(|error| error.to_string()),
    }
}

/// Whether an advisory tells of a roll-back, which is each repository's own and follows from what stands.
fn is_retraction(id: &str) -> bool {
    let is_digest = |word: &str| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    id.starts_with("retracted-") && id.rsplit('-').next().is_some_and(is_digest)
}
