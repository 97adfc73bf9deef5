//! What the scrub finds: put on record with every place it touches, and kept from going any further.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use jiff::Timestamp;
use nevra::Sha256;

use super::Engine;
use crate::account::Account;
use crate::audit::Record;
use crate::error::Error;
use crate::observe::read_shelf;
use crate::scrub::Found;

impl Engine {
    /// Takes note, at each step, of what a scrub has found.
    pub fn take_note_of(&mut self, found: Receiver<Found>) {
        self.scrubbed = Some(found);
    }

    /// Puts on record what was found since the last step. After an error it is tried again by the next.
    pub(super) fn record_damage(&mut self, now: Timestamp) -> Result<(), Error> {
        self.unrecorded.extend(self.scrubbed.iter().flat_map(Receiver::try_iter));
        while let Some(Found { digest, wrong }) = self.unrecorded.first().cloned() {
            match (wrong, self.damaged.contains(&digest)) {
                (Some(words), false) => {
                    let places = self.places_of(&digest)?;
                    for place in &places {
                        tracing::error!(package = %digest, "the damaged package is listed by {place}");
                    }
                    let words = [vec![words], places].concat();
                    self.audit.append(&Record::of_damage(now, digest, words))?;
                    self.damaged.insert(digest);
                }
                (None, true) => {
                    tracing::info!(package = %digest, "the package is sound again");
                    self.audit.append(&Record::of_mending(now, digest))?;
                    self.damaged.remove(&digest);
                }
                _ => {}
            }
            self.unrecorded.remove(0);
        }
        Ok(())
    }

    /// Names every kept generation that lists a package, and in which repositories.
    fn places_of(&mut self, digest: &Sha256) -> Result<Vec<String>, Error> {
        let mut places = BTreeMap::<u64, Vec<String>>::new();
        for number in self.store.numbers()? {
            let generation = self.store.generation(number)?;
            let account = Account::of(number, &generation.manifest.account)?;
            for (name, shelved) in &account.repositories {
                // Not remembered: there may be hundreds of generations.
                let shelf = read_shelf(&self.store, &generation, shelved)?;
                if shelf.listed.iter().any(|listed| listed.pkgid == *digest) {
                    places.entry(number).or_default().push(name.clone());
                }
            }
        }
        let words =
            |(number, names): (u64, Vec<String>)| format!("generation {number} in {}", names.join(", "));
        Ok(places.into_iter().map(words).collect())
    }
}
