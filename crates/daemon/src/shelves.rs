//! The indexes of our own repositories, for the judgement of what can be installed: kept in step with what they list, so that
//! a change costs what it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nevra::Sha256;
use plan::Repository;
use repo::Entry;

use crate::config::Config;
use crate::contexts::Contexts;
use crate::error::Error;
use crate::observe::Shelf as Observed;
use crate::relations::package_of;

/// Everything that is indexed, remembered between steps.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    /// Our own repositories.
    pub(crate) ours: Shelves,
    /// What hosts draw from beside them.
    pub(crate) others: Contexts,
}

impl Indexes {
    /// Forgets what a configuration no longer names.
    pub(crate) fn keep_only(&mut self, config: &Config) {
        self.ours.0.retain(|repository, _| config.layout.has(repository));
        self.others.keep_only(config);
    }
}

/// Remembers the index of each repository that was judged once.
#[derive(Debug, Default)]
pub(crate) struct Shelves(BTreeMap<Repository, Indexed>);

/// One index, and which package lies at which place of it.
#[derive(Debug)]
struct Indexed {
    shelf: Arc<closure::Shelf>,
    digests: Vec<Sha256>,
}

impl Shelves {
    /// Gives the index of what a repository lists.
    pub(crate) fn of(
        &mut self,
        repository: &Repository,
        observed: &Observed,
    ) -> Result<Arc<closure::Shelf>, Error> {
        let indexed = self.0.entry(repository.clone()).or_insert_with(|| Indexed {
            shelf: Arc::new(closure::Shelf::new(repository.stage.clone(), Vec::new())),
            digests: Vec::new(),
        });
        let listed: BTreeSet<Sha256> = observed.listed.iter().map(|listed| listed.pkgid).collect();
        let known: BTreeSet<Sha256> = indexed.digests.iter().copied().collect();
        let is_new = |at: &usize| !known.contains(&observed.listed[*at].pkgid);
        let places: BTreeSet<usize> = (0..observed.listed.len()).filter(is_new).collect();
        let entries = observed.entries_at(&places)?;
        // Read before anything changes: what cannot be read leaves the index as it was.
        let packages = relations(&entries)
            .map_err(|reason| Error::Metadata { place: format!("{}/repodata", repository.name()), reason })?;
        let shelf = Arc::make_mut(&mut indexed.shelf);
        for at in (0..indexed.digests.len()).rev() {
            if !listed.contains(&indexed.digests[at]) && shelf.take(at).is_some() {
                indexed.digests.swap_remove(at);
            }
        }
        for (at, package) in places.into_iter().zip(packages) {
            shelf.add(package);
            indexed.digests.push(observed.listed[at].pkgid);
        }
        Ok(Arc::clone(&indexed.shelf))
    }
}

/// Reads what packages say about others.
pub(crate) fn relations(entries: &[Entry]) -> Result<Vec<closure::Package>, String> {
    let packages = repo::packages_of(entries).map_err(|error| error.to_string())?;
    Ok(packages.iter().map(package_of).collect())
}
