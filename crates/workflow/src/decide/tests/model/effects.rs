//! What the steps of the model bring about, and when nothing is left to do. The standard library and nothing else.

mod conditions;

pub use conditions::*;

/// How long a site runs what it got, in days (set up so for the walks): G8, the urgent lane, R7.
const QUARANTINES: [i64; 3] = [7, 1, 3];

pub fn never(_: &World, _: &Request) -> bool {
    false
}

pub fn same_team(w: &World, r: &Request) -> bool {
    r.teams.iter().all(|team| w.teams.get(team) == Some(&r.node_types))
}

pub fn enter_team(w: &mut World, r: &Request) {
    w.teams.extend(r.teams.iter().map(|team| (team.clone(), r.node_types.clone())));
}

pub fn drop_team(w: &mut World, r: &Request) {
    w.teams.retain(|team, _| !r.teams.contains(team));
}

pub fn register(w: &mut World, r: &Request) {
    let patch = Patch {
        status: "registered",
        packages: r.packages.clone(),
        node_types: &r.node_types | &w.pinning(&r.packages),
        bundle: None,
        update: None,
        place: "before",
        over: None,
        comments: 0,
    };
    w.patches.extend(r.patches.iter().map(|id| (id.clone(), patch.clone())));
}

pub fn same_packages(w: &World, r: &Request) -> bool {
    w.all_patches(r, |one| one.packages == r.packages)
}

pub fn change_packages(w: &mut World, r: &Request) {
    let pinning = w.pinning(&r.packages);
    for patch in w.patches.iter_mut().filter(|(id, _)| r.patches.contains(*id)).map(|(_, one)| one) {
        patch.packages.clone_from(&r.packages);
        patch.node_types.extend(pinning.iter().cloned());
        patch.status = "registered";
    }
}

pub fn comment_patch(w: &mut World, r: &Request) {
    w.patches.iter_mut().filter(|(id, _)| r.patches.contains(*id)).for_each(|(_, one)| one.comments += 1);
}

/// G1, G2, G10, R1: the patches that are not there yet.
pub fn set_status(w: &mut World, r: &Request) {
    for (_, patch) in w.patches.iter_mut().filter(|(id, _)| r.patches.contains(*id)) {
        if patch.status != r.status && r.status == "rejected" && patch.place == "before" {
            // Nobody else need wait for it (a choice of ours).
            patch.bundle = None;
        }
        if patch.status != r.status {
            patch.over = is_final(r.status).then_some(w.witnessed);
        }
        patch.status = r.status;
    }
    gather(w);
}

/// Makes the lists of the bundles what the patches say.
fn gather(w: &mut World) {
    for (id, bundle) in &mut w.bundles {
        let of_it = w.patches.iter().filter(|(_, one)| one.bundle.as_ref() == Some(id));
        bundle.patches = of_it.map(|(patch, _)| patch.clone()).collect();
    }
}

pub fn create_bundle(w: &mut World, r: &Request) {
    w.bundles.insert(r.bundle.clone(), Bundle { urgent: r.urgent, ..Bundle::default() });
    join_bundle(w, r);
}

pub fn none_joins(w: &World, r: &Request) -> bool {
    w.all_patches(r, |one| one.bundle.as_ref() == Some(&r.bundle))
}

pub fn join_bundle(w: &mut World, r: &Request) {
    let joins = w.patches.iter_mut().filter(|(id, _)| r.patches.contains(*id));
    joins.for_each(|(_, one)| one.bundle = Some(r.bundle.clone()));
    gather(w);
}

pub fn none_leaves(w: &World, r: &Request) -> bool {
    w.all_patches(r, |one| one.bundle.as_ref() != Some(&r.bundle))
}

pub fn leave_bundle(w: &mut World, r: &Request) {
    let all = w.patches.iter_mut().filter(|(id, _)| r.patches.contains(*id)).map(|(_, one)| one);
    all.filter(|one| one.bundle.as_ref() == Some(&r.bundle)).for_each(|one| one.bundle = None);
    gather(w);
}

pub fn nothing_waits(w: &World, r: &Request) -> bool {
    w.waiting(&r.bundle).next().is_none()
}

/// G4 to G6, in one instant.
pub fn deploy(w: &mut World, r: &Request) {
    let now = w.witnessed;
    let waiting: Words = w.waiting(&r.bundle).map(|(id, _)| id.clone()).collect();
    for (_, patch) in w.patches.iter_mut().filter(|(id, _)| waiting.contains(*id)) {
        (patch.status, patch.place) = ("rolling-out", "delta");
        carry(&mut w.stages, &patch.packages, "certified", "delta");
    }
    if let Some(bundle) = w.bundles.get_mut(&r.bundle) {
        bundle.deployed = Some(now);
        bundle.revisions += 1;
    }
}

type Stages = std::collections::BTreeMap<&'static str, Words>;

fn carry(stages: &mut Stages, packages: &Words, from: &'static str, to: &'static str) {
    stages.entry(from).or_default().retain(|one| !packages.contains(one));
    stages.entry(to).or_default().extend(packages.iter().cloned());
}

pub fn held_for_that(w: &World, r: &Request) -> bool {
    w.bundle_is(r, |bundle| bundle.held.as_deref() == Some(r.reason.trim()))
}

pub fn hold(w: &mut World, r: &Request) {
    w.bundles.get_mut(&r.bundle).into_iter().for_each(|one| one.held = Some(r.reason.trim().to_owned()));
}

pub fn let_go_on(w: &mut World, r: &Request) {
    w.bundles.get_mut(&r.bundle).into_iter().for_each(|one| one.held = None);
}

/// R2 to R4; the open tests of what is gone end with it (R7). Mirrors have to show what is left again.
pub fn roll_back(w: &mut World, r: &Request) {
    let now = w.witnessed;
    let mut gone = Words::new();
    for (id, patch) in w.patches.iter_mut().filter(|(_, one)| one.bundle.as_ref() == Some(&r.bundle)) {
        if patch.place == "delta" && patch.status == "rejected" {
            patch.place = "out";
            w.stages.entry("delta").or_default().retain(|one| !patch.packages.contains(one));
            gone.insert(id.clone());
        }
    }
    let tests = w.tasks.values_mut().filter(|task| !task.back && task.bundle == r.bundle && is_open(task));
    tests
        .filter(|task| task.contents.keys().any(|id| gone.contains(id)))
        .for_each(|task| task.progress = "closed");
    if let Some(bundle) = w.bundles.get_mut(&r.bundle) {
        bundle.deployed = Some(now);
        bundle.revisions += 1;
    }
}

pub fn assign(w: &mut World, r: &Request) {
    let back = r.word == "task-assign-back";
    let urgent = !w.bundle_is(r, |bundle| !bundle.urgent);
    let [usual, soon, going_back] = QUARANTINES;
    let days = match r.days {
        Some(days) => i64::from(days),
        None if back => going_back,
        None if urgent => soon,
        None => usual,
    };
    for team in &r.teams {
        let Some((node_types, patches)) = w.share(r, team) else { continue };
        let task = Task {
            back,
            bundle: r.bundle.clone(),
            contents: w.contents(&patches),
            team: team.clone(),
            node_types,
            progress: "assigned",
            outcome: None,
            answer_by: w.answer_by(),
            quarantine: days * DAY,
            begun: None,
            shown: Vec::new(),
            tickets: Words::new(),
            downtime: None,
            published: false,
            reminded: Default::default(),
            comments: 0,
        };
        let number = w.tasks.keys().next_back().copied().unwrap_or(0).max(w.last_task) + 1;
        w.tasks.insert(number, task);
    }
}

fn on_task(w: &mut World, r: &Request, change: impl FnOnce(&mut Task)) {
    w.tasks.get_mut(&r.task).map(change);
}

pub fn accept(w: &mut World, r: &Request) {
    on_task(w, r, |task| task.progress = "accepted");
}

pub fn decline(w: &mut World, r: &Request) {
    on_task(w, r, |task| task.progress = "declined");
}

pub fn says_nothing_new(w: &World, r: &Request) -> bool {
    w.task_is(r, |task| {
        (task.progress, task.outcome) == ("in-progress", Some(r.outcome))
            && r.tickets.is_subset(&task.tickets)
    })
}

pub fn start(w: &mut World, r: &Request) {
    let now = w.witnessed;
    on_task(w, r, |task| {
        task.begun.get_or_insert(now);
        (task.progress, task.outcome) = ("in-progress", Some(r.outcome));
        task.tickets.extend(r.tickets.iter().cloned());
    });
}

pub fn finish(w: &mut World, r: &Request) {
    on_task(w, r, |task| {
        (task.progress, task.outcome) = ("done", Some(r.outcome));
        task.tickets.extend(r.tickets.iter().cloned());
    });
}

pub fn comment_task(w: &mut World, r: &Request) {
    on_task(w, r, |task| task.comments += 1);
}

pub fn extend(w: &mut World, r: &Request) {
    on_task(w, r, |task| {
        task.quarantine += r.days.map_or(0, i64::from) * DAY;
        // What is over later is told when it is.
        task.reminded.remove("done");
    });
}

pub fn same_downtime(w: &World, r: &Request) -> bool {
    w.task_is(r, |task| task.downtime == Some((r.from, r.until)))
}

pub fn announce_downtime(w: &mut World, r: &Request) {
    on_task(w, r, |task| task.downtime = Some((r.from, r.until)));
}

pub fn close(w: &mut World, r: &Request) {
    on_task(w, r, |task| task.progress = "closed");
}

fn update_of(w: &World, r: &Request) -> Update {
    Update {
        patches: w.chosen(r),
        priority: r.priority,
        readiness: "prepared",
        partial: r.word == "release-partial",
        plan: r.plan.unwrap_or_default(),
    }
}

pub fn same_update(w: &World, r: &Request) -> bool {
    let asked = update_of(w, r);
    w.updates.get(&r.update).is_some_and(|one| Update { readiness: "prepared", ..one.clone() } == asked)
}

pub fn prepare(w: &mut World, r: &Request) {
    let update = update_of(w, r);
    for (id, patch) in &mut w.patches {
        if update.patches.contains(id) {
            patch.update = Some(r.update);
        } else if patch.update == Some(r.update) {
            patch.update = None;
        }
    }
    w.updates.insert(r.update, update);
}

pub fn already_ready(w: &World, r: &Request) -> bool {
    w.update_is(r, |update| update.readiness != "prepared")
}

pub fn already_approved(w: &World, r: &Request) -> bool {
    w.update_is(r, |update| update.readiness == "approved")
}

pub fn ready(w: &mut World, r: &Request) {
    w.updates.get_mut(&r.update).into_iter().for_each(|one| one.readiness = "ready");
}

pub fn approve(w: &mut World, r: &Request) {
    w.updates.get_mut(&r.update).into_iter().for_each(|one| one.readiness = "approved");
}

pub fn drop_update(w: &mut World, r: &Request) {
    w.updates.remove(&r.update);
    w.patches.values_mut().filter(|one| one.update == Some(r.update)).for_each(|one| one.update = None);
}

/// G13 and G18, in one instant.
pub fn publish(w: &mut World, r: &Request) {
    let chosen = w.chosen(r);
    for (_, patch) in w.patches.iter_mut().filter(|(id, _)| chosen.contains(*id)) {
        (patch.status, patch.place) = ("released", "production");
        patch.over = Some(w.witnessed);
        carry(&mut w.stages, &patch.packages, "delta", "production");
    }
    w.updates.get_mut(&r.update).into_iter().for_each(|one| one.readiness = "published");
}

fn is_hidden(w: &World, r: &Request, task: &Task) -> bool {
    let about = |update: &Update| task.contents.keys().any(|id| update.patches.contains(id));
    !task.back && task.progress == "done" && !task.published && w.updates.get(&r.update).is_some_and(about)
}

pub fn nothing_is_hidden(w: &World, r: &Request) -> bool {
    !w.tasks.values().any(|task| is_hidden(w, r, task))
}

pub fn show_reports(w: &mut World, r: &Request) {
    let hidden: Vec<u32> =
        w.tasks.iter().filter(|(_, task)| is_hidden(w, r, task)).map(|(number, _)| *number).collect();
    let shown = w.tasks.iter_mut().filter(|(number, _)| hidden.contains(number));
    shown.for_each(|(_, task)| task.published = true);
}

pub fn nobody_is_late(w: &World, _: &Request) -> bool {
    !w.tasks.values().any(|task| w.late(task).is_some())
}

pub fn remind(w: &mut World, _: &Request) {
    let late: Vec<_> = w.tasks.iter().filter_map(|(number, task)| Some((*number, w.late(task)?))).collect();
    for (number, of) in late {
        w.tasks.get_mut(&number).map(|task| task.reminded.insert(of));
    }
}

pub fn nothing_rests(w: &World, _: &Request) -> bool {
    let (bundles, patches, updates) = w.resting();
    bundles.is_empty() && patches.is_empty() && updates.is_empty()
}

/// What rests is laid aside, bundles with their tasks; no id and no number comes again.
pub fn lay_aside(w: &mut World, _: &Request) {
    let (bundles, patches, updates) = w.resting();
    let tasks: Vec<u32> = w
        .tasks
        .iter()
        .filter(|(_, task)| bundles.contains(&task.bundle))
        .map(|(number, _)| *number)
        .collect();
    w.last_task = tasks.iter().copied().fold(w.last_task, u32::max);
    w.tasks.retain(|number, _| !tasks.contains(number));
    w.bundles.retain(|id, _| !bundles.contains(id));
    w.patches.retain(|id, _| !patches.contains(id));
    w.updates.retain(|number, _| !updates.contains(number));
    w.archive.entry("bundle").or_default().extend(bundles);
    w.archive.entry("patch").or_default().extend(patches);
    w.archive.entry("update").or_default().extend(updates.iter().map(u32::to_string));
}

/// What a site shows of what it has installed arrives beside the requests.
pub fn evidence(w: &mut World, number: u32, fits: bool) {
    let now = w.witnessed;
    if let Some(task) = w.tasks.get_mut(&number) {
        if fits && !task.shown.contains(&true) {
            task.begun = Some(now);
        }
        task.shown.push(fits);
    }
}
