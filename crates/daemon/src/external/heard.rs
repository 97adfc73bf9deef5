//! What programs of gates said lately, so that a request that waits asks each once, and one that hangs holds up nobody twice.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use nevra::Sha256;
use plan::{External, Plan};
use store::Disk;

use super::{Results, process};
use crate::config::{ExternalGate, ExternalWay};

/// How long a program's word counts for the request that had it asked.
const COUNTS: SignedDuration = SignedDuration::from_mins(5);

/// How long a program that did not end in time is left alone.
const RESTS: SignedDuration = SignedDuration::from_mins(1);

/// Remembers what programs said.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// By gate, plan and request: whoever asks anew has the program asked anew.
    said: BTreeMap<(String, Sha256, String), (Timestamp, External)>,
    /// The programs that did not end in time, and when.
    hung: BTreeMap<String, Timestamp>,
}

impl Heard {
    /// Hears what a gate says of the plan of a request, at most once in a while if it is a program.
    pub(crate) fn of(
        &mut self,
        disk: &dyn Disk,
        gate: &ExternalGate,
        (plan, request): (&Plan, &str),
        now: Timestamp,
    ) -> External {
        let (words, timeout) = match &gate.way {
            ExternalWay::Command { words, timeout } => (words, timeout),
            ExternalWay::Results { folder, owner, max_age } => {
                let since = now.checked_sub(*max_age).unwrap_or(Timestamp::MIN);
                return Results { disk, folder, owner, since }.said(plan.hash());
            }
        };
        // A clock that was set back lets nothing count for longer.
        let is_new = |at: &Timestamp, counts| now.duration_since(*at).abs() < counts;
        self.said.retain(|_, (at, _)| is_new(at, COUNTS));
        self.hung.retain(|_, at| is_new(at, RESTS));
        let key = (gate.name.clone(), plan.hash(), request.to_owned());
        if let Some((_, said)) = self.said.get(&key) {
            return said.clone();
        }
        if let Some(at) = self.hung.get(&gate.name) {
            return External::Unusable(format!(
                "it did not end in time at {at}, and is asked again {} s later",
                RESTS.as_secs()
            ));
        }
        let asked = process::ask(words, *timeout, &gate.name, plan);
        if asked.is_too_late {
            self.hung.insert(gate.name.clone(), now);
        }
        self.said.insert(key, (now, asked.said.clone()));
        asked.said
    }
}
