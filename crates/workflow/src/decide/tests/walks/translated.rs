//! What the model's requests are for the state machine.

use super::super::model::Request;
use super::super::*;

/// The packages of a task as the model has them, hashed as a report would say them.
pub fn content(contents: &BTreeMap<String, BTreeSet<String>>) -> Sha256 {
    let hashed = contents.iter().map(|(patch, packages)| {
        let items: Vec<Item> = packages.iter().map(|text| item(text)).collect();
        (id(patch), crate::content(&items))
    });
    let all: Vec<(Id, Sha256)> = hashed.collect();
    crate::content_of_all(all.iter().map(|(id, content)| (id, *content)))
}

pub fn plan(request: &Request) -> Option<Sha256> {
    request.plan.map(|plan| Sha256::from([plan; 32]))
}

/// When walks begin, in seconds since 1970: `2026-03-02T10:00:00Z`, as [`Site::new`] has it.
const FIRST: i64 = 1_772_445_600;

pub fn instant(hours: i64) -> Timestamp {
    Timestamp::from_second(FIRST + hours * 3600).unwrap()
}

fn outcome(request: &Request) -> Outcome {
    request.outcome.parse().unwrap()
}

fn status(request: &Request) -> Status {
    Status::ALL.into_iter().find(|one| one.as_str() == request.status).unwrap()
}

fn priority(request: &Request) -> Priority {
    match request.priority {
        "urgent" => Priority::Urgent,
        _ => Priority::Normal,
    }
}

/// `theirs` are the packages of the task that the request names, if there is such a task.
pub fn command(request: &Request, theirs: Option<Sha256>) -> Command {
    let r = request;
    let patches: BTreeSet<Id> = r.patches.iter().map(|text| id(text)).collect();
    let patch = || patches.first().cloned().unwrap();
    let bundle = || id(&r.bundle);
    let teams: BTreeSet<TeamName> = r.teams.iter().map(|text| team(text)).collect();
    let team = || teams.first().cloned().unwrap();
    let packages: Vec<String> = r.packages.iter().cloned().collect();
    let platforms = Vec::new();
    let none = BTreeSet::<String>::new;
    let (task, update, partial) = (r.task, r.update, r.word == "release-partial");
    let (tickets, rollback) = (r.tickets.clone(), r.word == "task-assign-back");
    let node_types = r.node_types.clone();
    let days = r.days;
    let content = match r.made_for {
        None => None,
        Some(true) => theirs,
        Some(false) => Some(Sha256::from([7; 32])),
    };
    match r.word {
        "team-add" => Command::TeamAdd {
            team: team(),
            contact: "a@example.org".into(),
            members: none(),
            stacks: none(),
            platforms: none(),
            node_types,
        },
        "team-remove" => Command::TeamRemove { team: team() },
        "patch-add" => Command::PatchAdd {
            patch: patch(),
            title: "a patch".into(),
            packages,
            platforms,
            node_types,
            bugs: none(),
        },
        "patch-change" => Command::PatchChange { patch: patch(), packages, platforms },
        "patch-status" => Command::PatchStatus { patches, status: status(r) },
        "patch-comment" => Command::PatchComment { patch: patch(), comment: "so it is".into() },
        "bundle-create" => Command::BundleCreate { bundle: bundle(), patches, urgent: r.urgent },
        "bundle-add" => Command::BundleAdd { bundle: bundle(), patches },
        "bundle-remove" => Command::BundleRemove { bundle: bundle(), patches },
        "bundle-deploy" => Command::BundleDeploy { bundle: bundle() },
        "bundle-hold" => Command::BundleHold { bundle: bundle() },
        "bundle-continue" => Command::BundleContinue { bundle: bundle() },
        "bundle-rollback" => {
            Command::BundleRollback { bundle: bundle(), versions: vec![], without: vec![], releases: vec![] }
        }
        "task-assign" | "task-assign-back" => {
            Command::TaskAssign { bundle: bundle(), teams, rollback, node_types, days }
        }
        "task-accept" => Command::TaskAnswer { task, answer: Answer::Accept },
        "task-decline" => Command::TaskAnswer { task, answer: Answer::Reject },
        "task-start" => Command::TaskStart { task, outcome: outcome(r), tickets, content },
        "task-done" => Command::TaskDone { task, outcome: outcome(r), tickets, content },
        "task-comment" => Command::TaskComment { task, comment: "it runs".into() },
        "task-extend" => Command::TaskExtend { task, days: r.days.unwrap_or_default() },
        "task-downtime" => Command::TaskDowntime { task, from: instant(r.from), until: instant(r.until) },
        "task-close" => Command::TaskClose { task },
        "release-prepare" | "release-partial" => {
            Command::ReleasePrepare { update, patches, priority: priority(r), partial }
        }
        "release-ready" => Command::ReleaseReady { update },
        "release-approve" => Command::ReleaseApprove { update },
        "release-publish" => Command::ReleasePublish { update },
        "release-drop" => Command::ReleaseDrop { update },
        "release-reports" => Command::ReleaseReports { update },
        "remind" => Command::Remind {},
        "archive" => Command::Archive {},
        word => panic!("nobody says `{word}`"),
    }
}
