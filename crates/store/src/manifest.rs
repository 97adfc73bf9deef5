//! `manifest.json`: what a generation is, where it came from, and what it leads to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::AccountText;

/// The record of one generation; it is kept for ever, in `history/` once the generation is not.
///
/// The digest of the manifest's bytes stands in the manifest of the next generation, so that the manifests
/// form a chain back to the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format of this file: 1.
    pub format: u32,
    /// The number of this generation.
    pub number: u64,
    /// The generation this one was made from; none for the first.
    pub parent: Option<Parent>,
    /// When it was made, by the clock of whoever drafted it.
    pub created: Timestamp,
    /// The digest of `files.json`.
    pub files: Sha256,
    /// The digest of the policy in force, kept as `policy/<digest>.toml`.
    pub policy: Sha256,
    /// The links that did not exist before: `packages/...` below `public/`, `pool/...` and `policy/...`
    /// below the root.
    pub links_made: Vec<String>,
    /// Package links that no repository lists any more, and until when they stay; below `public/`.
    pub retained: BTreeMap<String, Timestamp>,
    /// Links that are removed once this generation is in force and its requests are answered.
    pub drop_links: BTreeSet<String>,
    /// Generations that are removed at the same time.
    pub drop_generations: BTreeSet<u64>,
    /// Every name ever given to a generation.
    pub names: BTreeMap<String, Named>,
    /// The requests settled here and what they changed; the store does not look inside.
    pub account: AccountText,
}

/// The generation a generation was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    /// Its number.
    pub number: u64,
    /// The digest of its manifest's bytes.
    pub digest: Sha256,
}

/// What a name stands for: always the same generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The generation.
    pub generation: u64,
    /// Whether somebody ended the name: it holds nothing any more, and is never given again.
    pub ended: bool,
}
