//! What holds of tickets whatever is asked: what is tested stays as it is, the urgent lane, the table of ways.

use super::super::*;
use super::{VOMS, accepting, answering, asking, opening};
use crate::ticket::Standing;
use crate::{EGI, Role, way};

#[test]
fn a_ticket_under_test_is_frozen_and_one_changed_before_is_verified_anew() {
    let mut site = Site::egi();
    site.opened("1", VOMS);
    site.does("verifier", Command::TicketVerify { ticket: id("1") });
    site.stages.get_mut("untested").unwrap().insert(item("wms-1-1.x86_64"));
    let change = |packages: &str| Command::TicketChange {
        ticket: id("1"),
        packages: packages.split_whitespace().map(str::to_owned).collect(),
        platforms: vec![],
    };
    assert_eq!(site.refuses("ou", change("wms-1-1.x86_64")), "wrong-actor");
    assert!(site.decision("mu", &change(VOMS), None, "").unwrap().facts.is_empty());
    site.does("mu", change("wms-1-1.x86_64"));
    assert_eq!(site.standing("1"), Standing::Unverified);
    site.does("verifier", Command::TicketVerify { ticket: id("1") });
    site.does("verifier", Command::TicketDeploy { ticket: id("1") });
    assert_eq!(site.refuses("mu", change(VOMS)), "wrong-state");
}

#[test]
fn what_is_built_anew_is_tried_anew() {
    let mut site = Site::egi();
    site.rules.mirrors_delay = SignedDuration::ZERO;
    site.rolled_out("1", VOMS);
    site.does("manager EMI", asking("1", "ea-IT-CNAF ea-UK-RAL"));
    site.does("ea-IT-CNAF", started(1, Outcome::Success));
    site.pass(24 * 5);
    site.does("ea-IT-CNAF", finished(1, Outcome::Success));
    let (was, anew) = (item(VOMS), item("voms-1-2.x86_64"));
    let facts = site.built_anew(&[(was, anew.clone())]);
    assert_eq!(facts.len(), 2);
    site.stages.insert("testing".into(), BTreeSet::from([anew.clone()]));
    assert_eq!(site.state().tickets[&id("1")].items, BTreeSet::from([anew]));
    assert_eq!(site.state().tasks[&2].progress, Progress::Closed);
    assert_eq!(site.refuses("manager EMI", accepting("1")), "tasks-open");
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    assert_eq!(site.standing("1"), Standing::WaitingForResponse);
}

#[test]
fn the_urgent_lane_of_a_ticket_goes_first_and_owes_the_tests() {
    let mut site = Site::egi();
    site.stages.entry("untested".into()).or_default().insert(item(VOMS));
    site.does("mu", opening("1", Some("EMI"), VOMS, true));
    site.does("verifier", Command::TicketVerify { ticket: id("1") });
    site.does("verifier", Command::TicketDeploy { ticket: id("1") });
    site.pass(2);
    let decided = site.does("manager EMI", accepting("1"));
    assert_eq!(
        decided.notes,
        ["no site has tested ticket `1` to the end, which its urgent lane owes until a site has"]
    );
    assert_eq!(crate::ticket_debts(&site.state()), [id("1")]);
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    assert_eq!(site.standing("1"), Standing::Accepted);
    site.does("ea-IT-CNAF", started(1, Outcome::Success));
    site.pass(24);
    site.does("ea-IT-CNAF", finished(1, Outcome::Success));
    assert_eq!(crate::ticket_debts(&site.state()), []);
}

#[test]
fn steps_of_the_other_procedure_are_told_to_be_that() {
    let egi = Site::egi();
    assert_eq!(egi.refuses("ou", assigned("b1", "ea-IT-CNAF", false)), "no-procedure");
    assert_eq!(egi.refuses("mu", added("1", VOMS)), "no-procedure");
    assert_eq!(egi.refuses("mu", Command::ReleaseReady { update: 1 }), "no-procedure");
    let glite = Site::new();
    assert_eq!(glite.refuses("mu", opening("1", None, VOMS, false)), "no-procedure");
    assert_eq!(glite.refuses("ou", accepting("1")), "no-procedure");
}

#[test]
fn no_more_is_kept_of_a_ticket_than_can_be_carried() {
    let mut site = Site::egi();
    site.opened("1", VOMS);
    let said = || Command::TicketComment { ticket: id("1"), comment: "again".into() };
    for _ in 1..500 {
        site.does("mu", said());
    }
    assert_eq!(site.refuses("mu", said()), "history-full");
    // It goes on all the same.
    site.does("verifier", Command::TicketVerify { ticket: id("1") });
}

#[test]
fn the_table_names_every_standing_and_no_way_twice() {
    for way_there in EGI {
        assert!(!way_there.actor.is_empty() && !way_there.from.contains(&way_there.to));
        for from in way_there.from {
            assert_eq!(way(*from, way_there.to, way_there.by), Some(way_there));
        }
    }
    let leads_to = |standing: &Standing| EGI.iter().any(|way| way.to == *standing);
    assert!(Standing::ALL.iter().all(leads_to));
    let lines: BTreeSet<_> = EGI.iter().filter_map(|way| way.line).collect();
    assert_eq!(lines, BTreeSet::from(["E1", "E4", "E5", "E11"]));
    assert!(EGI.iter().all(|way| way.line != Some("E11") || way.actor == [Role::Manager]));
}

#[test]
fn the_facts_make_the_same_state_again() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    site.does("ea-IT-CNAF", answering(1, true));
    let mut again = Workflow::default();
    for deed in &site.deeds {
        let stored = serde_json::to_string(deed).unwrap();
        again.evolve(&serde_json::from_str(&stored).unwrap());
    }
    assert_eq!(again, site.workflow);
    let stored = serde_json::to_string(&again).unwrap();
    assert_eq!(serde_json::from_str::<Workflow>(&stored).unwrap(), again);
}
