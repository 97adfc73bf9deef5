//! The clock sweeps by itself: what is over goes, what is promised stays, and nobody waits for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use daemon::account::Account;
use daemon::clock::Clock as _;
use daemon::engine::Engine;
use daemon::verify::{Rest, Verifier};
use plan::{Answer, Outcome};
use store::forgetful::ForgetfulDisk;
use store::{Disk, Store};

use crate::crash::site::{self, ROOT, SPOOL, SetClock};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const WITHDRAW: &str = "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"lcg\"]";

struct Site {
    disk: Arc<ForgetfulDisk>,
    clock: Arc<SetClock>,
    engine: Engine,
    asked: u32,
}

impl Site {
    fn new() -> Self {
        let (disk, clock) = site::site();
        let engine = site::open(&disk, &clock).unwrap();
        Self { disk, clock, engine, asked: 0 }
    }

    /// Lets the engine work until it rests; gives what was answered, and to whom.
    fn settle(&mut self) -> Vec<Answer> {
        site::settle(&mut self.engine, &self.disk, &self.clock).unwrap()
    }

    fn ask(&mut self, request: &str) -> Answer {
        self.asked += 1;
        site::drop_request(&*self.disk, &format!("asked-{}.toml", self.asked), request);
        self.settle().remove(0)
    }

    fn store(&self) -> Store {
        Store::new(Arc::clone(&self.disk) as Arc<dyn Disk>, ROOT)
    }

    fn current(&self) -> u64 {
        self.store().current().unwrap().unwrap().number
    }

    /// The links below `packages/` whose names say what they are.
    fn links(&self, what: &str) -> usize {
        files(&*self.disk, &self.store().paths().packages())
            .iter()
            .filter(|path| path.as_str().contains(what))
            .count()
    }

    fn wrong(&self) -> Vec<String> {
        let now = self.clock.now();
        let found = Verifier::default().verify(
            &*self.disk,
            Utf8Path::new(ROOT),
            Some(Utf8Path::new(SPOOL)),
            Rest::Quiet,
            now,
        );
        found.iter().map(|found| format!("{} {}: {}", found.invariant, found.place, found.words)).collect()
    }
}

fn files(disk: &dyn Disk, dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    for name in disk.list(dir).unwrap().names {
        let path = dir.join(name);
        match disk.state(&path).unwrap().unwrap().kind {
            store::Kind::Directory => found.extend(files(disk, &path)),
            _ => found.push(path),
        }
    }
    found
}

#[test]
fn the_clock_sweeps_once_when_its_time_has_come_and_says_so() {
    let mut site = Site::new();
    assert_eq!(site.ask(WITHDRAW).outcome, Outcome::Done);
    site.clock.advance(29 * DAY);
    assert!(site.settle().is_empty(), "nothing lies about for as long as the configuration allows");
    assert_eq!(site.links("lcg"), 1);
    site.clock.advance(2 * DAY);
    let before = site.current();
    let answers = site.settle();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers[0].claim.starts_with("clock/sweep/") && answers[0].owner == "clock");
    assert_eq!((site.links("lcg"), site.current()), (0, before + 1));
    assert_eq!(site.store().numbers().unwrap(), [before, before + 1]);
    let manifest = site.store().history(before + 1).unwrap();
    let account = Account::of(before + 1, &manifest.account).unwrap();
    assert_eq!(account.requests[0].answer.claim, answers[0].claim);
    // One sweep does not call for another.
    for _ in 0..100 {
        site.clock.advance(DAY);
        let answers = site.settle();
        assert!(answers.iter().all(|answer| answer.sentence.contains("leave the pool")), "{answers:?}");
    }
    assert_eq!(site.wrong(), Vec::<String>::new());
}

#[test]
fn a_request_goes_before_the_sweep() {
    let mut site = Site::new();
    site.ask(WITHDRAW);
    site.clock.advance(31 * DAY);
    site::drop_request(&*site.disk, "first.toml", &site::promote("voms-2-1"));
    let answers = site.settle();
    let asked: Vec<(&str, Option<u64>)> =
        answers.iter().map(|answer| (answer.action.as_str(), answer.generation)).collect();
    let first = site.current() - 1;
    assert_eq!(asked, [("promote", Some(first)), ("sweep", Some(first + 1))]);
}

#[test]
fn of_many_generations_of_an_hour_few_stay() {
    let mut site = Site::new();
    let names: BTreeSet<u64> = (0..20)
        .map(|_| {
            site.clock.advance(60);
            site.ask("action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = [\"lcg\"]");
            site.clock.advance(60);
            site.ask("action = \"revert\"\nproduct = \"glite\"\nstage = \"delta\"\ngeneration = 4");
            site.ask("action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"production\"\npackages = [\"lcg\"]");
            site.current()
        })
        .collect();
    assert_eq!(names.len(), 20);
    assert_eq!(site.ask("action = \"sweep\"").outcome, Outcome::NothingToDo);
    site.clock.advance(2 * HOUR);
    assert_eq!(site.ask("action = \"sweep\"").outcome, Outcome::Done);
    assert_eq!(site.wrong(), Vec::<String>::new());
}

#[test]
fn what_a_name_holds_stays_whole() {
    let hold = || {
        let mut site = Site::new();
        site.ask("action = \"keep\"\nas = \"update-1\"");
        site.ask(WITHDRAW);
        site.clock.advance(DAY);
        assert_eq!(site.ask("action = \"sweep\"").outcome, Outcome::Done);
        site
    };
    let mut site = hold();
    assert_eq!((site.links("lcg"), site.wrong()), (1, Vec::new()));
    site.clock.advance(DAY);
    assert_eq!(site.ask("action = \"keep\"\ndrop = \"update-1\"").outcome, Outcome::Done);
    site.clock.advance(DAY);
    assert_eq!(site.ask("action = \"sweep\"").outcome, Outcome::Done);
    assert_eq!((site.links("lcg"), site.wrong()), (0, Vec::new()));
}

#[test]
fn what_leaves_is_promised_for_the_grace() {
    let kept = || {
        let mut site = Site::new();
        let number = site.ask(WITHDRAW).generation.unwrap();
        let manifest = site.store().history(number).unwrap();
        let until = *manifest.retained.values().next().unwrap();
        until.duration_since(manifest.created).as_secs()
    };
    assert_eq!(kept(), HOUR);
}

#[test]
fn a_package_without_links_leaves_the_pool_after_ninety_days_and_can_come_again() {
    let mut site = Site::new();
    let pooled = |site: &Site| files(&*site.disk, &site.store().paths().pool()).len();
    let all = pooled(&site);
    site.ask(WITHDRAW);
    for name in ["a", "b", "c", "d"] {
        site.clock.advance(31 * DAY);
        // Something else is over now and then, so that the clock looks.
        site.ask(&format!("action = \"keep\"\nas = \"{name}\""));
        site.settle();
        assert_eq!(pooled(&site), all);
    }
    site.clock.advance(62 * DAY);
    site.settle();
    assert_eq!((pooled(&site), site.wrong()), (all - 1, Vec::new()));
    let files = [site::upload(&*site.disk, &site::rpm("lcg", "1"), "lcg.rpm")];
    assert_eq!(site.ask(&site::import_request(&files)).outcome, Outcome::Done);
    assert_eq!((pooled(&site), site.wrong()), (all, Vec::new()));
}

#[test]
fn quarantine_is_emptied_after_seven_days() {
    let mut site = Site::new();
    let lies = site.store().paths().quarantine().join("99");
    site.disk.make_directory(&lies, 0o750).unwrap();
    site::write(&*site.disk, &lies.join("half"), b"written");
    let emptied = |site: &Site| site.store().quarantined().unwrap().iter().all(|one| one.emptied);
    site.clock.jump(30 * DAY);
    site.settle();
    assert!(!emptied(&site), "a clock that jumped emptied it");
    site.clock.jump(-30 * DAY);
    site.settle();
    site.clock.advance(31 * DAY);
    site.settle();
    assert!(emptied(&site));
}
