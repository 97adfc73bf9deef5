//! Who waits for whom, state by state. That every step named here can be taken is shown by walks.

use super::*;
use crate::Matter;
use crate::waiting::waiting;

/// Who is waited for, and for what.
fn waits(site: &Site) -> Vec<String> {
    let all = waiting(&site.state(), &site.rules, site.times);
    all.iter().map(|one| format!("{} {}", one.who, one.for_what)).collect()
}

#[test]
fn a_patch_waits_for_the_release_team_and_for_operations_in_turn() {
    let mut site = Site::new();
    site.registered(&[("1", "voms-1-1.x86_64"), ("2", "gfal-1-1.x86_64")]);
    let registered = "the release team to say that patch `1` is verified";
    assert_eq!(waits(&site), [registered, "the release team to say that patch `2` is verified"]);
    site.set("mu", "1 2", Status::Verified);
    let flagged = "operations to say that the roll-out of patch `2` can be taken on";
    assert_eq!(waits(&site), ["operations to say that the roll-out of patch `1` can be taken on", flagged]);
    site.set("ou", "1", Status::ReadyForRollout);
    assert_eq!(waits(&site).last().unwrap(), "the release team to make a bundle of patch `1`");
    site.does("mu", Command::BundleCreate { bundle: id("b1"), patches: ids("1 2"), urgent: false });
    // One green flag is enough for all of a bundle.
    assert_eq!(waits(&site), ["the release team to hand bundle `b1` to early adopters"]);
    site.does("ou", Command::BundleHold { bundle: id("b1") });
    assert_eq!(waits(&site), ["operations to let bundle `b1` go on, which is held: because"]);
    site.does("ou", Command::BundleContinue { bundle: id("b1") });
    site.does("mu", Command::BundleDeploy { bundle: id("b1") });
    assert_eq!(waits(&site), ["the clock to pass until mirrors show bundle `b1`"]);
    let time = &waiting(&site.state(), &site.rules, site.times)[0];
    assert_eq!((time.until, &time.step), (Some(site.times.wall + SignedDuration::from_hours(2)), &None));
    site.pass(2);
    assert!(!time.is_late(site.times));
    assert_eq!(waits(&site), ["operations to ask teams to try patches `1`, `2` of bundle `b1`"]);
}

#[test]
fn a_task_waits_for_its_team_until_it_is_done_or_closed() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    let answer = "`ea-IT-CNAF` to answer whether it takes on task 1";
    assert_eq!(waits(&site), [answer]);
    let due = |site: &Site| waiting(&site.state(), &site.rules, site.times)[0].clone();
    assert!(
        due(&site).about.contains(&Matter::Task(1)) && due(&site).about.contains(&Matter::Patch(id("1")))
    );
    assert!(!due(&site).is_late(site.times));
    site.pass(48);
    assert!(due(&site).is_late(site.times));
    site.does("ea-IT-CNAF", Command::TaskAnswer { task: 1, answer: Answer::Accept });
    assert_eq!(waits(&site), ["`ea-IT-CNAF` to install what is to be tried, and to say how task 1 goes"]);
    site.does("ea-IT-CNAF", started(1, Outcome::Warning));
    assert_eq!(waits(&site), ["`ea-IT-CNAF` to keep running it until the quarantine of task 1 is over"]);
    assert_eq!(due(&site).step, None);
    site.rules.wants_evidence = true;
    site.pass(24 * 7);
    assert_eq!(waits(&site), ["`ea-IT-CNAF` to show that it has what task 1 is about"]);
    site.rules.wants_evidence = false;
    assert_eq!(waits(&site), ["`ea-IT-CNAF` to say how task 1 went"]);
    assert_eq!(due(&site).step.map(|next| next.command), Some(finished(1, Outcome::Warning)));
    assert!(due(&site).is_late(site.times));
    site.does("ea-IT-CNAF", finished(1, Outcome::Warning));
    assert_eq!(waits(&site), ["operations to say that patch `1` may enter production"]);
}

#[test]
fn a_team_that_declines_is_not_asked_again_of_itself() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF ea-UK-RAL ea-CZ-FZU", false));
    site.does("ea-IT-CNAF", Command::TaskAnswer { task: 2, answer: Answer::Reject });
    assert_eq!(waits(&site).len(), 2);
    site.does("ea-UK-RAL", Command::TaskAnswer { task: 3, answer: Answer::Reject });
    site.does("ou", Command::TaskClose { task: 1 });
    // It was closed, and may be asked for anew.
    assert_eq!(waits(&site), ["operations to ask teams to try patch `1` of bundle `b1`"]);
    site.does("ou", assigned("b1", "ea-CZ-FZU", false));
    site.does("ea-CZ-FZU", Command::TaskAnswer { task: 4, answer: Answer::Reject });
    site.does("ou", Command::TeamRemove { team: team("ea-CZ-FZU") });
    assert_eq!(waits(&site), ["operations to look for other teams: nobody is left to try patch `1`"]);
}

#[test]
fn an_update_waits_until_everybody_sees_how_its_tests_went() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.tested("b1", "ea-IT-CNAF", Outcome::Success);
    site.set("ou", "1", Status::ReadyForProduction);
    assert_eq!(waits(&site), ["the release team to prepare an update of patch `1`"]);
    let plan = Some(Sha256::from([7; 32]));
    site.tries("mu", prepared(57, "1", false), plan, "").unwrap();
    assert_eq!(waits(&site), ["the release team to say that the release notes of update 57 are ready"]);
    site.does("mu", Command::ReleaseReady { update: 57 });
    assert_eq!(waits(&site), ["operations to look at the plan of update 57 and approve of it"]);
    let approve = waiting(&site.state(), &site.rules, site.times).remove(0).step.unwrap();
    assert_eq!(approve.plan, plan);
    site.tries("ou", approve.command, plan, "").unwrap();
    assert_eq!(waits(&site), ["the release team to put update 57 on line"]);
    site.does("mu", Command::ReleasePublish { update: 57 });
    assert_eq!(waits(&site), ["operations to show everybody how the tests of update 57 went"]);
    site.does("ou", Command::ReleaseReports { update: 57 });
    assert_eq!(waits(&site), [""; 0]);
}

#[test]
fn what_failed_waits_to_be_rejected_taken_out_and_gone_back_from() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    site.does("ea-IT-CNAF", started(1, Outcome::Fail));
    assert_eq!(
        waits(&site),
        [
            "operations to reject patch `1`, which failed at a site, or to answer for it",
            "`ea-IT-CNAF` to say that task 1 is done, which fails"
        ]
    );
    site.set("ou", "1", Status::Rejected);
    assert_eq!(waits(&site)[0], "the release team to take the rejected patch `1` back from early adopters");
    let nothing = || Vec::new();
    site.does(
        "mu",
        Command::BundleRollback {
            bundle: id("b1"),
            versions: nothing(),
            without: nothing(),
            releases: nothing(),
        },
    );
    assert_eq!(waits(&site), ["operations to ask `ea-IT-CNAF` to go back from patch `1`"]);
    site.does("ou", assigned("b1", "ea-IT-CNAF", true));
    site.does("ea-IT-CNAF", Command::TaskAnswer { task: 2, answer: Answer::Accept });
    assert_eq!(waits(&site), ["`ea-IT-CNAF` to go back, and to say how task 2 goes"]);
    site.does("ea-IT-CNAF", started(2, Outcome::Success));
    site.pass(24 * 3);
    site.does("ea-IT-CNAF", finished(2, Outcome::Success));
    assert_eq!(waits(&site), [""; 0]);
}

#[test]
fn the_urgent_lane_waits_for_its_tests_after_it_was_released() {
    let mut site = Site::new();
    site.registered(&[("1", "voms-1-1.x86_64")]);
    site.set("mu", "1", Status::Verified);
    site.set("ou", "1", Status::ReadyForRollout);
    site.does("mu", Command::BundleCreate { bundle: id("b1"), patches: ids("1"), urgent: true });
    site.does("mu", Command::BundleDeploy { bundle: id("b1") });
    assert_eq!(waits(&site), ["operations to say that patch `1` may enter production"]);
    site.set("ou", "1", Status::ReadyForProduction);
    let plan = Some(Sha256::from([7; 32]));
    site.tries("mu", prepared(1, "1", false), plan, "").unwrap();
    site.does("mu", Command::ReleaseReady { update: 1 });
    site.tries("ou", Command::ReleaseApprove { update: 1 }, plan, "").unwrap();
    site.does("mu", Command::ReleasePublish { update: 1 });
    site.pass(2);
    assert_eq!(waits(&site), ["operations to ask teams to try patch `1` of bundle `b1`"]);
    site.does("ou", assigned("b1", "ea-IT-CNAF", false));
    assert_eq!(waits(&site).len(), 1);
}

#[test]
fn what_ends_is_listed_by_its_end() {
    let mut site = Site::new();
    site.deployed("b1", &[("1", "voms-1-1.x86_64")]);
    site.does("ou", assigned("b1", "ea-CZ-FZU ea-IT-CNAF ea-UK-RAL", false));
    site.does("ea-IT-CNAF", started(2, Outcome::Success));
    let now = site.times.wall;
    let (from, until) = (now + SignedDuration::from_hours(1), now + SignedDuration::from_hours(5));
    site.does("ea-IT-CNAF", Command::TaskDowntime { task: 2, from, until });
    site.does("ea-UK-RAL", Command::TaskAnswer { task: 3, answer: Answer::Reject });
    let spans = crate::schedule(&site.state());
    let told: Vec<String> =
        spans.iter().map(|span| format!("{} {} {}", span.about, span.kind, span.words)).collect();
    assert_eq!(
        told,
        [
            "task/2 downtime the node of ea-IT-CNAF for task 2 is down",
            "task/1 answer ea-CZ-FZU answers about task 1",
            "task/2 quarantine ea-IT-CNAF runs what task 2 is about",
        ]
    );
    assert_eq!(spans[2].until, Some(now + SignedDuration::from_hours(24 * 7)));
    site.does("ou", Command::TaskClose { task: 2 });
    assert_eq!(crate::schedule(&site.state()).len(), 1);
}
