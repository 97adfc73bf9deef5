//! Roll-back and partial release, followed by hosts.

use super::*;

#[test]
fn r1_to_r7_sites_go_back_from_what_was_rejected() {
    let town = Town::new("1s");
    let ui = |version: &str, voms: &str| {
        Recipe::new("ui", version, "1").requires(&format!("voms = {voms}-1")).requires("gfal = 1-1")
    };
    // What everybody has.
    town.certified(&[package("voms", "1"), package("gfal", "1"), ui("1", "1")]);
    town.deployed("b0", &[("0", "voms gfal ui")]);
    town.does("ou", "task-assign", "bundle = \"b0\"\nteams = [\"ea-IT-CNAF\"]");
    town.tested("ea-IT-CNAF", 1, "success");
    town.set("ou", &["0"], "ready-for-production");
    town.does("mu", "release-prepare", "update = 1");
    town.does("mu", "release-ready", "update = 1");
    let plan = town.remembered()["updates"]["1"]["plan"].as_str().unwrap().to_owned();
    town.does("ou", "release-approve", &format!("update = 1\nplan = \"{plan}\""));
    town.does("mu", "release-publish", "update = 1");
    let site = town.host("site", &["production"]);
    site.dnf(&["install", "ui"]).ok();
    let early = town.host("early", &["production", "delta"]);
    early.dnf(&["install", "ui"]).ok();

    // A new version is tried, and fails.
    town.certified(&[package("voms", "2"), ui("2", "2"), package("wms-core", "1")]);
    town.deployed("b1", &[("1", "voms"), ("2", "ui wms-core")]);
    town.does("ou", "task-assign", "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\"]");
    early.dnf(&["upgrade"]).ok();
    assert!(early.installed().contains("voms-2-1.x86_64"), "{:?}", early.installed());
    town.does("ea-IT-CNAF", "task-start", "task = 2\noutcome = \"fail\"");
    let back = "bundle = \"b1\"\nreason = \"voms 2 forgets proxies\"";
    town.refuses("mu", "bundle-rollback", back, "wrong-state");
    let reject = "patches = [\"1\"]\nstatus = \"rejected\"";
    town.refuses("mu", "patch-status", reject, "wrong-actor");
    let answer = town.does("ou", "patch-status", reject);
    assert!(reasons(&answer).iter().any(|one| one.starts_with("the release team are told: ")), "{answer:#}");
    let again = "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\"]\nrollback = true";
    town.refuses("ou", "task-assign", again, "wrong-state");
    town.refuses("ou", "bundle-rollback", back, "wrong-actor");
    let answer = town.does("mu", "bundle-rollback", back);
    assert!(reasons(&answer).iter().any(|one| one.starts_with("operations are told: ")), "{answer:#}");
    // R2, R3: the rejected package is gone, and the node type rose to pin the version before.
    let offered = town.offered("delta");
    assert!(!offered.contains("voms-2-1.x86_64"), "{offered:?}");
    assert!(offered.iter().any(|one| one.starts_with("ui-2-1.")), "{offered:?}");
    assert_eq!((town.status("1"), town.progress(2)), ("rejected".into(), "closed".into()));
    // R6, R7.
    town.does("ou", "task-assign", again);
    early.dnf(&["distro-sync"]).ok();
    let installed = early.installed();
    assert!(installed.contains("voms-1-1.x86_64") && !installed.contains("voms-2-1.x86_64"), "{installed:?}");
    town.tested("ea-IT-CNAF", 3, "success");
    site.dnf(&["upgrade"]).ok();
    assert!(site.installed().contains("voms-1-1.x86_64"), "{:?}", site.installed());
    // What was not rejected goes on, once it was tried as it is now.
    town.does("ou", "task-assign", "bundle = \"b1\"\nteams = [\"ea-CZ-FZU\"]");
    town.tested("ea-CZ-FZU", 4, "success");
    town.set("ou", &["2"], "ready-for-production");
    town.end();
}

#[test]
fn p1_p2_a_part_of_a_bundle_is_released_and_the_node_type_follows() {
    let town = Town::new("0s");
    let ui = Recipe::new("ui", "1", "1").requires("voms = 1-1").requires("gfal = 1-1");
    town.certified(&[package("voms", "1"), package("gfal", "1"), ui]);
    town.deployed("b1", &[("1", "voms"), ("2", "gfal ui")]);
    town.does("ou", "task-assign", "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\"]");
    town.tested("ea-IT-CNAF", 1, "success");
    town.set("ou", &["1"], "ready-for-production");
    let part = "update = 57\npartial = true";
    town.refuses("mu", "release-prepare", "update = 57", "leaves-patches-behind");
    town.does("mu", "release-prepare", part);
    town.does("mu", "release-ready", "update = 57");
    let plan = town.remembered()["updates"]["57"]["plan"].as_str().unwrap().to_owned();
    town.does("ou", "release-approve", &format!("update = 57\nplan = \"{plan}\""));
    town.does("mu", "release-publish", "update = 57");
    assert_eq!((town.status("1"), town.status("2")), ("released".into(), "rolling-out".into()));
    // P2: production lists the node type without what is not released, and it installs.
    let offered = town.offered("production");
    assert!(!offered.contains("gfal-1-1.x86_64"), "{offered:?}");
    let site = town.host("site", &["production"]);
    site.dnf(&["install", "ui"]).ok();
    let installed = site.installed();
    assert!(installed.contains("voms-1-1.x86_64") && !installed.contains("gfal-1-1.x86_64"), "{installed:?}");
    // Its release rose in both stages, so what early adopters have was built anew, and is tried as it is now.
    let second = &town.remembered()["patches"]["2"];
    let items: Vec<&str> =
        second["items"].as_array().unwrap().iter().map(|item| item["nevra"].as_str().unwrap()).collect();
    let anew = items.iter().find(|nevra| nevra.starts_with("ui-")).unwrap();
    assert_ne!(*anew, "ui-1-1.noarch", "{items:?}");
    assert!(town.offered("delta").contains(*anew), "{items:?}");
    let ready = "patches = [\"2\"]\nstatus = \"ready-for-production\"";
    town.refuses("ou", "patch-status", ready, "tasks-open");
    town.does("ou", "task-assign", "bundle = \"b1\"\nteams = [\"ea-CZ-FZU\"]");
    town.tested("ea-CZ-FZU", 2, "success");
    town.does("ou", "patch-status", ready);
    // The rest follows, and hosts get it.
    town.does("mu", "release-prepare", "update = 58");
    town.does("mu", "release-ready", "update = 58");
    let plan = town.remembered()["updates"]["58"]["plan"].as_str().unwrap().to_owned();
    town.does("ou", "release-approve", &format!("update = 58\nplan = \"{plan}\""));
    town.does("mu", "release-publish", "update = 58");
    site.dnf(&["upgrade"]).ok();
    assert!(site.installed().contains("gfal-1-1.x86_64"), "{:?}", site.installed());
    town.end();
}

#[test]
fn steps_that_meet_in_one_generation_are_decided_one_after_the_other() {
    let town = Town::new("0s");
    let file = town.site.upload("voms.rpm", &package("voms", "1").build());
    let import = format!("to = \"certified\"\nfiles = [\"{file}\"]");
    let add = "patch = \"1\"\ntitle = \"t\"\npackages = [\"voms\"]";
    let verify = "patches = [\"1\"]\nstatus = \"verified\"";
    let stems = town.asks_at_once(&[
        ("verifier", "import", &import),
        ("mu", "patch-add", add),
        ("mu", "patch-status", verify),
        ("ou", "patch-status", "patches = [\"1\"]\nstatus = \"ready-for-rollout\""),
        ("mu", "bundle-create", "bundle = \"b1\"\npatches = [\"1\"]"),
        ("mu", "bundle-deploy", "bundle = \"b1\""),
        ("ou", "task-assign", "bundle = \"b1\"\nteams = [\"ea-IT-CNAF\"]"),
    ]);
    for stem in stems {
        let answer = town.site.answer(&stem);
        assert_eq!(answer["code"], "done", "{answer:#}");
    }
    assert_eq!((town.status("1"), town.progress(1)), ("rolling-out".into(), "assigned".into()));
    town.end();
}
