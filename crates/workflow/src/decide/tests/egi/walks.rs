//! Random walks through procedure `egi`: whoever asks whatever in whatever order, the state machine says what the model says.

use fastrand::Rng;

use super::super::*;
use super::model::{Request, Verdict, Words, World, allowed, apply, codes, judge};
use super::{answering, opening};
use crate::ticket::Standing;

mod followed;

const WALKS: u64 = 10_000;
const STEPS: usize = 50;
/// How often each row is taken and each refusal told at least, in all of them.
const TIMES_MIN: usize = 10;
/// When walks begin, in seconds since 1970: `2026-03-02T10:00:00Z`, as [`Site::new`] has it.
const FIRST: i64 = 1_772_445_600;

const ACTORS: [&str; 9] =
    ["mu", "verifier", "manager EMI", "ou", "ea-IT-CNAF", "ea-UK-RAL", "ea-CZ-FZU", "nobody", "clock"];
const TICKETS: [&str; 4] = ["1", "2", "3", "4"];
const PACKAGES: [&str; 4] = ["voms-1-1.x86_64", "wms-1-1.x86_64", "cream-1-1.x86_64", "gfal-1-1.x86_64"];
const TEAMS: [&str; 4] = ["ea-IT-CNAF", "ea-UK-RAL", "ea-CZ-FZU", "ea-XX-Nowhere"];
/// What is said most: the way of a ticket.
const MAIN: [&str; 14] = [
    "ticket-add",
    "ticket-verify",
    "ticket-deploy",
    "ticket-assign",
    "task-accept",
    "task-start",
    "task-done",
    "task-done",
    "ticket-accept",
    "ticket-accept",
    "ticket-summary",
    "ticket-release",
    "task-decline",
    "ticket-verify",
];

fn one<T: Clone>(random: &mut Rng, all: &[T]) -> Option<T> {
    (!all.is_empty()).then(|| all[random.usize(..all.len())].clone())
}

fn instant(hours: i64) -> Timestamp {
    Timestamp::from_second(FIRST + hours * 3600).unwrap()
}

/// Anything that somebody may ask.
fn anything(random: &mut Rng, world: &World, word: &'static str) -> Request {
    let ticket = one(random, &TICKETS).unwrap();
    let stack = one(random, &["EMI", "EMI", "ARC"]).unwrap();
    let (stack, component) = match world.tickets.get(ticket) {
        Some(known) => (known.stack, known.component.clone()),
        None => (stack, format!("SE-{}", one(random, &TICKETS).unwrap())),
    };
    let name = format!("{component}-1.8.0-1");
    let tasks = world.tasks.len() as u32 + u32::from(random.u8(..20) == 0);
    let some = |random: &mut Rng, all: &[&str]| -> Words {
        let number = [0, 1, 1, 1, 2][random.usize(..5)];
        random.choose_multiple(all, number).into_iter().map(|one| (*one).to_owned()).collect()
    };
    let good = random.u8(..4) > 0;
    let known = if random.u8(..8) > 0 { &TEAMS[..3] } else { &TEAMS[..] };
    Request {
        who: one(random, &ACTORS).map(str::to_owned).unwrap(),
        word,
        ticket: ticket.to_owned(),
        tickets: some(random, &TICKETS),
        stack,
        packages: some(random, &PACKAGES),
        urgent: random.u8(..4) == 0,
        teams: some(random, known),
        days: one(random, &[None, None, Some(0), Some(1), Some(367)]).unwrap(),
        link: one(random, &[None, Some("https://example.org/1"), Some("https://example.org/2")]).unwrap(),
        subject: if good {
            format!("Staged Rollout: {name} fails")
        } else {
            format!("Staged Rollout: {name}0")
        },
        file: format!("summary-{stack}-{name}.{}", if good { "pdf" } else { "exe" }),
        component,
        release: one(random, &["UMD-1.2", "UMD-1.3"]).unwrap(),
        reason: one(random, &["because", "because", " "]).unwrap(),
        task: random.u32(1..=tasks.max(1)),
        outcome: one(random, &["success", "success", "warning", "fail"]).unwrap(),
    }
}

/// Something that somebody may well ask next, if the model takes it.
fn sensible(random: &mut Rng, world: &World) -> Request {
    let mut last = None;
    for _ in 0..12 {
        let word = if random.u8(..5) > 0 {
            one(random, &MAIN).unwrap()
        } else {
            super::model::ROWS[random.usize(..super::model::ROWS.len())].word
        };
        let mut request = anything(random, world, word);
        let who = allowed(world, &request).and_then(|all| one(random, &all));
        if let Some(who) = who.filter(|who| !who.is_empty()) {
            request.who = who;
        }
        if let Verdict::Happens(_) = judge(world, &request) {
            return request;
        }
        last = Some(request);
    }
    last.unwrap()
}

fn command(request: &Request) -> Command {
    let r = request;
    let (task, tickets) = (r.task, BTreeSet::new());
    let ticket = id(&r.ticket);
    let outcome = || r.outcome.parse().unwrap();
    let packages = || r.packages.iter().cloned().collect::<Vec<_>>();
    let none = Vec::<String>::new;
    match r.word {
        "ticket-add" => {
            let mut command = opening(&r.ticket, Some(r.stack), &packages().join(" "), r.urgent);
            if let Command::TicketAdd { component, .. } = &mut command {
                component.clone_from(&r.component);
            }
            command
        }
        "ticket-change" => Command::TicketChange { ticket, packages: packages(), platforms: none() },
        "ticket-verify" => Command::TicketVerify { ticket },
        "ticket-deploy" => Command::TicketDeploy { ticket },
        "ticket-links" => Command::TicketLinks {
            ticket,
            release_notes: r.link.map(|link| link.parse().unwrap()),
            installation: None,
            bugs_fixed: None,
            documentation: None,
        },
        "ticket-comment" => Command::TicketComment { ticket, comment: "x".into() },
        "ticket-assign" => Command::TicketAssign {
            ticket,
            teams: r.teams.iter().map(|one| team(one)).collect(),
            days: r.days,
        },
        "ticket-relate" => Command::TicketRelate {
            ticket,
            related: "#7".parse().unwrap(),
            subject: r.subject.parse().unwrap(),
            criticality: None,
            workaround: None,
        },
        "ticket-summary" => Command::TicketSummary { ticket, document: id("1234"), file: r.file.clone() },
        "ticket-accept" => Command::TicketAccept { ticket },
        "ticket-reject" => {
            Command::TicketReject { ticket, versions: none(), without: none(), releases: none() }
        }
        "ticket-release" => Command::TicketRelease {
            tickets: r.tickets.iter().map(|one| id(one)).collect(),
            release: id(r.release),
        },
        "task-accept" => answering(task, true),
        "task-decline" => answering(task, false),
        "task-start" => Command::TaskStart { task, outcome: outcome(), tickets, content: None },
        "task-done" => Command::TaskDone { task, outcome: outcome(), tickets, content: None },
        "task-extend" => Command::TaskExtend { task, days: r.days.unwrap_or_default() },
        "task-beta" => Command::TaskBeta { task },
        "task-close" => Command::TaskClose { task },
        "bundle-deploy" => Command::BundleDeploy { bundle: id("b1") },
        _ => Command::Remind {},
    }
}

fn named(part: &Part) -> String {
    match part {
        Part::ReleaseTeam => "mu".into(),
        Part::Operations => "ou".into(),
        Part::Verifier => "verifier".into(),
        Part::Manager(stack) => format!("manager {stack}"),
        Part::Team(team) => team.to_string(),
        Part::Clock => "clock".into(),
    }
}

/// The first thing that differs between the state machine and the model, if anything does.
fn difference(site: &Site, world: &World) -> Option<String> {
    let unknown = State::default();
    let state = site.workflow.products.get(PRODUCT).unwrap_or(&unknown);
    let differ = |what: String, ours: String, model: String| {
        (ours != model).then(|| format!("{what}: {ours}, and by the model {model}"))
    };
    let stages = ["untested", "testing", "production"].iter().find_map(|stage| {
        let ours = site.stages.get(*stage).into_iter().flatten().map(|one| one.nevra.to_string());
        let model = world.stages.get(stage).cloned().unwrap_or_default();
        let ours: Words = ours.collect();
        differ((*stage).into(), format!("{ours:?}"), format!("{model:?}"))
    });
    let tickets = || {
        if !state.tickets.keys().map(Id::as_str).eq(world.tickets.keys()) {
            return Some("other tickets".into());
        }
        state.tickets.iter().zip(world.tickets.values()).find_map(|((id, ours), model)| {
            let place = match ours.place {
                Place::Before => "before",
                Place::Beta => "testing",
                Place::Production => "production",
                Place::TakenOut => "out",
            };
            let items: Words = ours.items.iter().map(|one| one.nevra.to_string()).collect();
            let cc: Words = ours.cc.iter().map(ToString::to_string).collect();
            let comments = ours.history.iter().filter(|step| step.what.starts_with("says:")).count();
            let first = (ours.standing.as_str(), place, &items, &cc, comments, ours.is_urgent);
            let theirs =
                (model.standing, model.place, &model.packages, &model.cc, model.comments, model.urgent);
            let notes = ours.links.release_notes.as_ref().map(|link| link.as_str());
            let related = ours.related.values().next().map(|one| one.subject.as_str());
            let file = ours.summary.as_ref().map(|one| one.file.as_str());
            let second = (notes, related, file, ours.release.as_ref().map(Id::as_str));
            let others = (model.link, model.related.as_deref(), model.summary.as_deref(), model.release);
            let is_same = first == theirs && second == others;
            (!is_same)
                .then(|| format!("ticket {id}: {first:?} {second:?}, and by the model {theirs:?} {others:?}"))
        })
    };
    let tasks = || {
        if !state.tasks.keys().eq(world.tasks.keys()) {
            return Some("other tasks".into());
        }
        state.tasks.iter().zip(world.tasks.values()).find_map(|((number, ours), model)| {
            let reminded: Vec<_> = ours.reminded.iter().map(|of| *of == Reminder::AnswerOverdue).collect();
            let wanted: Vec<_> = model.reminded.iter().map(|of| *of == "answer").collect();
            let outcome = ours.outcome.map(|one| one.to_string().to_lowercase());
            let first = (ours.progress.as_str(), outcome.as_deref(), ours.team.as_str(), ours.is_beta);
            let theirs = (model.progress, model.outcome, &*model.team, model.beta);
            let second = (ours.answer_by, ours.quarantine.as_hours(), ours.begun, reminded);
            let others = (instant(model.answer_by), model.quarantine, model.begun.map(instant), wanted);
            let about = ours.subject.ticket().map(Id::as_str) == Some(&*model.ticket);
            let is_same = about && first == theirs && second == others;
            (!is_same).then(|| {
                format!("task {number}: {first:?} {second:?}, and by the model {theirs:?} {others:?}")
            })
        })
    };
    let debts = || {
        let ours: Vec<String> = crate::ticket_debts(state).iter().map(ToString::to_string).collect();
        differ("the debts".into(), format!("{ours:?}"), format!("{:?}", world.debts()))
    };
    stages.or_else(tickets).or_else(tasks).or_else(debts)
}

#[derive(Default)]
struct Seen {
    rows: BTreeMap<&'static str, usize>,
    refusals: BTreeMap<String, usize>,
    standings: BTreeMap<&'static str, usize>,
    with_a_debt: usize,
}

fn asks(site: &mut Site, world: &mut World, request: &Request, seen: &mut Seen) -> Option<String> {
    let verdict = judge(world, request);
    match (site.tries(&request.who, command(request), None, request.reason), verdict) {
        (Ok(decided), Verdict::Nothing) if decided.facts.is_empty() => {
            (!decided.notices.is_empty()).then(|| format!("{decided:?} where nothing happens"))
        }
        (Ok(decided), Verdict::Happens(told)) if !decided.facts.is_empty() => {
            *seen.rows.entry(request.word).or_default() += 1;
            let known: Words = decided.notices.iter().map(|one| named(&one.to)).collect();
            if !told.is_subset(&known) {
                return Some(format!("{known:?} are told, and by the model {told:?}"));
            }
            apply(world, request);
            seen.with_a_debt += usize::from(!world.debts().is_empty());
            world.tickets.values().for_each(|one| *seen.standings.entry(one.standing).or_default() += 1);
            difference(site, world)
        }
        (Err(refusal), Verdict::Refused(codes)) => {
            *seen.refusals.entry(refusal.code.as_str().to_owned()).or_default() += 1;
            let other = format!("{} is told, and by the model {codes:?}", refusal.code.as_str());
            (!codes.contains(refusal.code.as_str())).then_some(other)
        }
        (decided, verdict) => {
            let ours = decided.map(|decided| decided.facts).map_err(|refusal| refusal.code.as_str());
            Some(format!("{ours:?}, and by the model {verdict:?}"))
        }
    }
}

/// What happens beside the requests: time passes, clocks jump, packages are taken away and put back.
fn beside(random: &mut Rng, site: &mut Site, world: &mut World) -> String {
    let stage = one(random, &["untested", "testing"]).unwrap();
    let package = one(random, &PACKAGES).unwrap();
    match random.u8(..30) {
        _ if world.wall != world.witnessed && random.bool() => {
            (world.wall, site.times.wall) = (world.witnessed, site.times.witnessed);
            "the clock is right again".into()
        }
        0 => {
            let ahead = one(random, &[-87_600, 87_600, -30, 30]).unwrap();
            world.wall = world.witnessed + ahead;
            site.times.wall = site.times.witnessed + SignedDuration::from_hours(ahead);
            format!("the clock is {ahead} hours ahead")
        }
        1 => {
            world.stages.entry(stage).or_default().remove(package);
            site.stages.entry(stage.into()).or_default().remove(&item(package));
            format!("{package} is taken out of {stage}")
        }
        2..=9 => {
            // Where its ticket wants it; a rejected one may be tried again.
            let of_it = world.tickets.values().filter(|one| one.packages.contains(package));
            let beta = of_it.clone().any(|one| one.place == "testing");
            let later = of_it.clone().any(|one| one.place == "production");
            let stage = if beta { "testing" } else { "untested" };
            if !later {
                world.stages.entry(stage).or_default().insert(package.to_owned());
                site.stages.entry(stage.into()).or_default().insert(item(package));
            }
            format!("{package} is put into {stage}")
        }
        10 => {
            world.waived = !world.waived;
            site.waived = world.waived.then(|| "`user:boss` answers for it".into());
            format!("waived: {}", world.waived)
        }
        _ => {
            let hours = one(random, &[1, 2, 2, 24, 24, 48, 120]).unwrap();
            site.pass(hours);
            world.wall += hours;
            world.witnessed += hours;
            format!("{hours} hours pass")
        }
    }
}

/// The site and the model as walks begin.
fn both() -> (Site, World) {
    let mut site = Site::egi();
    for name in TEAMS.iter().take(3) {
        let stacks = if *name == "ea-UK-RAL" { words("EMI") } else { BTreeSet::new() };
        let (members, contact) = (BTreeSet::new(), "a@example.org".to_owned());
        let (platforms, node_types) = (BTreeSet::new(), BTreeSet::new());
        site.does(
            "ou",
            Command::TeamAdd { team: team(name), contact, members, stacks, platforms, node_types },
        );
    }
    let teams = [("ea-IT-CNAF", ""), ("ea-UK-RAL", "EMI"), ("ea-CZ-FZU", "")];
    let teams = teams.map(|(name, stacks)| (name.to_owned(), words(stacks)));
    let mut world = World { teams: teams.into(), ..World::default() };
    site.stages.insert("untested".into(), PACKAGES.iter().map(|text| item(text)).collect());
    world.stages.insert("untested", PACKAGES.iter().map(|text| (*text).to_owned()).collect());
    (site, world)
}

fn walk(seed: u64, seen: &mut Seen) -> Result<(), String> {
    let mut random = Rng::with_seed(seed);
    let (mut site, mut world) = both();
    let mut told = vec![format!("walk {seed}")];
    for _ in 0..STEPS {
        let wrong = match random.u8(..10) {
            0..=2 => {
                told.push(beside(&mut random, &mut site, &mut world));
                difference(&site, &world)
            }
            kind => {
                let request = if kind > 4 {
                    sensible(&mut random, &world)
                } else {
                    let row = random.usize(..super::model::ROWS.len());
                    anything(&mut random, &world, super::model::ROWS[row].word)
                };
                told.push(format!("{request:?}"));
                asks(&mut site, &mut world, &request, seen)
            }
        };
        if let Some(wrong) = wrong {
            told.push(wrong);
            return Err(told.join("\n"));
        }
    }
    Ok(())
}

#[test]
fn whoever_asks_whatever_the_machine_says_what_the_model_says() {
    let mut seen = Seen::default();
    for seed in 0..WALKS {
        if let Err(wrong) = walk(seed, &mut seen) {
            panic!("{wrong}");
        }
    }
    println!("{:#?}\n{:#?}\n{:#?}, {}", seen.rows, seen.refusals, seen.standings, seen.with_a_debt);
    // What is of the other procedure is never taken.
    for row in super::model::ROWS.iter().filter(|row| row.word != "bundle-deploy") {
        let times = seen.rows.get(row.word).copied().unwrap_or_default();
        assert!(
            times >= TIMES_MIN,
            "`{}` ({}) was taken {times} times only: the walks are shallow",
            row.word,
            row.line
        );
    }
    for code in codes() {
        let times = seen.refusals.get(&code).copied().unwrap_or_default();
        assert!(times >= TIMES_MIN, "`{code}` was told {times} times only: the walks are shallow");
    }
    for standing in Standing::ALL {
        assert!(
            seen.standings.get(standing.as_str()).copied().unwrap_or_default() >= TIMES_MIN,
            "{standing}"
        );
    }
    assert!(seen.with_a_debt >= TIMES_MIN, "{} times with a debt", seen.with_a_debt);
}

#[test]
fn the_model_imports_nothing_of_ours() {
    for source in
        [include_str!("model.rs"), include_str!("model/effects.rs"), include_str!("model/effects/world.rs")]
    {
        for ours in ["crate::", "super::", "workflow", "nevra", "jiff", "extern"] {
            assert!(!source.contains(ours), "the model says `{ours}`");
        }
        let used =
            source.lines().filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("use "));
        for name in used {
            assert!(
                ["world::*;", "effects::*;"].contains(&name) || name.starts_with("std::"),
                "the model uses `{name}`"
            );
        }
    }
}
