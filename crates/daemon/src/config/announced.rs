//! By whom the metadata of each stage is signed, with the certificates that were read.

use super::{Config, Key};
use crate::error::Error;
use crate::signing::Announced;
use plan::Repository;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is announced by each stage whose metadata is signed, by product and stage.
pub type ByStage = BTreeMap<(String, String), Arc<Announced>>;

impl Config {
    /// Says whether the metadata of a repository is signed.
    pub fn signs(&self, repository: &Repository) -> bool {
        self.metadata_signed_by.contains_key(&stage_of(repository))
    }

    /// Says by whom the metadata of a repository is signed; `None` if it is not.
    ///
    /// Fails for a configuration whose keys nobody read.
    pub fn announced(&self, repository: &Repository) -> Result<Option<Arc<Announced>>, Error> {
        match (self.signs(repository), self.announced.get(&stage_of(repository))) {
            (false, _) => Ok(None),
            (true, Some(announced)) => Ok(Some(Arc::clone(announced))),
            (true, None) => Err(Error::KeysNotRead),
        }
    }
}

impl Config {
    /// Says by which keys the metadata of a stage is signed; `None` if it is not.
    pub fn announced_in(&self, product: &str, stage: &str) -> Result<Option<Arc<Announced>>, Error> {
        let stage = (product.to_owned(), stage.to_owned());
        match (self.metadata_signed_by.contains_key(&stage), self.announced.get(&stage)) {
            (false, _) => Ok(None),
            (true, Some(announced)) => Ok(Some(Arc::clone(announced))),
            (true, None) => Err(Error::KeysNotRead),
        }
    }
}

fn stage_of(repository: &Repository) -> (String, String) {
    (repository.product.clone(), repository.stage.clone())
}

/// Puts together what each stage announces, from the keys that were read.
pub(super) fn gather(config: &mut Config) -> Result<(), Error> {
    let mut announced = ByStage::new();
    for (stage, names) in &config.metadata_signed_by {
        let keys: Option<Vec<&Key>> = names.iter().map(|name| config.keys.get(name)).collect();
        let keys = keys.ok_or(Error::KeysNotRead)?;
        announced.insert(stage.clone(), Arc::new(Announced::of(&keys)?));
    }
    config.announced = announced;
    Ok(())
}
