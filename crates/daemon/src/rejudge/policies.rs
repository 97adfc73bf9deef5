//! The configurations that were ever in force, and what of them can be judged by again.

use std::collections::BTreeMap;
use std::sync::Arc;

use nevra::Sha256;
use plan::Layout;
use store::Store;

use crate::config::Config;

/// A configuration, and its layout without the gates whose evidence is not kept.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) config: Config,
    pub(super) layout: Arc<Layout>,
}

/// Reads each configuration once.
#[derive(Debug, Default)]
pub(super) struct Policies {
    /// Those that the audit log holds.
    recorded: BTreeMap<Sha256, Vec<u8>>,
    read: BTreeMap<Sha256, Option<Arc<Policy>>>,
}

impl Policies {
    /// Learns of one that the audit log holds.
    pub(super) fn learn(&mut self, text: &str) {
        self.recorded.insert(repo::sha256(text.as_bytes()), text.as_bytes().to_vec());
    }

    /// Finds the one with this digest; `None` if it is not there, or does not read.
    pub(super) fn of(&mut self, store: &Store, digest: &Sha256) -> Option<Arc<Policy>> {
        if let Some(known) = self.read.get(digest) {
            return known.clone();
        }
        let bytes = store.policy(digest).ok().or_else(|| self.recorded.get(digest).cloned());
        let config = bytes.and_then(|bytes| Config::parse(&bytes, "policy").ok());
        let policy = config.map(|config| {
            let mut layout = (*config.layout).clone();
            for product in layout.products.values_mut() {
                product.stages.iter_mut().for_each(|stage| stage.closure = None);
                product.routes.iter_mut().for_each(|route| route.external.clear());
            }
            Arc::new(Policy { config, layout: Arc::new(layout) })
        });
        self.read.insert(*digest, policy.clone());
        policy
    }
}
