//! Random walks: whoever asks whatever in whatever order, the state machine says what the model says.
//!
//! Half of the requests are sensible next steps, so that walks come to updates and roll-backs; how often each row of the model's
//! table was taken and each refusal was told is counted, and a walk that stays at the beginning fails.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;

use super::model::{Request, Verdict, World, apply, codes, evidence, judge, lines};
use super::*;

mod compared;
mod followed;
mod invented;
mod translated;

/// How many walks, of how many steps each.
const WALKS: u64 = 10_000;
const STEPS: usize = 80;
/// How often each row is taken and each refusal told at least, in all of them.
const TIMES_MIN: usize = 100;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Ask(Box<Request>),
    Pass(i64),
    /// The clock on the wall is so many hours ahead of what is witnessed.
    Jump(i64),
    TakeAway(&'static str, String),
    PutBack(&'static str, String),
    Waive(bool),
    Show(u32, bool),
}

/// How often what was seen.
#[derive(Default)]
struct Seen {
    rows: BTreeMap<&'static str, usize>,
    refusals: BTreeMap<&'static str, usize>,
    told: BTreeMap<String, usize>,
    requests: usize,
    taken: usize,
    idle: usize,
    alone: usize,
}

/// The state machine and the model, side by side.
struct Pair {
    site: Site,
    world: World,
    items: BTreeMap<&'static str, Item>,
}

impl Pair {
    fn new(wants_evidence: bool) -> Pair {
        let mut site = Site::new();
        site.rules.wants_evidence = wants_evidence;
        let pins: [(&str, &[&str]); 3] =
            [("WMS", &["voms", "wms"]), ("UI", &["voms", "gfal"]), ("CE", &["cream", "lcg"])];
        site.pins = pins.iter().map(|(one, names)| ((*one).into(), words(&names.join(" ")))).collect();
        let items: BTreeMap<&str, Item> = invented::PACKAGES.map(|text| (text, item(text))).into();
        site.stages.insert("certified".into(), items.values().cloned().collect());
        let mut world = World { wants_evidence, pins: pins.into(), ..World::default() };
        let packages = invented::PACKAGES.iter().map(|text| (*text).to_owned());
        world.stages = [("certified", packages.collect())].into();
        world.stages.extend([("delta", Default::default()), ("production", Default::default())]);
        for (team, node_types) in [("ea-IT-CNAF", "WMS"), ("ea-UK-RAL", "UI WMS"), ("ea-CZ-FZU", "CE")] {
            world.teams.insert(team.into(), words(node_types));
        }
        Pair { site, world, items }
    }

    /// What they do not agree upon, if there is something.
    fn goes(&mut self, step: &Step, seen: &mut Seen) -> Option<String> {
        match step {
            Step::Ask(request) => return self.asks(request, seen),
            Step::Pass(hours) => {
                self.site.pass(*hours);
                self.world.wall += hours;
                self.world.witnessed += hours;
            }
            Step::Jump(ahead) => {
                self.world.wall = self.world.witnessed + ahead;
                self.site.times.wall = self.site.times.witnessed + SignedDuration::from_hours(*ahead);
            }
            Step::TakeAway(stage, package) => {
                self.site.stages.entry((*stage).into()).or_default().remove(&self.items[&**package]);
                self.world.stages.entry(stage).or_default().remove(package);
            }
            Step::PutBack(stage, package) => {
                let item = self.items[&**package].clone();
                self.site.stages.entry((*stage).into()).or_default().insert(item);
                self.world.stages.entry(stage).or_default().insert(package.clone());
            }
            Step::Waive(waived) => {
                self.site.waived = waived.then(|| "`user:boss` answers for it".into());
                self.world.waived = *waived;
            }
            Step::Show(task, fits) => {
                let differs = if *fits { vec![] } else { vec!["`voms` is missing".into()] };
                let facts = vec![Fact::TaskShown { task: *task, differs }];
                let (at, witnessed) = (self.site.times.wall, self.site.times.witnessed);
                let (product, by) = (PRODUCT.into(), "user:site".into());
                self.site.workflow.evolve(&Deed { product, at, witnessed, by, facts });
                evidence(&mut self.world, *task, *fits);
            }
        }
        compared::difference(&self.site, &self.world, &self.items)
    }

    fn asks(&mut self, request: &Request, seen: &mut Seen) -> Option<String> {
        seen.requests += 1;
        let verdict = judge(&self.world, request);
        let theirs = self.world.tasks.get(&request.task).filter(|_| request.made_for == Some(true));
        let command = translated::command(request, theirs.map(|task| translated::content(&task.contents)));
        let plan = translated::plan(request);
        let decided = self.site.tries(&request.who, command, plan, request.reason);
        match (decided, verdict) {
            (Ok(decided), Verdict::Nothing) if decided.facts.is_empty() => {
                seen.idle += 1;
                (!decided.notices.is_empty() || decided.moves.is_some())
                    .then(|| format!("{decided:?} where nothing happens"))
            }
            (Ok(decided), Verdict::Happens(lines, told)) if !decided.facts.is_empty() => {
                seen.taken += 1;
                lines.iter().for_each(|line| *seen.rows.entry(line).or_default() += 1);
                let known: BTreeSet<String> = decided.notices.iter().map(|one| named(&one.to)).collect();
                if !told.is_subset(&known) {
                    return Some(format!("{known:?} are told, and by the model {told:?}"));
                }
                if request.word == "release-publish" && self.world.behind(&self.world.chosen(request)) > 0 {
                    *seen.rows.entry("P1 publish").or_default() += 1;
                }
                apply(&mut self.world, request);
                if !self.world.debts().is_empty() {
                    *seen.rows.entry("with a debt").or_default() += 1;
                }
                told.into_iter().for_each(|part| *seen.told.entry(part).or_default() += 1);
                compared::difference(&self.site, &self.world, &self.items)
            }
            (Err(refusal), Verdict::Refused(codes)) => {
                *seen.refusals.entry(refusal.code.as_str()).or_default() += 1;
                seen.alone += usize::from(codes.len() == 1);
                let other = format!("{} is told, and by the model {codes:?}", refusal.code.as_str());
                (!codes.contains(refusal.code.as_str())).then_some(other)
            }
            (decided, verdict) => {
                let ours = decided.map(|decided| decided.facts).map_err(|refusal| refusal.code.as_str());
                Some(format!("{ours:?}, and by the model {verdict:?}"))
            }
        }
    }
}

fn named(part: &Part) -> String {
    match part {
        Part::ReleaseTeam => "mu".into(),
        Part::Operations => "ou".into(),
        Part::Team(team) => team.to_string(),
        other => other.to_string(),
    }
}

/// What a walk is: whether sites have to show what they have installed, its steps, and what they ended with.
fn walk(seed: u64, seen: &mut Seen) -> Result<(), (bool, Vec<Step>, String)> {
    let mut random = Rng::with_seed(seed);
    let wants_evidence = random.u8(..4) == 0;
    let mut pair = Pair::new(wants_evidence);
    let mut steps = Vec::new();
    for _ in 0..STEPS {
        let step = match random.u8(..10) {
            0 | 1 => invented::beside(&mut random, &pair.world),
            2 | 3 => Step::Ask(invented::near_miss(&mut random, &pair.world).into()),
            4 => Step::Ask(invented::wild(&mut random, &pair.world).into()),
            _ => invented::guided(&mut random, &pair.world),
        };
        steps.push(step.clone());
        if let Some(wrong) = guarded(|| pair.goes(&step, seen)) {
            return Err((wants_evidence, steps, wrong));
        }
    }
    Ok(())
}

fn guarded(goes: impl FnOnce() -> Option<String>) -> Option<String> {
    catch_unwind(AssertUnwindSafe(goes)).unwrap_or_else(|_| Some("a panic".into()))
}

/// How many of the steps are taken until they disagree, and upon what.
fn replayed(wants_evidence: bool, steps: &[Step]) -> Option<(usize, String)> {
    let mut pair = Pair::new(wants_evidence);
    let mut seen = Seen::default();
    steps.iter().enumerate().find_map(|(at, step)| Some((at + 1, guarded(|| pair.goes(step, &mut seen))?)))
}

/// Leaves out what the disagreement does not need, until nothing more can be.
fn shortest(wants_evidence: bool, mut steps: Vec<Step>) -> Vec<Step> {
    let mut at = steps.len();
    while at > 0 {
        at -= 1;
        let without = [&steps[..at], &steps[at + 1..]].concat();
        let smaller = smaller(&steps[at]).into_iter();
        let smaller = smaller.map(|step| [&steps[..at], &[step], &steps[at + 1..]].concat());
        let mut fewer = std::iter::once(without).chain(smaller);
        let found = fewer.find_map(|fewer| Some((replayed(wants_evidence, &fewer)?.0, fewer)));
        if let Some((until, mut fewer)) = found {
            fewer.truncate(until);
            // What was needed before may not be any more.
            at = fewer.len();
            steps = fewer;
        }
    }
    steps
}

/// The step with one patch or team less.
fn smaller(step: &Step) -> Vec<Step> {
    let Step::Ask(request) = step else { return vec![] };
    let without =
        |all: &BTreeSet<String>, one: &String| all.iter().filter(|id| *id != one).cloned().collect();
    let patches = request.patches.iter().filter(|_| request.patches.len() > 1);
    let patches = patches.map(|one| Request { patches: without(&request.patches, one), ..*request.clone() });
    let teams = request.teams.iter().filter(|_| request.teams.len() > 1);
    let teams = teams.map(|one| Request { teams: without(&request.teams, one), ..*request.clone() });
    patches.chain(teams).map(|request| Step::Ask(request.into())).collect()
}

fn story(seed: u64, wants_evidence: bool, steps: Vec<Step>) -> String {
    let steps = shortest(wants_evidence, steps);
    let wrong = replayed(wants_evidence, &steps).map_or("nothing any more".into(), |(_, wrong)| wrong);
    let mut text = format!("walk {seed}, evidence wanted: {wants_evidence}\n");
    for step in &steps {
        let said = match step {
            // Only what it says.
            Step::Ask(request) => {
                let all = format!("{request:?}");
                let empty = [": {}", ": \"\"", ": None", ": false", ": 0"];
                let all = all.trim_start_matches("Request { ").trim_end_matches(" }");
                let fields = all.split(", ").filter(|field| !empty.iter().any(|one| field.ends_with(one)));
                fields.collect::<Vec<_>>().join(", ")
            }
            other => format!("{other:?}"),
        };
        writeln!(text, "  {said}").unwrap();
    }
    text + &wrong
}

#[test]
fn whoever_asks_whatever_the_machine_says_what_the_model_says() {
    let mut seen = Seen::default();
    for seed in 0..WALKS {
        if let Err((wants_evidence, steps, _)) = walk(seed, &mut seen) {
            panic!("{}", story(seed, wants_evidence, steps));
        }
    }
    println!(
        "{WALKS} walks, {} requests: {} taken, {} with nothing to do, {} refused ({} for one possible reason)",
        seen.requests,
        seen.taken,
        seen.idle,
        seen.requests - seen.taken - seen.idle,
        seen.alone
    );
    println!("rows: {:#?}\nrefusals: {:#?}\ntold: {:#?}", seen.rows, seen.refusals, seen.told);
    for line in lines().into_iter().chain(["P1 publish", "with a debt"]) {
        let times = seen.rows.get(line).copied().unwrap_or_default();
        assert!(times >= TIMES_MIN, "row `{line}` was taken {times} times only: the walks are shallow");
    }
    for code in codes() {
        let times = seen.refusals.get(code).copied().unwrap_or_default();
        assert!(times >= TIMES_MIN, "`{code}` was told {times} times only: the walks are shallow");
    }
}

#[test]
fn the_model_imports_nothing_of_ours() {
    let model = [
        include_str!("model.rs"),
        include_str!("model/effects.rs"),
        include_str!("model/effects/conditions.rs"),
        include_str!("model/effects/conditions/world.rs"),
    ];
    for source in model {
        for ours in ["crate::", "super::", "workflow", "nevra", "jiff", "extern"] {
            assert!(!source.contains(ours), "the model says `{ours}`");
        }
        // What it declares is what stands above.
        let declared = source.lines().filter_map(|line| line.strip_prefix("mod ")).collect::<Vec<_>>();
        assert!(declared.iter().all(|name| ["effects;", "conditions;", "world;"].contains(name)));
        let used =
            source.lines().filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("use "));
        for name in used {
            let own = ["effects::*;", "conditions::*;", "world::*;"].contains(&name);
            assert!(own || name.starts_with("std::"), "the model uses `{name}`");
        }
    }
}
