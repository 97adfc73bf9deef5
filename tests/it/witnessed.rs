//! A clock that jumps opens nothing and deletes nothing, whatever happens to the daemon and the machine meanwhile.

use std::sync::Arc;

use daemon::clock::Clock as _;
use daemon::engine::Engine;
use plan::{Answer, Outcome};
use store::planted::{Bug, plant};
use store::{Disk, Modified};

use crate::crash::site::{self, SetClock};

/// A site that holds `lcg` for an hour more, and nothing else that anybody waits for.
struct Waiting {
    disk: Arc<store::forgetful::ForgetfulDisk>,
    clock: Arc<SetClock>,
    engine: Engine,
    asked: u32,
}

impl Waiting {
    fn new() -> Self {
        let (disk, clock) = site::site();
        let engine = site::open(&disk, &clock).unwrap();
        let mut site = Self { disk, clock, engine, asked: 0 };
        let withdraw = "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"lcg\"]";
        assert_eq!(site.ask(withdraw).outcome, Outcome::Done);
        site
    }

    fn ask(&mut self, request: &str) -> Answer {
        self.asked += 1;
        site::drop_request(&*self.disk, &format!("asked-{}.toml", self.asked), request);
        let answers = site::settle(&mut self.engine, &self.disk, &self.clock).unwrap();
        let mut asked = answers.into_iter().filter(|answer| answer.owner != "clock");
        asked.next().unwrap()
    }

    fn swept(&mut self) -> bool {
        self.ask("action = \"sweep\"").outcome == Outcome::Done
    }

    /// Starts the daemon anew; what it did not make durable is forgotten.
    fn restart(mut self) -> Self {
        let disk = Arc::new(self.disk.copy());
        disk.set_now(Modified { seconds: self.clock.now().as_second(), nanoseconds: 0 });
        drop(self.engine);
        self.disk = disk;
        self.engine = site::open(&self.disk, &self.clock).unwrap();
        self
    }
}

const DAY: i64 = 86_400;

#[test]
fn a_clock_set_ahead_makes_nothing_go_until_somebody_accepts_it() {
    let mut site = Waiting::new();
    site.clock.jump(30 * DAY);
    assert!(!site.swept());
    let mut site = site.restart();
    assert!(!site.swept(), "a daemon that begins anew believes the jump");
    let told = site.ask("action = \"accept-clock\"\nreason = \"it was set right\"");
    assert_eq!(told.sentence.split(": ").nth(2), Some("720h 0m that nobody witnessed count as passed"));
    let mut site = site.restart();
    assert!(site.swept(), "what was accepted is forgotten");
    assert_eq!(site.ask("action = \"accept-clock\"").outcome, Outcome::NothingToDo);
}

#[test]
fn a_sweep_by_the_wall_clock_is_noticed() {
    let mut site = Waiting::new();
    site.clock.jump(30 * DAY);
    let _planted = plant(Bug::SweepsEarly);
    assert!(site.swept(), "the bug that the test above is to find makes no difference");
}

#[test]
fn a_clock_set_back_and_set_right_again_loses_nothing() {
    let mut site = Waiting::new();
    site.clock.jump(-10 * DAY);
    site.engine.step().unwrap();
    let mut site = site.restart();
    site.engine.step().unwrap();
    site.clock.jump(10 * DAY);
    assert!(!site.swept());
    site.clock.advance(3600);
    assert!(site.swept());
}

#[test]
fn time_the_daemon_did_not_see_is_witnessed_if_the_machine_was_on() {
    let site = Waiting::new();
    site.clock.advance(30 * DAY);
    assert!(site.restart().swept());
}

#[test]
fn a_machine_that_was_off_is_believed_for_a_day() {
    // Grace is an hour here, so a day is enough; a clock that lies about the year gets no more than that.
    let site = Waiting::new();
    site.clock.power_off(1800);
    let mut site = site.restart();
    assert!(!site.swept());
    site.clock.power_off(1800);
    assert!(site.restart().swept());
    let site = Waiting::new();
    site.clock.power_off(60);
    site.clock.jump(400 * DAY);
    let mut site = site.restart();
    assert_eq!(
        site.ask("action = \"accept-clock\"\ndry_run = true").sentence.split(": ").nth(2),
        Some("9576h 1m that nobody witnessed count as passed")
    );
}

#[test]
fn a_site_that_rests_remembers_the_time_all_the_same() {
    let mut site = Waiting::new();
    for _ in 0..100 {
        site.clock.advance(3600);
        site.engine.step().unwrap();
    }
    site.clock.power_off(20 * 3600);
    let mut site = site.restart();
    let told = site.ask("action = \"accept-clock\"");
    assert_eq!(told.outcome, Outcome::NothingToDo, "{}", told.sentence);
    // Without the file it takes the manifest, and a day.
    let kept = camino::Utf8Path::new(site::ROOT).join("cache/clock.json");
    site.disk.remove_file(&kept).unwrap();
    site.clock.power_off(0);
    let told = site.restart().ask("action = \"accept-clock\"");
    assert_eq!(told.outcome, Outcome::Done, "{}", told.sentence);
}
