//! The power goes again while recovery runs.

use std::sync::Arc;

use daemon::verify::{Rest, Verifier};
use store::crash::{Sweep, SweepReport};

use super::{SCENARIOS, look, prepared, run, site};

/// Ends a scenario at every `each`-th instant and around the flip, each time by the worst power cut (everything
/// unsynced is lost) and by a kill (nothing is lost, nothing more is safe), and sweeps the recovery of what is left.
pub fn sweep_recoveries(index: usize, each: usize, enough: usize) -> SweepReport {
    let (start, now) = prepared(&SCENARIOS[index]);
    let disk = Arc::new(start.copy());
    disk.record();
    // With a bug planted the scenario may not come to its end.
    let _ = run(&disk, now);
    let moments = disk.recorded();
    let mut report = SweepReport::default();
    let mut verifier = Verifier::default();
    let chosen =
        |number: usize, operation: &str| number.is_multiple_of(each) || operation.contains("/current");
    let ends = moments.iter().enumerate().filter(|(number, moment)| chosen(*number, &moment.operation));
    for (_, moment) in ends {
        // What was told before the first end must hold after the second one, too.
        let told = site::answers(&moment.seen());
        let worst = moment.power_cuts(0, 2, 1).max_by_key(|cut| cut.lost().len());
        let crashed = worst.map(|cut| cut.disk().0);
        for left in crashed.into_iter().chain([moment.killed()]) {
            let mut sweep = Sweep::new(3);
            sweep.exhaustive = 2;
            sweep.samples = 4;
            sweep.enough = enough;
            report += sweep.run(
                &left,
                |disk| drop(run(&disk, now + 100)),
                |disk| site::answers(disk),
                |disk, told_since, _| {
                    let mut all = told.clone();
                    all.extend(told_since.clone());
                    look(&mut verifier, disk, &all, Rest::AnyInstant, now + 100)
                },
            );
            if report.violations.len() >= enough {
                return report;
            }
        }
    }
    report
}

#[test]
fn recovery_can_be_cut_short_like_anything_else() {
    let mut total = SweepReport::default();
    for index in 0..SCENARIOS.len() {
        // A promotion is ended more often than the others.
        total += sweep_recoveries(index, if index == 1 { 12 } else { 60 }, 20);
    }
    println!("recovery: {total}");
    assert!(total.violations.is_empty(), "{total}");
    assert!(total.states > 1000, "only {} states were looked at", total.states);
}
