//! Every planted bug is found: a sweep that finds nothing in a sound engine shows little otherwise.

use store::planted::{Bug, plant};

use super::recovery::{Alike, sweep_recoveries};
use super::{SCENARIOS, SLICE, Thoroughness, sweep};

/// The bugs, and the scenario that shows each.
const BUGS: [(Bug, usize); 21] = [
    (Bug::FilesOfTheHalvesNotSynced, 1),
    (Bug::DirectoriesOfTheHalvesNotSynced, 1),
    (Bug::PackagesNotSynced, 1),
    (Bug::PoolNotSynced, 0),
    (Bug::GenerationsNotSynced, 1),
    (Bug::PublicNotSyncedAfterTheRename, 1),
    (Bug::PublicNotSyncedAfterTheFlip, 1),
    (Bug::LinksFileNotSynced, 1),
    (Bug::FlippedBeforeTheHalvesAreSynced, 1),
    (Bug::FlippedBeforeTheRenameOfW, 1),
    (Bug::LinkedBeforeLinksFile, 1),
    (Bug::DroppedBeforeTheFlip, 5),
    (Bug::TopsNotSealed, 1),
    (Bug::RecoveryPublishesSealed, 1),
    (Bug::RecoveryUndoesPublishedLinks, 1),
    (Bug::AnsweredBeforeTheLastSync, 1),
    (Bug::SpoolMoveNotSynced, 1),
    (Bug::MovedBeforeTheAnswer, 1),
    (Bug::AnswerNotSynced, 1),
    (Bug::AnsweredBeforeTheAuditLog, 2),
    (Bug::AuditLineNotSynced, 2),
];

/// The bugs of the recovery itself, which only a second failure shows, and the scenario to recover from.
const BUGS_OF_RECOVERY: [(Bug, usize); 4] = [
    (Bug::RecoveryTrustsTheFlip, 1),
    (Bug::RecoveryLeavesAbandonedLinks, 1),
    (Bug::RecoveryForgetsBeforeItUndoes, 1),
    (Bug::RecoveryTrustsTheAuditLog, 2),
];

#[test]
fn every_planted_bug_is_caught() {
    let (exhaustive, samples) = SLICE;
    let mut missed = Vec::new();
    for (bug, index) in BUGS {
        let _planted = plant(bug);
        // Each bug shows in many ways, few of which are enough to see it; some show only when a disk recovers.
        let report = sweep(&SCENARIOS[index], Thoroughness { exhaustive, samples, recover: 1, enough: 1 });
        match report.violations.first() {
            Some(violation) => println!("{bug:?}: {violation}"),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

#[test]
fn every_planted_bug_of_recovery_is_caught() {
    let mut missed = Vec::new();
    for (bug, index) in BUGS_OF_RECOVERY {
        let _planted = plant(bug);
        match sweep_recoveries(index, Alike::Exactly, 1).0.violations.first() {
            Some(violation) => println!("{bug:?}: {violation}"),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
