//! The engine: observe, plan, apply, answer; one call of [`Engine::step`] is one look at the world.
//!
//! ```text
//!   incoming/ --claim--> waiting --line--> decided --publish--> generation --answer--> done/ failed/
//! ```
//!
//! Everything here runs on one thread and on any [`Disk`], so that every crash can be rehearsed. The rim
//! ([`crate::run`]) only decides *when* to step.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use plan::{Action, Answer, Asker, Code, Refusal, Request};
use store::planted::{self, Bug};
use store::{CommitError, Disk, Generation, Lock, Recovery, Store};

use crate::account::{Account, Settled};
use crate::answers;
use crate::arrivals::{Gate, Stopped};
use crate::audit::{Audit, Record};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::line::{Line, Verdict};
use crate::observe::Catalogue;
use crate::settled::SettledIds;
use crate::spool::{Claimed, Spool};
use crate::waiting::Waiting;

/// How long an import waits that could not be copied.
const RETRY: SignedDuration = SignedDuration::from_secs(5);

/// Owns the site: nobody else writes below its root while it lives.
#[derive(Debug)]
pub struct Engine {
    pub(crate) config: Arc<Config>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Store,
    lock: Lock,
    pub(crate) spool: Spool,
    audit: Audit,
    pub(crate) catalogue: Catalogue,
    settled: SettledIds,
    waiting: Vec<Waiting>,
    /// Whether the clock was refused what the configuration asks for; it asks again after a reload.
    clock_refused: bool,
    /// Whether a commit was abandoned and may have left something to clear away.
    abandoned: bool,
    /// The generation that is published and not concluded: answers, audit record, links to drop.
    unfinished: Option<u64>,
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
        let recovery = store.recover(&lock)?;
        let audit = Audit::open(Arc::clone(&disk), store.paths().audit())?;
        let mut engine = Self {
            config,
            disk,
            clock,
            store,
            lock,
            spool,
            audit,
            catalogue: Catalogue::default(),
            settled: SettledIds::default(),
            waiting: Vec::new(),
            clock_refused: false,
            abandoned: false,
            unfinished: None,
        };
        engine.check_paths()?;
        engine.resume(recovery)?;
        Ok(engine)
    }

    /// Takes up what an earlier run left: answers first, then links to drop, then the requests that wait.
    fn resume(&mut self, recovery: Recovery) -> Result<(), Error> {
        self.remember()?;
        for import in self.store.imports()? {
            self.store.remove_import(&import)?;
        }
        if let Recovery::Visible { number } = recovery {
            self.unfinished = Some(number);
        }
        for claimed in self.spool.resume()? {
            self.take_in(claimed, &mut Step::default())?;
        }
        self.settled.written();
        self.conclude_unfinished()
    }

    /// Learns which ids are settled, from every manifest and from the audit log.
    fn remember(&mut self) -> Result<(), Error> {
        let numbers: BTreeSet<u64> =
            self.store.numbers()?.into_iter().chain(self.store.past_numbers()?).collect();
        let current = self.store.current()?.map(|current| current.number);
        // A generation that was built and never in force settled nothing.
        for number in numbers.into_iter().filter(|number| Some(*number) <= current) {
            let manifest = self.store.history(number)?;
            let account = Account::of(number, &manifest.account)?;
            account.requests.iter().for_each(|settled| self.settled.record_unwritten(&settled.answer));
        }
        for record in self.audit.records()? {
            record?.answer.iter().for_each(|answer| self.settled.record_unwritten(answer));
        }
        Ok(())
    }

    /// Says in one line what the engine is at, for systemd and for people.
    pub fn status(&self, failed: Option<&str>) -> String {
        let current = self.store.current().ok().flatten().map_or(0, |current| current.number);
        match (self.waiting.len(), failed) {
            (0, None) => format!("generation {current}, nothing waits"),
            (waiting, None) => format!("generation {current}, {waiting} requests wait"),
            (waiting, Some(error)) => format!("generation {current}, {waiting} requests wait: {error}"),
        }
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
        self.config = config;
        self.clock_refused = false;
        self.check_paths()
    }

    /// A published repository keeps its path: sites use it.
    fn check_paths(&self) -> Result<(), Error> {
        let Some(current) = self.store.current()? else { return Ok(()) };
        let account = Account::of(current.number, &current.manifest.account)?;
        for shelved in account.repositories.values() {
            let repository = shelved.repository();
            if let Some(path) = self.config.layout.path(&repository).filter(|path| *path != shelved.path) {
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
    /// After [`Error::Abandoned`] the requests still wait and nothing was published; after
    /// [`Error::Unproven`] the engine must not be used again.
    pub fn step(&mut self) -> Result<Step, Error> {
        let result = self.step_once();
        if result.is_err() {
            // Whatever was in hand is looked up again in `processing/`: nothing is forgotten, and what was
            // carried out already is known by its claim name.
            self.waiting.clear();
            self.spool.put_back_all();
        }
        result
    }

    fn step_once(&mut self) -> Result<Step, Error> {
        let mut step = Step::default();
        let now = self.clock.now();
        let clock = Arc::clone(&self.clock);
        for claimed in self.spool.claim_all(now, &mut || clock.token())? {
            self.take_in(claimed, &mut step)?;
        }
        self.conclude_unfinished()?;
        let current = self.store.current()?;
        let account = current
            .as_ref()
            .map(|current| Account::of(current.number, &current.manifest.account))
            .transpose()?;
        self.ask_for_new_repositories(account.as_ref(), now);
        if self.waiting.is_empty() {
            return Ok(step);
        }
        if let Some((instant, why)) = too_early(current.as_ref(), now) {
            step.wait = Some((instant, why));
            return Ok(step);
        }
        if self.abandoned {
            // On a full disk even clearing away can fail; it is tried again before anything new is built.
            self.store.recover(&self.lock)?;
            self.abandoned = false;
        }
        self.answer_repeated(&mut step)?;
        let stalled = self.bring_in_arrivals(now, &mut step)?;
        let waiting = std::mem::take(&mut self.waiting);
        let result = self.run_line(current.as_ref().zip(account.as_ref()), now, waiting, &mut step);
        self.waiting.extend(stalled);
        self.catalogue.tidy();
        result.map(|()| step)
    }

    /// Decides, publishes and answers; what is not settled waits on, in its order, whatever goes wrong.
    fn run_line(
        &mut self,
        current: Option<(&Generation, &Account)>,
        now: Timestamp,
        waiting: Vec<Waiting>,
        step: &mut Step,
    ) -> Result<(), Error> {
        let decided = match Line::decide(self, current, now, &waiting) {
            Ok(decided) => decided,
            Err(error) => {
                self.waiting = waiting;
                return Err(error);
            }
        };
        if let Some(draft) = decided.draft {
            let number = draft.number;
            match self.store.commit(&self.lock, draft) {
                Ok(generation) => {
                    step.published = Some(number);
                    let effects =
                        waiting.iter().zip(&decided.verdicts).filter_map(
                            |(waiting, verdict)| match verdict {
                                Verdict::Effect(settled) => Some((waiting, &**settled)),
                                Verdict::Other(_) | Verdict::Later => None,
                            },
                        );
                    self.conclude_with(&generation, &effects.collect::<Vec<_>>(), step)?;
                }
                Err(CommitError::Abandoned(source)) => {
                    self.waiting = waiting;
                    self.abandoned = true;
                    return Err(Error::Abandoned { generation: number, source });
                }
                Err(CommitError::Unproven(source)) => {
                    return Err(Error::Unproven { generation: number, source });
                }
            }
        }
        for (waiting, verdict) in waiting.into_iter().zip(decided.verdicts) {
            match verdict {
                Verdict::Effect(_) => {}
                Verdict::Other(answer) => {
                    self.forget_import(&waiting)?;
                    self.answer_now(&waiting.claimed, *answer, step)?;
                }
                Verdict::Later => self.waiting.push(waiting),
            }
        }
        Ok(())
    }

    /// Parses a claimed request, asks who asks, and answers at once what needs no plan.
    fn take_in(&mut self, claimed: Claimed, step: &mut Step) -> Result<(), Error> {
        if let Some(answer) = self.settled.unwritten(&claimed.name).cloned() {
            self.spool.settle(&claimed, &answer)?;
            self.settled.is_written(&claimed.name);
            return Ok(());
        }
        let (owner, roles) = self.config.roles.of(claimed.owner.uid)?;
        let asker = Asker { name: owner, roles };
        if let Some(refusal) = claimed.problem.clone() {
            return self.answer_now(&claimed, answers::refused(&claimed, &asker, None, refusal), step);
        }
        let request = match plan::parse(&claimed.bytes, claimed.format) {
            Ok(request) => request,
            Err(refusal) => {
                return self.answer_now(&claimed, answers::refused(&claimed, &asker, None, refusal), step);
            }
        };
        if let Some(answer) = self.answered_before(&claimed, &asker, &request) {
            return self.answer_now(&claimed, answer, step);
        }
        let refusal = if asker.roles.is_empty() {
            let sentence = format!("{} owns the request and has no role here", asker.name);
            Some(
                Refusal::new(Code::UnknownOwner, sentence)
                    .hint("roles are given under [roles] in sluice.toml"),
            )
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.answer_now(
                &claimed,
                answers::refused(&claimed, &asker, Some(&request), refusal),
                step,
            );
        }
        self.waiting.push(Waiting { claimed, request, asker, arrived: None });
        Ok(())
    }

    /// Gives the first answer again if the id was settled with the same bytes, and a refusal if with others.
    pub(crate) fn answered_before(
        &self,
        claimed: &Claimed,
        asker: &Asker,
        request: &Request,
    ) -> Option<Answer> {
        let first = self.settled.first(&asker.name, request.id.as_ref()?)?;
        if first.digest == claimed.digest {
            return Some(answers::again(claimed, &first.answer));
        }
        let id = request.id.as_deref().unwrap_or_default();
        let sentence = format!("the id `{id}` was settled before, by a request with other content");
        let refusal =
            Refusal::new(Code::UsedId, sentence).hint("give the new request an id of its own, or none");
        Some(answers::refused(claimed, asker, Some(request), refusal))
    }

    /// Records and writes an answer that no generation carries.
    fn answer_now(&mut self, claimed: &Claimed, answer: Answer, step: &mut Step) -> Result<(), Error> {
        let too_soon = planted::is(Bug::AnsweredBeforeTheAuditLog);
        if too_soon {
            self.spool.settle(claimed, &answer)?;
        }
        self.audit.append(&Record::of_answer(self.clock.now(), &answer))?;
        // The clock has no file in the control directory; the audit log is all the answer it gets.
        if Waiting::is_name_of_the_clock(&claimed.name) {
            self.clock_refused = true;
        } else {
            self.settled.record_unwritten(&answer);
            self.spool.settle(claimed, &answer)?;
            self.settled.is_written(&claimed.name);
        }
        tracing::info!(request = answer.claim, outcome = ?answer.outcome, code = answer.code, "{}", answer.sentence);
        step.answers.push(answer);
        Ok(())
    }

    /// Answers waiting requests whose id was settled since they were claimed.
    fn answer_repeated(&mut self, step: &mut Step) -> Result<(), Error> {
        for waiting in std::mem::take(&mut self.waiting) {
            match self.answered_before(&waiting.claimed, &waiting.asker, &waiting.request) {
                Some(answer) => self.answer_now(&waiting.claimed, answer, step)?,
                None => self.waiting.push(waiting),
            }
        }
        Ok(())
    }

    /// Copies, hashes and reads what imports bring, before the line; refuses what is wrong with them.
    ///
    /// Gives back those that the site cannot take now (a full disk, say): they wait, their neighbours go on.
    fn bring_in_arrivals(&mut self, now: Timestamp, step: &mut Step) -> Result<Vec<Waiting>, Error> {
        let mut stalled = Vec::new();
        for mut waiting in std::mem::take(&mut self.waiting) {
            let gate = Gate { disk: &*self.disk, store: &self.store, spool: &self.spool, now };
            match waiting.bring_in(&gate) {
                Ok(()) => self.waiting.push(waiting),
                Err(Stopped::Refused(refusal)) => {
                    let answer =
                        answers::refused(&waiting.claimed, &waiting.asker, Some(&waiting.request), refusal);
                    self.store.remove_import(&waiting.claimed.name)?;
                    self.answer_now(&waiting.claimed, answer, step)?;
                }
                Err(Stopped::Failed(error)) => {
                    tracing::warn!(request = waiting.claimed.name, "the import waits: {error}");
                    self.store.remove_import(&waiting.claimed.name)?;
                    step.wait = Some((now + RETRY, error.to_string()));
                    stalled.push(waiting);
                }
            }
        }
        Ok(stalled)
    }

    /// Answers the requests of a published generation, logs it, and removes what it leaves behind.
    fn conclude_with(
        &mut self,
        generation: &Generation,
        effects: &[(&Waiting, &Settled)],
        step: &mut Step,
    ) -> Result<(), Error> {
        self.unfinished = Some(generation.number);
        for (_, settled) in effects.iter().filter(|(waiting, _)| !waiting.is_of_the_clock()) {
            self.settled.record_unwritten(&settled.answer);
        }
        if planted::is(Bug::FinishedBeforeTheAnswer) {
            self.store.finish(&self.lock, generation.number)?;
        }
        for (waiting, settled) in effects {
            let answer = &settled.answer;
            if !waiting.is_of_the_clock() {
                self.spool.settle(&waiting.claimed, answer)?;
                self.settled.is_written(&waiting.claimed.name);
            }
            tracing::info!(request = answer.claim, generation = generation.number, "{}", answer.sentence);
            step.answers.push(answer.clone());
        }
        self.conclude_unfinished()?;
        for (waiting, _) in effects {
            self.forget_import(waiting)?;
            waiting.remove_uploads(&self.spool)?;
        }
        Ok(())
    }

    /// Removes what an import brought in; the pool has it, or nobody wants it.
    fn forget_import(&self, waiting: &Waiting) -> Result<(), Error> {
        if waiting.arrived.is_some() {
            self.store.remove_import(&waiting.claimed.name)?;
        }
        Ok(())
    }

    /// Writes the audit record of a published generation unless it is there, and lets the store finish it;
    /// called when its requests were answered.
    fn conclude_unfinished(&mut self) -> Result<(), Error> {
        let Some(number) = self.unfinished else { return Ok(()) };
        let generation = self.store.generation(number)?;
        self.audit.append_once(&Record::of_generation(self.clock.now(), &generation))?;
        self.store.finish(&self.lock, number)?;
        self.unfinished = None;
        Ok(())
    }

    /// Asks, as the clock, for repositories that the configuration has and the published site has not.
    fn ask_for_new_repositories(&mut self, account: Option<&Account>, now: Timestamp) {
        let published = |name: &str| account.is_some_and(|account| account.repositories.contains_key(name));
        let wanted = self.config.layout.repositories();
        let asked = self.waiting.iter().any(Waiting::is_of_the_clock);
        if asked
            || self.clock_refused
            || wanted.iter().all(|repository| published(&repository.name())) && account.is_some()
        {
            return;
        }
        self.waiting.insert(0, Waiting::of_the_clock("config", Action::Config {}, now));
    }
}

/// Tells how long requests must wait: generations differ by a second at least, and none is dated ahead.
fn too_early(current: Option<&Generation>, now: Timestamp) -> Option<(Timestamp, String)> {
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
