//! Reminders: who is late is told once (E5, G9). Only the clock asks for it.

use crate::decide::{Asked, Decided, count, notice};
use crate::fact::Fact;
use crate::refusal::Refusal;
use crate::role::Part;
use crate::task::{Progress, Reminder};

pub(super) fn remind(asked: &Asked<'_>) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::Clock], "to remind people")?;
    let now = asked.times.proven();
    let mut decided = Decided::default();
    for (number, task) in &asked.state.tasks {
        let of = match task.progress {
            Progress::Assigned if task.answer_by <= now => Reminder::AnswerOverdue,
            Progress::InProgress if task.quarantine_ends().is_some_and(|ends| ends <= now) => {
                Reminder::DoneOverdue
            }
            _ => continue,
        };
        if task.reminded.contains(&of) {
            continue;
        }
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
        decided.notices.push(notice(Part::Operations, tells));
        decided.facts.push(Fact::Reminded { task: *number, of });
    }
    decided.sentence = format!("{} sent", count(decided.facts.len(), "reminder"));
    Ok(decided)
}
