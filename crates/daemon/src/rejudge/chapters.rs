//! The generations, from their manifests alone: what each listed, and what stood after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use nevra::Sha256;
use plan::{Listed, Repository};
use store::{Manifest, Store};
use workflow::Workflow;

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
    /// What the procedures remember after it.
    pub(super) workflow: Arc<Workflow>,
}

impl Chapter {
    /// Reads a generation; `before` is what was read last, which spares adding up everything since the first.
    pub(super) fn read(store: &Store, number: u64, before: Option<&Chapter>) -> Result<Chapter, Error> {
        let recorded = store.recorded(number)?;
        let account = Account::of(number, &recorded.manifest.account)?;
        let (mut lists, mut workflow) = match &recorded.manifest.parent {
            None => Default::default(),
            Some(parent) => match before.filter(|before| before.number == parent.number) {
                Some(before) => (before.lists.clone(), Arc::clone(&before.workflow)),
                None => added_up(store, parent.number)?,
            },
        };
        advance(&mut lists, &account);
        evolve(&mut workflow, &account);
        let (manifest, account) = (Arc::new(recorded.manifest), Arc::new(account));
        Ok(Chapter { number, digest: recorded.digest, manifest, account, lists, workflow })
    }
}

/// Adds up what entered and left, from the first generation on.
pub(super) fn lists_of(store: &Store, number: u64) -> Result<Lists, Error> {
    Ok(added_up(store, number)?.0)
}

/// Adds up what entered and left and what procedures brought about, from the first generation on.
fn added_up(store: &Store, number: u64) -> Result<(Lists, Arc<Workflow>), Error> {
    let mut accounts = Vec::new();
    let mut next = Some(number);
    while let Some(number) = next {
        let manifest = store.history(number)?;
        accounts.push(Account::of(number, &manifest.account)?);
        // A chain that leads upwards would lead round.
        next = manifest.parent.map(|parent| parent.number).filter(|parent| *parent < number);
    }
    let (mut lists, mut workflow) = (Lists::new(), Arc::default());
    for account in accounts.iter().rev() {
        advance(&mut lists, account);
        evolve(&mut workflow, account);
    }
    Ok((lists, workflow))
}

/// Makes of what procedures remembered what they remember after a generation.
fn evolve(workflow: &mut Arc<Workflow>, account: &Account) {
    for deed in account.requests.iter().filter_map(|settled| settled.deed.as_deref()) {
        let _laid_aside = Arc::make_mut(workflow).evolve(deed);
    }
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
