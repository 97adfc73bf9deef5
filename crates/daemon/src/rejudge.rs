//! Judges every settled request again, from records alone: was what was done allowed, was what was refused not?
//!
//! ```text
//!   audit log --in its order--> request, what it was decided on ([`Grounds`])  --plan::decide--> the same answer?
//!   manifests ----------------> the generation before, what stood, the configuration in force
//!   metadata that is kept ----> what packages require, of which it follows what is built anew
//! ```
//!
//! A generation that none of its requests explains is told as well. What was seen once and is not kept — who is in
//! which group, what a solver found, what a gate outside said — is taken as it was recorded, and counted.

mod asking;
mod chapters;
mod compared;
mod policies;
mod required;
#[cfg(test)]
pub(crate) mod tests;
mod walk;
mod worlds;

use std::collections::BTreeMap;

use jiff::Timestamp;
use plan::Answer;
use serde::Serialize;
use store::{Disk, Store};

use crate::error::Error;
use crate::grounds::Grounds;

/// What came of judging again.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Judgement {
    /// How many requests were judged again.
    pub judged: usize,
    /// How many of them would be answered the same way.
    pub same: usize,
    /// What is not as it was recorded, in the order of the log.
    pub differing: Vec<Difference>,
    /// How many could not be judged again, by the reason.
    pub not_judged: BTreeMap<String, usize>,
    /// For how many something was taken as it was recorded, by what that is.
    pub taken_as_recorded: BTreeMap<String, usize>,
    /// How many lines of the audit log are not as they were written; `sluice audit --verify` names them.
    pub broken_lines: usize,
}

/// Something that is recorded otherwise than it is judged now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// When it was recorded.
    pub at: Timestamp,
    /// The claim; of a generation as a whole there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The generation that holds the effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Who asked, by the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The action, by the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What the record says.
    pub recorded: String,
    /// What is judged now.
    pub judged: String,
}

/// One settled request, as it is recorded.
#[derive(Clone, Copy, Debug)]
struct Case<'a> {
    at: Timestamp,
    answer: &'a Answer,
    roles: &'a [String],
    grounds: Option<&'a Grounds>,
}

/// What is found about one request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    /// It would be answered so again.
    Same,
    /// It would not.
    Differs { recorded: String, judged: String },
    /// Too little is recorded to say so.
    NotJudged(&'static str),
}

impl Finding {
    fn differs(recorded: impl Into<String>, judged: impl Into<String>) -> Finding {
        Finding::Differs { recorded: recorded.into(), judged: judged.into() }
    }
}

/// Why requests cannot be judged again.
mod reason {
    pub(super) const OLDER: &str = "an older sluice did not record what it was decided on";
    pub(super) const POLICY: &str = "the configuration in force then is not there, or reads no more";
    pub(super) const TEXT: &str = "the request was too long, or no text, and was not kept";
    pub(super) const FILES: &str = "what was wrong with the file, or with files it names, is not recorded";
    pub(super) const DISK: &str =
        "it depends on what lay on the disk, which is not recorded; roles were judged";
    pub(super) const SAID: &str = "what repositories said of packages then is not recorded; that its stage gives the role, lists \
                                   the packages and was not frozen was judged";
    pub(super) const SWEPT: &str = "which generations were kept then is not recorded";
    pub(super) const GONE: &str = "the manifest of its generation is not there any more";
    pub(super) const ERROR: &str = "the site was in error then";
    pub(super) const REQUIRED: &str = "what packages require is no longer on record";
    pub(super) const TWINS: &str = "when files of one name were built is not recorded";
    pub(super) const CLOSED: &str =
        "what was built anew hangs on what its stage is judged beside, and that evidence is not recorded";
    pub(super) const BROUGHT: &str = "the packages that it brought are not recorded";
}

/// Judges again what is recorded in a site, as far as it is `wanted`; nothing is written.
///
/// Everything is read all the same, for each generation rests on the one before.
pub fn rejudge(
    disk: &dyn Disk,
    store: &Store,
    wanted: &dyn Fn(Timestamp, &Answer) -> bool,
) -> Result<Judgement, Error> {
    walk::Walk::new(disk, store, wanted).all()
}
