//! What was found out about the signatures of a package: facts, whoever may sign what.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::refusal::Code;

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

impl Signed {
    /// Names those of `signers` who signed the package, if every signature counts at `now` and all of the package is
    /// vouched for; else says why not.
    pub fn signers<'a>(
        &self,
        signers: &'a [Signer],
        now: Timestamp,
    ) -> Result<BTreeSet<&'a str>, (Code, String)> {
        if let Payload::Tampered(words) = &self.payload {
            return Err((Code::PayloadTampered, words.clone()));
        }
        // The worst is told.
        let flaws = self.signatures.iter().filter_map(|signature| signature.as_ref().err());
        if let Some(flaw) = flaws.max_by_key(|flaw| flaw.kind) {
            return Err((flaw.kind.code(), format!("its signature does not count: {}", flaw.words)));
        }
        let mut names = BTreeSet::new();
        for fingerprint in self.signatures.iter().flatten() {
            let Some(signer) = signers.iter().find(|signer| signer.fingerprint == *fingerprint) else {
                let words = format!("it is signed by key `{fingerprint}`, which the stage does not take");
                return Err((Code::SignerNotAllowed, words));
            };
            if !signer.counts_at(now) {
                let words = match (signer.from, signer.until) {
                    (Some(from), _) if from > now => format!("which counts from {from} on"),
                    (_, until) => format!("which counted until {}", until.unwrap_or_default()),
                };
                return Err((Code::SignerNotAllowed, format!("it is signed by `{}`, {words}", signer.name)));
            }
            names.insert(signer.name.as_str());
        }
        if names.is_empty() {
            return Err((Code::Unsigned, "it is not signed".to_owned()));
        }
        match &self.payload {
            Payload::NoDigest(words) => {
                Err((Code::DigestMissing, format!("its signature does not vouch for all of it: {words}")))
            }
            Payload::Whole | Payload::Tampered(_) => Ok(names),
        }
    }
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

impl FlawKind {
    fn code(self) -> Code {
        match self {
            FlawKind::UnknownKey => Code::SignerUnknown,
            FlawKind::Expired => Code::SignerExpired,
            FlawKind::Revoked => Code::SignerRevoked,
            FlawKind::WeakKey => Code::SignerWeak,
            FlawKind::WeakDigest => Code::SignatureWeak,
            FlawKind::Bad => Code::SignatureBad,
        }
    }
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
