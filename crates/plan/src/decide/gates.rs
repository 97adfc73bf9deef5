//! The gates: each looks at what a request would do and says what it saw. All of them run.
//!
//! A gate finds what is in the way, each finding with the packages it is about. Nothing found is a pass; what somebody
//! answers for ([`Waiver`]) is waived, if the gate is one of [`WAIVABLE`]; the rest fails. What a gate needs to know and
//! the disk must tell stands in the [`World`]; what could not be told has failed.

use std::collections::{BTreeMap, BTreeSet};

use nevra::Nevra;

use crate::lacking::Lacking;
use crate::layout::Repository;
use crate::plan::{GateSeen, Verdict};
use crate::refusal::{Code, Refusal};
use crate::standing::{Covering, Waiver};
use crate::world::{Asker, Listed, World};

mod approvals;
mod content;
mod external;
mod freeze;
mod installable;
mod procedure;
mod signatures;
mod soak;
mod variants;
mod version_order;

pub(super) use approvals::seated;
pub(super) use variants::Reach;
pub(super) use version_order::superseded;

/// What is to enter one repository.
pub(super) type Entering = BTreeMap<Repository, Vec<Listed>>;

/// The gates that somebody can answer for, in the order in which they run; the others say what nobody may do.
pub const WAIVABLE: [&str; 8] =
    ["version-order", "soak", "freeze", "procedure", "closure", "meta-packages", "external", "rollout"];

/// How many particulars of one gate are named.
const REASONS_MAX: usize = 50;

/// Something in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The stage it is about; the one that packages enter if none is named.
    pub stage: Option<String>,
    /// The packages it is about; only who answers for all of them waives it.
    pub subjects: Vec<Nevra>,
    /// What is wrong, in words.
    pub words: String,
}

impl Finding {
    /// Makes a finding about one package.
    pub(super) fn of(subject: &Nevra, words: impl Into<String>) -> Finding {
        Finding { stage: None, subjects: vec![subject.clone()], words: words.into() }
    }
}

/// Collects what the gates see.
#[derive(Default)]
pub(super) struct Gates<'a> {
    stage: &'a str,
    waivers: Vec<Covering<'a>>,
    seen: Vec<GateSeen>,
    failed: Vec<Refusal>,
    /// The ids of the waivers that something passes by.
    used: BTreeSet<String>,
    /// What must be read before it can be decided.
    lacking: Lacking,
    /// Whether hosts are told to go back to older versions.
    goes_back: bool,
}

impl<'a> Gates<'a> {
    /// Begins the gates of a stage, with what somebody answers for.
    pub(super) fn of(world: &'a World, product: &str, stage: &'a str) -> Gates<'a> {
        let counts = |waiver: &&Waiver| waiver.product == product && waiver.is_in_force(world);
        let waivers = world.standing.waivers.values().filter(counts).map(Waiver::covering).collect();
        Gates { stage, waivers, ..Gates::default() }
    }

    /// Goes on with another stage of the product.
    pub(super) fn turn_to(&mut self, stage: &'a str) {
        self.stage = stage;
    }

    fn pass(&mut self, gate: &str, evidence: String) {
        self.seen.push(GateSeen { gate: gate.to_owned(), verdict: Verdict::Pass, evidence });
    }

    fn fail(&mut self, gate: &str, refusal: Refusal) {
        let evidence = refusal.sentence.clone();
        self.seen.push(GateSeen { gate: gate.to_owned(), verdict: Verdict::Fail, evidence });
        self.failed.push(refusal);
    }

    /// Judges what a gate found. `passed` is what it says if that is nothing, `refusal` makes the refusal from the
    /// words of what nobody answers for, and is asked only where there is some.
    pub(super) fn judge(
        &mut self,
        gate: &'static str,
        mut findings: Vec<Finding>,
        passed: String,
        refusal: impl FnOnce(&[String]) -> Refusal,
    ) {
        findings.dedup();
        if findings.is_empty() {
            return self.pass(gate, passed);
        }
        let mut answered: BTreeMap<Vec<&str>, (Vec<&Waiver>, Vec<String>)> = BTreeMap::new();
        let mut open = Vec::new();
        let waivers: Vec<&Covering<'_>> = match WAIVABLE.contains(&gate) {
            true => self.waivers.iter().filter(|covering| covering.waiver.gate == gate).collect(),
            false => Vec::new(),
        };
        for finding in findings {
            let stage = finding.stage.as_deref().unwrap_or(self.stage);
            let cover = |subject: &Nevra| {
                let is_for =
                    |covering: &&&Covering<'_>| covering.waiver.stage == stage && covering.covers(subject);
                waivers.iter().find(is_for).map(|covering| covering.waiver)
            };
            let covers: Option<Vec<&Waiver>> = finding.subjects.iter().map(cover).collect();
            match covers.as_deref() {
                Some([_, ..]) => {
                    // One finding about several packages may take the word of several people.
                    let by: BTreeMap<&str, &Waiver> =
                        covers.into_iter().flatten().map(|waiver| (&*waiver.id, waiver)).collect();
                    let (ids, waivers) = by.into_iter().unzip();
                    answered.entry(ids).or_insert((waivers, Vec::new())).1.push(finding.words);
                }
                _ => open.push(finding.words),
            }
        }
        if !open.is_empty() {
            let refusal = refusal(&open);
            return self.fail(gate, refusal.reasons(shortened(open)));
        }
        self.used.extend(answered.keys().flatten().map(|id| (*id).to_owned()));
        let said = answered.values().map(|(waivers, words)| {
            let who: Vec<String> = waivers.iter().map(|waiver| waiver.evidence()).collect();
            format!("{}; {}", shortened(words.clone()).join("; "), who.join("; "))
        });
        let evidence = said.collect::<Vec<_>>().join("; ");
        self.seen.push(GateSeen { gate: gate.to_owned(), verdict: Verdict::Waived, evidence });
    }

    /// Looks whether the requester holds one of the roles.
    pub(super) fn roles(&mut self, asker: &Asker, product: Option<&str>, roles: &[String], what: &str) {
        let who = &asker.name;
        if let Some(role) = roles.iter().find(|role| asker.has(role, product)) {
            return self.pass("roles", format!("`{who}` holds the role `{role}`, which may {what}"));
        }
        let needed: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
        let hint = match needed.as_slice() {
            [] => "the configuration gives this right to no role".to_owned(),
            needed => format!("it takes the role {}", needed.join(" or ")),
        };
        let sentence = format!("`{who}` may not {what}");
        self.fail("roles", Refusal::new(Code::RoleNotAllowed, sentence).hint(hint));
    }

    /// Passes or fails `roles` by something else than a list of roles.
    pub(super) fn authority(&mut self, asker: &Asker, is_allowed: bool, what: &str, hint: &str) {
        let who = &asker.name;
        if is_allowed {
            return self.pass("roles", format!("`{who}` may {what}"));
        }
        let refusal = Refusal::new(Code::RoleNotAllowed, format!("`{who}` may not {what}"));
        self.fail("roles", refusal.hint(hint));
    }

    /// Prefers the refusal of a gate that has failed already to one from further on.
    pub(super) fn prefer<T>(&self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        match (&result, self.failed.first()) {
            (_, Some(_)) => Err(self.refusal()),
            (Ok(_), None) => result,
            (Err(_), None) => result.map_err(|refusal| refusal.gates(self.seen.clone())),
        }
    }

    /// Judges from now on by hosts that are told to go back to older versions.
    pub(super) fn go_back(&mut self) {
        self.goes_back = true;
    }

    /// Notes what must be read before it can be decided.
    pub(super) fn lacks(&mut self, note: impl FnOnce(&mut Lacking)) {
        note(&mut self.lacking);
    }

    /// Gives back what was worked out, if all of it was there to be read and nothing failed so far.
    pub(super) fn prefer_known<T>(&self, value: T) -> Result<T, Refusal> {
        if self.lacking.is_empty() && self.failed.is_empty() { Ok(value) } else { Err(self.refusal()) }
    }

    /// Says what the gates saw, if all of them pass.
    pub(super) fn finish(self) -> Result<Vec<GateSeen>, Refusal> {
        self.prefer_known(())?;
        Ok(self.seen)
    }

    /// The first that failed gives code and sentence, the others add theirs to the reasons.
    fn refusal(&self) -> Refusal {
        let mut failed = self.failed.iter().cloned();
        let unread = || Refusal::new(Code::TryLater, "what it depends on was not read");
        let mut first = failed.next().unwrap_or_else(unread);
        first.lacking = Box::new(self.lacking.clone());
        let others = failed.flat_map(|other| [vec![other.sentence], other.reasons].concat());
        first.reasons(others.collect::<Vec<_>>()).gates(self.seen.clone())
    }
}

fn shortened(mut reasons: Vec<String>) -> Vec<String> {
    let more = reasons.len().saturating_sub(REASONS_MAX);
    reasons.truncate(REASONS_MAX);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    reasons
}
