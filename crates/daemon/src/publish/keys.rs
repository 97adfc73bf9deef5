//! What a generation says of keys: which signed what enters.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Sha256;

use super::Publication;
use crate::account::Moves;

impl Publication<'_> {
    /// Tells by which keys that is signed which enters a stage that demands signatures.
    pub(super) fn signed(&self, changes: &BTreeMap<String, Moves>) -> BTreeMap<Sha256, BTreeSet<String>> {
        let mut signed = BTreeMap::new();
        for repository in self.after.repositories.keys() {
            let stage = (repository.product.clone(), repository.stage.clone());
            let Some(moves) = changes.get(&repository.name()) else { continue };
            if !self.after.signers.contains_key(&stage) {
                continue;
            }
            for listed in &moves.entered {
                if let Some(Ok(found)) = self.after.signatures.get(&listed.pkgid) {
                    let by = found.signatures.iter().flatten().cloned();
                    signed.insert(listed.pkgid, by.collect());
                }
            }
        }
        signed
    }
}
