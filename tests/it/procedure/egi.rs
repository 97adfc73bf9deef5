//! The procedure `egi` line by line: one ticket follows one product through untested, testing and production.

use super::*;

pub(super) const UMD: &str = r#"door = "DOOR"
[roles]
release-team = ["as:mu"]
operations = ["as:ou"]
verifiers = ["as:verifier"]
emi-managers = ["as:emi"]
admin = ["ME"]
[[product]]
name = "umd"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "untested"
import_roles = ["verifiers"]
[[product.stage]]
name = "testing"
import_roles = ["release-team"]
withdraw_roles = ["emi-managers", "operations"]
[[product.stage]]
name = "production"
import_roles = ["release-team"]
waiver_roles = ["operations"]
[[product.route]]
from = "untested"
to = "testing"
roles = ["verifiers"]
[[product.route]]
from = "testing"
to = "production"
roles = ["emi-managers", "operations"]
[product.procedure]
kind = "egi"
quarantine = "QUARANTINE"
[product.procedure.managers]
EMI = ["emi-managers"]
[[product]]
name = "plain"
preset = "egi"
platforms = ["el9/x86_64"]
"#;

const ONE: &str = "ticket = \"1\"";
const CNAF: &str = "ticket = \"1\"\nteams = [\"ea-IT-CNAF\"]";

/// A site that follows the procedure, with two teams of the stack EMI and one of ARC.
fn umd(quarantine: &str) -> Town {
    let town = Town::of(UMD, "umd", quarantine);
    for (team, stack) in [("ea-IT-CNAF", "EMI"), ("ea-UK-RAL", "EMI"), ("ea-CZ-FZU", "ARC")] {
        let entry = format!("team = \"{team}\"\ncontact = \"a@example.org\"\nstacks = [\"{stack}\"]");
        town.does("ou", "team-add", &entry);
    }
    town
}

fn opening(ticket: &str, package: &str) -> String {
    format!(
        "ticket = \"{ticket}\"\ncomponent = \"{package}\"\nversion = \"1.8.0-1\"\npackages = [\"{package}\"]\n\
         stack = \"EMI\"\nmajor = \"1.0\"\nos = \"EL9\"\narch = \"x86_64\""
    )
}

/// Brings packages into the first stage.
fn uploaded(town: &Town, packages: &[Recipe]) {
    let files: Vec<String> =
        packages.iter().map(|one| town.site.upload(&one.file_name(), &one.build())).collect();
    town.does("verifier", "import", &format!("to = \"untested\"\nfiles = {files:?}"));
}

/// A ticket for one package that early adopters have.
fn rolled_out(town: &Town, package: Recipe, name: &str) {
    uploaded(town, &[package]);
    town.does("mu", "ticket-add", &opening("1", name));
    town.does("verifier", "ticket-verify", ONE);
    town.does("verifier", "ticket-deploy", ONE);
}

fn standing(town: &Town, ticket: &str) -> String {
    town.remembered()["tickets"][ticket]["standing"].as_str().unwrap().to_owned()
}

fn tells(answer: &Value, who: &str) -> bool {
    reasons(answer).iter().any(|one| one.starts_with(&format!("{who} are told: ")))
}

const MANAGER: &str = "the staged roll-out manager of `EMI`";

#[test]
fn e01_what_verification_accepts_moves_from_untested_to_testing() {
    let town = umd("0s");
    uploaded(&town, &[package("dpm", "1")]);
    town.refuses("verifier", "ticket-deploy", ONE, "no-such-ticket");
    town.does("mu", "ticket-add", &opening("1", "dpm"));
    town.refuses("verifier", "ticket-deploy", ONE, "wrong-state");
    town.refuses("mu", "ticket-verify", ONE, "wrong-actor");
    town.does("verifier", "ticket-verify", ONE);
    assert_eq!(standing(&town, "1"), "in-verification");
    town.refuses("mu", "ticket-deploy", ONE, "wrong-actor");
    assert_eq!((town.offered("untested"), town.offered("testing")), (names(&["dpm-1-1.x86_64"]), names(&[])));
    let answer = town.does("verifier", "ticket-deploy", ONE);
    assert!(tells(&answer, MANAGER), "{answer:#}");
    assert_eq!((town.offered("untested"), town.offered("testing")), (names(&[]), names(&["dpm-1-1.x86_64"])));
    assert_eq!(standing(&town, "1"), "stage-roll-out");
    // Nobody moves it past the procedure.
    let past = "from = \"testing\"\nto = \"production\"\npackages = [\"dpm\"]";
    town.refuses("emi", "promote", past, "run-by-procedure");
    town.end();
}

#[test]
fn e02_a_ticket_bears_its_title_and_is_the_managers_of_its_stack() {
    let town = umd("0s");
    uploaded(&town, &[package("dpm", "1"), package("voms", "1")]);
    town.refuses("ou", "ticket-add", &opening("1", "dpm"), "wrong-actor");
    town.refuses("mu", "ticket-add", &opening("1", "d pm"), "malformed");
    let answer = town.does("mu", "ticket-add", &opening("1", "dpm"));
    let title = "Staged Rollout EMI-1.0 dpm 1.8.0-1 EL9 x86_64";
    assert!(answer["sentence"].as_str().unwrap().ends_with(title), "{answer:#}");
    town.refuses("mu", "ticket-add", &opening("2", "dpm"), "id-taken");
    town.does("verifier", "ticket-verify", ONE);
    town.does("verifier", "ticket-deploy", ONE);
    town.refuses("ou", "ticket-assign", CNAF, "wrong-actor");
    town.does("emi", "ticket-assign", CNAF);
    // What has no stack is for operations.
    town.does(
        "mu",
        "ticket-add",
        "ticket = \"2\"\ncomponent = \"CA\"\nversion = \"1.38\"\npackages = [\"voms\"]",
    );
    town.does("verifier", "ticket-verify", "ticket = \"2\"");
    let answer = town.does("verifier", "ticket-deploy", "ticket = \"2\"");
    assert!(tells(&answer, "operations"), "{answer:#}");
    town.refuses("mu", "bundle-deploy", "bundle = \"b1\"", "no-procedure");
    town.end();
}

#[test]
fn e03_a_ticket_carries_links() {
    let town = umd("0s");
    uploaded(&town, &[package("dpm", "1")]);
    let notes = "ticket = \"1\"\nrelease_notes = \"https://example.org/notes\"";
    town.refuses("mu", "ticket-links", notes, "no-such-ticket");
    town.does("mu", "ticket-add", &opening("1", "dpm"));
    town.refuses("ea-IT-CNAF", "ticket-links", notes, "wrong-actor");
    town.refuses("mu", "ticket-links", "ticket = \"1\"\nrelease_notes = \"javascript:1\"", "malformed");
    town.refuses("mu", "ticket-links", ONE, "nothing-named");
    town.does("mu", "ticket-links", notes);
    town.does("verifier", "ticket-links", "ticket = \"1\"\nbugs_fixed = \"https://example.org/bugs\"");
    let links = &town.remembered()["tickets"]["1"]["links"];
    assert_eq!(links["release_notes"], "https://example.org/notes");
    assert_eq!(links["bugs_fixed"], "https://example.org/bugs");
    town.end();
}

#[test]
fn e04_the_manager_selects_teams_and_all_of_them_are_told_from_then_on() {
    let town = umd("0s");
    uploaded(&town, &[package("dpm", "1")]);
    town.does("mu", "ticket-add", &opening("1", "dpm"));
    town.refuses("emi", "ticket-assign", CNAF, "wrong-state");
    town.does("verifier", "ticket-verify", ONE);
    town.does("verifier", "ticket-deploy", ONE);
    town.refuses("emi", "ticket-assign", "ticket = \"1\"\nteams = [\"ea-CZ-FZU\"]", "team-does-not-run");
    let both = "ticket = \"1\"\nteams = [\"ea-IT-CNAF\", \"ea-UK-RAL\"]";
    let answer = town.does("emi", "ticket-assign", both);
    assert!(tells(&answer, "`ea-IT-CNAF`") && tells(&answer, "`ea-UK-RAL`"), "{answer:#}");
    assert_eq!(standing(&town, "1"), "waiting-for-response");
    town.refuses("emi", "ticket-assign", both, "already-assigned");
    let answer = town.does("verifier", "ticket-comment", "ticket = \"1\"\ncomment = \"see the notes\"");
    assert!(tells(&answer, MANAGER) && tells(&answer, "`ea-UK-RAL`"), "{answer:#}");
    town.end();
}

#[test]
fn e05_teams_answer_and_the_manager_looks_for_others_if_nobody_accepts() {
    let town = umd("0s");
    rolled_out(&town, package("dpm", "1"), "dpm");
    town.refuses("ea-IT-CNAF", "task-answer", "task = 1\nanswer = \"reject\"", "no-such-task");
    town.does("emi", "ticket-assign", CNAF);
    town.refuses("ea-UK-RAL", "task-answer", "task = 1\nanswer = \"accept\"", "not-your-task");
    let answer = town.does("ea-IT-CNAF", "task-answer", "task = 1\nanswer = \"reject\"");
    let looks = format!("{MANAGER} are told: nobody takes on ticket `1`: please look for other teams");
    assert!(reasons(&answer).contains(&&*looks), "{answer:#}");
    assert_eq!(standing(&town, "1"), "waiting-for-response");
    town.refuses("ea-IT-CNAF", "task-answer", "task = 1\nanswer = \"accept\"", "already-answered");
    town.does("emi", "ticket-assign", "ticket = \"1\"\nteams = [\"ea-UK-RAL\"]");
    town.does("ea-UK-RAL", "task-answer", "task = 2\nanswer = \"accept\"");
    assert_eq!((standing(&town, "1"), town.progress(2)), ("stage-roll-out".into(), "accepted".into()));
    town.end();
}

#[test]
fn e06_a_team_announces_a_downtime_and_tags_the_node() {
    let town = umd("0s");
    rolled_out(&town, package("dpm", "1"), "dpm");
    town.does("emi", "ticket-assign", CNAF);
    let down = "task = 1\nfrom = \"2026-03-01T08:00:00Z\"\nuntil = \"2026-03-01T12:00:00Z\"";
    town.refuses("ea-UK-RAL", "task-downtime", down, "not-your-task");
    town.does("ea-IT-CNAF", "task-downtime", down);
    town.refuses("emi", "task-beta", "task = 1", "not-your-task");
    let answer = town.does("ea-IT-CNAF", "task-beta", "task = 1");
    assert!(tells(&answer, MANAGER), "{answer:#}");
    let task = &town.remembered()["tasks"]["1"];
    assert_eq!((&task["is_beta"], &task["downtime"]["from"]), (&true.into(), &"2026-03-01T08:00:00Z".into()));
    town.end();
}

#[test]
fn e07_problems_are_told_in_the_ticket_and_at_the_helpdesk_by_the_right_subject() {
    let town = umd("0s");
    rolled_out(&town, package("dpm", "1"), "dpm");
    town.does("emi", "ticket-assign", CNAF);
    let related = |subject: &str| {
        format!(
            "ticket = \"1\"\nrelated = \"https://helpdesk.example.org/7\"\nsubject = \"{subject}\"\n\
             criticality = \"no jobs run\"\nworkaround = \"restart it\""
        )
    };
    town.refuses("ea-IT-CNAF", "ticket-relate", &related("dpm is broken"), "wrong-subject");
    let good = related("Staged Rollout: dpm-1.8.0-1 does not start");
    town.refuses("nobody", "ticket-relate", &good, "wrong-actor");
    let answer = town.does("ea-IT-CNAF", "ticket-relate", &good);
    assert!(tells(&answer, MANAGER) && tells(&answer, "the verifiers"), "{answer:#}");
    let known = &town.remembered()["tickets"]["1"]["related"]["https://helpdesk.example.org/7"];
    assert_eq!((&known["criticality"], &known["workaround"]), (&"no jobs run".into(), &"restart it".into()));
    let said = "ticket = \"1\"\ncomment = \"which version of the kernel?\"";
    let answer = town.does("verifier", "ticket-comment", said);
    assert!(tells(&answer, "`ea-IT-CNAF`"), "{answer:#}");
    town.end();
}

#[test]
fn e08_a_service_runs_for_its_time_and_longer_if_the_manager_says_so() {
    let town = umd("5 days");
    rolled_out(&town, package("dpm", "1"), "dpm");
    town.does("emi", "ticket-assign", CNAF);
    town.does("ea-IT-CNAF", "task-start", "task = 1\noutcome = \"success\"");
    town.refuses("ea-IT-CNAF", "task-done", "task = 1\noutcome = \"success\"", "in-quarantine");
    town.refuses("ou", "task-extend", "task = 1\ndays = 2", "wrong-actor");
    town.does("emi", "task-extend", "task = 1\ndays = 2");
    assert_eq!(town.remembered()["tasks"]["1"]["quarantine"], "PT168H");
    town.end();
}

#[test]
fn e10_the_manager_sums_up_under_the_document_of_the_reports() {
    let town = umd("0s");
    rolled_out(&town, package("dpm", "1"), "dpm");
    let summary = |file: &str| format!("ticket = \"1\"\ndocument = \"1234\"\nfile = \"{file}\"");
    let good = summary("summary-EMI-dpm-1.8.0-1.pdf");
    town.refuses("emi", "ticket-summary", &good, "tasks-open");
    town.does("emi", "ticket-assign", CNAF);
    town.tested("ea-IT-CNAF", 1, "success");
    town.refuses("ou", "ticket-summary", &good, "wrong-actor");
    town.refuses("emi", "ticket-summary", &summary("summary-dpm.pdf"), "wrong-file");
    let answer = town.does("emi", "ticket-summary", &good);
    assert!(answer["sentence"].as_str().unwrap().contains("Staged rollout EMI dpm 1.8.0-1"), "{answer:#}");
    assert_eq!(town.remembered()["tickets"]["1"]["summary"]["document"], "1234");
    town.end();
}

#[test]
fn e11_what_is_accepted_enters_production_and_hosts_follow() {
    let town = umd("0s");
    rolled_out(&town, package("dpm", "1"), "dpm");
    town.refuses("emi", "ticket-accept", ONE, "tasks-open");
    town.does("emi", "ticket-assign", "ticket = \"1\"\nteams = [\"ea-IT-CNAF\", \"ea-UK-RAL\"]");
    town.does("ea-IT-CNAF", "task-answer", "task = 1\nanswer = \"accept\"");
    town.refuses("emi", "ticket-accept", ONE, "tasks-open");
    let early = town.host("early", &["production", "testing"]);
    early.dnf(&["install", "dpm"]).ok();
    town.tested("ea-IT-CNAF", 1, "warning");
    town.refuses("ou", "ticket-accept", ONE, "wrong-actor");
    let site = town.host("site", &["production"]);
    assert_eq!(town.offered("production"), names(&[]));
    let answer = town.does("emi", "ticket-accept", ONE);
    assert!(tells(&answer, "the release team") && tells(&answer, "`ea-IT-CNAF`"), "{answer:#}");
    assert_eq!(town.offered("production"), names(&["dpm-1-1.x86_64"]));
    assert_eq!(town.offered("testing"), names(&[]));
    // Whoever did not answer is not waited for.
    assert_eq!((standing(&town, "1"), town.progress(2)), ("accepted".into(), "closed".into()));
    site.dnf(&["install", "dpm"]).ok();
    assert_eq!(site.installed(), early.installed());
    town.refuses("emi", "ticket-reject", "ticket = \"1\"\nreason = \"late\"", "wrong-state");
    town.does("mu", "ticket-release", "tickets = [\"1\"]\nrelease = \"UMD-1.2\"");
    assert_eq!(standing(&town, "1"), "released");
    town.end();
}

#[test]
fn e11_what_is_rejected_leaves_testing() {
    let town = umd("0s");
    rolled_out(&town, package("dpm", "1"), "dpm");
    town.does("emi", "ticket-assign", CNAF);
    town.does("ea-IT-CNAF", "task-start", "task = 1\noutcome = \"fail\"");
    town.refuses("emi", "ticket-accept", ONE, "task-failed");
    town.refuses("emi", "ticket-reject", ONE, "malformed");
    let reject = "ticket = \"1\"\nreason = \"it loses files\"";
    town.refuses("verifier", "ticket-reject", reject, "wrong-actor");
    let answer = town.does("emi", "ticket-reject", reject);
    assert!(tells(&answer, "the release team") && tells(&answer, "`ea-IT-CNAF`"), "{answer:#}");
    assert_eq!((town.offered("testing"), town.offered("production")), (names(&[]), names(&[])));
    assert_eq!((standing(&town, "1"), town.progress(1)), ("rejected".into(), "closed".into()));
    // What verification rejects was never there.
    uploaded(&town, &[package("voms", "1")]);
    town.does("mu", "ticket-add", &opening("2", "voms"));
    town.does("verifier", "ticket-reject", "ticket = \"2\"\nreason = \"it does not build\"");
    assert_eq!(town.offered("untested"), names(&["voms-1-1.x86_64"]));
    town.end();
}
