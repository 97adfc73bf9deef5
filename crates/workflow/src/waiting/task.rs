//! Who waits for whom about a task of an early adopter, in both procedures.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Next, Waiting};
use crate::command::{Answer, Command};
use crate::matter::Matter;
use crate::outcome::Outcome;
use crate::role::Part;
use crate::rules::Rules;
use crate::subject::Subject;
use crate::task::{Progress, Task, Work};

/// What the team of an open task does next (G8, G9, E5, E8 and R7); `for_whom` looks after the task.
pub(super) fn waits(
    (number, task): (u32, &Task),
    rules: &Rules,
    for_whom: Part,
    now: Timestamp,
) -> Option<Waiting> {
    let (tickets, content) = (BTreeSet::new(), None);
    let done = |outcome| Command::TaskDone { task: number, outcome, tickets: tickets.clone(), content };
    let last = task.history.last().map_or(task.assigned, |step| step.at);
    let outcome = task.outcome.unwrap_or(Outcome::Success);
    let (for_what, since, until, command) = match (task.progress, task.quarantine_ends()) {
        (Progress::Assigned, _) => {
            let answer = Command::TaskAnswer { task: number, answer: Answer::Accept };
            let for_what = format!("to answer whether it takes on task {number}");
            (for_what, task.assigned, Some(task.answer_by), Some(answer))
        }
        (Progress::Accepted, _) => {
            let start = Command::TaskStart { task: number, outcome, tickets: tickets.clone(), content };
            let what =
                if task.work == Work::Rollback { "to go back" } else { "to install what is to be tried" };
            (format!("{what}, and to say how task {number} goes"), last, None, Some(start))
        }
        (Progress::InProgress, Some(ends)) => {
            let begun = task.begun.unwrap_or(task.assigned);
            if outcome == Outcome::Fail {
                let for_what = format!("to say that task {number} is done, which fails");
                (for_what, last, Some(ends), Some(done(outcome)))
            } else if now < ends {
                let for_what = format!("to keep running it until the quarantine of task {number} is over");
                (for_what, begun, Some(ends), None)
            } else if lacks_evidence(task, rules) {
                let for_what = format!("to show that it has what task {number} is about");
                (for_what, begun, Some(ends), None)
            } else {
                let for_what = format!("to say how task {number} went");
                (for_what, ends, Some(ends), Some(done(outcome)))
            }
        }
        _ => return None,
    };
    let subject = match &task.subject {
        Subject::Bundle(id) => Matter::Bundle(id.clone()),
        Subject::Ticket(id) => Matter::Ticket(id.clone()),
    };
    let patches = task.patches.iter().cloned().map(Matter::Patch);
    let about = [Matter::Task(number), subject].into_iter().chain(patches).collect();
    let step = command.map(|command| Next { command, reason: None, plan: None });
    Some(Waiting { about, who: Part::Team(task.team.clone()), for_whom, for_what, since, until, step })
}

fn lacks_evidence(task: &Task, rules: &Rules) -> bool {
    let has_shown = task.evidence.last().is_some_and(|shown| shown.differs.is_empty());
    rules.wants_evidence && !has_shown && task.work == Work::Rollout
}
