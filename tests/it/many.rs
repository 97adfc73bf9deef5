//! Many requests: thousands dropped at once, a flood of one user's beside one of another, more events than the
//! kernel keeps. With `SLUICE_THOROUGH=1` in the numbers that are promised; what was counted is printed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::chown;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use nix::sys::signal::Signal;
use repo::Recipe;
use serde_json::Value;
use testkit::{Running, Sandbox, Site, Watch, is_root};

const STAGES: &str = r#"
[roles]
release-team = ["ME", "uid:54321", "uid:54322"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

const FLOODING: u32 = 54_321;
const OTHER: u32 = 54_322;

/// So many packages can be promoted once each; whoever asks again is told that it is so already.
const PACKAGES: usize = 40;

/// The most claims of one step, `CLAIMS_AT_ONCE` of the daemon.
const CLAIMS_AT_ONCE: usize = daemon::spool::CLAIMS_AT_ONCE;

fn thorough(all: usize, slice: usize) -> usize {
    if std::env::var_os("SLUICE_THOROUGH").is_some() { all } else { slice }
}

fn patience() -> Duration {
    Duration::from_secs(thorough(3600, 120) as u64)
}

fn promotion(package: &str) -> String {
    format!(
        "format = 1\naction = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\n\
         packages = [\"{package}\"]\n[end]\n"
    )
}

fn names(folder: &Utf8Path) -> Vec<String> {
    folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect()
}

fn is_idle(site: &Site) -> bool {
    ["incoming", "processing"].iter().all(|folder| names(&site.spool().join(folder)).is_empty())
}

/// How often each stem was answered.
fn answered(site: &Site) -> BTreeMap<String, usize> {
    let mut answered = BTreeMap::new();
    for folder in ["done", "failed"] {
        for name in names(&site.spool().join(folder)) {
            let stem = name.strip_suffix(".answer.json").and_then(|claim| claim.rsplitn(3, '-').nth(2));
            if let Some(stem) = stem {
                *answered.entry(stem.to_owned()).or_default() += 1;
            }
        }
    }
    answered
}

/// The most memory the daemon has held, in KiB.
fn peak(daemon: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn generations(site: &Site) -> usize {
    names(&site.root().join("generations")).len()
}

/// Answers that no generation carries, in the order of the audit log, by claim.
fn recorded(site: &Site) -> Vec<String> {
    let mut claims = Vec::new();
    let mut months = names(&site.root().join("audit"));
    months.sort();
    for month in months {
        let text = fs::read_to_string(site.root().join("audit").join(month)).unwrap();
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        claims.extend(records.filter_map(|record| record["claim"].as_str().map(str::to_owned)));
    }
    claims
}

fn is_sound(site: &Site) {
    site.sluice(&["audit", "--verify"]).ok();
    site.sluice(&["verify", "--at-rest"]).ok();
}

#[test]
fn whatever_is_dropped_at_once_is_settled_once() {
    let count = thorough(10_000, 450);
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let folder = sandbox.folder("packages");
    let mut import = vec!["import".to_owned(), "--to".into(), "delta".into()];
    for number in 0..PACKAGES {
        let recipe = Recipe::new(format!("component-{number:02}"), "1.0", "1");
        fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
        import.push(folder.join(recipe.file_name()).into_string());
    }
    site.sluice(&import).ok();
    let before = generations(&site);
    let watch = Watch::on(&[&site.spool().join("processing")]);
    // They are all there when the daemon looks.
    daemon.signal(Signal::SIGSTOP);
    for number in 0..count {
        let package = match number % 3 {
            0 | 1 => format!("component-{:02}", number % PACKAGES),
            _ => format!("no-such-{number}"),
        };
        site.drop_request(&format!("r{number:05}.toml"), &promotion(&package));
    }
    let started = Instant::now();
    daemon.signal(Signal::SIGCONT);
    let settled = watch.until(patience(), || is_idle(&site).then_some(()));
    let seconds = started.elapsed().as_secs_f64();
    assert!(settled.is_some(), "requests are left\n{}", daemon.log());
    let answered = answered(&site);
    let made = generations(&site) - before;
    println!(
        "{count} requests at once: {seconds:.1} s, {:.0} a second, {} KiB at most, {made} generations",
        count as f64 / seconds,
        peak(&daemon)
    );
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let ours: BTreeMap<_, _> = answered.iter().filter(|(stem, _)| stem.starts_with('r')).collect();
    assert_eq!(ours.len(), count);
    assert!(ours.values().all(|times| **times == 1), "{ours:?}");
    // Those that take effect share generations.
    assert!((1..=PACKAGES).contains(&made), "{made} generations for {PACKAGES} packages");
    is_sound(&site);
}

#[test]
fn a_flood_of_one_user_does_not_keep_another_waiting() {
    if !is_root() {
        println!("skipped: only root can ask as two users");
        return;
    }
    let count = thorough(100_000, 1_500);
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let watch = Watch::on(&[&site.spool().join("processing")]);
    let ask = |stem: &str, uid: u32| {
        let draft = site.spool().join("tmp").join(stem);
        fs::write(&draft, promotion("no-such-component")).unwrap();
        chown(&draft, Some(uid), None).unwrap();
        fs::rename(&draft, site.spool().join("incoming").join(format!("{stem}.toml"))).unwrap();
    };
    daemon.signal(Signal::SIGSTOP);
    for number in 0..count {
        ask(&format!("flood{number:06}"), FLOODING);
    }
    ask("other0", OTHER);
    let started = Instant::now();
    daemon.signal(Signal::SIGCONT);
    // In the full run more of them come while the flood is answered, each when the one before has its answer.
    let mut waits = Vec::new();
    let failed = Watch::on(&[&site.spool().join("failed")]);
    for number in 0..thorough(20, 1) {
        let stem = format!("other{number}");
        let asked = if number == 0 { started } else { Instant::now() };
        if number > 0 {
            ask(&stem, OTHER);
        }
        let is_answered = || {
            let changed = failed.change(patience()).expect("answers come");
            let is_his = |path: &&camino::Utf8PathBuf| {
                let name = path.file_name().unwrap_or_default();
                name.starts_with(&format!("{stem}-")) && name.ends_with(".answer.json")
            };
            changed.iter().any(|path| is_his(&path)).then_some(())
        };
        while is_answered().is_none() {}
        waits.push(asked.elapsed());
    }
    let settled = watch.until(patience(), || is_idle(&site).then_some(()));
    assert!(settled.is_some(), "requests are left\n{}", daemon.log());
    println!(
        "{count} requests of one user answered in {:.1} s, {} KiB at most; {} of another's meanwhile, the slowest in {:.2} s",
        started.elapsed().as_secs_f64(),
        peak(&daemon),
        waits.len(),
        waits.iter().max().unwrap().as_secs_f64()
    );
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let recorded = recorded(&site);
    assert_eq!(recorded.len(), count + waits.len());
    let place = recorded.iter().position(|claim| claim.starts_with("other0-")).unwrap();
    assert!(place < CLAIMS_AT_ONCE, "it was answered after {place} others");
    assert!(answered(&site).values().all(|times| *times == 1));
    is_sound(&site);
}

#[test]
fn more_events_than_the_kernel_keeps_lose_no_request() {
    let most: usize =
        fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap();
    if most > 100_000 {
        println!("skipped: the kernel keeps {most} events here, which takes too long to overflow");
        return;
    }
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    // Every event has a name of its own, else the kernel would count them as one.
    daemon.signal(Signal::SIGSTOP);
    let incoming = site.spool().join("incoming");
    let files = most / 2 + 100;
    for number in 0..files {
        let stranger = incoming.join(format!("event-{number}"));
        // Made and removed: two events at least.
        fs::write(&stranger, "").unwrap();
        fs::remove_file(&stranger).unwrap();
    }
    site.drop_request("lost.toml", &promotion("no-such-component"));
    let watch = Watch::on(&[&site.spool().join("failed")]);
    daemon.signal(Signal::SIGCONT);
    // The scan comes every 30 s, and the daemon has made one when it started.
    let answer = watch.until(Duration::from_secs(20), || site.answers("lost").pop());
    assert!(answer.is_some(), "{}", daemon.log());
    println!("{} events at least, of which the kernel keeps {most}; the request was answered", 2 * files);
    // What comes after an overflow is heard of, too.
    site.drop_request("after.toml", &promotion("no-such-component"));
    let answer = watch.until(Duration::from_secs(20), || site.answers("after").pop());
    assert!(answer.is_some(), "{}", daemon.log());
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
}
