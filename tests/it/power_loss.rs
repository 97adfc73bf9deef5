//! The power goes on real file systems, under the real program: `tests/power` mounts ext4, xfs and btrfs on a disk that
//! writes down what it is told, rebuilds from that what a power cut may leave, and looks at it before and after recovery.
//! On ext4 without a journal a name stays only if its directory was synced, so that it shows what the others carry along.
//!
//! Needs root, loop devices and /dev/fuse; where they are not to be had the tests say so.

use std::fs;

use camino::Utf8PathBuf;
use repo::Recipe;
use serde_json::Value;
use testkit::{Sandbox, checkout, program, run, sluice};

/// How the bed says that there is nothing to work on.
const SKIPPED: i32 = 77;

/// The packages that the requests of the bed speak of.
const PACKAGES: [&str; 7] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"];

/// The node types that the bed has built anew, what each pins, and what they are made of, in two versions each.
const NODE_TYPES: [(&str, &[&str]); 3] =
    [("glite-UI", &["voms", "lcg"]), ("glite-WN", &["voms"]), ("glite-SITE", &["glite-UI", "glite-WN"])];
const COMPONENTS: [&str; 2] = ["voms", "lcg"];

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

/// Makes the packages that the requests of the bed speak of, each in a file that is called as the requests call it.
fn packages(sandbox: &Sandbox) -> Utf8PathBuf {
    let packages = sandbox.folder("packages");
    let write = |file: &str, recipe: &Recipe| {
        fs::write(packages.join(format!("{file}.rpm")), recipe.build()).unwrap();
    };
    let component =
        |name: &str, version: &str| Recipe::new(name, version, "1").file(&format!("/usr/share/{name}"), name);
    for name in PACKAGES {
        write(name, &component(name, "1"));
    }
    for version in ["1", "2"] {
        for name in COMPONENTS {
            write(&format!("{name}-{version}"), &component(name, version));
        }
        for (name, pins) in NODE_TYPES {
            let begin = Recipe::new(name, version, "1");
            let recipe =
                pins.iter().fold(begin, |recipe, pin| recipe.requires(&format!("{pin} = {version}-1")));
            write(&format!("{name}-{version}"), &recipe);
        }
    }
    // What a roll-back would make of one of them.
    write("half", &Recipe::new("glite-UI", "2", "1.1").requires("voms = 1-1").requires("lcg = 2-1"));
    packages
}

/// Runs the bed; nothing if there is none to be had here, which is said.
fn bed(system: &str, more: &[&str]) -> Option<Value> {
    let sandbox = Sandbox::new();
    let packages = packages(&sandbox);
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
    let states = if is_thorough() { 150 } else { 7 };
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
fn some_node_types_without_the_others_are_told() {
    let sandbox = Sandbox::new();
    let packages = packages(&sandbox);
    let script = checkout().join("tests/power/wrong_node_types.py");
    let mut command = program("/usr/bin/python3");
    let ran =
        run(command.args([script.as_str(), "--program", sluice().as_str(), "--packages", packages.as_str()]));
    if ran.code() == SKIPPED {
        println!("SKIPPED: {}", ran.stderr.trim());
        return;
    }
    println!("{}", ran.ok().stdout.trim());
}

#[test]
fn a_sync_that_is_left_out_is_found() {
    let (bugs, states) = if is_thorough() { (&PLANTED[..], "50") } else { (&PLANTED[..2], "8") };
    for (bug, system) in bugs {
        let Some(seen) = bed(system, &["--states", states, "--bug", bug]) else { return };
        assert!(seen["bad"].as_u64().unwrap() > 0, "{bug} was not found on {system}: {seen:#}");
    }
}
