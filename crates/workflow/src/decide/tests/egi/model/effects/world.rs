//! The world of the model, and what must hold in it. The standard library and nothing else.
//!
//! What does not exist fulfils every condition but the one that says it must.

use std::collections::{BTreeMap, BTreeSet};

pub type Words = BTreeSet<String>;

pub const DAY: i64 = 24;
/// Mirrors have so many hours to show a ticket (set up so for the walks).
const MIRRORS: i64 = 2;
/// No quarantine is longer, and none is lengthened by more (a choice of ours).
const DAYS_MAX: u32 = 366;

#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Each ticket of a walk follows a product that is called like its stack and component.
    pub stack: &'static str,
    pub component: String,
    pub standing: &'static str,
    pub packages: Words,
    pub urgent: bool,
    pub place: &'static str,
    pub deployed: i64,
    pub cc: Words,
    pub link: Option<&'static str>,
    pub related: Option<String>,
    pub summary: Option<String>,
    pub release: Option<&'static str>,
    pub comments: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub ticket: String,
    pub team: String,
    pub progress: &'static str,
    pub outcome: Option<&'static str>,
    pub answer_by: i64,
    pub quarantine: i64,
    pub begun: Option<i64>,
    pub beta: bool,
    pub reminded: BTreeSet<&'static str>,
}

/// Everything there is. Time is counted in hours from Monday, 10 o'clock.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct World {
    pub wall: i64,
    pub witnessed: i64,
    pub waived: bool,
    pub stages: BTreeMap<&'static str, Words>,
    /// The stacks that each team tries; every one if none is named.
    pub teams: BTreeMap<String, Words>,
    pub tickets: BTreeMap<String, Ticket>,
    pub tasks: BTreeMap<u32, Task>,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Request {
    pub who: String,
    pub word: &'static str,
    pub ticket: String,
    pub tickets: Words,
    pub stack: &'static str,
    pub component: String,
    pub packages: Words,
    pub urgent: bool,
    pub teams: Words,
    pub days: Option<u32>,
    pub link: Option<&'static str>,
    pub subject: String,
    pub file: String,
    pub release: &'static str,
    pub reason: &'static str,
    pub task: u32,
    pub outcome: &'static str,
}

/// E2: only one stack has a manager of its own here.
pub fn manager_of(ticket: &Ticket) -> String {
    if ticket.stack == "EMI" { "manager EMI".to_owned() } else { "ou".to_owned() }
}

pub fn is_open(task: &Task) -> bool {
    ["assigned", "accepted", "in-progress"].contains(&task.progress)
}

impl World {
    fn proven(&self) -> i64 {
        self.wall.min(self.witnessed)
    }

    /// The ticket that a request is about, or its task is.
    pub fn ticket(&self, r: &Request) -> Option<&Ticket> {
        match r.word.starts_with("task-") {
            true => self.tickets.get(&self.tasks.get(&r.task)?.ticket),
            false => self.tickets.get(&r.ticket),
        }
    }

    pub fn is(&self, r: &Request, holds: impl Fn(&Ticket) -> bool) -> bool {
        self.ticket(r).is_none_or(holds)
    }

    pub fn manager(&self, r: &Request) -> Option<String> {
        self.ticket(r).map(manager_of)
    }

    /// E4: whoever is in Cc, as far as they stand in the register.
    pub fn reached(&self, ticket: &Ticket) -> Words {
        ticket.cc.iter().filter(|team| self.teams.contains_key(*team)).cloned().collect()
    }

    pub fn tasks_of<'a>(&'a self, ticket: &'a str) -> impl Iterator<Item = &'a Task> {
        self.tasks.values().filter(move |task| task.ticket == ticket)
    }

    fn lists_all(&self, stage: &str, packages: &Words) -> bool {
        self.stages.get(stage).is_some_and(|listed| packages.is_subset(listed))
    }

    /// E5: one working day, Monday to Friday; asked at the weekend is asked on Monday at midnight.
    pub fn answer_by(&self) -> i64 {
        let next = |day: i64| if day.rem_euclid(7) < 4 { day + 1 } else { day - day.rem_euclid(7) + 7 };
        let asked = self.witnessed + 10;
        let (day, hour) = (asked.div_euclid(DAY), asked.rem_euclid(DAY));
        let (day, hour) = if day.rem_euclid(7) < 5 { (day, hour) } else { (next(day), 0) };
        next(day) * DAY + hour - 10
    }

    pub fn late(&self, task: &Task) -> Option<&'static str> {
        let now = self.proven();
        let of = match task.progress {
            "assigned" if task.answer_by <= now => "answer",
            "in-progress" if task.begun.is_some_and(|begun| begun + task.quarantine <= now) => "done",
            _ => return None,
        };
        (!task.reminded.contains(of)).then_some(of)
    }

    /// What entered production by the urgent lane and no site has tested to the end yet.
    pub fn debts(&self) -> Vec<String> {
        let paid = |id: &String| {
            self.tasks_of(id).any(|task| task.progress == "done" && task.outcome != Some("fail"))
        };
        let owed =
            self.tickets.iter().filter(|(id, one)| one.urgent && one.place == "production" && !paid(id));
        owed.map(|(id, _)| id.clone()).collect()
    }
}

pub fn never(_: &World, _: &Request) -> bool {
    false
}

pub fn ticket_is_known(w: &World, r: &Request) -> bool {
    w.tickets.contains_key(&r.ticket)
}

pub fn ticket_is_new(w: &World, r: &Request) -> bool {
    !ticket_is_known(w, r)
}

/// One ticket follows one product; what was rejected may be tried again.
pub fn product_is_new(w: &World, r: &Request) -> bool {
    let same = |one: &Ticket| (one.stack, &one.component) == (r.stack, &r.component);
    !w.tickets.values().any(|one| same(one) && one.standing != "rejected")
}

pub fn brings_packages(_: &World, r: &Request) -> bool {
    !r.packages.is_empty()
}

pub fn packages_are_free(w: &World, r: &Request) -> bool {
    let under_way = ["unverified", "in-verification", "stage-roll-out", "waiting-for-response"];
    let mut others =
        w.tickets.iter().filter(|(id, one)| **id != r.ticket && under_way.contains(&one.standing));
    others.all(|(_, one)| one.packages.is_disjoint(&r.packages))
}

pub fn is_not_tested_yet(w: &World, r: &Request) -> bool {
    w.is(r, |one| one.packages == r.packages || ["unverified", "in-verification"].contains(&one.standing))
}

pub fn same_packages(w: &World, r: &Request) -> bool {
    w.is(r, |one| one.packages == r.packages)
}

pub fn is_unverified(w: &World, r: &Request) -> bool {
    w.is(r, |one| one.standing == "unverified")
}

pub fn is_in_verification(w: &World, r: &Request) -> bool {
    w.ticket(r).is_some_and(|one| one.standing == "in-verification")
}

pub fn untested_has_all(w: &World, r: &Request) -> bool {
    w.is(r, |one| w.lists_all("untested", &one.packages))
}

pub fn testing_has_all(w: &World, r: &Request) -> bool {
    w.is(r, |one| w.lists_all("testing", &one.packages))
}

pub fn gives_a_link(_: &World, r: &Request) -> bool {
    r.link.is_some()
}

pub fn same_link(w: &World, r: &Request) -> bool {
    w.is(r, |one| one.link == r.link)
}

pub fn names_teams(_: &World, r: &Request) -> bool {
    !r.teams.is_empty()
}

pub fn is_with_sites(w: &World, r: &Request) -> bool {
    w.is(r, |one| one.place == "testing")
}

/// The urgent lane pays its debt after the ticket was accepted.
pub fn is_to_be_tried(w: &World, r: &Request) -> bool {
    w.is(r, |one| one.place == "testing" || one.place == "production" && one.urgent)
}

pub fn is_where_it_is_tried(w: &World, r: &Request) -> bool {
    !is_to_be_tried(w, r) || w.is(r, |one| w.lists_all(one.place, &one.packages))
}

pub fn mirrors_show_it(w: &World, r: &Request) -> bool {
    !is_to_be_tried(w, r) || w.is(r, |one| one.deployed + MIRRORS <= w.proven())
}

pub fn days_are_bearable(_: &World, r: &Request) -> bool {
    r.days.is_none_or(|days| days <= DAYS_MAX)
}

pub fn teams_are_known(w: &World, r: &Request) -> bool {
    r.teams.iter().all(|team| w.teams.contains_key(team))
}

pub fn teams_have_the_stack(w: &World, r: &Request) -> bool {
    let has = |team: &String, stack: &str| {
        w.teams.get(team).is_none_or(|stacks| stacks.is_empty() || stacks.contains(stack))
    };
    w.is(r, |one| r.teams.iter().all(|team| has(team, one.stack)))
}

pub fn nobody_has_it_already(w: &World, r: &Request) -> bool {
    let mut counts = w.tasks_of(&r.ticket).filter(|task| !["declined", "closed"].contains(&task.progress));
    !counts.any(|task| r.teams.contains(&task.team))
}

fn name_of(one: &Ticket) -> String {
    format!("{}-1.8.0-1", one.component)
}

/// E7: `Staged Rollout: <product>-<version>`, and then whatever.
pub fn subject_names_it(w: &World, r: &Request) -> bool {
    w.is(r, |one| {
        let begins = format!("Staged Rollout: {}", name_of(one));
        r.subject == begins || r.subject.starts_with(&format!("{begins} "))
    })
}

pub fn same_relation(w: &World, r: &Request) -> bool {
    w.is(r, |one| one.related.as_ref() == Some(&r.subject))
}

pub fn is_with_sites_or_later(w: &World, r: &Request) -> bool {
    w.is(r, |one| !["unverified", "in-verification"].contains(&one.standing))
}

pub fn somebody_is_done(w: &World, r: &Request) -> bool {
    w.tasks_of(&r.ticket).any(|task| task.progress == "done")
}

/// E10: `summary-<MW stack>-<component>-<version>.EXT`.
pub fn file_names_it(w: &World, r: &Request) -> bool {
    w.is(r, |one| r.file == format!("summary-{}-{}.pdf", one.stack, name_of(one)))
}

pub fn same_summary(w: &World, r: &Request) -> bool {
    w.is(r, |one| one.summary.as_ref() == Some(&r.file))
}

pub fn nobody_failed(w: &World, r: &Request) -> bool {
    let failed =
        |task: &Task| ["in-progress", "done"].contains(&task.progress) && task.outcome == Some("fail");
    w.waived || !w.tasks_of(&r.ticket).any(failed)
}

/// E8, E11: those who took it on are done, and one of them at least did not fail. Whoever did not answer is not waited for.
pub fn is_tested(w: &World, r: &Request) -> bool {
    let runs = |task: &Task| ["accepted", "in-progress"].contains(&task.progress);
    let well = |task: &Task| task.progress == "done" && task.outcome != Some("fail");
    let tested = !w.tasks_of(&r.ticket).any(runs) && w.tasks_of(&r.ticket).any(well);
    // Who failed is told first, and what comes of that is the same.
    tested || w.waived || w.is(r, |one| one.urgent)
}

pub fn is_under_way(w: &World, r: &Request) -> bool {
    w.is(r, |one| !["accepted", "released", "rejected"].contains(&one.standing))
}

pub fn is_rejected(w: &World, r: &Request) -> bool {
    w.ticket(r).is_some_and(|one| one.standing == "rejected")
}

pub fn has_a_reason(_: &World, r: &Request) -> bool {
    !r.reason.trim().is_empty()
}

pub fn names_tickets(_: &World, r: &Request) -> bool {
    !r.tickets.is_empty()
}

pub fn tickets_are_known(w: &World, r: &Request) -> bool {
    r.tickets.iter().all(|id| w.tickets.contains_key(id))
}

pub fn is_released_so(one: &Ticket, r: &Request) -> bool {
    one.standing == "released" && one.release == Some(r.release)
}

pub fn are_accepted_or_so(w: &World, r: &Request) -> bool {
    let mut all = r.tickets.iter().filter_map(|id| w.tickets.get(id));
    all.all(|one| one.standing == "accepted" || is_released_so(one, r))
}

pub fn are_released_so(w: &World, r: &Request) -> bool {
    r.tickets.iter().filter_map(|id| w.tickets.get(id)).all(|one| is_released_so(one, r))
}

pub fn task_is_known(w: &World, r: &Request) -> bool {
    w.tasks.contains_key(&r.task)
}

fn task_is(w: &World, r: &Request, holds: impl Fn(&Task) -> bool) -> bool {
    w.tasks.get(&r.task).is_none_or(holds)
}

pub fn task_is_open(w: &World, r: &Request) -> bool {
    task_is(w, r, is_open)
}

pub fn task_is_unanswered(w: &World, r: &Request) -> bool {
    task_is(w, r, |task| task.progress == "assigned")
}

pub fn task_is_in_progress(w: &World, r: &Request) -> bool {
    task_is(w, r, |task| task.progress == "in-progress")
}

/// E8; who fails need not run for days what fails.
pub fn quarantine_is_over(w: &World, r: &Request) -> bool {
    let over = |task: &Task| task.begun.is_none_or(|begun| begun + task.quarantine <= w.proven());
    r.outcome == "fail" || task_is(w, r, over)
}

pub fn extension_is_bearable(_: &World, r: &Request) -> bool {
    r.days.is_some_and(|days| (1..=DAYS_MAX).contains(&days))
}

pub fn says_nothing_new(w: &World, r: &Request) -> bool {
    task_is(w, r, |task| (task.progress, task.outcome) == ("in-progress", Some(r.outcome)))
}

pub fn is_tagged(w: &World, r: &Request) -> bool {
    task_is(w, r, |task| task.beta)
}

pub fn nobody_is_late(w: &World, _: &Request) -> bool {
    !w.tasks.values().any(|task| w.late(task).is_some())
}
