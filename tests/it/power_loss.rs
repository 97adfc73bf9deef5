//! The power goes on real file systems, under the real program: `tests/power` mounts ext4, xfs and btrfs on a disk that
//! writes down what it is told, rebuilds from that what a power cut may leave, and looks at it before and after recovery.
//! On ext4 without a journal a name stays only if its directory was synced, so that it shows what the others carry along.
//!
//! Needs root, loop devices and /dev/fuse; where they are not to be had the tests say so.

use std::fs;

use repo::Recipe;
use serde_json::Value;
use testkit::{Sandbox, checkout, program, run, sluice};

/// How the bed says that there is nothing to work on.
const SKIPPED: i32 = 77;

/// The packages that the requests of the bed speak of.
const PACKAGES: [&str; 7] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"];

/// A sync that is left out, or comes too late, and a file system that shows it; `tests/power/README.md` has the whole
/// table, and says why two more show nowhere but on the disk in memory.
const PLANTED: [(&str, &str); 19] = [
    ("FilesOfTheHalvesNotSynced", "ext4-ordered"),
    ("PoolNotSynced", "ext4-no-journal"),
    ("DirectoriesOfTheHalvesNotSynced", "ext4-no-journal"),
    ("PackagesNotSynced", "ext4-no-journal"),
    ("PublicNotSyncedAfterTheFlip", "ext4-no-journal"),
    ("AnsweredBeforeTheLastSync", "ext4-no-journal"),
    ("AuditLineNotSynced", "xfs"),
    ("RecoveryTrustsTheAuditLog", "xfs"),
    ("RecoveryTrustsTheFlip", "ext4-no-journal"),
    ("RepodataDirectoryNotSynced", "ext4-no-journal"),
    ("RestoredNotSynced", "xfs"),
    ("FilesOfTheHalvesNotSynced", "xfs"),
    ("AnswerNotSynced", "ext4-ordered"),
    ("SpoolMoveNotSynced", "btrfs"),
    ("LinksFileNotSynced", "xfs"),
    ("FlippedBeforeTheHalvesAreSynced", "xfs"),
    ("AnsweredBeforeTheAuditLog", "xfs"),
    ("RepodataFilesNotSynced", "btrfs"),
    ("RepodataPlaceNotSynced", "btrfs"),
];

fn is_thorough() -> bool {
    std::env::var_os("SLUICE_THOROUGH").is_some()
}

/// Runs the bed; nothing if there is none to be had here, which is said.
fn bed(system: &str, more: &[&str]) -> Option<Value> {
    let sandbox = Sandbox::new();
    let packages = sandbox.folder("packages");
    for name in PACKAGES {
        let path = format!("/usr/share/{name}");
        let recipe = Recipe::new(name, "1", "1").arch("noarch").file(&path, name.as_bytes());
        fs::write(packages.join(format!("{name}.rpm")), recipe.build()).unwrap();
    }
    let mut command = program("setpriv");
    // It goes when the test goes, also when the test is killed.
    command
        .args(["--pdeathsig", "KILL", "--", "/usr/bin/python3"])
        .arg(checkout().join("tests/power/power.py"));
    command.args(["--program", sluice().as_str(), "--packages", packages.as_str(), "--system", system]);
    let ran = run(command.args(more));
    if ran.code() == SKIPPED {
        println!("SKIPPED, no power cut was tried on {system}: {}", ran.stderr.trim());
        return None;
    }
    let ran = ran.ok();
    println!("{}", ran.stdout.trim());
    Some(serde_json::from_str(&ran.stdout).unwrap())
}

fn check(system: &str) {
    let states = if is_thorough() { 150 } else { 5 };
    let Some(seen) = bed(system, &["--states", &states.to_string()]) else { return };
    assert!(seen["states"].as_u64().unwrap() >= states, "{seen:#}");
    assert!(seen["told"].as_u64().unwrap() > 0, "nobody had been told anything: {seen:#}");
    assert_eq!(seen["bad"], 0, "{seen:#}");
}

#[test]
fn ext4_that_orders_data_loses_nothing() {
    check("ext4-ordered");
}

#[test]
fn ext4_that_writes_data_back_in_any_order_loses_nothing() {
    check("ext4-writeback");
}

#[test]
fn ext4_without_a_journal_loses_nothing() {
    check("ext4-no-journal");
}

#[test]
fn xfs_loses_nothing() {
    check("xfs");
}

#[test]
fn btrfs_loses_nothing() {
    check("btrfs");
}

#[test]
fn a_sync_that_is_left_out_is_found() {
    let (bugs, states) = if is_thorough() { (&PLANTED[..], "50") } else { (&PLANTED[..2], "8") };
    for (bug, system) in bugs {
        let Some(seen) = bed(system, &["--states", states, "--bug", bug]) else { return };
        assert!(seen["bad"].as_u64().unwrap() > 0, "{bug} was not found on {system}: {seen:#}");
    }
}
