//! How requests come in and how they are answered, so that each is settled once, whatever fails in between.
//!
//! A claim that is in hand is either waiting in the engine or given back to the control directory, which
//! hands it out again; what was decided for it is remembered by its claim name until its answer is written.

use jiff::Timestamp;
use plan::{Action, Answer, Asker, Code, Decision, Outcome, Refusal, Request, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::planted::{self, Bug};

use super::{Engine, RETRY, Step};
use crate::answers;
use crate::arrivals::{Gate, Stopped};
use crate::audit::Record;
use crate::config::Config;
use crate::error::Error;
use crate::grounds::{Came, Grounds, roles};
use crate::progress::Telling;
use crate::signed_request;
use crate::spool::Claimed;
use crate::waiting::Waiting;

/// Who the owners of requests are that were claimed together, so that the host is asked once for each: it may have to
/// ask a directory service, and thousands of requests may have one owner. `None` is one it cannot tell now.
type Askers = BTreeMap<u32, Option<(Asker, bool)>>;

impl Engine {
    /// Takes in what was claimed, beside what waits already; after an error the rest is handed out again.
    pub(super) fn take_in_all(&mut self, claimed: Vec<Claimed>, step: &mut Step) -> Result<(), Error> {
        let mut claimed = claimed.into_iter();
        if let Err(error) = self.ask_again(step) {
            claimed.for_each(|rest| self.spool.put_back(&rest.name));
            return Err(error);
        }
        let mut ready = Vec::new();
        let mut askers = Askers::new();
        while let Some(one) = claimed.next() {
            let name = one.name.clone();
            if let Err(error) = self.take_in(one, &mut askers, &mut ready, step) {
                self.spool.put_back(&name);
                ready.iter().for_each(|(rest, _)| self.spool.put_back(&rest.name));
                claimed.for_each(|rest| self.spool.put_back(&rest.name));
                return Err(error);
            }
        }
        self.answer_together(&ready, step)
    }

    /// Asks again who those are that wait: while a signer is out of order a key may end, or a role.
    fn ask_again(&mut self, step: &mut Step) -> Result<(), Error> {
        let mut askers = Askers::new();
        let mut refused = Vec::new();
        let clocks = [self.clock.now(), self.witnessing.witness.time];
        for mut waiting in std::mem::take(&mut self.waiting) {
            if Waiting::is_name_of_the_clock(&waiting.claimed.name) {
                self.waiting.push(waiting);
                continue;
            }
            let uid = waiting.claimed.owner.uid;
            let Some((mut asker, is_door)) = askers.entry(uid).or_insert_with(|| self.who(uid)).clone()
            else {
                self.spool.put_back(&waiting.claimed.name);
                continue;
            };
            let asks = self.signer(&waiting.claimed, &mut asker);
            let asks =
                asks.and_then(|is_signed| self.on_behalf(&asker, is_door && !is_signed, &waiting.request));
            match asks {
                Ok(asker) => {
                    waiting.asker = asker;
                    self.waiting.push(waiting);
                }
                Err(refusal) => {
                    let policy = repo::sha256(&self.config.bytes);
                    let grounds = Grounds::read(&waiting.claimed, &asker, policy, clocks);
                    self.grounds.insert(waiting.claimed.name.clone(), grounds);
                    let answer = answers::refused(&waiting.claimed, &asker, Some(&waiting.request), refusal);
                    refused.push((waiting, answer));
                }
            }
        }
        self.answer_all(refused, step)
    }

    /// Says for whom a request asks whose owner, or signer, is known.
    fn on_behalf(&self, asker: &Asker, is_door: bool, request: &Request) -> Result<Asker, Refusal> {
        match (is_door, &request.as_) {
            (true, Some(name)) => {
                let (name, roles) = self.config.roles.of_named(name);
                Ok(Asker { name, roles })
            }
            (false, None) => Ok(asker.clone()),
            (true, None) | (false, Some(_)) => Err(refused_as(asker, is_door)),
        }
    }

    /// Parses a claimed request, asks who asks, and puts to `ready` what needs no plan to be answered.
    fn take_in(
        &mut self,
        claimed: Claimed,
        askers: &mut Askers,
        ready: &mut Vec<(Claimed, Answer)>,
        step: &mut Step,
    ) -> Result<(), Error> {
        let remembered =
            self.settled.unwritten(&claimed.name).filter(|_| !planted::is(Bug::ClaimsNotRemembered));
        if let Some(answer) = remembered.cloned() {
            self.spool.settle(&claimed, &answer)?;
            self.settled.is_written(&claimed.name);
            let (bytes, _) = plan::signed::split(&claimed.bytes);
            if let (Outcome::Done, Ok(request)) = (answer.outcome, plan::parse(bytes, claimed.format)) {
                self.remove_uploads(&request);
            }
            return Ok(());
        }
        let uid = claimed.owner.uid;
        let Some((mut asker, is_door)) = askers.entry(uid).or_insert_with(|| self.who(uid)).clone() else {
            tracing::warn!(request = claimed.name, "it waits: nobody can tell now who its owner is");
            self.spool.put_back(&claimed.name);
            return Ok(());
        };
        let clocks = [self.clock.now(), self.witnessing.witness.time];
        let policy = repo::sha256(&self.config.bytes);
        self.grounds.insert(claimed.name.clone(), Grounds::read(&claimed, &asker, policy, clocks));
        let request = match claimed.problem.clone() {
            Some(problem) => Err(problem),
            None => self.signer(&claimed, &mut asker).and_then(|is_signed| {
                let (bytes, _) = plan::signed::split(&claimed.bytes);
                let request = plan::parse(bytes, claimed.format)?;
                signed_request::is_for(&request, &self.config)?;
                if is_signed {
                    signed_request::is_bound(&request, self.clock.now())?;
                }
                refused_folder(&request, is_door).map_or(Ok(request), Err)
            }),
        };
        // Whoever signs speaks for themselves, also through the door.
        let is_door = is_door && !asker.name.starts_with("ssh:");
        let request = match request {
            Ok(request) => request,
            Err(refusal) => {
                let answer = answers::refused(&claimed, &asker, None, refusal);
                ready.push((claimed, answer));
                return Ok(());
            }
        };
        match self.on_behalf(&asker, is_door, &request) {
            Ok(behalf) => asker = behalf,
            Err(refusal) => {
                let answer = answers::refused(&claimed, &asker, Some(&request), refusal);
                ready.push((claimed, answer));
                return Ok(());
            }
        }
        self.grounds.entry(claimed.name.clone()).and_modify(|grounds| grounds.roles = roles(&asker));
        let is_same = |(_, answer): &(Claimed, Answer)| {
            Some(&answer.id) == request.id.as_ref() && answer.owner == asker.name
        };
        if ready.iter().any(is_same) {
            // The first bearer of the id is settled before the second is looked at.
            self.answer_together(ready, step)?;
            ready.clear();
        }
        if let Some(answer) = self.answered_before(&claimed, &asker, &request) {
            ready.push((claimed, answer));
            return Ok(());
        }
        if let Some(refusal) = refused_unread(&self.config, self.clock.now(), &asker, &request) {
            let answer = answers::refused(&claimed, &asker, Some(&request), refusal);
            ready.push((claimed, answer));
            return Ok(());
        }
        self.waiting.push(Waiting { claimed, request, asker, arrived: None, adopted: None });
        Ok(())
    }

    /// Makes whoever signed the request the one who asks, if it is signed.
    fn signer(&self, claimed: &Claimed, asker: &mut Asker) -> Result<bool, Refusal> {
        let (bytes, Some(signature)) = plan::signed::split(&claimed.bytes) else { return Ok(false) };
        let clocks = [self.clock.now(), self.witnessing.witness.time];
        let name = signed_request::signer(bytes, signature, &self.config.allowed_signers, clocks)?;
        let (name, roles) = self.config.roles.of_ssh(name);
        *asker = Asker { name, roles };
        Ok(true)
    }

    /// Asks who owns a request, and whether he is the door that speaks for others; `None` if nobody can tell now.
    fn who(&self, uid: u32) -> Option<(Asker, bool)> {
        let found = self.config.roles.of(uid).and_then(|found| Ok((found, self.config.is_door(uid)?)));
        match found {
            Ok(((name, roles), is_door)) => Some((Asker { name, roles }, is_door)),
            Err(error) => {
                // A directory service that is down holds up those it knows, and nobody else.
                tracing::warn!(uid, "the requests of this user wait: {error}");
                None
            }
        }
    }

    /// Gives the first answer again if the id was settled with the same bytes, and a refusal if with others.
    fn answered_before(&self, claimed: &Claimed, asker: &Asker, request: &Request) -> Option<Answer> {
        let first = self.settled.first(&asker.name, request.id.as_ref()?)?;
        if planted::is(Bug::IdsNotRemembered) {
            return None;
        }
        if first.digest == claimed.digest {
            return Some(answers::again(claimed, &first.answer));
        }
        let id = request.id.as_deref().unwrap_or_default();
        let sentence = format!("the id `{id}` was settled before, by a request with other content");
        let refusal =
            Refusal::new(Code::UsedId, sentence).hint("give the new request an id of its own, or none");
        Some(answers::refused(claimed, asker, Some(request), refusal))
    }

    /// Records and writes answers that no generation carries; after an error all of them are handed out again.
    fn answer_together(&mut self, ready: &[(Claimed, Answer)], step: &mut Step) -> Result<(), Error> {
        let result = self.record_and_settle(ready);
        for (claimed, answer) in ready {
            if result.is_err() {
                // For one that is settled already this does nothing.
                self.spool.put_back(&claimed.name);
                continue;
            }
            tracing::info!(request = answer.claim, outcome = ?answer.outcome, code = answer.code, "{}", answer.sentence);
            step.answers.push(answer.clone());
        }
        result
    }

    fn record_and_settle(&mut self, ready: &[(Claimed, Answer)]) -> Result<(), Error> {
        // The clock has no file in the control directory; the audit log is all the answer it gets.
        let is_of_the_clock = |claimed: &Claimed| Waiting::is_name_of_the_clock(&claimed.name);
        let asked: Vec<_> = ready.iter().filter(|(claimed, _)| !is_of_the_clock(claimed)).collect();
        let batch: Vec<_> = asked.iter().map(|(claimed, answer)| (claimed, answer)).collect();
        if planted::is(Bug::AnsweredBeforeTheAuditLog) {
            self.spool.settle_all(&batch)?;
        }
        let now = self.clock.now();
        let mut records = self.unkept_configuration(now);
        let of_answer = |(claimed, answer): &(Claimed, Answer)| {
            let grounds = self.grounds.get(&claimed.name).cloned();
            Record::of_answer(now, answer, grounds.map(Grounds::without_effect))
        };
        records.extend(ready.iter().map(of_answer));
        self.audit.append_all(&records)?;
        for (claimed, _) in ready {
            self.grounds.remove(&claimed.name);
            self.brought.remove(&claimed.name);
        }
        let is_refused =
            |(claimed, answer): &(Claimed, Answer)| is_of_the_clock(claimed) && answer.action == "config";
        self.clock_refused |= ready.iter().any(is_refused);
        ready.iter().for_each(|(_, answer)| self.settled.record(answer));
        asked.iter().for_each(|(_, answer)| self.settled.record_unwritten(answer));
        self.spool.settle_all(&batch)?;
        asked.iter().for_each(|(claimed, _)| self.settled.is_written(&claimed.name));
        Ok(())
    }

    /// Records the configuration in force before what is answered by it, unless some generation names it.
    fn unkept_configuration(&self, now: Timestamp) -> Vec<Record> {
        let digest = repo::sha256(&self.config.bytes);
        match self.audit.knows_configuration(&digest) || self.store.policy(&digest).is_ok() {
            true => Vec::new(),
            false => vec![Record::of_configuration(now, &self.config.bytes)],
        }
    }

    /// Answers requests that no generation carries; after an error all of them are handed out again.
    pub(super) fn answer_all(
        &mut self,
        answers: Vec<(Waiting, Answer)>,
        step: &mut Step,
    ) -> Result<(), Error> {
        for (waiting, _) in &answers {
            if let Err(error) = self.forget_import(waiting) {
                answers.iter().for_each(|(waiting, _)| self.spool.put_back(&waiting.claimed.name));
                return Err(error);
            }
        }
        let ready: Vec<_> = answers.into_iter().map(|(waiting, answer)| (waiting.claimed, answer)).collect();
        self.answer_together(&ready, step)
    }

    /// Answers waiting requests whose id was settled since they were claimed.
    pub(super) fn answer_repeated(&mut self, step: &mut Step) -> Result<(), Error> {
        let mut repeated = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            match self.answered_before(&waiting.claimed, &waiting.asker, &waiting.request) {
                Some(answer) => repeated.push((waiting, answer)),
                None => self.waiting.push(waiting),
            }
        }
        self.answer_all(repeated, step)
    }

    /// Copies, hashes and reads what imports bring, before the line; refuses what is wrong with them.
    ///
    /// Gives back those that the site cannot take now (a full disk, say): they wait, their neighbours go on.
    pub(super) fn bring_in_arrivals(
        &mut self,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<Vec<Waiting>, Error> {
        let mut stalled = Vec::new();
        let mut refused = Vec::new();
        for mut waiting in std::mem::take(&mut self.waiting) {
            let gate = Gate {
                disk: &*self.disk,
                store: &self.store,
                spool: &self.spool,
                reader: &*self.reader,
                now,
            };
            let claim = waiting.claimed.name.clone();
            let mut telling =
                Telling::of(&*self.disk, &*self.clock, &self.onlooker, &self.config.spool, &claim);
            let brought = waiting.bring_in(&gate, &mut |progress| telling.tell(progress));
            drop(telling);
            self.reader.rest();
            match brought {
                Ok(()) => self.waiting.push(waiting),
                Err(Stopped::Refused(refusal)) => {
                    self.grounds.entry(claim).and_modify(|grounds| grounds.came = Came::Files);
                    let answer =
                        answers::refused(&waiting.claimed, &waiting.asker, Some(&waiting.request), refusal);
                    refused.push((waiting, answer));
                }
                Err(Stopped::Failed(error)) => {
                    let why = format!("the import {} waits: {error}", waiting.claimed.name);
                    self.say_why(&why);
                    // What an adoption completed is not copied again, unless it is what fills the disk.
                    let is_kept =
                        matches!(waiting.request.action, Action::Adopt { .. }) && !error.is_no_space();
                    if let Err(error) = self.forget_copies(&waiting.claimed.name, is_kept) {
                        tracing::warn!("what was copied of it is removed at the next start: {error}");
                    }
                    step.wait = Some((self.clock.now() + RETRY, why));
                    stalled.push(waiting);
                }
            }
        }
        for (waiting, _) in &refused {
            if let Err(error) = self.store.remove_import(&waiting.claimed.name) {
                tracing::warn!("what was copied of it is removed at the next start: {error}");
            }
        }
        if let Err(error) = self.answer_all(refused, step) {
            self.waiting.extend(stalled);
            return Err(error);
        }
        Ok(stalled)
    }

    fn forget_copies(&self, claim: &str, is_kept: bool) -> Result<(), store::Error> {
        if is_kept { Ok(()) } else { self.store.remove_import(claim) }
    }
}

/// Refuses whoever has no business here, before a single byte is copied for him.
pub(crate) fn refused_unread(
    config: &Config,
    now: Timestamp,
    asker: &Asker,
    request: &Request,
) -> Option<Refusal> {
    // Early adopters stand in a register, not in the configuration: the procedure says whose step it is.
    if asker.roles.is_empty() && !matches!(request.action, Action::Step { .. }) {
        let sentence = format!("{} asks and has no role here", asker.name);
        let refusal = Refusal::new(Code::UnknownOwner, sentence);
        return Some(refusal.hint("roles are given under [roles] in sluice.toml"));
    }
    if !matches!(request.action, Action::Import { .. } | Action::Adopt { .. }) {
        return None;
    }
    // On a world without packages the plan says whether product, stage and role are right; that nothing
    // arrived is no reason yet.
    let world = World::new(Arc::clone(&config.layout), now, 0);
    match plan::decide(&world, request, asker, &[]) {
        Decision::Refused(refusal) if refusal.code != Code::NoSuchUpload => Some(refusal),
        _ => None,
    }
}

/// The door is for people who have no account here: what lies on the disks of this host is not for them to point to.
pub(crate) fn refused_folder(request: &Request, is_door: bool) -> Option<Refusal> {
    let (Action::Import { folder: Some(folder), .. } | Action::Adopt { folder, .. }) = &request.action else {
        return None;
    };
    if !is_door {
        return None;
    }
    let refusal =
        Refusal::new(Code::FolderNotAllowed, format!("the door may not point to the folder `{folder}`"));
    Some(refusal.hint("hand the packages in through the door as files, and name them in `files`"))
}

/// Says what is wrong with an `as` that is there, or is not.
pub(crate) fn refused_as(asker: &Asker, is_door: bool) -> Refusal {
    let name = &asker.name;
    if is_door {
        return Refusal::new(
            Code::DoorNeedsAs,
            format!("{name} is the door and does not say for whom it asks"),
        );
    }
    let refusal =
        Refusal::new(Code::DoorOnly, format!("{name} is not the door and may not ask for somebody else"));
    refusal.hint("leave `as` out: who asks is the owner of the file")
}
