//! The line: requests are decided here one after the other, each on the world its predecessors leave.
//!
//! Nothing is written. What comes out is a verdict for every request and, if any takes effect, the draft
//! of the one generation they share. A request that is refused changes nothing for its neighbours.

mod building;
mod headers;
mod installable;
mod left_out;
mod loading;
mod signatures;
mod undoing;
mod unsigned;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::{Digest, Sha256};
use plan::{Action, Answer, Arrival, Code, Decision, Plan, Refusal, Repository, Request, Witness, World};
use store::Generation;
use store::planted::{self, Bug};

use crate::account::{Account, Settled};
use crate::answers;
use crate::arrivals::Arrived;
use crate::candidates::{self, Prepared};
use crate::grounds::{Came, Grounds, roles};
use loading::first_world;
pub(crate) use loading::{names, overlapping};
pub(crate) use signatures::signers;

use crate::engine::Engine;
use crate::error::Error;
use crate::known::Known;
use crate::observe::Shelf;
use crate::publish::{Adoption, Candidate, Drafted, Publication};
use crate::rehearsed::Rehearsed;
use crate::waiting::Waiting;

/// What becomes of one request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It takes effect in the drafted generation and gets this answer.
    Effect(Box<Settled>),
    /// It gets this answer and changes nothing.
    Other(Box<Answer>),
    /// It is looked at again by the next step.
    Later,
}

/// What the line decided.
#[derive(Debug)]
pub(crate) struct Decided {
    /// A verdict for each request, in order.
    pub(crate) verdicts: Vec<Verdict>,
    /// The generation to publish, if any request takes effect; or why it cannot be drafted.
    pub(crate) draft: Option<Result<Drafted, Error>>,
    /// Why a request could not be decided now, if one could not.
    pub(crate) stuck: Option<String>,
    /// Until when, and why, those wait whose metadata nobody signs now, if any does.
    pub(crate) unsigned: Option<(Timestamp, String)>,
    /// The time that is witnessed once it is published.
    pub(crate) witness: Witness,
}

/// The world a line of requests is decided on.
pub(crate) struct Line<'a> {
    engine: &'a mut Engine,
    current: Option<(&'a Generation, &'a Account)>,
    now: Timestamp,
    world: World,
    before: BTreeMap<Repository, Arc<Shelf>>,
    /// The packages that may be listed.
    known: Known,
    /// Where the bytes of packages are that the pool does not have yet.
    arriving: BTreeMap<Sha256, Utf8PathBuf>,
    /// What packages are called where clients know no SHA-256.
    named: BTreeMap<Sha256, Digest>,
    plans: Vec<Plan>,
    adoptions: Vec<Adoption>,
    /// What is prepared, with the world as it would be.
    candidates: Vec<Candidate>,
    /// What lies in the published tree and nobody recorded, one sentence each.
    strays: &'a [String],
    unsigned: Option<(Timestamp, String)>,
    /// What was built anew for the request in hand.
    built: Vec<Arrived>,
    /// What was built anew for plans.
    made: Vec<Arrived>,
    /// The claim for which the records were looked through.
    looked_up: Option<String>,
}

impl<'a> Line<'a> {
    /// Decides `waiting`, on the published generation as it is.
    pub(crate) fn decide(
        engine: &'a mut Engine,
        current: Option<(&'a Generation, &'a Account)>,
        now: Timestamp,
        waiting: &[Waiting],
        strays: &'a [String],
    ) -> Result<Decided, Error> {
        let mut world = first_world(engine, current, now)?;
        if let Some((generation, _)) = current {
            world.workflow = engine.remembered.of(&engine.store, generation)?;
        }
        let mut line = Line {
            engine,
            current,
            now,
            world,
            before: BTreeMap::new(),
            known: Known::default(),
            arriving: BTreeMap::new(),
            named: BTreeMap::new(),
            plans: Vec::new(),
            adoptions: Vec::new(),
            candidates: Vec::new(),
            strays,
            unsigned: None,
            built: Vec::new(),
            made: Vec::new(),
            looked_up: None,
        };
        let number = line.engine.store.next_number()?.max(line.engine.number_min);
        line.world.next = number;
        // New repositories are published alone: their request is decided without reading a single package.
        let is_config = |one: &Waiting| one.request.action == Action::Config {};
        let config = waiting.iter().any(is_config);
        let mut ids = BTreeSet::new();
        let mut verdicts = Vec::new();
        let mut stuck = None;
        let mut delayed: BTreeSet<&str> = BTreeSet::new();
        for request in waiting {
            delayed.extend(delayed_by(waiting, &verdicts));
            // The second bearer of an id is looked at again when the first is settled.
            let id = request.request.id.clone().map(|id| (request.asker.name.clone(), id));
            let first = id.is_none_or(|id| ids.insert(id));
            // While it waits for a signature, it holds up nobody.
            let is_held_up = config && !is_config(request) && line.unsigned.is_none();
            let is_too_early = undoing::is_ahead_of_the_record(request, waiting, &verdicts);
            // Steps of a procedure build on each other.
            let product = request.request.action.product();
            let is_step = matches!(request.request.action, Action::Step { .. });
            let is_behind = is_step && product.is_some_and(|product| delayed.contains(product));
            if !first || is_held_up || is_too_early || is_behind || line.must_wait(request) {
                verdicts.push(Verdict::Later);
                continue;
            }
            // What was built for another goes with its request.
            line.world.rebuilt.clear();
            line.world.earlier.clear();
            line.built.clear();
            // One that cannot be decided (an old generation that does not read, say) holds up nobody else.
            verdicts.push(line.verdict(request, number).unwrap_or_else(|error| {
                if error.is_of_the_disk() {
                    stuck = Some(format!("{} waits: {error}", request.claimed.name));
                    return Verdict::Later;
                }
                tracing::error!(request = request.claimed.name, "it cannot be decided: {error}");
                let sentence = format!("what it is about cannot be read, nothing was changed: {error}");
                let refusal = Refusal::new(Code::NeedsPerson, sentence);
                let refused =
                    answers::refused(&request.claimed, &request.asker, Some(&request.request), refusal);
                Verdict::Other(Box::new(refused))
            }));
        }
        let witness = line.witness();
        let unsigned = line.unsigned.take();
        line.tell_left_out(&mut verdicts);
        let draft = (!line.plans.is_empty()).then(|| line.draft(number, waiting, &verdicts));
        Ok(Decided { verdicts, draft, stuck, unsigned, witness })
    }

    /// What is witnessed after all plans: somebody may have said that the clock is right.
    fn witness(&self) -> Witness {
        let seen = self.engine.witnessing.witness.seen.clone();
        Witness { time: self.world.witnessed, seen }
    }

    /// Whether a request must be decided on the generation that its predecessors' plans make.
    fn must_wait(&self, waiting: &Waiting) -> bool {
        let names_the_current =
            matches!(&waiting.request.action, Action::Keep { generation: None, drop: None, .. });
        !self.plans.is_empty()
            && (names_the_current || self.engine.alone || self.is_judged_after_them(waiting))
    }

    fn verdict(&mut self, waiting: &Waiting, number: u64) -> Result<Verdict, Error> {
        let Waiting { claimed, request, asker, adopted, .. } = waiting;
        match request.action {
            // New repositories appear without a single package being read.
            Action::Config {} => self.load_names()?,
            _ => self.load(waiting)?,
        }
        let arrivals: Vec<Arrival> = waiting.packages().map(|arrived| arrived.arrival.clone()).collect();
        let grounds = self.grounds(waiting);
        let grounds = grounds.building(&self.world.rebuilt);
        self.engine.grounds.insert(claimed.name.clone(), grounds.clone().bringing(&arrivals));
        let refused =
            |refusal| Verdict::Other(Box::new(answers::refused(claimed, asker, Some(request), refusal)));
        let mut plan = match plan::decide(&self.world, request, asker, &arrivals) {
            Decision::Lacking(lacking) => {
                return match self.provide(&lacking, waiting)? {
                    true => self.verdict(waiting, number),
                    false => Ok(Verdict::Later),
                };
            }
            Decision::Refused(refusal) if refusal.code == Code::PlanChanged => {
                let reasons = self.what_changed(waiting, &arrivals);
                return Ok(refused(refusal.reasons(reasons)));
            }
            Decision::Refused(refusal) => return Ok(refused(refusal)),
            Decision::NothingToDo(code, sentence) => {
                return Ok(Verdict::Other(Box::new(answers::nothing_to_do(
                    claimed, asker, request, code, sentence,
                ))));
            }
            Decision::Effect(plan) => plan,
        };
        let mut broken = plan::check(&self.world, &plan);
        broken.extend(plan.candidate.iter().flat_map(|prepared| plan::check(&self.world, prepared)));
        if !broken.is_empty() {
            // A bug of ours: it stops before it writes, and its neighbours go on.
            let sentence =
                "the plan would break an invariant; this is a bug in Sluice, nothing was changed".to_owned();
            let mut refusal = Refusal::new(Code::Internal, sentence);
            refusal.reasons =
                broken.iter().map(|broken| format!("{}: {}", broken.invariant, broken.words)).collect();
            tracing::error!(request = claimed.name, "{:?}", refusal.reasons);
            return Ok(refused(refusal));
        }
        plan.notes.extend(self.strays.iter().cloned());
        if request.dry_run {
            self.rehearsed().remember(&plan);
            return Ok(Verdict::Other(Box::new(answers::planned(claimed, asker, request, &plan))));
        }
        if self.waits_for_a_signature(&plan) {
            return Ok(Verdict::Later);
        }
        self.world.apply(&plan);
        if let Some(prepared) = plan.candidate.take() {
            let mut after = self.world.clone();
            after.apply(&prepared);
            self.candidates.push(Candidate { plan: *prepared, after });
        }
        self.made.append(&mut self.built);
        for (repository, places) in &plan.adopted {
            self.adoptions.extend(adopted.iter().map(|adopted| Adoption {
                repository: repository.clone(),
                places: places.clone(),
                adopted: Arc::clone(adopted),
            }));
        }
        let answer = answers::done(claimed, asker, request, &plan, number);
        let deed = plan.deed.clone().map(Box::new);
        self.plans.push(plan);
        let roles = roles(asker);
        let grounds = Some(Box::new(Grounds { roles: Vec::new(), ..grounds }));
        let reason = request.reason.clone();
        Ok(Verdict::Effect(Box::new(Settled { answer, roles, reason, deed, grounds })))
    }

    /// What a request is decided on.
    fn grounds(&self, waiting: &Waiting) -> Grounds {
        let Waiting { claimed, asker, .. } = waiting;
        let clocks = [self.now, self.engine.witnessing.witness.time];
        let policy = repo::sha256(&self.engine.config.bytes);
        let known = self.engine.grounds.get(&claimed.name).cloned();
        let known = known.unwrap_or_else(|| Grounds::read(claimed, asker, policy, clocks));
        let [now, witnessed] = clocks;
        Grounds {
            came: Came::Line,
            roles: roles(asker),
            policy,
            now,
            witnessed,
            generation: self.world.generation,
            behind: self.plans.len(),
            freeze_files: self.world.freeze_files.clone(),
            approvers: self.world.approvers.iter().map(|(name, one)| (name.clone(), roles(one))).collect(),
            arrivals: Vec::new(),
            rebuilt: Vec::new(),
            brought_more: false,
            ..known
        }
    }

    fn rehearsed(&self) -> Rehearsed<'_> {
        Rehearsed { disk: &*self.engine.disk, cache: self.engine.store.paths().cache() }
    }

    /// Tells how the plan differs from the one that a request asks for.
    fn what_changed(&self, waiting: &Waiting, arrivals: &[Arrival]) -> Vec<String> {
        if let Action::Step { .. } = &waiting.request.action
            && waiting.request.plan.is_none()
        {
            return self.changed_since_prepared(waiting).unwrap_or_else(|error| vec![error.to_string()]);
        }
        let as_it_is = Request { plan: None, dry_run: true, ..waiting.request.clone() };
        match plan::decide(&self.world, &as_it_is, &waiting.asker, arrivals) {
            Decision::Effect(plan) => {
                let approved = waiting.request.plan.as_deref().unwrap_or_default();
                self.rehearsed().differences(approved, &plan)
            }
            _ => Vec::new(),
        }
    }

    /// Tells how publishing an update differs from what was prepared.
    fn changed_since_prepared(&self, waiting: &Waiting) -> Result<Vec<String>, Error> {
        let Action::Step { product, command } = &waiting.request.action else { return Ok(Vec::new()) };
        let workflow::Command::ReleasePublish { update } = **command else { return Ok(Vec::new()) };
        let state = self.world.workflow.products.get(product);
        let update = state.and_then(|state| state.updates.get(&update));
        let now = plan::publishing(&self.world, &waiting.request, &waiting.asker);
        let (Some((generation, _)), Some(update), Some(now)) = (self.current, update, now) else {
            return Ok(Vec::new());
        };
        let store = &self.engine.store;
        let Some(prepared) = Prepared::read(store, generation, &update.plan.hex())? else {
            return Ok(vec!["what was prepared is not kept here".to_owned()]);
        };
        let mut all = prepared.differences(&now);
        all.extend(prepared.meanwhile(store, generation.number)?);
        Ok(candidates::named(all))
    }

    /// The links to drop, without those that a later request of the same line lists again.
    fn dropped_links(&self) -> BTreeSet<String> {
        let both = |plan: &Plan| plan.drop_links.union(&plan.drop_pool).cloned().collect::<Vec<_>>();
        let mut dropped: BTreeSet<String> = self.plans.iter().flat_map(both).collect();
        if !dropped.is_empty() {
            for (repository, listed) in &self.world.repositories {
                for package in listed {
                    dropped.remove(&package.link(repository));
                    dropped.remove(&package.pooled());
                }
            }
        }
        dropped
    }

    /// Reads the published files that keep their name when they change, if a plan dates them anew.
    fn renewed_files(&self) -> Result<Option<BTreeMap<Utf8PathBuf, Vec<u8>>>, Error> {
        let Some((generation, _)) = self.current.filter(|_| self.plans.iter().any(|plan| plan.renews)) else {
            return Ok(None);
        };
        let mut renewed = BTreeMap::new();
        for (path, facts) in &generation.files.public {
            let path = Utf8Path::new(path.as_str());
            if facts.until.is_none() && !is_named_by_digest(path) && path.extension() != Some("rpm") {
                let bytes = self.engine.store.read_public(generation, path.as_str())?;
                renewed.insert(path.to_owned(), bytes);
            }
        }
        Ok(Some(renewed))
    }

    /// Makes the draft of the generation that all plans share.
    fn draft(mut self, number: u64, waiting: &[Waiting], verdicts: &[Verdict]) -> Result<Drafted, Error> {
        self.name_for_old_clients(waiting)?;
        if planted::is(Bug::NamesForgotten) {
            self.world.names = self.current.map(|(current, _)| names(&current.manifest)).unwrap_or_default();
        }
        let prepared = self.candidates.iter().flat_map(|one| one.plan.changes.values());
        let prepared = prepared.flat_map(|change| &change.enter);
        let listed = self.world.repositories.values().flatten().chain(prepared);
        let listed = listed.map(|listed| listed.pkgid).collect::<BTreeSet<_>>();
        let arrived = waiting.iter().flat_map(Waiting::packages).chain(&self.made);
        let arriving = arrived.filter_map(|arrived| arrived.pool.clone());
        let pool: BTreeMap<_, _> =
            arriving.filter(|pool| listed.contains(&pool.digest)).map(|pool| (pool.digest, pool)).collect();
        let settled = verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Effect(settled) => Some((**settled).clone()),
            Verdict::Other(_) | Verdict::Later => None,
        });
        let rewritten = self.plans.iter().flat_map(|plan| plan.rewritten.clone()).collect();
        let views = self.plans.iter().flat_map(|plan| plan.views.clone()).collect();
        let renewed = self.renewed_files()?;
        let witness = self.witness();
        let unlinked = self.plans.iter().filter_map(|plan| plan.unlinked.clone()).next_back();
        let drop_links = self.dropped_links();
        let publication = Publication {
            config: &self.engine.config,
            parent: self.current,
            number,
            now: self.now,
            before: &self.before,
            after: &self.world,
            known: &self.known,
            store: &self.engine.store,
            named: &self.named,
            pool: pool.into_values().collect(),
            settled: settled.collect(),
            audit: self.engine.audit.head(),
            drop_links,
            rewritten: &rewritten,
            views: &views,
            drop_generations: self.plans.iter().flat_map(|plan| plan.drop_generations.clone()).collect(),
            adoptions: self.adoptions,
            candidates: self.candidates,
            sweeps: self.plans.iter().any(|plan| plan.sweeps_metadata),
            renewed,
            witness,
            unlinked,
            signing: &mut self.engine.signing,
        };
        publication.draft()
    }
}

/// The product of the request that was looked at last, if that waits.
fn delayed_by<'a>(waiting: &'a [Waiting], verdicts: &[Verdict]) -> Option<&'a str> {
    let last = waiting.get(verdicts.len().checked_sub(1)?)?;
    matches!(verdicts.last(), Some(Verdict::Later)).then(|| last.request.action.product()).flatten()
}

/// Whether a file is named `<digest>-primary.xml.gz` or the like, so that its name never gets other bytes.
fn is_named_by_digest(path: &Utf8Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let digest = name.split_once('-').map(|(digest, _)| digest).unwrap_or_default();
    matches!(digest.len(), 32 | 40 | 64 | 96 | 128) && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}
