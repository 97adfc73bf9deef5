//! The decision: what a step brings about, or why it is not taken. A function of its arguments alone.

use jiff::Timestamp;
use nevra::Sha256;
use std::collections::BTreeSet;

use crate::bundle::Bundle;
use crate::command::{Answer, Command};
use crate::content::Item;
use crate::fact::{Deed, Fact};
use crate::names::{Id, TeamName};
use crate::naming::Priority;
use crate::patch::{Patch, Place, Step};
use crate::refusal::{Code, Refusal};
use crate::role::{Actor, Part};
use crate::rules::Rules;
use crate::state::{State, Workflow};
use crate::task::{Task, Work};
use crate::team::Team;
use crate::ticket::Related;

mod archive;
mod bundle;
mod copies;
mod patch;
mod release;
mod remind;
mod task;
mod team;
mod ticket;

pub use archive::resting;
pub use remind::next_reminder;

pub(crate) use patch::is_about_now;
pub(crate) use task::for_team;
pub(crate) use ticket::runs;

/// What the clocks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// The wall clock.
    pub wall: Timestamp,
    /// The time that was witnessed: no jump of the wall clock moves it.
    pub witnessed: Timestamp,
}

impl Times {
    /// Tells the instant that has come for sure.
    pub fn proven(self) -> Timestamp {
        self.wall.min(self.witnessed)
    }
}

/// What a step looks at beside the state.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Everything that is remembered.
    pub workflow: &'a Workflow,
    /// The name of the product.
    pub product: &'a str,
    /// What is remembered of the product.
    pub state: &'a State,
    /// How its procedure is set up.
    pub rules: &'a Rules,
    /// Who asks.
    pub actor: &'a Actor,
    /// When.
    pub times: Times,
    /// Why, in the asker's words.
    pub reason: &'a str,
    /// The packages that the request selects, found in the repositories.
    pub items: &'a BTreeSet<Item>,
    /// The node types that pin one of them.
    pub pinning: &'a BTreeSet<String>,
    /// Whether a stage lists a package.
    pub lists: &'a dyn Fn(&str, &Item) -> bool,
    /// Who answers for it that packages enter production without the tests that they need, if anybody does.
    pub waived: &'a dyn Fn(&BTreeSet<Item>) -> Option<String>,
    /// The hash of the plan that the request is about.
    pub plan: Option<Sha256>,
}

/// What a step brings about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// What happens, in order; nothing if everything is so already.
    pub facts: Vec<Fact>,
    /// What becomes of packages, in the same instant.
    pub moves: Option<Moves>,
    /// Who is told.
    pub notices: Vec<Notice>,
    /// What whoever asks should know.
    pub notes: Vec<String>,
    /// What happens, in one plain sentence.
    pub sentence: String,
}

/// What becomes of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moves {
    /// They go from one stage to the next.
    Forward {
        /// The stage they leave.
        from: String,
        /// The stage they enter.
        to: String,
        /// The packages.
        items: BTreeSet<Item>,
        /// Whether others of the same bundles stay behind.
        partial: bool,
        /// The name of the generation in which that happens, if it gets one.
        name: Option<String>,
    },
    /// They leave the stage, and what pins them pins the version before.
    Back {
        /// The stage.
        stage: String,
        /// The packages.
        items: BTreeSet<Item>,
    },
}

/// Somebody who is told of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// To whom.
    pub to: Part,
    /// What, in one sentence.
    pub sentence: String,
}

/// Decides a step of a procedure.
///
/// # Errors
///
/// A [`Refusal`] says why it is not taken; nothing happens then.
pub fn decide(asked: &Asked<'_>, command: &Command) -> Result<Decided, Refusal> {
    if let Some(other) = command.procedure().filter(|kind| *kind != asked.rules.procedure) {
        let (other, own) = (other.as_str(), asked.rules.procedure.as_str());
        let sentence =
            format!("this is a step of the procedure `{other}`, and `{}` follows `{own}`", asked.product);
        return Err(Refusal::new(Code::NoProcedure, sentence));
    }
    Ok(copies::copied(asked, command, decided(asked, command)?))
}

fn decided(asked: &Asked<'_>, command: &Command) -> Result<Decided, Refusal> {
    match command {
        Command::TeamAdd { team, contact, members, stacks, platforms, node_types } => {
            let entry = Team {
                members: members.clone(),
                stacks: stacks.clone(),
                platforms: platforms.clone(),
                node_types: node_types.clone(),
                contact: contact.trim().to_owned(),
            };
            team::add(asked, team, &entry)
        }
        Command::TeamRemove { team } => team::remove(asked, team),
        Command::PatchAdd { patch, title, node_types, bugs, .. } => {
            patch::add(asked, patch, title, node_types, bugs)
        }
        Command::PatchChange { patch, .. } => patch::change(asked, patch),
        Command::PatchStatus { patches, status } => patch::set(asked, patches, *status),
        Command::PatchComment { patch, comment } => patch::comment(asked, patch, comment),
        Command::BundleCreate { bundle, patches, urgent } => bundle::create(asked, bundle, patches, *urgent),
        Command::BundleAdd { bundle, patches } => bundle::add(asked, bundle, patches),
        Command::BundleRemove { bundle, patches } => bundle::remove(asked, bundle, patches),
        Command::BundleDeploy { bundle } => bundle::deploy(asked, bundle),
        Command::BundleHold { bundle } => bundle::hold(asked, bundle, true),
        Command::BundleContinue { bundle } => bundle::hold(asked, bundle, false),
        Command::BundleRollback { bundle, .. } => bundle::roll_back(asked, bundle),
        Command::TicketAdd { ticket, node_types, urgent, .. } => {
            let wish = ticket::Wish { parts: ticket::parts(command), node_types, is_urgent: *urgent };
            ticket::add(asked, ticket, wish)
        }
        Command::TicketChange { ticket, .. } => ticket::change(asked, ticket),
        Command::TicketVerify { ticket } => ticket::verify(asked, ticket),
        Command::TicketDeploy { ticket } => ticket::deploy(asked, ticket),
        Command::TicketLinks { ticket, .. } => ticket::links(asked, ticket, &ticket::given(command)),
        Command::TicketComment { ticket, comment } => ticket::comment(asked, ticket, comment),
        Command::TicketAssign { ticket, teams, days } => ticket::assign(asked, ticket, teams, *days),
        Command::TicketRelate { ticket, related, subject, criticality, workaround } => {
            let (subject, criticality, workaround) =
                (subject.clone(), criticality.clone(), workaround.clone());
            ticket::relate(asked, ticket, related, Related { subject, criticality, workaround })
        }
        Command::TicketSummary { ticket, document, file } => ticket::summary(asked, ticket, document, file),
        Command::TicketAccept { ticket } => ticket::accept(asked, ticket),
        Command::TicketReject { ticket, .. } => ticket::reject(asked, ticket),
        Command::TicketRelease { tickets, release } => ticket::release(asked, tickets, release),
        Command::TaskAssign { bundle, teams, rollback, node_types, days } => {
            let wish = task::Wish { bundle, teams, is_rollback: *rollback, node_types, days: *days };
            task::assign(asked, &wish)
        }
        Command::TaskAnswer { task, answer } => task::answer(asked, *task, *answer == Answer::Accept),
        Command::TaskStart { task, outcome, tickets, content } => {
            task::start(asked, *task, *outcome, tickets, *content)
        }
        Command::TaskComment { task, comment } => task::comment(asked, *task, comment),
        Command::TaskDone { task, outcome, tickets, content } => {
            task::done(asked, *task, *outcome, tickets, *content)
        }
        Command::TaskExtend { task, days } => task::extend(asked, *task, *days),
        Command::TaskDowntime { task, from, until } => task::downtime(asked, *task, *from, *until),
        Command::TaskBeta { task } => task::beta(asked, *task),
        Command::TaskClose { task } => task::close(asked, *task),
        Command::ReleasePrepare { update, patches, priority, partial } => {
            release::prepare(asked, *update, patches, *priority, *partial)
        }
        Command::ReleaseReady { update } => release::ready(asked, *update),
        Command::ReleaseApprove { update } => release::approve(asked, *update),
        Command::ReleasePublish { update } => release::publish(asked, *update),
        Command::ReleaseDrop { update } => release::drop_update(asked, *update),
        Command::ReleaseReports { update } => release::reports(asked, *update),
        Command::Remind {} => remind::remind(asked),
        Command::Archive {} => archive::archive(asked),
    }
}

/// Takes note of packages that are built anew in the stage of the early adopters, in the same instant as the facts: patches
/// that stay there bring the new ones from then on, and their bundles are something else for it.
///
/// `rebuilt` holds what takes the place of what; packages of patches that move are none of them.
pub fn rebuilt(asked: &Asked<'_>, facts: Vec<Fact>, rebuilt: &[(Item, Item)]) -> Vec<Fact> {
    let facts = ticket::rebuilt(asked, facts, rebuilt);
    let mut after = asked.workflow.clone();
    let mut told = Vec::new();
    let moved: BTreeSet<&Id> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::PatchMoved { patch, .. } => Some(patch),
            _ => None,
        })
        .collect();
    for (id, patch) in &asked.state.patches {
        if patch.place != Place::Beta || moved.contains(id) {
            continue;
        }
        for (was, item) in rebuilt.iter().filter(|(was, _)| patch.items.contains(was)) {
            told.push(Fact::PatchRebuilt { patch: id.clone(), was: was.clone(), item: item.clone() });
        }
    }
    if told.is_empty() {
        return facts;
    }
    for (number, task) in &asked.state.tasks {
        let concerns =
            |fact: &Fact| matches!(fact, Fact::PatchRebuilt { patch, .. } if task.patches.contains(patch));
        let is_closed = |fact: &Fact| matches!(fact, Fact::TaskClosed { task, .. } if task == number);
        if task.work == Work::Rollout
            && task.progress.is_open()
            && told.iter().any(concerns)
            && !facts.iter().any(is_closed)
        {
            let why = "what it is about was built anew".to_owned();
            told.push(Fact::TaskClosed { task: *number, why });
        }
    }
    let bundles: BTreeSet<Id> = told
        .iter()
        .filter_map(|fact| match fact {
            Fact::PatchRebuilt { patch, .. } => asked.state.patches.get(patch)?.bundle.clone(),
            _ => None,
        })
        .collect();
    let mut all: Vec<Fact> = facts
        .into_iter()
        .filter(|fact| !matches!(fact, Fact::BundleRevised { bundle, .. } if bundles.contains(bundle)))
        .chain(told)
        .collect();
    after.evolve(&Deed {
        product: asked.product.to_owned(),
        at: asked.times.wall,
        witnessed: asked.times.witnessed,
        by: asked.actor.name.clone(),
        facts: all.clone(),
    });
    let Some(state) = after.products.get(asked.product) else { return all };
    for bundle in bundles {
        let content = state.bundles.get(&bundle).map(|one| one.content(&state.patches));
        all.extend(content.map(|content| Fact::BundleRevised { bundle, content }));
    }
    all
}

/// Decides what publishing patches would do, whoever asks: so that it can be planned before anybody approves of it.
///
/// # Errors
///
/// A [`Refusal`] says why they cannot be published.
pub fn publishing(
    asked: &Asked<'_>,
    update: u32,
    patches: &BTreeSet<Id>,
    priority: Priority,
    partial: bool,
) -> Result<Decided, Refusal> {
    let patches = release::chosen(asked, update, patches)?;
    release::publishing(asked, update, (&patches, priority), partial)
}

impl<'a> Asked<'a> {
    /// Refuses whoever plays none of these parts.
    fn must_be(&self, parts: &[Part], step: &str) -> Result<(), Refusal> {
        if parts.iter().any(|part| self.actor.is(part)) {
            return Ok(());
        }
        let who: Vec<String> = parts.iter().map(Part::to_string).collect();
        let sentence =
            format!("{step} is a step of {}, and `{}` is not of them", who.join(" or "), self.actor.name);
        Err(Refusal::new(Code::WrongActor, sentence)
            .hint("the configuration says with `[roles]` and `[product.NAME.procedure]` who is"))
    }

    fn patch(&self, id: &Id) -> Result<&'a Patch, Refusal> {
        let refused =
            || missing(Code::NoSuchPatch, &format!("patch `{id}`"), self.state.archived.patches.contains(id));
        self.state.patches.get(id).ok_or_else(refused)
    }

    fn bundle(&self, id: &Id) -> Result<&'a Bundle, Refusal> {
        let refused = || {
            missing(Code::NoSuchBundle, &format!("bundle `{id}`"), self.state.archived.bundles.contains(id))
        };
        self.state.bundles.get(id).ok_or_else(refused)
    }

    fn task(&self, number: u32) -> Result<&'a Task, Refusal> {
        let is_filed = (1..=self.state.archived.last_task).contains(&number);
        let refused = || missing(Code::NoSuchTask, &format!("task {number}"), is_filed);
        self.state.tasks.get(&number).ok_or_else(refused)
    }

    /// Refuses a bundle that somebody holds.
    fn goes_on(&self, id: &Id, bundle: &Bundle) -> Result<(), Refusal> {
        match &bundle.held {
            Some(why) => {
                let sentence = format!("bundle `{id}` is held: {why}");
                Err(Refusal::new(Code::BundleHeld, sentence).hint("`bundle-continue` lets it go on"))
            }
            None => Ok(()),
        }
    }

    /// Refuses a task of another team.
    fn must_be_team(&self, number: u32, team: &TeamName) -> Result<(), Refusal> {
        if self.actor.is(&Part::Team(team.clone())) {
            return Ok(());
        }
        let sentence = format!("task {number} is of `{team}`, for which `{}` may not act", self.actor.name);
        Err(Refusal::new(Code::NotYourTask, sentence))
    }
}

/// How much may have happened to a patch or task before no more is said of it: every generation carries what is under way.
const HISTORY_MAX: usize = 500;

/// How many tickets a task may have led to.
const TICKETS_MAX: usize = 200;

/// Refuses more than is kept.
fn has_room(what: &str, history: &[Step], tickets: usize) -> Result<(), Refusal> {
    let sentence = match (history.len() < HISTORY_MAX, tickets <= TICKETS_MAX) {
        (true, true) => return Ok(()),
        (false, _) => format!("{HISTORY_MAX} things happened to {what}, and no more are kept"),
        (true, false) => format!("{what} led to {tickets} tickets, and {TICKETS_MAX} are kept"),
    };
    Err(Refusal::new(Code::HistoryFull, sentence))
}

/// Refuses what is not there, or not any more.
fn missing(code: Code, what: &str, is_archived: bool) -> Refusal {
    match is_archived {
        true => Refusal::new(code, format!("{what} is over, and lies in the archive")),
        false => Refusal::new(code, format!("there is no {what}")),
    }
}

/// Writes ids one after the other.
pub(crate) fn listed<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|one| format!("`{}`", one.to_string())).collect::<Vec<_>>().join(", ")
}

/// Writes a number of things.
fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

fn notice(to: Part, sentence: impl Into<String>) -> Notice {
    Notice { to, sentence: sentence.into() }
}

#[cfg(test)]
mod tests;
