//! The daemon is killed at each of its system calls.

use super::afterwards::Looks;
use super::calls::Call;
use super::scenarios::{Ready, SCENARIOS};
use super::{Part, Tally, is_thorough, may_trace, sweep, told};

/// Of the calls that change nothing every how many-th is taken.
const SPREAD: usize = 40;

/// The points at which a round is killed: all that change something, and a spread of the others.
fn points(ready: &Ready) -> Vec<Call> {
    let mut others = 0;
    let mut is_point = |call: &&Call| {
        others += usize::from(!call.changes());
        call.changes() || others.is_multiple_of(SPREAD)
    };
    ready.calls.iter().filter(|call| call.name != "execve").filter(|call| is_point(call)).cloned().collect()
}

/// Kills a round at one call, and tells everything that is wrong then and afterwards; `None` if it was not killed.
fn kill(ready: &Ready, call: &Call, by: Looks) -> Option<Vec<String>> {
    ready.bench.restore(&ready.state);
    let cut = ready.bench.traced(&call.name, &[call.inject("signal=KILL", "")]);
    if !cut.was_killed() {
        return None;
    }
    let (mut wrong, told) = ready.left(by);
    wrong.extend(ready.next_round(&told, by));
    Some(wrong)
}

/// Kills a round at each point of a part.
pub fn kill_all(ready: &Ready, part: Part) -> Tally {
    let mut tally = Tally::default();
    for (number, call) in part.of(points(ready).iter()).enumerate() {
        match kill(ready, call, Looks::of_case(number)) {
            Some(wrong) => tally.add(format!("{} killed at {call}", ready.name), wrong),
            None => tally.missed += 1,
        }
    }
    tally
}

#[test]
fn a_kill_at_any_system_call_loses_nothing() {
    if !may_trace() {
        return;
    }
    let all = told("kills", sweep(&SCENARIOS, 120, kill_all));
    // Which calls a round makes depends a little on how fast it is; of a slice one in fifty is none.
    assert!(all.missed <= 2 + all.cases / 50, "too many kills hit nothing: {all}");
    assert!(!is_thorough() || all.cases >= 2000, "only {} points", all.cases);
    all.demand_none_wrong();
}
