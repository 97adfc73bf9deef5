//! The overlap of a route: what is promoted stays listed in the stage it came from for so long, and leaves by itself.

use std::cell::RefCell;
use std::sync::Arc;

use camino::Utf8Path;
use daemon::account::Account;
use daemon::clock::Clock as _;
use daemon::config::Config;
use daemon::engine::Engine;
use daemon::verify::{Rest, Verifier};
use plan::{Answer, Outcome};
use repo::Recipe;
use serde_json::Value;
use store::crash::Sweep;
use store::forgetful::ForgetfulDisk;
use store::planted::{Bug, plant};
use store::{Disk, Modified, Store};
use testkit::{Checker, Sandbox, run};

use crate::crash::site::{self, CONFIG, ROOT, SPOOL, SetClock};
use crate::crash::{Told, look, newly_told, ways};

const HOUR: i64 = 3600;
const ROUTE: &str = "[[product.route]]\nfrom = \"delta\"\nto = \"production\"\noverlap = \"48h\"\n";
const DELTA: &str = "glite-el9-x86_64-delta";
const PRODUCTION: &str = "glite-el9-x86_64-production";

fn config() -> Arc<Config> {
    let text = format!("{CONFIG}{ROUTE}");
    Arc::new(Config::parse(text.as_bytes(), "overlap.toml").expect("the configuration of this test is right"))
}

struct Site {
    disk: Arc<ForgetfulDisk>,
    clock: Arc<SetClock>,
    engine: Option<Engine>,
}

impl Site {
    /// A site whose route from delta to production has an overlap of two days, begun when `lcg` was promoted.
    fn promoted() -> Self {
        let (disk, clock) = site::site();
        let engine = Some(site::open_as(&disk, &clock, config()).unwrap());
        let mut site = Self { disk, clock, engine };
        let answers = site.ask("promoted.toml", &site::promote("lcg"));
        assert_eq!(answers[0].outcome, Outcome::Done, "{answers:?}");
        assert!(answers[0].sentence.contains(", listed in both until "), "{answers:?}");
        site
    }

    fn settle(&mut self) -> Vec<Answer> {
        let engine = self.engine.as_mut().expect("it runs");
        site::settle(engine, &self.disk, &self.clock).unwrap()
    }

    fn ask(&mut self, name: &str, request: &str) -> Vec<Answer> {
        site::drop_request(&*self.disk, name, request);
        self.settle()
    }

    /// The daemon ends, and starts anew.
    fn restart(&mut self) {
        // The lock is free once the engine is gone.
        self.engine = None;
        self.engine = Some(site::open_as(&self.disk, &self.clock, config()).unwrap());
    }

    fn lists(&self, repository: &str) -> bool {
        site::offered(&self.disk)[repository].contains("lcg-1-1.noarch")
    }

    fn store(&self) -> Store {
        Store::new(Arc::clone(&self.disk) as Arc<dyn Disk>, ROOT)
    }

    fn wrong(&self) -> Vec<String> {
        wrong(&self.disk, &self.clock)
    }
}

fn wrong(disk: &Arc<ForgetfulDisk>, clock: &SetClock) -> Vec<String> {
    let (root, spool) = (Utf8Path::new(ROOT), Utf8Path::new(SPOOL));
    let found = Verifier::default().verify(&**disk, root, Some(spool), Rest::Quiet, clock.now());
    found.iter().map(|found| format!("{} {}: {}", found.invariant, found.place, found.words)).collect()
}

#[test]
fn the_clock_withdraws_what_was_promoted_when_its_overlap_is_over() {
    let mut site = Site::promoted();
    assert!(site.lists(DELTA) && site.lists(PRODUCTION));
    site.clock.advance(47 * HOUR);
    assert!(site.settle().is_empty());
    site.restart();
    assert!(site.lists(DELTA) && site.lists(PRODUCTION));
    assert_eq!(site.wrong(), Vec::<String>::new());

    site.clock.advance(HOUR);
    let answers = site.settle();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers[0].claim.starts_with("clock/overlap/") && answers[0].owner == "clock", "{answers:?}");
    assert!(answers[0].sentence.ends_with("the overlap is over for `lcg-1-1.noarch`"), "{answers:?}");
    assert!(!site.lists(DELTA) && site.lists(PRODUCTION));
    let current = site.store().current().unwrap().unwrap();
    let account = Account::of(current.number, &current.manifest.account).unwrap();
    assert!(account.overlapping.is_empty());
    assert_eq!(account.requests[0].answer.claim, answers[0].claim);
    // Whoever had just read the old list of delta still gets the package.
    assert!(
        current.manifest.retained.keys().any(|link| link.contains("lcg")),
        "{:?}",
        current.manifest.retained
    );
    assert_eq!(site.wrong(), Vec::<String>::new());
    site.clock.advance(HOUR);
    assert!(site.settle().is_empty(), "it is asked for once");
}

#[test]
fn a_clock_that_jumps_ends_no_overlap() {
    let mut site = Site::promoted();
    site.clock.jump(1000 * HOUR);
    assert!(site.settle().is_empty());
    site.restart();
    assert!(site.settle().is_empty());
    assert!(site.lists(DELTA));
    // What was witnessed counts, the jump does not.
    site.clock.advance(48 * HOUR);
    assert_eq!(site.settle().len(), 1);
    assert!(!site.lists(DELTA));
}

#[test]
fn requests_that_wait_and_the_end_of_an_overlap_share_a_generation() {
    let mut site = Site::promoted();
    site.clock.advance(48 * HOUR);
    let answers = site.ask("next.toml", &site::promote("voms-2-1"));
    let mut actions: Vec<&str> = answers.iter().map(|answer| &*answer.action).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["overlap", "promote"]);
    assert_eq!(answers[0].generation, answers[1].generation);
    assert_eq!(site.wrong(), Vec::<String>::new());
}

#[test]
fn a_person_may_withdraw_it_before() {
    let mut site = Site::promoted();
    let withdraw = "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"lcg\"]";
    assert_eq!(site.ask("withdraw.toml", withdraw)[0].outcome, Outcome::Done);
    assert!(!site.lists(DELTA) && site.lists(PRODUCTION));
    assert_eq!(site.wrong(), Vec::<String>::new());
    site.clock.advance(49 * HOUR);
    assert!(site.settle().is_empty());
}

#[test]
fn nobody_but_the_clock_ends_overlaps() {
    let mut site = Site::promoted();
    site.clock.advance(10 * HOUR);
    let answers = site.ask("end.toml", "action = \"overlap\"");
    assert_eq!((answers[0].outcome, answers[0].code.as_str()), (Outcome::Refused, "role-not-allowed"));
    assert!(site.lists(DELTA));
}

#[test]
fn an_overlap_that_is_forgotten_is_found() {
    let planted = plant(Bug::OverlapForgotten);
    let mut site = Site::promoted();
    site.settle();
    drop(planted);
    assert!(!site.lists(DELTA), "the bug does nothing");
    let wrong = site.wrong();
    assert!(wrong.iter().any(|wrong| wrong.starts_with("I11")), "{wrong:?}");
}

/// Whether the package is listed where it must be on every disk: in production once it was promoted, and in delta.
fn is_in_neither(disk: &Arc<ForgetfulDisk>) -> bool {
    let offered = site::offered(disk);
    ![DELTA, PRODUCTION]
        .iter()
        .any(|name| offered.get(*name).is_some_and(|all| all.contains("lcg-1-1.noarch")))
}

#[test]
fn a_power_cut_while_an_overlap_begins_or_ends_leaves_the_old_or_the_new() {
    let (disk, clock) = site::site();
    site::drop_request(&*disk, "promoted.toml", &site::promote("lcg"));
    clock.advance(10);
    sweep(disk.synced(), clock.now().as_second(), true);

    let site = Site::promoted();
    let Site { disk, clock, engine } = site;
    drop(engine);
    clock.advance(48 * HOUR);
    sweep(disk.synced(), clock.now().as_second(), false);
}

/// Cuts the power after every operation of a run that comes to rest.
fn sweep(start: ForgetfulDisk, now: i64, overlaps: bool) {
    start.set_now(Modified { seconds: now, nanoseconds: 0 });
    let start = Arc::new(start);
    let run = |disk: &Arc<ForgetfulDisk>, now: i64| -> Result<_, daemon::error::Error> {
        let clock = SetClock::at(now);
        let mut engine = site::open_as(disk, &clock, config())?;
        site::settle(&mut engine, disk, &clock)
    };
    let before = site::answers(&*start);
    let verifier = RefCell::new(Verifier::default());
    let mut sweep = Sweep::new(11);
    ((sweep.exhaustive, sweep.samples), sweep.enough) = (ways(), 5);
    let mut count = 0;
    let report = sweep.run(
        &start,
        |disk| {
            let _ = run(&disk, now);
        },
        |disk| newly_told(disk, &before),
        |disk, told: &Told, _| {
            let mut wrong = look(&mut verifier.borrow_mut(), disk, told, Rest::AnyInstant, now);
            if is_in_neither(disk) {
                wrong.push("I11 the package is in neither stage".to_owned());
            }
            count += 1;
            if wrong.is_empty() && count % 16 == 0 {
                if let Err(error) = run(disk, now + 100) {
                    wrong.push(format!("recovery fails: {error}"));
                }
                wrong.extend(look(&mut verifier.borrow_mut(), disk, told, Rest::Quiet, now + 100));
                let listed =
                    [DELTA, PRODUCTION].map(|name| site::offered(disk)[name].contains("lcg-1-1.noarch"));
                if listed != [overlaps, true] {
                    wrong.push(format!("after recovery delta and production list it: {listed:?}"));
                }
            }
            wrong
        },
    );
    println!("an overlap {}: {report}", if overlaps { "begins" } else { "ends" });
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.states > 300, "only {} states were looked at", report.states);
}

fn done(site: &testkit::Site, stem: &str, rest: &str) -> Value {
    site.drop_request(&format!("{stem}.toml"), &format!("format = 1\n{rest}\n[end]\n"));
    let answer = site.answer(stem);
    assert_eq!(answer["code"], "done", "{answer:#}");
    answer
}

#[test]
fn status_and_why_tell_what_overlaps() {
    let stages = format!(
        "[roles]\nrelease-team = [\"ME\"]\n[[product]]\nname = \"glite\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n{ROUTE}"
    );
    let sandbox = Sandbox::new();
    let site = testkit::Site::initialised(&sandbox, "http://127.0.0.1:1", &stages);
    let mut daemon = site.start();
    let package = Recipe::new("lcg", "1", "1").arch("noarch").file("/usr/share/lcg", b"x".as_slice());
    let upload = site.upload(&package.file_name(), &package.build());
    let import = format!("action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = [\"{upload}\"]");
    done(&site, "import", &import);
    done(&site, "promote", &site::promote("lcg"));

    let json = |words: &[&str]| -> Value {
        let ran = run(site.as_daemon().arg("--json").args(words)).ok();
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let overlaps = &json(&["status"])["current"]["overlaps"];
    assert_eq!(
        (&overlaps[0]["repository"], &overlaps[0]["packages"]),
        (&DELTA.into(), &1.into()),
        "{overlaps}"
    );
    let status = run(site.as_daemon().arg("status")).ok();
    assert!(status.stdout.contains("overlap      1 package of glite-el9-x86_64-delta promoted"), "{status}");
    let why = run(site.as_daemon().args(["why", "lcg"])).ok();
    assert!(why.stdout.contains("promoted, and still listed here until "), "{why}");
    let stays = json(&["why", "lcg"]);
    let until: Vec<bool> =
        stays.as_array().unwrap().iter().map(|stay| !stay["overlaps_until"].is_null()).collect();
    assert_eq!(until, [true, false], "{stays:#}");

    run(site.as_daemon().arg("verify")).ok();
    Checker::of(&site).assert_sound();
    done(
        &site,
        "early",
        "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"lcg\"]",
    );
    assert_eq!(json(&["status"])["current"]["overlaps"], Value::Array(vec![]));
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    run(site.as_daemon().args(["verify", "--at-rest"])).ok();
    Checker::of(&site).at_rest().assert_sound();
}
