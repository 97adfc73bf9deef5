//! Metalinks: written anew in every generation, so that what they name first is never swept while they are read.
//!
//! ```text
//!   @42/<path>/repodata/repomd.xml     what this generation has, whatever comes after it
//!   <path>/repodata/repomd.xml         whatever is current; what is superseded answers there, too
//!   @40/<path>/repodata/repomd.xml     what may be taken besides, from generations that are kept
//! ```

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use repo::{Metalink, Offered};
use store::{Modified, Source};

use super::Publication;
use crate::account::{Offer, Shelved};

/// How many sets of metadata a metalink offers.
const OFFERS_MAX: usize = 8;

/// The name of a metalink, in the directory that holds `repodata`.
pub(crate) const NAME: &str = "metalink.xml";

impl Publication<'_> {
    /// Writes the metalink of every repository and view that is to have one, and leaves behind those that are no longer wanted.
    pub(super) fn write_metalinks(
        &self,
        listings: &mut BTreeMap<String, Shelved>,
        modified: Modified,
        public: &mut BTreeMap<Utf8PathBuf, Source>,
    ) {
        for shelved in listings.values_mut() {
            let file = Utf8PathBuf::from(format!("{}/{NAME}", shelved.path));
            let is_wanted = self.config.layout.writing(&shelved.repository()).has_metalink;
            let newest = if is_wanted { self.newest(&shelved.path, public) } else { None };
            let Some(newest) = newest else {
                // One that nobody keeps up would hold clients back for ever.
                if !std::mem::take(&mut shelved.offers).is_empty() {
                    public.remove(&file);
                }
                continue;
            };
            shelved.offers = self.offers(newest, &shelved.offers);
            let bytes = self.metalink(shelved).write();
            public.insert(file, Source::Bytes { bytes, modified, until: None });
        }
    }

    /// Describes the repomd.xml that this generation has at `path`.
    fn newest(&self, path: &str, public: &BTreeMap<Utf8PathBuf, Source>) -> Option<Offer> {
        let file = Utf8PathBuf::from(format!("{path}/repodata/repomd.xml"));
        let generation = self.number;
        match public.get(&file)? {
            Source::Bytes { bytes, modified, .. } => Some(Offer {
                since: generation,
                last: generation,
                generation,
                sha256: repo::sha256(bytes),
                size: bytes.len() as u64,
                timestamp: modified.seconds,
            }),
            _ => {
                let facts = self.parent?.0.files.public.get(file.as_str())?;
                Some(Offer {
                    since: generation,
                    last: generation,
                    generation,
                    sha256: facts.sha256,
                    size: facts.size,
                    timestamp: facts.modified.seconds,
                })
            }
        }
    }

    /// Puts `newest` before those of `earlier` that some kept generation has.
    fn offers(&self, mut newest: Offer, earlier: &[Offer]) -> Vec<Offer> {
        let mut others = earlier.iter();
        if earlier.first().is_some_and(|offer| offer.sha256 == newest.sha256) {
            newest.since = others.next().map_or(newest.since, |offer| offer.since);
        }
        let others = others.filter(|offer| offer.sha256 != newest.sha256);
        let others =
            others.filter_map(|offer| Some(Offer { generation: self.longest_kept(offer)?, ..*offer }));
        std::iter::once(newest).chain(others).take(OFFERS_MAX).collect()
    }

    /// Finds the generation that has what is offered and stays longest: one with a name, or the newest.
    fn longest_kept(&self, offer: &Offer) -> Option<u64> {
        let kept = self.after.kept_generations.range(offer.since..=offer.last);
        let kept: Vec<u64> = kept.filter(|number| !self.drop_generations.contains(number)).copied().collect();
        let is_named = |number: &&u64| {
            self.after.names.values().any(|named| named.generation == **number && !named.ended)
        };
        kept.iter().rev().find(is_named).or(kept.last()).copied()
    }

    fn metalink(&self, shelved: &Shelved) -> Metalink {
        let url = |top: String| format!("{}/{top}{}/repodata/repomd.xml", self.config.base_url, shelved.path);
        let pinned = |offer: &Offer| url(format!("@{}/", offer.generation));
        let mut urls: Vec<String> = shelved.offers.iter().map(pinned).collect();
        urls.insert(urls.len().min(1), url(String::new()));
        let offered =
            |offer: &Offer| Offered { sha256: offer.sha256, size: offer.size, timestamp: offer.timestamp };
        Metalink { offered: shelved.offers.iter().map(offered).collect(), urls }
    }
}
