//! What the engine learns from the manifests and the audit log at its start, and what it makes good in the log.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Sha256;

use super::Engine;
use crate::account::Account;
use crate::audit::{Record, RecordKind};
use crate::error::Error;

impl Engine {
    /// Learns which ids are settled, from every manifest and from the audit log; records what that has lost.
    pub(super) fn remember(&mut self) -> Result<(), Error> {
        let numbers: BTreeSet<u64> =
            self.store.numbers()?.into_iter().chain(self.store.past_numbers()?).collect();
        let current = self.store.current()?.map(|current| current.number);
        let mut unrecorded = Vec::new();
        let mut heads = BTreeMap::<u64, Sha256>::new();
        // A generation that was built and never in force settled nothing.
        for number in numbers.into_iter().filter(|number| Some(*number) <= current) {
            let recorded = self.store.recorded(number)?;
            let account = Account::of(number, &recorded.manifest.account)?;
            account.requests.iter().for_each(|settled| self.settled.record_unwritten(&settled.answer));
            heads.extend(account.audit.map(|head| (number, head)));
            // One that is not concluded gets its record when it is.
            if !self.audit.knows(number) && self.unfinished != Some(number) {
                let record = Record::of_generation(self.clock.now(), &recorded.manifest, recorded.digest);
                unrecorded.push(Record { healed: true, ..record });
            }
        }
        let mut records = self.audit.records()?;
        records.want(heads.values().copied().collect());
        for record in &mut records {
            let record = record?;
            record.answer.iter().for_each(|answer| self.settled.record_unwritten(answer));
            match (record.kind, record.package) {
                (RecordKind::Damaged, Some(package)) => drop(self.damaged.insert(package)),
                (RecordKind::Mended, Some(package)) => drop(self.damaged.remove(&package)),
                _ => {}
            }
            // What was found lost before stands there.
            record.lost.iter().for_each(|number| {
                heads.remove(number);
            });
        }
        let missing = records.missing();
        heads.retain(|_, head| missing.contains(head));
        drop(records);
        self.make_good(heads.into_keys().collect(), unrecorded)
    }

    /// Says in the audit log what it has lost, and records again the generations of which it knows nothing.
    fn make_good(&mut self, lost: Vec<u64>, unrecorded: Vec<Record>) -> Result<(), Error> {
        let mut healing = Vec::new();
        if !lost.is_empty() {
            tracing::error!(
                "the audit log has lost lines: the generations {lost:?} name some that are not there; this is recorded"
            );
            healing.push(Record { lost, ..Record::new(self.clock.now(), RecordKind::Healed) });
        }
        for record in &unrecorded {
            let number = record.generation.unwrap_or_default();
            tracing::warn!("the audit log knows nothing of generation {number}; it is recorded again");
        }
        healing.extend(unrecorded);
        self.audit.append_all(&healing)
    }
}
