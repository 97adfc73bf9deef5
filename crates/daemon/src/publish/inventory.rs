//! The inventory of the generation that is drafted.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use store::{Modified, Source};

use super::Publication;
use crate::account::Shelved;
use crate::inventory::{Inventory, Item, NAME};
use crate::restricted::Restrictions;
use crate::signing::{CERTIFICATES, SIGNATURE};

impl Publication<'_> {
    /// Writes what the generation consists of, as far as the metadata does not say it, for everybody who may have it.
    pub(super) fn write_inventory(
        &self,
        listings: &BTreeMap<String, Shelved>,
        modified: Modified,
        public: &mut BTreeMap<Utf8PathBuf, Source>,
    ) {
        let restrictions = Restrictions::of(self.config);
        let mut inventory = Inventory::new(self.number, self.now);
        let mut derived = Vec::new();
        for shelved in listings.values().filter(|shelved| !restrictions.covers(&shelved.path)) {
            inventory.repositories.insert(shelved.path.clone());
            derived.push(format!("{}/repodata/", shelved.path));
        }
        let carried = self.parent.map(|(parent, _)| &parent.files.public);
        for (path, source) in public.iter() {
            let path = path.as_str();
            let name = path.rsplit_once("/repodata/").map_or("", |(_, name)| name);
            let is_derived = !name.is_empty()
                && !["repomd.xml", SIGNATURE, CERTIFICATES].contains(&name)
                && derived.iter().any(|top| path.starts_with(top.as_str()));
            if is_derived || path == NAME || restrictions.covers(path) {
                continue;
            }
            let item = match source {
                Source::Bytes { bytes, modified, until: None } => {
                    Item { size: bytes.len() as u64, sha256: repo::sha256(bytes), modified: modified.seconds }
                }
                Source::Carry => match carried.and_then(|files| files.get(path)) {
                    Some(facts) => {
                        Item { size: facts.size, sha256: facts.sha256, modified: facts.modified.seconds }
                    }
                    None => continue,
                },
                // What is superseded, and old places of packages.
                _ => continue,
            };
            inventory.files.insert(path.to_owned(), item);
        }
        public.insert(NAME.into(), Source::Bytes { bytes: inventory.write(), modified, until: None });
    }
}
