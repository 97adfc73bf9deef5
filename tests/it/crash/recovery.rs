//! The power goes again while recovery runs.
//!
//! A scenario is ended at each of its instants twice: by the worst power cut (everything unsynced is lost) and by
//! a kill (nothing is lost, nothing more is safe). Most of these ends are recovered by the same operations, so
//! recoveries are told apart by what they do, and a few of each kind are swept as thoroughly as anything else: in the
//! slice of every day the one with most unsynced before it, with `SLUICE_THOROUGH=1` more of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daemon::verify::{Rest, Verifier};
use store::crash::{Sweep, SweepReport};
use store::forgetful::{ForgetfulDisk, Moment};

use super::{SCENARIOS, Scenario, Told, look, prepared, recovered, run, site, ways};
use crate::faults::is_thorough;

/// Where a scenario was ended, and what is left.
struct End {
    left: ForgetfulDisk,
    /// What had been told by then.
    told: Told,
}

/// What a recovery does: by which failure it became necessary, and its operations.
type Kind = (Failure, Vec<String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Failure {
    PowerCut,
    Kill,
}

/// Which recoveries count as the same.
#[derive(Clone, Copy)]
pub enum Alike {
    /// Those of the same operations on the same paths in the same order; the first, the last and the one with
    /// most unsynced before it are swept, in a slice the latter alone.
    Exactly,
    /// Those of the same operations, wherever below the root or the control directory; only the one with most
    /// unsynced before it is swept. For recoveries that remove the rest of a tree: each of them sweeps most of
    /// the disks of all.
    ByOperation,
}

/// Ends the scenario at this instant, by power cut and by kill.
fn ends(moment: &Moment) -> Vec<(Failure, End)> {
    let told = site::answers(&moment.seen());
    let worst = moment.power_cuts(0, 2, 1).max_by_key(|cut| cut.lost().len());
    let cut = worst.map(|cut| (Failure::PowerCut, cut.disk().0));
    let all = cut.into_iter().chain([(Failure::Kill, moment.killed())]);
    all.map(|(failure, left)| (failure, End { left, told: told.clone() })).collect()
}

/// All ends of a scenario by the kind of recovery they need.
fn by_kind(moments: &[Moment], now: i64, alike: Alike) -> BTreeMap<Kind, Vec<End>> {
    let mut kinds: BTreeMap<Kind, Vec<End>> = BTreeMap::new();
    for (failure, end) in moments.iter().flat_map(ends) {
        let disk = Arc::new(end.left.copy());
        disk.record();
        // With a bug planted even this may fail; the sweep will say so.
        let _ = recover(&disk, now + 100);
        let mut operations: Vec<String> =
            disk.recorded().into_iter().map(|moment| moment.operation).collect();
        if let Alike::ByOperation = alike {
            let top = |path: &str| path.split('/').take(3).collect::<Vec<_>>().join("/");
            let operation = |words: &String| {
                words.rsplit_once(' ').map(|(operation, path)| format!("{operation} {}", top(path)))
            };
            operations = operations.iter().filter_map(operation).collect();
            operations.sort();
            operations.dedup();
        }
        kinds.entry((failure, operations)).or_default().push(end);
    }
    kinds
}

/// The ends of one kind whose recoveries are swept.
fn chosen(ends: Vec<End>, alike: Alike) -> Vec<End> {
    let most = (0..ends.len()).max_by_key(|&number| ends[number].left.unsynced());
    let numbers: BTreeSet<usize> = match alike {
        Alike::Exactly if is_thorough() => [0, ends.len() - 1].into_iter().chain(most).collect(),
        Alike::Exactly | Alike::ByOperation => most.into_iter().collect(),
    };
    ends.into_iter().enumerate().filter(|(number, _)| numbers.contains(number)).map(|(_, end)| end).collect()
}

/// What a start does before anything new is looked at.
fn recover(disk: &Arc<ForgetfulDisk>, now: i64) -> Result<(), daemon::error::Error> {
    site::open(disk, &site::SetClock::at(now)).map(drop)
}

fn recorded(scenario: &Scenario) -> (Vec<Moment>, i64, BTreeMap<String, BTreeSet<String>>) {
    let (start, now) = prepared(scenario);
    let disk = Arc::new(start.copy());
    disk.record();
    // With a bug planted the scenario may not come to its end.
    let _ = run(&disk, now);
    let wanted = site::offered(&disk);
    (disk.recorded(), now, wanted)
}

/// Sweeps the recoveries of a scenario, a few of each kind: in full all subsets of up to 8 unsynced things, else 256
/// samples, after each operation, until `enough` is found wrong. Gives the number of kinds as well.
pub fn sweep_recoveries(index: usize, alike: Alike, enough: usize) -> (SweepReport, usize) {
    let (moments, now, wanted) = recorded(&SCENARIOS[index]);
    let kinds = by_kind(&moments, now, alike);
    let number = kinds.len();
    let mut report = SweepReport::default();
    let mut verifier = Verifier::default();
    let mut sweep = Sweep::new(3);
    ((sweep.exhaustive, sweep.samples), sweep.enough) = (ways(), enough);
    let mut count = 0;
    for end in kinds.into_values().flat_map(|ends| chosen(ends, alike)) {
        report += sweep.run(
            &end.left,
            |disk| drop(recover(&disk, now + 100)),
            // What was told before the first end must hold after the second one, too.
            |disk| all_told(&end.told, disk),
            |disk, told, _| {
                let mut wrong = look(&mut verifier, disk, told, Rest::AnyInstant, now + 100);
                count += 1;
                if wrong.is_empty() && count % 16 == 0 {
                    wrong.extend(recovered(&mut verifier, disk, told, &wanted, now + 200));
                }
                wrong
            },
        );
        if report.violations.len() >= enough {
            break;
        }
    }
    (report, number)
}

/// Ends a promotion at every 12th instant (every 48th in a slice) and around the flip, recovers, and goes on with the promotion: all of
/// that is cut again, with few ways at each instant.
fn sweep_recoveries_and_what_follows() -> SweepReport {
    let (moments, now, _) = recorded(&SCENARIOS[1]);
    let mut report = SweepReport::default();
    let verifier = RefCell::new(Verifier::default());
    let every = if is_thorough() { 12 } else { 48 };
    let chosen =
        |number: usize, operation: &str| number.is_multiple_of(every) || operation.contains("/current");
    let at = moments.iter().enumerate().filter(|(number, moment)| chosen(*number, &moment.operation));
    for (_, end) in at.flat_map(|(_, moment)| ends(moment)) {
        let mut sweep = Sweep::new(3);
        (sweep.exhaustive, sweep.samples) = if is_thorough() { (2, 4) } else { (1, 2) };
        report += sweep.run(
            &end.left,
            |disk| drop(run(&disk, now + 100)),
            |disk| all_told(&end.told, disk),
            |disk, told, _| look(&mut verifier.borrow_mut(), disk, told, Rest::AnyInstant, now + 100),
        );
    }
    report
}

/// What was told before a failure, and since.
fn all_told(before: &Told, disk: &ForgetfulDisk) -> Told {
    let mut all = before.clone();
    all.extend(site::answers(disk));
    all
}

/// One test a scenario, so that they run side by side.
macro_rules! recovery_can_be_cut_short_like_anything_else {
    ($($test:ident $index:literal $alike:ident)*) => { $(
        #[test]
        fn $test() {
            let (report, kinds) = sweep_recoveries($index, Alike::$alike, 20);
            println!("recovery of {}, {kinds} kinds: {report}", SCENARIOS[$index].name);
            assert!(report.violations.is_empty(), "{report}");
            let least = if is_thorough() { 2000 } else { 200 };
            assert!(kinds > 20 && report.states > least, "only {} states of {kinds} kinds", report.states);
        }
    )* };
}

recovery_can_be_cut_short_like_anything_else! {
    of_import 0 Exactly
    of_promote 1 Exactly
    of_withdraw_and_a_refusal 2 Exactly
    of_revert 3 Exactly
    of_keep 4 Exactly
    of_sweep 5 ByOperation
    of_adopt 6 ByOperation
}

#[test]
fn what_follows_recovery_can_be_cut_short_as_well() {
    let report = sweep_recoveries_and_what_follows();
    println!("recovery of promote and what follows: {report}");
    assert!(report.violations.is_empty(), "{report}");
    let least = if is_thorough() { 1000 } else { 100 };
    assert!(report.states > least, "only {} states were looked at", report.states);
}
