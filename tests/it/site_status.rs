//! `sluice status --space` and `--check` on a real site.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::time::SystemTime;

use camino::Utf8Path;
use serde_json::Value;
use testkit::{Ran, Sandbox, Site, program, run};

/// No grace, so that a sweep has something to take.
const STAGES: &str = r#"grace = "0h"
[roles]
release-team = ["ME"]
admin = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

/// The disk of whoever runs the tests may be nearly full: that is not what most of these are about.
const ANY_SPACE: [&str; 4] = ["--free-warning", "0", "--free-critical", "0"];

fn check(site: &Site, more: &[&str]) -> Ran {
    site.sluice(&[&["status", "--check"][..], more].concat())
}

/// The state of one finding, by the program's own account.
fn finding(site: &Site, what: &str, more: &[&str]) -> String {
    let said = run(site.as_daemon().args(["--json", "status", "--check"]).args(more)).stdout;
    let said: Value = serde_json::from_str(&said).unwrap();
    let findings = said["findings"].as_array().unwrap();
    let one = findings.iter().find(|finding| finding["what"] == what);
    one.unwrap_or_else(|| panic!("no finding `{what}` in {said:#}"))["state"].as_str().unwrap().to_owned()
}

fn act(site: &Site, stem: &str, rest: &str) -> Value {
    site.drop_request(&format!("{stem}.toml"), &format!("format = 1\n{rest}\n[end]\n"));
    let answer = site.answer(stem);
    assert_eq!(answer["exit"], 0, "{answer:#}");
    answer
}

fn import(site: &Site, stem: &str, minor: u32) {
    let recipe =
        repo::Recipe::new("voms", &*format!("1.{minor}"), "1").file("/usr/share/voms", vec![b'x'; 5000]);
    let upload = site.upload(&recipe.file_name(), &recipe.build());
    act(
        site,
        stem,
        &format!("action = \"import\"\nproduct = \"glite-3.2\"\nto = \"delta\"\nfiles = [\"{upload}\"]"),
    );
}

#[test]
fn monitoring_learns_the_state_of_a_site_from_one_line_and_the_exit_code() {
    let sandbox = Sandbox::new();
    let site = Site::new(&sandbox, "http://127.0.0.1:1", STAGES);
    let nothing = check(&site, &ANY_SPACE);
    assert!(
        nothing.code() == 2 && nothing.stdout.starts_with("SLUICE CRITICAL - there is no site"),
        "{nothing}"
    );
    run(site.as_daemon().arg("init")).ok();

    let mut daemon = site.start();
    // Only the daemon's group may look into `quarantine/`: monitoring runs as somebody of it.
    let well = run(site.as_daemon().args(["status", "--check"]).args(ANY_SPACE)).ok();
    assert_eq!(well.stdout.lines().count(), 1, "{well}");
    assert!(well.stdout.starts_with("SLUICE OK - the daemon runs as process "), "{well}");
    assert!(well.stdout.contains(" | generation=1 generation_age="), "{well}");
    assert_eq!(finding(&site, "free", &["--free-critical", "100.1"]), "CRITICAL");
    assert_eq!(finding(&site, "free", &["--free-warning", "100.1", "--free-critical", "0"]), "WARNING");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());

    let idle = run(site.as_daemon().args(["status", "--check"]).args(ANY_SPACE));
    assert!(idle.code() == 2 && idle.stdout.contains("no daemon holds the lock"), "{idle}");
    site.drop_request("late.toml", "format = 1\n");
    assert_eq!(finding(&site, "requests", &[]), "OK");
    run(program("touch").args(["-d", "30 minutes ago"]).arg(site.spool().join("incoming/late.toml"))).ok();
    assert_eq!(finding(&site, "requests", &[]), "WARNING");
    assert_eq!(finding(&site, "requests", &["--wait-critical", "20m"]), "CRITICAL");
    assert_eq!(finding(&site, "requests", &["--wait-warning", "10h"]), "OK");

    assert_eq!(finding(&site, "quarantine", &[]), "OK");
    fs::create_dir(site.root().join("quarantine/7")).unwrap();
    fs::write(site.root().join("quarantine/7/left"), "over").unwrap();
    assert_eq!(finding(&site, "quarantine", &[]), "WARNING");

    assert_eq!(finding(&site, "current", &[]), "OK");
    let pointer = site.root().join("public/current");
    fs::remove_file(&pointer).unwrap();
    symlink("@99", &pointer).unwrap();
    assert_eq!(finding(&site, "current", &[]), "CRITICAL");

    fs::write(site.config(), "format = 1\n[site\n").unwrap();
    let unread = check(&site, &[]);
    assert!(unread.code() == 3 && unread.stdout.starts_with("SLUICE UNKNOWN - "), "{unread}");
    assert_eq!(unread.stdout.lines().count(), 1, "{unread}");
    let wrong = check(&site, &["--wait-warning", "soon"]);
    assert_eq!(wrong.code(), 2, "{wrong}");
}

/// Every file below a folder by its inode, with its size; the time it was made tells a number that was used again.
fn inodes(folder: &Utf8Path) -> BTreeMap<(u64, Option<SystemTime>), u64> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| entry.metadata().unwrap())
        .map(|facts| ((facts.ino(), facts.created().ok()), facts.size()))
        .collect()
}

/// The same below the site but `staging/` and `cache/`: what a request has left there is cleared away after its answer, and
/// what is remembered there is written anew at any time.
fn outside_of_staging_and_cache(site: &Site) -> BTreeMap<(u64, Option<SystemTime>), u64> {
    let beside = fs::read_dir(site.root()).unwrap().map(|entry| entry.unwrap().path());
    let beside = beside.filter(|path| !path.ends_with("staging") && !path.ends_with("cache"));
    beside.flat_map(|path| inodes(Utf8Path::from_path(&path).unwrap())).collect()
}

fn space(site: &Site) -> Value {
    let said = run(site.as_daemon().args(["--json", "status", "--space"])).ok();
    serde_json::from_str(&said.stdout).unwrap()
}

#[test]
fn the_bytes_are_told_by_who_holds_them_and_a_sweep_frees_what_was_said() {
    let sandbox = Sandbox::new();
    let site = Site::initialised(&sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    import(&site, "first", 1);
    import(&site, "second", 2);
    let before = space(&site);
    assert_eq!((before["pool"]["files"].as_u64(), before["listed"]["files"].as_u64()), (Some(2), Some(2)));
    let withdrawal =
        "action = \"withdraw\"\nproduct = \"glite-3.2\"\nfrom = \"delta\"\npackages = [\"voms-1.1-1\"]";
    act(&site, "third", withdrawal);
    // A generation is on record after its answer, and before anything else is answered.
    site.drop_request("nonsense.toml", "format = 1\naction = \"nonsense\"\n[end]\n");
    assert_eq!(site.answer("nonsense")["code"], "unknown-action");

    let told = space(&site);
    let sizes = |folder: &str| inodes(&site.root().join(folder)).values().sum::<u64>();
    assert_eq!(told["pool"]["bytes"].as_u64(), Some(sizes("pool")));
    assert_eq!((told["listed"]["files"].as_u64(), told["retained"]["files"].as_u64()), (Some(1), Some(1)));
    assert!(told["retained"]["until"].is_string() && told["superseded"]["until"].is_string(), "{told:#}");
    assert_eq!(told["records"]["bytes"].as_u64(), Some(sizes("audit") + sizes("policy") + sizes("history")));
    assert!(told["free"]["bytes"].as_u64() > Some(0));
    let halves = inodes(&site.root().join("generations"));
    let web = inodes(&site.root().join("public"));
    let pool = inodes(&site.root().join("pool"));
    let held: u64 = halves
        .into_iter()
        .chain(web)
        .filter(|(inode, _)| !pool.contains_key(inode))
        .map(|(_, size)| size)
        .sum();
    let counted = |what: &str| told[what]["bytes"].as_u64().unwrap();
    assert_eq!(counted("current") + counted("generations"), held);

    // What is gone after the sweep is what it was said to free.
    let there = outside_of_staging_and_cache(&site);
    act(&site, "sweep", "action = \"sweep\"");
    // It answers first and removes then.
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let left = outside_of_staging_and_cache(&site);
    let gone: Vec<u64> =
        there.iter().filter(|(inode, _)| !left.contains_key(inode)).map(|(_, size)| *size).collect();
    assert_eq!(told["sweep"]["freed"]["bytes"].as_u64(), Some(gone.iter().sum()), "{told:#}");
    assert!(told["sweep"]["generations"].as_array().unwrap().len() > 1, "{told:#}");
    let after = space(&site);
    println!("before the sweep {}, after it {}", told["generations"], after["generations"]);
    let words = run(site.as_daemon().args(["status", "--space"])).ok().stdout;
    assert!(words.contains("  pool ") && words.contains("a sweep would remove"), "{words}");
}
