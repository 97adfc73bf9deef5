use clap::Parser;

use super::*;
use crate::arguments::{Arguments, Verb};

/// What a command line asks for.
fn parsed(words: &[String]) -> Next {
    let program = ["sluice".to_owned()];
    let arguments = Arguments::try_parse_from(program.iter().chain(words))
        .unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let asked: Asked = match arguments.verb {
        Verb::Patch { verb } => verb.into(),
        Verb::Bundle { verb } => verb.into(),
        Verb::Ticket { verb } => verb.into(),
        Verb::Task { verb } => verb.into(),
        Verb::Release { verb } => verb.into(),
        Verb::Team { verb } => verb.into(),
        other => panic!("{other:?}"),
    };
    let Asked::Step(command, _, asking) = asked else { panic!("{words:?} only looks") };
    Next { command: *command, reason: asking.reason, plan: asking.plan.map(|plan| plan.parse().unwrap()) }
}

fn check(line: &str, expected: Option<&str>) {
    let words: Vec<String> = line.split(' ').map(|word| word.replace('~', " ")).collect();
    let next = parsed(&words);
    let said = super::words(&next);
    assert_eq!(said.as_deref().map(shell).as_deref(), expected, "{line}");
    if let Some(said) = said {
        assert_eq!(parsed(&said), next, "{line}");
    }
}

#[test]
fn a_step_is_written_as_it_is_read() {
    let plan = "5e".repeat(32);
    let approve = format!("release approve 57 --plan {plan}");
    for line in [
        "patch status verified 1 2",
        "bundle create b1 1 2",
        "bundle create b1 1 --urgent",
        "bundle deploy b1",
        "bundle continue b1",
        "task assign b1 ea-IT-CNAF ea-UK-RAL",
        "task assign b1 ea-IT-CNAF --rollback --node-type UI --days 3",
        "ticket verify GGUS-7",
        "ticket deploy GGUS-7",
        "ticket assign GGUS-7 ea-IT-CNAF ea-UK-RAL --days 5",
        "ticket accept GGUS-7",
        "ticket reject GGUS-7 --without voms --reason broken",
        "task answer 3 accept",
        "task start 3 success",
        "task done 3 warning --ticket '#12'",
        "release prepare 57",
        "release prepare 57 1 2 --priority high --partial",
        "release ready 57",
        "release publish 57",
        "release reports 57",
        &approve,
    ] {
        check(&line.replace('\'', ""), Some(line));
    }
    check(
        "bundle rollback b1 --back-to voms-1-1 --reason it~isn't~well",
        Some(r"bundle rollback b1 --back-to voms-1-1 --reason 'it isn'\''t well'"),
    );
    check("task ack 3", Some("task answer 3 accept"));
    // Nobody waits for these.
    check("bundle hold b1 --reason r", None);
    check("patch add 1 voms --title t", None);
    check("ticket add GGUS-7 SE-DPM_mysql 1.8.0-1 dpm* --stack EMI --major 1.0 --os SL5 --arch x86_64", None);
    check("ticket links GGUS-7 --release-notes https://example.org/notes", None);
    check("ticket relate GGUS-7 #12 Staged~Rollout:~SE-DPM_mysql-1.8.0-1 --criticality bad", None);
    check("ticket release UMD-1.2 GGUS-7", None);
    check("task beta 3", None);
    check("team add ea-IT-CNAF --contact a@example.org --member user:paolo", None);
}

#[test]
fn what_is_no_name_or_status_is_refused_at_once() {
    for line in [
        "patch status released",
        "patch status done 1",
        "patch add 1 --title t",
        "patch show a/b",
        "task start 3",
        "task done 3 perhaps",
        "task answer 3 perhaps",
        "task assign b1 CNAF",
        "ticket show a/b",
        "ticket links GGUS-7 --release-notes nowhere",
        "ticket relate GGUS-7 \u{1b} subject",
        "release prepare x",
        "task downtime 3 --from 2026-01-01T00:00:00Z",
        "calendar --ics --json",
    ] {
        let error = Arguments::try_parse_from(["sluice"].into_iter().chain(line.split(' '))).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}
