//! The generations, from their manifests alone: what each listed, and what stood after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use nevra::Sha256;
use plan::{Listed, Repository};
use store::{Manifest, Store};

use crate::account::{Account, Shelved};
use crate::error::Error;

/// What repositories list.
pub(super) type Lists = BTreeMap<Repository, Vec<Listed>>;

/// One generation.
#[derive(Clone, Debug)]
pub(super) struct Chapter {
    pub(super) number: u64,
    pub(super) digest: Sha256,
    pub(super) manifest: Arc<Manifest>,
    pub(super) account: Arc<Account>,
    pub(super) lists: Lists,
}

impl Chapter {
    /// Reads a generation; `before` is what was read last, which spares adding up everything since the first.
    pub(super) fn read(store: &Store, number: u64, before: Option<&Chapter>) -> Result<Chapter, Error> {
        let recorded = store.recorded(number)?;
        let account = Account::of(number, &recorded.manifest.account)?;
        let mut lists = match &recorded.manifest.parent {
            None => Lists::new(),
            Some(parent) => match before.filter(|before| before.number == parent.number) {
                Some(before) => before.lists.clone(),
                None => lists_of(store, parent.number)?,
            },
        };
        advance(&mut lists, &account);
        let (manifest, account) = (Arc::new(recorded.manifest), Arc::new(account));
        Ok(Chapter { number, digest: recorded.digest, manifest, account, lists })
    }
}

/// Adds up what entered and left, from the first generation on.
pub(super) fn lists_of(store: &Store, number: u64) -> Result<Lists, Error> {
    let mut accounts = Vec::new();
    let mut next = Some(number);
    while let Some(number) = next {
        let manifest = store.history(number)?;
        accounts.push(Account::of(number, &manifest.account)?);
        // A chain that leads upwards would lead round.
        next = manifest.parent.map(|parent| parent.number).filter(|parent| *parent < number);
    }
    let mut lists = Lists::new();
    accounts.iter().rev().for_each(|account| advance(&mut lists, account));
    Ok(lists)
}

/// Makes of what the generation before listed what this one lists.
fn advance(lists: &mut Lists, account: &Account) {
    let known: BTreeMap<&String, Repository> =
        account.repositories.iter().map(|(name, shelved)| (name, Shelved::repository(shelved))).collect();
    lists.retain(|repository, _| account.repositories.contains_key(&repository.name()));
    for (name, repository) in known {
        let listed = lists.entry(repository).or_default();
        let Some(moves) = account.changes.get(name) else { continue };
        listed.retain(|one| !moves.left.iter().any(|left| left.pkgid == one.pkgid));
        listed.extend(moves.entered.iter().cloned());
    }
}
