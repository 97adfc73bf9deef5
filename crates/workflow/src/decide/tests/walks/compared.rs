//! What differs between the state machine and the model.

use super::super::model::World;
use super::super::*;
use super::translated::{content, instant};

/// The first thing that differs, if anything does.
pub fn difference(site: &Site, world: &World, items: &BTreeMap<&str, Item>) -> Option<String> {
    let unknown = State::default();
    let state = site.workflow.products.get(PRODUCT).unwrap_or(&unknown);
    patches(state, world)
        .or_else(|| bundles(state, world))
        .or_else(|| tasks(state, world))
        .or_else(|| updates(state, world))
        .or_else(|| stages(site, world, items))
        .or_else(|| {
            let debts: Vec<_> =
                crate::debts(state).into_iter().map(|(id, update)| (id.to_string(), update)).collect();
            differ("the debts", debts, world.debts())
        })
        .or_else(|| {
            let teams = state.teams.iter();
            let teams: BTreeMap<_, _> =
                teams.map(|(name, team)| (name.to_string(), team.node_types.clone())).collect();
            differ("the teams", teams, world.teams.clone())
        })
}

fn differ<T: PartialEq + std::fmt::Debug>(what: &str, ours: T, model: T) -> Option<String> {
    (ours != model).then(|| format!("{what}: {ours:?}, and by the model {model:?}"))
}

fn same(mut ours: impl Iterator<Item = impl AsRef<str>>, model: &BTreeSet<String>) -> bool {
    let mut wanted = model.iter();
    ours.by_ref().all(|one| wanted.next().is_some_and(|text| text == one.as_ref())) && wanted.next().is_none()
}

fn patches(state: &State, world: &World) -> Option<String> {
    if !state.patches.keys().map(Id::as_str).eq(world.patches.keys()) {
        return Some("other patches".into());
    }
    state.patches.values().zip(&world.patches).find_map(|(ours, (id, model))| {
        let place = match ours.place {
            Place::Before => "before",
            Place::Beta => "delta",
            Place::Production => "production",
            Place::TakenOut => "out",
        };
        let comments = ours.history.iter().filter(|step| step.what.starts_with("says:")).count();
        let patch = format!("patch {id}");
        differ(&patch, (ours.status.as_str(), place), (model.status, model.place))
            .or_else(|| differ(&patch, ours.bundle.as_ref().map(Id::as_str), model.bundle.as_deref()))
            .or_else(|| differ(&patch, (ours.update, comments), (model.update, model.comments)))
            .or_else(|| differ(&patch, &ours.node_types, &model.node_types))
            .or_else(|| {
                let names: BTreeSet<String> = ours.items.iter().map(|one| one.nevra.to_string()).collect();
                differ(&patch, &names, &model.packages)
            })
    })
}

fn bundles(state: &State, world: &World) -> Option<String> {
    if !state.bundles.keys().map(Id::as_str).eq(world.bundles.keys()) {
        return Some("other bundles".into());
    }
    state.bundles.values().zip(&world.bundles).find_map(|(ours, (id, model))| {
        let bundle = format!("bundle {id}");
        let deployed = ours.revisions.last().map(|revision| revision.deployed);
        if !same(ours.patches.iter().map(Id::as_str), &model.patches) {
            return Some(format!("{bundle}: {:?}, and by the model {:?}", ours.patches, model.patches));
        }
        // What reports are bound to is what lies there.
        let stale = ours.revisions.last().is_some_and(|one| one.content != ours.content(&state.patches));
        let moved = model.patches.iter().any(|id| world.patches[id].place == "production");
        differ(&bundle, (ours.is_urgent, &ours.held), (model.urgent, &model.held))
            .or_else(|| differ(&bundle, deployed, model.deployed.map(instant)))
            .or_else(|| differ(&bundle, ours.revisions.len(), model.revisions))
            .or_else(|| differ(&bundle, stale && !moved, false))
    })
}

fn tasks(state: &State, world: &World) -> Option<String> {
    if !state.tasks.keys().eq(world.tasks.keys()) {
        return Some("other tasks".into());
    }
    state.tasks.values().zip(&world.tasks).find_map(|(ours, (number, model))| {
        let task = format!("task {number}");
        let comments = ours.history.iter().filter(|step| step.what.starts_with("says:")).count();
        let outcome = ours.outcome.map(|one| one.to_string().to_lowercase());
        let reminded: BTreeSet<&str> = ours
            .reminded
            .iter()
            .map(|of| match of {
                Reminder::AnswerOverdue => "answer",
                Reminder::DoneOverdue => "done",
            })
            .collect();
        let shown: Vec<bool> = ours.evidence.iter().map(|shown| shown.differs.is_empty()).collect();
        let downtime = ours.downtime.map(|one| (one.from, one.until));
        if !same(ours.patches.iter().map(Id::as_str), &model.contents.keys().cloned().collect()) {
            return Some(format!("{task}: {:?}, and by the model {:?}", ours.patches, model.contents));
        }
        differ(&task, (ours.progress.as_str(), outcome.as_deref()), (model.progress, model.outcome))
            .or_else(|| differ(&task, ours.subject.bundle().map(Id::as_str), Some(&*model.bundle)))
            .or_else(|| {
                differ(&task, (ours.team.as_str(), &ours.node_types), (&model.team, &model.node_types))
            })
            .or_else(|| differ(&task, ours.work == Work::Rollback, model.back))
            .or_else(|| differ(&task, ours.answer_by, instant(model.answer_by)))
            .or_else(|| differ(&task, ours.quarantine.as_hours(), model.quarantine))
            .or_else(|| differ(&task, ours.begun, model.begun.map(instant)))
            .or_else(|| differ(&task, (&ours.tickets, &shown), (&model.tickets, &model.shown)))
            .or_else(|| differ(&task, (ours.is_published, comments), (model.published, model.comments)))
            .or_else(|| differ(&task, &reminded, &model.reminded))
            .or_else(|| {
                differ(&task, downtime, model.downtime.map(|(from, until)| (instant(from), instant(until))))
            })
            .or_else(|| match comments == 0 && ours.history.len() == 1 {
                // Once is enough, and it never changes.
                true => differ(&task, ours.content, content(&model.contents)),
                false => None,
            })
    })
}

fn updates(state: &State, world: &World) -> Option<String> {
    if !state.updates.keys().eq(world.updates.keys()) {
        return Some("other updates".into());
    }
    state.updates.values().zip(&world.updates).find_map(|(ours, (number, model))| {
        let update = format!("update {number}");
        let readiness = match ours.readiness {
            crate::Readiness::Prepared => "prepared",
            crate::Readiness::Ready => "ready",
            crate::Readiness::Approved => "approved",
            crate::Readiness::Published => "published",
        };
        let priority = if ours.priority == Priority::Urgent { "urgent" } else { "normal" };
        if !same(ours.patches.iter().map(Id::as_str), &model.patches) {
            return Some(format!("{update}: {:?}, and by the model {:?}", ours.patches, model.patches));
        }
        differ(&update, (readiness, priority, ours.partial), (model.readiness, model.priority, model.partial))
            .or_else(|| differ(&update, ours.plan, Sha256::from([model.plan; 32])))
    })
}

fn stages(site: &Site, world: &World, items: &BTreeMap<&str, Item>) -> Option<String> {
    ["certified", "delta", "production"].into_iter().find_map(|stage| {
        let (ours, none) = (site.stages.get(stage), BTreeSet::new());
        let model = world.stages.get(stage).unwrap_or(&none);
        let is_same = ours.map_or(0, BTreeSet::len) == model.len()
            && model.iter().all(|one| ours.is_some_and(|listed| listed.contains(&items[&**one])));
        (!is_same).then(|| format!("{stage}: {ours:?}, and by the model {model:?}"))
    })
}
