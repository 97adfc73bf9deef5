//! The command line: a whole small release, and a ticket, by what `sluice status` says is to be typed, one step through the ssh door.

use super::*;
use crate::door::{bound, told};
use testkit::{Ran, program, run};

/// Runs a command as `sluice status` writes it, in a shell that finds the program.
fn typed(town: &Town, command: &str) -> Ran {
    let own = town.site.command();
    let path = own.get_program().to_str().unwrap();
    let mut shell = program("sh");
    shell.args(["-c", &format!("sluice() {{ '{path}' \"$@\"; }}; {command}")]);
    let said = own.get_envs().find(|(key, _)| *key == "SLUICE_AS");
    run(shell.envs(said.and_then(|(key, value)| Some((key, value?)))))
}

/// What waits, as programs read it.
fn waits(town: &Town) -> Vec<Value> {
    let status = town.site.sluice(&["--json", "status"]).ok();
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let under = status["procedures"].as_array().unwrap();
    assert_eq!(under.len(), 1, "{status:#}");
    under[0]["waiting"].as_array().unwrap().clone()
}

/// Does what `sluice status` says until it says something that has these words, or nothing; gives the commands.
fn follow(town: &Town, until: &str) -> Vec<String> {
    let mut commands = Vec::new();
    loop {
        let waits = waits(town);
        let Some(command) = waits.iter().find_map(|one| one["command"].as_str()) else { return commands };
        if command.contains(until) {
            return commands;
        }
        typed(town, command).ok();
        commands.push(command.split_whitespace().skip(3).take(2).collect::<Vec<_>>().join(" "));
        assert!(commands.len() < 30, "it leads nowhere: {commands:?}");
    }
}

#[test]
fn a_release_is_made_by_what_status_says_is_to_be_typed() {
    let town = Town::new("0s");
    town.certified(&[package("voms", "1")]);
    let add = ["team", "add", "ea-IT-CNAF", "--contact", "a@example.org", "--node-type", "ui"];
    let rehearsed = town.site.sluice(&[&add[..], &["--stack", "glite", "--dry-run", "--json"]].concat()).ok();
    let rehearsed: Value = serde_json::from_str(&rehearsed.stdout).unwrap();
    let me = rehearsed["owner"].as_str().unwrap().to_owned();
    town.site.sluice(&[&add[..], &["--member", &me]].concat()).ok();
    let listed = town.site.sluice(&["team", "list"]).ok();
    assert!(listed.stdout.contains("ea-IT-CNAF") && listed.stdout.contains(&me), "{listed}");

    town.site.sluice(&["patch", "add", "1", "voms", "--title", "proxies that last", "--bug", "#42"]).ok();
    let refused = town.site.sluice(&["patch", "status", "ready-for-production", "1"]);
    assert_eq!(refused.code(), 4, "{refused}");
    let unreasoned = town.site.sluice(&["bundle", "hold", "b1"]);
    assert_eq!(unreasoned.code(), 2, "{unreasoned}");
    let steps = follow(&town, "task assign");
    assert_eq!(steps, ["patch status", "patch status", "bundle create", "bundle deploy"]);
    assert_eq!(town.offered("delta"), names(&["voms-1-1.x86_64"]));

    // A team that has a key and no account.
    town.site.sluice(&["task", "assign", "bundle-1", "ea-IT-CNAF"]).ok();
    let due = town.site.sluice(&["calendar"]).ok();
    assert!(due.stdout.contains("ea-IT-CNAF answers about task 1"), "{due}");
    let why = town.site.sluice(&["why", "patch/1"]).ok();
    for words in ["rolling-out", "bundle-deploy", "tasks-open", "generation", "task answer 1 accept"] {
        assert!(why.stdout.contains(words), "{words}: {why}");
    }
    let answer =
        "format = 1\naction = \"task-answer\"\nproduct = \"glite\"\ntask = 1\nanswer = \"accept\"\n\n[end]\n";
    let words = bound(&town.site, &[]);
    let mut door = program(&words[0]);
    told(door.args(&words[1..]).env("SSH_ORIGINAL_COMMAND", ""), answer.as_bytes()).ok();
    let shown = town.site.sluice(&["task", "show", "1"]).ok();
    assert!(shown.stdout.contains("accepted") && shown.stdout.contains("as:ea-IT-CNAF: accepted"), "{shown}");
    assert_eq!(town.site.sluice(&["task", "ack", "1"]).code(), 4);
    town.site.sluice(&["task", "comment", "1", "installed without trouble"]).ok();

    let ics = || town.site.sluice(&["calendar", "--ics"]).ok().stdout;
    let steps = follow(&town, "task done");
    assert_eq!(steps, ["task start"]);
    let calendar = ics();
    assert_eq!(calendar, ics());
    assert!(
        calendar.starts_with("BEGIN:VCALENDAR\r\n") && calendar.ends_with("END:VCALENDAR\r\n"),
        "{calendar}"
    );
    assert!(calendar.contains("UID:task-1-quarantine.glite@127.0.0.1\r\n"), "{calendar}");
    for line in calendar.split("\r\n") {
        assert!(line.len() <= 75 && !line.contains('\n'), "{line:?}");
        let is_time = ["DTSTAMP:", "DTSTART:", "DTEND:"].iter().any(|key| line.starts_with(key));
        assert!(!is_time || line.ends_with('Z'), "{line:?}");
    }

    let steps = follow(&town, "nothing stops here");
    let rest = [
        "task done",
        "patch status",
        "release prepare",
        "release ready",
        "release approve",
        "release publish",
    ];
    assert_eq!(steps, [&rest[..], &["release reports"]].concat());
    assert_eq!(waits(&town), [] as [Value; 0]);
    assert_eq!(town.offered("production"), names(&["voms-1-1.x86_64"]));
    let update = town.site.sluice(&["release", "show", "1"]).ok();
    assert!(
        update.stdout.contains("published") && update.stdout.contains("task 1 of ea-IT-CNAF is done"),
        "{update}"
    );
    let why = town.site.sluice(&["why", "task", "1"]).ok();
    assert!(why.stdout.contains("task-answer of as:ea-IT-CNAF"), "{why}");
    assert_eq!(town.site.sluice(&["why", "task/9"]).code(), 5);
    assert_eq!(town.site.sluice(&["patch", "show", "9"]).code(), 5);
    assert_eq!(town.site.sluice(&["patch", "show", "1", "--product", "plain"]).code(), 2);
    let both = town.site.sluice(&["why", "voms"]).ok();
    assert!(both.stdout.contains("listed in"), "{both}");
    town.end();
}

#[test]
fn a_ticket_is_followed_by_what_status_says_is_to_be_typed() {
    let everybody = ["mu", "ou", "verifier", "emi"];
    let all_are_me = everybody.iter().fold(egi::UMD.to_owned(), |text, who| {
        text.replace(&format!("[\"as:{who}\"]"), &format!("[\"as:{who}\", \"ME\"]"))
    });
    let town = Town::of(&all_are_me, "umd", "0s");
    let file = town.site.upload(&package("dpm", "1").file_name(), &package("dpm", "1").build());
    town.does("verifier", "import", &format!("to = \"untested\"\nfiles = [\"{file}\"]"));
    let rehearsed = town.site.sluice(&["team", "list", "--json"]).ok();
    assert_eq!(rehearsed.stdout.trim(), "[]");
    let add = ["team", "add", "ea-IT-CNAF", "--contact", "a@example.org", "--stack", "EMI"];
    let rehearsed = town.site.sluice(&[&add[..], &["--dry-run", "--json"]].concat()).ok();
    let rehearsed: Value = serde_json::from_str(&rehearsed.stdout).unwrap();
    let me = rehearsed["owner"].as_str().unwrap().to_owned();
    town.site.sluice(&[&add[..], &["--member", &me]].concat()).ok();

    let of = ["--stack", "EMI", "--major", "1.0", "--os", "EL9", "--arch", "x86_64"];
    town.site.sluice(&[&["ticket", "add", "GGUS-7", "dpm", "1.8.0-1", "dpm"], &of[..]].concat()).ok();
    assert_eq!(town.site.sluice(&["ticket", "accept", "GGUS-7"]).code(), 4);
    town.site.sluice(&["ticket", "links", "GGUS-7", "--release-notes", "https://example.org/notes"]).ok();
    let steps = follow(&town, "task start");
    assert_eq!(steps, ["ticket verify", "ticket deploy", "ticket assign", "task answer"]);
    assert_eq!(town.offered("testing"), names(&["dpm-1-1.x86_64"]));
    town.site.sluice(&["task", "beta", "1"]).ok();
    let subject = "Staged Rollout: dpm-1.8.0-1 needs another port";
    town.site.sluice(&["ticket", "relate", "GGUS-7", "#12", subject, "--criticality", "a nuisance"]).ok();
    let shown = town.site.sluice(&["ticket", "show", "GGUS-7"]).ok();
    for words in
        ["Staged Rollout EMI-1.0 dpm 1.8.0-1 EL9 x86_64", "https://example.org/notes", "#12", "task start 1"]
    {
        assert!(shown.stdout.contains(words), "{words}: {shown}");
    }
    let why = town.site.sluice(&["why", "ticket/GGUS-7"]).ok();
    for words in ["stage-roll-out", "ticket-deploy", "ticket-accept", "tasks-open"] {
        assert!(why.stdout.contains(words), "{words}: {why}");
    }
    let steps = follow(&town, "nothing stops here");
    assert_eq!(steps, ["task start", "task done", "ticket accept"]);
    assert_eq!(town.offered("production"), names(&["dpm-1-1.x86_64"]));
    // What is left is nothing that a program can say.
    let left = waits(&town);
    assert!(left.len() == 2 && left.iter().all(|one| one["command"].is_null()), "{left:#?}");
    town.site.sluice(&["ticket", "summary", "GGUS-7", "doc-1", "summary-EMI-dpm-1.8.0-1.pdf"]).ok();
    town.site.sluice(&["ticket", "release", "UMD-1.2", "GGUS-7"]).ok();
    assert_eq!(waits(&town), [] as [Value; 0]);
    let listed = town.site.sluice(&["ticket", "show"]).ok();
    assert!(listed.stdout.contains("released"), "{listed}");
    town.end();
}
