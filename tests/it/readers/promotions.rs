//! Packages that go back and forth between stages, by requests in the control directory of the real daemon.
//!
//! ```text
//!   delta --promote, a request each--> (both --clock-->) production --import--> both --withdraw--> delta
//! ```
//!
//! Groups of packages wander on one platform, and each package is at every instant in `delta` or in `production`.
//! On the other platform packages come for good, and `production` is reverted now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use fastrand::Rng;
use repo::{Recipe, Repomd};
use serde_json::Value;
use testkit::{Site, Watch};

use super::ledger::Ledger;

/// The configuration of a site that [`Promotions`] can drive.
pub const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64", "el9/aarch64"]
"#;

/// What follows there if promoted packages are to be in both stages for a while: the slice of every run needs few
/// promotions, and has a long one, so that no load makes it too short.
pub fn overlap() -> String {
    let seconds = if std::env::var_os("SLUICE_THOROUGH").is_some() { 10 } else { 30 };
    format!("[[product.route]]\nfrom = \"delta\"\nto = \"production\"\noverlap = \"{seconds}s\"\n")
}

/// The routes between the repositories, the one on which packages wander first.
pub fn routes() -> Vec<[String; 2]> {
    let of = |arch: &str| ["delta", "production"].map(|stage| format!("glite/el9/{arch}/{stage}"));
    vec![of("x86_64"), of("aarch64")]
}

const GROUPS: usize = 4;
const OF_GROUP: usize = 4;
const RESIDENTS: usize = 24;

/// How long a package that moves is in both stages at least, and for how long whoever reads both may take: the overlap
/// is counted from when a promotion is decided, and what may pass until it is seen goes off it.
pub const TOGETHER: Duration = Duration::from_secs(6);

const PATIENCE: Duration = Duration::from_secs(120);

const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    pub promotions: u64,
    pub withdrawals: u64,
    pub imports: u64,
    pub reverts: u64,
    pub generations: u64,
}

pub struct Promotions<'a> {
    site: &'a Site,
    ledger: Arc<Ledger>,
    answers: Watch,
    rng: Rng,
    steps: u64,
    asked: u64,
    /// When the packages of a group were seen to be back in `delta`.
    back: BTreeMap<usize, Instant>,
    pub done: Done,
}

/// Names one package of a group.
fn wanderer(group: usize, number: usize) -> String {
    format!("wanderer-{group}-{number}")
}

/// Names all that wander.
pub fn wanderers() -> Vec<String> {
    (0..GROUPS).flat_map(|group| (0..OF_GROUP).map(move |number| wanderer(group, number))).collect()
}

/// A package of some kilobytes that do not compress.
pub fn recipe(name: &str) -> Recipe {
    let mut rng =
        Rng::with_seed(name.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte)));
    let bytes: Vec<u8> = (0..rng.usize(4_000..24_000)).map(|_| rng.u8(..)).collect();
    let mut recipe = Recipe::new(name, "1.0", "1").file(&format!("/usr/share/{name}/bytes"), bytes);
    for file in 0..rng.usize(4..40) {
        recipe = recipe.file(&format!("/usr/share/{name}/{:016x}-{file}", rng.u64(..)), "x");
    }
    recipe.change(1_600_000_000, "Somebody <somebody@example.org>", "- made it")
}

/// Names what stays where it is.
pub fn residents() -> Vec<String> {
    (0..RESIDENTS).map(|number| format!("resident-{number:02}")).collect()
}

impl<'a> Promotions<'a> {
    /// Brings everything in: residents into `production`, wanderers into `delta`.
    pub fn new(site: &'a Site, seed: u64) -> Self {
        let answers = Watch::on(&[&site.spool().join("done"), &site.spool().join("failed")]);
        let mut promotions = Self {
            site,
            ledger: Arc::new(Ledger::new(site.root())),
            answers,
            rng: Rng::with_seed(seed),
            steps: 0,
            asked: 0,
            back: BTreeMap::new(),
            done: Done::default(),
        };
        let residents = promotions.import(&residents(), "production", "*/*");
        promotions.ask(vec![residents]);
        let wanderers = promotions.import(&wanderers(), "delta", "el9/x86_64");
        promotions.ask(vec![wanderers]);
        promotions.ledger = Arc::new(Ledger::new(site.root()));
        promotions.done = Done::default();
        promotions
    }

    pub fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.ledger)
    }

    /// Hands in some requests and waits for their answers.
    pub fn step(&mut self) {
        self.steps += 1;
        let in_delta = self.listed("x86_64/delta");
        let in_production = self.listed("x86_64/production");
        let mut requests = Vec::new();
        for group in 0..GROUPS {
            let names: Vec<String> = (0..OF_GROUP).map(|number| wanderer(group, number)).collect();
            let all = |listed: &BTreeSet<String>| names.iter().all(|name| listed.contains(name));
            for name in &names {
                let is_somewhere = in_delta.contains(name) || in_production.contains(name);
                assert!(is_somewhere, "`{name}` is in neither stage after step {}", self.steps);
            }
            match (all(&in_delta), all(&in_production)) {
                (true, true) if self.back.get(&group).is_some_and(|since| since.elapsed() > TOGETHER) => {
                    self.back.remove(&group);
                    requests.push(request("withdraw", &[("from", "production")], &names, "el9/x86_64"));
                }
                (true, false) if self.rng.usize(..4) > 0 => {
                    let route = [("from", "delta"), ("to", "production")];
                    let one =
                        |name: &String| request("promote", &route, std::slice::from_ref(name), "el9/x86_64");
                    requests.extend(names.iter().map(one));
                }
                (false, true) if self.rng.usize(..4) > 0 => {
                    requests.push(self.import(&names, "delta", "el9/x86_64"));
                }
                _ => {}
            }
        }
        requests.extend(self.elsewhere());
        if requests.is_empty() {
            // Nothing but time will change anything.
            drop(self.answers.change(TOGETHER / 4));
            return self.look();
        }
        self.ask(requests);
    }

    /// Brings one more package into `production` of the other platform.
    pub fn bring(&mut self, file: &str, package: &[u8]) {
        let upload = self.site.upload(file, package);
        let text = format!(
            "format = 1\naction = \"import\"\nproduct = \"glite\"\nto = \"production\"\nfiles = [\"{upload}\"]\n\
             platforms = [\"el9/aarch64\"]\n[end]\n"
        );
        self.ask(vec![Asked { action: "import", text }]);
    }

    /// Takes it out again.
    pub fn take_away(&mut self, name: &str) {
        let name = name.to_owned();
        self.ask(vec![request("withdraw", &[("from", "production")], &[name], "el9/aarch64")]);
    }

    /// What happens on the other platform: a package comes, goes on, and now and then all goes back.
    fn elsewhere(&mut self) -> Option<Asked> {
        let platform = "el9/aarch64";
        match self.steps % 12 {
            1 => Some(self.import(&[format!("newcomer-{:05}", self.steps)], "delta", platform)),
            4 | 10 if !self.listed("aarch64/delta").is_empty() => {
                let route = [("from", "delta"), ("to", "production")];
                Some(request("promote", &route, &["*".to_owned()], platform))
            }
            7 => {
                let back = self.ledger.current().saturating_sub(self.rng.u64(1..24)).max(self.ledger.first);
                let back = (back..).find(|number| self.ledger.is_there(*number)).unwrap_or(back);
                let text = format!(
                    "format = 1\naction = \"revert\"\nproduct = \"glite\"\nstage = \"production\"\ngeneration = {back}\n\
                     platforms = [\"{platform}\"]\n[end]\n"
                );
                Some(Asked { action: "revert", text })
            }
            _ => None,
        }
    }

    /// Reads what a repository lists now, from the disk.
    fn listed(&self, repository: &str) -> BTreeSet<String> {
        let folder = self.site.root().join("public").join(format!("@{}", self.ledger.current()));
        let folder = folder.join("glite/el9").join(repository);
        let repomd = Repomd::parse(&fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
        let primary = fs::read(folder.join(&repomd.record("primary").unwrap().href)).unwrap();
        let primary = repo::unpack(&primary, 1 << 26).unwrap();
        repo::parse_primary(&primary).unwrap().into_iter().map(|package| package.nevra.name).collect()
    }

    fn import(&self, names: &[String], to: &str, platform: &str) -> Asked {
        let upload = |name: &String| {
            let recipe = recipe(name);
            format!("\"{}\"", self.site.upload(&recipe.file_name(), &recipe.build()))
        };
        let files: Vec<String> = names.iter().map(upload).collect();
        let text = format!(
            "format = 1\naction = \"import\"\nproduct = \"glite\"\nto = \"{to}\"\nfiles = [{}]\n\
             platforms = [\"{platform}\"]\n[end]\n",
            files.join(", ")
        );
        Asked { action: "import", text }
    }

    /// Drops requests as people do, waits until each is answered, and counts.
    fn ask(&mut self, requests: Vec<Asked>) {
        let mut open = BTreeMap::new();
        for asked in requests {
            self.asked += 1;
            let stem = format!("r{}", self.asked);
            self.site.drop_request(&format!("{stem}.toml"), &asked.text);
            open.insert(stem, asked);
        }
        let mut idle = Duration::ZERO;
        while !open.is_empty() {
            // What came and made no event is found all the same.
            let changed = self.answers.change(LOOK_EVERY).unwrap_or_else(|| {
                idle += LOOK_EVERY;
                assert!(idle < PATIENCE, "no answer came to {:?}", open.keys());
                self.answered()
            });
            for path in changed {
                // `<stem>-<UTC time>-<6 hex>.answer.json`
                let stem = path.file_name().and_then(|name| name.strip_suffix(".answer.json"));
                let Some(stem) = stem.and_then(|claim| claim.split('-').next()) else { continue };
                let answer =
                    fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
                let told = answer.and_then(|answer| Some((answer, open.remove(stem)?)));
                let Some((answer, asked)) = told else { continue };
                if answer["outcome"] == "done" {
                    self.count(&asked);
                    continue;
                }
                // To go back to what is listed is nothing to do, and so is a promotion of what is still listed in
                // both stages.
                let nothing = [("revert", "nothing-to-do"), ("promote", "already-there")];
                let is_nothing =
                    nothing.iter().any(|(a, code)| asked.action == *a && answer["code"] == *code);
                let is_elsewhere = asked.text.contains("aarch64");
                assert!(is_nothing && is_elsewhere, "{}\n{answer:#}", asked.text);
            }
        }
        self.look();
    }

    /// Every answer that lies there.
    fn answered(&self) -> Vec<Utf8PathBuf> {
        let folders = ["done", "failed"].map(|folder| self.site.spool().join(folder));
        let entries = folders.iter().flat_map(|folder| folder.read_dir_utf8().unwrap());
        entries.flatten().map(camino::Utf8DirEntry::into_path).collect()
    }

    fn count(&mut self, asked: &Asked) {
        match asked.action {
            "promote" => self.done.promotions += 1,
            "withdraw" => self.done.withdrawals += 1,
            "import" => self.done.imports += 1,
            _ => self.done.reverts += 1,
        }
        for group in (0..GROUPS).filter(|_| asked.action == "import") {
            if asked.text.contains(&format!("{}-1.0", wanderer(group, 0))) {
                self.back.insert(group, Instant::now());
            }
        }
    }

    /// Counts the generations there were.
    fn look(&mut self) {
        if self.steps > 0 && self.steps.is_multiple_of(100) {
            println!("step {}: {:?}", self.steps, self.done);
        }
        let numbers = self.ledger.first + 1..=self.ledger.current();
        self.done.generations = numbers.filter(|number| self.ledger.is_there(*number)).count() as u64;
    }
}

/// A request that is handed in.
struct Asked {
    action: &'static str,
    text: String,
}

fn request(action: &'static str, stages: &[(&str, &str)], packages: &[String], platform: &str) -> Asked {
    let stages: String = stages.iter().map(|(key, stage)| format!("{key} = \"{stage}\"\n")).collect();
    let text = format!(
        "format = 1\naction = \"{action}\"\nproduct = \"glite\"\n{stages}packages = {packages:?}\n\
         platforms = [\"{platform}\"]\n[end]\n"
    );
    Asked { action, text }
}
