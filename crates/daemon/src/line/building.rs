//! Has meta-packages built anew that a decision is about, while the request waits in the line.

use std::collections::BTreeSet;

use plan::Recipe;

use super::Line;
use crate::error::Error;
use crate::rebuilding::built;
use crate::waiting::Waiting;

impl Line<'_> {
    /// Tells the world what is made by recipes; `false` if nobody signs it now, so that the request waits.
    pub(super) fn build(&mut self, recipes: &BTreeSet<Recipe>, waiting: &Waiting) -> Result<bool, Error> {
        self.engine.brought.insert(waiting.claimed.name.clone());
        for recipe in recipes {
            let made = match built(self.engine, recipe, waiting) {
                Err(Error::NotSigned { repository, fault }) => {
                    let until = self.engine.clock.now();
                    self.engine.signing.failed((self.now, until), &repository, &fault);
                    continue;
                }
                made => made?,
            };
            let Some(made) = made else { continue };
            let told = made.map(|(arrived, entry)| {
                let listed = arrived.arrival.listed.clone();
                self.known.add(listed.pkgid, entry);
                self.arriving.extend(arrived.pool.as_ref().map(|pool| (pool.digest, pool.from.clone())));
                self.built.push(arrived);
                listed
            });
            self.world.rebuilt.insert(recipe.clone(), told);
        }
        self.engine.reader.rest();
        let is_whole = recipes.iter().all(|recipe| self.world.rebuilt.contains_key(recipe));
        if !is_whole {
            // A signer that failed just now rests.
            let resting = self.engine.signing.rests_at(self.engine.clock.now());
            self.unsigned = resting.map(|resting| (resting.until, resting.words()));
        }
        Ok(is_whole)
    }
}
