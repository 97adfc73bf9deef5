//! The engine: observe, plan, apply, answer; one call of [`Engine::step`] is one look at the world.
//!
//! ```text
//!   incoming/ --claim--> waiting --line--> decided --publish--> generation --answer--> done/ failed/
//! ```
//!
//! Everything here runs on one thread and on any [`Disk`], so that every crash can be rehearsed. The rim
//! ([`crate::run`]) only decides *when* to step.

mod answering;
mod concluding;
mod configured;
mod giving_up;
mod overlapping;
mod remembering;
mod renewing;
mod rounds;
mod scrubbing;
mod sweeping;

pub(crate) use answering::{refused_as, refused_folder, refused_unread};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use jiff::{SignedDuration, Timestamp};
use nevra::Sha256;
use plan::{Answer, Outcome};
use store::{CommitError, Disk, Generation, Lock, Recovery, Store};

use crate::account::Account;
use crate::audit::Audit;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::external::Heard;
use crate::grounds::Grounds;
use crate::line::{Line, Verdict};
use crate::observe::Catalogue;
use crate::progress::Onlooker;
use crate::promises::Chapters;
use crate::publish::Drafted;
use crate::reading::{InProcess, PackageReader};
use crate::remembered::Remembered;
use crate::scrub::Found;
use crate::settled::SettledIds;
use crate::shelves::Indexes;
use crate::signing::{MetadataSigner, Signing};
use crate::soaking::Soaking;
use crate::spool::{Spool, SpoolLock};
use crate::verdicts::Verdicts;
use crate::waiting::Waiting;
use crate::witnessing::Witnessing;
use sweeping::Sweeper;

/// How long an import waits that could not be copied.
const RETRY: SignedDuration = SignedDuration::from_secs(5);

/// How many paths are named of what was done by hand.
const NAMED_MAX: usize = 5;

/// Owns the site: nobody else writes below its root while it lives.
#[derive(Debug)]
pub struct Engine {
    pub(crate) config: Arc<Config>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Who reads the packages that arrive.
    pub(crate) reader: Arc<dyn PackageReader>,
    pub(crate) store: Store,
    lock: Lock,
    /// Two sites that shared a control directory would take each other's requests.
    _spool_lock: SpoolLock,
    pub(crate) spool: Spool,
    pub(crate) audit: Audit,
    pub(crate) catalogue: Catalogue,
    pub(crate) settled: SettledIds,
    waiting: Vec<Waiting>,
    /// What the requests in hand are decided on, by claim, until it is on record.
    pub(crate) grounds: BTreeMap<String, Grounds>,
    /// The claims for which something was built anew, which lies where imports do.
    pub(crate) brought: BTreeSet<String>,
    /// Whether the clock was refused what the configuration asks for; it asks again after a reload.
    clock_refused: bool,
    /// Whether requests are published one at a time, because several together could not be.
    pub(crate) alone: bool,
    /// Why requests waited the last time, so that it is said once.
    said: Option<String>,
    /// Requests carried out, whose uploads and copies are still to be removed.
    carried_out: Vec<Waiting>,
    /// The generations that were abandoned and may have left something to clear away.
    abandoned: Vec<u64>,
    /// The lowest number the next generation may have.
    pub(crate) number_min: u64,
    /// The generation that is published and not concluded: answers, audit record, links to drop.
    unfinished: Option<u64>,
    /// Whoever is told of long work.
    onlooker: Onlooker,
    /// How much time has passed for sure.
    pub(crate) witnessing: Witnessing,
    /// Packages whose file in the pool was found damaged; the audit log knows them.
    pub(crate) damaged: BTreeSet<Sha256>,
    /// Where a scrub tells what it finds, if there is one.
    scrubbed: Option<Receiver<Found>>,
    /// What it found and the audit log does not know yet.
    unrecorded: Vec<Found>,
    /// What earlier generations say of what is kept.
    pub(crate) chapters: Chapters,
    /// When packages entered, of the generations that were read.
    pub(crate) soaking: Soaking,
    /// What repositories list, indexed for the judgement of what can be installed.
    pub(crate) indexes: Indexes,
    /// What programs of external gates said lately.
    pub(crate) heard: Heard,
    sweeper: Sweeper,
    overlap_asked: overlapping::Asked,
    /// What the procedures remember.
    pub(crate) remembered: Remembered,
    rounds: rounds::Made,
    configured: configured::Looked,
    /// Who signs metadata, and how it goes.
    pub(crate) signing: Signing,
    /// What was found out about signatures of packages.
    pub(crate) verdicts: Verdicts,
}

/// What one step did.
#[derive(Debug, Default)]
pub struct Step {
    /// The answers given, in order.
    pub answers: Vec<Answer>,
    /// The generation published, if one was.
    pub published: Option<u64>,
    /// Why requests still wait: not before this instant, with the reason.
    pub wait: Option<(Timestamp, String)>,
    /// Whether requests lie in `incoming/` that had no turn yet: the next step takes them.
    pub has_more: bool,
}

impl Engine {
    /// Takes the lock, recovers what a crash left, and answers what was carried out but not answered.
    ///
    /// Makes the directories if they are not there. After an error nothing runs; [`Error::exit`] tells
    /// whether a person is needed.
    pub fn open(config: Arc<Config>, disk: Arc<dyn Disk>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let store = Store::new(Arc::clone(&disk), config.root.clone());
        store.create_directories()?;
        let lock = store.lock()?;
        let spool = Spool::new(Arc::clone(&disk), config.spool.clone());
        spool.create_directories()?;
        let spool_lock = spool.lock()?;
        let recovery = store.recover(&lock)?;
        let witnessing = Witnessing::open(&*disk, &store, &clock.reading())?;
        let audit = Audit::open(Arc::clone(&disk), store.paths().audit(), clock.now())?;
        let mut engine = Self {
            config,
            disk,
            clock,
            reader: Arc::new(InProcess),
            store,
            lock,
            _spool_lock: spool_lock,
            spool,
            audit,
            catalogue: Catalogue::default(),
            settled: SettledIds::default(),
            waiting: Vec::new(),
            grounds: BTreeMap::new(),
            brought: BTreeSet::new(),
            clock_refused: false,
            alone: false,
            said: None,
            carried_out: Vec::new(),
            abandoned: Vec::new(),
            unfinished: None,
            onlooker: Onlooker::default(),
            witnessing,
            damaged: BTreeSet::new(),
            scrubbed: None,
            unrecorded: Vec::new(),
            chapters: Chapters::default(),
            soaking: Soaking::default(),
            indexes: Indexes::default(),
            heard: Heard::default(),
            sweeper: Sweeper::default(),
            overlap_asked: overlapping::Asked::default(),
            remembered: Remembered::default(),
            rounds: rounds::Made::default(),
            configured: configured::Looked::default(),
            signing: Signing::default(),
            verdicts: Verdicts::default(),
            number_min: 0,
        };
        engine.check_paths(&engine.config)?;
        engine.resume(recovery)?;
        Ok(engine)
    }

    /// Takes up what an earlier run left: answers first, then links to drop, then the requests that wait.
    fn resume(&mut self, recovery: Recovery) -> Result<(), Error> {
        if let Recovery::Visible { number } = recovery {
            self.unfinished = Some(number);
        }
        self.remember()?;
        let claimed = self.spool.resume()?;
        self.take_in_all(claimed, &mut Step::default())?;
        // What was copied for a request that still waits need not be copied again.
        for import in self.store.imports()? {
            if !self.waiting.iter().any(|waiting| waiting.claimed.name == import) {
                self.store.remove_import(&import)?;
            }
        }
        self.settled.written();
        self.conclude_unfinished()
    }

    /// Says in one line what the engine is at, for systemd and for people.
    pub fn status(&self, failed: Option<&str>) -> String {
        let current = self.store.current().ok().flatten().map_or(0, |current| current.number);
        if let (Some(resting), None) = (self.signing.failing(), failed) {
            return format!(
                "generation {current}, {} requests wait: {}",
                self.waiting.len(),
                resting.words()
            );
        }
        match (self.waiting.len(), failed) {
            (0, None) => format!("generation {current}, nothing waits"),
            (waiting, None) => format!("generation {current}, {waiting} requests wait"),
            (waiting, Some(error)) => format!("generation {current}, {waiting} requests wait: {error}"),
        }
    }

    /// Lets `onlooker` know of work that may take hours.
    pub fn watch(&mut self, onlooker: Onlooker) {
        self.onlooker = onlooker;
    }

    /// Counts the requests in hand that have no answer.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Has `reader` read what arrives; whoever works for strangers names a [`Worker`](crate::reading::Worker) here.
    ///
    /// Until then packages are read in this process, as on a disk that no other process can see.
    pub fn read_packages_with(&mut self, reader: Arc<dyn PackageReader>) {
        self.reader = reader;
    }

    /// Has `signer` sign metadata in place of the programs that the configuration names.
    pub fn sign_with(&mut self, signer: Arc<dyn MetadataSigner>) {
        self.signing.signer = signer;
    }

    /// Tells the configuration in force.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Puts another configuration into force; what it adds is published by the next step.
    ///
    /// Root and control directory cannot change while the engine lives.
    pub fn reload(&mut self, config: Arc<Config>) -> Result<(), Error> {
        if config.root != self.config.root || config.spool != self.config.spool {
            return Err(Error::Moved { root: self.config.root.clone(), spool: self.config.spool.clone() });
        }
        self.check_paths(&config)?;
        self.config = config;
        self.clock_refused = false;
        self.signing.forget();
        self.indexes.keep_only(&self.config);
        // Who may do what is asked again.
        for waiting in self.waiting.drain(..) {
            self.spool.put_back(&waiting.claimed.name);
        }
        Ok(())
    }

    /// A published repository keeps its path: sites use it.
    fn check_paths(&self, config: &Config) -> Result<(), Error> {
        let Some(current) = self.store.current()? else { return Ok(()) };
        let account = Account::of(current.number, &current.manifest.account)?;
        for shelved in account.repositories.values() {
            let repository = shelved.repository();
            if let Some(path) = config.layout.path(&repository).filter(|path| *path != shelved.path) {
                return Err(Error::PathChanged {
                    repository: repository.name(),
                    from: shelved.path.clone(),
                    to: path,
                });
            }
        }
        Ok(())
    }

    /// Looks once: claims what has arrived, decides, publishes at most one generation, and answers.
    ///
    /// After an error every request that was not answered still waits, here or in `processing/`, and what was
    /// carried out is known by its claim name. After [`Error::Unproven`] the engine must not be used again.
    pub fn step(&mut self) -> Result<Step, Error> {
        let mut step = Step::default();
        let now = self.look_at_the_clock();
        let clock = Arc::clone(&self.clock);
        let claimed = self.spool.claim_all(now, &mut || clock.token())?;
        step.has_more = self.spool.has_more();
        self.take_in_all(claimed, &mut step)?;
        self.conclude_unfinished()?;
        self.record_damage(now)?;
        let current = self.store.current()?;
        let account = current.as_ref().map(|current| Account::of(current.number, &current.manifest.account));
        let account = account.transpose()?;
        if let Some(current) = &current {
            self.witnessing.keep(&*self.disk, &self.store, current.number);
        }
        self.forget_the_sweep();
        self.ask_for_what_is_new(current.as_ref().zip(account.as_ref()), now)?;
        if let Some((current, account)) = current.as_ref().zip(account.as_ref()) {
            self.ask_for_the_end_of_overlaps(current, account, now);
            self.ask_for_a_sweep(current, account, now)?;
            self.ask_for_rounds(current, now)?;
        }
        if self.waiting.is_empty() {
            return Ok(step);
        }
        if let Some((instant, why)) = too_early(current.as_ref(), now) {
            self.say_why(&why);
            step.wait = Some((instant, why));
            return Ok(step);
        }
        if !self.abandoned.is_empty() {
            // On a full disk even clearing away can fail; it is tried again before anything new is built. Nothing of
            // it is kept for a person: what fails again and again must not fill the disk.
            self.store.recover(&self.lock)?;
            for number in &self.abandoned {
                self.store.empty_quarantine(&self.lock, *number)?;
            }
            self.abandoned.clear();
        }
        self.answer_repeated(&mut step)?;
        let stalled = self.bring_in_arrivals(now, &mut step)?;
        let waiting = std::mem::take(&mut self.waiting);
        let result = self.run_line(current.as_ref().zip(account.as_ref()), now, waiting, &mut step);
        self.waiting.extend(stalled);
        self.alone &= !self.waiting.is_empty();
        self.catalogue.tidy(current.as_ref());
        if self.config.signer.is_some() {
            self.signing.write_down(&*self.disk, &self.store);
        }
        result.map(|()| step)
    }

    /// Does what makes the next change cheaper; called when there is nothing to do.
    pub fn prepare(&mut self) {
        self.catalogue.prepare();
    }

    /// Waits until that is done: for whoever wants to know what it brings.
    pub fn finish_preparing(&mut self) {
        self.catalogue.finish_preparing();
    }

    /// Reads the clocks, takes note of what is witnessed, and tells the wall clock's time.
    fn look_at_the_clock(&mut self) -> Timestamp {
        let reading = self.clock.reading();
        self.witnessing.advance(&reading);
        reading.wall
    }

    /// Logs why requests wait, once for each reason.
    fn say_why(&mut self, why: &str) {
        if self.said.as_deref() != Some(why) {
            tracing::info!("{} requests wait: {why}", self.waiting.len());
            self.said = Some(why.to_owned());
        }
    }

    /// Decides, publishes and answers; what is not settled waits on, in its order, whatever goes wrong.
    fn run_line(
        &mut self,
        current: Option<(&Generation, &Account)>,
        now: Timestamp,
        waiting: Vec<Waiting>,
        step: &mut Step,
    ) -> Result<(), Error> {
        let decided = self.strays(current.map(|(generation, _)| generation));
        let decided = decided.and_then(|strays| Line::decide(self, current, now, &waiting, &strays));
        let decided = match decided {
            Ok(decided) => decided,
            Err(error) => {
                self.waiting = waiting;
                return Err(error);
            }
        };
        if let Some(Err(Error::NotSigned { repository, fault })) = &decided.draft
            && self.signing.rests_at(now).is_none()
        {
            // Decided again, for those that need no signature; the others wait until the signer is asked again.
            self.signing.failed((now, self.clock.now()), repository, fault);
            return self.run_line(current, now, waiting, step);
        }
        if let Some((until, why)) = decided.unsigned {
            self.say_why(&why);
            step.wait = Some((until, why));
        }
        if let Some(why) = decided.stuck {
            self.say_why(&why);
            step.wait = Some((self.clock.now() + RETRY, why));
        }
        let published = match decided.draft.transpose() {
            Ok(None) => None,
            Ok(Some(Drafted { draft, written, workflow })) => {
                let number = draft.number;
                match self.store.commit(&self.lock, draft) {
                    Ok(generation) => {
                        self.catalogue.take_over(written);
                        self.remembered.take_over(number, workflow);
                        Some(generation)
                    }
                    Err(CommitError::Unproven(source)) => {
                        return Err(Error::Unproven { generation: number, source });
                    }
                    Err(CommitError::Abandoned(source)) => {
                        self.abandoned.push(number);
                        let error = Error::Abandoned { generation: number, source };
                        return self.give_up(waiting, &decided.verdicts, error, step);
                    }
                }
            }
            Err(error) => return self.give_up(waiting, &decided.verdicts, error, step),
        };
        let mut effects = Vec::new();
        let mut others = Vec::new();
        for (waiting, verdict) in waiting.into_iter().zip(decided.verdicts) {
            match verdict {
                Verdict::Effect(settled) => {
                    self.grounds.remove(&waiting.claimed.name);
                    effects.push((waiting, settled.answer));
                }
                // The clock looked whether there is something to sweep; that there is not is nobody's news.
                Verdict::Other(answer)
                    if waiting.is_of_the_clock() && answer.outcome == Outcome::NothingToDo => {}
                Verdict::Other(answer) => others.push((waiting, *answer)),
                Verdict::Later => self.waiting.push(waiting),
            }
        }
        if let Some(generation) = published {
            step.published = Some(generation.number);
            self.witnessing.published(decided.witness);
            if let Err(error) = self.conclude_with(generation.number, effects, step) {
                self.waiting.extend(others.into_iter().map(|(waiting, _)| waiting));
                return Err(error);
            }
        }
        self.answer_all(others, step)
    }

    /// Looks whether somebody worked in the published tree by hand: nothing is built on what was changed, and what
    /// nobody recorded is named.
    fn strays(&self, current: Option<&Generation>) -> Result<Vec<String>, Error> {
        let Some(current) = current else { return Ok(Vec::new()) };
        let drift = self.store.drift(current)?;
        if !drift.changed.is_empty() {
            let changed = drift.changed.iter().take(NAMED_MAX);
            let changed = changed.map(|(path, words)| format!("`{path}`: {words}")).collect();
            return Err(Error::Drifted { generation: current.number, changed });
        }
        let strays = drift.strays.iter().take(NAMED_MAX);
        Ok(strays.map(|path| format!("`{path}` was put there by hand and is left behind")).collect())
    }
}

/// Tells how long requests must wait: generations differ by a second at least, and none is dated ahead.
pub(crate) fn too_early(current: Option<&Generation>, now: Timestamp) -> Option<(Timestamp, String)> {
    let published = current?.manifest.created.as_second();
    if now.as_second() > published {
        return None;
    }
    let instant = Timestamp::from_second(published + 1).unwrap_or(now);
    let why = match published - now.as_second() {
        0 => "a generation is published at most once a second".to_owned(),
        ahead => format!("the clock was set back: the current generation is dated {ahead} s ahead of it"),
    };
    Some((instant, why))
}
