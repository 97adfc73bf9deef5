//! Teams that are asked to try what a ticket follows (E4, E5).

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::decide::task::{are, days_of};
use crate::decide::{Asked, Decided, notice};
use crate::egi_table::way;
use crate::fact::Fact;
use crate::names::{Id, TeamName};
use crate::patch::Place;
use crate::refusal::{Code, Refusal};
use crate::role::Part;
use crate::state::State;
use crate::subject::Subject;
use crate::task::{Progress, Task, Work};
use crate::team::Team;
use crate::ticket::fact::Turn;
use crate::ticket::{Standing, Ticket};

use super::{lies_in, turn};

pub(in crate::decide) fn assign(
    asked: &Asked<'_>,
    id: &Id,
    teams: &BTreeSet<TeamName>,
    days: Option<u32>,
) -> Result<Decided, Refusal> {
    let ticket = asked.ticket(id)?;
    asked.must_be(&[asked.manager(ticket)], "to ask teams to try a ticket")?;
    if teams.is_empty() {
        return Err(Refusal::new(Code::NothingNamed, "the request names no team"));
    }
    is_to_be_tried(asked, id, ticket)?;
    let quarantine = match (days, ticket.is_urgent) {
        (Some(days), _) => days_of(days)?,
        (None, true) => asked.rules.quarantine_urgent,
        (None, false) => asked.rules.quarantine,
    };
    let answer_by = asked.rules.calendar.due(asked.times.witnessed, asked.rules.answer_days);
    let subject = Subject::Ticket(id.clone());
    let content = ticket.content();
    let mut decided = Decided::default();
    for (number, name) in (asked.state.next_task()..).zip(teams) {
        let node_types = runs(asked.state, name, ticket)?;
        let mut same = asked.state.tasks_of(&subject).filter(|(_, task)| {
            let counts = !matches!(task.progress, Progress::Closed | Progress::Declined);
            task.team == *name && task.content == content && counts
        });
        if let Some((other, _)) = same.next() {
            let sentence = format!("`{name}` has task {other} about ticket `{id}` already");
            return Err(Refusal::new(Code::AlreadyAssigned, sentence));
        }
        let asks = format!("task {number}: please try {}, and answer by {answer_by}", ticket.title());
        decided.notices.push(notice(Part::Team(name.clone()), asks));
        decided.facts.push(Fact::TaskAssigned {
            task: number,
            work: Work::Rollout,
            subject: subject.clone(),
            patches: BTreeSet::new(),
            content,
            team: name.clone(),
            node_types,
            answer_by,
            quarantine,
        });
    }
    let waits = way(ticket.standing, Standing::WaitingForResponse, "ticket-assign");
    if waits.is_some() && !asked.state.tasks_of(&subject).any(|(_, task)| is_taken_on(ticket, task)) {
        decided.facts.push(turn(id, Turn::Set(Standing::WaitingForResponse)));
    }
    let new: BTreeSet<TeamName> = teams.difference(&ticket.cc).cloned().collect();
    if !new.is_empty() {
        decided.facts.push(turn(id, Turn::Copied(new)));
    }
    decided.sentence = format!("{} asked to try ticket `{id}`", are(teams));
    Ok(decided)
}

/// Says whether a team took a task on that is about what the ticket brings now.
fn is_taken_on(ticket: &Ticket, task: &Task) -> bool {
    let does = matches!(task.progress, Progress::Accepted | Progress::InProgress | Progress::Done);
    does && task.content == ticket.content()
}

/// Refuses what no team can try: it is not with early adopters, or nobody is sure to find it there.
fn is_to_be_tried(asked: &Asked<'_>, id: &Id, ticket: &Ticket) -> Result<(), Refusal> {
    let stage = match ticket.place {
        Place::Beta => &asked.rules.beta,
        // What took the urgent lane is tried after it was accepted: that pays the debt.
        Place::Production if ticket.is_urgent => &asked.rules.production,
        _ => {
            let sentence = format!("ticket `{id}` is {}, and not with early adopters", ticket.standing);
            return Err(Refusal::new(Code::WrongState, sentence));
        }
    };
    lies_in(asked, id, ticket, stage)?;
    let deployed = ticket.deployed.unwrap_or(Timestamp::MAX);
    let shown = deployed.saturating_add(asked.rules.mirrors_delay).unwrap_or(Timestamp::MAX);
    if asked.times.proven() < shown {
        let sentence = format!("mirrors may not show ticket `{id}` before {shown}");
        return Err(Refusal::new(Code::MirrorsBehind, sentence));
    }
    Ok(())
}

/// The node types of a ticket that a team runs, provided that it has what the ticket is for.
pub(crate) fn runs(state: &State, name: &TeamName, ticket: &Ticket) -> Result<BTreeSet<String>, Refusal> {
    let Some(team) = state.teams.get(name) else {
        let sentence = format!("there is no team `{name}` in the register");
        return Err(Refusal::new(Code::NoSuchTeam, sentence).hint("`team-add` registers it"));
    };
    let refused = |what: String| {
        let sentence = format!("`{name}` does not have {what}");
        Err(Refusal::new(Code::TeamDoesNotRun, sentence))
    };
    let Team { stacks, platforms, node_types, .. } = team;
    let stack = ticket.component.stack();
    if !stacks.is_empty() && !stacks.contains(stack) {
        return refused(format!("the stack `{stack}`"));
    }
    if !platforms.is_empty() && !ticket.items.iter().any(|item| platforms.contains(&item.platform)) {
        return refused(format!("a platform of ticket: {}", ticket.title()));
    }
    if !team.runs_any(&ticket.node_types) {
        return refused(format!("a node type of ticket: {}", ticket.title()));
    }
    let has = |one: &&String| node_types.is_empty() || node_types.contains(*one);
    Ok(ticket.node_types.iter().filter(has).cloned().collect())
}

/// What it means for a ticket that a team takes its task on (E5).
pub(in crate::decide) fn taken_on(asked: &Asked<'_>, task: &Task, by: &str) -> Option<Fact> {
    let id = task.subject.ticket()?;
    let ticket = asked.state.tickets.get(id)?;
    let way = way(ticket.standing, Standing::StageRollOut, by)?;
    (task.content == ticket.content()).then(|| turn(id, Turn::Set(way.to)))
}

/// Ends the tasks of a ticket that nobody waits for any more.
pub(super) fn close(asked: &Asked<'_>, id: &Id, why: &str, decided: &mut Decided) {
    for (number, task) in asked.state.tasks_of(&Subject::Ticket(id.clone())) {
        if task.progress.is_open() {
            let sentence = format!("task {number} is closed: {why}");
            decided.notices.push(notice(Part::Team(task.team.clone()), sentence));
            decided.facts.push(Fact::TaskClosed { task: number, why: why.to_owned() });
        }
    }
}
