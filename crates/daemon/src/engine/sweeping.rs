//! The sweeper: the clock asks for a sweep when something has been over for long enough, and nobody else waits.
//!
//! What it asks for is a request like any other: planned, checked, published and recorded. It is asked only when
//! nothing waits but for a signature, so that nobody waits for it, and never for nothing.

use std::sync::Arc;

use jiff::Timestamp;
use plan::{Action, World};
use store::Generation;

use super::{Engine, RETRY};
use crate::account::Account;
use crate::error::Error;
use crate::promises::quarantined_until;
use crate::waiting::Waiting;

/// What the sweeper knows between two steps.
#[derive(Debug, Default)]
pub(crate) struct Sweeper {
    /// The generation that was looked at, and the next instant at which something of it is over.
    due: Option<(u64, Option<Timestamp>)>,
    /// Before this nothing is asked for again.
    not_before: Option<Timestamp>,
    /// When quarantine was looked at.
    looked: Option<Timestamp>,
}

impl Engine {
    /// Asks for a sweep if something has been over for as long as the configuration lets it lie.
    pub(super) fn ask_for_a_sweep(
        &mut self,
        current: &Generation,
        account: &Account,
        now: Timestamp,
    ) -> Result<(), Error> {
        // What waits for a signature may wait for long, and is held up by no sweep.
        if !self.waiting.is_empty() && self.signing.rests_at(now).is_none() {
            return Ok(());
        }
        let proven = self.witnessing.witness.time.min(now);
        let every = self.config.sweep_every;
        if self.sweeper.looked.is_none_or(|looked| looked + every <= proven) {
            self.sweeper.looked = Some(proven);
            self.empty_quarantine(proven);
        }
        if self.sweeper.not_before.is_some_and(|instant| proven < instant) {
            return Ok(());
        }
        let due = match self.sweeper.due {
            Some((number, due)) if number == current.number => due,
            _ => self.next_due(current, account, now, Timestamp::MIN)?,
        };
        self.sweeper.due = Some((current.number, due));
        if due.and_then(|due| due.checked_add(every).ok()).is_some_and(|due| due <= proven) {
            self.waiting.push(Waiting::of_the_clock("sweep", Action::Sweep {}, now));
            // What stays although its time is over waits for something else; it makes nobody look again.
            self.sweeper.due = Some((current.number, self.next_due(current, account, now, proven)?));
            self.sweeper.not_before = proven.checked_add(every.max(RETRY)).ok();
        }
        Ok(())
    }

    /// Forgets that the clock asked for a sweep, which could not be carried out: it asks again in its time.
    pub(super) fn forget_the_sweep(&mut self) {
        self.waiting.retain(|one| !(one.is_of_the_clock() && one.request.action == Action::Sweep {}));
    }

    /// Tells the first instant after another at which something may go.
    fn next_due(
        &mut self,
        current: &Generation,
        account: &Account,
        now: Timestamp,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let mut world = World::new(Arc::clone(&self.config.layout), now, current.number);
        world.kept_generations = self.store.numbers()?.into_iter().collect();
        world.names = crate::line::names(&current.manifest);
        self.chapters.fill_kept_until(&mut world, &self.store, self.config.grace)?;
        let held: Vec<u64> =
            world.names.values().filter(|one| !one.ended).map(|one| one.generation).collect();
        // The generation that a sweep superseded goes with the next one: else one sweep would call for another for ever.
        let swept = account.requests.iter().all(|one| one.answer.action == "sweep");
        let superseded = current.manifest.parent.filter(|_| swept).map(|parent| parent.number);
        let goes = |number: &u64| !held.contains(number) && superseded != Some(*number);
        let generations = world.kept_until.iter().filter(|(number, _)| goes(number)).map(|(_, until)| *until);
        let links = current.manifest.retained.values().copied();
        let files = current.files.public.values().filter_map(|facts| facts.until);
        let pool = account.unlinked.values().copied();
        Ok(generations.chain(links).chain(files).chain(pool).filter(|instant| *instant > after).min())
    }

    /// Deletes what has lain in quarantine for long enough. It never was public, so nothing is published.
    fn empty_quarantine(&self, proven: Timestamp) {
        let over = |one: &store::Quarantined| quarantined_until(one).is_some_and(|until| until <= proven);
        let emptied = self.store.quarantined().and_then(|all| {
            all.iter().filter(|one| !one.emptied && over(one)).try_for_each(|one| {
                tracing::info!("the abandoned generation {} leaves quarantine", one.number);
                self.store.empty_quarantine(&self.lock, one.number)
            })
        });
        if let Err(error) = emptied {
            tracing::warn!("quarantine is not emptied: {error}");
        }
    }
}
