//! The power goes after every operation of the engine, in every way: nothing that was published, promised or
//! answered may be lost, and nothing half done may be seen. Then recovery runs, and must bring everything to rest.

mod planted;
mod recovery;
mod resume;
pub mod site;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use daemon::account::Account;
use daemon::verify::{Rest, Verifier};
use jiff::Timestamp;
use plan::{Answer, Outcome};
use store::crash::{Sweep, SweepReport};
use store::forgetful::{EXHAUSTIVE, ForgetfulDisk, SAMPLES};
use store::{Disk, Store};

use crate::faults::is_thorough;
use site::{ROOT, SPOOL, SetClock};

/// What people had been told when the power went: every answer they could read.
pub type Told = BTreeMap<Utf8PathBuf, Vec<u8>>;

/// One request, on a site where everything is at rest.
pub struct Scenario {
    pub name: &'static str,
    /// Makes the request, and whatever it needs, on the disk.
    ask: fn(&Arc<ForgetfulDisk>),
    /// How many seconds have passed since the site came to rest.
    later: i64,
    /// Requests settled before, each with as many seconds behind it.
    before: &'static [&'static str],
}

const SWEEP: &str = "action = \"sweep\"";

/// What leaves here is dropped by the sweep, with the generations that list it.
const WITHDRAW_LCG: &str =
    "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"lcg\"]";

/// Two node types that pin `voms-2`, one of them `lcg-1` as well; `NODE-TYPES` stands for their files.
const IMPORT_NODE_TYPES: &str =
    "action = \"import\"\nproduct = \"glite\"\nto = \"delta\"\nfiles = [NODE-TYPES]";

pub const SCENARIOS: [Scenario; 11] = [
    Scenario {
        name: "import",
        later: 10,
        before: &[],
        ask: |disk| {
            let file = site::upload(&**disk, &site::rpm("gfal", "1"), "gfal.rpm");
            site::drop_request(&**disk, "new.toml", &site::import_request(&[file]));
        },
    },
    Scenario {
        name: "promote",
        later: 10,
        before: &[],
        ask: |disk| {
            site::drop_request(&**disk, "new.toml", &site::promote("voms"));
        },
    },
    Scenario {
        name: "withdraw and a refusal",
        later: 10,
        before: &[],
        ask: |disk| {
            let withdraw =
                "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"production\"\npackages = [\"voms\"]";
            site::drop_request(&**disk, "new.toml", withdraw);
            site::drop_request(&**disk, "wrong.toml", &site::promote("nonsense"));
        },
    },
    Scenario {
        name: "revert",
        later: 10,
        before: &[],
        ask: |disk| {
            let revert = "action = \"revert\"\nproduct = \"glite\"\nstage = \"delta\"\ngeneration = 2";
            site::drop_request(&**disk, "new.toml", revert);
        },
    },
    Scenario {
        name: "keep",
        later: 10,
        before: &[],
        ask: |disk| {
            site::drop_request(&**disk, "new.toml", "action = \"keep\"\ngeneration = 3\nas = \"update-1\"");
        },
    },
    Scenario {
        name: "sweep",
        later: 90_000,
        before: &[WITHDRAW_LCG],
        ask: |disk| {
            site::drop_request(&**disk, "new.toml", SWEEP);
        },
    },
    Scenario {
        name: "adopt",
        later: 10,
        before: &[],
        ask: |disk| {
            site::existing_repository(&**disk);
            site::drop_request(&**disk, "new.toml", &site::adopt());
        },
    },
    Scenario {
        name: "purge",
        later: 10,
        before: &[],
        ask: |disk| {
            let purge = "action = \"purge\"\npackages = [\"voms-1-1.noarch\"]\nreason = \"malware\"";
            site::drop_request(&**disk, "new.toml", purge);
            site::upload(&**disk, &site::rpm("voms", "1"), "again.rpm");
        },
    },
    Scenario { name: "a sweep of the clock", later: 40 * 86_400, before: &[WITHDRAW_LCG], ask: |_| () },
    Scenario {
        name: "rollback",
        later: 10,
        before: &[IMPORT_NODE_TYPES],
        ask: |disk| {
            let rollback = "action = \"rollback\"\nproduct = \"glite\"\nfrom = \"delta\"\npackages = [\"voms\"]\n\
                            reason = \"it loses jobs\"";
            site::drop_request(&**disk, "new.toml", rollback);
        },
    },
    Scenario {
        name: "partial release",
        later: 10,
        before: &[IMPORT_NODE_TYPES],
        ask: |disk| {
            let part = format!("{}\npartial = \"target\"", site::promote("lcg"));
            site::drop_request(&**disk, "new.toml", &part);
        },
    },
];

/// The site before the request, with the request on it, and the clock it runs by.
pub fn prepared(scenario: &Scenario) -> (Arc<ForgetfulDisk>, i64) {
    let (disk, clock) = site::site();
    let mut engine = site::open(&disk, &clock).expect("the site is at rest");
    for (number, request) in scenario.before.iter().enumerate() {
        clock.advance(scenario.later);
        let request = with_node_types(&*disk, request);
        site::drop_request(&*disk, &format!("before-{number}.toml"), &request);
        let answers = site::settle(&mut engine, &disk, &clock).expect("nothing is in the way");
        assert!(answers.iter().all(|answer| answer.outcome == Outcome::Done), "{answers:?}");
    }
    drop(engine);
    clock.advance(scenario.later);
    let now = daemon::clock::Clock::now(&*clock).as_second();
    disk.set_now(store::Modified { seconds: now, nanoseconds: 0 });
    (scenario.ask)(&disk);
    (Arc::new(disk.synced()), now)
}

/// Puts the names of files that it uploads into a request that has a place for them.
fn with_node_types(disk: &dyn Disk, request: &str) -> String {
    if !request.contains("NODE-TYPES") {
        return request.to_owned();
    }
    let ui = repo::Recipe::new("glite-UI", "2", "1").requires("voms = 2-1").requires("lcg = 1-1");
    let wn = repo::Recipe::new("glite-WN", "2", "1").requires("voms = 2-1");
    let files = [ui, wn].map(|one| format!("\"{}\"", site::upload(disk, &one.build(), &one.file_name())));
    request.replace("NODE-TYPES", &files.join(", "))
}

/// Runs the engine on a disk until it rests; a power cut ends it early.
fn run(disk: &Arc<ForgetfulDisk>, now: i64) -> Result<Vec<Answer>, daemon::error::Error> {
    let clock = SetClock::at(now);
    let mut engine = site::open(disk, &clock)?;
    site::settle(&mut engine, disk, &clock)
}

/// What must hold at every instant, and what was told must still be so.
pub fn look(
    verifier: &mut Verifier,
    disk: &Arc<ForgetfulDisk>,
    told: &Told,
    rest: Rest,
    now: i64,
) -> Vec<String> {
    let now = Timestamp::from_second(now + 60).unwrap();
    let found = verifier.verify(&**disk, Utf8Path::new(ROOT), Some(Utf8Path::new(SPOOL)), rest, now);
    let mut wrong: Vec<String> =
        found.iter().map(|found| format!("{} {}: {}", found.invariant, found.place, found.words)).collect();
    wrong.extend(told_is_durable(disk, told, rest));
    wrong
}

/// The answers that can be read now and could not be read before.
pub fn newly_told(disk: &dyn Disk, before: &Told) -> Told {
    let mut told = site::answers(disk);
    told.retain(|path, _| !before.contains_key(path));
    told
}

/// I16: what was answered is still so. The file that says it may have to be written again by recovery; what it
/// says may not be lost.
fn told_is_durable(disk: &Arc<ForgetfulDisk>, told: &Told, rest: Rest) -> Vec<String> {
    let mut wrong = Vec::new();
    let found = site::answers(&**disk);
    let audit = site::audited_claims(&**disk);
    let store = Store::new(Arc::clone(disk) as Arc<dyn Disk>, ROOT);
    let current = store.current().ok().flatten().map_or(0, |current| current.number);
    for (path, bytes) in told {
        if rest == Rest::Quiet && found.get(path) != Some(bytes) {
            wrong.push(format!("I16 {path}: it was seen and is gone"));
        }
        let answer = Answer::from_json(bytes).expect("an answer that can be seen is whole");
        let Some(number) = answer.generation.filter(|_| answer.outcome == Outcome::Done) else {
            if !audit.contains(&answer.claim) {
                wrong.push(format!(
                    "I16 {}: was told {}, the audit log knows nothing of it",
                    answer.claim, answer.code
                ));
            }
            continue;
        };
        let account =
            store.history(number).ok().and_then(|manifest| Account::of(number, &manifest.account).ok());
        let applied = account.is_some_and(|account| {
            account.requests.iter().any(|settled| settled.answer.claim == answer.claim)
        });
        if current < number || !applied {
            wrong.push(format!("I16 {}: was told done in {number}, current is {current}", answer.claim));
        }
    }
    wrong
}

/// Up to how many unsynced things every way to lose some is tried at each instant in a slice, and how many ways where
/// there are more: with as few each planted bug is caught.
pub const SLICE: (usize, usize) = (3, 8);

/// The same for this run: all of it with `SLUICE_THOROUGH=1`.
pub fn ways() -> (usize, usize) {
    if is_thorough() { (EXHAUSTIVE, SAMPLES) } else { SLICE }
}

/// How thoroughly a scenario is swept.
pub struct Thoroughness {
    /// Up to how many unsynced things every way to lose some is tried.
    pub exhaustive: usize,
    /// How many ways are tried where more is unsynced.
    pub samples: usize,
    /// On every how many-th disk recovery runs until everything rests.
    pub recover: usize,
    /// After how many violations the sweep ends.
    pub enough: usize,
}

/// Sweeps one scenario: the invariants on every disk, recovery on some.
pub fn sweep(scenario: &Scenario, thorough: Thoroughness) -> SweepReport {
    let (start, now) = prepared(scenario);
    let wanted = {
        let disk = Arc::new(start.copy());
        run(&disk, now).expect("without a power cut everything goes well");
        site::offered(&disk)
    };
    let before = site::answers(&*start);
    let verifier = RefCell::new(Verifier::default());
    let mut sweep = Sweep::new(7);
    sweep.exhaustive = thorough.exhaustive;
    sweep.samples = thorough.samples;
    sweep.enough = thorough.enough;
    let mut count = 0;
    sweep.run(
        &start,
        |disk| {
            // With a bug planted the engine may stumble over its own debris; what counts is what it leaves.
            let _ = run(&disk, now);
        },
        |disk| newly_told(disk, &before),
        |disk, told, _| {
            let mut wrong = look(&mut verifier.borrow_mut(), disk, told, Rest::AnyInstant, now);
            count += 1;
            if wrong.is_empty() && count % thorough.recover == 0 {
                wrong.extend(recovered(&mut verifier.borrow_mut(), disk, told, &wanted, now + 100));
            }
            wrong
        },
    )
}

/// Recovers a disk and lets the engine come to rest: everything is as if the power had never gone.
fn recovered(
    verifier: &mut Verifier,
    disk: &Arc<ForgetfulDisk>,
    told: &Told,
    wanted: &BTreeMap<String, std::collections::BTreeSet<String>>,
    now: i64,
) -> Vec<String> {
    if let Err(error) = run(disk, now) {
        return vec![format!("recovery fails: {error}")];
    }
    let mut wrong = look(verifier, disk, told, Rest::Quiet, now);
    for stem in ["new-", "wrong-"] {
        let count = site::answers(&**disk)
            .keys()
            .filter(|path| path.file_name().is_some_and(|name| name.starts_with(stem)))
            .count();
        if count > 1 {
            wrong.push(format!("I15 the request `{stem}` was answered {count} times"));
        }
    }
    let offered = site::offered(disk);
    if offered != *wanted {
        wrong.push(format!("after recovery {offered:?} is offered, not {wanted:?}"));
    }
    wrong
}

/// One test a scenario, so that they run side by side.
macro_rules! a_power_cut_shows_the_old_or_the_new {
    ($($test:ident $index:literal)*) => { $(
        #[test]
        fn $test() {
            let (exhaustive, samples) = ways();
            let report = sweep(&SCENARIOS[$index], Thoroughness { exhaustive, samples, recover: 16, enough: 20 });
            println!("{}: {report}", SCENARIOS[$index].name);
            assert!(report.violations.is_empty(), "{}: {report}", SCENARIOS[$index].name);
            assert!(report.states > 400, "only {} states were looked at", report.states);
        }
    )* };
}

a_power_cut_shows_the_old_or_the_new! {
    during_import 0
    during_promote 1
    during_withdraw_and_a_refusal 2
    during_revert 3
    during_keep 4
    during_sweep 5
    during_adopt 6
    during_purge 7
    during_a_sweep_of_the_clock 8
    during_rollback 9
    during_partial_release 10
}

#[test]
fn the_sweeps_of_node_types_build_some_anew() {
    let built = |scenario: &Scenario| {
        let (disk, now) = prepared(scenario);
        run(&disk, now).unwrap();
        let of = |(name, all): (String, std::collections::BTreeSet<String>)| {
            let stage = name.rsplit('-').next().unwrap_or_default().to_owned();
            all.into_iter().filter(|one| one.contains("-2-1.")).map(move |one| format!("{stage}: {one}"))
        };
        let all = site::offered(&disk).into_iter().flat_map(of);
        all.filter(|one| one.contains("glite-")).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(built(&SCENARIOS[9]), "delta: glite-UI-2-1.1.noarch, delta: glite-WN-2-1.1.noarch");
    assert_eq!(
        built(&SCENARIOS[10]),
        "delta: glite-UI-2-1.2.noarch, delta: glite-WN-2-1.noarch, production: glite-UI-2-1.1.noarch"
    );
}
