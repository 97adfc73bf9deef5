//! The real daemon, killed two hundred times while three hundred requests arrive; sixty times and ninety without
//! `SLUICE_THOROUGH=1`.
//!
//! When it is killed is counted in changes on disk since it was started, not in time: so the kills land
//! between any two steps of claiming, building, publishing and answering. Where each landed is read off the
//! disk afterwards; the histogram is printed.

mod reckoning;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use camino::Utf8Path;
use fastrand::Rng;
use repo::Recipe;
use serde_json::Value;
use testkit::{Running, Sandbox, Site, Watch};

use crate::faults::is_thorough;

/// How often it is killed, and how many requests arrive meanwhile.
fn extent() -> (usize, usize) {
    if is_thorough() { (200, 300) } else { (60, 90) }
}

/// So many that there is always something left to promote.
const PACKAGES: usize = 200;

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64", "el9/aarch64"]
"#;

const PATIENCE: Duration = Duration::from_secs(120);

/// Longer than the daemon ever rests while something waits: generations come at most once a second.
const IDLE: Duration = Duration::from_millis(1500);

/// One request, by the stem of its file name.
struct Asked {
    stem: String,
    text: String,
}

fn package(number: usize) -> Recipe {
    let name = format!("component-{number:03}");
    Recipe::new(&*name, "1.0", "1").file(&format!("/usr/share/{name}"), name.as_bytes())
}

/// What one of the requests wants: mostly to move a package, here and there a new one, sometimes nonsense.
fn ask(number: usize, rng: &mut Rng, site: &Site) -> Asked {
    let stem = format!("r{number:03}");
    let one = format!("component-{:03}", rng.usize(..PACKAGES));
    let from = if rng.bool() { "delta" } else { "production" };
    let promote = |packages: &str| {
        format!(
            "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [{packages}]\n"
        )
    };
    let body = match rng.usize(..20) {
        0..=9 => promote(&format!("\"{one}\"")),
        10..=11 => promote(&format!("\"component-{:02}*\"", rng.usize(..PACKAGES / 10))),
        12..=14 => {
            let recipe = package(PACKAGES + number);
            let upload = site.upload(&recipe.file_name(), &recipe.build());
            format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = [\"{upload}\"]\n")
        }
        15 => {
            format!("action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"{from}\"\npackages = [\"{one}\"]\n")
        }
        16 => promote(&format!("\"{one}\"")).replace("\"delta\"", "\"gamma\""),
        17 => promote("\"no-such-component\""),
        18 => promote(&format!("\"{one}\"")) + "colour = \"blue\"\n",
        // One id for many requests: the first settles it; the same again gets its answer, another is refused.
        _ => {
            let shared = rng.usize(..3);
            let other = if rng.usize(..4) == 0 { "-other" } else { "" };
            promote(&format!("\"component-{shared:03}*{other}\"")) + &format!("id = \"shared-{shared}\"\n")
        }
    };
    Asked { stem, text: format!("format = 1\n{body}[end]\n") }
}

fn names(folder: &Utf8Path) -> BTreeSet<String> {
    let entries = folder.read_dir_utf8().unwrap_or_else(|error| panic!("failed to list `{folder}`: {error}"));
    entries.map(|entry| entry.unwrap().file_name().to_owned()).collect()
}

fn numbers(names: &BTreeSet<String>, before: &str) -> BTreeSet<u64> {
    names.iter().filter_map(|name| name.strip_prefix(before)?.parse().ok()).collect()
}

fn is_request(name: &str) -> bool {
    name.ends_with(".toml")
}

/// Whether any request lies where it has no answer yet.
fn waits(spool: &Utf8Path) -> bool {
    ["incoming", "processing"]
        .iter()
        .any(|folder| names(&spool.join(folder)).iter().any(|name| is_request(name)))
}

/// The claim names of the answers in a folder.
fn answered(folder: &Utf8Path) -> BTreeSet<String> {
    names(folder).iter().filter_map(|name| name.strip_suffix(".answer.json").map(str::to_owned)).collect()
}

/// What the disk shows after a kill.
struct Seen {
    phase: &'static str,
    /// Whether a request was claimed and had no answer.
    between: bool,
}

/// Whether one of these answers is to a request that took effect in that generation.
fn tells(answers: &BTreeSet<String>, spool: &Utf8Path, generation: u64) -> bool {
    answers.iter().any(|claim| {
        let answer = fs::read(spool.join("done").join(format!("{claim}.answer.json"))).unwrap_or_default();
        serde_json::from_slice::<Value>(&answer).is_ok_and(|answer| answer["generation"] == generation)
    })
}

fn look(site: &Site) -> Seen {
    let (root, spool) = (site.root(), site.spool());
    let claimed: BTreeSet<String> = names(&spool.join("processing"))
        .into_iter()
        .filter(|name| is_request(name))
        .map(|name| name.trim_end_matches(".toml").to_owned())
        .collect();
    let answers: BTreeSet<_> =
        answered(&spool.join("done")).union(&answered(&spool.join("failed"))).cloned().collect();
    let open = claimed.difference(&answers).count();
    let half_moved = claimed.intersection(&answers).count();
    let current = fs::read_link(root.join("public/current")).unwrap();
    let current: u64 = current.to_str().unwrap().trim_start_matches('@').parse().unwrap();
    let staged = numbers(&names(&root.join("staging")), "").into_iter().max();
    let private = numbers(&names(&root.join("generations")), "");
    let public = numbers(&names(&root.join("public")), "@");
    let phase = match staged {
        _ if half_moved > 0 => "6 answer written, request not moved",
        Some(number) if number == current => match open {
            0 => "7 all answered, not finished",
            _ if tells(&answers, &spool, current) => "5 visible, some answered",
            _ => "4 visible, not answered",
        },
        Some(number) if public.contains(&number) => "3 both halves in place, not visible",
        Some(number) if private.contains(&number) => "2 private half in place",
        Some(_) => "1 staging begun",
        None if open > 0 => "0 claimed",
        None if waits(&spool) => "- waiting",
        None => "- nothing to do",
    };
    Seen { phase, between: open > 0 }
}

/// What a kill waits for before it counts further changes.
#[derive(Clone, Copy)]
enum Mark {
    /// A request is claimed.
    Claim,
    /// Something of a new generation is built.
    Staging,
    /// Its private half is put in place.
    Private,
    /// Its public half is put in place.
    Public,
    /// It is made visible.
    Current,
    /// An answer is written.
    Answer,
    /// A request is moved beside its answer.
    Moved,
    /// The last request that was claimed is moved beside its answer.
    Last,
}

impl Mark {
    fn is_at(self, site: &Site, path: &Utf8Path) -> bool {
        let (root, spool) = (site.root(), site.spool());
        let number = |path: Option<&Utf8Path>| {
            path.and_then(|path| path.components().next()?.as_str().parse::<u64>().ok())
        };
        match self {
            Mark::Claim => path.starts_with(spool.join("processing")),
            Mark::Staging => number(path.strip_prefix(root.join("staging")).ok()).is_some(),
            Mark::Private => path.starts_with(root.join("generations")),
            Mark::Public => {
                path.parent() == Some(&root.join("public")) && path.file_name().unwrap().starts_with('@')
            }
            Mark::Current => path == root.join("public/current"),
            Mark::Answer => path.as_str().ends_with(".answer.json"),
            Mark::Last => Mark::Moved.is_at(site, path) && !waits(&spool),
            Mark::Moved => {
                let settled = [spool.join("done"), spool.join("failed")];
                path.extension() == Some("toml") && settled.iter().any(|folder| path.starts_with(folder))
            }
        }
    }
}

/// Where a kill is aimed at: so many changes on disk after that mark.
fn aim(rng: &mut Rng) -> (Mark, usize) {
    match rng.usize(..20) {
        0..=3 => (Mark::Claim, rng.usize(..12)),
        4..=8 => (Mark::Staging, rng.usize(..80)),
        9..=10 => (Mark::Private, rng.usize(..5)),
        11..=12 => (Mark::Public, rng.usize(..5)),
        13..=14 => (Mark::Current, rng.usize(..8)),
        15..=16 => (Mark::Answer, rng.usize(..20)),
        17..=18 => (Mark::Moved, rng.usize(..20)),
        _ => (Mark::Last, 0),
    }
}

/// Lets the daemon run until the aim is reached, or nothing is left to do, or it rests; then kills it.
fn run_and_kill(daemon: &mut Running, watch: &Watch, site: &Site, (mark, mut more): (Mark, usize)) {
    let mut passed = false;
    let mut idle = Duration::ZERO;
    while idle < PATIENCE {
        let Some(changed) = watch.change(IDLE) else {
            // A machine with much to do may rest longer than the daemon.
            if daemon.has_ended() || !waits(&site.spool()) {
                break;
            }
            idle += IDLE;
            continue;
        };
        idle = Duration::ZERO;
        passed = passed || changed.iter().any(|path| mark.is_at(site, path));
        let nothing_left = changed.iter().any(|path| Mark::Last.is_at(site, path));
        if nothing_left || passed && more == 0 {
            break;
        }
        more -= usize::from(passed);
    }
    daemon.kill();
}

#[test]
fn every_request_is_settled_once_though_the_daemon_is_killed_again_and_again() {
    let (kills, requests) = extent();
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut rng = Rng::with_seed(0x0051_617E);
    let folder = sandbox.folder("packages");
    let mut arguments = vec!["import".to_owned(), "--to".into(), "delta".into()];
    for number in 0..PACKAGES {
        let recipe = package(number);
        fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
        arguments.push(folder.join(recipe.file_name()).into_string());
    }
    let mut daemon = site.start();
    site.sluice(&arguments).ok();
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());

    let watch = Watch::on(&[&site.root(), &site.spool()]);
    let mut histogram: BTreeMap<&str, usize> = BTreeMap::new();
    let mut between = 0;
    let mut dropped = Vec::new();
    for kill in 0..kills {
        watch.forget();
        let mut daemon = site.start_unwatched();
        // Spread over the kills, so that there always is something to interrupt.
        while dropped.len() * kills < requests * (kill + 1) {
            let asked = ask(dropped.len(), &mut rng, &site);
            site.drop_request(&format!("{}.toml", asked.stem), &asked.text);
            dropped.push(asked);
        }
        run_and_kill(&mut daemon, &watch, &site, aim(&mut rng));
        let log = daemon.log();
        assert!(!log.contains("panicked"), "kill {kill}: {log}");
        let seen = look(&site);
        between += usize::from(seen.between);
        *histogram.entry(seen.phase).or_insert(0) += 1;
    }
    println!("{kills} kills, {between} of them between a claim and its answer:");
    for (phase, count) in &histogram {
        println!("  {count:4}  {phase}");
    }
    let mut daemon = site.start();
    let all_settled = || dropped.iter().all(|asked| !site.answers(&asked.stem).is_empty()).then_some(());
    let settled = watch.until(PATIENCE, all_settled);
    assert!(settled.is_some(), "requests are left without an answer\n{}", daemon.log());
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());

    assert!(between >= kills / 2, "only {between} kills between claim and answer");
    // Some phases are short, and a slice of the kills may miss them.
    assert!(histogram.len() >= if kills >= 200 { 6 } else { 4 }, "the kills hit too few phases");
    reckoning::settled_once(&site, &dropped);
    reckoning::effects_add_up(&site);
    site.sluice(&["verify", "--at-rest"]).ok();
}
