//! What people write into a ticket: comments, links, tickets at the helpdesk, the summary (E3, E7, E10).

use crate::decide::{Asked, Decided, TICKETS_MAX, has_room, notice};
use crate::fact::{About, Fact};
use crate::names::Id;
use crate::naming::{check_summary_file, helpdesk_subject};
use crate::outcome::Outcome;
use crate::refusal::{Code, Refusal};
use crate::role::Part;
use crate::subject::Subject;
use crate::task::Progress;
use crate::text::Reference;
use crate::ticket::fact::Turn;
use crate::ticket::{Links, Related, Standing, Summary, Ticket};

use super::turn;

/// Refuses whoever plays no part at all.
fn plays_a_part(asked: &Asked<'_>, ticket: &Ticket, step: &str) -> Result<(), Refusal> {
    match asked.actor.parts.is_empty() {
        true => asked.must_be(&[Part::ReleaseTeam, Part::Verifier, asked.manager(ticket)], step),
        false => Ok(()),
    }
}

pub(in crate::decide) fn links(asked: &Asked<'_>, id: &Id, given: &Links) -> Result<Decided, Refusal> {
    let ticket = asked.ticket(id)?;
    let may = [Part::ReleaseTeam, Part::Verifier, asked.manager(ticket)];
    asked.must_be(&may, "to say where more is said of a ticket")?;
    if given.is_empty() {
        return Err(Refusal::new(Code::NothingNamed, "the request gives no link"));
    }
    let links = ticket.links.with(given);
    if links == ticket.links {
        return Ok(Decided::default());
    }
    has_room(&format!("ticket `{id}`"), &ticket.history, 0)?;
    let sentence = format!("ticket `{id}` has other links");
    let notices = vec![notice(asked.manager(ticket), sentence.clone())];
    Ok(Decided { facts: vec![turn(id, Turn::Linked(links))], notices, sentence, ..Decided::default() })
}

pub(in crate::decide) fn comment(asked: &Asked<'_>, id: &Id, comment: &str) -> Result<Decided, Refusal> {
    let ticket = asked.ticket(id)?;
    plays_a_part(asked, ticket, "to comment on a ticket")?;
    has_room(&format!("ticket `{id}`"), &ticket.history, 0)?;
    let facts = vec![Fact::Said { about: About::Ticket(id.clone()), words: comment.trim().to_owned() }];
    let sentence = format!("ticket `{id}` has one more comment");
    let notices = vec![notice(asked.manager(ticket), sentence.clone())];
    Ok(Decided { facts, notices, sentence, ..Decided::default() })
}

pub(in crate::decide) fn relate(
    asked: &Asked<'_>,
    id: &Id,
    related: &Reference,
    entry: Related,
) -> Result<Decided, Refusal> {
    let ticket = asked.ticket(id)?;
    plays_a_part(asked, ticket, "to name a ticket at the helpdesk")?;
    let begins = helpdesk_subject(&ticket.component);
    let rest = entry.subject.as_str().strip_prefix(&*begins);
    // `1.8.0-1` is not the beginning of `1.8.0-10`.
    if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':', ','])) {
        let sentence = format!("the subject of {related} has to begin with `{begins}`");
        return Err(Refusal::new(Code::WrongSubject, sentence));
    }
    if ticket.related.get(related) == Some(&entry) {
        return Ok(Decided::default());
    }
    let known = ticket.related.len() + usize::from(!ticket.related.contains_key(related));
    if known > TICKETS_MAX {
        let sentence = format!("ticket `{id}` led to {known} tickets, and {TICKETS_MAX} are kept");
        return Err(Refusal::new(Code::HistoryFull, sentence));
    }
    has_room(&format!("ticket `{id}`"), &ticket.history, 0)?;
    let sentence = format!("ticket `{id}` led to {related}: {}", entry.subject);
    let notices = [asked.manager(ticket), Part::Verifier].map(|to| notice(to, sentence.clone())).into();
    let facts = vec![turn(id, Turn::Related { ticket: related.clone(), entry })];
    Ok(Decided { facts, notices, sentence, ..Decided::default() })
}

pub(in crate::decide) fn summary(
    asked: &Asked<'_>,
    id: &Id,
    document: &Id,
    file: &str,
) -> Result<Decided, Refusal> {
    let ticket = asked.ticket(id)?;
    asked.must_be(&[asked.manager(ticket)], "to sum a staged roll-out up")?;
    if matches!(ticket.standing, Standing::Unverified | Standing::InVerification) {
        let sentence = format!("ticket `{id}` is {}, and no team has tried it", ticket.standing);
        return Err(Refusal::new(Code::WrongState, sentence));
    }
    let subject = Subject::Ticket(id.clone());
    let has_ended = |outcome: Option<Outcome>, progress| progress == Progress::Done && outcome.is_some();
    if !asked.state.tasks_of(&subject).any(|(_, task)| has_ended(task.outcome, task.progress)) {
        let sentence = format!("no team has said how ticket `{id}` went in the end");
        return Err(Refusal::new(Code::TasksOpen, sentence));
    }
    check_summary_file(file, &ticket.component)
        .map_err(|error| Refusal::new(Code::WrongFile, error.to_string()))?;
    let summary = Summary { document: document.clone(), file: file.to_owned() };
    if ticket.summary.as_ref() == Some(&summary) {
        return Ok(Decided::default());
    }
    has_room(&format!("ticket `{id}`"), &ticket.history, 0)?;
    let sentence = format!("the summary of ticket `{id}` lies under `{document}`: {}", ticket.description());
    let notices = [Part::ReleaseTeam, Part::Verifier].map(|to| notice(to, sentence.clone())).into();
    Ok(Decided { facts: vec![turn(id, Turn::Summarised(summary))], notices, sentence, ..Decided::default() })
}
