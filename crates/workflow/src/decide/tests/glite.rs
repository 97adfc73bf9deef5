//! Lines G1 to G18 and R1 to R7, in the order of the domain.

use super::*;

#[test]
fn g01_the_release_team_sets_a_patch_to_verified_and_operations_are_told() {
    let mut site = Site::new();
    let verified = || Command::PatchStatus { patches: ids("1"), status: Status::Verified };
    assert_eq!(site.refuses("mu", verified()), "no-such-patch");
    site.registered(&[("1", "voms-1-1.x86_64")]);
    assert_eq!(site.refuses("ou", verified()), "wrong-actor");
    let decided = site.does("mu", verified());
    assert_eq!(decided.notices[0].to, Part::Operations);
    assert_eq!(site.status("1"), Status::Verified);
}

#[test]
fn g02_operations_flag_a_patch_and_see_what_it_collides_with() {
    let mut site = Site::new();
    site.pins.insert("WMS".into(), words("voms wms"));
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.registered(&[("2", "wms-1-1.x86_64"), ("3", "gfal-1-1.x86_64")]);
    let flagged = |patch: &str| Command::PatchStatus { patches: ids(patch), status: Status::ReadyForRollout };
    assert_eq!(site.refuses("ou", flagged("2")), "wrong-state");
    site.set("mu", "2 3", Status::Verified);
    assert_eq!(site.refuses("mu", flagged("2")), "wrong-actor");
    let decided = site.does("ou", flagged("2"));
    assert_eq!(
        decided.notes,
        ["patch `2` and patch `1` of bundle `b1`, which is with early adopters, share node types: WMS"]
    );
    assert_eq!(site.does("ou", flagged("3")).notes, [] as [&str; 0]);
}

#[test]
fn g03_a_bundle_takes_verified_patches_and_says_how_focused_it_is() {
    let mut site = Site::new();
    site.pins.insert("WMS".into(), words("voms wms"));
    site.pins.insert("UI".into(), words("voms"));
    site.registered(&[("1", "voms-1-1.x86_64"), ("2", "wms-1-1.x86_64"), ("3", "gfal-1-1.x86_64")]);
    let made =
        |patches: &str| Command::BundleCreate { bundle: id("b1"), patches: ids(patches), urgent: false };
    site.set("mu", "1 2", Status::Verified);
    assert_eq!(site.refuses("mu", made("1 2 3")), "wrong-state");
    assert_eq!(site.refuses("ou", made("1 2")), "wrong-actor");
    assert_eq!(site.refuses("mu", made("")), "nothing-named");
    let decided = site.does("mu", made("1 2"));
    assert_eq!(
        decided.notes,
        [
            "the bundle touches 2 node types: UI, WMS",
            "if patch `1` stayed behind, WMS would have to be built anew",
            "if patch `2` stayed behind, WMS would have to be built anew",
        ]
    );
    assert_eq!(site.refuses("mu", made("1")), "id-taken");
    let other = Command::BundleCreate { bundle: id("b2"), patches: ids("1"), urgent: false };
    assert_eq!(site.refuses("mu", other), "in-another-bundle");
}

#[test]
fn g04_g05_g06_packages_preview_and_status_change_in_one_step() {
    let mut site = Site::new();
    site.registered(&[("1", "voms-1-1.x86_64 voms-api-1-1.x86_64"), ("2", "wms-1-1.x86_64")]);
    site.set("mu", "1 2", Status::Verified);
    site.does("mu", Command::BundleCreate { bundle: id("b1"), patches: ids("1 2"), urgent: false });
    let deploy = || Command::BundleDeploy { bundle: id("b1") };
    assert_eq!(site.refuses("mu", deploy()), "no-green-flag");
    // One flagged patch is the green flag for all.
    site.set("ou", "1", Status::ReadyForRollout);
    assert_eq!(site.refuses("ou", deploy()), "wrong-actor");
    let lost = site.stages.get_mut("certified").unwrap();
    assert!(lost.remove(&item("wms-1-1.x86_64")));
    assert_eq!(site.refuses("mu", deploy()), "incomplete");
    site.stages.get_mut("certified").unwrap().insert(item("wms-1-1.x86_64"));
    let decided = site.does("mu", deploy());
    assert_eq!(decided.notices[0].to, Part::Operations);
    assert_eq!(site.stages["delta"].len(), 3);
    for patch in ["1", "2"] {
        assert_eq!(site.status(patch), Status::RollingOut);
        assert_eq!(site.state().patches[&id(patch)].place, Place::Beta);
    }
    let bundle = &site.state().bundles[&id("b1")];
    assert_eq!(bundle.revisions.last().unwrap().content, bundle.content(&site.state().patches));
    assert!(
        site.decision("mu", &deploy(), None, "").unwrap().facts.is_empty(),
        "nothing is left to hand out"
    );
}

#[test]
fn g07_tasks_are_made_only_of_a_complete_bundle_that_mirrors_show() {
    let mut site = Site::new();
    site.registered(&[("1", "voms-1-1.x86_64"), ("2", "wms-1-1.x86_64")]);
    site.set("mu", "1 2", Status::Verified);
    site.set("ou", "1", Status::ReadyForRollout);
    site.does("mu", Command::BundleCreate { bundle: id("b1"), patches: ids("1"), urgent: false });
    let assign = || assigned("b1", "ea-IT-CNAF ea-UK-RAL", false);
    assert_eq!(site.refuses("ou", assign()), "wrong-state");
    site.does("mu", Command::BundleDeploy { bundle: id("b1") });
    assert_eq!(site.refuses("ou", assign()), "mirrors-behind");
    site.pass(2);
    site.does("mu", Command::BundleAdd { bundle: id("b1"), patches: ids("2") });
    let refusal = site.decision("ou", &assign(), None, "").unwrap_err();
    assert_eq!(refusal.code.as_str(), "incomplete");
    assert_eq!(refusal.reasons, ["patch `2` is in bundle `b1`, and early adopters have not got it"]);
    site.does("mu", Command::BundleRemove { bundle: id("b1"), patches: ids("2") });
    assert!(site.stages.get_mut("delta").unwrap().remove(&item("voms-1-1.x86_64")));
    let refusal = site.decision("ou", &assign(), None, "").unwrap_err();
    assert!(
        refusal.reasons[0].contains("`voms-1-1.x86_64` of patch `1` is not where early adopters"),
        "{refusal:?}"
    );
    site.stages.get_mut("delta").unwrap().insert(item("voms-1-1.x86_64"));
    assert_eq!(site.refuses("mu", assign()), "wrong-actor");
    let decided = site.does("ou", assign());
    let told: Vec<_> = decided.notices.iter().map(|notice| notice.to.to_string()).collect();
    assert_eq!(told, ["`ea-IT-CNAF`", "`ea-UK-RAL`"]);
    assert_eq!(site.refuses("ou", assign()), "already-assigned");
    assert_eq!(site.state().tasks.len(), 2);
}

#[test]
fn g08_a_task_runs_through_its_quarantine() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    assert_eq!(site.refuses("ea-IT-CNAF", finished(1, Outcome::Success)), "wrong-state");
    assert_eq!(site.refuses("ea-UK-RAL", started(1, Outcome::Success)), "not-your-task");
    assert_eq!(site.refuses("ea-IT-CNAF", started(7, Outcome::Success)), "no-such-task");
    site.does("ea-IT-CNAF", started(1, Outcome::Warning));
    assert_eq!(site.state().tasks[&1].outcome, Some(Outcome::Warning));
    site.pass(24 * 7 - 1);
    assert_eq!(site.refuses("ea-IT-CNAF", finished(1, Outcome::Success)), "in-quarantine");
    let other = Some(Sha256::from([7; 32]));
    let (task, outcome, tickets) = (1, Outcome::Success, BTreeSet::new());
    let elsewhere = Command::TaskDone { task, outcome, tickets, content: other };
    assert_eq!(site.refuses("ea-IT-CNAF", elsewhere), "other-revision");
    site.pass(1);
    site.does("ea-IT-CNAF", finished(1, Outcome::Success));
    assert_eq!(site.state().tasks[&1].progress, Progress::Done);
    assert_eq!(site.refuses("ea-IT-CNAF", finished(1, Outcome::Fail)), "wrong-state");
}

#[test]
fn g09_g10_a_patch_is_ready_for_production_once_it_is_tested() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    let ready =
        |patches: &str| Command::PatchStatus { patches: ids(patches), status: Status::ReadyForProduction };
    assert_eq!(site.refuses("ou", ready("1")), "tasks-open");
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    site.does("ea-IT-CNAF", started(1, Outcome::Success));
    assert_eq!(site.refuses("ou", ready("1")), "tasks-open");
    site.pass(24 * 7);
    site.does("ea-IT-CNAF", finished(1, Outcome::Success));
    // What came in another bundle may be taken along.
    site.deployed("b2", &[("2", "wms-1-1.x86_64")]);
    site.tested("b2", "ea-UK-RAL", Outcome::Warning);
    assert_eq!(site.refuses("mu", ready("1 2")), "wrong-actor");
    site.does("ou", ready("1 2"));
    assert_eq!([site.status("1"), site.status("2")], [Status::ReadyForProduction; 2]);
}

#[test]
fn g10_what_failed_goes_no_further_unless_somebody_answers_for_it() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.tested("b1", "ea-IT-CNAF", Outcome::Fail);
    let ready = || Command::PatchStatus { patches: ids("1"), status: Status::ReadyForProduction };
    assert_eq!(site.refuses("ou", ready()), "task-failed");
    site.waived = Some("`user:boss` answers for it".into());
    let decided = site.does("ou", ready());
    assert_eq!(decided.notes, ["patch `1` failed at a site; `user:boss` answers for it"]);
}

#[test]
fn g11_to_g18_an_update_is_prepared_approved_and_put_on_line() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64"), ("2", "wms-1-1.x86_64")]);
    site.tested("b1", "ea-IT-CNAF", Outcome::Success);
    let plan = Some(Sha256::from([5; 32]));
    let prepare = |patches: &str, partial| prepared(57, patches, partial);
    assert_eq!(site.refuses("mu", prepare("", false)), "wrong-state");
    site.set("ou", "1", Status::ReadyForProduction);
    // G11: the other patch of the bundle would stay behind.
    assert_eq!(site.refuses("mu", prepare("", false)), "leaves-patches-behind");
    assert_eq!(site.refuses("mu", prepare("1 2", false)), "wrong-state");
    site.set("ou", "2", Status::ReadyForProduction);
    assert!(site.stages.get_mut("delta").unwrap().remove(&item("voms-1-1.x86_64")));
    assert_eq!(site.refuses("mu", prepare("", false)), "incomplete");
    site.stages.get_mut("delta").unwrap().insert(item("voms-1-1.x86_64"));
    let wrong = site.tries("ou", prepare("", false), plan, "").unwrap_err();
    assert_eq!(wrong.code, Code::WrongActor);
    // G12: operations are told of the number.
    let decided = site.tries("mu", prepare("", false), plan, "").unwrap();
    assert_eq!(decided.notices[0].to, Part::Operations);
    let back = Command::PatchStatus { patches: ids("1"), status: Status::RollingOut };
    assert_eq!(site.refuses("ou", back), "wrong-state");
    // G16, G17.
    let approve = || Command::ReleaseApprove { update: 57 };
    assert_eq!(site.tries("ou", approve(), plan, "").unwrap_err().code, Code::NotReady);
    assert_eq!(site.refuses("mu", Command::ReleaseReady { update: 58 }), "no-such-update");
    site.does("mu", Command::ReleaseReady { update: 57 });
    assert_eq!(site.refuses("mu", Command::ReleasePublish { update: 57 }), "not-approved");
    assert_eq!(site.refuses("ou", approve()), "other-plan");
    assert_eq!(site.tries("mu", approve(), plan, "").unwrap_err().code, Code::WrongActor);
    let decided = site.tries("ou", approve(), plan, "").unwrap();
    assert_eq!(decided.notices[0].to, Part::ReleaseTeam);
    // G13, G18.
    assert_eq!(site.refuses("ou", Command::ReleasePublish { update: 57 }), "wrong-actor");
    assert_eq!(site.refuses("ou", Command::ReleaseReports { update: 57 }), "wrong-state");
    let decided = site.does("mu", Command::ReleasePublish { update: 57 });
    let Some(Moves::Forward { name, partial, .. }) = decided.moves else { panic!() };
    assert_eq!((name.as_deref(), partial), (Some("update-57"), false));
    assert_eq!([site.status("1"), site.status("2")], [Status::Released; 2]);
    assert_eq!(site.stages["production"].len(), 2);
    assert_eq!(site.refuses("mu", Command::ReleasePublish { update: 57 }), "update-taken");
    assert_eq!(site.refuses("mu", prepare("1", false)), "update-taken");
    // G14.
    site.does("ou", Command::ReleaseReports { update: 57 });
    assert!(site.state().tasks[&1].is_published);
}

#[test]
fn r1_to_r7_what_is_rejected_is_taken_out_and_sites_go_back() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64"), ("2", "wms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    site.does("ea-IT-CNAF", started(1, Outcome::Fail));
    let back =
        || Command::BundleRollback { bundle: id("b1"), versions: vec![], without: vec![], releases: vec![] };
    assert_eq!(site.refuses("mu", back()), "wrong-state");
    let reject = || Command::PatchStatus { patches: ids("1"), status: Status::Rejected };
    assert_eq!(site.refuses("mu", reject()), "wrong-actor");
    let decided = site.does("ou", reject());
    assert_eq!(decided.notices[0].to, Part::ReleaseTeam);
    // Nothing else goes on while the rejected patch lies there.
    assert_eq!(site.refuses("ou", assigned("b1", "ea-UK-RAL", false)), "incomplete");
    assert_eq!(site.refuses("ou", assigned("b1", "ea-IT-CNAF", true)), "wrong-state");
    assert_eq!(site.refuses("ou", back()), "wrong-actor");
    let before = site.state().bundles[&id("b1")].revisions.len();
    let decided = site.does("mu", back());
    assert_eq!(decided.notices[0].to, Part::Operations);
    assert_eq!(site.stages["delta"], BTreeSet::from([item("wms-1-1.x86_64")]));
    assert_eq!(site.state().bundles[&id("b1")].revisions.len(), before + 1);
    // R7: the test of what is gone ends with it.
    assert_eq!(site.state().tasks[&1].progress, Progress::Closed);
    site.does("ou", assigned("b1", "ea-IT-CNAF", true));
    assert_eq!(site.state().tasks[&2].work, Work::Rollback);
    site.does("ea-IT-CNAF", started(2, Outcome::Success));
    site.pass(24 * 3 - 1);
    assert_eq!(site.refuses("ea-IT-CNAF", finished(2, Outcome::Success)), "in-quarantine");
    site.pass(1);
    site.does("ea-IT-CNAF", finished(2, Outcome::Success));
    // The rest goes on, once sites tried it as it is now.
    site.tested("b1", "ea-UK-RAL", Outcome::Success);
    site.set("ou", "2", Status::ReadyForProduction);
    let plan = Some(Sha256::from([5; 32]));
    site.tries("mu", prepared(57, "", false), plan, "").unwrap();
}

#[test]
fn p1_some_patches_move_on_while_others_stay() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64"), ("2", "wms-1-1.x86_64")]);
    site.tested("b1", "ea-IT-CNAF", Outcome::Success);
    site.set("ou", "1", Status::ReadyForProduction);
    let plan = Some(Sha256::from([5; 32]));
    site.tries("mu", prepared(57, "", true), plan, "").unwrap();
    site.does("mu", Command::ReleaseReady { update: 57 });
    site.tries("ou", Command::ReleaseApprove { update: 57 }, plan, "").unwrap();
    let decided = site.does("mu", Command::ReleasePublish { update: 57 });
    assert!(matches!(decided.moves, Some(Moves::Forward { partial: true, .. })));
    assert_eq!([site.status("1"), site.status("2")], [Status::Released, Status::RollingOut]);
    assert_eq!(site.stages["delta"], BTreeSet::from([item("wms-1-1.x86_64")]));
}

#[test]
fn p1_that_patches_may_stay_behind_is_said_of_an_update_prepared_again() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.tested("b1", "ea-IT-CNAF", Outcome::Success);
    site.set("ou", "1", Status::ReadyForProduction);
    let plan = Some(Sha256::from([5; 32]));
    for partial in [false, true, false] {
        let decided = site.tries("mu", prepared(57, "", partial), plan, "").unwrap();
        assert_eq!((decided.facts.len(), site.state().updates[&57].partial), (1, partial));
        let again = site.tries("mu", prepared(57, "", partial), plan, "").unwrap();
        assert!(again.facts.is_empty());
    }
}

#[test]
fn the_urgent_lane_goes_first_and_owes_the_tests() {
    let mut site = Site::new();
    site.registered(&[("1", "voms-1-1.x86_64")]);
    site.set("mu", "1", Status::Verified);
    site.set("ou", "1", Status::ReadyForRollout);
    site.does("mu", Command::BundleCreate { bundle: id("b1"), patches: ids("1"), urgent: true });
    site.does("mu", Command::BundleDeploy { bundle: id("b1") });
    let decided = site.set("ou", "1", Status::ReadyForProduction);
    assert_eq!(
        decided.notes,
        ["no site has tested patch `1` to the end, which its urgent lane owes until a site has"]
    );
    let plan = Some(Sha256::from([5; 32]));
    site.tries("mu", prepared(57, "", false), plan, "").unwrap();
    site.does("mu", Command::ReleaseReady { update: 57 });
    site.tries("ou", Command::ReleaseApprove { update: 57 }, plan, "").unwrap();
    site.does("mu", Command::ReleasePublish { update: 57 });
    let debts = || crate::debts(&site.state());
    assert_eq!(debts(), [(id("1"), 57)]);
    // The tests follow, with a shorter quarantine.
    site.pass(2);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    site.does("ea-IT-CNAF", started(1, Outcome::Success));
    site.pass(24);
    site.does("ea-IT-CNAF", finished(1, Outcome::Success));
    assert_eq!(crate::debts(&site.state()), []);
}
