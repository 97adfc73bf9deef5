//! Reads what an `undo` depends on: what is on record of the request, and what is still there of what it took out.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Sha256;
use plan::{Action, Kind, Repository};

use super::{Line, Verdict};
use crate::account::Account;
use crate::error::Error;
use crate::recorded::Archive;
use crate::waiting::Waiting;

impl Line<'_> {
    /// Tells the world what is on record of the requests that bear `name`, unless that was done for this one.
    pub(super) fn load_recorded(&mut self, name: &str, waiting: &Waiting) -> Result<(), Error> {
        let asking = &waiting.claimed.name;
        if self.looked_up.as_ref() == Some(asking) {
            return Ok(());
        }
        let engine = &*self.engine;
        let (disk, store, settled) = (&*engine.disk, &engine.store, &engine.settled);
        let archive = Archive { disk, store, settled, generation: self.world.generation, asking };
        // Nobody who may do nothing is looked up anything for: that is work.
        let mut recorded = if waiting.asker.roles.is_empty() { Vec::new() } else { archive.find(name)? };
        for effect in recorded.iter_mut().filter_map(|one| one.effect.as_mut()) {
            let mut wanted: BTreeMap<Repository, BTreeSet<Sha256>> = BTreeMap::new();
            for (repository, moves) in &effect.moves {
                let left = moves.left.iter().map(|one| one.pkgid);
                wanted.entry(repository.clone()).or_default().extend(left);
            }
            for (repository, began) in &effect.began {
                wanted.entry(repository.clone()).or_default().extend(began.keys().copied());
            }
            let all: BTreeSet<Sha256> = wanted.values().flatten().copied().collect();
            self.remember_before(effect)?;
            self.remember_past(effect.generation, wanted)?;
            for digest in all {
                let pooled = self.engine.store.paths().pool_file(&digest);
                let why = match self.engine.disk.state(&pooled)? {
                    None => "is not in the pool any more",
                    Some(_) if self.known.has(&digest) => continue,
                    Some(_) => "is listed by no generation that is kept",
                };
                effect.missing.insert(digest, why.to_owned());
            }
        }
        self.world.recorded = recorded;
        self.looked_up = Some(asking.clone());
        Ok(())
    }

    /// Reads what the repositories said that packages left, and their siblings, in the generation before it, or the last before
    /// that which is kept: what is listed elsewhere, too, comes back with the text of then.
    fn remember_before(&mut self, effect: &plan::Effected) -> Result<(), Error> {
        let Some(number) = self.world.kept_generations.range(..effect.generation).next_back().copied() else {
            return Ok(());
        };
        let left = effect.moves.iter().filter(|(_, moves)| !moves.left.is_empty());
        let left: BTreeSet<Repository> = left.flat_map(|(repository, _)| siblings(repository)).collect();
        if left.is_empty() {
            return Ok(());
        }
        let generation = self.engine.store.generation(number)?;
        let account = Account::of(number, &generation.manifest.account)?;
        for shelved in account.repositories.values() {
            let repository = shelved.repository();
            if left.contains(&repository) {
                let shelf = self.engine.catalogue.shelf(&self.engine.store, &generation, shelved)?;
                self.remember(&shelf);
                self.said_earlier(&repository, &shelf, (number, &account));
            }
        }
        Ok(())
    }

    /// Looks in the generations that are kept for the metadata of packages, in those before `number` first.
    fn remember_past(
        &mut self,
        number: u64,
        mut wanted: BTreeMap<Repository, BTreeSet<Sha256>>,
    ) -> Result<(), Error> {
        let kept = self.world.kept_generations.clone();
        for number in kept.range(..number).rev().chain(kept.range(number..)) {
            for digests in wanted.values_mut() {
                digests.retain(|digest| !self.known.has(digest));
            }
            wanted.retain(|_, digests| !digests.is_empty());
            if wanted.is_empty() {
                return Ok(());
            }
            let generation = self.engine.store.generation(*number)?;
            let account = Account::of(*number, &generation.manifest.account)?;
            for shelved in account.repositories.values() {
                let repository = shelved.repository();
                if siblings(&repository).any(|one| wanted.contains_key(&one)) {
                    let shelf = self.engine.catalogue.shelf(&self.engine.store, &generation, shelved)?;
                    self.remember(&shelf);
                    self.said_earlier(&repository, &shelf, (*number, &account));
                }
            }
        }
        Ok(())
    }
}

/// Lists the repositories of the same stage on the same platform.
fn siblings(repository: &Repository) -> impl Iterator<Item = Repository> {
    Kind::ALL.into_iter().map(|kind| Repository { kind, ..repository.clone() })
}

/// Whether a request must be decided on what is on record alone, and others of its line were answered before it: what
/// became of them the audit log does not know yet. What the clock asked is never undone.
pub(super) fn is_ahead_of_the_record(request: &Waiting, waiting: &[Waiting], verdicts: &[Verdict]) -> bool {
    let is_answered = |(one, verdict): (&Waiting, &Verdict)| match verdict {
        Verdict::Effect(_) => true,
        Verdict::Other(_) => !one.is_of_the_clock(),
        Verdict::Later => false,
    };
    matches!(request.request.action, Action::Undo { .. }) && waiting.iter().zip(verdicts).any(is_answered)
}
