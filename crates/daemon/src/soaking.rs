//! Since when packages are in their stage: what entered lately, by the manifests of the generations since.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;

use jiff::{SignedDuration, Timestamp};
use nevra::Sha256;
use plan::{Repository, World};
use store::Store;

use crate::account::{Account, Shelved};
use crate::error::Error;

/// What one generation brought; nothing of it ever changes.
#[derive(Debug)]
struct Entered {
    parent: Option<u64>,
    /// What was witnessed when it was published.
    at: Timestamp,
    packages: BTreeMap<Repository, Vec<Sha256>>,
}

/// Remembers what generations brought, by number: each manifest is read once.
#[derive(Debug, Default)]
pub(crate) struct Soaking(BTreeMap<u64, Entered>);

impl Soaking {
    /// Fills in when packages entered the repositories, as far back as each `wanted` says.
    pub(crate) fn fill(
        &mut self,
        world: &mut World,
        store: &Store,
        wanted: &BTreeMap<Repository, SignedDuration>,
    ) -> Result<(), Error> {
        let wanted: Vec<(&Repository, &SignedDuration)> =
            wanted.iter().filter(|(repository, _)| !world.entered.contains_key(*repository)).collect();
        let Some(longest) = wanted.iter().map(|(_, soak)| **soak).max() else { return Ok(()) };
        let proven = world.proven();
        let mut known: BTreeMap<Repository, BTreeMap<Sha256, Timestamp>> =
            wanted.iter().map(|(repository, _)| ((*repository).clone(), BTreeMap::new())).collect();
        let mut number = (world.generation > 0).then_some(world.generation);
        let mut oldest = world.generation;
        while let Some(at) = number {
            let entered = self.read(store, at)?;
            if proven.duration_since(entered.at) >= longest {
                break;
            }
            for (repository, packages) in &entered.packages {
                if let Some(of_this) = known.get_mut(repository) {
                    for package in packages {
                        // The newest generation comes first: what came back soaks anew.
                        of_this.entry(*package).or_insert(entered.at);
                    }
                }
            }
            oldest = at;
            number = entered.parent;
        }
        self.0.retain(|number, _| *number >= oldest);
        world.entered.extend(known);
        Ok(())
    }

    fn read(&mut self, store: &Store, number: u64) -> Result<&Entered, Error> {
        let place = match self.0.entry(number) {
            MapEntry::Occupied(known) => return Ok(known.into_mut()),
            MapEntry::Vacant(place) => place,
        };
        let manifest = store.history(number)?;
        let account = Account::of(number, &manifest.account)?;
        let shelved = |name: &String| account.repositories.get(name).map(Shelved::repository);
        let packages = account.changes.iter().filter_map(|(name, moves)| {
            let entered = moves.entered.iter().map(|listed| listed.pkgid).collect();
            Some((shelved(name)?, entered))
        });
        Ok(place.insert(Entered {
            parent: manifest.parent.map(|parent| parent.number),
            at: account.clock.as_ref().map_or(manifest.created, |witness| witness.time),
            packages: packages.collect(),
        }))
    }
}
