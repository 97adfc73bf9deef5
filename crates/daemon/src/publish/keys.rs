//! What a generation says of keys: which signed what enters, and the certificates that hosts need.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use nevra::Sha256;
use store::{Modified, Source};

use super::Publication;
use crate::account::Moves;
use crate::dot_repo;

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

    /// Writes the certificates of the keys that hosts need, each under the name of its key.
    pub(super) fn write_keys(&self, modified: Modified, public: &mut BTreeMap<Utf8PathBuf, Source>) {
        let parent = self.parent.map(|(parent, _)| &parent.files.public);
        public.retain(|path, _| !path.as_str().starts_with(dot_repo::KEY));
        for key in self.config.keys.values() {
            let armored = key.certificate.as_ref().and_then(|certificate| certificate.armored().ok());
            let Some(bytes) = armored.map(String::into_bytes) else { continue };
            let name = dot_repo::key_file(&key.name);
            let known = parent.and_then(|files| files.get(name.as_str()));
            let is_same = known.is_some_and(|facts| facts.sha256 == repo::sha256(&bytes));
            let source = if is_same { Source::Carry } else { Source::Bytes { bytes, modified, until: None } };
            public.insert(name.into(), source);
        }
    }
}
