//! Lines E1 to E11, in the order of the domain.

use super::*;
use crate::ticket::Standing;

mod lasting;
mod model;
mod walks;

impl Site {
    /// A product that follows procedure `egi`; `EMI` has a manager of its own.
    pub fn egi() -> Site {
        let mut site = Site::new();
        site.rules.procedure = Procedure::Egi;
        site.rules.from = "untested".into();
        site.rules.beta = "testing".into();
        site.rules.quarantine = SignedDuration::from_hours(24 * 5);
        site.rules.managers.insert("EMI".into(), vec!["emi-manager".into()]);
        site
    }

    fn opened(&mut self, ticket: &str, packages: &str) {
        let items = packages.split_whitespace().map(item);
        self.stages.entry("untested".into()).or_default().extend(items);
        self.does("mu", opening(ticket, Some("EMI"), packages, false));
    }

    /// A ticket that early adopters have.
    fn rolled_out(&mut self, ticket: &str, packages: &str) {
        self.opened(ticket, packages);
        self.does("verifier", Command::TicketVerify { ticket: id(ticket) });
        self.does("verifier", Command::TicketDeploy { ticket: id(ticket) });
        self.pass(2);
    }

    fn standing(&self, ticket: &str) -> Standing {
        self.state().tickets[&id(ticket)].standing
    }
}

const VOMS: &str = "voms-1-1.x86_64";

pub(super) fn opening(ticket: &str, stack: Option<&str>, packages: &str, urgent: bool) -> Command {
    Command::TicketAdd {
        ticket: id(ticket),
        component: format!("SE-{ticket}"),
        version: "1.8.0-1".into(),
        packages: packages.split_whitespace().map(str::to_owned).collect(),
        stack: stack.map(str::to_owned),
        major: stack.map(|_| "1.0".into()),
        os: Some("SL5".into()),
        arch: Some("x86_64".into()),
        platforms: vec![],
        node_types: BTreeSet::new(),
        urgent,
    }
}

pub(super) fn asking(ticket: &str, teams: &str) -> Command {
    let teams = teams.split_whitespace().map(team).collect();
    Command::TicketAssign { ticket: id(ticket), teams, days: None }
}

pub(super) fn answering(task: u32, accepts: bool) -> Command {
    let answer = if accepts { Answer::Accept } else { Answer::Reject };
    Command::TaskAnswer { task, answer }
}

fn accepting(ticket: &str) -> Command {
    Command::TicketAccept { ticket: id(ticket) }
}

fn rejecting(ticket: &str) -> Command {
    Command::TicketReject { ticket: id(ticket), versions: vec![], without: vec![], releases: vec![] }
}

fn told(decided: &Decided) -> Vec<String> {
    decided.notices.iter().map(|notice| notice.to.to_string()).collect()
}

#[test]
fn e01_verification_accepts_and_packages_move_to_testing() {
    let mut site = Site::egi();
    let deploy = || Command::TicketDeploy { ticket: id("1") };
    assert_eq!(site.refuses("verifier", deploy()), "no-such-ticket");
    site.opened("1", VOMS);
    assert_eq!(site.refuses("verifier", deploy()), "wrong-state");
    let verify = || Command::TicketVerify { ticket: id("1") };
    assert_eq!(site.refuses("mu", verify()), "wrong-actor");
    site.does("verifier", verify());
    assert_eq!(site.standing("1"), Standing::InVerification);
    assert_eq!(site.refuses("mu", deploy()), "wrong-actor");
    site.stages.get_mut("untested").unwrap().remove(&item(VOMS));
    assert_eq!(site.refuses("verifier", deploy()), "incomplete");
    site.stages.get_mut("untested").unwrap().insert(item(VOMS));
    let decided = site.does("verifier", deploy());
    assert_eq!(told(&decided), ["the staged roll-out manager of `EMI`"]);
    let state = site.state();
    let ticket = &state.tickets[&id("1")];
    assert_eq!((ticket.standing, ticket.place), (Standing::StageRollOut, Place::Beta));
    assert_eq!(site.stages["testing"], BTreeSet::from([item(VOMS)]));
    assert!(site.stages["untested"].is_empty());
}

#[test]
fn e02_a_ticket_follows_one_product_and_is_the_managers_of_its_stack() {
    let mut site = Site::egi();
    site.rules.mirrors_delay = SignedDuration::ZERO;
    assert_eq!(site.refuses("ou", opening("1", Some("EMI"), VOMS, false)), "wrong-actor");
    assert_eq!(site.refuses("mu", opening("1", Some("EMI"), "", false)), "nothing-named");
    site.opened("1", VOMS);
    assert_eq!(site.state().tickets[&id("1")].title(), "Staged Rollout EMI-1.0 SE-1 1.8.0-1 SL5 x86_64");
    assert_eq!(site.refuses("mu", opening("1", None, "wms-1-1.x86_64", false)), "id-taken");
    assert_eq!(site.refuses("mu", opening("2", None, VOMS, false)), "package-in-another-patch");
    let mut same = opening("2", Some("EMI"), "wms-1-1.x86_64", false);
    let Command::TicketAdd { component, .. } = &mut same else { panic!() };
    *component = "SE-1".into();
    assert_eq!(site.refuses("mu", same.clone()), "id-taken");
    let mut bad = opening("2", Some("E MI"), "wms-1-1.x86_64", false);
    assert_eq!(site.refuses("mu", bad.clone()), "bad-text");
    let Command::TicketAdd { stack, .. } = &mut bad else { panic!() };
    // What has no stack with a manager of its own is for operations.
    *stack = Some("ARC".into());
    site.stages.get_mut("untested").unwrap().insert(item("wms-1-1.x86_64"));
    site.does("mu", bad);
    site.does("verifier", Command::TicketVerify { ticket: id("2") });
    site.does("verifier", Command::TicketDeploy { ticket: id("2") });
    assert_eq!(site.refuses("manager EMI", asking("2", "ea-IT-CNAF")), "wrong-actor");
    site.does("ou", asking("2", "ea-IT-CNAF"));
    // What will not come is no obstacle to another attempt.
    site.does("verifier", rejecting("1"));
    site.does("mu", same_with(same, VOMS, "3"));
}

fn same_with(mut command: Command, package: &str, other: &str) -> Command {
    let Command::TicketAdd { ticket, packages, .. } = &mut command else { panic!() };
    (*ticket, *packages) = (id(other), vec![package.to_owned()]);
    command
}

#[test]
fn e03_links_are_added_and_stay() {
    let mut site = Site::egi();
    site.opened("1", VOMS);
    let links = |notes: Option<&str>, bugs: Option<&str>| Command::TicketLinks {
        ticket: id("1"),
        release_notes: notes.map(|text| text.parse().unwrap()),
        installation: None,
        bugs_fixed: bugs.map(|text| text.parse().unwrap()),
        documentation: None,
    };
    let notes = Some("https://example.org/notes");
    assert_eq!(site.refuses("ea-IT-CNAF", links(notes, None)), "wrong-actor");
    assert_eq!(site.refuses("mu", links(None, None)), "nothing-named");
    site.does("mu", links(notes, None));
    site.does("verifier", links(None, Some("https://example.org/bugs")));
    let known = site.state().tickets[&id("1")].links.clone();
    assert_eq!(known.release_notes.unwrap().as_str(), "https://example.org/notes");
    assert_eq!(known.bugs_fixed.unwrap().as_str(), "https://example.org/bugs");
    assert!(site.decision("mu", &links(notes, None), None, "").unwrap().facts.is_empty());
}

#[test]
fn e04_the_manager_asks_teams_who_are_told_of_what_follows() {
    let mut site = Site::egi();
    site.opened("1", VOMS);
    assert_eq!(site.refuses("manager EMI", asking("1", "ea-IT-CNAF")), "wrong-state");
    site.does("verifier", Command::TicketVerify { ticket: id("1") });
    site.does("verifier", Command::TicketDeploy { ticket: id("1") });
    assert_eq!(site.refuses("manager EMI", asking("1", "ea-IT-CNAF")), "mirrors-behind");
    site.pass(2);
    assert_eq!(site.refuses("ou", asking("1", "ea-IT-CNAF")), "wrong-actor");
    assert_eq!(site.refuses("manager EMI", asking("1", "")), "nothing-named");
    assert_eq!(site.refuses("manager EMI", asking("1", "ea-XX-Nowhere")), "no-such-team");
    let beta = site.stages.remove("testing").unwrap();
    assert_eq!(site.refuses("manager EMI", asking("1", "ea-IT-CNAF")), "incomplete");
    site.stages.insert("testing".into(), beta);
    let decided = site.does("manager EMI", asking("1", "ea-IT-CNAF ea-UK-RAL"));
    assert_eq!(told(&decided), ["`ea-IT-CNAF`", "`ea-UK-RAL`"]);
    assert_eq!(site.standing("1"), Standing::WaitingForResponse);
    assert_eq!(site.refuses("manager EMI", asking("1", "ea-IT-CNAF")), "already-assigned");
    let said = site.does("verifier", Command::TicketComment { ticket: id("1"), comment: "so?".into() });
    assert_eq!(told(&said), ["the staged roll-out manager of `EMI`", "`ea-IT-CNAF`", "`ea-UK-RAL`"]);
    assert_eq!(
        site.refuses("nobody", Command::TicketComment { ticket: id("1"), comment: "x".into() }),
        "wrong-actor"
    );
    // Whoever left the register is not reached any more.
    let close = Command::TaskClose { task: 2 };
    assert_eq!(site.refuses("ou", close.clone()), "wrong-actor");
    site.does("manager EMI", close);
    site.does("ou", Command::TeamRemove { team: team("ea-UK-RAL") });
    let said = site.does("verifier", Command::TicketComment { ticket: id("1"), comment: "well?".into() });
    assert_eq!(told(&said), ["the staged roll-out manager of `EMI`", "`ea-IT-CNAF`"]);
}

#[test]
fn e04_teams_are_asked_for_stacks_and_platforms_that_they_have() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    for (name, stacks, platforms) in [("ea-XX-Arc", "ARC", ""), ("ea-XX-Six", "EMI", "sl6/x86_64")] {
        let (members, contact) = (BTreeSet::new(), "a@example.org".to_owned());
        let (stacks, platforms, node_types) = (words(stacks), words(platforms), BTreeSet::new());
        let entry = Command::TeamAdd { team: team(name), contact, members, stacks, platforms, node_types };
        site.does("ou", entry);
        assert_eq!(site.refuses("manager EMI", asking("1", name)), "team-does-not-run", "{name}");
    }
}

#[test]
fn e05_who_takes_it_on_is_known_and_the_manager_looks_for_others_if_nobody_does() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    site.does("manager EMI", asking("1", "ea-IT-CNAF ea-UK-RAL"));
    // Monday noon, so Tuesday noon.
    assert_eq!(site.state().tasks[&1].answer_by, "2026-03-03T12:00:00Z".parse().unwrap());
    assert_eq!(site.refuses("ea-UK-RAL", answering(1, true)), "not-your-task");
    site.does("ea-IT-CNAF", answering(1, false));
    let decided = site.does("ea-UK-RAL", answering(2, false));
    let sentence = "nobody takes on ticket `1`: please look for other teams";
    let manager = Part::Manager("EMI".into());
    assert!(decided.notices.iter().any(|one| one.to == manager && one.sentence == sentence));
    assert_eq!(site.standing("1"), Standing::WaitingForResponse);
    assert_eq!(site.refuses("ea-IT-CNAF", answering(1, true)), "already-answered");
    site.does("manager EMI", asking("1", "ea-CZ-FZU"));
    site.does("ea-CZ-FZU", answering(3, true));
    assert_eq!(site.standing("1"), Standing::StageRollOut);
    // Somebody does it, so asking more teams waits for nobody.
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    assert_eq!(site.standing("1"), Standing::StageRollOut);
    let late = |site: &mut Site| {
        site.pass(48);
        site.does("clock", Command::Remind {})
    };
    assert_eq!(told(&late(&mut site)), ["`ea-IT-CNAF`", "the staged roll-out manager of `EMI`"]);
}

#[test]
fn e05_who_begins_without_an_answer_has_given_it() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    site.does("ea-IT-CNAF", started(1, Outcome::Success));
    assert_eq!(site.standing("1"), Standing::StageRollOut);
}

#[test]
fn e06_a_team_announces_a_downtime_or_tags_the_node() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    let beta = || Command::TaskBeta { task: 1 };
    assert_eq!(site.refuses("manager EMI", beta()), "not-your-task");
    assert_eq!(site.refuses("ea-IT-CNAF", Command::TaskBeta { task: 2 }), "no-such-task");
    let decided = site.does("ea-IT-CNAF", beta());
    assert_eq!(told(&decided), ["the staged roll-out manager of `EMI`", "`ea-IT-CNAF`"]);
    assert!(site.state().tasks[&1].is_beta);
    assert!(site.decision("ea-IT-CNAF", &beta(), None, "").unwrap().facts.is_empty());
    let (from, until) = (site.times.wall, site.times.wall + SignedDuration::from_hours(2));
    site.does("ea-IT-CNAF", Command::TaskDowntime { task: 1, from, until });
    site.does("manager EMI", Command::TaskClose { task: 1 });
    assert_eq!(site.refuses("ea-IT-CNAF", beta()), "wrong-state");
}

#[test]
fn e07_a_ticket_at_the_helpdesk_is_named_after_what_is_rolled_out() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    let relate = |subject: &str| Command::TicketRelate {
        ticket: id("1"),
        related: "https://helpdesk.example.org/7".parse().unwrap(),
        subject: subject.parse().unwrap(),
        criticality: Some("no jobs run".parse().unwrap()),
        workaround: None,
    };
    for bad in ["it fails", "Staged Rollout: SE-1-1.8.0-10", "Re: Staged Rollout: SE-1-1.8.0-1"] {
        assert_eq!(site.refuses("ea-IT-CNAF", relate(bad)), "wrong-subject", "{bad}");
    }
    let good = "Staged Rollout: SE-1-1.8.0-1 cannot be configured";
    assert_eq!(site.refuses("nobody", relate(good)), "wrong-actor");
    let decided = site.does("ea-IT-CNAF", relate(good));
    assert_eq!(told(&decided), ["the staged roll-out manager of `EMI`", "the verifiers", "`ea-IT-CNAF`"]);
    assert_eq!(site.state().tickets[&id("1")].related.len(), 1);
    assert!(site.decision("ea-IT-CNAF", &relate(good), None, "").unwrap().facts.is_empty());
}

#[test]
fn e08_the_service_runs_for_days_which_can_be_more() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    site.does("ea-IT-CNAF", answering(1, true));
    site.does("ea-IT-CNAF", started(1, Outcome::Success));
    let extend = || Command::TaskExtend { task: 1, days: 2 };
    assert_eq!(site.refuses("ou", extend()), "wrong-actor");
    site.does("manager EMI", extend());
    site.pass(24 * 7 - 1);
    assert_eq!(site.refuses("ea-IT-CNAF", finished(1, Outcome::Success)), "in-quarantine");
    site.pass(1);
    let decided = site.does("ea-IT-CNAF", finished(1, Outcome::Success));
    assert_eq!(told(&decided), ["the staged roll-out manager of `EMI`", "`ea-IT-CNAF`"]);
}

#[test]
fn e10_the_manager_sums_up_under_the_document_of_the_reports() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    let summary =
        |file: &str| Command::TicketSummary { ticket: id("1"), document: id("1234"), file: file.into() };
    let good = "summary-EMI-SE-1-1.8.0-1.pdf";
    assert_eq!(site.refuses("manager EMI", summary(good)), "tasks-open");
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    site.does("ea-IT-CNAF", started(1, Outcome::Success));
    site.pass(24 * 5);
    site.does("ea-IT-CNAF", finished(1, Outcome::Success));
    assert_eq!(site.refuses("ou", summary(good)), "wrong-actor");
    assert_eq!(site.refuses("manager EMI", summary("summary-EMI-SE-2-1.8.0-1.pdf")), "wrong-file");
    assert_eq!(site.refuses("manager EMI", summary("summary-EMI-SE-1-1.8.0-1.exe")), "wrong-file");
    site.does("manager EMI", summary(good));
    let state = site.state();
    let ticket = &state.tickets[&id("1")];
    assert_eq!(ticket.summary.as_ref().unwrap().document, id("1234"));
    assert_eq!(ticket.description(), "Staged rollout EMI SE-1 1.8.0-1");
    assert!(site.decision("manager EMI", &summary(good), None, "").unwrap().facts.is_empty());
}

#[test]
fn e11_what_is_accepted_enters_production() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    assert_eq!(site.refuses("manager EMI", accepting("1")), "tasks-open");
    site.does("manager EMI", asking("1", "ea-IT-CNAF ea-UK-RAL"));
    site.does("ea-IT-CNAF", answering(1, true));
    site.does("ea-IT-CNAF", started(1, Outcome::Success));
    assert_eq!(site.refuses("manager EMI", accepting("1")), "tasks-open");
    site.pass(24 * 5);
    site.does("ea-IT-CNAF", finished(1, Outcome::Warning));
    assert_eq!(site.refuses("ou", accepting("1")), "wrong-actor");
    let beta = site.stages.insert("testing".into(), BTreeSet::new()).unwrap();
    assert_eq!(site.refuses("manager EMI", accepting("1")), "incomplete");
    site.stages.insert("testing".into(), beta);
    // Whoever did not answer is not waited for.
    let decided = site.does("manager EMI", accepting("1"));
    assert_eq!(decided.notices[0].to, Part::ReleaseTeam);
    assert_eq!(site.state().tasks[&2].progress, Progress::Closed);
    assert_eq!((site.standing("1"), site.stages["production"].len()), (Standing::Accepted, 1));
    assert_eq!(site.refuses("manager EMI", rejecting("1")), "wrong-state");
    let release = |tickets: &str| Command::TicketRelease { tickets: ids(tickets), release: id("UMD-1.2") };
    assert_eq!(site.refuses("manager EMI", release("1")), "wrong-actor");
    assert_eq!(site.refuses("mu", release("")), "nothing-named");
    site.does("mu", release("1"));
    assert_eq!(site.standing("1"), Standing::Released);
    assert!(site.decision("mu", &release("1"), None, "").unwrap().facts.is_empty());
}

#[test]
fn e11_what_failed_is_not_accepted_unless_somebody_answers_for_it() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    site.does("ea-IT-CNAF", started(1, Outcome::Fail));
    assert_eq!(site.refuses("manager EMI", accepting("1")), "task-failed");
    site.waived = Some("`user:boss` answers for it".into());
    let decided = site.does("manager EMI", accepting("1"));
    assert_eq!(decided.notes, ["ticket `1` failed at a site; `user:boss` answers for it"]);
}

#[test]
fn e11_what_is_rejected_leaves_testing_and_nobody_tests_it() {
    let mut site = Site::egi();
    site.rolled_out("1", VOMS);
    site.does("manager EMI", asking("1", "ea-IT-CNAF"));
    site.does("ea-IT-CNAF", started(1, Outcome::Fail));
    assert_eq!(site.refuses("verifier", rejecting("1")), "wrong-actor");
    let why = site.decision("manager EMI", &rejecting("1"), None, " ").unwrap_err();
    assert_eq!(why.code, Code::BadText);
    let decided = site.does("manager EMI", rejecting("1"));
    assert!(matches!(&decided.moves, Some(Moves::Back { stage, .. }) if stage == "testing"));
    assert_eq!(told(&decided), ["the release team", "the verifiers", "`ea-IT-CNAF`", "`ea-IT-CNAF`"]);
    assert!(site.stages["testing"].is_empty());
    assert_eq!((site.standing("1"), site.state().tasks[&1].progress), (Standing::Rejected, Progress::Closed));
    // What early adopters never got moves nothing.
    site.opened("2", "wms-1-1.x86_64");
    assert_eq!(site.refuses("manager EMI", rejecting("2")), "wrong-actor");
    let decided = site.does("verifier", rejecting("2"));
    assert_eq!((decided.moves, site.stages["untested"].len()), (None, 1));
}
