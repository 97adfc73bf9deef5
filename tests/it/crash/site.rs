//! A small site on a disk that forgets: the engine as it runs, the people who drop requests, a clock that is set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use daemon::clock::Clock;
use daemon::config::Config;
use daemon::engine::Engine;
use daemon::observe::Site;
use jiff::{SignedDuration, Timestamp};
use plan::{Answer, Reading};
use repo::Recipe;
use store::forgetful::ForgetfulDisk;
use store::{Disk, Modified, Store};

/// The user who asks; the forgetful disk gives every file to 1000:1000.
pub const CONFIG: &str = r#"
format = 1
[site]
name = "Crash"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://localhost"
grace = "1h"
sweep_every = "30 days"
[roles]
release-team = ["uid:1000"]
admin = ["uid:1000"]
[[product]]
name = "glite"
preset = "glite"
partial_release = "raised"
platforms = ["el9/x86_64"]
"#;

pub const ROOT: &str = "/srv/sluice";
pub const SPOOL: &str = "/var/spool/sluice";

/// A clock that stands until it is set.
#[derive(Debug)]
pub struct SetClock {
    seconds: AtomicI64,
    /// By how much the wall clock was set ahead of what has passed.
    jumped: AtomicI64,
    /// How often the machine was started.
    starts: AtomicU32,
    tokens: AtomicU32,
}

impl SetClock {
    pub fn at(seconds: i64) -> Arc<Self> {
        Arc::new(Self {
            seconds: AtomicI64::new(seconds),
            jumped: AtomicI64::new(0),
            starts: AtomicU32::new(0),
            tokens: AtomicU32::new(0),
        })
    }

    pub fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Switches the machine off and, after so many seconds, on again.
    pub fn power_off(&self, seconds: i64) {
        self.starts.fetch_add(1, Ordering::SeqCst);
        self.advance(seconds);
    }

    /// Sets the wall clock ahead, or back, while no time passes.
    pub fn jump(&self, seconds: i64) {
        self.jumped.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        let seconds = self.seconds.load(Ordering::SeqCst) + self.jumped.load(Ordering::SeqCst);
        Timestamp::from_second(seconds).expect("a small number of seconds")
    }

    fn reading(&self) -> Reading {
        let boot = SignedDuration::from_secs(self.seconds.load(Ordering::SeqCst));
        Reading { wall: self.now(), boot, boot_id: format!("start {}", self.starts.load(Ordering::SeqCst)) }
    }

    fn token(&self) -> u32 {
        self.tokens.fetch_add(1, Ordering::SeqCst)
    }
}

/// The configuration of the site, with these platforms.
pub fn config(platforms: &str) -> Arc<Config> {
    let text = CONFIG.replace("\"el9/x86_64\"", platforms);
    Arc::new(Config::parse(text.as_bytes(), "crash.toml").expect("the configuration of this test is right"))
}

pub fn open(disk: &Arc<ForgetfulDisk>, clock: &Arc<SetClock>) -> Result<Engine, daemon::error::Error> {
    open_with(disk, clock, "\"el9/x86_64\"")
}

pub fn open_with(
    disk: &Arc<ForgetfulDisk>,
    clock: &Arc<SetClock>,
    platforms: &str,
) -> Result<Engine, daemon::error::Error> {
    open_as(disk, clock, config(platforms))
}

pub fn open_as(
    disk: &Arc<ForgetfulDisk>,
    clock: &Arc<SetClock>,
    config: Arc<Config>,
) -> Result<Engine, daemon::error::Error> {
    let disk: Arc<dyn Disk> = Arc::clone(disk) as Arc<dyn Disk>;
    Engine::open(config, disk, Arc::clone(clock) as Arc<dyn Clock>)
}

/// Steps until nothing waits; two seconds pass between two steps. Gives what was answered.
pub fn settle(
    engine: &mut Engine,
    disk: &ForgetfulDisk,
    clock: &SetClock,
) -> Result<Vec<Answer>, daemon::error::Error> {
    let mut answers = Vec::new();
    for _ in 0..10 {
        clock.advance(2);
        disk.set_now(Modified { seconds: clock.now().as_second(), nanoseconds: 0 });
        let step = engine.step()?;
        let rests = step.answers.is_empty() && step.wait.is_none();
        answers.extend(step.answers);
        if rests {
            return Ok(answers);
        }
    }
    panic!("the engine does not come to rest");
}

/// Writes a file as a person does who wants it to stay.
pub fn write(disk: &dyn Disk, path: &Utf8Path, bytes: &[u8]) {
    let mut file = disk.create(path, 0o644).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    file.sync().unwrap();
    disk.sync_directory(path.parent().unwrap()).unwrap();
}

/// Drops a request into the control directory.
pub fn drop_request(disk: &dyn Disk, name: &str, text: &str) {
    let text = format!("format = 1\n{text}\n[end]\n");
    write(disk, &Utf8Path::new(SPOOL).join("incoming").join(name), text.as_bytes());
}

/// Puts a package into `upload/`, and gives the name a request calls it by.
pub fn upload(disk: &dyn Disk, rpm: &[u8], name: &str) -> String {
    let file = format!("{}-{name}", repo::sha256(rpm));
    write(disk, &Utf8Path::new(SPOOL).join("upload").join(&file), rpm);
    file
}

pub fn rpm(name: &str, version: &str) -> Vec<u8> {
    let path = format!("/usr/share/{name}/version");
    Recipe::new(name, version, "1").arch("noarch").file(&path, version.as_bytes()).build()
}

/// Imports packages into delta.
pub fn import_request(files: &[String]) -> String {
    format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = {files:?}")
}

/// Lists what every repository offers, by NEVRA.
pub fn offered(disk: &Arc<ForgetfulDisk>) -> BTreeMap<String, BTreeSet<String>> {
    let store = Store::new(Arc::clone(disk) as Arc<dyn Disk>, ROOT);
    let site = Site::current(store).unwrap().expect("a generation is published");
    let packages = site.packages().unwrap();
    packages
        .into_iter()
        .map(|(repository, listed)| {
            (repository.name(), listed.iter().map(|listed| listed.nevra.to_string()).collect())
        })
        .collect()
}

/// Reads every answer that can be seen.
pub fn answers(disk: &dyn Disk) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    let mut answers = BTreeMap::new();
    for place in ["done", "failed"] {
        let directory = Utf8Path::new(SPOOL).join(place);
        let Ok(names) = disk.list(&directory) else { continue };
        for name in names.names.iter().filter(|name| name.ends_with(".answer.json")) {
            let mut bytes = Vec::new();
            let mut file = disk.open(&directory.join(name)).unwrap();
            std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
            answers.insert(directory.join(name), bytes);
        }
    }
    answers
}

/// Lists the claims whose answers stand in the audit log.
pub fn audited_claims(disk: &dyn Disk) -> BTreeSet<String> {
    let directory = Utf8Path::new(ROOT).join("audit");
    let mut claims = BTreeSet::new();
    for name in disk.list(&directory).map(|names| names.names).unwrap_or_default() {
        let mut text = String::new();
        let mut file = disk.open(&directory.join(name)).unwrap();
        // A torn tail may cut a character in two.
        let _ = std::io::Read::read_to_string(&mut file, &mut text);
        let records =
            text.lines().filter_map(|line| serde_json::from_str::<daemon::audit::Record>(line).ok());
        claims.extend(records.filter_map(|record| record.claim));
    }
    claims
}

/// A site with voms 1 and 2 and lcg 1 in delta, voms 1 in production, and time gone by.
pub fn site() -> (Arc<ForgetfulDisk>, Arc<SetClock>) {
    let disk = Arc::new(ForgetfulDisk::new());
    let clock = SetClock::at(1_700_000_000);
    let mut engine = open(&disk, &clock).unwrap();
    settle(&mut engine, &disk, &clock).unwrap();
    let files = [upload(&*disk, &rpm("voms", "1"), "voms.rpm"), upload(&*disk, &rpm("lcg", "1"), "lcg.rpm")];
    drop_request(&*disk, "import.toml", &import_request(&files));
    settle(&mut engine, &disk, &clock).unwrap();
    drop_request(&*disk, "promote.toml", &promote("voms"));
    settle(&mut engine, &disk, &clock).unwrap();
    let files = [upload(&*disk, &rpm("voms", "2"), "voms.rpm")];
    drop_request(&*disk, "import2.toml", &import_request(&files));
    let answers = settle(&mut engine, &disk, &clock).unwrap();
    assert!(answers.iter().all(|answer| answer.exit == 0), "{answers:?}");
    drop(engine);
    (Arc::new(disk.synced()), clock)
}

pub fn promote(package: &str) -> String {
    format!(
        "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"{package}\"]"
    )
}

/// Where the repository lies that is adopted.
pub const EXISTING: &str = "/srv/old";

/// Makes a repository of two packages, one below `Packages/` and one not, with a group.
pub fn existing_repository(disk: &dyn Disk) {
    let directories = ["", "/repodata", "/Packages", "/Packages/g"];
    for directory in directories {
        disk.make_directory(&Utf8PathBuf::from(format!("{EXISTING}{directory}")), 0o755).unwrap();
    }
    let mut entries = Vec::new();
    for (name, href) in [("gfal", "Packages/g/gfal.rpm"), ("dpm", "dpm-1-1.noarch.rpm")] {
        let bytes = rpm(name, "1");
        write(disk, &Utf8Path::new(EXISTING).join(href), &bytes);
        let head = repo::read_head(&mut bytes.as_slice()).unwrap();
        let (size, sha256) = (bytes.len() as u64, repo::sha256(&bytes));
        let facts =
            repo::FileFacts { size, digest: sha256.into(), mtime: 1_600_000_000, href: href.to_owned() };
        entries.push(repo::entry_of(&repo::package_of(&head, facts).unwrap()));
    }
    let group = b"<comps/>";
    let measure = repo::Measure::of(nevra::Algorithm::Sha256, group);
    let record = repo::Record::new("group", "repodata/comps.xml".into(), 1_600_000_000, measure, None, None);
    let metadata = repo::write_metadata(&entries, 1_600_000_000, &[record]);
    write(disk, &Utf8Path::new(EXISTING).join("repodata/comps.xml"), group);
    for (href, bytes) in metadata.files {
        write(disk, &Utf8Path::new(EXISTING).join(href), &bytes);
    }
    write(disk, &Utf8Path::new(EXISTING).join("repodata/repomd.xml"), &metadata.repomd);
    for directory in directories {
        disk.sync_directory(&Utf8PathBuf::from(format!("{EXISTING}{directory}"))).unwrap();
    }
}

/// Adopts that repository into delta.
pub fn adopt() -> String {
    format!(
        "action = \"adopt\"\nproduct = \"glite\"\nstage = \"delta\"\nplatform = \"el9/x86_64\"\nfolder = {EXISTING:?}"
    )
}
