//! Publishing what was sealed: the renames, and the one instant.

use crate::planted::{self, Bug};
use crate::trees::SEALED_DIRECTORY;
use crate::{CommitError, Error, Generation, Lock, Store, Writing};

/// A generation that is complete, durable and read back, but still in `staging/N`.
pub(crate) struct Sealed<'a> {
    store: &'a Store,
    generation: Generation,
    /// Empty, unless a bug was planted that syncs too late.
    late: Vec<Box<dyn Writing>>,
}

impl<'a> Sealed<'a> {
    pub(crate) fn new(store: &'a Store, generation: Generation, late: Vec<Box<dyn Writing>>) -> Sealed<'a> {
        Sealed { store, generation, late }
    }

    /// Puts the generation in force, and its names after it.
    ///
    /// Until `current` was renamed every error abandons it; from there on every error leaves it unproven, and
    /// so does one of the rename itself unless `current` can be read and still is what it was.
    pub(crate) fn publish(mut self, lock: &Lock) -> Result<Generation, CommitError> {
        self.store.demand(lock).map_err(CommitError::Abandoned)?;
        if planted::is(Bug::FlippedBeforeTheRenameOfW) {
            self.move_private().and_then(|()| self.flip()).map_err(CommitError::Abandoned)?;
        }
        self.move_into_place().map_err(CommitError::Abandoned)?;
        if planted::is(Bug::DroppedBeforeTheFlip) {
            self.store
                .drop_links(self.generation.manifest.drop_links.iter())
                .map_err(CommitError::Abandoned)?;
        }
        if let Err(error) = self.flip() {
            // Only who sees that nothing changed may take the generation away: the rename may have been done,
            // and what `current` leads to must not go.
            let before = self.generation.manifest.parent.map(|parent| parent.number);
            let unchanged = self.store.pointed().is_ok_and(|pointed| pointed == before);
            return Err(if unchanged { CommitError::Abandoned(error) } else { CommitError::Unproven(error) });
        }
        for writing in &mut self.late {
            writing.sync().map_err(CommitError::Unproven)?;
        }
        self.prove().map_err(CommitError::Unproven)?;
        Ok(self.generation)
    }

    /// Moves P, then W; makes both names durable, and then the tops as immutable as the rest.
    fn move_into_place(&self) -> Result<(), Error> {
        let (store, number) = (self.store, self.generation.number);
        let (disk, paths) = (&store.disk, &store.paths);
        if !planted::is(Bug::FlippedBeforeTheRenameOfW) {
            self.move_private()?;
        }
        disk.rename(&paths.staging_of(number).join("public"), &paths.public_half(number))?;
        if !planted::is(Bug::GenerationsNotSynced) {
            disk.sync_directory(&paths.generations())?;
        }
        if !planted::is(Bug::PublicNotSyncedAfterTheRename) {
            disk.sync_directory(&paths.public())?;
        }
        disk.sync_directory(&paths.staging_of(number))?;
        if !planted::is(Bug::TopsNotSealed) {
            for top in [paths.private_half(number), paths.public_half(number)] {
                disk.set_mode(&top, SEALED_DIRECTORY)?;
                disk.sync_directory(&top)?;
            }
        }
        Ok(())
    }

    fn move_private(&self) -> Result<(), Error> {
        let (paths, number) = (&self.store.paths, self.generation.number);
        self.store.disk.rename(&paths.staging_of(number).join("private"), &paths.private_half(number))
    }

    /// The one instant: `current` names the new generation.
    fn flip(&self) -> Result<(), Error> {
        let paths = &self.store.paths;
        let temporary = paths.staging_of(self.generation.number).join("current");
        self.store.point(&paths.current(), self.generation.number, &temporary)
    }

    /// Makes the instant durable; only then do names lead to the generation.
    fn prove(&self) -> Result<(), Error> {
        let (store, number) = (self.store, self.generation.number);
        let (disk, paths) = (&store.disk, &store.paths);
        let skipped =
            planted::is(Bug::PublicNotSyncedAfterTheFlip) || planted::is(Bug::AnsweredBeforeTheLastSync);
        if !skipped {
            disk.sync_directory(&paths.public())?;
        }
        disk.sync_directory(&paths.staging_of(number))?;
        if skipped {
            return Ok(());
        }
        store.make_names(&self.generation.manifest.names, &paths.staging_of(number).join("name"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::forgetful::ForgetfulDisk;
    use crate::workshop::Workshop;
    use crate::{CommitError, Draft, Store};

    /// Commits on a disk on which operation `fault` and everything after it fails, reading too.
    fn outcome(draft: &Draft, fault: u64) -> (Result<u64, CommitError>, Vec<String>) {
        let disk = Arc::new(ForgetfulDisk::new());
        let store = Store::new(disk.clone(), "/srv");
        store.create_directories().unwrap();
        let lock = store.lock().unwrap();
        let before = disk.operations();
        disk.record();
        disk.fail_from(before + fault);
        let outcome = store.commit(&lock, draft.clone()).map(|generation| generation.number);
        (outcome, disk.recorded().iter().map(|moment| moment.operation.clone()).collect())
    }

    #[test]
    fn a_flip_that_failed_and_cannot_be_looked_at_is_unproven() {
        let draft = Workshop::empty().plain();
        let (made, operations) = outcome(&draft, u64::MAX / 2);
        assert_eq!(made.unwrap(), 1);
        // The first moment is from before the first operation.
        let flip = operations.iter().position(|words| words == "rename /srv/staging/1/current").unwrap();
        let flip = u64::try_from(flip).unwrap();
        assert!(matches!(outcome(&draft, flip).0, Err(CommitError::Unproven(_))), "the rename itself");
        assert!(matches!(outcome(&draft, flip + 1).0, Err(CommitError::Unproven(_))), "after it");
        assert!(matches!(outcome(&draft, flip - 4).0, Err(CommitError::Abandoned(_))), "well before it");
    }
}
