//! Reminders: who is late is told once (E5, G9). Only the clock asks for it.

use jiff::Timestamp;

use crate::decide::{Asked, Decided, count, notice};
use crate::fact::Fact;
use crate::refusal::Refusal;
use crate::role::Part;
use crate::state::State;
use crate::task::{Progress, Reminder, Task};

pub(super) fn remind(asked: &Asked<'_>) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::Clock], "to remind people")?;
    let now = asked.times.proven();
    let mut decided = Decided::default();
    for (number, task) in &asked.state.tasks {
        let Some((of, _)) = overdue(task).filter(|(_, from)| *from <= now) else { continue };
        let (asks, tells) = match of {
            Reminder::AnswerOverdue => (
                format!("please answer whether you take on task {number}"),
                format!("`{}` has not answered whether it takes on task {number}", task.team),
            ),
            Reminder::DoneOverdue => (
                format!("the quarantine of task {number} is over: please say how it went"),
                format!("`{}` has not said how task {number} went", task.team),
            ),
        };
        decided.notices.push(notice(Part::Team(task.team.clone()), asks));
        decided.notices.push(notice(asked.in_charge(&task.subject), tells));
        decided.facts.push(Fact::Reminded { task: *number, of });
    }
    decided.sentence = format!("{} sent", count(decided.facts.len(), "reminder"));
    Ok(decided)
}

/// Says of what somebody is to be reminded about a task, and from when on, unless it was done.
fn overdue(task: &Task) -> Option<(Reminder, Timestamp)> {
    let (of, from) = match task.progress {
        Progress::Assigned => (Reminder::AnswerOverdue, task.answer_by),
        Progress::InProgress => (Reminder::DoneOverdue, task.quarantine_ends()?),
        _ => return None,
    };
    (!task.reminded.contains(&of)).then_some((of, from))
}

/// Tells the instant from which on somebody is late who was not reminded of it, if there is one.
pub fn next_reminder(state: &State) -> Option<Timestamp> {
    state.tasks.values().filter_map(overdue).map(|(_, from)| from).min()
}
