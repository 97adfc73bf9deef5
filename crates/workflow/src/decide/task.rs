//! Tasks: assigned to teams, answered, run, and done (G7 to G9, E4 to E9, R6, R7).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use nevra::Sha256;

use crate::bundle::Bundle;
use crate::completeness::differences;
use crate::content::{Item, content_of_all};
use crate::decide::{Asked, Decided, has_room, listed, notice, ticket};
use crate::fact::{About, Fact};
use crate::names::{Id, TeamName};
use crate::outcome::Outcome;
use crate::patch::{Patch, Place, Status};
use crate::refusal::{Code, Refusal};
use crate::role::Part;
use crate::state::State;
use crate::subject::Subject;
use crate::task::{Downtime, Progress, Task, Work};

/// The patches that a task is about.
type Concerned<'a> = Vec<(&'a Id, &'a Patch)>;

/// The longest quarantine, and the longest extension of one, in days.
const DAYS_MAX: u32 = 366;

pub(super) struct Wish<'a> {
    pub(super) bundle: &'a Id,
    pub(super) teams: &'a BTreeSet<TeamName>,
    pub(super) is_rollback: bool,
    pub(super) node_types: &'a BTreeSet<String>,
    pub(super) days: Option<u32>,
}

pub(super) fn assign(asked: &Asked<'_>, wish: &Wish<'_>) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::Operations], "to assign tasks")?;
    let bundle = asked.bundle(wish.bundle)?;
    if wish.teams.is_empty() {
        return Err(Refusal::new(Code::NothingNamed, "the request names no team"));
    }
    let work = if wish.is_rollback { Work::Rollback } else { Work::Rollout };
    let about = match work {
        Work::Rollout => to_roll_out(asked, wish.bundle, bundle)?,
        Work::Rollback => to_roll_back(asked, wish.bundle, bundle)?,
    };
    let quarantine = quarantine(asked, bundle, work, wish.days)?;
    // Counted from when the task counts as assigned: a wall clock that is behind for a while must not make the team late.
    let answer_by = asked.rules.calendar.due(asked.times.witnessed, asked.rules.answer_days);
    let subject = Subject::Bundle(wish.bundle.clone());
    let mut decided = Decided::default();
    for (number, team) in (asked.state.next_task()..).zip(wish.teams) {
        let (node_types, patches) = for_team(asked.state, team, wish.node_types, &about)?;
        let content = content_of_all(patches.iter().map(|(id, patch)| (*id, patch.content())));
        let patches: BTreeSet<Id> = patches.into_iter().map(|(id, _)| id.clone()).collect();
        let mut same = asked.state.tasks_of(&subject).filter(|(_, task)| {
            task.work == work
                && task.team == *team
                && task.content == content
                && !matches!(task.progress, Progress::Closed | Progress::Declined)
        });
        if let Some((number, _)) = same.next() {
            let sentence = format!("`{team}` has task {number} about the same already");
            return Err(Refusal::new(Code::AlreadyAssigned, sentence));
        }
        let what = match work {
            Work::Rollout => "install",
            Work::Rollback => "go back from",
        };
        let asks = format!(
            "task {number}: please {what} {} of bundle `{}`, and answer by {answer_by}",
            listed(&patches),
            wish.bundle
        );
        decided.notices.push(notice(Part::Team(team.clone()), asks));
        decided.facts.push(Fact::TaskAssigned {
            task: number,
            work,
            subject: subject.clone(),
            patches,
            content,
            team: team.clone(),
            node_types,
            answer_by,
            quarantine,
        });
    }
    decided.sentence = format!("{} asked about bundle `{}`", are(wish.teams), wish.bundle);
    Ok(decided)
}

pub(super) fn are(teams: &BTreeSet<TeamName>) -> String {
    let verb = if teams.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", listed(teams))
}

/// The patches that sites are to try, provided that they find them.
fn to_roll_out<'a>(asked: &Asked<'a>, id: &Id, bundle: &'a Bundle) -> Result<Concerned<'a>, Refusal> {
    asked.goes_on(id, bundle)?;
    let Some(revision) = bundle.revisions.last() else {
        let sentence = format!("bundle `{id}` is not with early adopters");
        return Err(Refusal::new(Code::WrongState, sentence).hint("`bundle-deploy` hands it to them"));
    };
    // What took the urgent lane is tried after it was released: that pays the debt.
    let wanted = match bundle.is_urgent {
        true => &[Status::RollingOut, Status::ReadyForProduction][..],
        false => &[Status::RollingOut],
    };
    let lists = |item: &Item| (asked.lists)(&asked.rules.beta, item);
    let differ = differences(asked.state, id, bundle, wanted, &lists);
    if !differ.is_empty() {
        let sentence = format!("bundle `{id}` is not complete");
        return Err(Refusal::new(Code::Incomplete, sentence).reasons(differ));
    }
    let shown = revision.deployed.saturating_add(asked.rules.mirrors_delay).unwrap_or(Timestamp::MAX);
    if asked.times.proven() < shown {
        let sentence = format!("mirrors may not show bundle `{id}` before {shown}");
        return Err(Refusal::new(Code::MirrorsBehind, sentence));
    }
    let is_meant = |patch: &Patch| match patch.place {
        Place::Beta => true,
        Place::Production => bundle.is_urgent,
        Place::Before | Place::TakenOut => false,
    };
    let about: Vec<_> = asked.state.patches_of(bundle).filter(|(_, patch)| is_meant(patch)).collect();
    match about.is_empty() {
        true => {
            Err(Refusal::new(Code::WrongState, format!("no patch of bundle `{id}` is with early adopters")))
        }
        false => Ok(about),
    }
}

/// The patches from which sites are to go back, provided that they were taken out.
fn to_roll_back<'a>(asked: &Asked<'a>, id: &Id, bundle: &'a Bundle) -> Result<Concerned<'a>, Refusal> {
    let gone = asked.state.patches_of(bundle).filter(|(_, patch)| patch.place == Place::TakenOut);
    let gone: Vec<_> = gone.collect();
    if gone.is_empty() {
        let sentence = format!("nothing of bundle `{id}` was rolled back");
        return Err(
            Refusal::new(Code::WrongState, sentence).hint("`bundle-rollback` takes rejected patches out")
        );
    }
    Ok(gone)
}

fn quarantine(
    asked: &Asked<'_>,
    bundle: &Bundle,
    work: Work,
    days: Option<u32>,
) -> Result<SignedDuration, Refusal> {
    match (days, work) {
        (Some(days), _) => days_of(days),
        (None, Work::Rollback) => Ok(asked.rules.quarantine_rollback),
        (None, Work::Rollout) if bundle.is_urgent => Ok(asked.rules.quarantine_urgent),
        (None, Work::Rollout) => Ok(asked.rules.quarantine),
    }
}

/// So many days, as far as anybody can wait for them.
pub(super) fn days_of(days: u32) -> Result<SignedDuration, Refusal> {
    if days > DAYS_MAX {
        let sentence = format!("a quarantine of {days} days is longer than {DAYS_MAX}");
        return Err(Refusal::new(Code::BadText, sentence));
    }
    Ok(SignedDuration::from_hours(24 * i64::from(days)))
}

/// The node types that a team is to install, and the patches that touch one of them.
pub(crate) fn for_team<'a>(
    state: &State,
    name: &TeamName,
    node_types: &BTreeSet<String>,
    about: &[(&'a Id, &'a Patch)],
) -> Result<(BTreeSet<String>, Concerned<'a>), Refusal> {
    let Some(team) = state.teams.get(name) else {
        let sentence = format!("there is no team `{name}` in the register");
        return Err(Refusal::new(Code::NoSuchTeam, sentence).hint("`team-add` registers it"));
    };
    let touched: BTreeSet<String> = about.iter().flat_map(|(_, patch)| patch.node_types.clone()).collect();
    let wanted = if node_types.is_empty() { &touched } else { node_types };
    let runs = |one: &&String| team.node_types.is_empty() || team.node_types.contains(*one);
    let lacking: Vec<&String> = node_types.iter().filter(|one| !runs(one)).collect();
    let chosen: BTreeSet<String> = wanted.iter().filter(runs).cloned().collect();
    if !lacking.is_empty() || !team.runs_any(&touched) {
        let what = if lacking.is_empty() { listed(&touched) } else { listed(lacking) };
        let sentence = format!("`{name}` does not run {what}");
        return Err(Refusal::new(Code::TeamDoesNotRun, sentence));
    }
    let is_there = |item: &Item| team.platforms.is_empty() || team.platforms.contains(&item.platform);
    let concerns = |patch: &Patch| {
        if !patch.items.iter().any(is_there) {
            return false;
        }
        patch.node_types.is_empty() || chosen.is_empty() || !patch.node_types.is_disjoint(&chosen)
    };
    let patches: Vec<_> = about.iter().copied().filter(|(_, patch)| concerns(patch)).collect();
    if patches.is_empty() {
        let sentence = format!("no patch is for what `{name}` runs");
        return Err(Refusal::new(Code::TeamDoesNotRun, sentence));
    }
    Ok((chosen, patches))
}

pub(super) fn answer(asked: &Asked<'_>, number: u32, accepts: bool) -> Result<Decided, Refusal> {
    let task = asked.task(number)?;
    asked.must_be_team(number, &task.team)?;
    if task.progress != Progress::Assigned {
        let sentence = format!("`{}` answered already: task {number} is {}", task.team, task.progress);
        return Err(Refusal::new(Code::AlreadyAnswered, sentence));
    }
    let words = if accepts { "takes on" } else { "does not take on" };
    let in_charge = asked.in_charge(&task.subject);
    let mut notices = vec![notice(in_charge.clone(), format!("`{}` {words} task {number}", task.team))];
    let is_like = |one: &Task| one.work == task.work && one.content == task.content;
    let mut others =
        asked.state.tasks_of(&task.subject).filter(|(other, one)| *other != number && is_like(one));
    if !accepts && others.all(|(_, other)| matches!(other.progress, Progress::Declined | Progress::Closed)) {
        let sentence = format!("nobody takes on {}: please look for other teams", task.subject);
        notices.push(notice(in_charge, sentence));
    }
    let mut facts = vec![Fact::TaskAnswered { task: number, accepts }];
    facts.extend(ticket::taken_on(asked, task, "task-answer").filter(|_| accepts));
    Ok(Decided {
        facts,
        notices,
        sentence: format!("`{}` {words} task {number}", task.team),
        ..Decided::default()
    })
}

/// Refuses a report that was made for other packages.
fn is_bound(number: u32, task: &Task, content: Option<Sha256>) -> Result<(), Refusal> {
    match content {
        Some(content) if content != task.content => {
            let (theirs, ours) = (content.short(), task.content.short());
            let sentence =
                format!("task {number} is about the packages {ours}, and the report about {theirs}");
            Err(Refusal::new(Code::OtherRevision, sentence))
        }
        _ => Ok(()),
    }
}

fn wrong_progress(number: u32, task: &Task, wanted: &str) -> Refusal {
    Refusal::new(Code::WrongState, format!("task {number} is {}, not {wanted}", task.progress))
}

pub(super) fn start(
    asked: &Asked<'_>,
    number: u32,
    outcome: Outcome,
    tickets: &BTreeSet<String>,
    content: Option<Sha256>,
) -> Result<Decided, Refusal> {
    let task = asked.task(number)?;
    asked.must_be_team(number, &task.team)?;
    is_bound(number, task, content)?;
    if !task.progress.is_open() {
        return Err(wrong_progress(number, task, "open"));
    }
    let is_new = task.progress != Progress::InProgress
        || task.outcome != Some(outcome)
        || !tickets.is_subset(&task.tickets);
    if !is_new {
        return Ok(Decided::default());
    }
    let all = task.tickets.union(tickets).count();
    has_room(&format!("task {number}"), &task.history, all)?;
    let sentence = format!("task {number} of `{}` is in progress: {outcome}", task.team);
    let mut facts = vec![Fact::TaskStarted { task: number, outcome, tickets: tickets.clone() }];
    facts.extend(ticket::taken_on(asked, task, "task-start"));
    let notices = vec![notice(asked.in_charge(&task.subject), sentence.clone())];
    Ok(Decided { facts, notices, sentence, ..Decided::default() })
}

pub(super) fn done(
    asked: &Asked<'_>,
    number: u32,
    outcome: Outcome,
    tickets: &BTreeSet<String>,
    content: Option<Sha256>,
) -> Result<Decided, Refusal> {
    let task = asked.task(number)?;
    asked.must_be_team(number, &task.team)?;
    is_bound(number, task, content)?;
    let Some(ends) = task.quarantine_ends().filter(|_| task.progress == Progress::InProgress) else {
        return Err(wrong_progress(number, task, "in progress"));
    };
    // A site that fails need not run what fails for a week.
    if asked.times.proven() < ends && outcome != Outcome::Fail {
        let sentence =
            format!("task {number} runs until {ends}, and it is {} for sure", asked.times.proven());
        return Err(Refusal::new(Code::InQuarantine, sentence));
    }
    let has_shown = task.evidence.last().is_some_and(|shown| shown.differs.is_empty());
    if asked.rules.wants_evidence && !has_shown && outcome != Outcome::Fail && task.work == Work::Rollout {
        let reasons = task.evidence.last().map(|shown| shown.differs.clone()).unwrap_or_default();
        let sentence = format!("`{}` did not show that it has what task {number} is about", task.team);
        return Err(Refusal::new(Code::NoEvidence, sentence).reasons(reasons));
    }
    // Whatever was said before, how it went in the end is always kept.
    has_room(&format!("task {number}"), &[], task.tickets.union(tickets).count())?;
    let sentence = format!("task {number} of `{}` is done: {outcome}", task.team);
    let facts = vec![Fact::TaskDone { task: number, outcome, tickets: tickets.clone() }];
    let notices = vec![notice(asked.in_charge(&task.subject), sentence.clone())];
    Ok(Decided { facts, notices, sentence, ..Decided::default() })
}

pub(super) fn comment(asked: &Asked<'_>, number: u32, comment: &str) -> Result<Decided, Refusal> {
    asked.task(number)?;
    if asked.actor.parts.is_empty() {
        asked.must_be(&[Part::Operations, Part::ReleaseTeam, Part::Verifier], "to comment on a task")?;
    }
    has_room(&format!("task {number}"), &asked.task(number)?.history, 0)?;
    let facts = vec![Fact::Said { about: About::Task(number), words: comment.trim().to_owned() }];
    let sentence = format!("task {number} has one more comment");
    Ok(Decided { facts, sentence, ..Decided::default() })
}

pub(super) fn extend(asked: &Asked<'_>, number: u32, days: u32) -> Result<Decided, Refusal> {
    let task = asked.task(number)?;
    asked.must_be(&[asked.in_charge(&task.subject)], "to lengthen a quarantine")?;
    if !task.progress.is_open() {
        return Err(wrong_progress(number, task, "open"));
    }
    if days == 0 || days > DAYS_MAX {
        let sentence = format!("a quarantine is lengthened by 1 to {DAYS_MAX} days, not {days}");
        return Err(Refusal::new(Code::BadText, sentence));
    }
    let sentence = format!("the quarantine of task {number} is {days} days longer");
    let facts =
        vec![Fact::TaskExtended { task: number, by: SignedDuration::from_hours(24 * i64::from(days)) }];
    let notices = vec![notice(Part::Team(task.team.clone()), sentence.clone())];
    Ok(Decided { facts, notices, sentence, ..Decided::default() })
}

pub(super) fn downtime(
    asked: &Asked<'_>,
    number: u32,
    from: Timestamp,
    until: Timestamp,
) -> Result<Decided, Refusal> {
    let task = asked.task(number)?;
    asked.must_be_team(number, &task.team)?;
    if !task.progress.is_open() {
        return Err(wrong_progress(number, task, "open"));
    }
    if from >= until {
        let sentence = format!("a downtime ends after it begins, not at {until} from {from}");
        return Err(Refusal::new(Code::BadText, sentence));
    }
    let downtime = Downtime { from, until };
    if task.downtime == Some(downtime) {
        return Ok(Decided::default());
    }
    has_room(&format!("task {number}"), &task.history, 0)?;
    let sentence = format!("the node of task {number} is down from {from} until {until}");
    let facts = vec![Fact::TaskDown { task: number, downtime }];
    let notices = vec![notice(asked.in_charge(&task.subject), sentence.clone())];
    Ok(Decided { facts, notices, sentence, ..Decided::default() })
}

pub(super) fn beta(asked: &Asked<'_>, number: u32) -> Result<Decided, Refusal> {
    let task = asked.task(number)?;
    asked.must_be_team(number, &task.team)?;
    if !task.progress.is_open() {
        return Err(wrong_progress(number, task, "open"));
    }
    if task.is_beta {
        return Ok(Decided::default());
    }
    has_room(&format!("task {number}"), &task.history, 0)?;
    let sentence = format!("the node of task {number} of `{}` is tagged beta", task.team);
    let notices = vec![notice(asked.in_charge(&task.subject), sentence.clone())];
    Ok(Decided { facts: vec![Fact::TaskTagged { task: number }], notices, sentence, ..Decided::default() })
}

pub(super) fn close(asked: &Asked<'_>, number: u32) -> Result<Decided, Refusal> {
    let task = asked.task(number)?;
    asked.must_be(&[asked.in_charge(&task.subject)], "to close a task")?;
    if !task.progress.is_open() {
        return Err(wrong_progress(number, task, "open"));
    }
    let why = asked.reason.trim().to_owned();
    if why.is_empty() {
        return Err(Refusal::new(Code::BadText, "to close a task takes a `reason`: the team reads it"));
    }
    let sentence = format!("task {number} of `{}` is closed: {why}", task.team);
    let notices = vec![notice(Part::Team(task.team.clone()), sentence.clone())];
    Ok(Decided {
        facts: vec![Fact::TaskClosed { task: number, why }],
        notices,
        sentence,
        ..Decided::default()
    })
}
