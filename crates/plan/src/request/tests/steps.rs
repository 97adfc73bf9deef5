//! The steps of procedures as requests.

use super::*;
use crate::request::STEPS;

/// One request of each step, with all its keys.
const ALL: &str = r##"
team-add: team = "ea-IT-CNAF"; contact = "a@example.org"; members = ["user:paolo"]; stacks = ["gLite"]; platforms = ["sl5/x86_64"]; node_types = ["UI"]
team-remove: team = "ea-IT-CNAF"
patch-add: patch = "3456"; title = "VOMS"; packages = ["voms*"]; platforms = ["sl5/*"]; node_types = ["UI"]; bugs = ["#1234"]
patch-change: patch = "3456"; packages = ["voms"]; platforms = ["sl5/x86_64"]
patch-status: patches = ["3456", "3457"]; status = "ready-for-rollout"
patch-comment: patch = "3456"; comment = "two\nlines"
bundle-create: bundle = "b1"; patches = ["3456"]; urgent = true
bundle-add: bundle = "b1"; patches = ["3457"]
bundle-remove: bundle = "b1"; patches = ["3457"]
bundle-deploy: bundle = "b1"
bundle-hold: bundle = "b1"
bundle-continue: bundle = "b1"
bundle-rollback: bundle = "b1"; versions = ["voms-1-1"]; without = ["gfal"]; releases = ["ui-1-2"]
ticket-add: ticket = "1"; component = "SE-DPM_mysql"; version = "1.8.0-1"; packages = ["dpm*"]; stack = "EMI"; major = "1.0"; os = "SL5"; arch = "x86_64"; platforms = ["sl5/*"]; node_types = ["SE"]; urgent = true
ticket-change: ticket = "1"; packages = ["dpm"]; platforms = ["sl5/x86_64"]
ticket-verify: ticket = "1"
ticket-deploy: ticket = "1"
ticket-links: ticket = "1"; release_notes = "https://example.org/notes"; installation = "https://example.org/install"; bugs_fixed = "https://example.org/bugs"; documentation = "https://example.org/docs"
ticket-comment: ticket = "1"; comment = "two\nlines"
ticket-assign: ticket = "1"; teams = ["ea-IT-CNAF"]; days = 7
ticket-relate: ticket = "1"; related = "https://helpdesk.example.org/1"; subject = "Staged Rollout: SE-DPM_mysql-1.8.0-1"; criticality = "no jobs run"; workaround = "two\nlines"
ticket-summary: ticket = "1"; document = "1234"; file = "summary-EMI-SE-DPM_mysql-1.8.0-1.pdf"
ticket-accept: ticket = "1"
ticket-reject: ticket = "1"; versions = ["voms-1-1"]; without = ["gfal"]; releases = ["ui-1-2"]
ticket-release: tickets = ["1", "2"]; release = "UMD-1.2"
task-assign: bundle = "b1"; teams = ["ea-IT-CNAF", "ea-UK-RAL-LCG2"]; rollback = true; node_types = ["UI"]; days = 9
task-answer: task = 7; answer = "reject"
task-start: task = 7; outcome = "warning"; tickets = ["https://helpdesk.example.org/1"]; content = "DIGEST"
task-comment: task = 7; comment = "x"
task-done: task = 7; outcome = "fail"; tickets = ["#1"]; content = "DIGEST"
task-extend: task = 7; days = 2
task-downtime: task = 7; from = "2026-03-01T08:00:00Z"; until = "2026-03-01T12:00:00Z"
task-beta: task = 7
task-close: task = 7
release-prepare: update = 57; patches = ["3456"]; priority = "high"; partial = true
release-ready: update = 57
release-approve: update = 57
release-publish: update = 57
release-drop: update = 57
release-reports: update = 57
remind:
archive:
"##;

#[test]
fn every_step_is_read_as_it_was_written_and_knows_no_other_key() {
    let mut seen = Vec::new();
    for row in ALL.lines().filter(|row| !row.is_empty()) {
        let (action, keys) = row.split_once(':').unwrap();
        let (name, known) = STEPS.iter().find(|(name, _)| *name == action).unwrap();
        let keys = keys.trim().replace("; ", "\n").replace("DIGEST", &"5e".repeat(32));
        let common = format!("reason = \"because\"\nplan = \"{}\"", "3f".repeat(32));
        let text = toml(&format!("action = \"{action}\"\nproduct = \"glite-3.2\"\n{keys}\n{common}"));
        let request =
            parse(text.as_bytes(), Format::Toml).unwrap_or_else(|refusal| panic!("{row}: {refusal}"));
        assert_eq!(request.action.name(), *name);
        assert_eq!(request.action.product(), Some("glite-3.2"));
        let again = parse(request.to_toml().as_bytes(), Format::Toml).unwrap();
        assert_eq!(again, request, "{}", request.to_toml());
        for key in *known {
            assert!(text.contains(&format!("{key} = ")), "{action} is not tried with `{key}`");
        }
        let more = text.replace("reason = ", "nonsense = 1\nreason = ");
        let refusal = parse(more.as_bytes(), Format::Toml).unwrap_err();
        assert_eq!(refusal.code, Code::UnknownKey, "{refusal}");
        seen.push(*name);
    }
    assert_eq!(seen, STEPS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn what_a_step_needs_is_asked_for() {
    for (keys, words) in [
        ("action = \"bundle-hold\"\nbundle = \"b1\"", "needs a `reason`"),
        ("action = \"bundle-rollback\"\nbundle = \"b1\"", "needs a `reason`"),
        ("action = \"task-close\"\ntask = 1", "needs a `reason`"),
        ("action = \"ticket-reject\"\nticket = \"1\"", "needs a `reason`"),
        (
            "action = \"ticket-add\"\nticket = \"1\"\ncomponent = \"a b\"\nversion = \"1\"\npackages = [\"a\"]",
            "the component `a b` cannot be a part of names",
        ),
        (
            "action = \"ticket-relate\"\nticket = \"1\"\nrelated = \"somewhere\"\nsubject = \"s\"",
            "names no ticket or bug",
        ),
        ("action = \"release-approve\"\nupdate = 1", "needs the key `plan`"),
        ("action = \"patch-comment\"\npatch = \"1\"\ncomment = \" \"", "the text is empty"),
        (
            "action = \"patch-comment\"\npatch = \"1\"\ncomment = \"\\u001b[31m\"",
            "the value of `comment` cannot be taken",
        ),
        ("action = \"patch-add\"\npatch = \"../1\"\ntitle = \"t\"\npackages = [\"a\"]", "is not an id"),
        ("action = \"team-remove\"\nteam = \"CNAF\"", "is not a team of early adopters"),
    ] {
        let text = toml(&format!("product = \"p\"\n{keys}"));
        let refusal = parse(text.as_bytes(), Format::Toml).unwrap_err();
        assert_eq!(refusal.code, Code::Malformed, "{refusal}");
        assert!(refusal.sentence.contains(words), "{refusal}");
    }
}
