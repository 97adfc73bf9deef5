//! The requests of a walk: sensible next steps, near misses, and what nobody in their senses would ask.

use std::collections::BTreeSet;
use std::mem::take;

use fastrand::Rng;

use super::super::model::{Request, Task, Verdict, WAYS, Words, World, is_open, judge, vocabulary};
use super::Step;

pub const TEAMS: [&str; 4] = ["ea-CZ-FZU", "ea-IT-CNAF", "ea-UK-RAL", "ea-XX-Nowhere"];
const ACTORS: [&str; 8] = ["mu", "ou", "verifier", "ea-CZ-FZU", "ea-IT-CNAF", "ea-UK-RAL", "nobody", "clock"];
const PATCHES: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
const BUNDLES: [&str; 3] = ["b1", "b2", "b3"];
const NODE_TYPES: [&str; 3] = ["CE", "UI", "WMS"];
const OUTCOMES: [&str; 6] = ["success", "success", "success", "warning", "warning", "fail"];
pub const PACKAGES: [&str; 9] = [
    "voms-1-1.x86_64",
    "wms-1-1.x86_64",
    "cream-1-1.x86_64",
    "gfal-1-1.x86_64",
    "lcg-1-1.x86_64",
    "dpm-1-1.x86_64",
    "voms-1-2.x86_64",
    "wms-1-2.x86_64",
    "dpm-1-2.x86_64",
];
const STATUSES: [&str; 7] = [
    "verified",
    "ready-for-rollout",
    "ready-for-production",
    "rejected",
    "rolling-out",
    "released",
    "registered",
];

/// What the steps of a release are asked for more often than the others.
const MAIN: [&str; 28] = [
    "patch-add",
    "patch-add",
    "patch-status",
    "patch-status",
    "patch-status",
    "patch-status",
    "bundle-create",
    "bundle-deploy",
    "bundle-deploy",
    "task-assign",
    "task-assign",
    "task-start",
    "task-start",
    "task-done",
    "task-done",
    "task-done",
    "release-prepare",
    "release-prepare",
    "release-partial",
    "release-ready",
    "release-approve",
    "release-publish",
    "release-publish",
    "release-drop",
    "release-reports",
    "bundle-rollback",
    "task-assign-back",
    "bundle-continue",
];

fn one<T: Clone>(random: &mut Rng, all: &[T]) -> Option<T> {
    random.choice(all).cloned()
}

fn words(all: impl IntoIterator<Item = impl ToString>) -> Words {
    all.into_iter().map(|one| one.to_string()).collect()
}

/// Some of them, or mostly all.
fn some(random: &mut Rng, all: &[String]) -> Words {
    let share = if random.u8(..3) == 0 { 2 } else { 20 };
    all.iter().filter(|_| random.u8(..share) != 0).cloned().collect()
}

/// What leads further, the furthest last; anything else leads nowhere.
const FURTHER: [&str; 11] = [
    "bundle-continue",
    "bundle-deploy",
    "task-assign",
    "task-start",
    "task-assign-back",
    "task-done",
    "release-prepare",
    "release-ready",
    "release-approve",
    "release-publish",
    "release-reports",
];

/// A step that the model would take, rather one that leads further, or time that passes because there is none.
pub fn guided(random: &mut Rng, world: &World) -> Step {
    let runs = world.tasks.values().any(|task| task.progress == "in-progress");
    if runs && random.u8(..4) == 0 {
        return Step::Pass(one(random, &[24, 72, 168]).unwrap());
    }
    let mut best = None;
    let wanted = random.usize(1..5);
    let mut found = 0;
    for _ in 0..16 {
        let word = usual(random);
        let request = sensible(random, world, word);
        if !matches!(judge(world, &request), Verdict::Happens(..)) {
            continue;
        }
        let begun = request.word == "task-start" && world.tasks[&request.task].progress == "in-progress";
        let ready = request.status == "ready-for-production";
        let word = if ready { "task-done" } else { request.word };
        let rank = FURTHER.iter().position(|one| *one == word && !begun);
        if best.as_ref().is_none_or(|(before, _)| rank > *before) {
            best = Some((rank, request));
        }
        found += 1;
        if found == wanted {
            break;
        }
    }
    best.map_or_else(|| Step::Pass(random.i64(1..48)), |(_, request)| Step::Ask(Box::new(request)))
}

/// A sensible step with one thing that does not belong there, perhaps.
pub fn near_miss(random: &mut Rng, world: &World) -> Request {
    let word = if random.bool() { usual(random) } else { one(random, &FURTHER).unwrap() };
    let mut request = sensible(random, world, word);
    let other = anything(random, world);
    match random.u8(..10) {
        0 | 1 => request.who = other.who,
        2 => request.patches = other.patches,
        3 => request.bundle = other.bundle,
        4 => request.teams = if request.word.starts_with("team-") { other.teams } else { Words::new() },
        5 => (request.days, request.reason) = (other.days, other.reason),
        6 => (request.plan, request.made_for, request.outcome) = (other.plan, other.made_for, other.outcome),
        7 => (request.packages, request.node_types) = (other.packages, other.node_types),
        _ => {}
    }
    whole(random, request)
}

/// Anything.
pub fn wild(random: &mut Rng, world: &World) -> Request {
    let word = one(random, &vocabulary()).unwrap();
    let request = Request { word, ..anything(random, world) };
    whole(random, request)
}

fn anything(random: &mut Rng, world: &World) -> Request {
    // Now and then something that there is not.
    let unknown = random.u8(..8) == 0;
    let known: Vec<&str> = world.patches.keys().map(String::as_str).collect();
    let all = if unknown || known.is_empty() { &PATCHES[..] } else { &known[..] };
    let all: Vec<String> = all.iter().map(|id| (*id).to_owned()).collect();
    let known: Vec<&str> = world.bundles.keys().map(String::as_str).collect();
    let bundles = if unknown || known.is_empty() { &BUNDLES[..] } else { &known[..] };
    let known: Vec<u32> = world.updates.keys().copied().collect();
    let updates = if unknown || known.is_empty() { &[1, 2, 3][..] } else { &known[..] };
    let number = world.tasks.len().max(1) as u32 + u32::from(unknown);
    Request {
        who: one(random, &ACTORS).map(str::to_owned).unwrap(),
        word: "",
        patches: some(random, &all).into_iter().take(random.usize(..3)).collect(),
        bundle: one(random, bundles).unwrap().to_owned(),
        teams: words(one(random, &TEAMS)),
        node_types: words(one(random, &NODE_TYPES).filter(|_| random.bool())),
        packages: words(one(random, &PACKAGES).filter(|_| random.u8(..4) > 0)),
        tickets: words(one(random, &["GGUS-1", "BUG-2"]).filter(|_| random.bool())),
        status: one(random, &STATUSES).unwrap(),
        outcome: one(random, &OUTCOMES).unwrap(),
        priority: one(random, &["normal", "urgent"]).unwrap(),
        reason: one(random, &["because", "it is broken", " "]).unwrap(),
        urgent: random.u8(..4) == 0,
        task: random.u32(1..=number),
        update: one(random, updates).unwrap(),
        days: one(random, &[None, Some(0), Some(1), Some(3), Some(367)]).unwrap(),
        plan: one(random, &[None, Some(1), Some(2)]).unwrap(),
        made_for: one(random, &[None, Some(true), Some(false)]).unwrap(),
        from: world.witnessed + random.i64(-2..6),
        until: world.witnessed + random.i64(-2..9),
    }
}

/// The request with what its word cannot be without, and nothing that it does not use.
fn whole(random: &mut Rng, mut request: Request) -> Request {
    let single = ["patch-add", "patch-change", "patch-comment"].contains(&request.word);
    if single && request.patches.len() != 1 {
        request.patches = words(one(random, &PATCHES));
    }
    if ["team-add", "team-remove"].contains(&request.word) && request.teams.len() != 1 {
        request.teams = words(one(random, &TEAMS));
    }
    let used: &[&str] = match request.word {
        "team-add" => &["teams", "node_types"],
        "team-remove" => &["teams"],
        "patch-add" => &["patches", "packages", "node_types"],
        "patch-change" => &["patches", "packages"],
        "patch-status" => &["patches", "status"],
        "bundle-create" => &["bundle", "patches", "urgent"],
        "bundle-add" | "bundle-remove" => &["bundle", "patches"],
        "bundle-hold" => &["bundle", "reason"],
        "task-assign" | "task-assign-back" => &["bundle", "teams", "node_types", "days"],
        "task-start" | "task-done" => &["task", "outcome", "tickets", "made_for"],
        "task-extend" => &["task", "days"],
        "task-downtime" => &["task", "from", "until"],
        "task-close" => &["task", "reason"],
        "release-prepare" | "release-partial" => &["update", "patches", "priority", "plan"],
        "release-approve" => &["update", "plan"],
        word if word.starts_with("patch-") => &["patches"],
        word if word.starts_with("bundle-") => &["bundle"],
        word if word.starts_with("task-") => &["task"],
        word if word.starts_with("release-") => &["update"],
        _ => &[],
    };
    let Request { who, word, .. } = request;
    let mut only = Request { who, word, ..Request::default() };
    for field in used {
        match *field {
            "patches" => only.patches = take(&mut request.patches),
            "bundle" => only.bundle = take(&mut request.bundle),
            "teams" => only.teams = take(&mut request.teams),
            "node_types" => only.node_types = take(&mut request.node_types),
            "packages" => only.packages = take(&mut request.packages),
            "tickets" => only.tickets = take(&mut request.tickets),
            "status" => only.status = request.status,
            "outcome" => only.outcome = request.outcome,
            "priority" => only.priority = request.priority,
            "reason" => only.reason = request.reason,
            "urgent" => only.urgent = request.urgent,
            "task" => only.task = request.task,
            "update" => only.update = request.update,
            "days" => only.days = request.days,
            "plan" => only.plan = request.plan,
            "made_for" => only.made_for = request.made_for,
            _ => (only.from, only.until) = (request.from, request.until),
        }
    }
    only
}

/// What people say; what is always possible would be most of what happens, and is said less often.
fn usual(random: &mut Rng) -> &'static str {
    let easy = ["team-add", "team-remove", "patch-comment", "bundle-hold", "patch-change", "bundle-remove"];
    if random.u8(..3) > 0 {
        return one(random, &MAIN).unwrap();
    }
    let word = one(random, &vocabulary()).unwrap();
    if easy.contains(&word) && random.u8(..4) > 0 { one(random, &MAIN).unwrap() } else { word }
}

/// What somebody may well ask next; whether it is taken is another matter.
fn sensible(random: &mut Rng, world: &World, word: &'static str) -> Request {
    let mut request = anything(random, world);
    request.word = word;
    request.reason = "because";
    request.made_for = request.made_for.filter(|made| *made);
    let patches = |wanted: &dyn Fn(&super::super::model::Patch) -> bool| -> Vec<String> {
        world.patches.iter().filter(|(_, patch)| wanted(patch)).map(|(id, _)| id.clone()).collect()
    };
    let deployed: Vec<String> =
        world.bundles.iter().filter(|(_, one)| one.deployed.is_some()).map(|(id, _)| id.clone()).collect();
    let (mu, ou) = ("mu".to_owned(), "ou".to_owned());
    match request.word {
        "patch-add" => {
            let new = PATCHES.iter().position(|id| !world.patches.contains_key(*id)).unwrap_or_default();
            (request.who, request.patches) = (mu, words([PATCHES[new]]));
            let more = random.u8(..4) == 0;
            request.packages = words([PACKAGES[new]].into_iter().chain(more.then_some(PACKAGES[8])));
            request.node_types = Words::new();
        }
        "patch-change" => {
            request.who = mu;
            request.patches = words(one(random, &patches(&|one| one.place == "before")));
        }
        "patch-status" => {
            let way = one(random, &WAYS.iter().collect::<Vec<_>>()).unwrap();
            // To reject, or to go back, is not what people do all the time.
            let rare = way.to == "rejected" || way.line == "G2 back";
            let way = if rare && random.u8(..5) > 0 { &WAYS[random.usize(..4)] } else { way };
            (request.who, request.status) = (way.who.to_owned(), way.to);
            let all = patches(&|one| way.from.contains(&one.status));
            request.patches = match way.to {
                "rejected" => words(one(random, &all)),
                _ => some(random, &all),
            };
        }
        "bundle-create" | "bundle-add" => {
            let fit = ["verified", "ready-for-rollout"];
            request.who = mu;
            request.patches =
                some(random, &patches(&|one| one.bundle.is_none() && fit.contains(&one.status)));
            let new = request.word == "bundle-create";
            let fits = |id: &&&str| world.bundles.contains_key(**id) != new;
            let bundles: Vec<&str> = BUNDLES.iter().filter(fits).copied().collect();
            request.bundle = one(random, &bundles).unwrap_or("b9").to_owned();
        }
        "bundle-remove" => {
            request.who = mu;
            let inside = patches(&|one| one.bundle.is_some() && one.place == "before");
            request.patches = words(one(random, &inside));
            let first = request.patches.first().and_then(|id| world.patches[id].bundle.clone());
            request.bundle = first.unwrap_or_default() + if inside.is_empty() { "b1" } else { "" };
        }
        "task-assign" | "task-assign-back" => {
            request.who = ou;
            request.bundle = one(random, &deployed).unwrap_or_else(|| "b1".into());
            let number = random.usize(2..6) / 2;
            request.teams = words(random.choose_multiple(&TEAMS[..3], number));
            request.days = request.days.filter(|days| *days <= 3 && random.bool());
            if random.u8(..3) > 0 {
                request.node_types = Words::new();
            }
        }
        "release-prepare" | "release-partial" => {
            let ready = patches(&|one| one.status == "ready-for-production");
            request.who = mu;
            request.plan = Some(random.u8(1..=2));
            request.update = one(random, &[1, 2, 3]).unwrap();
            request.patches = if random.bool() { some(random, &ready) } else { Words::new() };
        }
        "release-ready" | "release-publish" | "release-drop" => request.who = mu,
        "release-approve" | "release-reports" => request.who = ou,
        "bundle-deploy" | "bundle-rollback" | "bundle-hold" | "bundle-continue" => {
            request.who = mu;
            request.bundle = one(random, &world.bundles.keys().cloned().collect::<Vec<_>>())
                .unwrap_or_else(|| "b1".into());
        }
        "team-add" | "team-remove" => {
            request.who = ou;
            let rare = request.word == "team-remove" && random.u8(..4) > 0;
            request.teams = words([if rare { TEAMS[3] } else { TEAMS[random.usize(..4)] }]);
        }
        "remind" | "archive" => request.who = "clock".into(),
        "task-close" | "task-extend" => request.who = ou,
        _ => {}
    }
    if request.word.starts_with("release-") && !["release-prepare", "release-partial"].contains(&request.word)
    {
        request.update = one(random, &world.updates.keys().copied().collect::<Vec<_>>()).unwrap_or(1);
        if let Some(update) = world.updates.get(&request.update) {
            request.plan = Some(update.plan);
        }
    }
    if request.word.starts_with("task-") && !request.word.starts_with("task-assign") {
        by_the_team(random, world, &mut request);
    }
    whole(random, request)
}

/// A task that is open, and its team.
fn by_the_team(random: &mut Rng, world: &World, request: &mut Request) {
    let is_meant = |task: &Task| match request.word {
        "task-accept" | "task-decline" => task.progress == "assigned",
        "task-done" => task.progress == "in-progress",
        _ => is_open(task),
    };
    let open: Vec<u32> =
        world.tasks.iter().filter(|(_, task)| is_meant(task)).map(|(number, _)| *number).collect();
    if let Some(number) = one(random, &open) {
        request.task = number;
        if !["task-close", "task-extend"].contains(&request.word) {
            request.who.clone_from(&world.tasks[&number].team);
        }
    }
}

/// What happens beside the requests: time passes, clocks jump, packages are taken away and put back.
pub fn beside(random: &mut Rng, world: &World) -> Step {
    let stage = one(random, &["certified", "delta", "delta", "production"]).unwrap();
    let missing = world
        .patches
        .values()
        .filter(|one| one.place == "before" || one.place == "delta")
        .flat_map(|one| one.packages.iter().map(|package| (one.place, package)));
    let missing: BTreeSet<(&'static str, &String)> = missing
        .map(|(place, package)| (if place == "delta" { "delta" } else { "certified" }, package))
        .filter(|(stage, package)| !world.lists(stage, package))
        .collect();
    let in_progress: Vec<u32> = world
        .tasks
        .iter()
        .filter(|(_, task)| task.progress == "in-progress")
        .map(|(number, _)| *number)
        .collect();
    match random.u8(..40) {
        _ if world.wall != world.witnessed && random.bool() => Step::Jump(0),
        0 => Step::Jump(one(random, &[-87_600, 87_600, -30, 30]).unwrap()),
        1 => match one(random, &world.stages[stage].iter().collect::<Vec<_>>()) {
            Some(package) => Step::TakeAway(stage, package.clone()),
            None => Step::Pass(1),
        },
        2..=9 if !missing.is_empty() => {
            let (stage, package) = missing.first().unwrap();
            Step::PutBack(stage, (*package).clone())
        }
        10 => Step::Waive(random.u8(..4) == 0),
        11 | 12 if world.waived => Step::Waive(false),
        13..=24 if world.wants_evidence && !in_progress.is_empty() => {
            Step::Show(one(random, &in_progress).unwrap(), random.u8(..5) > 0)
        }
        _ => Step::Pass(one(random, &[1, 2, 2, 5, 24, 24, 48, 72, 168, 168]).unwrap()),
    }
}
