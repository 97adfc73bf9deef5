//! What holds whatever is asked: clocks that jump, teams, comments, holds, the same facts give the same state.

use super::*;

#[test]
fn a_clock_that_jumps_ends_no_quarantine_and_reminds_nobody_twice() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF ea-UK-RAL", false));
    site.does("ea-IT-CNAF", started(1, Outcome::Success));
    let witnessed = site.times.witnessed;
    let years = SignedDuration::from_hours(10 * 365 * 24);
    for wall in [witnessed + years, witnessed - years] {
        site.times = Times { wall, witnessed };
        assert_eq!(site.refuses("ea-IT-CNAF", finished(1, Outcome::Success)), "in-quarantine");
        assert!(site.decision("clock", &Command::Remind {}, None, "").unwrap().facts.is_empty());
    }
    site.times = Times { wall: witnessed, witnessed };
    assert_eq!(site.refuses("mu", Command::Remind {}), "wrong-actor");
    site.pass(24 * 8);
    let decided = site.does("clock", Command::Remind {});
    let of = |task, of| Fact::Reminded { task, of };
    assert_eq!(decided.facts, [of(1, Reminder::DoneOverdue), of(2, Reminder::AnswerOverdue)]);
    let now = site.times;
    for wall in [now.wall, now.wall + years, now.wall - years, now.wall] {
        site.times = Times { wall, ..now };
        assert!(site.decision("clock", &Command::Remind {}, None, "").unwrap().facts.is_empty());
    }
}

#[test]
fn a_team_asked_while_the_wall_clock_is_behind_has_its_working_day() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.set("ou", "1", Status::Rejected);
    let back =
        Command::BundleRollback { bundle: id("b1"), versions: vec![], without: vec![], releases: vec![] };
    site.does("mu", back);
    site.times.wall = site.times.witnessed - SignedDuration::from_hours(10 * 365 * 24);
    site.does("ou", assigned("b1", "ea-IT-CNAF", true));
    site.times.wall = site.times.witnessed;
    let due = "2026-03-03T12:00:00Z".parse().unwrap();
    assert_eq!(
        (site.state().tasks[&1].answer_by, site.state().tasks[&1].assigned),
        (due, site.times.witnessed)
    );
    assert!(site.decision("clock", &Command::Remind {}, None, "").unwrap().facts.is_empty());
}

#[test]
fn a_team_answers_once_and_operations_look_for_others_when_nobody_accepts() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF ea-UK-RAL", false));
    // Monday noon, so Tuesday noon.
    assert_eq!(site.state().tasks[&1].answer_by, "2026-03-03T12:00:00Z".parse().unwrap());
    let answer = |task, accepts| {
        let answer = if accepts { Answer::Accept } else { Answer::Reject };
        Command::TaskAnswer { task, answer }
    };
    assert_eq!(site.refuses("ea-UK-RAL", answer(1, true)), "not-your-task");
    assert_eq!(site.does("ea-IT-CNAF", answer(1, false)).notices.len(), 1);
    assert_eq!(site.refuses("ea-IT-CNAF", answer(1, true)), "already-answered");
    let decided = site.does("ea-UK-RAL", answer(2, false));
    assert_eq!(decided.notices[1].sentence, "nobody takes on bundle `b1`: please look for other teams");
    assert_eq!(site.refuses("ou", assigned("b1", "ea-XX-Nowhere", false)), "no-such-team");
}

#[test]
fn a_team_gets_the_patches_of_the_node_types_it_runs() {
    let mut site = Site::new();
    site.pins.insert("WMS".into(), words("wms"));
    site.pins.insert("CE".into(), words("cream"));
    site.deployed("b1", &[("1", "wms-1-1.x86_64"), ("2", "cream-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-CZ-FZU ea-IT-CNAF", false));
    let state = site.state();
    assert_eq!((&state.tasks[&1].patches, &state.tasks[&1].node_types), (&ids("2"), &words("CE")));
    assert_eq!((&state.tasks[&2].patches, &state.tasks[&2].node_types), (&ids("1"), &words("WMS")));
    assert_ne!(state.tasks[&1].content, state.tasks[&2].content);
    let node_types = words("CE");
    let teams = BTreeSet::from([team("ea-UK-RAL")]);
    let wrong = Command::TaskAssign { bundle: id("b1"), teams, rollback: false, node_types, days: None };
    assert_eq!(site.refuses("ou", wrong), "team-does-not-run");
}

#[test]
fn a_quarantine_is_lengthened_and_a_node_may_be_down() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    site.does("ea-IT-CNAF", started(1, Outcome::Success));
    assert_eq!(site.refuses("ea-IT-CNAF", Command::TaskExtend { task: 1, days: 2 }), "wrong-actor");
    assert_eq!(site.refuses("ou", Command::TaskExtend { task: 1, days: 0 }), "bad-text");
    assert_eq!(site.refuses("ou", Command::TaskExtend { task: 1, days: u32::MAX }), "bad-text");
    site.does("ou", Command::TaskExtend { task: 1, days: 2 });
    let (from, until) = (site.times.wall, site.times.wall + SignedDuration::from_hours(3));
    let down = |from, until| Command::TaskDowntime { task: 1, from, until };
    assert_eq!(site.refuses("ea-IT-CNAF", down(until, from)), "bad-text");
    site.does("ea-IT-CNAF", down(from, until));
    site.pass(24 * 9 - 1);
    assert_eq!(site.refuses("ea-IT-CNAF", finished(1, Outcome::Success)), "in-quarantine");
    site.pass(1);
    site.does("ea-IT-CNAF", finished(1, Outcome::Success));
}

#[test]
fn a_bundle_that_is_held_goes_no_further() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    let (hold, on) =
        (|| Command::BundleHold { bundle: id("b1") }, || Command::BundleContinue { bundle: id("b1") });
    assert_eq!(site.decision("ou", &hold(), None, " ").unwrap_err().code, Code::BadText);
    site.does("ou", hold());
    assert_eq!(site.refuses("ou", assigned("b1", "ea-IT-CNAF", false)), "bundle-held");
    assert_eq!(site.refuses("nobody", on()), "wrong-actor");
    site.does("mu", on());
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
}

#[test]
fn what_is_tested_stays_as_it_is() {
    let mut site = Site::new();
    site.registered(&[("1", "voms-1-1.x86_64")]);
    site.set("mu", "1", Status::Verified);
    let changed = |packages: &str| Command::PatchChange {
        patch: id("1"),
        packages: packages.split_whitespace().map(str::to_owned).collect(),
        platforms: vec![],
    };
    let decided = site.does("mu", changed("voms-1-2.x86_64"));
    assert_eq!((site.status("1"), &decided.notices[0].to), (Status::Registered, &Part::Operations));
    assert_eq!(site.refuses("mu", changed("")), "nothing-named");
    assert_eq!(site.refuses("mu", added("2", "voms-1-2.x86_64")), "package-in-another-patch");
    site.stages.entry("certified".into()).or_default().insert(item("voms-1-2.x86_64"));
    site.set("mu", "1", Status::Verified);
    site.set("ou", "1", Status::ReadyForRollout);
    site.does("mu", Command::BundleCreate { bundle: id("b1"), patches: ids("1"), urgent: false });
    site.does("mu", Command::BundleDeploy { bundle: id("b1") });
    assert_eq!(site.refuses("mu", changed("voms-1-3.x86_64")), "wrong-state");
    let out = Command::BundleRemove { bundle: id("b1"), patches: ids("1") };
    assert_eq!(site.refuses("mu", out), "wrong-state");
}

#[test]
fn nobody_fills_what_every_generation_carries() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    let mut said = 0;
    let comment = || Command::TaskComment { task: 1, comment: "still there".into() };
    while site.decision("ea-IT-CNAF", &comment(), None, "").is_ok() {
        site.does("ea-IT-CNAF", comment());
        said += 1;
    }
    assert_eq!(site.refuses("ea-IT-CNAF", comment()), "history-full");
    assert_eq!(said, 499);
    assert_eq!(site.refuses("ea-IT-CNAF", started(1, Outcome::Success)), "history-full");
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    let tickets: BTreeSet<String> = (0..201).map(|number| format!("#{number}")).collect();
    let (task, outcome, content) = (1, Outcome::Success, None);
    let many = Command::TaskStart { task, outcome, tickets, content };
    assert_eq!(site.refuses("ea-IT-CNAF", many), "history-full");
}

#[test]
fn tests_count_for_what_they_were_made_of() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64"), ("2", "ui-1-1.x86_64")]);
    site.tested("b1", "ea-IT-CNAF", Outcome::Success);
    site.does("ou", assigned("b1", "ea-UK-RAL", false));
    // Something of the second patch is built anew, as a roll-back of another bundle has it.
    let anew = item("ui-1-1.1.x86_64");
    site.rebuild(&[(item("ui-1-1.x86_64"), anew.clone())]);
    assert!(site.state().patches[&id("2")].items.contains(&anew));
    let state = site.state();
    assert_eq!(state.tasks[&2].progress, Progress::Closed, "{:?}", state.tasks[&2]);
    let bundle = &state.bundles[&id("b1")];
    assert_eq!(bundle.revisions.last().unwrap().content, bundle.content(&state.patches));
    let ready = || Command::PatchStatus { patches: ids("2"), status: Status::ReadyForProduction };
    assert_eq!(site.refuses("ou", ready()), "tasks-open");
    assert_eq!(site.refuses("ou", assigned("b1", "ea-UK-RAL", false)), "mirrors-behind");
    site.pass(2);
    site.tested("b1", "ea-UK-RAL", Outcome::Success);
    site.does("ou", ready());
}

#[test]
fn a_failure_in_progress_stops_the_urgent_lane_too() {
    let mut site = Site::new();
    site.registered(&[("1", "voms-1-1.x86_64")]);
    site.set("mu", "1", Status::Verified);
    site.set("ou", "1", Status::ReadyForRollout);
    site.does("mu", Command::BundleCreate { bundle: id("b1"), patches: ids("1"), urgent: true });
    site.does("mu", Command::BundleDeploy { bundle: id("b1") });
    site.pass(2);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    site.does("ea-IT-CNAF", started(1, Outcome::Fail));
    let ready = || Command::PatchStatus { patches: ids("1"), status: Status::ReadyForProduction };
    assert_eq!(site.refuses("ou", ready()), "task-failed");
    site.does("ea-IT-CNAF", started(1, Outcome::Warning));
    site.does("ou", ready());
}

#[test]
fn a_team_that_declined_may_be_asked_again_and_gets_what_is_for_its_platforms() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    site.does("ea-IT-CNAF", Command::TaskAnswer { task: 1, answer: Answer::Reject });
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    site.does(
        "ou",
        Command::TeamAdd {
            team: team("ea-FR-LAL"),
            contact: "b@example.org".into(),
            members: BTreeSet::new(),
            stacks: BTreeSet::new(),
            platforms: words("sl6/x86_64"),
            node_types: BTreeSet::new(),
        },
    );
    assert_eq!(site.refuses("ou", assigned("b1", "ea-FR-LAL", false)), "team-does-not-run");
}

#[test]
fn the_same_facts_give_the_same_state_and_are_stored_as_they_are() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.tested("b1", "ea-IT-CNAF", Outcome::Warning);
    site.does("verifier", Command::TaskComment { task: 1, comment: "looks fine".into() });
    site.does("ea-UK-RAL", Command::PatchComment { patch: id("1"), comment: "here, too".into() });
    assert_eq!(site.refuses("nobody", Command::TaskComment { task: 1, comment: "x".into() }), "wrong-actor");
    let mut again = Workflow::default();
    for deed in &site.deeds {
        let text = serde_json::to_string(deed).unwrap();
        again.evolve(&serde_json::from_str(&text).unwrap());
    }
    assert_eq!(again, site.workflow);
    let text = serde_json::to_string(&again).unwrap();
    assert_eq!(serde_json::from_str::<Workflow>(&text).unwrap(), again);
}
