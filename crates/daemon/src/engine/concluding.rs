//! How a published generation is concluded: its requests answered, the log written, and what they needed removed.

use plan::{Action, Answer, Request};
use store::Generation;

use super::{Engine, Step};
use crate::account::Account;
use crate::audit::Record;
use crate::error::Error;
use crate::waiting::Waiting;

impl Engine {
    /// Answers the requests of the published generation `number`, logs it, and removes what it leaves behind.
    pub(super) fn conclude_with(
        &mut self,
        number: u64,
        effects: Vec<(Waiting, Answer)>,
        step: &mut Step,
    ) -> Result<(), Error> {
        self.unfinished = Some(number);
        let result = self.answer_effects(number, &effects, step);
        for (waiting, _) in effects {
            // One that could not be answered comes again and finds its answer by its claim name.
            if result.is_err() {
                self.spool.put_back(&waiting.claimed.name);
            }
            self.carried_out.push(waiting);
        }
        result.and_then(|()| self.conclude_unfinished())
    }

    fn answer_effects(
        &mut self,
        number: u64,
        effects: &[(Waiting, Answer)],
        step: &mut Step,
    ) -> Result<(), Error> {
        // What the clock asked is named by people, too.
        effects.iter().for_each(|(_, answer)| self.settled.record(answer));
        let asked = || effects.iter().filter(|(waiting, _)| !waiting.is_of_the_clock());
        asked().for_each(|(_, answer)| self.settled.record_unwritten(answer));
        let batch: Vec<_> = asked().map(|(waiting, answer)| (&waiting.claimed, answer)).collect();
        self.spool.settle_all(&batch)?;
        asked().for_each(|(waiting, _)| self.settled.is_written(&waiting.claimed.name));
        for (_, answer) in effects {
            tracing::info!(request = answer.claim, generation = number, "{}", answer.sentence);
            step.answers.push(answer.clone());
        }
        Ok(())
    }

    /// Removes what an import brought in; the pool has it, or nobody wants it.
    pub(super) fn forget_import(&self, waiting: &Waiting) -> Result<(), Error> {
        // An adoption may have been copied in part only.
        let is_brought = self.brought.contains(&waiting.claimed.name);
        if is_brought || waiting.arrived.is_some() || matches!(waiting.request.action, Action::Adopt { .. }) {
            self.store.remove_import(&waiting.claimed.name)?;
        }
        Ok(())
    }

    /// Writes the audit record of a published generation unless it is there, and lets the store finish it;
    /// called when its requests were answered.
    pub(super) fn conclude_unfinished(&mut self) -> Result<(), Error> {
        let Some(number) = self.unfinished else { return Ok(()) };
        let generation = self.store.generation(number)?;
        let record =
            Record::of_generation(self.clock.now(), &generation.manifest, generation.manifest_digest);
        self.audit.append_once(&record)?;
        self.remove_purged(&generation)?;
        self.store.finish(&self.lock, number)?;
        self.unfinished = None;
        for waiting in std::mem::take(&mut self.carried_out) {
            if let Err(error) = self.forget_import(&waiting) {
                tracing::warn!("what was copied of it is removed at the next start: {error}");
            }
            self.brought.remove(&waiting.claimed.name);
            self.remove_uploads(&waiting.request);
        }
        Ok(())
    }

    /// Removes what lies in `upload/` of packages that were purged in this generation.
    fn remove_purged(&self, generation: &Generation) -> Result<(), Error> {
        let account = Account::of(generation.number, &generation.manifest.account)?;
        if account.requests.iter().any(|settled| settled.answer.action == "purge") {
            for name in self.spool.uploads()? {
                let digest = name.get(..64).and_then(|digest| digest.parse().ok());
                if digest.is_some_and(|digest| account.purged.contains(&digest)) {
                    self.spool.remove_upload(&name)?;
                }
            }
        }
        Ok(())
    }

    /// Removes from `upload/` what an import that took effect referred to; the pool has it now.
    pub(super) fn remove_uploads(&self, request: &Request) {
        let Action::Import { files, .. } = &request.action else { return };
        for file in files {
            if let Err(error) = self.spool.remove_upload(file) {
                tracing::warn!("`upload/{file}` is not needed any more and stays: {error}");
            }
        }
    }
}
