//! The power goes while a view changes: what can be seen is the old site or the new one, views included.

use std::cell::RefCell;
use std::sync::Arc;

use daemon::clock::Clock;
use daemon::config::Config;
use daemon::verify::{Rest, Verifier};
use repo::Recipe;
use store::crash::Sweep;
use store::forgetful::ForgetfulDisk;

use crate::crash::site::{self, CONFIG, SetClock};
use crate::crash::{Told, look, newly_told, ways};

pub fn config() -> Arc<Config> {
    let text =
        CONFIG.replace("preset = \"glite\"", "preset = \"glite\"\nviews = [\"delta\", \"production\"]");
    Arc::new(Config::parse(text.as_bytes(), "views.toml").unwrap())
}

fn run(disk: &Arc<ForgetfulDisk>, now: i64) -> Result<(), daemon::error::Error> {
    let clock = SetClock::at(now);
    let mut engine = site::open_as(disk, &clock, config())?;
    site::settle(&mut engine, disk, &clock).map(drop)
}

pub fn meta(name: &str, version: &str) -> Vec<u8> {
    Recipe::new(format!("glite-{name}"), version, "1")
        .arch("noarch")
        .requires(&format!("{name} = {version}-1"))
        .build()
}

pub fn import(disk: &ForgetfulDisk, request: &str, packages: &[Vec<u8>]) {
    let upload = |(n, bytes): (usize, &Vec<u8>)| site::upload(disk, bytes, &format!("{n}.rpm"));
    let files: Vec<String> = packages.iter().enumerate().map(upload).collect();
    site::drop_request(disk, request, &site::import_request(&files));
}

#[test]
fn a_power_cut_shows_the_old_views_or_the_new() {
    let disk = Arc::new(ForgetfulDisk::new());
    let clock = SetClock::at(1_700_000_000);
    let mut engine = site::open_as(&disk, &clock, config()).unwrap();
    site::settle(&mut engine, &disk, &clock).unwrap();
    let [voms, torque] = ["voms", "torque"].map(|name| site::rpm(name, "1"));
    import(&disk, "first.toml", &[voms, torque, meta("voms", "1"), meta("torque", "1")]);
    let answers = site::settle(&mut engine, &disk, &clock).unwrap();
    assert!(answers.iter().all(|answer| answer.exit == 0), "{answers:?}");
    drop(engine);
    clock.advance(10);
    let now = clock.now().as_second();
    disk.set_now(store::Modified { seconds: now, nanoseconds: 0 });
    import(&disk, "new.toml", &[site::rpm("voms", "2"), meta("voms", "2")]);
    let start = Arc::new(disk.synced());

    let before: Told = site::answers(&*start);
    let verifier = RefCell::new(Verifier::default());
    let mut sweep = Sweep::new(7);
    (sweep.exhaustive, sweep.samples) = ways();
    sweep.enough = 20;
    let mut count = 0;
    let report = sweep.run(
        &start,
        |disk| drop(run(&disk, now)),
        |disk| newly_told(disk, &before),
        |disk, told, _| {
            let mut wrong = look(&mut verifier.borrow_mut(), disk, told, Rest::AnyInstant, now);
            count += 1;
            if wrong.is_empty() && count % 16 == 0 {
                match run(disk, now + 100) {
                    Ok(()) => wrong = look(&mut verifier.borrow_mut(), disk, told, Rest::Quiet, now + 100),
                    Err(error) => wrong.push(format!("recovery fails: {error}")),
                }
            }
            wrong
        },
    );
    println!("views: {report}");
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.states > 400, "only {} states were looked at", report.states);
}
