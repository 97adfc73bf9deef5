//! Finds what is on record of a settled request, by its claim name or its id: in the manifests what took effect, in the
//! audit log what did not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nevra::Sha256;
use plan::{Answer, Effected, Moves, Outcome, Recorded, Repository, Request};
use store::{Disk, Store};

use crate::account::{Account, Settled, Shelved};
use crate::audit::Records;
use crate::error::Error;
use crate::grounds::Grounds;
use crate::settled::SettledIds;
use crate::spool::is_claim_name;

/// By digest, until when a package overlaps.
type Overlaps = BTreeMap<Sha256, Timestamp>;

/// Where is looked, and how far.
pub(crate) struct Archive<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) store: &'a Store,
    /// Which ids were settled.
    pub(crate) settled: &'a SettledIds,
    /// The generation that is published: what is newer is not looked at.
    pub(crate) generation: u64,
    /// The claim of whoever asks: the audit log is read as far as that.
    pub(crate) asking: &'a str,
}

/// One generation, as its manifest tells it.
struct Chapter {
    number: u64,
    parent: Option<u64>,
    account: Account,
}

impl Archive<'_> {
    /// Finds the settled requests that bear a name. A claim name means its own request, whoever uses it as an id.
    pub(crate) fn find(&self, name: &str) -> Result<Vec<Recorded>, Error> {
        let claimed = if is_claim_name(name) { self.claimed(name)? } else { None };
        match claimed {
            Some(answer) => Ok(vec![self.recorded(&answer)?]),
            None => self.settled.bearing(name).map(|answer| self.recorded(answer)).collect(),
        }
    }

    /// Finds the answer to a claim, if any was given to it: in the manifest that holds what it did, else in the audit log.
    fn claimed(&self, claim: &str) -> Result<Option<Answer>, Error> {
        let Some(place) = self.settled.place(claim) else { return Ok(None) };
        let place = place.filter(|number| *number <= self.generation);
        let mut settled = self.chapter(place)?.into_iter().flat_map(|chapter| chapter.account.requests);
        if let Some(settled) = settled.find(|one| one.answer.claim == claim) {
            return Ok(Some(settled.answer));
        }
        for record in Records::read(self.disk, &self.store.paths().audit())? {
            let record = record?;
            let claimed = record.claim.iter().chain(&record.settled);
            if claimed.into_iter().any(|one| *one == *self.asking) {
                break;
            }
            if let Some(answer) = record.answer.filter(|answer| answer.claim == claim) {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    fn recorded(&self, answer: &Answer) -> Result<Recorded, Error> {
        let effect = match (answer.outcome, answer.generation) {
            (Outcome::Done, Some(number)) => Some(self.effect(number, answer)?),
            _ => None,
        };
        Ok(Recorded {
            claim: answer.claim.clone(),
            id: answer.id.clone(),
            owner: answer.owner.clone(),
            action: answer.action.clone(),
            outcome: answer.outcome,
            effect,
        })
    }

    /// Reads a generation; `None` if there is no such manifest, nor any number.
    fn chapter(&self, number: Option<u64>) -> Result<Option<Chapter>, Error> {
        let Some(number) = number.filter(|number| *number > 0) else { return Ok(None) };
        let manifest = match self.store.history(number) {
            Ok(manifest) => manifest,
            Err(store::Error::NoGeneration { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let account = Account::of(number, &manifest.account)?;
        // A chain that leads upwards would lead round.
        let parent = manifest.parent.map(|parent| parent.number).filter(|parent| *parent < number);
        Ok(Some(Chapter { number, parent, account }))
    }

    /// Finds what a request did in a generation, and what happened to the same repositories since.
    fn effect(&self, number: u64, answer: &Answer) -> Result<Effected, Error> {
        let mut effect = Effected { generation: number, ..Effected::default() };
        let mut since: BTreeMap<String, BTreeSet<Sha256>> = BTreeMap::new();
        let mut next = Some(self.generation);
        let chapter = loop {
            match self.chapter(next)? {
                Some(chapter) if chapter.number == number => break chapter,
                Some(Chapter { parent, account, .. }) if parent.is_some_and(|parent| parent >= number) => {
                    for (repository, moves) in account.changes {
                        let entered = moves.entered.into_iter().map(|one| one.pkgid);
                        since.entry(repository).or_default().extend(entered);
                    }
                    next = parent;
                }
                _ => {
                    let words = format!("the current generation does not go back to generation {number}");
                    effect.unclear.push(words);
                    return Ok(effect);
                }
            }
        };
        let is_it = |one: &&Settled| {
            let is_same_id = one.answer.owner == answer.owner && one.answer.id == answer.id;
            one.answer.claim == answer.claim || is_same_id
        };
        let account = &chapter.account;
        let Some(settled) = account.requests.iter().find(is_it) else {
            effect.unclear.push(format!("the manifest of generation {number} does not name it"));
            return Ok(effect);
        };
        effect.request = settled.grounds.as_deref().and_then(request);
        effect.node_types.clone_from(&settled.answer.node_types);
        let others = || account.requests.iter().filter(|one| one.answer.claim != settled.answer.claim);
        moved(account, settled, &others, &mut effect);
        let before = match self.chapter(chapter.parent)? {
            Some(before) => before.account.overlapping,
            None => BTreeMap::new(),
        };
        let is_alone = others().next().is_none();
        effect.began = overlaps(account, &account.overlapping, &before, (is_alone, &effect));
        effect.ended = overlaps(account, &before, &account.overlapping, (is_alone, &effect));
        effect.ended.retain(|repository, ended| {
            // One that was begun anew did not end.
            let begun = effect.began.get(repository);
            ended.retain(|digest, _| begun.is_none_or(|begun| !begun.contains_key(digest)));
            !ended.is_empty()
        });
        effect.since = since_then(account, &effect, since);
        Ok(effect)
    }
}

/// Finds what others let into the repositories of a request: in its own generation, and by `later` ones.
fn since_then(
    account: &Account,
    effect: &Effected,
    mut later: BTreeMap<String, BTreeSet<Sha256>>,
) -> BTreeMap<Repository, BTreeSet<Sha256>> {
    let of = |repository: &Repository| {
        let mut came = later.remove(&repository.name()).unwrap_or_default();
        let own = effect.moves.get(repository).map(|moves| moves.entered.as_slice()).unwrap_or_default();
        let entered = account.changes.get(&repository.name()).map(|moves| moves.entered.as_slice());
        let of_others = entered.unwrap_or_default().iter().filter(|one| !own.contains(one));
        came.extend(of_others.map(|one| one.pkgid));
        (repository.clone(), came)
    };
    let repositories: BTreeSet<&Repository> = effect.moves.keys().chain(effect.began.keys()).collect();
    repositories.into_iter().map(of).collect()
}

/// Reads the text of a request again.
fn request(grounds: &Grounds) -> Option<Request> {
    let (bytes, _) = plan::signed::split(grounds.request.as_ref()?.as_bytes());
    plan::parse(bytes, grounds.format()).ok()
}

/// Finds the packages that a request moved. The manifest tells what all requests of a generation did together, the
/// answers what each did, by name: where several moved the same name it is not told which file each of them moved.
fn moved<'a, I: Iterator<Item = &'a Settled>>(
    account: &'a Account,
    settled: &Settled,
    others: &impl Fn() -> I,
    effect: &mut Effected,
) {
    let number = effect.generation;
    for told in &settled.answer.moved {
        let name = &told.repository;
        let Some(repository) = account.repositories.get(name).map(Shelved::repository) else {
            effect.unclear.push(format!("generation {number} has no repository `{name}`"));
            continue;
        };
        let known = account.changes.get(name);
        let mut moves = Moves::default();
        for (verb, told, known, found) in [
            ("entered", &told.entered, known.map(|moves| &moves.entered), &mut moves.entered),
            ("left", &told.left, known.map(|moves| &moves.left), &mut moves.left),
        ] {
            for nevra in told {
                let touched = others().flat_map(|other| &other.answer.moved).any(|moved| {
                    moved.repository == *name && (moved.entered.contains(nevra) || moved.left.contains(nevra))
                });
                let listed = known.into_iter().flatten().find(|one| one.nevra.to_string() == *nevra);
                match listed.filter(|_| !touched) {
                    Some(listed) => found.push(listed.clone()),
                    None => effect.unclear.push(format!(
                        "`{nevra}` {verb} `{name}`, and another request of generation {number} moved it too"
                    )),
                }
            }
        }
        effect.moves.insert(repository, moves);
    }
}

/// Finds the overlaps that `these` have and `those` do not, or otherwise. Where a request was not alone in its generation,
/// those of packages that it moved are its own.
fn overlaps(
    account: &Account,
    these: &BTreeMap<String, Overlaps>,
    those: &BTreeMap<String, Overlaps>,
    (is_alone, effect): (bool, &Effected),
) -> BTreeMap<Repository, Overlaps> {
    let moved: BTreeSet<&Sha256> = (effect.moves.values())
        .flat_map(|moves| moves.entered.iter().chain(&moves.left))
        .map(|listed| &listed.pkgid)
        .collect();
    let mut found = BTreeMap::new();
    for (name, all) in these {
        let Some(shelved) = account.repositories.get(name) else { continue };
        let others = those.get(name);
        let is_new = |(digest, until): &(&Sha256, &Timestamp)| {
            others.and_then(|others| others.get(*digest)) != Some(*until)
                && (is_alone || moved.contains(*digest))
        };
        let own: Overlaps = all.iter().filter(is_new).map(|(digest, until)| (*digest, *until)).collect();
        if !own.is_empty() {
            found.insert(shelved.repository(), own);
        }
    }
    found
}
