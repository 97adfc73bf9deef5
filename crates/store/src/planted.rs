//! Bugs that can be planted at run time, to prove that the crash sweep would find them.
//!
//! The commit order is a list of promises to a disk that may forget whatever was not synced. A test that finds
//! nothing wrong shows little unless it is known to find something when something *is* wrong: so every durable
//! step asks [`is`] whether a test wants it left out or swapped, and the sweep is run once for each [`Bug`].
//!
//! A test plants a bug in its own thread by `plant`; a whole process that was started with
//! `SLUICE_PLANTED_BUG=<name of the variant>` has it planted in every thread, by [`plant_by_environment`].
//!
//! Without the feature `testing` there is nothing to plant: [`is`] is a constant `false`, and the environment is
//! not looked at.

#[cfg(any(test, feature = "testing"))]
mod environment;

/// Defines [`Bug`], and in builds for tests the list of all of them.
macro_rules! bugs {
    ($($(#[$about:meta])* $bug:ident,)*) => {
        /// Names one thing that can be wrong in the commit, in the recovery, or in the answers.
        ///
        /// Each variant says what happens *while the bug is planted*.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Bug {
            $($(#[$about])* $bug,)*
        }

        #[cfg(any(test, feature = "testing"))]
        impl Bug {
            /// Every bug there is.
            pub const ALL: &'static [Bug] = &[$(Bug::$bug,)*];
        }
    };
}

bugs! {
    // Store: steps left out of the commit.
    /// The bytes of the files of the two halves are not fsynced.
    FilesOfTheHalvesNotSynced,
    /// The directories inside the two halves are not fsynced.
    DirectoriesOfTheHalvesNotSynced,
    /// The touched directories below `packages/` are not fsynced.
    PackagesNotSynced,
    /// The touched directories below `pool/` are not fsynced.
    PoolNotSynced,
    /// `generations/` is not fsynced after P was renamed into it.
    GenerationsNotSynced,
    /// `public/` is not fsynced after W was renamed into it.
    PublicNotSyncedAfterTheRename,
    /// `public/` is not fsynced after the flip of `current`.
    PublicNotSyncedAfterTheFlip,
    /// No directory is fsynced at all, on a real disk: what keeps a name then is chance, a neighbour or the journal.
    NoDirectorySynced,
    /// `links.json` (its bytes, its name, or the name of its directory) is not fsynced before the first link.
    LinksFileNotSynced,

    // Store: steps swapped.
    /// `current` names the generation before its halves are fsynced.
    FlippedBeforeTheHalvesAreSynced,
    /// `current` names the generation before W stands at its name.
    FlippedBeforeTheRenameOfW,
    /// Links are made in `packages/` and `pool/` before `links.json` names them.
    LinkedBeforeLinksFile,
    /// Links a generation drops are removed before the flip instead of after the answers.
    DroppedBeforeTheFlip,
    /// The tops of the two halves are never made 0555.
    TopsNotSealed,

    // Store: recovery and finish.
    /// Recovery publishes a generation that was sealed and never flipped to.
    RecoveryPublishesSealed,
    /// Recovery believes a visible `current` without making it anew and fsyncing `public/`, there or in the look
    /// at whether all directories are there.
    RecoveryTrustsTheFlip,
    /// Recovery undoes the `links.json` of the generation that is published.
    RecoveryUndoesPublishedLinks,
    /// Recovery leaves the links of an abandoned generation where they are.
    RecoveryLeavesAbandonedLinks,
    /// Recovery removes `staging/N` of an abandoned generation before it undid the links named there.
    RecoveryForgetsBeforeItUndoes,

    // Store: numbers and what is carried.
    /// The next number does not heed generations that were abandoned.
    NumberUsedAgain,
    /// What is carried from the parent is linked forward without a look, before the commit or in it, at whether it
    /// still is what was recorded.
    ForwardLinkNotCompared,

    // What is kept for clients that are in the middle of something.
    /// A package that leaves a repository is not retained.
    LeftPackageNotRetained,
    /// The next generation forgets what its parent retained.
    RetainedForgotten,
    /// A sweep lets what left, and the generations that list it, go before their grace is over.
    GraceForgotten,
    /// A sweep does not heed the names that were given to generations, nor does the check of what it wants to drop.
    NamesForgotten,

    // Ids.
    /// A claim that was carried out before a crash is taken up as if it were new.
    ClaimsNotRemembered,
    /// An id that was settled is settled again.
    IdsNotRemembered,

    // Engine and control directory.
    /// Requests are answered before `public/` was fsynced after the flip.
    AnsweredBeforeTheLastSync,
    /// The move of a request between the directories of the spool is not fsynced.
    SpoolMoveNotSynced,
    /// The request is moved to `done/` or `failed/` before its answer was written.
    MovedBeforeTheAnswer,
    /// The bytes of an answer are not fsynced.
    AnswerNotSynced,
    /// A refusal is answered before it stands in the audit log.
    AnsweredBeforeTheAuditLog,
    /// Recovery answers by lines of the audit log that it read and did not fsync.
    RecoveryTrustsTheAuditLog,
    /// A line of the audit log is not fsynced.
    AuditLineNotSynced,
    /// What follows a torn tail of the audit log does not say that the tail counts for nothing.
    TornTailNotHealed,

    // Time and retention.
    /// What the wall clock says counts as witnessed, so that a clock that jumps makes things go early.
    SweepsEarly,
    /// A promoted package leaves the stage it came from at once, whatever overlap its route has.
    OverlapForgotten,

    // What readers are promised.
    /// The links of packages that leave a repository are dropped at once, instead of after the grace.
    PackagesLeaveAtOnce,
    /// Superseded metadata is left out of the next generation, instead of kept for the grace.
    MetadataLeavesAtOnce,
    /// Files that change are dated as the hour, so that web servers call different ones the same.
    DatesStandStill,

    // Signed metadata.
    /// What a signer makes is published as it comes, whether it verifies or not.
    SignatureNotVerified,
    /// New metadata keeps the signature of what it supersedes.
    SignatureCarried,

    // Views.
    /// A view whose packages change is carried on as it was.
    ViewCarried,
    /// Views are worked out by the first edition of what a meta-package is, as programs before did.
    ViewsOfTheFirstEdition,
    /// A view is written anew though its packages stay.
    ViewWrittenAnew,

    // Going on from a backup.
    /// What was copied back is not synced before the site goes on from it.
    RestoredNotSynced,

    // Repodata of a plain directory.
    /// The bytes of the new repodata are not fsynced.
    RepodataFilesNotSynced,
    /// The directory of the new repodata is not fsynced.
    RepodataDirectoryNotSynced,
    /// The old repodata is renamed away, then the new one is renamed into its place.
    RepodataRenamedAway,
    /// The directory that holds `repodata` is not fsynced after the exchange.
    RepodataPlaceNotSynced,
    /// Without an exchange, the index is moved in before the files it names are there for good.
    RepodataIndexMovedFirst,
}

#[cfg(any(test, feature = "testing"))]
pub use environment::plant_by_environment;
#[cfg(any(test, feature = "testing"))]
pub use switched::{Planted, is, plant};

/// Looks at nothing, in a build without the feature `testing`.
#[cfg(not(any(test, feature = "testing")))]
#[inline(always)]
pub fn plant_by_environment(_look: impl FnOnce(&str) -> Option<std::ffi::OsString>) -> Result<(), String> {
    Ok(())
}

/// Says whether `bug` is planted in this thread: never, in a build without the feature `testing`.
#[cfg(not(any(test, feature = "testing")))]
#[inline(always)]
pub const fn is(_bug: Bug) -> bool {
    false
}

#[cfg(any(test, feature = "testing"))]
mod switched {
    use super::Bug;
    use std::cell::Cell;
    use std::marker::PhantomData;

    thread_local! {
        static NOW: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Keeps one bug planted in this thread until it is dropped.
    #[derive(Debug)]
    #[must_use = "the bug is pulled out again as soon as this is dropped"]
    pub struct Planted {
        before: Option<Bug>,
        // The switch is the thread's own, so the guard must end where it began.
        here: PhantomData<*const ()>,
    }

    /// Plants `bug` in this thread, in the place of any bug planted before, until the answer is dropped.
    pub fn plant(bug: Bug) -> Planted {
        Planted { before: NOW.with(|now| now.replace(Some(bug))), here: PhantomData }
    }

    /// Says whether `bug` is planted, in this thread or in the whole process.
    ///
    /// Threads started by this one start without the bugs of this one.
    pub fn is(bug: Bug) -> bool {
        NOW.with(|now| now.get() == Some(bug)) || super::environment::of_process() == Some(bug)
    }

    impl Drop for Planted {
        fn drop(&mut self) {
            NOW.with(|now| now.set(self.before));
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_bug_is_planted_in_this_thread_until_its_guard_is_dropped() {
            assert!(!is(Bug::PoolNotSynced));
            {
                let _outer = plant(Bug::PoolNotSynced);
                assert!(is(Bug::PoolNotSynced) && !is(Bug::TopsNotSealed));
                {
                    let _inner = plant(Bug::TopsNotSealed);
                    assert!(!is(Bug::PoolNotSynced) && is(Bug::TopsNotSealed));
                }
                assert!(is(Bug::PoolNotSynced) && !is(Bug::TopsNotSealed));
                assert!(!std::thread::spawn(|| is(Bug::PoolNotSynced)).join().unwrap());
            }
            assert!(!is(Bug::PoolNotSynced));
        }
    }
}
