//! I4 for metalinks: what they offer is what the generations they name have, and those they name are there.

use repo::{Metalink, Offered};

use super::chain::Kept;
use super::{Chain, Look};
use crate::account::{Offer, Shelved};
use crate::publish::METALINK;

impl Look<'_> {
    /// Verifies the metalink of every repository and view of a generation that has one.
    pub(super) fn metalinks(&mut self, generation: &Kept, chain: &Chain) {
        for (_, shelved) in generation.account.listings() {
            let shelved = &shelved;
            let file = format!("{}/{METALINK}", shelved.path);
            let place = format!("public/@{}/{file}", generation.number);
            let is_there = generation.files.public.contains_key(&file);
            if is_there == shelved.offers.is_empty() {
                self.broken(
                    "I4",
                    place,
                    "it is there and offers nothing, or is missing and offers something",
                );
            } else if is_there && let Err(words) = self.metalink(generation, shelved, chain) {
                self.broken("I4", place, words);
            }
        }
    }

    fn metalink(&self, generation: &Kept, shelved: &Shelved, chain: &Chain) -> Result<(), String> {
        let path = &shelved.path;
        let bytes = self.read(&self.root.join(format!("public/@{}/{path}/{METALINK}", generation.number)))?;
        let says = Metalink::parse(&bytes).map_err(|error| error.to_string())?;
        let offered =
            |offer: &Offer| Offered { sha256: offer.sha256, size: offer.size, timestamp: offer.timestamp };
        if says.offered != shelved.offers.iter().map(offered).collect::<Vec<_>>() {
            return Err("it offers other metadata than the manifest says".to_owned());
        }
        let first = shelved.offers.first().map(|offer| offer.generation);
        if first != Some(generation.number) {
            return Err("it is not pinned to its own generation first".to_owned());
        }
        let pinned = |offer: &Offer| format!("/@{}/{path}/repodata/repomd.xml", offer.generation);
        let mut ends: Vec<String> = shelved.offers.iter().map(pinned).collect();
        ends.insert(1, format!("/{path}/repodata/repomd.xml"));
        if ends.len() != says.urls.len() || ends.iter().zip(&says.urls).any(|(end, url)| !url.ends_with(end))
        {
            return Err(format!("it leads to {:?}, not to {ends:?}", says.urls));
        }
        for offer in &shelved.offers {
            let number = offer.generation;
            // One that is not kept may be named by a generation that was superseded, never by the current one.
            let Some(kept) = chain.kept.get(&number) else {
                if generation.number == chain.current {
                    return Err(format!("it names generation {number}, which is not kept"));
                }
                continue;
            };
            let facts = kept.files.public.get(&format!("{path}/repodata/repomd.xml"));
            if facts.is_none_or(|facts| (facts.sha256, facts.size) != (offer.sha256, offer.size)) {
                return Err(format!("generation {number} has another repomd.xml there"));
            }
        }
        Ok(())
    }
}
