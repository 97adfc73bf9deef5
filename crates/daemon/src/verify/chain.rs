//! I1 and I3: the pointer, and the chain of manifests back to the first generation.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use store::{Files, Manifest};

use super::{Chain, Look};
use crate::account::Account;

/// A generation both halves of which are there.
pub(super) struct Kept {
    pub(super) number: u64,
    pub(super) manifest: Manifest,
    pub(super) files: Files,
    pub(super) account: Account,
}

impl Look<'_> {
    /// Follows `current` and the parents; `None` if there is nothing to follow.
    pub(super) fn chain(&mut self) -> Option<Chain> {
        let current = self.pointer()?;
        let mut kept = BTreeMap::new();
        let mut accounts = BTreeMap::new();
        let mut digests = BTreeMap::new();
        let mut made = BTreeMap::new();
        let mut next = Some((current, None));
        while let Some((number, digest)) = next.take() {
            let (path, is_kept) = self.manifest_path(number, current);
            let bytes = match self.read(&path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.broken(if number == current { "I1" } else { "I3" }, path, error);
                    break;
                }
            };
            if digest.is_some_and(|digest| digest != repo::sha256(&bytes)) {
                self.broken("I3", path.clone(), "its digest is not the one its child names");
            }
            let manifest: Manifest = match serde_json::from_slice(&bytes) {
                Ok(manifest) => manifest,
                Err(error) => {
                    self.broken("I1", path, format!("it cannot be read: {error}"));
                    break;
                }
            };
            if manifest.number != number {
                self.broken("I1", path.clone(), format!("it says it is generation {}", manifest.number));
            }
            next = manifest.parent.as_ref().map(|parent| (parent.number, Some(parent.digest)));
            if next.is_some_and(|(parent, _)| parent >= number) {
                self.broken("I3", path.clone(), "its parent's number is not lower than its own");
                next = None;
            }
            let account = match Account::of(number, &manifest.account) {
                Ok(account) => account,
                Err(error) => {
                    self.broken("I1", path, error.to_string());
                    continue;
                }
            };
            if manifest.created.as_second() > self.now.as_second() + 2 {
                self.broken("I10", path.clone(), format!("it is dated {}, in the future", manifest.created));
            }
            accounts.insert(number, account.clone());
            digests.insert(number, repo::sha256(&bytes));
            made.insert(number, (manifest.created, manifest.policy));
            if is_kept && let Some(files) = self.files(number, &manifest) {
                kept.insert(number, Kept { number, manifest, files, account });
            }
        }
        self.dates(&kept);
        kept.contains_key(&current).then_some(Chain { current, kept, accounts, digests, made })
    }

    fn pointer(&mut self) -> Option<u64> {
        let link = self.root.join("public/current");
        let target = match self.disk.read_link(&link) {
            Ok(target) => target,
            Err(error) => {
                self.broken("I1", link, error.to_string());
                return None;
            }
        };
        let number = target.strip_prefix('@').and_then(|number| number.parse().ok());
        if number.is_none() {
            self.broken("I1", link, format!("it points to `{target}`, which is no generation"));
        }
        number
    }

    /// Where the manifest of a generation lies: with its halves while they are kept, else in the history.
    fn manifest_path(&self, number: u64, current: u64) -> (Utf8PathBuf, bool) {
        let exists = |path: &Utf8PathBuf| self.disk.state(path).is_ok_and(|state| state.is_some());
        let private = self.root.join(format!("generations/{number}"));
        let public = self.root.join(format!("public/@{number}"));
        if number == current || exists(&private) && exists(&public) {
            return (private.join("manifest.json"), true);
        }
        // Between two steps of its removal a generation may have its private half only; its manifest was
        // copied before.
        let history = self.root.join(format!("history/{number}.json"));
        if exists(&history) { (history, false) } else { (private.join("manifest.json"), false) }
    }

    fn files(&mut self, number: u64, manifest: &Manifest) -> Option<Files> {
        let path = self.root.join(format!("generations/{number}/files.json"));
        let policy = self.root.join(format!("policy/{}.toml", manifest.policy));
        match self.digest(&policy) {
            Ok((_, digest)) if digest == manifest.policy => {}
            Ok(_) => self.broken("I1", policy, "its digest is not its name"),
            Err(error) => self.broken("I1", policy, error),
        }
        let bytes = match self.read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.broken("I1", path, error);
                return None;
            }
        };
        if repo::sha256(&bytes) != manifest.files {
            self.broken("I1", path.clone(), "its digest is not the one its manifest names");
        }
        match serde_json::from_slice(&bytes) {
            Ok(files) => Some(files),
            Err(error) => {
                self.broken("I1", path, format!("it cannot be read: {error}"));
                None
            }
        }
    }

    /// I9 and I10 as far as kept generations show them: what changes gets a later second, what does not
    /// change keeps everything.
    fn dates(&mut self, kept: &BTreeMap<u64, Kept>) {
        for (older, newer) in kept.values().zip(kept.values().skip(1)) {
            // After a restore all is dated anew: somebody may have seen it with a later date.
            let is_resumed = newer.account.requests.iter().any(|one| one.answer.action == "resume");
            for (path, facts) in &newer.files.public {
                let Some(before) = older.files.public.get(path) else { continue };
                let place = format!("@{}/{path}", newer.number);
                if before.sha256 == facts.sha256 {
                    let is_renewed = is_resumed && before.modified.seconds < facts.modified.seconds;
                    if before.modified != facts.modified && !is_renewed {
                        self.broken("I10", place, "it is dated anew and says the same");
                    }
                } else if before.modified.seconds >= facts.modified.seconds {
                    self.broken("I10", place, "it changed and is not dated later");
                }
            }
        }
    }
}
