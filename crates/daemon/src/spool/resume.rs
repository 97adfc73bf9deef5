//! What a crash left in `processing/`: every claim is either finished, or handed out again.

use super::claim::Begun;
use super::claim_name::{claimed_at, clean, stem_of};
use super::files::remove;
use super::{Claimed, Spool, format_of, sidecar};
use crate::error::Error;
use std::collections::BTreeMap;

impl Spool {
    /// Takes up every claim that is not settled, oldest first; called once, before the first scan.
    ///
    /// A claim whose answer was written is finished here and not handed out. An error if any claim could not be
    /// read or finished: whoever resumes believes that nothing is left but what this gives.
    pub fn resume(&self) -> Result<Vec<Claimed>, Error> {
        self.memory().handed_out.clear();
        // A killed daemon leaves names that are seen and not safe yet: what is built on them now must not
        // outlive them.
        for name in ["incoming", "processing", "done", "failed"] {
            self.disk.sync_directory(&self.dir.join(name))?;
        }
        let begun = self.unfinished(true)?;
        let claimed = self.finish(begun, true)?;
        // What begins with a dot was being written when the crash came, and was not taken up again.
        let processing = self.processing();
        for name in self.disk.list(&processing)?.names.iter().filter(|name| name.starts_with('.')) {
            remove(&*self.disk, &processing.join(name))?;
        }
        Ok(claimed)
    }

    /// Lists the claims in `processing/` that are in nobody's hands, and finishes those that are answered.
    ///
    /// If `all` are wanted, one that cannot be finished is an error.
    pub(super) fn unfinished(&self, all: bool) -> Result<Vec<Begun>, Error> {
        let mut begun = Vec::new();
        let mut sidecars = Vec::new();
        for name in self.disk.list(&self.processing())?.names {
            if let Some(claim) = sidecar::claim_of(&name) {
                sidecars.push(claim.to_owned());
            } else if let Some((claim, format)) = format_of(&name)
                && let Some(at) = claimed_at(claim)
            {
                begun.push(Begun { claim: claim.to_owned(), at, format, original: None });
            }
        }
        {
            let mut memory = self.memory();
            memory.newest = begun.iter().map(|begun| begun.at).max().max(memory.newest);
            begun.retain(|begun| !memory.handed_out.contains_key(&begun.claim));
            begun.retain(|begun| !memory.unproven_renames.contains_key(&begun.file(&self.processing())));
            sidecars.retain(|claim| !memory.handed_out.contains_key(claim));
        }
        sidecars.retain(|claim| !begun.iter().any(|begun| begun.claim == *claim));
        for claim in sidecars {
            begun.extend(self.file_of_sidecar(&claim)?);
        }
        let mut open = Vec::new();
        for begun in begun {
            match self.find_answer(&begun.claim)? {
                Some(answer) => {
                    // One that cannot be moved now must not keep the others; the next scan tries again.
                    if let Err(error) = self.conclude(&begun.claim, begun.format, answer.outcome) {
                        if all {
                            return Err(error);
                        }
                        tracing::warn!(request = begun.claim, "it is answered and cannot be moved: {error}");
                    }
                }
                None => open.push(begun),
            }
        }
        self.forget_second_names(&open)?;
        open.sort_by(|a, b| (a.at, &a.claim).cmp(&(b.at, &b.claim)));
        Ok(open)
    }

    /// Finds where the file of a sidecar that stands alone has gone.
    ///
    /// Answered and moved: only the sidecar is left to remove. Moved without an answer: it comes back.
    fn file_of_sidecar(&self, claim: &str) -> Result<Option<Begun>, Error> {
        let processing = self.processing();
        for folder in ["done", "failed"] {
            for format in [plan::Format::Toml, plan::Format::Json] {
                let Some(at) = claimed_at(claim) else { continue };
                let begun = Begun { claim: claim.to_owned(), at, format, original: None };
                let moved = begun.file(&self.dir.join(folder));
                if self.disk.state(&moved)?.is_none() {
                    continue;
                }
                if self.find_answer(claim)?.is_none() {
                    tracing::warn!(
                        request = claim,
                        "it lay in `{folder}` without an answer and is taken up again"
                    );
                    self.disk.rename(&moved, &begun.file(&processing))?;
                    self.disk.sync_directory(&processing)?;
                    self.disk.sync_directory(&self.dir.join(folder))?;
                }
                return Ok(Some(begun));
            }
        }
        tracing::warn!(request = claim, "its file is gone; the record of its claim is removed");
        remove(&*self.disk, &sidecar::path(&processing, claim))?;
        Ok(None)
    }

    /// Removes names in `incoming/` of requests that are claimed already.
    ///
    /// A power cut between a rename and its sync may leave a file under both names; it must not be claimed
    /// twice. Links that somebody made have other names and are left: they are refused one by one.
    fn forget_second_names(&self, begun: &[Begun]) -> Result<(), Error> {
        let mut inodes = BTreeMap::new();
        for begun in begun {
            if let Some(state) = self.disk.state(&begun.file(&self.processing()))? {
                inodes.insert(state.inode, begun);
            }
        }
        if inodes.is_empty() {
            return Ok(());
        }
        let incoming = self.incoming();
        let mut removed = false;
        for name in self.disk.list(&incoming)?.names {
            let Some((stem, format)) = format_of(&name) else { continue };
            let path = incoming.join(&name);
            let Some(begun) = self.disk.state(&path)?.and_then(|state| inodes.get(&state.inode)) else {
                continue;
            };
            if stem_of(&begun.claim) == Some(clean(stem).as_str()) && begun.format == format {
                tracing::warn!(
                    request = begun.claim,
                    "a power cut left it in `incoming/` too; that name is removed"
                );
                if !removed {
                    self.disk.sync_directory(&self.processing())?;
                }
                remove(&*self.disk, &path)?;
                removed = true;
            }
        }
        if removed {
            self.disk.sync_directory(&incoming)?;
        }
        Ok(())
    }
}
