//! The answer: written first, then the request is moved beside it, then the record of the claim goes.

use super::files::{Unsynced, read_small, remove, write_new};
use super::{Claimed, Spool, extension, sidecar};
use crate::error::Error;
use camino::Utf8PathBuf;
use plan::{Answer, Code, Format, Outcome};
use std::collections::BTreeSet;
use store::planted::{self, Bug};

/// The most bytes of an answer that are read back.
const ANSWER_SIZE_MAX: u64 = 64 << 20;

impl Spool {
    /// Settles a claim: `<claim>.answer.json` and the request lie in `done/` or `failed/` afterwards, for ever.
    ///
    /// The answer is told at the moment it appears, so whatever it says must be durable before the call.
    /// Calling it again changes nothing. If the claim has an answer already, that one stands. After an error
    /// the claim is still in hand: call it again, or let [`Spool::resume`] finish it.
    pub fn settle(&self, claimed: &Claimed, answer: &Answer) -> Result<(), Error> {
        self.settle_all(&[(claimed, answer)])
    }

    /// Settles claims together: as [`Spool::settle`] does each, with one sync of a directory for all of them.
    ///
    /// After an error every one of them is settled or in hand, and calling it again does the rest.
    pub fn settle_all(&self, batch: &[(&Claimed, &Answer)]) -> Result<(), Error> {
        let mut answered = Vec::new();
        let mut unsynced = Unsynced::on(&*self.disk);
        let mut unnamed = Vec::new();
        let mut folders = BTreeSet::new();
        for (claimed, answer) in batch {
            let claim = claimed.name.as_str();
            let first = self.find_answer(claim)?;
            let outcome = first.as_ref().map_or(answer.outcome, |first| first.outcome);
            let is_directory =
                claimed.problem.as_ref().is_some_and(|problem| problem.code == Code::Directory);
            if planted::is(Bug::MovedBeforeTheAnswer) && !is_directory {
                self.conclude(claim, claimed.format, outcome)?;
            }
            // Where one is there, a process that was killed may have left it written and its name not synced.
            let folder = self.dir.join(folder_of(outcome));
            if first.is_none() {
                // In the same directory, so that one sync makes the rename durable. What a crash leaves of it is
                // taken up again: the claim is still in `processing/` then.
                let temporary = folder.join(format!(".{claim}.answer"));
                let file = write_new(&*self.disk, &temporary, &answer.to_json(), 0o440)?;
                if !planted::is(Bug::AnswerNotSynced) {
                    unsynced.push(file)?;
                }
                unnamed.push((temporary, folder.join(answer_name(claim))));
            }
            folders.insert(folder);
            answered.push((claim, claimed.format, outcome, is_directory));
        }
        unsynced.sync()?;
        for (temporary, path) in &unnamed {
            self.disk.rename(temporary, path)?;
        }
        for folder in &folders {
            self.disk.sync_directory(folder)?;
        }
        if !planted::is(Bug::MovedBeforeTheAnswer) {
            let files = answered.iter().filter(|(.., is_directory)| !is_directory);
            self.conclude_all(files.map(|(claim, format, outcome, _)| (*claim, *format, *outcome)))?;
        }
        for (claim, ..) in answered {
            self.memory().handed_out.remove(claim);
        }
        Ok(())
    }

    /// Finds the answer to a claim; one that cannot be read counts as not there and is logged.
    pub fn find_answer(&self, claim: &str) -> Result<Option<Answer>, Error> {
        for folder in ["done", "failed"] {
            let path = self.dir.join(folder).join(answer_name(claim));
            let Some(bytes) = read_small(&*self.disk, &path, ANSWER_SIZE_MAX)? else {
                continue;
            };
            match Answer::from_json(&bytes) {
                Ok(answer) if answer.claim == claim && folder_of(answer.outcome) == folder => {
                    return Ok(Some(answer));
                }
                Ok(_) => {
                    tracing::warn!(request = claim, "`{path}` answers something else and is not believed")
                }
                Err(error) => tracing::warn!(request = claim, "`{path}` is not understood: {error}"),
            }
        }
        Ok(None)
    }

    /// Shows every answer in `done/` and `failed/`, one at a time, in the order of the names in each.
    ///
    /// Gives the names of those that could not be understood.
    pub fn answers(&self, visit: &mut dyn FnMut(Answer)) -> Result<Vec<Utf8PathBuf>, Error> {
        let mut bad = Vec::new();
        for folder in ["done", "failed"] {
            let dir = self.dir.join(folder);
            for name in self.disk.list(&dir)?.names.iter().filter(|name| name.ends_with(".answer.json")) {
                let path = dir.join(name);
                let bytes = read_small(&*self.disk, &path, ANSWER_SIZE_MAX)?.unwrap_or_default();
                match Answer::from_json(&bytes) {
                    Ok(answer) => visit(answer),
                    Err(_) => bad.push(path),
                }
            }
        }
        Ok(bad)
    }

    /// Moves an answered request out of `processing/` and forgets its claim. Repeats nothing that is done.
    pub(super) fn conclude(&self, claim: &str, format: Format, outcome: Outcome) -> Result<(), Error> {
        self.conclude_all([(claim, format, outcome)])
    }

    /// Moves answered requests out of `processing/`, all of them before a directory is synced.
    fn conclude_all<'a>(
        &self,
        answered: impl IntoIterator<Item = (&'a str, Format, Outcome)>,
    ) -> Result<(), Error> {
        let processing = self.processing();
        let sync = !planted::is(Bug::SpoolMoveNotSynced);
        let sync_directory = |path: &Utf8PathBuf| if sync { self.disk.sync_directory(path) } else { Ok(()) };
        let mut folders = BTreeSet::new();
        let mut moved = Vec::new();
        for (claim, format, outcome) in answered {
            let folder = self.dir.join(folder_of(outcome));
            let name = format!("{claim}.{}", extension(format));
            let (from, to) = (processing.join(&name), folder.join(&name));
            match (self.disk.state(&from)?, self.disk.state(&to)?) {
                (Some(_), None) => self.disk.rename(&from, &to)?,
                (Some(_), Some(_)) => {
                    // A power cut left both names; renaming one name of a file over another does nothing.
                    sync_directory(&folder)?;
                    self.disk.remove_file(&from)?;
                }
                (None, Some(_)) => {}
                (None, None) => {
                    let reason = format!("the request was claimed and is neither there nor in `{folder}`");
                    return Err(Error::Spool { path: from, reason });
                }
            }
            // The name of an answer found after a kill may not be durable yet; this sync is for both.
            folders.insert(folder);
            moved.push(claim);
        }
        if moved.is_empty() {
            return Ok(());
        }
        for folder in &folders {
            sync_directory(folder)?;
        }
        sync_directory(&processing)?;
        for claim in &moved {
            remove(&*self.disk, &sidecar::path(&processing, claim))?;
        }
        sync_directory(&processing)?;
        for claim in moved {
            self.memory().handed_out.remove(claim);
        }
        Ok(())
    }
}

fn answer_name(claim: &str) -> String {
    format!("{claim}.answer.json")
}

/// Names the directory in which an answer of this outcome lies.
fn folder_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done | Outcome::NothingToDo | Outcome::Planned => "done",
        Outcome::Refused => "failed",
    }
}
