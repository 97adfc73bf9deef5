//! Bundles: made, handed to early adopters, held, and rolled back (G3 to G6, R2 to R5).

use std::collections::BTreeSet;

use crate::bundle::Bundle;
use crate::conflict::{conflicts, focus};
use crate::content::{Item, content_of_all};
use crate::decide::{Asked, Decided, Moves, count, listed, notice};
use crate::fact::Fact;
use crate::names::Id;
use crate::patch::{Patch, Place, Status};
use crate::refusal::{Code, Refusal};
use crate::role::Part;
use crate::subject::Subject;
use crate::table::edge;
use crate::task::Work;

pub(super) fn create(
    asked: &Asked<'_>,
    id: &Id,
    patches: &BTreeSet<Id>,
    urgent: bool,
) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam], "to make a bundle")?;
    if asked.state.bundles.contains_key(id) || asked.state.archived.bundles.contains(id) {
        return Err(Refusal::new(Code::IdTaken, format!("there is a bundle `{id}` already")));
    }
    if patches.is_empty() {
        return Err(Refusal::new(Code::NothingNamed, "the request names no patch"));
    }
    let mut facts = vec![Fact::BundleCreated { bundle: id.clone(), urgent }];
    facts.extend(joining(asked, id, patches)?);
    let notes = focus(patches.iter().filter_map(|patch| Some((patch, asked.state.patches.get(patch)?))));
    let lane = if urgent { ", in the urgent lane" } else { "" };
    let sentence = format!("bundle `{id}` is made of {}{lane}", listed(patches));
    Ok(Decided { facts, notes, sentence, ..Decided::default() })
}

fn joining(asked: &Asked<'_>, id: &Id, patches: &BTreeSet<Id>) -> Result<Vec<Fact>, Refusal> {
    let mut facts = Vec::new();
    for patch_id in patches {
        let patch = asked.patch(patch_id)?;
        match &patch.bundle {
            Some(other) if other == id => continue,
            Some(other) => {
                let sentence = format!("patch `{patch_id}` travels with bundle `{other}`");
                return Err(Refusal::new(Code::InAnotherBundle, sentence));
            }
            None => {}
        }
        if edge(patch.status, Status::RollingOut, "bundle-deploy").is_none() {
            let sentence =
                format!("patch `{patch_id}` is {}, and a bundle takes what is verified", patch.status);
            return Err(Refusal::new(Code::WrongState, sentence));
        }
        facts.push(Fact::BundleJoined { bundle: id.clone(), patch: patch_id.clone() });
    }
    Ok(facts)
}

pub(super) fn add(asked: &Asked<'_>, id: &Id, patches: &BTreeSet<Id>) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam], "to change a bundle")?;
    let bundle = asked.bundle(id)?;
    let facts = joining(asked, id, patches)?;
    let all =
        bundle.patches.union(patches).filter_map(|patch| Some((patch, asked.state.patches.get(patch)?)));
    let notes = focus(all);
    let sentence = format!("bundle `{id}` takes in {}", listed(patches));
    Ok(Decided { facts, notes, sentence, ..Decided::default() })
}

pub(super) fn remove(asked: &Asked<'_>, id: &Id, patches: &BTreeSet<Id>) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam], "to change a bundle")?;
    let bundle = asked.bundle(id)?;
    let mut facts = Vec::new();
    for patch_id in patches {
        let patch = asked.patch(patch_id)?;
        if !bundle.patches.contains(patch_id) {
            continue;
        }
        if patch.place != Place::Before {
            let sentence = format!("early adopters have got patch `{patch_id}`");
            let hint = "operations reject it, and `bundle-rollback` takes it out";
            return Err(Refusal::new(Code::WrongState, sentence).hint(hint));
        }
        facts.push(Fact::BundleLeft { bundle: id.clone(), patch: patch_id.clone() });
    }
    let sentence = format!("bundle `{id}` lets go of {}", listed(patches));
    Ok(Decided { facts, sentence, ..Decided::default() })
}

/// The patches of a bundle that early adopters have not got yet.
fn waiting<'a>(asked: &Asked<'a>, bundle: &'a Bundle) -> Vec<(&'a Id, &'a Patch)> {
    let waits = |(_, patch): &(&Id, &Patch)| patch.place == Place::Before && !patch.status.is_final();
    asked.state.patches_of(bundle).filter(waits).collect()
}

pub(super) fn deploy(asked: &Asked<'_>, id: &Id) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam], "to hand a bundle to early adopters")?;
    let bundle = asked.bundle(id)?;
    asked.goes_on(id, bundle)?;
    let waiting = waiting(asked, bundle);
    if waiting.is_empty() {
        return Ok(Decided::default());
    }
    if !waiting.iter().any(|(_, patch)| patch.status == Status::ReadyForRollout) {
        let sentence =
            format!("no patch of bundle `{id}` that early adopters have not got is ready for rollout");
        return Err(Refusal::new(Code::NoGreenFlag, sentence)
            .hint("operations set one to `ready-for-rollout` when the roll-out can be taken on"));
    }
    let mut decided = Decided::default();
    let mut items = BTreeSet::new();
    let mut wrong = Vec::new();
    for (patch_id, patch) in &waiting {
        if edge(patch.status, Status::RollingOut, "bundle-deploy").is_none() {
            wrong.push(format!("patch `{patch_id}` is {}", patch.status));
        }
        let missing = patch.items.iter().filter(|item| !(asked.lists)(&asked.rules.from, item));
        wrong.extend(missing.map(|item| {
            let stage = &asked.rules.from;
            format!("`{}` of patch `{patch_id}` is not in `{stage}` on `{}`", item.nevra, item.platform)
        }));
        decided.notes.extend(conflicts(asked.state, patch_id, patch));
        items.extend(patch.items.iter().cloned());
        decided.facts.push(Fact::PatchSet { patch: (*patch_id).clone(), status: Status::RollingOut });
        decided.facts.push(Fact::PatchMoved { patch: (*patch_id).clone(), place: Place::Beta });
    }
    if !wrong.is_empty() {
        let sentence = format!("bundle `{id}` is not ready to be handed to early adopters");
        return Err(Refusal::new(Code::Incomplete, sentence).reasons(wrong));
    }
    decided.facts.push(revised(asked, id, bundle, |_, patch| match patch.place {
        Place::Before => !patch.status.is_final(),
        place => place == Place::Beta,
    }));
    let named = waiting.iter().map(|(patch, _)| patch.as_str());
    decided.sentence = format!(
        "bundle `{id}` is with early adopters: {} of {} in `{}`",
        count(items.len(), "package"),
        listed(named),
        asked.rules.beta
    );
    decided.notices = vec![notice(Part::Operations, decided.sentence.clone())];
    decided.moves = Some(Moves::Forward {
        from: asked.rules.from.clone(),
        to: asked.rules.beta.clone(),
        items,
        partial: false,
        name: None,
    });
    Ok(decided)
}

/// What early adopters find in a bundle from then on.
fn revised(asked: &Asked<'_>, id: &Id, bundle: &Bundle, finds: impl Fn(&Id, &Patch) -> bool) -> Fact {
    let found = asked.state.patches_of(bundle).filter(|(id, patch)| finds(id, patch));
    let content = content_of_all(found.map(|(id, patch)| (id, patch.content())));
    Fact::BundleRevised { bundle: id.clone(), content }
}

pub(super) fn hold(asked: &Asked<'_>, id: &Id, is_held: bool) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam, Part::Operations], "to hold a bundle or let it go on")?;
    let bundle = asked.bundle(id)?;
    let why = is_held.then(|| asked.reason.trim().to_owned());
    if why.as_ref().is_some_and(String::is_empty) {
        let sentence = "to hold a bundle takes a `reason`: whoever is stopped by it reads it";
        return Err(Refusal::new(Code::BadText, sentence));
    }
    if bundle.held == why {
        return Ok(Decided::default());
    }
    let sentence = match &why {
        Some(why) => format!("bundle `{id}` is held: {why}"),
        None => format!("bundle `{id}` goes on"),
    };
    let facts = vec![Fact::BundleHeld { bundle: id.clone(), why }];
    Ok(Decided { facts, sentence, ..Decided::default() })
}

pub(super) fn roll_back(asked: &Asked<'_>, id: &Id) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam], "to roll a bundle back")?;
    let bundle = asked.bundle(id)?;
    let is_rejected = |patch: &Patch| patch.place == Place::Beta && patch.status == Status::Rejected;
    let rejected: BTreeSet<&Id> =
        asked.state.patches_of(bundle).filter(|(_, patch)| is_rejected(patch)).map(|(id, _)| id).collect();
    if rejected.is_empty() {
        let sentence = format!("no patch of bundle `{id}` is rejected and with early adopters");
        return Err(
            Refusal::new(Code::WrongState, sentence).hint("operations reject patches with `patch-status`")
        );
    }
    let items: BTreeSet<Item> = rejected
        .iter()
        .filter_map(|id| asked.state.patches.get(*id))
        .flat_map(|patch| patch.items.clone())
        .collect();
    let mut decided = Decided::default();
    for patch in &rejected {
        decided.facts.push(Fact::PatchMoved { patch: (*patch).clone(), place: Place::TakenOut });
    }
    decided
        .facts
        .push(revised(asked, id, bundle, |_, patch| patch.place == Place::Beta && !is_rejected(patch)));
    // R7: nobody waits for the test of what is gone.
    for (number, task) in asked.state.tasks_of(&Subject::Bundle(id.clone())) {
        let is_about = task.patches.iter().any(|patch| rejected.contains(patch));
        if task.work == Work::Rollout && task.progress.is_open() && is_about {
            let why =
                format!("{} was rejected", listed(task.patches.iter().filter(|one| rejected.contains(one))));
            decided
                .notices
                .push(notice(Part::Team(task.team.clone()), format!("task {number} is closed: {why}")));
            decided.facts.push(Fact::TaskClosed { task: number, why });
        }
    }
    decided.sentence = format!(
        "bundle `{id}` is rolled back: {} of {} left `{}`",
        count(items.len(), "package"),
        listed(&rejected),
        asked.rules.beta
    );
    decided.notices.insert(0, notice(Part::Operations, decided.sentence.clone()));
    decided.moves = Some(Moves::Back { stage: asked.rules.beta.clone(), items });
    Ok(decided)
}
