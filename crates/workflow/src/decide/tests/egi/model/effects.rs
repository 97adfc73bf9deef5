//! What the steps of the model bring about. The standard library and nothing else.

use std::collections::BTreeSet;

mod world;

pub use world::*;

/// How long a site runs what it tries, in days (set up so for the walks): E8, and the urgent lane.
const QUARANTINES: [i64; 2] = [5, 1];

pub fn nothing(_: &mut World, _: &Request) {}

pub fn open(w: &mut World, r: &Request) {
    let ticket = Ticket {
        stack: r.stack,
        component: r.component.clone(),
        standing: "unverified",
        packages: r.packages.clone(),
        urgent: r.urgent,
        place: "before",
        deployed: 0,
        cc: Words::new(),
        link: None,
        related: None,
        summary: None,
        release: None,
        comments: 0,
    };
    w.tickets.insert(r.ticket.clone(), ticket);
}

fn on_ticket(w: &mut World, r: &Request, change: impl FnOnce(&mut Ticket)) {
    w.tickets.get_mut(&r.ticket).map(change);
}

fn on_task(w: &mut World, r: &Request, change: impl FnOnce(&mut Task)) {
    w.tasks.get_mut(&r.task).map(change);
}

pub fn change(w: &mut World, r: &Request) {
    on_ticket(w, r, |one| {
        one.standing = "unverified";
        one.packages.clone_from(&r.packages);
    });
}

pub fn verify(w: &mut World, r: &Request) {
    on_ticket(w, r, |one| one.standing = "in-verification");
}

fn carry(w: &mut World, r: &Request, (from, to): (&'static str, &'static str)) {
    let Some(packages) = w.tickets.get(&r.ticket).map(|one| one.packages.clone()) else { return };
    w.stages.entry(from).or_default().retain(|one| !packages.contains(one));
    w.stages.entry(to).or_default().extend(packages);
}

/// E1, in one instant.
pub fn deploy(w: &mut World, r: &Request) {
    let now = w.witnessed;
    carry(w, r, ("untested", "testing"));
    on_ticket(w, r, |one| (one.standing, one.place, one.deployed) = ("stage-roll-out", "testing", now));
}

pub fn link(w: &mut World, r: &Request) {
    on_ticket(w, r, |one| one.link = r.link);
}

pub fn comment(w: &mut World, r: &Request) {
    on_ticket(w, r, |one| one.comments += 1);
}

/// E4: a ticket waits as long as nobody has taken it on.
pub fn assign(w: &mut World, r: &Request) {
    let [usual, soon] = QUARANTINES;
    let urgent = w.tickets.get(&r.ticket).is_some_and(|one| one.urgent);
    let days = r.days.map_or(if urgent { soon } else { usual }, i64::from);
    let taken_on =
        w.tasks_of(&r.ticket).any(|task| ["accepted", "in-progress", "done"].contains(&task.progress));
    for team in &r.teams {
        let task = Task {
            ticket: r.ticket.clone(),
            team: team.clone(),
            progress: "assigned",
            outcome: None,
            answer_by: w.answer_by(),
            quarantine: days * DAY,
            begun: None,
            beta: false,
            reminded: BTreeSet::new(),
        };
        let number = w.tasks.keys().next_back().map_or(1, |last| last + 1);
        w.tasks.insert(number, task);
    }
    on_ticket(w, r, |one| {
        one.cc.extend(r.teams.iter().cloned());
        if one.standing == "stage-roll-out" && !taken_on {
            one.standing = "waiting-for-response";
        }
    });
}

pub fn relate(w: &mut World, r: &Request) {
    on_ticket(w, r, |one| one.related = Some(r.subject.clone()));
}

pub fn sum_up(w: &mut World, r: &Request) {
    on_ticket(w, r, |one| one.summary = Some(r.file.clone()));
}

/// E11, in one instant. Who has not answered need not any more, but in the urgent lane.
pub fn accept(w: &mut World, r: &Request) {
    carry(w, r, ("testing", "production"));
    on_ticket(w, r, |one| (one.standing, one.place) = ("accepted", "production"));
    if !w.tickets.get(&r.ticket).is_some_and(|one| one.urgent) {
        end_tasks(w, r);
    }
}

fn end_tasks(w: &mut World, r: &Request) {
    let open = w.tasks.values_mut().filter(|task| task.ticket == r.ticket && is_open(task));
    open.for_each(|task| task.progress = "closed");
}

pub fn reject(w: &mut World, r: &Request) {
    let packages =
        w.tickets.get(&r.ticket).filter(|one| one.place == "testing").map(|one| one.packages.clone());
    if let Some(packages) = packages {
        w.stages.entry("testing").or_default().retain(|one| !packages.contains(one));
        on_ticket(w, r, |one| one.place = "out");
    }
    on_ticket(w, r, |one| one.standing = "rejected");
    end_tasks(w, r);
}

pub fn release(w: &mut World, r: &Request) {
    for (_, ticket) in w.tickets.iter_mut().filter(|(id, _)| r.tickets.contains(*id)) {
        (ticket.standing, ticket.release) = ("released", Some(r.release));
    }
}

/// E5: the first who says yes ends the waiting.
fn is_taken_on(w: &mut World, r: &Request) {
    let id = w.tasks.get(&r.task).map(|task| task.ticket.clone()).unwrap_or_default();
    if let Some(ticket) = w.tickets.get_mut(&id).filter(|one| one.standing == "waiting-for-response") {
        ticket.standing = "stage-roll-out";
    }
}

pub fn take_on(w: &mut World, r: &Request) {
    on_task(w, r, |task| task.progress = "accepted");
    is_taken_on(w, r);
}

pub fn decline(w: &mut World, r: &Request) {
    on_task(w, r, |task| task.progress = "declined");
}

pub fn start(w: &mut World, r: &Request) {
    let now = w.witnessed;
    on_task(w, r, |task| {
        task.begun.get_or_insert(now);
        (task.progress, task.outcome) = ("in-progress", Some(r.outcome));
    });
    is_taken_on(w, r);
}

pub fn finish(w: &mut World, r: &Request) {
    on_task(w, r, |task| (task.progress, task.outcome) = ("done", Some(r.outcome)));
}

pub fn extend(w: &mut World, r: &Request) {
    on_task(w, r, |task| {
        task.quarantine += r.days.map_or(0, i64::from) * DAY;
        // What is over later is told when it is.
        task.reminded.remove("done");
    });
}

pub fn tag(w: &mut World, r: &Request) {
    on_task(w, r, |task| task.beta = true);
}

pub fn close(w: &mut World, r: &Request) {
    on_task(w, r, |task| task.progress = "closed");
}

pub fn remind(w: &mut World, _: &Request) {
    let late: Vec<_> = w.tasks.iter().filter_map(|(number, task)| Some((*number, w.late(task)?))).collect();
    for (number, of) in late {
        w.tasks.get_mut(&number).map(|task| task.reminded.insert(of));
    }
}
