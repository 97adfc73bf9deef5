//! What a step of a procedure costs the daemon where much is under way: patches, bundles and tasks by the thousand.
#![expect(clippy::disallowed_methods, reason = "drops requests and looks at what generations hold")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use repo::Recipe;

use crate::repodata::emptied;
use crate::site::{PATIENCE, Site};
use crate::usage::used_by;

/// One product with the procedure; everybody asks by the door.
const CONFIG: &str = r#"format = 1
[site]
name = "Bench"
base_url = "http://127.0.0.1:1"
root = "WORK/root"
spool = "WORK/spool"
grace = "0s"
door = "uid:DOOR"
[roles]
admin = ["uid:ME"]
release-team = ["uid:ME", "as:mu"]
operations = ["as:ou"]
verifiers = ["uid:ME"]
[[product]]
name = "bench"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "certified"
import_roles = ["verifiers"]
[[product.stage]]
name = "delta"
import_roles = ["release-team"]
[[product.stage]]
name = "production"
import_roles = ["release-team"]
[[product.route]]
from = "certified"
to = "delta"
roles = ["release-team"]
[[product.route]]
from = "delta"
to = "production"
roles = ["release-team"]
[product.procedure]
kind = "glite"
from = "certified"
beta = "delta"
production = "production"
"#;

/// The user `nobody` of every Linux: root is nobody's door.
const NOBODY: u32 = 65_534;

/// How much is under way.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// How many patches, of one package each.
    pub patches: usize,
    /// How many bundles they travel in.
    pub bundles: usize,
    /// How many teams try each bundle.
    pub teams: usize,
}

/// What one request used, and what the generation that it made holds.
struct Cost {
    processor: f64,
    wall: f64,
    /// Bytes of files that no other generation has.
    written: u64,
    /// Files that are linked from the generation before.
    linked: usize,
}

/// A site whose requests are dropped by the door.
struct Dropped {
    site: Site,
    door: u32,
    count: usize,
}

impl Dropped {
    fn place(&self, folder: &str, name: &str) -> Utf8PathBuf {
        self.site.work.join("spool").join(folder).join(name)
    }

    /// Drops requests at once, in this order; gives how each was answered, by its name.
    fn ask(&mut self, requests: &[(&str, &str, String)]) -> anyhow::Result<BTreeMap<String, String>> {
        let mut names = Vec::with_capacity(requests.len());
        for (who, action, keys) in requests {
            self.count += 1;
            let name = format!("r{:06}", self.count);
            let text = format!(
                "format = 1\naction = \"{action}\"\nproduct = \"bench\"\n{keys}\nas = \"{who}\"\n\n[end]\n"
            );
            let draft = self.place("tmp", &format!("{name}.toml"));
            fs::write(&draft, text).with_context(|| format!("failed to write `{draft}`"))?;
            chown(&draft, Some(self.door), None).with_context(|| format!("failed to hand over `{draft}`"))?;
            names.push(name);
        }
        for name in &names {
            let file = format!("{name}.toml");
            fs::rename(self.place("tmp", &file), self.place("incoming", &file))
                .context("failed to drop a request")?;
        }
        self.answers(&names)
    }

    fn answers(&self, names: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
        let begun = Instant::now();
        let mut answers = BTreeMap::new();
        while answers.len() < names.len() {
            ensure!(begun.elapsed() < PATIENCE, "{} of {} are answered", answers.len(), names.len());
            sleep(Duration::from_millis(5));
            for folder in ["done", "failed"] {
                for entry in self.place(folder, "").read_dir_utf8().context("failed to list answers")? {
                    let entry = entry.context("failed to list answers")?;
                    let Some((name, _)) = entry.file_name().split_once('-') else { continue };
                    if !entry.file_name().ends_with(".answer.json") || answers.contains_key(name) {
                        continue;
                    }
                    if names.iter().any(|one| one == name) {
                        let text = fs::read_to_string(entry.path()).context("failed to read an answer")?;
                        answers.insert(name.to_owned(), text);
                    }
                }
            }
        }
        Ok(answers)
    }

    /// Asks for what is done.
    fn does(&mut self, requests: &[(&str, &str, String)]) -> anyhow::Result<()> {
        for (name, answer) in self.ask(requests)? {
            ensure!(answer.contains("\"done\""), "{name} is not done: {answer}");
        }
        Ok(())
    }

    fn current(&self) -> anyhow::Result<Utf8PathBuf> {
        let link =
            self.site.work.join("root/public/current").read_link_utf8().context("nothing is published")?;
        let number = link.as_str().trim_start_matches('@').to_owned();
        Ok(self.site.work.join("root/generations").join(number))
    }

    /// Asks for one thing that is done, and tells what it cost.
    fn costs(&mut self, who: &str, action: &str, keys: String) -> anyhow::Result<Cost> {
        let before = self.site.idle()?;
        let begun = Instant::now();
        self.does(&[(who, action, keys)])?;
        let wall = begun.elapsed().as_secs_f64();
        // With everything that the daemon does after its answer.
        let after = self.site.idle()?;
        let (mut written, mut linked) = (0, 0);
        held(&self.current()?, &mut written, &mut linked)?;
        Ok(Cost { processor: after.processor - before.processor, wall, written, linked })
    }
}

/// Counts what a generation holds.
fn held(folder: &Utf8Path, written: &mut u64, linked: &mut usize) -> anyhow::Result<()> {
    for entry in folder.read_dir_utf8().with_context(|| format!("failed to list `{folder}`"))? {
        let entry = entry.context("failed to list a generation")?;
        let facts = entry.path().symlink_metadata().context("failed to look at a file")?;
        if facts.is_dir() {
            held(entry.path(), written, linked)?;
        } else if facts.is_file() && facts.nlink() == 1 {
            *written += facts.len();
        } else {
            *linked += 1;
        }
    }
    Ok(())
}

fn quoted(names: impl Iterator<Item = String>) -> String {
    format!("[{}]", names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", "))
}

/// Makes a site with so much under way, asks for single steps, and writes a table of what each cost.
pub fn table(work: &Utf8Path, sluice: &Utf8Path, size: Size, rounds: usize) -> anyhow::Result<String> {
    let Size { patches, bundles, teams } = size;
    ensure!(bundles > 0 && patches >= bundles && teams > 0, "each bundle has a patch and a team at least");
    let uid = nix::unistd::geteuid();
    let door = if uid.is_root() { NOBODY } else { uid.as_raw() };
    let mut site = Site::new(&CONFIG.replace("DOOR", &door.to_string()), work, sluice)?;
    site.start()?;
    let mut dropped = Dropped { site, door, count: 0 };
    under_way(&mut dropped, size)?;

    let mut out = format!(
        "{patches} patches, {bundles} bundles, {} tasks\n\n| step | CPU s | wall s | written KiB | files linked |\n\
         |---|---:|---:|---:|---:|\n",
        bundles * teams
    );
    for (step, who, keys) in steps() {
        let mut all = Vec::with_capacity(rounds);
        for round in 0..rounds {
            all.push(dropped.costs(&who(round), step, keys(round, size))?);
        }
        let median = |of: fn(&Cost) -> f64| {
            let mut all: Vec<f64> = all.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or_default()
        };
        out += &format!(
            "| {step} | {:.3} | {:.3} | {:.0} | {:.0} |\n",
            median(|one| one.processor),
            median(|one| one.wall),
            median(|one| one.written as f64 / 1024.0),
            median(|one| one.linked as f64),
        );
    }
    Ok(out)
}

/// The steps that are measured: who asks in which round, and for what.
type Step = (&'static str, fn(usize) -> String, fn(usize, Size) -> String);

fn steps() -> [Step; 6] {
    [
        (
            "patch-comment",
            |_| "mu".into(),
            |round, _| format!("patch = \"{round}\"\ncomment = \"looked at\""),
        ),
        (
            "task-answer",
            |_| team(0),
            |round, size| format!("task = {}\nanswer = \"accept\"", round * size.teams + 1),
        ),
        (
            "task-start",
            |_| team(0),
            |round, size| format!("task = {}\noutcome = \"success\"", round * size.teams + 1),
        ),
        (
            "task-comment",
            |_| team(0),
            |round, size| format!("task = {}\ncomment = \"it runs\"", round * size.teams + 1),
        ),
        (
            "patch-add",
            |_| "mu".into(),
            |round, size| {
                let new = size.patches + round;
                format!("patch = \"{new}\"\ntitle = \"one more\"\npackages = [\"{}\"]", package(new))
            },
        ),
        (
            "patch-status",
            |_| "mu".into(),
            |round, size| format!("patches = [\"{}\"]\nstatus = \"verified\"", size.patches + round),
        ),
    ]
}

fn package(number: usize) -> String {
    format!("package-{number:05}")
}

fn team(number: usize) -> String {
    format!("ea-NGI-Site{number:02}")
}

/// Brings everything to where early adopters are asked to try it.
fn under_way(dropped: &mut Dropped, Size { patches, bundles, teams }: Size) -> anyhow::Result<()> {
    let folder = emptied(&dropped.site.work.join("new"))?;
    // Some more, for patches that come later.
    for number in 0..patches + 100 {
        let text = format!("#!/bin/sh\necho {number}\n");
        let name = package(number);
        let recipe = Recipe::new(&name, "1.0", "1").arch("x86_64").file(&format!("/usr/bin/{name}"), text);
        crate::generate::write(&folder, &recipe)?;
    }
    used_by(&dropped.site.command(&["import", "--to", "certified", "--folder", folder.as_str()]))?;
    let register = |number: usize| {
        let keys = format!("team = \"{}\"\ncontact = \"grid@example.org\"", team(number));
        ("ou", "team-add", keys)
    };
    dropped.does(&(0..teams).map(register).collect::<Vec<_>>())?;
    let add = |number: usize| {
        let title = format!("What patch {number} cures, in a line as people write it");
        let packages = package(number);
        let keys = format!("patch = \"{number}\"\ntitle = \"{title}\"\npackages = [\"{packages}\"]");
        ("mu", "patch-add", keys)
    };
    dropped.does(&(0..patches).map(add).collect::<Vec<_>>())?;
    let of = |bundle: usize| quoted((bundle..patches).step_by(bundles).map(|number| number.to_string()));
    let everybody = quoted((0..teams).map(team));
    for chunk in (0..bundles).collect::<Vec<_>>().chunks(10) {
        let mut requests = Vec::new();
        for &bundle in chunk {
            let (id, its) = (format!("bundle = \"b{bundle}\""), format!("patches = {}", of(bundle)));
            requests.push(("mu", "patch-status", format!("{its}\nstatus = \"verified\"")));
            requests.push(("ou", "patch-status", format!("{its}\nstatus = \"ready-for-rollout\"")));
            requests.push(("mu", "bundle-create", format!("{id}\n{its}")));
            requests.push(("mu", "bundle-deploy", id.clone()));
            requests.push(("ou", "task-assign", format!("{id}\nteams = {everybody}")));
        }
        dropped.does(&requests)?;
    }
    Ok(())
}
