//! Updates: prepared, approved, put on line (G11 to G18, P1).

use std::collections::BTreeSet;

use crate::completeness::differences;
use crate::content::Item;
use crate::decide::patch::is_tested;
use crate::decide::{Asked, Decided, Moves, listed, missing, notice};
use crate::fact::Fact;
use crate::names::Id;
use crate::naming::Priority;
use crate::patch::{Place, Status};
use crate::refusal::{Code, Refusal};
use crate::role::Part;
use crate::task::{Progress, Work};
use crate::update::{Readiness, Update};

pub(super) fn prepare(
    asked: &Asked<'_>,
    number: u32,
    patches: &BTreeSet<Id>,
    priority: Priority,
    partial: bool,
) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam], "to prepare an update")?;
    let patches = chosen(asked, number, patches)?;
    let (_, notes) = moves(asked, number, &patches, partial)?;
    let Some(plan) = asked.plan else {
        return Err(Refusal::new(Code::OtherPlan, "nobody worked out what publishing it would do"));
    };
    if let Some(known) = asked.state.updates.get(&number) {
        let is_same = (&known.patches, known.plan, known.priority, known.partial)
            == (&patches, plan, priority, partial);
        if is_same {
            return Ok(Decided::default());
        }
    }
    let sentence =
        format!("update {number} is prepared of {}: its plan is `{}`", listed(&patches), plan.hex());
    let facts = vec![Fact::UpdatePrepared { update: number, patches, priority, plan, partial }];
    let notices = vec![notice(Part::Operations, sentence.clone())];
    Ok(Decided { facts, notices, notes, sentence, ..Decided::default() })
}

/// The patches that somebody named, or all that are ready and belong to no other update.
pub(super) fn chosen(
    asked: &Asked<'_>,
    number: u32,
    patches: &BTreeSet<Id>,
) -> Result<BTreeSet<Id>, Refusal> {
    if let Some(update) = asked.state.updates.get(&number).filter(|one| one.readiness == Readiness::Published)
    {
        let sentence = format!("update {number} is published, with {}", listed(&update.patches));
        return Err(Refusal::new(Code::UpdateTaken, sentence));
    }
    if asked.state.archived.updates.contains(&number) {
        return Err(is_published(number));
    }
    let all = asked.state.patches.iter().filter(|(id, patch)| match patches.is_empty() {
        true => {
            patch.status == Status::ReadyForProduction && patch.update.is_none_or(|other| other == number)
        }
        false => patches.contains(*id),
    });
    let chosen: BTreeSet<Id> = all.map(|(id, _)| id.clone()).collect();
    if let Some(unknown) = patches.iter().find(|id| !chosen.contains(id)) {
        return Err(Refusal::new(Code::NoSuchPatch, format!("there is no patch `{unknown}`")));
    }
    match chosen.is_empty() {
        true => Err(Refusal::new(Code::WrongState, "no patch is ready for production")),
        false => Ok(chosen),
    }
}

/// What publishing patches does, or why they cannot be.
fn moves(
    asked: &Asked<'_>,
    number: u32,
    patches: &BTreeSet<Id>,
    partial: bool,
) -> Result<(Moves, Vec<String>), Refusal> {
    let mut notes = Vec::new();
    let mut items: BTreeSet<Item> = BTreeSet::new();
    let mut bundles = BTreeSet::new();
    for id in patches {
        let patch = asked.patch(id)?;
        if patch.status != Status::ReadyForProduction {
            let sentence = format!("patch `{id}` is {}, not ready for production", patch.status);
            return Err(Refusal::new(Code::WrongState, sentence));
        }
        if let Some(other) = patch.update.filter(|other| *other != number) {
            return Err(Refusal::new(Code::WrongState, format!("patch `{id}` belongs to update {other}")));
        }
        // Something may have failed since operations looked.
        notes.extend(is_tested(asked, id, patch)?);
        items.extend(patch.items.iter().cloned());
        bundles.extend(patch.bundle.clone());
    }
    let lists = |item: &Item| (asked.lists)(&asked.rules.beta, item);
    let wanted = [Status::RollingOut, Status::ReadyForProduction];
    let mut differ = Vec::new();
    let mut behind = Vec::new();
    for id in &bundles {
        let bundle = asked.bundle(id)?;
        asked.goes_on(id, bundle)?;
        differ.extend(differences(asked.state, id, bundle, &wanted, &lists));
        let stays = asked
            .state
            .patches_of(bundle)
            .filter(|(one, patch)| patch.place == Place::Beta && !patches.contains(one));
        behind
            .extend(stays.map(|(one, patch)| format!("patch `{one}` of bundle `{id}` is {}", patch.status)));
    }
    if !differ.is_empty() {
        let sentence = format!("what update {number} is made of is not complete");
        return Err(Refusal::new(Code::Incomplete, sentence).reasons(differ));
    }
    if !behind.is_empty() && !partial {
        let sentence = format!("update {number} leaves patches of the same bundles behind");
        return Err(Refusal::new(Code::LeavesPatchesBehind, sentence)
            .reasons(behind)
            .hint("say `partial = true`, which builds meta-packages for production anew, or wait for them"));
    }
    let moves = Moves::Forward {
        from: asked.rules.beta.clone(),
        to: asked.rules.production.clone(),
        items,
        partial: !behind.is_empty(),
        name: Some(Update::name(number)),
    };
    Ok((moves, notes))
}

fn update<'a>(asked: &Asked<'a>, number: u32) -> Result<&'a Update, Refusal> {
    let is_archived = asked.state.archived.updates.contains(&number);
    let refused = || missing(Code::NoSuchUpdate, &format!("update {number}"), is_archived);
    asked.state.updates.get(&number).ok_or_else(refused)
}

fn is_published(number: u32) -> Refusal {
    Refusal::new(Code::UpdateTaken, format!("update {number} is published already"))
}

pub(super) fn ready(asked: &Asked<'_>, number: u32) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam], "to say that release notes are ready")?;
    let update = update(asked, number)?;
    match update.readiness {
        Readiness::Prepared => {}
        Readiness::Ready | Readiness::Approved => return Ok(Decided::default()),
        Readiness::Published => return Err(is_published(number)),
    }
    let plan = update.plan.hex();
    let sentence = format!("the release notes of update {number} are ready: please look at plan `{plan}`");
    let notices = vec![notice(Part::Operations, sentence.clone())];
    Ok(Decided { facts: vec![Fact::UpdateReady { update: number }], notices, sentence, ..Decided::default() })
}

pub(super) fn approve(asked: &Asked<'_>, number: u32) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::Operations], "to approve of an update")?;
    let update = update(asked, number)?;
    if asked.plan != Some(update.plan) {
        let sentence = format!("the plan of update {number} is `{}`", update.plan.hex());
        return Err(
            Refusal::new(Code::OtherPlan, sentence).hint("approve of it with `plan`, once you looked at it")
        );
    }
    match update.readiness {
        Readiness::Prepared => {
            let sentence =
                format!("the release team has not said that the notes of update {number} are ready");
            return Err(Refusal::new(Code::NotReady, sentence));
        }
        Readiness::Ready => {}
        Readiness::Approved => return Ok(Decided::default()),
        Readiness::Published => return Err(is_published(number)),
    }
    let sentence = format!("operations approve of update {number}");
    let notices = vec![notice(Part::ReleaseTeam, sentence.clone())];
    Ok(Decided {
        facts: vec![Fact::UpdateApproved { update: number }],
        notices,
        sentence,
        ..Decided::default()
    })
}

pub(super) fn publish(asked: &Asked<'_>, number: u32) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam], "to publish an update")?;
    let update = update(asked, number)?;
    match update.readiness {
        Readiness::Prepared | Readiness::Ready => {
            let sentence = format!("operations did not approve of update {number}");
            return Err(Refusal::new(Code::NotApproved, sentence));
        }
        Readiness::Approved => {}
        Readiness::Published => return Err(is_published(number)),
    }
    publishing(asked, number, (&update.patches, update.priority), update.partial)
}

/// What happens when patches enter production.
pub(super) fn publishing(
    asked: &Asked<'_>,
    number: u32,
    (patches, priority): (&BTreeSet<Id>, Priority),
    partial: bool,
) -> Result<Decided, Refusal> {
    let (moves, notes) = moves(asked, number, patches, partial)?;
    let mut facts = Vec::new();
    for patch in patches {
        facts.push(Fact::PatchSet { patch: patch.clone(), status: Status::Released });
        facts.push(Fact::PatchMoved { patch: patch.clone(), place: Place::Production });
    }
    facts.push(Fact::UpdatePublished { update: number, priority });
    let sentence = format!("update {number} is on line: {}", listed(patches));
    Ok(Decided { facts, moves: Some(moves), notes, sentence, ..Decided::default() })
}

pub(super) fn drop_update(asked: &Asked<'_>, number: u32) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::ReleaseTeam], "to give up an update")?;
    let update = update(asked, number)?;
    if update.readiness == Readiness::Published {
        return Err(is_published(number));
    }
    let patches = update.patches.clone();
    let sentence = format!("update {number} is given up, and {} belong to none any more", listed(&patches));
    let notices = vec![notice(Part::Operations, sentence.clone())];
    let facts = vec![Fact::UpdateDropped { update: number, patches }];
    Ok(Decided { facts, notices, sentence, ..Decided::default() })
}

pub(super) fn reports(asked: &Asked<'_>, number: u32) -> Result<Decided, Refusal> {
    asked.must_be(&[Part::Operations], "to publish task reports")?;
    let update = update(asked, number)?;
    if update.readiness != Readiness::Published {
        let sentence = format!("update {number} is not published, and reports are shown of what is");
        return Err(Refusal::new(Code::WrongState, sentence));
    }
    let about = asked.state.tasks.iter().filter(|(_, task)| {
        let is_hidden = task.work == Work::Rollout && task.progress == Progress::Done && !task.is_published;
        is_hidden && !task.patches.is_disjoint(&update.patches)
    });
    let tasks: BTreeSet<u32> = about.map(|(number, _)| *number).collect();
    if tasks.is_empty() {
        return Ok(Decided::default());
    }
    let sentence = format!("everybody sees how the tests of update {number} went: tasks {}", listed(&tasks));
    Ok(Decided { facts: vec![Fact::TasksPublished { tasks }], sentence, ..Decided::default() })
}
