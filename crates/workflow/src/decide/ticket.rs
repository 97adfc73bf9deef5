//! Tickets of procedure `egi`: opened, verified, handed to early adopters, accepted or rejected (E1 to E4, E7, E10 to E12).

use std::collections::BTreeSet;

use crate::command::Command;
use crate::content::Item;
use crate::decide::{Asked, Decided, Moves, count, has_room, listed, missing, notice};
use crate::egi_table::{Role, Way, way};
use crate::fact::Fact;
use crate::names::Id;
use crate::naming::{Component, Parts};
use crate::patch::Place;
use crate::refusal::{Code, Refusal};
use crate::role::Part;
use crate::subject::Subject;
use crate::ticket::fact::Turn;
use crate::ticket::{Links, Standing, Ticket};

mod asking;
mod saying;
mod tested;

pub(crate) use asking::runs;
pub(super) use asking::{assign, taken_on};
pub(super) use saying::{comment, links, relate, summary};

/// What somebody wants a ticket to follow.
pub(super) struct Wish<'a> {
    pub(super) parts: Parts,
    pub(super) node_types: &'a BTreeSet<String>,
    pub(super) is_urgent: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn ticket(&self, id: &Id) -> Result<&'a Ticket, Refusal> {
        let is_archived = self.state.archived.tickets.contains(id);
        let refused = || missing(Code::NoSuchTicket, &format!("ticket `{id}`"), is_archived);
        self.state.tickets.get(id).ok_or_else(refused)
    }

    pub(super) fn manager(&self, ticket: &Ticket) -> Part {
        self.rules.manager(ticket.component.stack())
    }

    /// Names who looks after a task.
    pub(super) fn in_charge(&self, subject: &Subject) -> Part {
        let ticket = subject.ticket().and_then(|id| self.state.tickets.get(id));
        ticket.map_or(Part::Operations, |ticket| self.manager(ticket))
    }

    fn parts(&self, ticket: &Ticket, roles: &[Role]) -> Vec<Part> {
        let part = |role: &Role| match role {
            Role::ReleaseTeam => Some(Part::ReleaseTeam),
            Role::Verifier => Some(Part::Verifier),
            Role::Manager => Some(self.manager(ticket)),
            // Which one is the task's to say.
            Role::Team => None,
        };
        roles.iter().filter_map(part).collect()
    }

    /// Finds the way that a step takes, provided that whoever asks may take it.
    fn goes(&self, (id, ticket): (&Id, &Ticket), to: Standing, by: &str) -> Result<&'static Way, Refusal> {
        let Some(way) = way(ticket.standing, to, by) else {
            let sentence =
                format!("ticket `{id}` is {}, from where no way leads to {to} by `{by}`", ticket.standing);
            return Err(Refusal::new(Code::WrongState, sentence));
        };
        self.must_be(&self.parts(ticket, way.actor), &format!("to set ticket `{id}` to `{to}`"))?;
        Ok(way)
    }

    /// Tells those whom a way names.
    fn told(&self, ticket: &Ticket, way: &Way, sentence: &str) -> Vec<super::Notice> {
        self.parts(ticket, way.notice).into_iter().map(|to| notice(to, sentence)).collect()
    }
}

fn turn(ticket: &Id, turn: Turn) -> Fact {
    Fact::Ticket { ticket: ticket.clone(), turn }
}

pub(super) fn parts(command: &Command) -> Parts {
    let Command::TicketAdd { component, version, stack, major, os, arch, .. } = command else {
        return Parts::default();
    };
    Parts {
        stack: stack.clone(),
        major: major.clone(),
        component: component.clone(),
        version: version.clone(),
        os: os.clone(),
        arch: arch.clone(),
    }
}

pub(super) fn add(asked: &Asked<'_>, id: &Id, wish: Wish<'_>) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam, Part::Verifier], "to open a ticket")?;
    if asked.state.tickets.contains_key(id) || asked.state.archived.tickets.contains(id) {
        return Err(Refusal::new(Code::IdTaken, format!("there is a ticket `{id}` already")));
    }
    let component = Component::try_from(wish.parts)
        .map_err(|error| Refusal::new(Code::BadText, format!("the ticket can follow nothing: {error}")))?;
    let mut others = asked.state.tickets.iter();
    let same = others.find(|(_, one)| one.component == component && one.standing != Standing::Rejected);
    if let Some((other, one)) = same {
        let sentence = format!("ticket `{other}` follows the same product: {}", one.title());
        return Err(Refusal::new(Code::IdTaken, sentence).hint("`ticket-change` gives it other packages"));
    }
    are_free(asked, id)?;
    let node_types: BTreeSet<String> = wish.node_types.union(asked.pinning).cloned().collect();
    let title = crate::naming::ticket_title(&component);
    let items = asked.items.clone();
    let sentence = format!("ticket `{id}` is opened with {}: {title}", count(items.len(), "package"));
    let opened = Turn::Opened { component, items, node_types, urgent: wish.is_urgent };
    Ok(Decided {
        facts: vec![turn(id, opened)],
        notices: vec![notice(Part::Verifier, sentence.clone())],
        sentence,
        ..Decided::default()
    })
}

/// Refuses packages of another ticket that is under way, and none at all.
fn are_free(asked: &Asked<'_>, id: &Id) -> Result<(), Refusal> {
    if asked.items.is_empty() {
        return Err(Refusal::new(Code::NothingNamed, format!("ticket `{id}` brings no package")));
    }
    let under_way =
        |one: &Ticket| matches!(one.place, Place::Before | Place::Beta) && one.standing != Standing::Rejected;
    let others = asked.state.tickets.iter().filter(|(other, one)| *other != id && under_way(one));
    let shared: Vec<String> = others
        .flat_map(|(other, one)| one.items.intersection(asked.items).map(move |item| (other, item)))
        .map(|(other, item)| format!("`{}` of `{}` is ticket `{other}`'s", item.nevra, item.platform))
        .collect();
    if shared.is_empty() {
        return Ok(());
    }
    let sentence = "a package belongs to one ticket at a time, and some belong to another";
    Err(Refusal::new(Code::PackageInAnotherPatch, sentence).reasons(shared))
}

pub(super) fn change(asked: &Asked<'_>, id: &Id) -> Result<Decided, Refusal> {
    let ticket = asked.ticket(id)?;
    asked.must_be(&[Part::ReleaseTeam, Part::Verifier], "to change a ticket")?;
    are_free(asked, id)?;
    if ticket.items == *asked.items {
        return Ok(Decided::default());
    }
    let way = way(ticket.standing, Standing::Unverified, "ticket-change");
    if way.is_none() && ticket.standing != Standing::Unverified {
        let sentence = format!("ticket `{id}` is {}: what is tested stays as it is", ticket.standing);
        return Err(Refusal::new(Code::WrongState, sentence).hint("reject it, and open another ticket"));
    }
    has_room(&format!("ticket `{id}`"), &ticket.history, 0)?;
    let node_types = ticket.node_types.union(asked.pinning).cloned().collect();
    let changed = Turn::Changed { items: asked.items.clone(), node_types };
    let sentence = format!("ticket `{id}` has other packages, and waits to be verified");
    let notices = way.map(|way| asked.told(ticket, way, &sentence)).unwrap_or_default();
    Ok(Decided { facts: vec![turn(id, changed)], notices, sentence, ..Decided::default() })
}

pub(super) fn verify(asked: &Asked<'_>, id: &Id) -> Result<Decided, Refusal> {
    let ticket = asked.ticket(id)?;
    if ticket.standing == Standing::InVerification {
        return Ok(Decided::default());
    }
    let way = asked.goes((id, ticket), Standing::InVerification, "ticket-verify")?;
    let sentence = format!("ticket `{id}` is in verification: {}", ticket.title());
    let notices = asked.told(ticket, way, &sentence);
    let facts = vec![turn(id, Turn::Set(Standing::InVerification))];
    Ok(Decided { facts, notices, sentence, ..Decided::default() })
}

/// Refuses a ticket whose packages are not all in a stage.
fn lies_in(asked: &Asked<'_>, id: &Id, ticket: &Ticket, stage: &str) -> Result<(), Refusal> {
    let missing: Vec<String> = ticket
        .items
        .iter()
        .filter(|item| !(asked.lists)(stage, item))
        .map(|item| format!("`{}` is not in `{stage}` on `{}`", item.nevra, item.platform))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let sentence = format!("packages of ticket `{id}` are not in `{stage}`");
    Err(Refusal::new(Code::Incomplete, sentence).reasons(missing))
}

pub(super) fn deploy(asked: &Asked<'_>, id: &Id) -> Result<Decided, Refusal> {
    let ticket = asked.ticket(id)?;
    let way = asked.goes((id, ticket), Standing::StageRollOut, "ticket-deploy")?;
    lies_in(asked, id, ticket, &asked.rules.from)?;
    let sentence = format!(
        "verification accepted ticket `{id}`: {} in `{}`",
        count(ticket.items.len(), "package"),
        asked.rules.beta
    );
    let notices = asked.told(ticket, way, &sentence);
    let facts = vec![turn(id, Turn::Set(Standing::StageRollOut)), turn(id, Turn::Moved(Place::Beta))];
    let moves = forward((&asked.rules.from, &asked.rules.beta), &ticket.items);
    Ok(Decided { facts, moves: Some(moves), notices, sentence, ..Decided::default() })
}

fn forward((from, to): (&str, &str), items: &BTreeSet<Item>) -> Moves {
    let (from, to) = (from.to_owned(), to.to_owned());
    Moves::Forward { from, to, items: items.clone(), partial: false, name: None }
}

pub(super) fn accept(asked: &Asked<'_>, id: &Id) -> Result<Decided, Refusal> {
    let ticket = asked.ticket(id)?;
    let way = asked.goes((id, ticket), Standing::Accepted, "ticket-accept")?;
    lies_in(asked, id, ticket, &asked.rules.beta)?;
    let notes = tested::is_tested(asked, id, ticket)?;
    let sentence = format!("ticket `{id}` is accepted: {}", ticket.title());
    let mut decided = Decided {
        notices: asked.told(ticket, way, &sentence),
        facts: vec![turn(id, Turn::Set(Standing::Accepted)), turn(id, Turn::Moved(Place::Production))],
        moves: Some(forward((&asked.rules.beta, &asked.rules.production), &ticket.items)),
        notes,
        sentence,
    };
    // The urgent lane goes first, and its tests follow.
    if !ticket.is_urgent {
        asking::close(asked, id, &format!("ticket `{id}` is accepted"), &mut decided);
    }
    Ok(decided)
}

pub(super) fn reject(asked: &Asked<'_>, id: &Id) -> Result<Decided, Refusal> {
    let ticket = asked.ticket(id)?;
    if ticket.standing == Standing::Rejected {
        return Ok(Decided::default());
    }
    let way = asked.goes((id, ticket), Standing::Rejected, "ticket-reject")?;
    let why = asked.reason.trim();
    if why.is_empty() {
        let sentence = "to reject a ticket takes a `reason`: whoever worked on it reads it";
        return Err(Refusal::new(Code::BadText, sentence));
    }
    let sentence = format!("ticket `{id}` is rejected: {why}");
    let mut decided = Decided {
        notices: asked.told(ticket, way, &sentence),
        facts: vec![turn(id, Turn::Set(Standing::Rejected))],
        sentence,
        ..Decided::default()
    };
    if ticket.place == Place::Beta {
        decided.facts.push(turn(id, Turn::Moved(Place::TakenOut)));
        let (stage, items) = (asked.rules.beta.clone(), ticket.items.clone());
        decided.moves = Some(Moves::Back { stage, items });
    }
    asking::close(asked, id, &format!("ticket `{id}` is rejected"), &mut decided);
    Ok(decided)
}

pub(super) fn release(asked: &Asked<'_>, ids: &BTreeSet<Id>, release: &Id) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam], "to say what a release contains")?;
    if ids.is_empty() {
        return Err(Refusal::new(Code::NothingNamed, "the request names no ticket"));
    }
    let mut decided =
        Decided { sentence: format!("release `{release}` contains {}", listed(ids)), ..Decided::default() };
    for id in ids {
        let ticket = asked.ticket(id)?;
        if ticket.standing == Standing::Released && ticket.release.as_ref() == Some(release) {
            continue;
        }
        let way = asked.goes((id, ticket), Standing::Released, "ticket-release")?;
        decided.notices.extend(asked.told(ticket, way, &decided.sentence));
        decided.facts.push(turn(id, Turn::Set(Standing::Released)));
        decided.facts.push(turn(id, Turn::Released(release.clone())));
    }
    decided.notices.sort_by(|one, other| one.to.cmp(&other.to));
    decided.notices.dedup();
    match decided.facts.is_empty() {
        true => Ok(Decided::default()),
        false => Ok(decided),
    }
}

/// What links a request gives.
pub(super) fn given(command: &Command) -> Links {
    match command {
        Command::TicketLinks { release_notes, installation, bugs_fixed, documentation, .. } => Links {
            release_notes: release_notes.clone(),
            installation: installation.clone(),
            bugs_fixed: bugs_fixed.clone(),
            documentation: documentation.clone(),
        },
        _ => Links::default(),
    }
}

/// Takes note of packages of tickets that are built anew where early adopters find them: what they tried is another.
pub(super) fn rebuilt(asked: &Asked<'_>, mut facts: Vec<Fact>, anew: &[(Item, Item)]) -> Vec<Fact> {
    let moves = |id: &Id, facts: &[Fact]| {
        let of_it =
            |fact: &Fact| matches!(fact, Fact::Ticket { ticket, turn: Turn::Moved(_) } if ticket == id);
        facts.iter().any(of_it)
    };
    for (id, ticket) in asked.state.tickets.iter().filter(|(_, one)| one.place == Place::Beta) {
        let its: Vec<_> = anew.iter().filter(|(was, _)| ticket.items.contains(was)).collect();
        if its.is_empty() || moves(id, &facts) {
            continue;
        }
        for (was, item) in its {
            facts.push(turn(id, Turn::Rebuilt { was: was.clone(), item: item.clone() }));
        }
        let why = "what it is about was built anew".to_owned();
        let open = asked
            .state
            .tasks
            .iter()
            .filter(|(_, task)| task.subject.ticket() == Some(id) && task.progress.is_open());
        facts.extend(open.map(|(number, _)| Fact::TaskClosed { task: *number, why: why.clone() }));
    }
    facts
}
