//! What arrives at once is not held at once: packages that say a MiB each, and the most memory that the daemon had.
//!
//! Nothing is timed. What is measured is the memory a process ever had, in front of the request and behind it: whoever holds what
//! the packages say once has all of it, and the bound is half of that.

use std::fs;

use camino::Utf8PathBuf;
use repo::Recipe;
use testkit::{Running, Sandbox, Site, createrepo_c};

const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "delta"
path = "delta/{os}"
import_roles = ["release-team"]
"#;

const PACKAGES: usize = 128;

/// How much each of them says, in bytes.
const SAID: usize = 1 << 20;

/// By how much the daemon may grow, in KiB.
const GROWTH_MAX: usize = (PACKAGES * SAID / 2) >> 10;

/// Packages with changes that fill the list `other`: the ten newest are listed.
fn packages(sandbox: &Sandbox) -> Utf8PathBuf {
    let folder = sandbox.folder("packages");
    for number in 0..PACKAGES {
        let mut recipe = Recipe::new(format!("wordy-{number:03}"), "1", "1").arch("x86_64");
        for change in 0..10 {
            // What packs all too well is refused where it is adopted.
            let line =
                |line| format!("- change {change}, told of {number} by whoever was asked {line} times\n");
            let text: String = (0..SAID / 10 / 50).map(line).collect();
            recipe = recipe.change(1_600_000_000 + change * 86_400, "Ann <ann@example.org>", &text);
        }
        fs::write(folder.join(recipe.file_name()), recipe.build()).unwrap();
    }
    folder
}

/// The most memory the daemon ever had, in KiB.
fn peak_of(daemon: &Running) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Lets a daemon do what is asked, and looks by how much it grows and whether all of it is listed.
fn check(sandbox: &Sandbox, arguments: &[&str]) {
    let site = Site::initialised(sandbox, "http://127.0.0.1:1", STAGES);
    let mut daemon = site.start();
    let before = peak_of(&daemon);
    site.sluice(arguments).ok();
    let growth = peak_of(&daemon) - before;
    println!("{}: {growth} KiB beside {before}", arguments[0]);
    assert!(growth < GROWTH_MAX, "it grew by {growth} KiB, {GROWTH_MAX} are allowed");
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let published = site.root().join("public/current/delta/el9");
    let repomd = repo::Repomd::parse(&fs::read(published.join("repodata/repomd.xml")).unwrap()).unwrap();
    let other = repomd.record("other").unwrap();
    let said = other.open_size.unwrap_or_default();
    assert!(said as usize > PACKAGES * SAID * 9 / 10, "the packages say {said} bytes only");
    site.sluice(&["verify", "--at-rest"]).ok();
}

#[test]
fn what_an_import_brings_is_not_held_at_once() {
    let sandbox = Sandbox::new();
    let folder = packages(&sandbox);
    check(&sandbox, &["import", "--to", "delta", "--folder", folder.as_str()]);
}

#[test]
fn what_is_adopted_is_not_held_at_once() {
    let sandbox = Sandbox::new();
    let folder = packages(&sandbox);
    createrepo_c(&folder, &["--no-database"]).ok();
    check(&sandbox, &["adopt", folder.as_str(), "--stage", "delta"]);
}
