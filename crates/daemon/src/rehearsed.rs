//! The plans that dry runs told, so that a request for one of them can be told what changed since.
//!
//! `cache/plans/<hash>` holds what [`Plan::lines`] writes, below the digest of that: a file that is damaged, or of
//! somebody else, counts as none. Nothing is decided by them.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use camino::Utf8PathBuf;
use nevra::Sha256;
use plan::Plan;
use store::Disk;

use crate::error::Error;

/// The most plans that are remembered; then all are forgotten.
const PLANS_MAX: usize = 1000;

/// How large a remembered plan may be.
const SIZE_MAX: u64 = 16 << 20;

/// How many differences are named.
const NAMED_MAX: usize = 50;

/// Remembers the plans of dry runs below `cache/`.
#[derive(Debug)]
pub(crate) struct Rehearsed<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) cache: Utf8PathBuf,
}

impl Rehearsed<'_> {
    fn folder(&self) -> Utf8PathBuf {
        self.cache.join("plans")
    }

    /// Remembers a plan. That it cannot be is no failure of the dry run.
    pub(crate) fn remember(&self, plan: &Plan) {
        if let Err(error) = self.write(plan) {
            tracing::warn!("the plan {} is not remembered: {error}", plan.hash());
        }
    }

    fn write(&self, plan: &Plan) -> Result<(), Error> {
        let folder = self.folder();
        if self.disk.state(&folder)?.is_none() {
            self.disk.make_directory(&folder, 0o755)?;
        }
        let known = self.disk.list(&folder)?.names;
        if known.len() >= PLANS_MAX {
            known.iter().try_for_each(|name| self.disk.remove_file(&folder.join(name)))?;
        }
        let path = folder.join(plan.hash().hex());
        if self.disk.state(&path)?.is_some() {
            return Ok(());
        }
        let body = plan.lines().join("\n");
        let text = format!("{}\n{body}", repo::sha256(body.as_bytes()));
        let draft = folder.join(format!(".{}", plan.hash().hex()));
        if self.disk.state(&draft)?.is_some() {
            self.disk.remove_file(&draft)?;
        }
        let mut file = self.disk.create(&draft, 0o644)?;
        file.write_all(text.as_bytes()).map_err(|cause| Error::File {
            operation: "write",
            path: draft.clone(),
            cause,
        })?;
        Ok(self.disk.rename(&draft, &path)?)
    }

    /// Tells how the plan of now differs from the one that was approved.
    pub(crate) fn differences(&self, approved: &str, now: &Plan) -> Vec<String> {
        let Some(then) = self.read(approved) else {
            return vec!["what the other plan was is not remembered here".to_owned()];
        };
        let lines = now.lines();
        let now: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
        let then: BTreeSet<&str> = then.lines().collect();
        let gone = then.difference(&now).map(|line| format!("no longer: {line}"));
        let mut differences: Vec<String> =
            gone.chain(now.difference(&then).map(|line| format!("now: {line}"))).collect();
        let more = differences.len().saturating_sub(NAMED_MAX);
        differences.truncate(NAMED_MAX);
        differences.extend((more > 0).then(|| format!("and {more} more")));
        differences
    }

    fn read(&self, approved: &str) -> Option<String> {
        // The name comes from a request.
        let hash: Sha256 = approved.parse().ok()?;
        let mut bytes = Vec::new();
        let file = self.disk.open(&self.folder().join(hash.hex())).ok()?;
        file.take(SIZE_MAX).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (digest, body) = text.split_once('\n')?;
        (repo::sha256(body.as_bytes()).hex() == digest).then(|| body.to_owned())
    }
}
