//! One commit, from a draft to a generation that is in force.

use crate::staging::Staging;
use crate::{CommitError, Draft, Error, Generation, Lock, Store};

impl Store {
    /// Makes the generation `draft` describes and puts it in force, its names included.
    ///
    /// When this returns the generation, it is visible and survives a power cut: its requests may be
    /// answered, and then [`Store::finish`] is due before the next commit. With
    /// [`CommitError::Abandoned`] nothing of it is visible and what was made is gone but for its number, which
    /// is used and kept as an empty directory in `quarantine/`. With [`CommitError::Unproven`] it is visible, but nobody may be told.
    ///
    /// No fsync is ever repeated. What the draft means is not judged: only what no generation can hold is
    /// refused.
    pub fn commit(&self, lock: &Lock, draft: Draft) -> Result<Generation, CommitError> {
        let number = draft.number;
        let parent = self.admit(lock, &draft).map_err(CommitError::Abandoned)?;
        let sealed = Staging::begin(self, draft, parent)
            .and_then(Staging::link)
            .and_then(Staging::fill)
            .and_then(Staging::seal)
            .map_err(CommitError::Abandoned);
        match sealed.and_then(|sealed| sealed.publish(lock)) {
            Err(CommitError::Abandoned(error)) => {
                Err(CommitError::Abandoned(self.abandon(lock, number, error)))
            }
            other => other,
        }
    }

    /// Refuses, before anything is touched, a draft that cannot follow what is there.
    fn admit(&self, lock: &Lock, draft: &Draft) -> Result<Option<Generation>, Error> {
        self.demand(lock)?;
        let parent = self.current()?;
        let none = Default::default();
        draft.check(parent.as_ref().map_or(&none, |parent| &parent.manifest.names))?;
        let next = self.next_number()?;
        draft.demand(draft.number >= next, || format!("the next number is {next}"))?;
        let unfinished = self.numbers_in(&self.paths.staging(), crate::paths::number_of)?;
        draft.demand(unfinished.is_empty(), || format!("generations {unfinished:?} are not finished"))?;
        let kept = self.numbers()?;
        for (name, named) in draft.names.iter().filter(|(_, named)| !named.ended) {
            let kept = named.generation == draft.number || kept.contains(&named.generation);
            draft.demand(kept, || {
                format!("`{name}` names generation {}, which is not kept", named.generation)
            })?;
        }
        Ok(parent)
    }

    /// Cleans an abandoned generation away as recovery would, and answers with what to report.
    ///
    /// Nothing stays for a person to look at: the error says what was wrong, and a request that fails at
    /// every attempt must not fill the disk.
    fn abandon(&self, lock: &Lock, number: u64, error: Error) -> Error {
        match self.quarantine(number).and_then(|()| self.empty_quarantine(lock, number)) {
            Ok(()) => error,
            Err(cleaning) => Error::NotCleaned { error: Box::new(error), cleaning: Box::new(cleaning) },
        }
    }
}

#[cfg(test)]
mod tests;
