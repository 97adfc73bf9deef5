//! Has the signatures of packages read that are to enter a stage which demands them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nevra::Sha256;
use plan::Signer;
use signatures::Certificate;

use super::Line;
use crate::config::Config;
use crate::error::Error;

impl Line<'_> {
    /// Tells the world what the signatures of `packages` are, by every key of the configuration and as of now.
    ///
    /// Each is read from its first byte to its last, also one that is in the pool already: what it is was settled when
    /// it came, and whether its signature still counts is settled now. One that was read by the same keys is read again
    /// once time may have changed what was found.
    pub(super) fn read_signatures(&mut self, packages: &BTreeSet<Sha256>) -> Result<(), Error> {
        let engine = &mut *self.engine;
        // A clock that was set back makes no key count again.
        let now = self.now.max(self.world.witnessed);
        let keys: Vec<Arc<Certificate>> =
            engine.config.keys.values().filter_map(|key| key.certificate.clone()).collect();
        engine.verdicts.begin(&keys);
        for digest in packages {
            if let Some(signed) = engine.verdicts.of(digest, now) {
                self.world.signatures.insert(*digest, Ok(signed.clone()));
                continue;
            }
            let pooled = engine.store.paths().pool_file(digest);
            let path = self.arriving.get(digest).unwrap_or(&pooled);
            let mut file = engine.disk.open(path)?;
            let judged = match engine.reader.judge(path, &mut *file, &keys, now) {
                Ok(Ok(judged)) => Ok(engine.verdicts.remember(*digest, now, judged)),
                // What cannot be read is not remembered: another worker may live through it.
                Ok(Err(unfit)) => Err(unfit.words),
                // A gate that cannot run has failed.
                Err(error @ Error::Worker { .. }) => Err(error.to_string()),
                Err(error) => return Err(error),
            };
            self.world.signatures.insert(*digest, judged);
        }
        engine.reader.rest();
        Ok(())
    }
}

/// Says which keys let packages into which stage.
pub(crate) fn signers(config: &Config) -> BTreeMap<(String, String), Vec<Signer>> {
    let signer = |name: &String| {
        let key = config.keys.get(name)?;
        let fingerprint = key.fingerprint.to_string();
        Some(Signer { name: name.clone(), fingerprint, from: key.from, until: key.until })
    };
    let stages = config.signed_by.iter();
    stages.map(|(stage, names)| (stage.clone(), names.iter().filter_map(signer).collect())).collect()
}
