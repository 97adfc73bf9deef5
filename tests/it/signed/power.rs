//! The power goes at every instant of a publication that is signed, by a signer that fails at first.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use daemon::config::{Config, Signer, certificates};
use daemon::engine::Engine;
use daemon::error::Error;
use daemon::signing::{Begun, Fault, FaultCode, Job, MetadataSigner, resting};
use daemon::verify::{Rest, Verifier};
use nevra::Sha256;
use plan::{Answer, Outcome};
use store::crash::Sweep;
use store::forgetful::ForgetfulDisk;
use store::{Disk, Store};
use testkit::{Gnupg, Sandbox};

use crate::crash::site::{self, CONFIG, ROOT, SetClock};
use crate::crash::{look, newly_told, ways};

/// When the key was made; the story plays some years later.
const MADE: &str = "1600000000!";

/// When everything is signed that is signed here: a signature is a function of what is signed.
const SIGNED: &str = "1700000000!";

/// The real gpg, asked once for each text.
#[derive(Debug)]
struct Rehearsed {
    gnupg: Gnupg,
    key: String,
    made: Mutex<HashMap<Sha256, Vec<u8>>>,
}

impl Rehearsed {
    fn signature(&self, bytes: &[u8]) -> Vec<u8> {
        let mut made = self.made.lock().unwrap();
        let sign = || self.gnupg.sign(&self.key, bytes, &["--faked-system-time", SIGNED]);
        made.entry(repo::sha256(bytes)).or_insert_with(sign).clone()
    }
}

/// One run of it; the first attempt fails if it is moody.
#[derive(Debug)]
struct Run {
    rehearsed: Arc<Rehearsed>,
    is_moody: AtomicBool,
}

impl MetadataSigner for Run {
    fn sign(&self, _: &Signer, job: &Job<'_>, _: &Begun) -> Result<Vec<u8>, Fault> {
        if self.is_moody.swap(false, Ordering::SeqCst) {
            return Err(Fault::new(FaultCode::Failed, "the signer ended with 1"));
        }
        Ok(self.rehearsed.signature(job.bytes))
    }
}

pub(super) struct Stage {
    rehearsed: Arc<Rehearsed>,
    config: Arc<Config>,
    _sandbox: Sandbox,
}

impl Stage {
    fn new() -> Self {
        Self::with_another("")
    }

    /// Announces another key, if there are lines for its table.
    pub(super) fn with_another(lines: &str) -> Self {
        let sandbox = Sandbox::new();
        let gnupg = Gnupg::new(&sandbox, "gnupg");
        let key = gnupg.key_of("repo", "never", &["--faked-system-time", MADE]);
        let file = sandbox.file("repo.asc", gnupg.certificate(&key));
        let (names, table) = match lines {
            "" => ("\"repo\"", String::new()),
            lines => {
                let key = gnupg.key_of("old", "never", &["--faked-system-time", MADE]);
                let file = sandbox.file("old.asc", gnupg.certificate(&key));
                let table =
                    format!("[[key]]\nname = \"old\"\nfile = \"{file}\"\nfingerprint = \"{key}\"\n{lines}");
                ("\"repo\", \"old\"", table)
            }
        };
        let text = format!(
            "{CONFIG}metadata_signed_by = [{names}]\n[signer]\ncommand = [\"/nobody/runs/it\"]\n\
             [[key]]\nname = \"repo\"\nfile = \"{file}\"\nfingerprint = \"{key}\"\n{table}"
        );
        let mut config = Config::parse(text.as_bytes(), "signed.toml").unwrap();
        certificates::read(&mut config).unwrap();
        let rehearsed = Arc::new(Rehearsed { gnupg, key, made: Mutex::default() });
        Self { rehearsed, config: Arc::new(config), _sandbox: sandbox }
    }

    pub(super) fn open(
        &self,
        disk: &Arc<ForgetfulDisk>,
        clock: &Arc<SetClock>,
        is_moody: bool,
    ) -> Result<Engine, Error> {
        let mut engine = site::open_as(disk, clock, Arc::clone(&self.config))?;
        let (rehearsed, is_moody) = (Arc::clone(&self.rehearsed), AtomicBool::new(is_moody));
        engine.sign_with(Arc::new(Run { rehearsed, is_moody }));
        Ok(engine)
    }

    /// Runs until everything rests; a power cut ends it early.
    fn run(&self, disk: &Arc<ForgetfulDisk>, now: i64) -> Result<Vec<Answer>, Error> {
        let clock = SetClock::at(now);
        let mut engine = self.open(disk, &clock, true)?;
        site::settle(&mut engine, disk, &clock)
    }
}

#[test]
fn a_power_cut_never_leaves_a_signature_that_does_not_fit() {
    let stage = Stage::new();
    let disk = Arc::new(ForgetfulDisk::new());
    let clock = SetClock::at(1_700_000_000);
    let mut engine = stage.open(&disk, &clock, true).unwrap();
    site::settle(&mut engine, &disk, &clock).unwrap();
    let file = site::upload(&*disk, &site::rpm("voms", "1"), "voms.rpm");
    site::drop_request(&*disk, "import.toml", &site::import_request(&[file]));
    let answers = site::settle(&mut engine, &disk, &clock).unwrap();
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::Done), "{answers:?}");
    let store = Store::new(Arc::clone(&disk) as Arc<dyn Disk>, ROOT);
    assert!(resting(&*disk, &store).unwrap().is_none());
    drop((engine, store));
    site::drop_request(&*disk, "new.toml", &site::promote("voms"));
    let (start, now) = (Arc::new(disk.synced()), daemon::clock::Clock::now(&*clock).as_second());

    let before = site::answers(&*start);
    let verifier = RefCell::new(Verifier::default());
    let (exhaustive, samples) = ways();
    let mut sweep = Sweep::new(11);
    (sweep.exhaustive, sweep.samples) = (exhaustive, samples);
    let mut count = 0;
    let report = sweep.run(
        &start,
        |disk| {
            let answers = stage.run(&disk, now);
            assert!(answers.as_ref().map_or(true, |answers| answers.iter().all(|answer| answer.exit == 0)));
        },
        |disk| newly_told(disk, &before),
        |disk, told, _| {
            let mut wrong = look(&mut verifier.borrow_mut(), disk, told, Rest::AnyInstant, now);
            count += 1;
            if wrong.is_empty() && count % 16 == 0 {
                match stage.run(disk, now + 100) {
                    Ok(_) => {
                        wrong.extend(look(&mut verifier.borrow_mut(), disk, told, Rest::Quiet, now + 100))
                    }
                    Err(error) => wrong.push(format!("recovery fails: {error}")),
                }
            }
            wrong
        },
    );
    println!("{report}; {} signatures", stage.rehearsed.made.lock().unwrap().len());
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.states > 400, "only {} states were looked at", report.states);
}
