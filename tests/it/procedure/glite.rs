//! One test for each line: refused before the precondition, done after it, and what repositories show.

use super::*;

const UI: &str = "bundle = \"b1\"";

#[test]
fn g01_the_release_team_sets_patches_to_verified() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1")]);
    let keys = "patches = [\"1\"]\nstatus = \"verified\"";
    town.refuses("mu", "patch-status", keys, "no-such-patch");
    town.registered(&[("1", "voms")]);
    town.refuses("ou", "patch-status", keys, "wrong-actor");
    let answer = town.does("mu", "patch-status", keys);
    assert!(reasons(&answer).iter().any(|one| one.starts_with("operations are told: ")), "{answer:#}");
    assert_eq!(town.status("1"), "verified");
    town.end();
}

#[test]
fn g02_operations_set_patches_to_ready_for_rollout_and_see_conflicts() {
    let town = Town::new("0s");
    let ui = Recipe::new("ui", "1", "1").requires("voms = 1-1");
    town.certified(&[package("voms", "1"), package("wms-core", "1"), ui]);
    town.deployed("b1", &[("1", "voms ui")]);
    town.certified(&[package("voms", "2")]);
    town.registered(&[("2", "voms"), ("3", "wms-core")]);
    let keys = |patch: &str| format!("patches = [\"{patch}\"]\nstatus = \"ready-for-rollout\"");
    town.refuses("ou", "patch-status", &keys("2"), "wrong-state");
    town.set("mu", &["2", "3"], "verified");
    town.refuses("mu", "patch-status", &keys("2"), "wrong-actor");
    let answer = town.does("ou", "patch-status", &keys("2"));
    let shared: Vec<&str> = reasons(&answer).into_iter().filter(|one| one.contains("share")).collect();
    assert_eq!(
        shared,
        [
            "patch `2` and patch `1` of bundle `b1`, which is with early adopters, share packages: voms",
            "patch `2` and patch `1` of bundle `b1`, which is with early adopters, share node types: ui"
        ]
    );
    let answer = town.does("ou", "patch-status", &keys("3"));
    assert!(!reasons(&answer).iter().any(|one| one.contains("share")), "{answer:#}");
    town.end();
}

#[test]
fn g03_the_release_team_makes_a_bundle_and_sees_how_focused_it_is() {
    let town = Town::new("0s");
    let ui = Recipe::new("ui", "1", "1").requires("voms = 1-1").requires("gfal = 1-1");
    town.certified(&[package("voms", "1"), package("gfal", "1"), ui]);
    town.registered(&[("1", "voms ui"), ("2", "gfal")]);
    let keys = "bundle = \"b1\"\npatches = [\"1\", \"2\"]";
    town.refuses("mu", "bundle-create", keys, "wrong-state");
    town.set("mu", &["1", "2"], "verified");
    town.refuses("ou", "bundle-create", keys, "wrong-actor");
    let answer = town.does("mu", "bundle-create", keys);
    assert_eq!(
        reasons(&answer),
        [
            "the bundle touches 1 node types: ui",
            "if patch `1` stayed behind, ui would have to be built anew",
            "if patch `2` stayed behind, ui would have to be built anew"
        ]
    );
    town.refuses("mu", "bundle-create", "bundle = \"b2\"\npatches = [\"2\"]", "in-another-bundle");
    town.end();
}

#[test]
fn g04_g05_g06_packages_and_status_reach_early_adopters_in_one_instant() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1"), package("wms-core", "1")]);
    town.registered(&[("1", "voms"), ("2", "wms-core")]);
    town.set("mu", &["1", "2"], "verified");
    town.does("mu", "bundle-create", "bundle = \"b1\"\npatches = [\"1\", \"2\"]");
    town.refuses("mu", "bundle-deploy", UI, "no-green-flag");
    town.set("ou", &["2"], "ready-for-rollout");
    town.refuses("ou", "bundle-deploy", UI, "wrong-actor");
    assert_eq!(town.offered("delta"), names(&[]));
    let answer = town.does("mu", "bundle-deploy", UI);
    assert!(reasons(&answer).iter().any(|one| one.starts_with("operations are told: ")), "{answer:#}");
    assert_eq!(town.offered("delta"), names(&["voms-1-1.x86_64", "wms-core-1-1.x86_64"]));
    assert_eq!((town.status("1"), town.status("2")), ("rolling-out".into(), "rolling-out".into()));
    assert_eq!(town.ask("mu", "bundle-deploy", UI)["code"], "nothing-to-do");
    town.end();
}

#[test]
fn g07_operations_assign_tasks_of_a_complete_bundle_only() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1"), package("wms-core", "1")]);
    town.deployed("b1", &[("1", "voms")]);
    town.registered(&[("2", "wms-core")]);
    town.set("mu", &["2"], "verified");
    town.does("mu", "bundle-add", "bundle = \"b1\"\npatches = [\"2\"]");
    let keys = "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\", \"ea-UK-RAL\"]";
    let answer = town.refuses("ou", "task-assign", keys, "incomplete");
    assert_eq!(reasons(&answer), ["patch `2` is in bundle `b1`, and early adopters have not got it"]);
    town.does("mu", "bundle-remove", "bundle = \"b1\"\npatches = [\"2\"]");
    town.refuses("mu", "task-assign", keys, "wrong-actor");
    let answer = town.does("ou", "task-assign", keys);
    assert!(
        reasons(&answer).iter().any(|one| one.starts_with("`ea-IT-CNAF` are told: task 1")),
        "{answer:#}"
    );
    assert_eq!((town.progress(1), town.progress(2)), ("assigned".into(), "assigned".into()));
    town.refuses("ou", "task-assign", keys, "already-assigned");
    town.end();
}

#[test]
fn g07_tasks_wait_for_what_was_taken_away_by_hand() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1")]);
    town.deployed("b1", &[("1", "voms")]);
    let by_hand = "from = \"delta\"\npackages = [\"voms\"]";
    town.refuses("mu", "withdraw", by_hand, "run-by-procedure");
    town.waived("delta", "procedure", "voms");
    town.does("mu", "withdraw", by_hand);
    let keys = "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\"]";
    let answer = town.refuses("ou", "task-assign", keys, "incomplete");
    let words = "`voms-1-1.x86_64` of patch `1` is not where early adopters on `el9/x86_64` find it";
    assert_eq!(reasons(&answer), [words]);
    town.end();
}

#[test]
fn g08_g09_a_task_is_run_through_its_quarantine_and_done() {
    let town = Town::new("1s");
    town.certified(&[package("voms", "1")]);
    town.deployed("b1", &[("1", "voms")]);
    town.does("ou", "task-assign", "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\"]");
    let (start, done) = ("task = 1\noutcome = \"warning\"", "task = 1\noutcome = \"success\"");
    town.refuses("ea-IT-CNAF", "task-done", done, "wrong-state");
    town.refuses("ea-UK-RAL", "task-start", start, "not-your-task");
    let other = format!("{start}\ncontent = \"{}\"", "5e".repeat(32));
    town.refuses("ea-IT-CNAF", "task-start", &other, "other-revision");
    // The site upgrades with both stages, and reports.
    let site = town.host("early", &["production", "delta"]);
    site.dnf(&["install", "voms"]).ok();
    assert_eq!(site.installed(), names(&["voms-1-1.x86_64"]));
    town.does(
        "ea-IT-CNAF",
        "task-start",
        &format!("{start}\ntickets = [\"https://helpdesk.example.org/1\"]"),
    );
    assert_eq!(town.progress(1), "in-progress");
    let answer = town.finished("ea-IT-CNAF", 1, "success");
    assert!(reasons(&answer).iter().any(|one| one.starts_with("operations are told: ")), "{answer:#}");
    let task = &town.remembered()["tasks"]["1"];
    assert_eq!((&task["progress"], &task["outcome"]), (&"done".into(), &"success".into()));
    assert_eq!(task["tickets"][0], "https://helpdesk.example.org/1");
    town.end();
}

#[test]
fn g10_operations_set_what_is_tested_to_ready_for_production() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1"), package("wms-core", "1")]);
    town.deployed("b1", &[("1", "voms")]);
    town.deployed("b2", &[("2", "wms-core")]);
    let keys = "patches = [\"1\", \"2\"]\nstatus = \"ready-for-production\"";
    town.refuses("ou", "patch-status", keys, "tasks-open");
    town.does("ou", "task-assign", "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\"]");
    town.does("ou", "task-assign", "bundle = \"b2\"\nteams = [\"ea-IT-CNAF\"]");
    town.tested("ea-IT-CNAF", 1, "success");
    let answer = town.refuses("ou", "patch-status", keys, "tasks-open");
    assert_eq!(reasons(&answer), ["task 2 of `ea-IT-CNAF` is assigned"]);
    town.tested("ea-IT-CNAF", 2, "fail");
    town.refuses("ou", "patch-status", keys, "task-failed");
    // Somebody answers for what failed.
    town.waived("production", "rollout", "wms-core");
    town.refuses("mu", "patch-status", keys, "wrong-actor");
    town.does("ou", "patch-status", keys);
    assert_eq!(
        (town.status("1"), town.status("2")),
        ("ready-for-production".into(), "ready-for-production".into())
    );
    town.end();
}

#[test]
fn g11_to_g14_and_g16_to_g18_an_update_is_prepared_approved_and_put_on_line() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1"), package("wms-core", "1")]);
    town.deployed("b1", &[("1", "voms"), ("2", "wms-core")]);
    town.does("ou", "task-assign", "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\"]");
    town.tested("ea-IT-CNAF", 1, "success");
    let update = "update = 57";
    town.refuses("mu", "release-prepare", update, "wrong-state");
    town.set("ou", &["1"], "ready-for-production");
    let answer = town.refuses("mu", "release-prepare", update, "leaves-patches-behind");
    assert_eq!(reasons(&answer), ["patch `2` of bundle `b1` is rolling-out"]);
    town.set("ou", &["2"], "ready-for-production");
    town.refuses("ou", "release-prepare", update, "wrong-actor");
    let answer = town.does("mu", "release-prepare", update);
    assert!(
        reasons(&answer).iter().any(|one| one.starts_with("operations are told: update 57")),
        "{answer:#}"
    );
    let plan = town.remembered()["updates"]["57"]["plan"].as_str().unwrap().to_owned();
    let approve = format!("update = 57\nplan = \"{plan}\"");
    town.refuses("ou", "release-approve", &approve, "not-ready");
    town.does("mu", "release-ready", update);
    town.refuses("mu", "release-publish", update, "not-approved");
    town.refuses("ou", "release-approve", &approve.replace(&plan, &"5e".repeat(32)), "other-plan");
    town.refuses("mu", "release-approve", &approve, "wrong-actor");
    town.does("ou", "release-approve", &approve);
    town.refuses("ou", "release-publish", update, "wrong-actor");
    town.refuses("ou", "release-reports", update, "wrong-state");
    assert_eq!(town.offered("production"), names(&[]));
    let site = town.host("site", &["production"]);
    let answer = town.does("mu", "release-publish", &format!("update = 57\nplan = \"{plan}\""));
    assert_eq!(answer["plan_hash"], plan.as_str(), "{answer:#}");
    assert_eq!(town.offered("production"), names(&["voms-1-1.x86_64", "wms-core-1-1.x86_64"]));
    assert_eq!(town.offered("delta"), names(&[]));
    assert_eq!((town.status("1"), town.status("2")), ("released".into(), "released".into()));
    // The update bears its name, and sites follow (G20).
    let named = std::fs::read_link(town.site.root().join("public/@update-57")).unwrap();
    assert_eq!(named.to_str().unwrap(), format!("@{}", answer["generation"]));
    site.dnf(&["install", "voms", "wms-core"]).ok();
    assert_eq!(site.installed(), names(&["voms-1-1.x86_64", "wms-core-1-1.x86_64"]));
    town.refuses("mu", "release-publish", update, "update-taken");
    town.does("ou", "release-reports", update);
    assert_eq!(town.remembered()["tasks"]["1"]["is_published"], true);
    town.end();
}

#[test]
fn g17_what_is_published_is_what_was_approved() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1"), package("wms-core", "1")]);
    town.deployed("b1", &[("1", "voms")]);
    town.does("ou", "task-assign", "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\"]");
    town.tested("ea-IT-CNAF", 1, "success");
    town.set("ou", &["1"], "ready-for-production");
    town.does("mu", "release-prepare", "update = 57");
    town.does("mu", "release-ready", "update = 57");
    let plan = town.remembered()["updates"]["57"]["plan"].as_str().unwrap().to_owned();
    town.does("ou", "release-approve", &format!("update = 57\nplan = \"{plan}\""));
    // Something else enters production meanwhile.
    let file = town.site.upload("other.rpm", &package("other", "1").build());
    town.waived("production", "procedure", "other");
    town.does("mu", "import", &format!("to = \"production\"\nfiles = [\"{file}\"]"));
    town.refuses("mu", "release-publish", "update = 57", "plan-changed");
    assert_eq!(town.offered("production"), names(&["other-1-1.x86_64"]));
    // Prepared anew, it takes the same way again.
    town.does("mu", "release-prepare", "update = 57");
    town.refuses("mu", "release-publish", "update = 57", "not-approved");
    town.does("mu", "release-ready", "update = 57");
    let plan = town.remembered()["updates"]["57"]["plan"].as_str().unwrap().to_owned();
    town.does("ou", "release-approve", &format!("update = 57\nplan = \"{plan}\""));
    town.does("mu", "release-publish", "update = 57");
    assert_eq!(town.offered("production"), names(&["other-1-1.x86_64", "voms-1-1.x86_64"]));
    town.end();
}
