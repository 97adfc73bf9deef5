//! Every generation there ever was, from the manifests: what `history`, `show`, `diff` and `why` read.

use std::collections::{BTreeMap, BTreeSet};

use daemon::account::Account;
use plan::Listed;
use store::{Manifest, Store};

use crate::failure::Failure;
use crate::settings::nothing_published;

/// What the manifests of a site say.
#[derive(Debug)]
pub struct Chronicle {
    /// The generation `current` names.
    pub current: u64,
    /// The generations that are kept whole.
    pub kept: BTreeSet<u64>,
    /// Names that hold a generation, by generation.
    pub names: BTreeMap<u64, Vec<String>>,
    numbers: Vec<u64>,
    store: Store,
}

/// One generation, kept or not.
#[derive(Debug)]
pub struct Chapter {
    /// Its manifest.
    pub manifest: Manifest,
    /// What its manifest says in Sluice's words.
    pub account: Account,
}

impl Chronicle {
    /// Finds out which generations there are; reads no manifest but the current one.
    pub fn of(store: Store) -> Result<Chronicle, Failure> {
        let current = store.current()?.ok_or_else(nothing_published)?;
        // What lies above `current` is being built, or was abandoned.
        let kept: BTreeSet<u64> =
            store.numbers()?.into_iter().filter(|number| *number <= current.number).collect();
        let mut numbers = store.past_numbers()?;
        numbers.extend(&kept);
        numbers.sort_unstable();
        numbers.dedup();
        let mut names = BTreeMap::<u64, Vec<String>>::new();
        for (name, named) in current.manifest.names.iter().filter(|(_, named)| !named.ended) {
            names.entry(named.generation).or_default().push(name.clone());
        }
        Ok(Chronicle { current: current.number, kept, names, numbers, store })
    }

    /// Reads the generation `number`, kept or not.
    pub fn chapter(&self, number: u64) -> Result<Chapter, Failure> {
        let manifest = self.store.history(number)?;
        let account = Account::of(number, &manifest.account)?;
        Ok(Chapter { manifest, account })
    }

    /// The numbers of all generations, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = u64> {
        self.numbers.iter().rev().copied()
    }

    /// What a generation lists, by the name of the repository; from its metadata if it is kept, else worked
    /// out from what entered and left.
    pub fn packages(&self, number: u64) -> Result<BTreeMap<String, BTreeSet<Listed>>, Failure> {
        if self.kept.contains(&number) {
            let site = daemon::observe::Site::at(self.store.clone(), number)?;
            let packages = site.packages()?;
            return Ok(packages
                .into_iter()
                .map(|(name, listed)| (name.name(), listed.into_iter().collect()))
                .collect());
        }
        self.worked_out(number)
    }

    /// Adds up what entered and left from the first generation on.
    pub fn worked_out(&self, number: u64) -> Result<BTreeMap<String, BTreeSet<Listed>>, Failure> {
        if !self.numbers.contains(&number) {
            return Err(
                Failure::not_found(format!("there is no generation {number}")).hint("see `sluice history`")
            );
        }
        let mut packages = BTreeMap::<String, BTreeSet<Listed>>::new();
        for number in self.numbers.iter().filter(|known| **known <= number) {
            let Chapter { account, .. } = self.chapter(*number)?;
            packages.retain(|name, _| account.repositories.contains_key(name));
            for name in account.repositories.into_keys() {
                packages.entry(name).or_default();
            }
            for (name, moves) in account.changes {
                let listed = packages.entry(name).or_default();
                moves.left.iter().for_each(|package| {
                    listed.remove(package);
                });
                listed.extend(moves.entered);
            }
        }
        Ok(packages)
    }
}
