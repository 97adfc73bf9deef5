//! What was found out about the signatures of a package: facts, whoever may sign what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Is what was found out about one package by all keys that the configuration names.
///
/// Its header is what its own digests say; else it is no package at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Whether the payload is the one that was built, as far as digests tell.
    pub payload: Payload,
    /// Every signature of the package: the fingerprint of the primary key that made it; or why it does not count,
    /// whoever may sign.
    pub signatures: Vec<Result<String, Flaw>>,
}

/// Says whether a payload is what the package's digests say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// The header has a digest of it that fits; or header and payload are signed as rpm 3 did it.
    Whole,
    /// The package states no digest of header or payload that means anything.
    NoDigest(String),
    /// A digest does not fit it.
    Tampered(String),
}

/// Is why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flaw {
    /// Why, for programs.
    pub kind: FlawKind,
    /// Why, for people.
    pub words: String,
}

/// The ways in which a signature fails to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlawKind {
    /// No key of the configuration made it.
    UnknownKey,
    /// Its key is expired, or was not valid when it says it was made.
    Expired,
    /// Its key is revoked.
    Revoked,
    /// Its key is too short, not bound, or not for signing.
    WeakKey,
    /// It was made of a digest that others can forge.
    WeakDigest,
    /// It is not of these bytes, or no signature that clients read.
    Bad,
}

/// Is a key whose signatures let packages into a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// What the configuration calls it.
    pub name: String,
    /// The fingerprint of its primary key.
    pub fingerprint: String,
    /// What is decided before does not count it.
    pub from: Option<Timestamp>,
    /// What is decided from then on does not count it.
    pub until: Option<Timestamp>,
}

impl Signer {
    /// Says whether it counts for what is decided at `now`.
    pub fn counts_at(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}
