//! Who waits for whom in procedure `egi`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Next, Waiting};
use crate::command::Command;
use crate::debt::ticket_debts;
use crate::decide::{Times, runs};
use crate::matter::Matter;
use crate::names::{Id, TeamName};
use crate::outcome::Outcome;
use crate::patch::Place;
use crate::role::Part::{self, Clock, Operations, ReleaseTeam, Verifier};
use crate::rules::Rules;
use crate::state::State;
use crate::task::{Progress, Task};
use crate::ticket::{Standing, Ticket};

/// How far the staged roll-out of a ticket is, by the tasks about it as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    Failed,
    Running,
    Passed,
    Untried,
}

/// What is looked at.
struct Look<'a> {
    state: &'a State,
    rules: &'a Rules,
    now: Timestamp,
}

/// What waits of a ticket: who, for what, since and until when, and the step that goes on.
type Waits = (Part, String, Timestamp, Option<Timestamp>, Option<Next>);

pub(super) fn waiting(state: &State, rules: &Rules, times: Times) -> Vec<Waiting> {
    let look = Look { state, rules, now: times.proven() };
    let owed: BTreeSet<Id> = ticket_debts(state).into_iter().collect();
    let mut found = Vec::new();
    for (id, ticket) in &state.tickets {
        for (who, for_what, since, until, step) in look.ticket(id, ticket, owed.contains(id)) {
            let for_whom = look.asker(&who, ticket);
            let about = BTreeSet::from([Matter::Ticket(id.clone())]);
            found.push(Waiting { about, who, for_whom, for_what, since, until, step });
        }
    }
    for (number, task) in &state.tasks {
        let ticket = task.subject.ticket().and_then(|id| state.tickets.get(id));
        let for_whom = ticket.map_or(Operations, |one| look.manager(one));
        found.extend(super::task::waits((*number, task), rules, for_whom, look.now));
    }
    found
}

fn step(command: Command) -> Option<Next> {
    Some(Next { command, reason: None, plan: None })
}

impl<'a> Look<'a> {
    fn manager(&self, ticket: &Ticket) -> Part {
        self.rules.manager(ticket.component.stack())
    }

    /// Who waits for somebody: the manager for the verifiers and the clock, the release team for the manager.
    fn asker(&self, who: &Part, ticket: &Ticket) -> Part {
        match who {
            Verifier | Clock => self.manager(ticket),
            ReleaseTeam => Operations,
            _ => ReleaseTeam,
        }
    }

    /// The tasks about a ticket as it is now.
    fn about(&self, id: &Id, ticket: &Ticket) -> Vec<&'a Task> {
        let content = ticket.content();
        let is_about = |task: &&Task| task.subject.ticket() == Some(id) && task.content == content;
        self.state.tasks.values().filter(is_about).collect()
    }

    fn trial(about: &[&Task]) -> Trial {
        let is = |wanted: &[Progress]| about.iter().any(|task| wanted.contains(&task.progress));
        let fails = |task: &&Task| {
            matches!(task.progress, Progress::Done | Progress::InProgress)
                && task.outcome == Some(Outcome::Fail)
        };
        // Whoever did not answer is waited for only where nobody else has tried it.
        match () {
            () if about.iter().copied().any(|task| fails(&task)) => Trial::Failed,
            () if is(&[Progress::Accepted, Progress::InProgress]) => Trial::Running,
            () if is(&[Progress::Done]) => Trial::Passed,
            () if is(&[Progress::Assigned]) => Trial::Running,
            () => Trial::Untried,
        }
    }

    fn ticket(&self, id: &Id, ticket: &'a Ticket, is_owed: bool) -> Vec<Waits> {
        let since = ticket.since;
        let about = self.about(id, ticket);
        let trial = Self::trial(&about);
        let name = || id.clone();
        let plain = |who, what: String, command| vec![(who, what, since, None, step(command))];
        match (ticket.standing, trial) {
            (Standing::Unverified, _) => {
                plain(Verifier, format!("to verify ticket `{id}`"), Command::TicketVerify { ticket: name() })
            }
            (Standing::InVerification, _) => {
                let what = format!("to say that verification accepted ticket `{id}`");
                plain(Verifier, what, Command::TicketDeploy { ticket: name() })
            }
            (Standing::StageRollOut | Standing::WaitingForResponse, Trial::Failed) => {
                let what = format!("to reject ticket `{id}`, which failed at a site, or to answer for it");
                let [versions, without, releases] = [(); 3].map(|()| Vec::new());
                let command = Command::TicketReject { ticket: name(), versions, without, releases };
                let reason = Some(format!("ticket {id} failed at a site"));
                let next = Some(Next { command, reason, plan: None });
                vec![(self.manager(ticket), what, last(&about, since), None, next)]
            }
            (Standing::StageRollOut | Standing::WaitingForResponse, trial) => {
                if trial == Trial::Passed || ticket.is_urgent {
                    let what = match trial {
                        Trial::Passed => format!("to accept ticket `{id}`, which went well"),
                        _ => format!("to accept ticket `{id}`, whose lane is urgent"),
                    };
                    let next = step(Command::TicketAccept { ticket: name() });
                    vec![(self.manager(ticket), what, last(&about, since), None, next)]
                } else if trial == Trial::Untried {
                    vec![self.trying(id, ticket, &about)]
                } else {
                    Vec::new()
                }
            }
            (Standing::Accepted | Standing::Rejected | Standing::Released, trial) => {
                let mut waits = Vec::new();
                if is_owed && trial != Trial::Running {
                    waits.push(self.trying(id, ticket, &about));
                }
                if ticket.standing == Standing::Accepted {
                    let what = format!("to say which release contains ticket `{id}`");
                    waits.push((ReleaseTeam, what, since, None, None));
                }
                let has_ended = |task: &&Task| task.progress == Progress::Done && task.outcome.is_some();
                if ticket.summary.is_none() && about.iter().copied().any(|task| has_ended(&task)) {
                    let what = format!("to sum up how the staged roll-out of ticket `{id}` went");
                    waits.push((self.manager(ticket), what, last(&about, since), None, None));
                }
                waits
            }
        }
    }

    /// E4, E5: nobody tries it, or nobody who was asked takes it on.
    fn trying(&self, id: &Id, ticket: &'a Ticket, about: &[&Task]) -> Waits {
        let deployed = ticket.deployed.unwrap_or(ticket.since);
        let shown = deployed.saturating_add(self.rules.mirrors_delay).unwrap_or(Timestamp::MAX);
        if self.now < shown {
            let what = format!("to pass until mirrors show ticket `{id}`");
            return (Clock, what, deployed, Some(shown), None);
        }
        let asked: BTreeSet<&TeamName> =
            about.iter().filter(|task| task.progress != Progress::Closed).map(|task| &task.team).collect();
        let left = self.state.teams.keys().filter(|team| !asked.contains(team));
        let able = left.filter(|team| runs(self.state, team, ticket).is_ok());
        // As many as it takes to have an answer from somebody; who else is to be asked is the manager's to say.
        let teams: BTreeSet<TeamName> = able.take(1).cloned().collect();
        let since = last(about, if ticket.place == Place::Beta { deployed } else { ticket.since });
        match teams.is_empty() {
            true => {
                let what = format!("to look for other teams: nobody is left to try ticket `{id}`");
                (self.manager(ticket), what, since, None, None)
            }
            false => {
                let command = Command::TicketAssign { ticket: id.clone(), teams, days: None };
                (
                    self.manager(ticket),
                    format!("to ask teams to try ticket `{id}`"),
                    since,
                    None,
                    step(command),
                )
            }
        }
    }
}

/// When something was last said of these tasks.
fn last(about: &[&Task], otherwise: Timestamp) -> Timestamp {
    about.iter().filter_map(|task| task.history.last()).map(|step| step.at).max().unwrap_or(otherwise)
}
