//! Procedure `egi`: one ticket follows one product through untested, testing and production; another one is rejected.

use anyhow::{Context, Result};
use plan::Answer;

use super::{Cast, Narrator};
use crate::demo::world::component;

const NOW: u32 = 1_306_886_400;

pub(super) fn play(cast: Cast<'_>, narrator: &mut Narrator<'_>) -> Result<()> {
    narrator.chapter(
        "\nA staged roll-out, as EGI makes it",
        "One ticket follows one product. Verifiers let it into testing, the staged roll-out manager of its stack asks \
         teams of early adopters, and the outcome moves the packages. The clock of this story skips the days.",
    );
    cast.imports(
        "verifier",
        "untested",
        "umd",
        vec![
            component("dpm-mysql", "1.8.0", NOW, "/usr/bin/dpm-mysql"),
            component("argus", "1.3.0", NOW, "/usr/bin/argus"),
        ],
    )?;
    for team in ["ea-IT-CNAF", "ea-UK-RAL", "ea-CZ-FZU"] {
        let entry = format!("team = \"{team}\"\ncontact = \"grid@example.org\"\nstacks = [\"EMI\"]");
        cast.does("ou", "team-add", &entry)?;
    }
    verified(cast, narrator);
    teams_are_asked(cast, narrator);
    it_runs(cast, narrator);
    accepted(cast, narrator);
    rejected(cast, narrator);
    Ok(())
}

fn opened(cast: Cast<'_>, ticket: &str, component: &str, version: &str) -> Result<Answer> {
    let product =
        format!("component = \"{component}\"\nversion = \"{version}-1\"\npackages = [\"{component}\"]");
    let of = "stack = \"EMI\"\nmajor = \"1.0\"\nos = \"SL5\"\narch = \"x86_64\"";
    cast.does("mu", "ticket-add", &format!("ticket = \"{ticket}\"\n{product}\n{of}"))
}

fn standing(cast: Cast<'_>, ticket: &str) -> Result<String> {
    let state = cast.state()?;
    let found = state.tickets.iter().find(|(id, _)| id.as_str() == ticket);
    Ok(found.context("there is no such ticket")?.1.standing.to_string())
}

fn progress(cast: Cast<'_>) -> Result<String> {
    let state = cast.state()?;
    let all = state.tasks.values().map(|task| format!("{} {}", task.team, task.progress));
    Ok(all.collect::<Vec<_>>().join(", "))
}

fn verified(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "Verification accepts a product, and it is in testing",
        "The release team opens a ticket; its title is made as everybody knows it. The verifiers look, and say yes: the \
         packages move from untested to testing in the same instant.",
        "Staged Rollout EMI-1.0 dpm-mysql 1.8.0-1 SL5 x86_64; stage-roll-out; testing lists dpm-mysql-1.8.0-1",
        |_| {
            opened(cast, "7001", "dpm-mysql", "1.8.0")?;
            cast.does("verifier", "ticket-verify", "ticket = \"7001\"")?;
            cast.does("verifier", "ticket-deploy", "ticket = \"7001\"")?;
            let title = cast.state()?.tickets.values().next().map(workflow::Ticket::title).unwrap_or_default();
            Ok(format!("{title}; {}; testing lists {}", standing(cast, "7001")?, cast.lists("testing")?))
        },
    );
}

fn teams_are_asked(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "Teams are asked, and have a working day to answer",
        "The manager of the stack chooses three from the register. One accepts, one declines, one says nothing and is late \
         after a working day.",
        "ea-CZ-FZU declined, ea-IT-CNAF accepted, ea-UK-RAL assigned; RAL is late",
        |narrator| {
            cast.site.pass(2);
            let teams = "ticket = \"7001\"\nteams = [\"ea-CZ-FZU\", \"ea-IT-CNAF\", \"ea-UK-RAL\"]";
            cast.does("emi", "ticket-assign", teams)?;
            cast.does("ea-CZ-FZU", "task-answer", "task = 1\nanswer = \"reject\"")?;
            cast.does("ea-IT-CNAF", "task-answer", "task = 2\nanswer = \"accept\"")?;
            // Whatever day it is, a weekend is over then.
            cast.site.pass(4 * 24);
            cast.shows_who_waits(narrator)?;
            let state = cast.state()?;
            let late = state.tasks.get(&3).is_some_and(|task| task.answer_by <= cast.site.now());
            Ok(format!("{}; RAL is {}", progress(cast)?, if late { "late" } else { "in time" }))
        },
    );
}

fn it_runs(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "It runs under load for five days",
        "A problem goes to the helpdesk, under a subject that names what is rolled out. The manager cannot accept before \
         somebody has tried it to the end.",
        "another subject: refused: wrong-subject; accepted too early: refused: tasks-open; done too early: refused: \
         in-quarantine; after five days done",
        |_| {
            cast.does("ea-IT-CNAF", "task-start", "task = 2\noutcome = \"warning\"")?;
            let ticket = |subject: &str| format!("ticket = \"7001\"\nrelated = \"#991\"\nsubject = \"{subject}\"");
            let other = cast.says("ea-IT-CNAF", "ticket-relate", &ticket("DPM is slow"))?;
            cast.does("ea-IT-CNAF", "ticket-relate", &ticket("Staged Rollout: dpm-mysql-1.8.0-1 is slow at first"))?;
            let early = cast.says("emi", "ticket-accept", "ticket = \"7001\"")?;
            let done = "task = 2\noutcome = \"warning\"";
            let too_early = cast.says("ea-IT-CNAF", "task-done", done)?;
            cast.site.pass(5 * 24);
            let done = cast.says("ea-IT-CNAF", "task-done", done)?;
            Ok(format!(
                "another subject: {other}; accepted too early: {early}; done too early: {too_early}; after five days {done}"
            ))
        },
    );
}

fn accepted(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "ACCEPT: from testing to production",
        "The manager sums up and accepts. The packages move, and whoever did not answer is not waited for.",
        "accepted; testing lists nothing; production lists dpm-mysql-1.8.0-1; ea-CZ-FZU declined, ea-IT-CNAF done, \
         ea-UK-RAL closed; then released",
        |_| {
            let summary = "document = \"D-7001\"\nfile = \"summary-EMI-dpm-mysql-1.8.0-1.pdf\"";
            cast.does("emi", "ticket-summary", &format!("ticket = \"7001\"\n{summary}"))?;
            cast.does("emi", "ticket-accept", "ticket = \"7001\"")?;
            let (was, tasks) = (standing(cast, "7001")?, progress(cast)?);
            let (testing, production) = (cast.lists("testing")?, cast.lists("production")?);
            cast.does("mu", "ticket-release", "tickets = [\"7001\"]\nrelease = \"UMD-1.2\"")?;
            let is = standing(cast, "7001")?;
            Ok(format!("{was}; testing lists {testing}; production lists {production}; {tasks}; then {is}"))
        },
    );
}

fn rejected(cast: Cast<'_>, narrator: &mut Narrator<'_>) {
    narrator.step(
        "REJECT: out of testing",
        "Another product fails at a site. It cannot be accepted; rejected, it leaves testing, and its tasks are closed.",
        "testing listed argus-1.3.0-1; accept: refused: task-failed; rejected; testing lists nothing",
        |_| {
            opened(cast, "7002", "argus", "1.3.0")?;
            cast.does("verifier", "ticket-verify", "ticket = \"7002\"")?;
            cast.does("verifier", "ticket-deploy", "ticket = \"7002\"")?;
            let listed = cast.lists("testing")?;
            cast.site.pass(2);
            cast.does("emi", "ticket-assign", "ticket = \"7002\"\nteams = [\"ea-UK-RAL\"]")?;
            cast.does("ea-UK-RAL", "task-start", "task = 4\noutcome = \"fail\"")?;
            let accept = cast.says("emi", "ticket-accept", "ticket = \"7002\"")?;
            cast.does("emi", "ticket-reject", "ticket = \"7002\"\nreason = \"argus 1.3.0 lets nobody in\"")?;
            let (standing, testing) = (standing(cast, "7002")?, cast.lists("testing")?);
            Ok(format!("testing listed {listed}; accept: {accept}; {standing}; testing lists {testing}"))
        },
    );
}
