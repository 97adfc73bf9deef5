//! The way through the audit log: every request in the order in which it was settled, each generation after the one
//! it was made from.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use nevra::Sha256;
use plan::{Action, Answer, Asker, Code, Decision, Outcome, Request, World};
use store::{Disk, Store};
use workflow::Command;

use super::chapters::Chapter;
use super::policies::{Policies, Policy};
use super::required::Required;
use super::worlds::{self, Effect};
use super::{Case, Difference, Finding, Judgement, asking, compared, reason};
use crate::account::{Account, Settled};
use crate::audit::{Record, RecordKind, Records};
use crate::engine::refused_unread;
use crate::error::Error;
use crate::grounds::{Came, Grounds};
use crate::recorded::Archive;
use crate::settled::SettledIds;
use crate::soaking::Soaking;

/// Codes that tell what is wrong with a file, not with what it says.
const OF_THE_FILE: [Code; 8] = [
    Code::Truncated,
    Code::NotARegularFile,
    Code::Symlink,
    Code::Directory,
    Code::HardLinked,
    Code::Unreadable,
    Code::WritableByOthers,
    Code::TooLarge,
];

/// What is known on the way.
pub(super) struct Walk<'a> {
    disk: &'a dyn Disk,
    store: &'a Store,
    wanted: &'a dyn Fn(Timestamp, &Answer) -> bool,
    policies: Policies,
    settled: SettledIds,
    damaged: BTreeSet<Sha256>,
    /// Every generation that has a manifest.
    numbers: BTreeSet<u64>,
    soaking: Soaking,
    /// The generation before the last one of the log, and that one, with what its requests did.
    before: Option<Chapter>,
    current: Option<Chapter>,
    effects: Vec<Effect>,
    judgement: Judgement,
}

/// The world a request is decided in, as far as one is needed.
enum Ground<'a> {
    /// The one that those before it in its generation left, which is the second.
    Of(&'a mut World, &'a Account),
    /// It is still to be found.
    Unknown,
}

/// What is found about a request, and what it did.
struct Found {
    finding: Finding,
    taken: Vec<&'static str>,
    effect: Option<plan::Plan>,
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Found {
        Found { finding, taken: Vec::new(), effect: None }
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        disk: &'a dyn Disk,
        store: &'a Store,
        wanted: &'a dyn Fn(Timestamp, &Answer) -> bool,
    ) -> Walk<'a> {
        Walk {
            disk,
            store,
            wanted,
            policies: Policies::default(),
            settled: SettledIds::default(),
            damaged: BTreeSet::new(),
            numbers: BTreeSet::new(),
            soaking: Soaking::default(),
            before: None,
            current: None,
            effects: Vec::new(),
            judgement: Judgement::default(),
        }
    }

    /// Goes from the first line to the last.
    pub(super) fn all(mut self) -> Result<Judgement, Error> {
        self.numbers = self.store.past_numbers()?.into_iter().chain(self.store.numbers()?).collect();
        let mut records = Records::read(self.disk, &self.store.paths().audit())?;
        for record in &mut records {
            self.record(&record?)?;
        }
        self.judgement.broken_lines = records.flaws().len();
        Ok(self.judgement)
    }

    fn record(&mut self, record: &Record) -> Result<(), Error> {
        record.configuration.iter().for_each(|text| self.policies.learn(text));
        match (record.kind, record.package) {
            (RecordKind::Damaged, Some(package)) => drop(self.damaged.insert(package)),
            (RecordKind::Mended, Some(package)) => drop(self.damaged.remove(&package)),
            _ => {}
        }
        if let Some(answer) = &record.answer {
            let grounds = record.grounds.as_deref();
            let roles = grounds.map(|grounds| grounds.roles.as_slice()).unwrap_or_default();
            let case = Case { at: record.at, answer, roles, grounds };
            let found = self.case(&case, Ground::Unknown)?;
            self.tell(&case, found.finding, &found.taken);
            self.settled.record(answer);
        }
        match record.generation {
            Some(number) => self.generation(record, number),
            None => Ok(()),
        }
    }

    /// Judges what is settled in a generation, and whether that explains it.
    fn generation(&mut self, record: &Record, number: u64) -> Result<(), Error> {
        // One that is recorded again was judged before.
        if self.current.as_ref().is_some_and(|current| current.number >= number) {
            return Ok(());
        }
        let chapter = match Chapter::read(self.store, number, self.current.as_ref()) {
            Ok(chapter) if Some(chapter.digest) == record.manifest => chapter,
            Ok(_) => {
                self.judgement.differing.push(Difference {
                    recorded: "the manifest is another".to_owned(),
                    judged: "nothing: the audit log names another manifest".to_owned(),
                    ..of_generation(record.at, number)
                });
                return Ok(());
            }
            Err(Error::Store(store::Error::NoGeneration { .. })) => {
                self.is_gone(record);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let parent = chapter.manifest.parent.as_ref().map(|parent| parent.number);
        self.before = match (parent, self.current.take()) {
            (Some(parent), Some(current)) if current.number == parent => Some(current),
            (Some(parent), _) => Chapter::read(self.store, parent, None).ok(),
            (None, _) => None,
        };
        if parent.is_some() && self.before.is_none() {
            self.is_gone(record);
            self.current = Some(chapter);
            return Ok(());
        }
        self.effects.clear();
        let mut world = None;
        let mut is_whole = true;
        for settled in &chapter.account.requests {
            let Settled { answer, roles, grounds, .. } = settled;
            let case = Case { at: record.at, answer, roles, grounds: grounds.as_deref() };
            if let (None, Some(grounds)) = (&world, case.grounds) {
                let policy = self.policies.of(self.store, &chapter.manifest.policy);
                let before = self.before.as_ref();
                let build = |policy: Arc<Policy>| {
                    let mut world = worlds::build(&policy, grounds, before, (&[], None), &self.damaged);
                    world.next = chapter.number;
                    world
                };
                world = policy.map(build);
            }
            let found = match &mut world {
                None if case.grounds.is_none() => Finding::NotJudged(reason::OLDER).into(),
                None => Finding::NotJudged(reason::POLICY).into(),
                Some(_) if case.grounds.is_some_and(|one| one.policy != chapter.manifest.policy) => {
                    let words = "its generation names another configuration than it was decided by";
                    Finding::differs(compared::recorded(answer), words).into()
                }
                Some(world) => self.case(&case, Ground::Of(world, &chapter.account))?,
            };
            is_whole &=
                matches!(found.finding, Finding::Same | Finding::NotJudged(reason::DISK | reason::SAID));
            let effect = match found.effect {
                Some(plan) if found.finding == Finding::Same => Effect::Judged(Box::new(plan)),
                _ => Effect::Recorded(Box::new(answer.clone())),
            };
            if let Some(world) = &mut world {
                worlds::apply(world, &effect, Some(&chapter.account));
            }
            self.effects.push(effect);
            self.tell(&case, found.finding, &found.taken);
            self.settled.record(answer);
        }
        if let Some(world) = world.filter(|_| is_whole) {
            self.explained(record.at, &chapter, &world);
        }
        self.current = Some(chapter);
        Ok(())
    }

    /// Looks whether a generation is what its requests made of the one before.
    fn explained(&mut self, at: Timestamp, chapter: &Chapter, world: &World) {
        let mut wrong = Vec::new();
        for (repository, listed) in &chapter.lists {
            let digests =
                |listed: &[plan::Listed]| listed.iter().map(|one| one.pkgid).collect::<BTreeSet<_>>();
            let known = world.repositories.get(repository).map(|listed| digests(listed)).unwrap_or_default();
            if world.layout.has(repository) && known != digests(listed) {
                wrong.push(format!("`{repository}` lists other packages"));
            }
        }
        let standing = [&chapter.account.standing, &world.standing];
        for (is_same, what) in [
            (standing[0].waivers == standing[1].waivers, "waivers"),
            (standing[0].freezes == standing[1].freezes, "freezes"),
            (standing[0].approvals == standing[1].approvals, "approvals"),
            // Roll-backs of an older program retracted nothing.
            (
                standing[0].retracted.is_empty() || standing[0].retracted == standing[1].retracted,
                "retractions",
            ),
        ] {
            if !is_same {
                wrong.push(format!("other {what} stand"));
            }
        }
        if chapter.workflow != world.workflow {
            wrong.push("its procedures remember something else".to_owned());
        }
        if crate::line::names(&chapter.manifest) != world.names {
            wrong.push("generations have other names".to_owned());
        }
        if !wrong.is_empty() {
            self.judgement.differing.push(Difference {
                recorded: wrong.join(", "),
                judged: "no request of the generation did that".to_owned(),
                ..of_generation(at, chapter.number)
            });
        }
    }

    /// Counts what was settled in a generation that is not there, or whose parent is not.
    fn is_gone(&mut self, record: &Record) {
        *self.judgement.not_judged.entry(reason::GONE.to_owned()).or_default() += record.settled.len();
    }

    /// Counts what is found, if it is wanted.
    fn tell(&mut self, case: &Case<'_>, finding: Finding, taken: &[&'static str]) {
        let Case { at, answer, .. } = *case;
        if !(self.wanted)(at, answer) {
            return;
        }
        if let Finding::NotJudged(reason) = finding {
            *self.judgement.not_judged.entry(reason.to_owned()).or_default() += 1;
            return;
        }
        self.judgement.judged += 1;
        for what in taken {
            *self.judgement.taken_as_recorded.entry((*what).to_owned()).or_default() += 1;
        }
        match finding {
            Finding::Differs { recorded, judged } => self.judgement.differing.push(Difference {
                at,
                claim: Some(answer.claim.clone()),
                generation: answer.generation,
                owner: Some(answer.owner.clone()),
                action: Some(answer.action.clone()),
                recorded,
                judged,
            }),
            _ => self.judgement.same += 1,
        }
    }

    /// Judges one request.
    fn case(&mut self, case: &Case<'_>, ground: Ground<'_>) -> Result<Found, Error> {
        let Case { answer, .. } = *case;
        let Some(grounds) = case.grounds else { return Ok(Finding::NotJudged(reason::OLDER).into()) };
        let Some(policy) = self.policies.of(self.store, &grounds.policy) else {
            return Ok(Finding::NotJudged(reason::POLICY).into());
        };
        if compared::is_of_an_error(answer) {
            return Ok(Finding::NotJudged(reason::ERROR).into());
        }
        let is_of_the_file = |code| OF_THE_FILE.contains(&code);
        if answer.outcome == Outcome::Refused && Code::named(&answer.code).is_some_and(is_of_the_file) {
            return Ok(Finding::NotJudged(reason::FILES).into());
        }
        let (asker, request, mut taken) = match self.asked(case, &policy, grounds) {
            Ok(asked) => asked,
            Err(finding) => return Ok(finding.into()),
        };
        let mut found = self.decided(case, (&policy, grounds), (&asker, &request), ground)?;
        taken.append(&mut found.taken);
        Ok(Found { taken, ..found })
    }

    /// Finds who asked what, or that it was answered by that alone.
    fn asked(
        &self,
        case: &Case<'_>,
        policy: &Policy,
        grounds: &Grounds,
    ) -> Result<(Asker, Request, Vec<&'static str>), Finding> {
        let answer = case.answer;
        let recorded = compared::recorded(answer);
        if let Some(request) = of_the_clock(answer) {
            return match answer.owner == "clock" {
                true => Ok((Asker::clock(), request, Vec::new())),
                false => Err(Finding::differs(
                    format!("`{}` asked", answer.owner),
                    "the clock asked, as its claim says",
                )),
            };
        }
        let Some(text) = &grounds.request else { return Err(Finding::NotJudged(reason::TEXT)) };
        if repo::sha256(text.as_bytes()) != answer.request_digest {
            return Err(Finding::differs(recorded, "the request that is kept has another digest"));
        }
        let asked = asking::read(&policy.config, grounds, text, case.roles);
        // That a signature does not verify says more than that somebody else would have asked.
        let refusal = asked.request.as_ref().err().map(|refusal| compared::with_refusal(answer, refusal));
        if let Some(finding @ Finding::Differs { .. }) = refusal {
            return Err(finding);
        }
        let name = &asked.asker.name;
        if *name != answer.owner {
            let words = format!("`{}` asked: {recorded}", answer.owner);
            return Err(Finding::differs(words, format!("`{name}` asked")));
        }
        let request = match asked.request {
            Ok(request) => request,
            Err(refusal) => return Err(compared::with_refusal(answer, &refusal)),
        };
        if let Some((product, role)) = asked.unfounded.first() {
            let role = product.as_ref().map_or_else(|| role.clone(), |product| format!("{product}:{role}"));
            let words = format!("the configuration gives `{name}` no role `{role}`");
            return Err(Finding::differs(recorded, words));
        }
        if request.action.name() != answer.action {
            let words = format!("it is a `{}`", request.action.name());
            return Err(Finding::differs(format!("it is a `{}`", answer.action), words));
        }
        if let Some(finding) = self.repeated(answer, &request) {
            return Err(finding);
        }
        if let Some(refusal) = refused_unread(&policy.config, grounds.now, &asked.asker, &request) {
            return Err(compared::with_refusal(answer, &refusal));
        }
        match grounds.came {
            Came::Read => Err(Finding::differs(
                recorded,
                "nothing that it says, and nothing about who asks, is refused",
            )),
            Came::Files => Err(Finding::NotJudged(reason::FILES)),
            Came::Line => {
                let groups = asked.by_group.then_some("groups");
                Ok((asked.asker, request, groups.into_iter().collect()))
            }
        }
    }

    /// Judges a request whose id was used before.
    fn repeated(&self, answer: &Answer, request: &Request) -> Option<Finding> {
        let first = self.settled.first(&answer.owner, request.id.as_ref()?)?;
        let same = |is_same: bool, words: &str| match is_same {
            true => Finding::Same,
            false => Finding::differs(compared::recorded(answer), words),
        };
        Some(match first.digest == answer.request_digest {
            true => {
                let again = Answer { claim: answer.claim.clone(), ..first.answer.clone() };
                same(again == *answer, &format!("the first answer again: {}", compared::recorded(&again)))
            }
            false => same(answer.code == Code::UsedId.as_str(), "refused (used-id): the id was used before"),
        })
    }

    /// Decides a request again.
    fn decided(
        &mut self,
        case: &Case<'_>,
        (policy, grounds): (&Policy, &Grounds),
        (asker, request): (&Asker, &Request),
        ground: Ground<'_>,
    ) -> Result<Found, Error> {
        let answer = case.answer;
        let (mut own, after);
        let world = match ground {
            Ground::Of(world, account) => {
                after = Some(account);
                // Of the clocks and the people each request has its own reading; what was done before it stays.
                world.freeze_files.clone_from(&grounds.freeze_files);
                world.rebuilt = grounds.rebuilt.iter().cloned().collect();
                world
            }
            Ground::Unknown => {
                after = None;
                match self.built(policy, grounds) {
                    Some(built) => own = built,
                    None => return Ok(Finding::NotJudged(reason::GONE).into()),
                }
                &mut own
            }
        };
        worlds::fill(world, (self.store, &self.numbers), &mut self.soaking, request)?;
        world.recorded = match &request.action {
            Action::Undo { request: name } => {
                let (disk, store, settled) = (self.disk, self.store, &self.settled);
                let (generation, asking) = (world.generation, &answer.claim);
                Archive { disk, store, settled, generation, asking }.find(name)?
            }
            _ => Vec::new(),
        };
        let Some(arrivals) = worlds::arrivals(grounds, answer, after) else {
            return Ok(Finding::NotJudged(reason::BROUGHT).into());
        };
        let number = world.generation;
        let published = self.current.iter().chain(&self.before).find(|chapter| chapter.number == number);
        let required = Required { policy, store: self.store, published };
        let decision = match required.decide(world, request, asker, &arrivals)? {
            Ok(decision) => decision,
            Err(reason) => return Ok(Finding::NotJudged(reason).into()),
        };
        let refused_for_roles =
            matches!(&decision, Decision::Refused(refusal) if refusal.code == Code::RoleNotAllowed);
        if depends_on_the_disk(&request.action)
            && !refused_for_roles
            && answer.code != Code::RoleNotAllowed.as_str()
        {
            return Ok(Finding::NotJudged(reason::DISK).into());
        }
        if !compared::is_decided_by_records(&request.action, answer, &decision) {
            return Ok(Finding::NotJudged(reason::SAID).into());
        }
        let (finding, taken) = compared::with_decision(policy, world, request, answer, &decision);
        let effect = match decision {
            Decision::Effect(plan) => Some(plan),
            _ => None,
        };
        Ok(Found { finding, taken, effect })
    }

    /// Builds the world of a request without effect; `None` if what it names is not there.
    fn built(&self, policy: &Policy, grounds: &Grounds) -> Option<World> {
        let is_it = |chapter: &&Chapter| chapter.number == grounds.generation;
        if grounds.behind == 0 {
            let known = self.current.iter().chain(&self.before).find(is_it);
            let is_first = grounds.generation == 0;
            let built = |before| worlds::build(policy, grounds, before, (&[], None), &self.damaged);
            return (is_first || known.is_some()).then(|| built(known));
        }
        // Others of its line went before it, and made the generation that was published since.
        let current = self.current.as_ref()?;
        let before = self.before.as_ref();
        let parent = current.manifest.parent.as_ref().map_or(0, |parent| parent.number);
        let effects = self.effects.get(..grounds.behind).filter(|_| parent == grounds.generation)?;
        let after = Some(&*current.account);
        Some(worlds::build(policy, grounds, before, (effects, after), &self.damaged))
    }
}

/// Begins to say what is wrong with a generation as a whole.
fn of_generation(at: Timestamp, number: u64) -> Difference {
    let (recorded, judged) = (String::new(), String::new());
    Difference { at, claim: None, generation: Some(number), owner: None, action: None, recorded, judged }
}

/// Makes the request of the clock that a claim names.
fn of_the_clock(answer: &Answer) -> Option<Request> {
    let mut parts = answer.claim.strip_prefix("clock/")?.split('/');
    let step = |product: Option<&str>, command: Command| {
        product.map(|product| Action::Step { product: product.to_owned(), command: Box::new(command) })
    };
    let action = match parts.next()? {
        "overlap" => Action::Overlap {},
        "sweep" => Action::Sweep {},
        "config" => Action::Config {},
        "resume" => Action::Resume {},
        "remind" => step(parts.next(), Command::Remind {})?,
        "archive" => step(parts.next(), Command::Archive {})?,
        _ => return None,
    };
    Some(Request::new(action))
}

/// Says whether what a request does depends on more than what is recorded.
fn depends_on_the_disk(action: &Action) -> bool {
    matches!(action, Action::Sweep {} | Action::Purge { .. } | Action::Resume {} | Action::Config {})
}
