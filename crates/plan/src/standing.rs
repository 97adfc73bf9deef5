//! What people decided that outlives the request it came with: waivers, freezes, approvals, variants.
//!
//! Each is an event ([`Decided`]) of a plan, stands in the manifest of every generation from then on, and is gone when
//! its time is over, when it was used, or when somebody ends it.

use std::collections::{BTreeMap, BTreeSet};

use globset::{Glob, GlobSet, GlobSetBuilder};
use jiff::{SignedDuration, Timestamp};
use nevra::{Nevra, Sha256};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::decide::is_pattern;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::world::{Asker, World, digest};

mod held;
mod retraction;
mod variant;

pub use held::{HELD_BYTES_MAX, HELD_BYTES_OF_ALL_MAX, HeldAdvisory, TAKEN_BACK_MAX, TakenBack};
pub use retraction::{RETRACTIONS_MAX, Rejected, Retraction};
pub use variant::{Agreement, Seat, Variant};

/// How long an approval counts. Whoever approved half a year ago did not approve of today.
pub const APPROVAL_COUNTS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How far ahead the end of a waiver or freeze may lie, in days: an exception that never ends is a rule nobody decided.
pub const DAYS_MAX: i64 = 366;

/// How many waivers may stand at a time, and as many freezes and approvals: every manifest carries them.
pub const STANDING_MAX: usize = 500;

/// How many of each one person may have standing, so that nobody takes the places of all.
pub const STANDING_OF_ONE_MAX: usize = 100;

/// How many bytes the words of a waiver or freeze may have together: its reason and its packages.
pub const WORDS_MAX: usize = 16 << 10;

/// Holds what stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// What somebody answers for, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waivers: BTreeMap<String, Waiver>,
    /// What is frozen, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub freezes: BTreeMap<String, Freeze>,
    /// Who approves of what, in the order in which they said so; one of a person and plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// Which files may bear one name, by id, also where not enough people have said so yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variants: BTreeMap<String, Variant>,
    /// The last release that was given to meta-packages built anew, by series: see [`crate::Raised`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub raised: BTreeMap<String, u64>,
    /// What was rejected by roll-backs, and which of it came back, by id; it follows from what plans change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retracted: BTreeMap<String, Retraction>,
    /// The advisories that do not stand in a repository before more of their packages do, by its name and by id; it follows from
    /// what plans change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, BTreeMap<String, HeldAdvisory>>,
    /// The advisories of each product that were taken back, by id, and what of them counts no more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub taken_back: BTreeMap<String, BTreeMap<String, TakenBack>>,
}

/// Answers for what a gate would refuse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// A word of twelve hexadecimal digits, a function of the rest.
    pub id: String,
    /// The product.
    pub product: String,
    /// The stage that something enters or leaves.
    pub stage: String,
    /// The gate, one of [`crate::WAIVABLE`].
    pub gate: String,
    /// For which packages: NEVRAs, names with version and release, names, or globs over names.
    pub packages: Vec<String>,
    /// Who answers for it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
}

/// Keeps everything from entering or leaving a stage, or all of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// A word of twelve hexadecimal digits, a function of the rest.
    pub id: String,
    /// The product; every product if there is none, which only a file in the control directory can say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The stage; all of the product if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Who froze it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when; until somebody ends it if there is no instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Says that somebody approves of one plan and no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The hash of the plan.
    pub plan: Sha256,
    /// The product.
    pub product: String,
    /// The stage that packages leave.
    pub from: String,
    /// The stage they enter.
    pub to: String,
    /// Who approves.
    pub by: String,
    /// The roles of the route's approvals that they held.
    pub roles: Vec<String>,
    /// The waivers of the product that were in force, by id: whoever approves knows of no later one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub waivers: BTreeSet<String>,
    /// When they said so.
    pub at: Timestamp,
}

/// Is one change of what stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Decided {
    /// Somebody answers for something.
    Waived(Waiver),
    /// A waiver ends early.
    WaiverEnded(String),
    /// Something is frozen.
    Frozen(Freeze),
    /// A freeze ends.
    Thawed(String),
    /// Somebody approves of a plan.
    Approved(Approval),
    /// Somebody no longer does.
    ApprovalTakenBack {
        /// The hash of the plan.
        plan: Sha256,
        /// Who approved.
        by: String,
    },
    /// Somebody says that two files may bear one name: the last in its `agreed`.
    VariantAgreed(Variant),
    /// Two files may no longer bear one name.
    VariantEnded(String),
    /// An advisory is taken back.
    AdvisoryEnded {
        /// The product.
        product: String,
        /// Its id.
        id: String,
        /// What of it counts no more.
        texts: TakenBack,
        /// Whether it stays to be seen, with the status `retracted`.
        retracted: bool,
    },
}

/// Makes an id of words.
fn id_of(words: &[&str]) -> String {
    let mut hasher = sha2::Sha256::new();
    for word in words {
        hasher.update(format!("{}:{word}", word.len()).as_bytes());
    }
    digest(hasher).hex()[..12].to_owned()
}

impl Waiver {
    /// Gives it its id.
    pub fn identified(mut self) -> Waiver {
        let until = self.until.to_string();
        let mut words =
            vec!["waiver", &*self.product, &self.stage, &self.gate, &self.by, &self.reason, &until];
        words.extend(self.packages.iter().map(String::as_str));
        self.id = id_of(&words);
        self
    }

    /// Says whether it counts: by the wall clock and by what is witnessed, so that no jump revives it.
    pub fn is_in_force(&self, world: &World) -> bool {
        self.until > world.now.max(world.witnessed)
    }

    /// Prepares it to be held against many packages.
    pub fn covering(&self) -> Covering<'_> {
        let mut patterns = GlobSetBuilder::new();
        for glob in
            self.packages.iter().filter(|text| is_pattern(text)).filter_map(|text| Glob::new(text).ok())
        {
            patterns.add(glob);
        }
        let names = self.packages.iter().map(String::as_str).collect();
        // Too much to be built is nothing that anybody answers for.
        Covering { waiver: self, names, patterns: patterns.build().unwrap_or_default() }
    }

    /// Writes who answers for it.
    pub fn evidence(&self) -> String {
        let Waiver { id, by, reason, until, .. } = self;
        format!("`{by}` answers for it until {until}, waiver {id}: {}", one_line(reason))
    }
}

/// Is a waiver, ready to be held against packages.
#[derive(Debug)]
pub struct Covering<'a> {
    /// The waiver.
    pub waiver: &'a Waiver,
    names: BTreeSet<&'a str>,
    patterns: GlobSet,
}

impl Covering<'_> {
    /// Says whether it is for a package.
    pub fn covers(&self, nevra: &Nevra) -> bool {
        let full = nevra.to_string();
        let versioned = full.rsplit_once('.').map(|(versioned, _)| versioned).unwrap_or_default();
        [&*nevra.name, &*full, versioned].iter().any(|text| self.names.contains(text))
            || self.patterns.is_match(&nevra.name)
    }
}

impl Freeze {
    /// Gives it its id.
    pub fn identified(mut self) -> Freeze {
        let until = self.until.map(|until| until.to_string()).unwrap_or_default();
        let [product, stage] = [&self.product, &self.stage].map(|word| word.clone().unwrap_or_default());
        self.id = id_of(&["freeze", &product, &stage, &self.by, &self.reason, &until]);
        self
    }

    /// Says whether it counts: only when its end is proven it is over.
    pub fn is_in_force(&self, world: &World) -> bool {
        self.until.is_none_or(|until| until > world.proven())
    }

    /// Says whether it holds for a stage.
    pub fn is_for(&self, product: &str, stage: &str) -> bool {
        self.product.as_deref().is_none_or(|frozen| frozen == product)
            && self.stage.as_deref().is_none_or(|frozen| frozen == stage)
    }

    /// Writes who froze what.
    pub fn evidence(&self) -> String {
        let Freeze { id, by, reason, .. } = self;
        let until = self.until.map(|until| format!(" until {until}")).unwrap_or_default();
        format!("`{by}` froze {}{until}, freeze {id}: {}", self.what(), one_line(reason))
    }

    /// Writes what is frozen.
    pub fn what(&self) -> String {
        match (&self.product, &self.stage) {
            (Some(product), Some(stage)) => format!("`{stage}` of `{product}`"),
            (Some(product), None) => format!("`{product}`"),
            (None, _) => "everything".to_owned(),
        }
    }
}

impl Approval {
    /// Says whether it still counts.
    pub fn is_in_force(&self, world: &World) -> bool {
        self.at + APPROVAL_COUNTS > world.now.max(world.witnessed)
    }
}

/// Writes what may have several lines in one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl World {
    /// Refuses one more of `what` by `by`, beside those of `standing`, if as many stand as may.
    pub(crate) fn room_for<'a>(
        &self,
        what: &str,
        by: &str,
        standing: impl Iterator<Item = &'a String>,
    ) -> Result<(), Refusal> {
        let person = self.layout.person(by);
        let (mut all, mut theirs) = (0, 0);
        for one in standing {
            all += 1;
            theirs += usize::from(self.layout.person(one) == person);
        }
        let sentence = match (theirs < STANDING_OF_ONE_MAX, all < STANDING_MAX) {
            (true, true) => return Ok(()),
            (false, _) => format!("{theirs} {what} by `{by}` stand already, and no more may of one person"),
            (true, false) => format!("{all} {what} stand already, and no more may"),
        };
        let hint = "end those that are not needed any more; `sluice status` lists what stands";
        Err(Refusal::new(Code::StandingFull, sentence).hint(hint))
    }

    /// Refuses an end that lies further ahead than may be, and words that no manifest is to carry on and on.
    pub(crate) fn is_bounded(
        &self,
        what: &str,
        until: Option<Timestamp>,
        words: &[&str],
    ) -> Result<(), Refusal> {
        let latest = self.now + SignedDuration::from_hours(24 * DAYS_MAX);
        if let Some(until) = until.filter(|until| *until <= self.now || *until > latest) {
            let sentence = format!("{what} lasts until an instant in the next {DAYS_MAX} days, not {until}");
            return Err(Refusal::new(Code::Malformed, sentence));
        }
        let bytes: usize = words.iter().map(|word| word.len()).sum();
        if bytes > WORDS_MAX {
            let sentence =
                format!("the reason and packages of {what} have {bytes} bytes, more than {WORDS_MAX}");
            return Err(Refusal::new(Code::Malformed, sentence));
        }
        Ok(())
    }

    /// Makes what stands what it is after the plan.
    pub(crate) fn stand(&mut self, plan: &Plan) {
        let hash = plan.hash();
        // An approval is used up by what it approved of.
        self.standing.approvals.retain(|approval| approval.plan != hash);
        for decided in &plan.decided {
            let standing = &mut self.standing;
            match decided {
                Decided::Waived(waiver) => {
                    standing.waivers.insert(waiver.id.clone(), waiver.clone());
                }
                Decided::WaiverEnded(id) => drop(standing.waivers.remove(id)),
                Decided::Frozen(freeze) => drop(standing.freezes.insert(freeze.id.clone(), freeze.clone())),
                Decided::Thawed(id) => drop(standing.freezes.remove(id)),
                Decided::Approved(approval) => {
                    let is_same = |one: &Approval| one.plan == approval.plan && one.by == approval.by;
                    standing.approvals.retain(|one| !is_same(one));
                    standing.approvals.push(approval.clone());
                }
                Decided::ApprovalTakenBack { plan, by } => {
                    standing.approvals.retain(|one| one.plan != *plan || one.by != *by);
                }
                Decided::VariantAgreed(variant) => {
                    // Whoever completes it in the same generation must know what was held a moment ago.
                    if let Some(Agreement { by, roles, .. }) = variant.agreed.last() {
                        let product = Some(variant.product.clone());
                        let roles = roles.iter().map(|role| (product.clone(), role.clone())).collect();
                        self.approvers.entry(by.clone()).or_insert_with(|| Asker { name: by.clone(), roles });
                    }
                    standing.variants.insert(variant.id.clone(), variant.clone());
                }
                Decided::VariantEnded(id) => drop(standing.variants.remove(id)),
                Decided::AdvisoryEnded { product, id, texts, .. } => {
                    standing.taken_back.entry(product.clone()).or_default().insert(id.clone(), texts.clone());
                }
            }
        }
        for raised in plan.rebuilt.iter().filter_map(|rebuilt| rebuilt.raised.as_ref()) {
            let last = self.standing.raised.entry(raised.series.clone()).or_default();
            *last = raised.number.max(*last);
        }
        self.retract(plan);
        self.hold(plan);
        // What no longer counts is not carried on for ever.
        let mut standing = std::mem::take(&mut self.standing);
        standing.waivers.retain(|_, waiver| waiver.is_in_force(self));
        standing.freezes.retain(|_, freeze| freeze.is_in_force(self));
        standing.approvals.retain(|approval| approval.is_in_force(self));
        standing.variants.values_mut().for_each(|variant| variant.expire(self));
        standing.variants.retain(|_, variant| !variant.agreed.is_empty());
        self.standing = standing;
    }
}

impl Decided {
    /// Writes it for the hash of a plan. Instants of saying so are left out: they are no part of what is decided.
    pub(crate) fn words(&self) -> [String; 2] {
        match self {
            Decided::Waived(waiver) => ["waive".into(), waiver.id.clone()],
            Decided::WaiverEnded(id) => ["waiver-ends".into(), id.clone()],
            Decided::Frozen(freeze) => ["freeze".into(), freeze.id.clone()],
            Decided::Thawed(id) => ["thaw".into(), id.clone()],
            Decided::Approved(approval) => ["approve".into(), format!("{} {}", approval.plan, approval.by)],
            Decided::ApprovalTakenBack { plan, by } => ["take-back".into(), format!("{plan} {by}")],
            Decided::VariantAgreed(variant) => {
                let by = variant.agreed.last().map(|agreement| agreement.by.as_str()).unwrap_or_default();
                ["variant".into(), format!("{} {by}", variant.id)]
            }
            Decided::VariantEnded(id) => ["variant-ends".into(), id.clone()],
            // Its version is the world's to say, and no part of what is decided.
            Decided::AdvisoryEnded { product, id, retracted, .. } => {
                let word = if *retracted { "advisory-retracted" } else { "advisory-ends" };
                [word.into(), format!("{product} {id}")]
            }
        }
    }
}
