//! What each generation says, read from the disk: the yardstick for what comes over the wire.

use std::collections::HashMap;
use std::fs;
use std::sync::Mutex;

use camino::Utf8PathBuf;
use nevra::Sha256;

/// The generations of one site.
pub struct Ledger {
    public: Utf8PathBuf,
    /// The generation that was current when the readers began.
    pub first: u64,
    said: Mutex<HashMap<(u64, String), Option<Sha256>>>,
}

impl Ledger {
    pub fn new(site_root: Utf8PathBuf) -> Self {
        let mut ledger = Self { public: site_root.join("public"), first: 0, said: Mutex::default() };
        ledger.first = ledger.current();
        ledger
    }

    /// Says whether a generation is kept.
    pub fn is_there(&self, generation: u64) -> bool {
        self.public.join(format!("@{generation}")).is_dir()
    }

    /// Reads which generation is in force now.
    pub fn current(&self) -> u64 {
        let link = fs::read_link(self.public.join("current")).unwrap();
        link.to_str().unwrap().trim_start_matches('@').parse().unwrap()
    }

    /// Tells the digest of a file in a generation; `None` if there is no such generation or file.
    pub fn digest(&self, generation: u64, path: &str) -> Option<Sha256> {
        let key = (generation, path.to_owned());
        if let Some(digest) = self.said.lock().unwrap().get(&key) {
            return *digest;
        }
        let bytes = fs::read(self.public.join(format!("@{generation}")).join(path));
        let digest = bytes.ok().map(|bytes| repo::sha256(&bytes));
        self.said.lock().unwrap().insert(key, digest);
        digest
    }

    /// Says whether a file had these bytes in any generation of a span of time.
    pub fn was_in_force(&self, (first, last): (u64, u64), path: &str, digest: Sha256) -> bool {
        (first..=last).any(|generation| self.digest(generation, path) == Some(digest))
    }
}
