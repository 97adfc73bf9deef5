//! The commit, `finish` and recovery of the store under the sweep, whole and with each bug planted.

use super::*;
use crate::planted::{Bug, plant};
use crate::{CommitError, Recovery};
use story::{CHAPTERS, Site, ground, told};

mod inspection;
mod story;

/// How often more is done with a disk than looking at it: 1 means always.
#[derive(Clone, Copy)]
struct Often {
    start: usize,
    sweep_start: usize,
}

/// Cuts the power all through the story, inspects every disk, starts on some and sweeps the start on a few.
fn sweep_power(sweep: &mut Sweep, often: Often) -> SweepReport {
    let mut of_start = SweepReport::default();
    let mut inner = inner(sweep);
    let mut disks = 0;
    let mut report = sweep.run(&ground(), play, told, |disk, &told, _| {
        disks += 1;
        let wrong = inspection::at_every_instant(disk.as_ref(), told);
        if !wrong.is_empty() {
            return wrong;
        }
        if disks % often.sweep_start == 0 {
            of_start += sweep_start(&mut inner, disk, told);
        }
        let started = disks % often.start == 0 || !of_start.violations.is_empty();
        if started { start_and_go_on(disk, told, disks % often.sweep_start == 0) } else { Vec::new() }
    });
    println!("  power: {report}\n  power, then start: {of_start}");
    report += of_start;
    report
}

/// Kills the process all through the story, starts again on what is seen then, and cuts the power all through
/// that start: what the dead process never synced may still be lost.
fn sweep_kills(sweep: &Sweep) -> SweepReport {
    let disk = Arc::new(ground().copy());
    disk.record();
    play(Arc::clone(&disk));
    let mut inner = inner(sweep);
    let mut report = SweepReport::default();
    for moment in disk.recorded() {
        report += sweep_start(&mut inner, &moment.killed(), told(&moment.seen()));
        if report.violations.len() >= sweep.enough {
            break;
        }
    }
    println!("  kill, then start: {report}");
    report
}

fn inner(sweep: &Sweep) -> Sweep {
    Sweep { exhaustive: sweep.exhaustive / 2, samples: sweep.samples / 16, ..Sweep::new(sweep.seed) }
}

fn play(disk: Arc<ForgetfulDisk>) {
    // A planted bug may well stop the story; what it left is looked at all the same.
    let _ = Site::on(disk).play(1..=CHAPTERS);
}

/// Starts on what a power cut left; all must be well then, also on a second start and a new generation later.
fn start_and_go_on(disk: &Arc<ForgetfulDisk>, told_before: u64, go_on: bool) -> Vec<String> {
    let site = Site::on(Arc::clone(disk));
    let mut wrong = Vec::new();
    if let Err(error) = site.start() {
        return vec![format!("start-up: {error}")];
    }
    wrong.extend(inspection::at_rest(disk.as_ref(), told(disk).max(told_before)));
    match site.start() {
        Ok(Recovery::Empty) => {}
        Ok(Recovery::Idle { quarantined }) if quarantined.is_empty() => {}
        other => wrong.push(format!("a second start finds {other:?}")),
    }
    if go_on && wrong.is_empty() {
        let next = site.next_chapter();
        match site.play(next..=next.min(CHAPTERS)) {
            Ok(()) => wrong.extend(inspection::at_rest(disk.as_ref(), told(disk))),
            Err(error) => wrong.push(format!("chapter {next} cannot follow: {error}")),
        }
    }
    wrong
}

/// Cuts the power all through a start on `disk`; on what is left another start must do.
fn sweep_start(inner: &mut Sweep, disk: &ForgetfulDisk, told_before: u64) -> SweepReport {
    let mut disks = 0;
    inner.run(
        disk,
        |disk| drop(Site::on(disk).start()),
        |live| told(live).max(told_before),
        |disk, &told, _| {
            disks += 1;
            let wrong = inspection::at_every_instant(disk.as_ref(), told);
            let started = wrong.is_empty() && disks % 4 == 0;
            if started { start_and_go_on(disk, told, false) } else { wrong }
        },
    )
}

#[test]
fn no_power_cut_leaves_a_generation_that_is_not_whole_nor_a_root_that_cannot_be_started_on() {
    Site::on(Arc::new(ground())).play(1..=CHAPTERS).unwrap();
    let report = sweep_power(&mut Sweep::new(1), Often { start: 4, sweep_start: 100 });
    assert!(report.violations.is_empty() && report.states > 30_000);
}

#[test]
fn what_a_start_tells_after_a_kill_survives_a_power_cut() {
    let report = sweep_kills(&Sweep { exhaustive: 6, samples: 128, ..Sweep::new(2) });
    assert!(report.violations.is_empty() && report.states > 5_000);
}

#[test]
fn every_planted_bug_of_the_store_is_caught() {
    use Bug::*;
    let bugs = [
        FilesOfTheHalvesNotSynced,
        DirectoriesOfTheHalvesNotSynced,
        PackagesNotSynced,
        PoolNotSynced,
        GenerationsNotSynced,
        PublicNotSyncedAfterTheRename,
        PublicNotSyncedAfterTheFlip,
        LinksFileNotSynced,
        FlippedBeforeTheHalvesAreSynced,
        FlippedBeforeTheRenameOfW,
        LinkedBeforeLinksFile,
        DroppedBeforeTheFlip,
        TopsNotSealed,
        RecoveryPublishesSealed,
        RecoveryTrustsTheFlip,
        RecoveryUndoesPublishedLinks,
        RecoveryLeavesAbandonedLinks,
        RecoveryForgetsBeforeItUndoes,
        AnsweredBeforeTheLastSync,
    ];
    let mut missed = Vec::new();
    for bug in bugs {
        let _planted = plant(bug);
        println!("{bug:?}:");
        let mut sweep = Sweep { enough: 1, exhaustive: 5, samples: 80, ..Sweep::new(3) };
        let by_power = sweep_power(&mut sweep, Often { start: 4, sweep_start: 50 });
        if by_power.violations.is_empty() && sweep_kills(&sweep).violations.is_empty() {
            missed.push(bug);
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn an_operation_that_fails_abandons_the_generation_or_leaves_it_unproven() {
    let site = Site::on(Arc::new(ground()));
    let operations = {
        site.play(1..=CHAPTERS).unwrap();
        site.disk.operations()
    };
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 1..=operations {
        let disk = Arc::new(ground());
        let site = Site::on(Arc::clone(&disk));
        disk.fail_only(number);
        let outcome = match site.play(1..=CHAPTERS) {
            Ok(()) => "nobody noticed",
            Err(CommitError::Abandoned(_)) => "abandoned",
            Err(CommitError::Unproven(_)) => "unproven",
        };
        *outcomes.entry(outcome).or_default() += 1;
        let told = told(&disk);
        disk.record();
        let moment = disk.recorded().remove(0);
        for cut in moment.power_cuts(5, 40, number) {
            let wrong = inspection::at_every_instant(&cut.disk().0, told);
            assert!(wrong.is_empty(), "{outcome} after operation {number} failed: {wrong:#?}");
        }
    }
    println!("{operations} operations failed once each: {outcomes:?}");
    assert!(outcomes["abandoned"] > 100 && outcomes["unproven"] > 3);
}
