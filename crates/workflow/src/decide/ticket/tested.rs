//! Whether the sites that took a ticket on tried it to the end (E8, E11).

use crate::decide::Asked;
use crate::names::Id;
use crate::outcome::Outcome;
use crate::refusal::{Code, Refusal};
use crate::subject::Subject;
use crate::task::{Progress, Task};
use crate::ticket::Ticket;

/// What the staged roll-out of a ticket showed, or why it is not tested. Whoever did not answer is not waited for.
pub(super) fn is_tested(asked: &Asked<'_>, id: &Id, ticket: &Ticket) -> Result<Vec<String>, Refusal> {
    let subject = Subject::Ticket(id.clone());
    // Something may have been built anew since.
    let about = asked.state.tasks_of(&subject).filter(|(_, task)| task.content == ticket.content());
    let about: Vec<_> = about.collect();
    let named = |wanted: &dyn Fn(&Task) -> bool| -> Vec<String> {
        let some = about.iter().filter(|(_, task)| wanted(task));
        some.map(|(number, task)| format!("task {number} of `{}` is {}", task.team, task.progress)).collect()
    };
    let failed = named(&|task| {
        let counts = matches!(task.progress, Progress::Done | Progress::InProgress);
        counts && task.outcome == Some(Outcome::Fail)
    });
    let open = named(&|task| matches!(task.progress, Progress::Accepted | Progress::InProgress));
    let done = named(&|task| task.progress == Progress::Done && task.outcome != Some(Outcome::Fail));
    let (code, sentence, reasons) = match () {
        () if !failed.is_empty() => (Code::TaskFailed, format!("ticket `{id}` failed at a site"), failed),
        () if !open.is_empty() => (Code::TasksOpen, format!("ticket `{id}` is still under test"), open),
        () if done.is_empty() => {
            (Code::TasksOpen, format!("no site has tested ticket `{id}` to the end"), vec![])
        }
        () => return Ok(vec![]),
    };
    if code == Code::TasksOpen && ticket.is_urgent {
        return Ok(vec![format!("{sentence}, which its urgent lane owes until a site has")]);
    }
    if let Some(who) = (asked.waived)(&ticket.items) {
        return Ok(vec![format!("{sentence}; {who}")]);
    }
    Err(Refusal::new(code, sentence).reasons(reasons))
}
