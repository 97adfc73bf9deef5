//! `sluice why` of a patch, bundle, ticket, task or update: where it stands, which requests brought it there, and what keeps it from going on.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use nevra::Sha256;
use serde::Serialize;
use store::Store;
use workflow::{
    Actor, Asked, Command, Item, Matter, Outcome, Part, Readiness, State, TeamName, Workflow, decide,
};

use crate::chronicle::{Chapter, Chronicle};
use crate::failure::Failure;
use crate::moment;
use crate::procedure::seen::{Seen, Waits};
use crate::procedure::waits;
use crate::terminal::Paint;

/// Why one thing stands where it does.
#[derive(Debug, Serialize)]
pub struct Stands {
    product: String,
    about: Matter,
    status: String,
    /// The requests that had to do with it, the oldest first.
    requests: Vec<Request>,
    /// Who is waited for.
    waits: Vec<Waits>,
    /// The steps that come next, and what the procedure says of each.
    steps: Vec<Tried>,
}

#[derive(Debug, Serialize)]
struct Request {
    generation: u64,
    published: Timestamp,
    action: String,
    owner: String,
    claim: String,
    sentence: String,
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Tried {
    step: String,
    /// Why it would be refused now; none if it would be taken.
    code: Option<String>,
    sentence: String,
    reasons: Vec<String>,
}

/// Reads `task/12`, or `task` and `12`.
pub fn meant(words: &[String]) -> Option<Matter> {
    match words {
        [one] => one.parse().ok(),
        [kind, name] => format!("{kind}/{name}").parse().ok(),
        _ => None,
    }
}

/// Lists what bears a plain name: patches, bundles, and what has a number.
pub fn bearing(seen: &Seen, name: &str) -> Vec<Matter> {
    ["patch", "bundle", "ticket", "task", "update"]
        .iter()
        .filter_map(|kind| format!("{kind}/{name}").parse().ok())
        .filter(|matter| status(&seen.state, matter).is_some())
        .collect()
}

/// Explains one thing, if there is such a thing.
pub fn stands(seen: &Seen, store: &Store, matter: &Matter) -> Result<Option<Stands>, Failure> {
    let Some(status) = status(&seen.state, matter) else { return Ok(None) };
    let chronicle = Chronicle::of(store.clone())?;
    let mut requests = Vec::new();
    for number in chronicle.newest_first() {
        let Chapter { manifest, account } = chronicle.chapter(number)?;
        for settled in account.requests.into_iter().rev() {
            let is_about = settled.deed.as_ref().is_some_and(|deed| {
                deed.product == seen.product.name && deed.facts.iter().any(|fact| fact.concerns(matter))
            });
            if is_about {
                let answer = settled.answer;
                requests.push(Request {
                    generation: number,
                    published: manifest.created,
                    action: answer.action,
                    owner: answer.owner,
                    claim: answer.claim,
                    sentence: answer.sentence,
                    reason: settled.reason,
                });
            }
        }
    }
    requests.reverse();
    Ok(Some(Stands {
        product: seen.product.name.clone(),
        about: matter.clone(),
        status,
        requests,
        waits: seen.waits_about(matter),
        steps: tried(seen, &chronicle, matter)?,
    }))
}

fn status(state: &State, matter: &Matter) -> Option<String> {
    match matter {
        Matter::Patch(id) => Some(state.patches.get(id)?.status.to_string()),
        Matter::Bundle(id) => {
            let bundle = state.bundles.get(id)?;
            let words = if bundle.is_deployed() { "with early adopters" } else { "being made" };
            Some(bundle.held.as_ref().map_or(words.to_owned(), |why| format!("held: {why}")))
        }
        Matter::Ticket(id) => Some(state.tickets.get(id)?.standing.to_string()),
        Matter::Task(number) => Some(state.tasks.get(number)?.progress.to_string()),
        Matter::Update(number) => Some(format!("{:?}", state.updates.get(number)?.readiness).to_lowercase()),
    }
}

/// The steps that may come next.
fn next(state: &State, matter: &Matter) -> Vec<(String, Command, Option<Sha256>)> {
    let nothing = Vec::new;
    let plain = |words: String, command| (words, command, None);
    match matter {
        Matter::Patch(id) => {
            let Some(patch) = state.patches.get(id) else { return Vec::new() };
            let edges = workflow::GLITE.iter().filter(|edge| edge.from.contains(&patch.status));
            let step = |edge: &workflow::Edge| {
                let command = match (edge.by, &patch.bundle, patch.update) {
                    ("bundle-deploy", Some(bundle), _) => Command::BundleDeploy { bundle: bundle.clone() },
                    ("release-publish", _, Some(update)) => Command::ReleasePublish { update },
                    ("patch-status", ..) => {
                        Command::PatchStatus { patches: BTreeSet::from([id.clone()]), status: edge.to }
                    }
                    _ => return None,
                };
                Some(plain(format!("{} ({}), to `{}`", edge.by, edge.actor, edge.to), command))
            };
            edges.filter_map(step).collect()
        }
        Matter::Bundle(id) => {
            let (bundle, teams) =
                (id.clone(), state.teams.keys().take(1).cloned().collect::<BTreeSet<TeamName>>());
            let (versions, without, releases) = (nothing(), nothing(), nothing());
            let assign = |rollback| {
                let (bundle, teams, node_types) = (id.clone(), teams.clone(), BTreeSet::new());
                Command::TaskAssign { bundle, teams, rollback, node_types, days: None }
            };
            vec![
                plain("bundle-deploy".into(), Command::BundleDeploy { bundle: bundle.clone() }),
                plain("task-assign".into(), assign(false)),
                plain(
                    "bundle-rollback".into(),
                    Command::BundleRollback { bundle, versions, without, releases },
                ),
            ]
        }
        Matter::Ticket(id) => {
            let Some(ticket) = state.tickets.get(id) else { return Vec::new() };
            let ways = workflow::EGI.iter().filter(|way| way.from.contains(&ticket.standing));
            let step = |way: &workflow::Way| {
                let ticket = id.clone();
                let [versions, without, releases] = [(); 3].map(|()| nothing());
                let command = match way.by {
                    "ticket-verify" => Command::TicketVerify { ticket },
                    "ticket-deploy" => Command::TicketDeploy { ticket },
                    "ticket-accept" => Command::TicketAccept { ticket },
                    "ticket-reject" => Command::TicketReject { ticket, versions, without, releases },
                    "ticket-assign" => {
                        let teams = state.teams.keys().take(1).cloned().collect();
                        Command::TicketAssign { ticket, teams, days: None }
                    }
                    _ => return None,
                };
                Some(plain(format!("{}, to `{}`", way.by, way.to), command))
            };
            ways.filter_map(step).collect()
        }
        Matter::Task(number) => {
            let Some(task) = state.tasks.get(number).filter(|task| task.progress.is_open()) else {
                return Vec::new();
            };
            let outcome = task.outcome.unwrap_or(Outcome::Success);
            let (task, tickets, content) = (*number, BTreeSet::new(), None);
            vec![plain("task-done".into(), Command::TaskDone { task, outcome, tickets, content })]
        }
        Matter::Update(number) => {
            let Some(one) = state.updates.get(number) else { return Vec::new() };
            let update = *number;
            match one.readiness {
                Readiness::Prepared => vec![plain("release-ready".into(), Command::ReleaseReady { update })],
                Readiness::Ready => {
                    vec![("release-approve".into(), Command::ReleaseApprove { update }, Some(one.plan))]
                }
                Readiness::Approved => {
                    vec![plain("release-publish".into(), Command::ReleasePublish { update })]
                }
                Readiness::Published => Vec::new(),
            }
        }
    }
}

/// Asks the procedure of each step that may come next, as somebody who may take them all.
fn tried(seen: &Seen, chronicle: &Chronicle, matter: &Matter) -> Result<Vec<Tried>, Failure> {
    let steps = next(&seen.state, matter);
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let packages = chronicle.packages(chronicle.current)?;
    let account = chronicle.chapter(chronicle.current)?.account;
    let lists = |stage: &str, item: &Item| {
        packages.iter().any(|(name, listed)| {
            let shelved = account.repositories.get(name);
            let is_there = shelved.is_some_and(|one| {
                one.product == seen.product.name
                    && one.stage == stage
                    && format!("{}/{}", one.os, one.arch) == item.platform
            });
            is_there && listed.iter().any(|one| one.pkgid == item.pkgid)
        })
    };
    let teams = seen.state.teams.keys().cloned().map(Part::Team);
    let managers = seen.procedure.rules.managers.keys().cloned().map(Part::Manager);
    let parts = [Part::ReleaseTeam, Part::Operations, Part::Verifier];
    let parts = parts.into_iter().chain(managers).chain(teams).collect();
    let actor = Actor { name: "whoever may".to_owned(), parts };
    let (items, pinning) = (BTreeSet::new(), BTreeSet::new());
    let workflow = Workflow { products: [(seen.product.name.clone(), seen.state.clone())].into() };
    let try_one = |(step, command, plan): (String, Command, Option<Sha256>)| {
        let asked = Asked {
            workflow: &workflow,
            product: &seen.product.name,
            state: &seen.state,
            rules: &seen.procedure.rules,
            actor: &actor,
            times: seen.times,
            reason: "to see whether it would be refused",
            items: &items,
            pinning: &pinning,
            lists: &lists,
            waived: &|_| None,
            plan,
        };
        match decide(&asked, &command) {
            Ok(decided) if decided.facts.is_empty() => Tried {
                step,
                code: Some("nothing-to-do".into()),
                sentence: "everything is so already".into(),
                reasons: Vec::new(),
            },
            Ok(_) => Tried {
                step,
                code: None,
                sentence: "the procedure would take it".into(),
                reasons: Vec::new(),
            },
            Err(refusal) => Tried {
                step,
                code: Some(refusal.code.as_str().to_owned()),
                sentence: refusal.sentence,
                reasons: refusal.reasons,
            },
        }
    };
    Ok(steps.into_iter().map(try_one).collect())
}

/// Writes it.
pub fn words(all: &[Stands], paint: Paint) -> String {
    let mut text = String::new();
    for stands in all {
        let _ = writeln!(
            text,
            "{}  {}  of {}",
            paint.bold(&stands.about.to_string()),
            stands.status,
            stands.product
        );
        for one in &stands.requests {
            let _ = writeln!(
                text,
                "  {} of {}, generation {} of {}, request {}: {}",
                one.action,
                one.owner,
                one.generation,
                moment::text(one.published),
                one.claim,
                one.sentence
            );
            if let Some(reason) = &one.reason {
                let _ = writeln!(text, "    because: {reason}");
            }
        }
        waits(&stands.waits, "  waits: ", &mut text, paint);
        for Tried { step, code, sentence, reasons } in &stands.steps {
            let code = code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            let _ = writeln!(text, "  {step}: {sentence}{code}");
            for reason in reasons {
                let _ = writeln!(text, "    {reason}");
            }
        }
    }
    text
}
