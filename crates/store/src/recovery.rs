//! Start-up: what each state of a generation means, and what is done about it.
//!
//! P is the private half in `generations/`, W the public half in `public/@N`.
//!
//! | staging/N | P | W | current | means | done |
//! |---|---|---|---|---|---|
//! | - | - | - | < N | idle | nothing |
//! | any | any | any, not all absent | < N | being built, or sealed and not published | quarantine |
//! | - | + | + | < N | `current` was turned back by hand: N was published | nothing, [`Error::Broken`] |
//! | any | + | + | N | visible, perhaps not durable | `current` anew, `public/` synced, then the names |
//! | + | any | any | > N | left over, though no crash leaves it | `staging/N` to quarantine, its links stay |
//! | - | + | + | > N | superseded | nothing |
//! | | | | unreadable, dangling, or half of it missing | somebody broke it | nothing, [`Error::Broken`] |

use std::collections::BTreeSet;

use crate::paths::number_of;
use crate::planted::{self, Bug};
use crate::store::public_number;
use crate::{Error, Generation, Lock, Store};

/// What start-up found, after it did what was to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing was ever published.
    Empty,
    /// The generation in force is durable and finished; those named here were never in force and lie in
    /// `quarantine/`: their requests are planned again.
    Idle {
        /// The generations put away now, lowest first.
        quarantined: Vec<u64>,
    },
    /// The generation in force is durable and not finished: its requests may lack their answers. Write
    /// them, then call [`Store::finish`].
    Visible {
        /// The generation.
        number: u64,
    },
}

impl Store {
    /// Brings the root into a state in which a commit may follow, whatever crash it was left by.
    ///
    /// Everything this relies on or did is durable when it returns, and it may itself be interrupted
    /// anywhere and repeated. With [`Error::Broken`] nothing was touched: no crash leaves that behind.
    pub fn recover(&self, lock: &Lock) -> Result<Recovery, Error> {
        self.demand(lock)?;
        let current = self.current()?;
        let number = current.as_ref().map_or(0, |generation| generation.number);
        let staged: BTreeSet<u64> = self.numbers_in(&self.paths.staging(), number_of)?.into_iter().collect();
        let unpublished = self.unpublished(number, &staged)?;

        if planted::is(Bug::RecoveryPublishesSealed)
            && let Some(sealed) = unpublished.iter().find(|number| self.generation(**number).is_ok())
        {
            self.point(&self.paths.current(), *sealed, &self.temporary())?;
            self.disk.sync_directory(&self.paths.public())?;
            return Ok(Recovery::Visible { number: *sealed });
        }
        if let Some(generation) = &current {
            self.prove_anew(generation)?;
        }
        for number in &unpublished {
            self.quarantine(*number)?;
        }
        for number in staged.range(..number) {
            self.quarantine_leftovers(*number)?;
        }
        if planted::is(Bug::RecoveryUndoesPublishedLinks)
            && let Some(links) = self.read_links(number)?
        {
            self.undo_links(&links)?;
        }
        Ok(match current {
            None => Recovery::Empty,
            Some(_) if staged.contains(&number) => Recovery::Visible { number },
            Some(_) => Recovery::Idle { quarantined: unpublished.into_iter().collect() },
        })
    }

    /// The generations above `current` of which anything exists. Touches nothing, but sees to it that all of
    /// them can be taken away.
    fn unpublished(&self, current: u64, staged: &BTreeSet<u64>) -> Result<BTreeSet<u64>, Error> {
        let private = self.numbers_in(&self.paths.generations(), number_of)?;
        let public = self.numbers_in(&self.paths.public(), public_number)?;
        let all = staged.iter().chain(&private).chain(&public);
        let unpublished: BTreeSet<u64> = all.copied().filter(|number| *number > current).collect();
        for number in &unpublished {
            // `staging/N` goes only when N is in force and its requests are answered.
            if !staged.contains(number) && private.contains(number) && public.contains(number) {
                let what = match current {
                    0 => format!("it is missing, but generation {number} was published"),
                    _ => format!("it names generation {current}, but generation {number} was published"),
                };
                return Err(self.broken(what));
            }
            self.read_links(*number)?;
        }
        if current == 0 && !self.past_numbers()?.is_empty() {
            return Err(self.broken("it is missing, but generations were published".to_owned()));
        }
        Ok(unpublished)
    }

    /// Makes what a crash may have left in memory only durable: a link that was there and was never synced
    /// would be believed now and gone after the next power cut.
    fn prove_anew(&self, generation: &Generation) -> Result<(), Error> {
        if planted::is(Bug::RecoveryTrustsTheFlip) {
            return Ok(());
        }
        let temporary = self.temporary();
        self.point(&self.paths.current(), generation.number, &temporary)?;
        // A rename is promised when both directories are synced: this one, and those of a process that was
        // killed before it could.
        let staged = self.paths.staging_of(generation.number);
        if self.disk.state(&staged)?.is_some() {
            self.disk.sync_directory(&staged)?;
        }
        self.disk.sync_directory(&self.paths.staging())?;
        self.disk.sync_directory(&self.paths.public())?;
        self.make_names(&generation.manifest.names, &temporary)
    }

    /// Where recovery makes symlinks before it renames them.
    fn temporary(&self) -> camino::Utf8PathBuf {
        self.paths.staging().join("pointer")
    }
}

#[cfg(test)]
pub(crate) mod tests;
