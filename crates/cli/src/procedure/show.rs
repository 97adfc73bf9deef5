//! Shows where patches, bundles, tickets, tasks and updates stand, and who is in the register of early adopters.

use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use workflow::{Bundle, Id, Links, Matter, Patch, Step, Subject, Task, Team, TeamName, Ticket, Update, Work};

use super::seen::{Seen, Waits};
use super::spoken::Kind;
use crate::failure::Failure;
use crate::moment;
use crate::terminal::{Paint, Terminal};

/// Prints one of a kind with everything known of it, or all of them in a line each.
pub fn run(seen: &Seen, kind: Kind, which: Option<&str>, terminal: &Terminal) -> Result<u8, Failure> {
    let Some(which) = which else {
        let all = all(seen, kind);
        terminal.either(&all, |paint| lines(&all, paint));
        return Ok(0);
    };
    let matter = matter(kind, which)?;
    let Some((line, particulars, history)) = one(seen, &matter) else {
        let (kind, name) = named(&matter);
        return Err(Failure::not_found(format!("`{}` has no {kind} `{name}`", seen.product.name))
            .hint(format!("`sluice {} show` lists them", if kind == "update" { "release" } else { kind })));
    };
    let waits = seen.waits_about(&matter);
    let shown = Shown { line, waits: &waits, history };
    terminal.either(&shown, |paint| words(&shown, &particulars, paint));
    Ok(0)
}

/// One thing in one line.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Which one.
    name: String,
    /// Where it stands.
    status: String,
    /// Since when.
    since: Option<Timestamp>,
    /// What it is, in a few words.
    what: String,
    /// All that is remembered of it.
    remembered: Value,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    line: Line,
    waits: &'a [Waits],
    #[serde(skip)]
    history: Vec<Step>,
}

/// A heading, and what stands behind it.
type Particulars = Vec<(&'static str, String)>;

fn matter(kind: Kind, which: &str) -> Result<Matter, Failure> {
    let kind = match kind {
        Kind::Patch => "patch",
        Kind::Bundle => "bundle",
        Kind::Ticket => "ticket",
        Kind::Task => "task",
        Kind::Update => "update",
        Kind::Team => return Err(Failure::usage("teams are listed, not shown")),
    };
    format!("{kind}/{which}").parse::<Matter>().map_err(|error| Failure::usage(error.to_string()))
}

fn named(matter: &Matter) -> (&'static str, String) {
    match matter {
        Matter::Patch(id) => ("patch", id.to_string()),
        Matter::Bundle(id) => ("bundle", id.to_string()),
        Matter::Ticket(id) => ("ticket", id.to_string()),
        Matter::Task(number) => ("task", number.to_string()),
        Matter::Update(number) => ("update", number.to_string()),
    }
}

fn all(seen: &Seen, kind: Kind) -> Vec<Line> {
    let state = &seen.state;
    match kind {
        Kind::Patch => state.patches.iter().map(|(id, patch)| of_patch(id, patch)).collect(),
        Kind::Bundle => state.bundles.iter().map(|(id, bundle)| of_bundle(id, bundle)).collect(),
        Kind::Ticket => state.tickets.iter().map(|(id, ticket)| of_ticket(id, ticket)).collect(),
        Kind::Task => state.tasks.iter().map(|(number, task)| of_task(*number, task)).collect(),
        Kind::Update => state.updates.iter().map(|(number, update)| of_update(*number, update)).collect(),
        Kind::Team => state.teams.iter().map(|(name, team)| of_team(name, team)).collect(),
    }
}

/// Tells everything that is remembered of one thing.
fn one(seen: &Seen, matter: &Matter) -> Option<(Line, Particulars, Vec<Step>)> {
    let state = &seen.state;
    let about = match matter {
        Matter::Patch(id) => {
            let patch = state.patches.get(id)?;
            (of_patch(id, patch), patch_particulars(patch), patch.history.clone())
        }
        Matter::Bundle(id) => {
            let bundle = state.bundles.get(id)?;
            let subject = Subject::Bundle(id.clone());
            let tasks = state.tasks_of(&subject).map(|(number, task)| task_in_short(number, task));
            let mut particulars = vec![("patches", joined(&bundle.patches)), ("tasks", joined(tasks))];
            particulars.extend(bundle.held.clone().map(|why| ("held", why)));
            particulars.extend(bundle.revisions.last().map(|one| ("content", one.content.hex())));
            (of_bundle(id, bundle), particulars, bundle.history.clone())
        }
        Matter::Ticket(id) => {
            let ticket = state.tickets.get(id)?;
            let subject = Subject::Ticket(id.clone());
            let tasks = state.tasks_of(&subject).map(|(number, task)| task_in_short(number, task));
            let mut particulars = ticket_particulars(ticket);
            particulars.push(("tasks", joined(tasks)));
            (of_ticket(id, ticket), particulars, ticket.history.clone())
        }
        Matter::Task(number) => {
            let task = state.tasks.get(number)?;
            (of_task(*number, task), task_particulars(task), task.history.clone())
        }
        Matter::Update(number) => {
            let update = state.updates.get(number)?;
            let reports = state.tasks.iter().filter(|(_, task)| !task.patches.is_disjoint(&update.patches));
            let reports = reports.map(|(number, task)| task_in_short(*number, task));
            let particulars = vec![
                ("patches", joined(&update.patches)),
                ("priority", update.priority.to_string()),
                ("plan", update.plan.hex()),
                ("reports", joined(reports)),
            ];
            (of_update(*number, update), particulars, update.history.clone())
        }
    };
    Some(about)
}

fn joined<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}

fn remembered(value: &impl Serialize) -> Value {
    json!(value)
}

fn of_patch(id: &Id, patch: &Patch) -> Line {
    let (since, what) = (Some(patch.since), patch.title.clone());
    Line {
        name: id.to_string(),
        status: patch.status.to_string(),
        since,
        what,
        remembered: remembered(patch),
    }
}

fn patch_particulars(patch: &Patch) -> Particulars {
    let packages = patch.items.iter().map(|item| format!("{} on {}", item.nevra, item.platform));
    vec![
        ("title", patch.title.clone()),
        ("packages", joined(packages)),
        ("node types", joined(&patch.node_types)),
        ("bugs", joined(&patch.bugs)),
        ("bundle", joined(&patch.bundle)),
        ("update", joined(patch.update)),
    ]
}

fn of_bundle(id: &Id, bundle: &Bundle) -> Line {
    let status = match (&bundle.held, bundle.is_deployed()) {
        (Some(_), _) => "held",
        (None, true) => "deployed",
        (None, false) => "being made",
    };
    let lane = if bundle.is_urgent { "in the urgent lane, " } else { "" };
    let what = format!("{lane}{}", moment::count(bundle.patches.len(), "patch").replace("patchs", "patches"));
    let since = bundle.history.last().map(|step| step.at);
    Line { name: id.to_string(), status: status.to_owned(), since, what, remembered: remembered(bundle) }
}

fn of_ticket(id: &Id, ticket: &Ticket) -> Line {
    let lane = if ticket.is_urgent { ", in the urgent lane" } else { "" };
    let what = format!("{}{lane}", ticket.title());
    let status = ticket.standing.to_string();
    Line { name: id.to_string(), status, since: Some(ticket.since), what, remembered: remembered(ticket) }
}

fn ticket_particulars(ticket: &Ticket) -> Particulars {
    let packages = ticket.items.iter().map(|item| format!("{} on {}", item.nevra, item.platform));
    let Links { release_notes, installation, bugs_fixed, documentation } = &ticket.links;
    let related = ticket.related.iter().map(|(other, one)| format!("{other}: {}", one.subject));
    let summary = ticket.summary.as_ref().map(|one| format!("{} in document {}", one.file, one.document));
    vec![
        ("packages", joined(packages)),
        ("node types", joined(&ticket.node_types)),
        ("notes", joined(release_notes)),
        ("to install", joined(installation)),
        ("bugs fixed", joined(bugs_fixed)),
        ("more", joined(documentation)),
        ("cc", joined(&ticket.cc)),
        ("led to", joined(related)),
        ("summary", joined(summary)),
        ("release", joined(&ticket.release)),
        ("content", ticket.content().hex()),
    ]
}

fn task_in_short(number: u32, task: &Task) -> String {
    let outcome = task.outcome.map(|outcome| format!(": {outcome}")).unwrap_or_default();
    format!("task {number} of {} is {}{outcome}", task.team, task.progress)
}

fn of_task(number: u32, task: &Task) -> Line {
    let what = match task.work {
        Work::Rollout => "tries",
        Work::Rollback => "goes back from",
    };
    let outcome = task.outcome.map(|outcome| format!(", {outcome}")).unwrap_or_default();
    let patches = match task.patches.is_empty() {
        true => String::new(),
        false => format!("{} of ", joined(&task.patches)),
    };
    let what = format!("{} {what} {patches}{}{outcome}", task.team, task.subject);
    let since = task.history.last().map_or(task.assigned, |step| step.at);
    Line {
        name: number.to_string(),
        status: task.progress.to_string(),
        since: Some(since),
        what,
        remembered: remembered(task),
    }
}

fn task_particulars(task: &Task) -> Particulars {
    let evidence = task.evidence.iter().map(|shown| {
        let at = moment::text(shown.at);
        match shown.differs.as_slice() {
            [] => format!("{at}: it has what is to be tested"),
            differs => format!("{at}: {}", differs.join("; ")),
        }
    });
    let down =
        task.downtime.map(|down| format!("{} until {}", moment::text(down.from), moment::text(down.until)));
    vec![
        ("team", task.team.to_string()),
        ("patches", joined(&task.patches)),
        ("node types", joined(&task.node_types)),
        ("content", task.content.hex()),
        ("answer by", moment::text(task.answer_by)),
        ("quarantine", joined(task.quarantine_ends().map(|ends| format!("until {}", moment::text(ends))))),
        ("downtime", joined(down)),
        ("outcome", joined(task.outcome)),
        ("tickets", joined(&task.tickets)),
        ("evidence", joined(evidence)),
        ("shown", if task.is_published { "to everybody".to_owned() } else { String::new() }),
    ]
}

fn of_update(number: u32, update: &Update) -> Line {
    let status = json!(update.readiness).as_str().unwrap_or_default().to_owned();
    let part = if update.partial { ", in part" } else { "" };
    let what = format!("{}{part}", joined(update.patches.iter().map(|id| format!("patch {id}"))));
    Line { name: number.to_string(), status, since: Some(update.since), what, remembered: remembered(update) }
}

fn of_team(name: &TeamName, team: &Team) -> Line {
    let all = |words: &std::collections::BTreeSet<String>, none: &str| {
        if words.is_empty() { none.to_owned() } else { joined(words) }
    };
    let what = format!(
        "{}, {}, {}",
        team.contact,
        all(&team.node_types, "any node type"),
        all(&team.platforms, "any platform")
    );
    Line {
        name: name.to_string(),
        status: all(&team.members, "no members"),
        since: None,
        what,
        remembered: remembered(team),
    }
}

fn lines(all: &[Line], paint: Paint) -> String {
    let mut text = String::new();
    for line in all {
        let since = line.since.map(|since| format!(" since {}", moment::text(since))).unwrap_or_default();
        let _ = writeln!(text, "{}  {}{since}  {}", paint.bold(&line.name), line.status, line.what);
    }
    text
}

/// Writes what waits, each with the command that goes on.
pub fn waits(waits: &[Waits], indent: &str, text: &mut String, paint: Paint) {
    for one in waits {
        let words = if one.late { paint.red(&one.words()) } else { one.words() };
        let _ = writeln!(text, "{indent}{words}");
        if let Some(command) = &one.command {
            let _ = writeln!(text, "{indent}  {}", paint.bold(command));
        }
    }
}

fn words(shown: &Shown<'_>, particulars: &Particulars, paint: Paint) -> String {
    let mut text = lines(std::slice::from_ref(&shown.line), paint);
    for (heading, value) in particulars.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "  {heading:<11} {value}");
    }
    if !shown.waits.is_empty() {
        let _ = writeln!(text, "  who is waited for:");
        waits(shown.waits, "    ", &mut text, paint);
    }
    let _ = writeln!(text, "  what happened:");
    for step in &shown.history {
        let _ = writeln!(text, "    {}  {}: {}", moment::text(step.at), step.by, step.what);
    }
    text
}
