//! Patches: registered, certified, flagged, rejected (G1, G2, G10, R1).

use std::collections::BTreeSet;

use crate::conflict::conflicts;
use crate::content::content_of_all;
use crate::decide::{Asked, Decided, count, has_room, listed, notice};
use crate::fact::{About, Fact};
use crate::names::Id;
use crate::outcome::Outcome;
use crate::patch::{Patch, Place, Status};
use crate::refusal::{Code, Refusal};
use crate::role::Part;
use crate::state::State;
use crate::table::edge;
use crate::task::{Progress, Task, Work};

pub(super) fn add(
    asked: &Asked<'_>,
    id: &Id,
    title: &str,
    node_types: &BTreeSet<String>,
    bugs: &BTreeSet<String>,
) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam, Part::Verifier], "to register a patch")?;
    if asked.state.patches.contains_key(id) || asked.state.archived.patches.contains(id) {
        return Err(Refusal::new(Code::IdTaken, format!("there is a patch `{id}` already")));
    }
    are_free(asked, id)?;
    let node_types: BTreeSet<String> = node_types.union(asked.pinning).cloned().collect();
    let notes = vec![touches(&node_types)];
    let registered = Fact::PatchRegistered {
        patch: id.clone(),
        title: title.to_owned(),
        items: asked.items.clone(),
        node_types,
        bugs: bugs.clone(),
    };
    let sentence = format!("patch `{id}` is registered with {}", count(asked.items.len(), "package"));
    Ok(Decided { facts: vec![registered], notes, sentence, ..Decided::default() })
}

/// Says which node types a patch touches.
fn touches(node_types: &BTreeSet<String>) -> String {
    match node_types.len() {
        0 => "no node type pins its packages".to_owned(),
        number => format!("it touches {}: {}", count(number, "node type"), listed(node_types)),
    }
}

/// Refuses packages of another patch that is under way, and none at all.
fn are_free(asked: &Asked<'_>, id: &Id) -> Result<(), Refusal> {
    if asked.items.is_empty() {
        return Err(Refusal::new(Code::NothingNamed, format!("patch `{id}` brings no package")));
    }
    let others = asked.state.patches.iter().filter(|(other, patch)| *other != id && !patch.status.is_final());
    let shared: Vec<String> = others
        .flat_map(|(other, patch)| patch.items.intersection(asked.items).map(move |item| (other, item)))
        .map(|(other, item)| format!("`{}` of `{}` is patch `{other}`'s", item.nevra, item.platform))
        .collect();
    if shared.is_empty() {
        return Ok(());
    }
    let sentence = "a package belongs to one patch at a time, and some belong to another";
    Err(Refusal::new(Code::PackageInAnotherPatch, sentence).reasons(shared))
}

pub(super) fn change(asked: &Asked<'_>, id: &Id) -> Result<Decided, Refusal> {
    let patch = asked.patch(id)?;
    asked.must_be(&[Part::ReleaseTeam], "to change a patch")?;
    are_free(asked, id)?;
    if patch.items == *asked.items {
        return Ok(Decided::default());
    }
    let is_registered = patch.status == Status::Registered;
    let edge = edge(patch.status, Status::Registered, "patch-change");
    if !is_registered && edge.is_none() {
        let sentence = format!("patch `{id}` is {}: what is tested stays as it is", patch.status);
        return Err(Refusal::new(Code::WrongState, sentence).hint("reject it, and register another patch"));
    }
    let changed = Fact::PatchChanged {
        patch: id.clone(),
        items: asked.items.clone(),
        node_types: patch.node_types.union(asked.pinning).cloned().collect(),
    };
    let sentence = format!("patch `{id}` has other packages, and waits to be verified");
    let notices = edge.and_then(|edge| edge.notice.clone()).map(|to| notice(to, sentence.clone()));
    Ok(Decided {
        facts: vec![changed],
        notices: notices.into_iter().collect(),
        sentence,
        ..Decided::default()
    })
}

pub(super) fn set(asked: &Asked<'_>, ids: &BTreeSet<Id>, status: Status) -> Result<Decided, Refusal> {
    if ids.is_empty() {
        return Err(Refusal::new(Code::NothingNamed, "the request names no patch"));
    }
    let mut decided = Decided::default();
    let mut tellers = BTreeSet::new();
    let mut wrong = Vec::new();
    for id in ids {
        let patch = asked.patch(id)?;
        if patch.status == status {
            continue;
        }
        let Some(edge) = edge(patch.status, status, "patch-status") else {
            wrong.push(wrong_state(id, patch, status));
            continue;
        };
        asked.must_be(std::slice::from_ref(&edge.actor), &format!("to set a patch to `{status}`"))?;
        match status {
            Status::ReadyForRollout => decided.notes.extend(conflicts(asked.state, id, patch)),
            Status::ReadyForProduction => decided.notes.extend(is_tested(asked, id, patch)?),
            Status::RollingOut => is_not_prepared(asked, id, patch)?,
            Status::Rejected if patch.place == Place::Beta => {
                let bundle = patch.bundle.as_ref().map(Id::as_str).unwrap_or_default();
                decided.notes.push(format!(
                    "its packages lie with early adopters until `bundle-rollback` of `{bundle}`"
                ));
            }
            _ => {}
        }
        tellers.extend(edge.notice.clone());
        decided.facts.push(Fact::PatchSet { patch: id.clone(), status });
        if status == Status::Rejected
            && patch.place == Place::Before
            && let Some(bundle) = &patch.bundle
        {
            let (bundle, patch) = (bundle.clone(), id.clone());
            decided.facts.push(Fact::BundleLeft { bundle, patch });
        }
    }
    if !wrong.is_empty() {
        let sentence = format!(
            "{} cannot be set to `{status}`",
            count(wrong.len(), "patch").replace("patchs", "patches")
        );
        return Err(Refusal::new(Code::WrongState, sentence).reasons(wrong));
    }
    decided.sentence = format!("{} set to `{status}`", are(ids));
    decided.notices = tellers.into_iter().map(|to| notice(to, decided.sentence.clone())).collect();
    Ok(decided)
}

fn are(ids: &BTreeSet<Id>) -> String {
    match ids.len() {
        1 => format!("patch {} is", listed(ids)),
        _ => format!("patches {} are", listed(ids)),
    }
}

fn wrong_state(id: &Id, patch: &Patch, status: Status) -> String {
    let how = match status {
        Status::RollingOut => ", and `bundle-deploy` sets it to that",
        Status::Released => ", and `release-publish` sets it to that",
        _ => "",
    };
    format!("patch `{id}` is {}, from where no way leads to {status}{how}", patch.status)
}

/// Says whether a task is about what its patches bring now: something may have been built anew since.
pub(crate) fn is_about_now(state: &State, task: &Task) -> bool {
    let patches = task.patches.iter().filter_map(|id| Some((id, state.patches.get(id)?.content())));
    content_of_all(patches) == task.content
}

/// What the roll-out of a patch showed, or why it is not tested.
pub(super) fn is_tested(asked: &Asked<'_>, id: &Id, patch: &Patch) -> Result<Vec<String>, Refusal> {
    let about = asked.state.tasks.iter().filter(|(_, task)| {
        task.work == Work::Rollout && task.patches.contains(id) && is_about_now(asked.state, task)
    });
    let counted: Vec<_> =
        about.filter(|(_, task)| !matches!(task.progress, Progress::Declined | Progress::Closed)).collect();
    let named = |wanted: &dyn Fn(&Task) -> bool| -> Vec<String> {
        let some = counted.iter().filter(|(_, task)| wanted(task));
        some.map(|(number, task)| format!("task {number} of `{}` is {}", task.team, task.progress)).collect()
    };
    let failed = named(&|task| {
        // What fails so far is no reason to wait for the end in the urgent lane.
        let counts = matches!(task.progress, Progress::Done | Progress::InProgress);
        counts && task.outcome == Some(Outcome::Fail)
    });
    let open = named(&|task| task.progress.is_open());
    let done = named(&|task| task.progress == Progress::Done && task.outcome != Some(Outcome::Fail));
    let (code, sentence, reasons) = match () {
        () if !failed.is_empty() => (Code::TaskFailed, format!("patch `{id}` failed at a site"), failed),
        () if !open.is_empty() => (Code::TasksOpen, format!("patch `{id}` is still under test"), open),
        () if done.is_empty() => {
            (Code::TasksOpen, format!("no site has tested patch `{id}` to the end"), vec![])
        }
        () => return Ok(vec![]),
    };
    let bundle = patch.bundle.as_ref().and_then(|bundle| asked.state.bundles.get(bundle));
    if code == Code::TasksOpen && bundle.is_some_and(|bundle| bundle.is_urgent) {
        return Ok(vec![format!("{sentence}, which its urgent lane owes until a site has")]);
    }
    if let Some(who) = (asked.waived)(&patch.items) {
        return Ok(vec![format!("{sentence}; {who}")]);
    }
    Err(Refusal::new(code, sentence).reasons(reasons))
}

/// Refuses to take back what an update was prepared of.
fn is_not_prepared(asked: &Asked<'_>, id: &Id, patch: &Patch) -> Result<(), Refusal> {
    match patch.update.filter(|number| asked.state.updates.contains_key(number)) {
        None => Ok(()),
        Some(number) => {
            let sentence = format!("patch `{id}` belongs to update {number}");
            Err(Refusal::new(Code::WrongState, sentence)
                .hint(format!("prepare update {number} without it first, or drop it")))
        }
    }
}

pub(super) fn comment(asked: &Asked<'_>, id: &Id, comment: &str) -> Result<Decided, Refusal> {
    asked.patch(id)?;
    if asked.actor.parts.is_empty() {
        let all = [Part::ReleaseTeam, Part::Operations, Part::Verifier];
        asked.must_be(&all, "to comment on a patch")?;
    }
    has_room(&format!("patch `{id}`"), &asked.patch(id)?.history, 0)?;
    let said = Fact::Said { about: About::Patch(id.clone()), words: comment.trim().to_owned() };
    let sentence = format!("patch `{id}` has one more comment");
    Ok(Decided { facts: vec![said], sentence, ..Decided::default() })
}
