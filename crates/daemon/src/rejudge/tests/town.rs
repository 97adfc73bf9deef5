//! A small site on a disk in memory, and the people who ask things of it.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use plan::{Answer, Reading};
use repo::Recipe;
use store::forgetful::ForgetfulDisk;
use store::{Disk, Modified, Store};

use crate::account::Account;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::Engine;

/// 1000 moves packages; 71001 is of operations, 71003 of quality.
pub(crate) const CONFIG: &str = r#"
format = 1
[site]
name = "Rejudged"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://localhost"
sweep_every = "30 days"
[roles]
release-team = ["uid:1000", "uid:71001"]
admin = ["uid:1000"]
operations = ["uid:71001"]
quality = ["uid:71003"]
[[product]]
name = "glite"
preset = "glite"
platforms = ["el9/x86_64"]
freeze_roles = ["operations"]
[[product.stage]]
name = "production"
waiver_roles = ["operations"]
[[product.route]]
from = "delta"
to = "production"
"#;

pub(crate) const ROUTE: &str =
    "approvals = [{ role = \"operations\" }, { role = \"quality\" }]\nsoak = \"2h\"\n";

const SPOOL: &str = "/var/spool/sluice";

pub(crate) fn import(files: &[String]) -> String {
    format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = {files:?}")
}

pub(crate) fn promote(package: &str) -> String {
    format!(
        "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"{package}\"]"
    )
}

pub(crate) fn withdraw(package: &str) -> String {
    format!("action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"{package}\"]")
}

pub(crate) fn of_stage(action: &str, more: &str) -> String {
    format!("action = \"{action}\"\nproduct = \"glite\"\nstage = \"production\"\n{more}")
}

/// A clock that stands until it is set.
#[derive(Debug)]
pub(crate) struct SetClock {
    seconds: AtomicI64,
    /// How far the clock on the wall is ahead of what passed.
    ahead: AtomicI64,
    tokens: AtomicU32,
}

impl SetClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Sets the clock on the wall, while no time passes.
    pub(crate) fn jump(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        let seconds = self.seconds.load(Ordering::SeqCst) + self.ahead.load(Ordering::SeqCst);
        Timestamp::from_second(seconds).unwrap()
    }

    fn reading(&self) -> Reading {
        let boot = SignedDuration::from_secs(self.seconds.load(Ordering::SeqCst));
        Reading { wall: self.now(), boot, boot_id: "the one start".to_owned() }
    }

    fn token(&self) -> u32 {
        self.tokens.fetch_add(1, Ordering::SeqCst)
    }
}

pub(crate) struct Town {
    pub(crate) disk: Arc<ForgetfulDisk>,
    pub(crate) clock: Arc<SetClock>,
    config: Arc<Config>,
    engine: Option<Engine>,
    asked: u32,
}

impl Town {
    pub(crate) fn new(config: &str) -> Self {
        let seconds = AtomicI64::new(1_700_000_000);
        let clock = Arc::new(SetClock { seconds, ahead: AtomicI64::new(0), tokens: AtomicU32::new(0) });
        let config = Arc::new(Config::parse(config.as_bytes(), "town.toml").unwrap());
        let mut town = Self { disk: Arc::new(ForgetfulDisk::new()), clock, config, engine: None, asked: 0 };
        town.restart();
        town.settle();
        town
    }

    pub(crate) fn restart(&mut self) {
        // The lock is free once the engine is gone.
        self.engine = None;
        let disk = Arc::clone(&self.disk) as Arc<dyn Disk>;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.engine = Some(Engine::open(Arc::clone(&self.config), disk, clock).unwrap());
    }

    pub(crate) fn configure(&mut self, config: &str) {
        self.config = Arc::new(Config::parse(config.as_bytes(), "town.toml").unwrap());
        self.restart();
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(Arc::clone(&self.disk) as Arc<dyn Disk>, "/srv/sluice")
    }

    pub(crate) fn account(&self) -> Account {
        let current = self.store().current().unwrap().unwrap();
        Account::of(current.number, &current.manifest.account).unwrap()
    }

    /// The time so many seconds from now.
    pub(crate) fn at(&self, seconds: i64) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(seconds)
    }

    /// Steps until nothing waits; two seconds pass between two steps.
    pub(crate) fn settle(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        for _ in 0..10 {
            self.clock.advance(2);
            self.disk.set_now(Modified { seconds: self.clock.now().as_second(), nanoseconds: 0 });
            let step = self.engine.as_mut().unwrap().step().unwrap();
            let rests = step.answers.is_empty() && step.wait.is_none();
            answers.extend(step.answers);
            if rests {
                return answers;
            }
        }
        panic!("the engine does not come to rest");
    }

    fn write(&self, uid: u32, path: &Utf8Path, bytes: &[u8]) {
        let disk = self.disk.as_user(uid, 1000);
        let mut file = disk.create(path, 0o644).unwrap();
        file.write_all(bytes).unwrap();
        file.sync().unwrap();
        disk.sync_directory(path.parent().unwrap()).unwrap();
    }

    /// Puts a package into `upload/`, and gives the name a request calls it by.
    pub(crate) fn upload(&self, name: &str, version: &str) -> String {
        self.upload_built(&Recipe::new(name, version, "1").arch("noarch"))
    }

    pub(crate) fn upload_built(&self, recipe: &Recipe) -> String {
        let rpm = recipe.build();
        let file = format!("{}-{}.rpm", repo::sha256(&rpm), recipe.name);
        self.write(1000, &Utf8PathBuf::from(format!("{SPOOL}/upload/{file}")), &rpm);
        file
    }

    /// Several people ask at once; gives their answers in the same order.
    pub(crate) fn ask_together(&mut self, all: &[(u32, &str)]) -> Vec<Answer> {
        let first = self.asked;
        for (uid, keys) in all {
            self.asked += 1;
            let path = Utf8PathBuf::from(format!("{SPOOL}/incoming/r{:03}.toml", self.asked));
            self.write(*uid, &path, format!("format = 1\n{keys}\n[end]\n").as_bytes());
        }
        let mut answers = self.settle();
        answers.retain(|answer| !answer.claim.starts_with("clock/"));
        answers.sort_by(|a, b| a.claim.cmp(&b.claim));
        assert_eq!(answers.len(), (self.asked - first) as usize, "{answers:?}");
        answers
    }

    pub(crate) fn ask(&mut self, uid: u32, keys: &str) -> Answer {
        self.ask_together(&[(uid, keys)]).remove(0)
    }

    /// Freezes everything by a file in the control directory, or no longer.
    pub(crate) fn freeze_by_file(&self, is_frozen: bool) {
        let folder = Utf8PathBuf::from(format!("{SPOOL}/freeze"));
        let file = folder.join("all");
        if !is_frozen {
            return self.disk.remove_file(&file).unwrap();
        }
        self.disk.make_directory(&folder, 0o755).unwrap();
        self.write(0, &file, b"the disk array beeps");
    }
}
