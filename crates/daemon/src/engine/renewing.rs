//! Going on after a restore: the same packages once more, under a number and with dates nobody has seen.

use store::Generation;

use super::{Engine, Step, too_early};
use crate::account::Account;
use crate::audit::Record;
use crate::error::Error;
use crate::waiting::Waiting;
use plan::Action;

impl Engine {
    /// Publishes what is published, dated anew, under `number` or a higher one.
    ///
    /// No request is claimed, and those that wait go on waiting. The audit log learns of the generation in force
    /// if its copy had not yet.
    pub(crate) fn renew(&mut self, number: u64) -> Result<Step, Error> {
        let mut step = Step::default();
        let now = self.look_at_the_clock();
        let root = self.config.root.clone();
        let current = self.store.current()?.ok_or(Error::NothingToResume { root })?;
        if let Some((_, why)) = too_early(Some(&current), now) {
            return Err(Error::TooEarly { why });
        }
        let account = Account::of(current.number, &current.manifest.account)?;
        self.number_min = number;
        let others = std::mem::take(&mut self.waiting);
        let clock = Waiting::of_the_clock("resume", Action::Resume {}, now);
        let result = self.run_line(Some((&current, &account)), now, vec![clock], &mut step);
        self.waiting = others;
        result.map(|()| step)
    }

    /// Writes the audit record of `generation` if there is none of it or of a newer one.
    pub(crate) fn put_on_record(&mut self, generation: &Generation) -> Result<(), Error> {
        let record =
            Record::of_generation(self.clock.now(), &generation.manifest, generation.manifest_digest);
        self.audit.append_once(&record)
    }

    /// The newest generation the audit log tells of.
    pub(crate) fn newest_on_record(&self) -> Option<u64> {
        self.audit.newest()
    }
}
