//! The answer: written first, then the request is moved beside it, then the record of the claim goes.

use super::files::{read_small, remove, write_new};
use super::{Claimed, Spool, extension, sidecar};
use crate::error::Error;
use camino::Utf8PathBuf;
use plan::{Answer, Code, Format, Outcome};
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
        let claim = claimed.name.as_str();
        let outcome = match self.find_answer(claim)? {
            Some(first) => first.outcome,
            None => answer.outcome,
        };
        let is_directory = claimed.problem.as_ref().is_some_and(|problem| problem.code == Code::Directory);
        let moved_first = planted::is(Bug::MovedBeforeTheAnswer) && !is_directory;
        if moved_first {
            self.conclude(claim, claimed.format, outcome)?;
        }
        self.write_answer(claim, answer)?;
        if is_directory {
            self.memory().handed_out.remove(claim);
        } else if !moved_first {
            self.conclude(claim, claimed.format, outcome)?;
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

    /// Writes the answer unless the claim has one; durable when this returns.
    fn write_answer(&self, claim: &str, answer: &Answer) -> Result<(), Error> {
        let dir = self.dir.join(folder_of(answer.outcome));
        if let Some(first) = self.find_answer(claim)? {
            // A process that was killed may have left it written and its name not synced.
            return Ok(self.disk.sync_directory(&self.dir.join(folder_of(first.outcome)))?);
        }
        // In the same directory, so that one sync makes the rename durable. What a crash leaves of it is
        // taken up again: the claim is still in `processing/` then.
        let temporary = dir.join(format!(".{claim}.answer"));
        let sync = !planted::is(Bug::AnswerNotSynced);
        write_new(&*self.disk, &temporary, &answer.to_json(), 0o440, sync)?;
        self.disk.rename(&temporary, &dir.join(answer_name(claim)))?;
        Ok(self.disk.sync_directory(&dir)?)
    }

    /// Moves an answered request out of `processing/` and forgets its claim. Repeats nothing that is done.
    pub(super) fn conclude(&self, claim: &str, format: Format, outcome: Outcome) -> Result<(), Error> {
        let processing = self.processing();
        let dir = self.dir.join(folder_of(outcome));
        let name = format!("{claim}.{}", extension(format));
        let (from, to) = (processing.join(&name), dir.join(&name));
        let sync = !planted::is(Bug::SpoolMoveNotSynced);
        let sync_directory = |path: &Utf8PathBuf| if sync { self.disk.sync_directory(path) } else { Ok(()) };
        // The name of an answer found after a kill may not be durable yet; this sync is for both.
        match (self.disk.state(&from)?, self.disk.state(&to)?) {
            (Some(_), None) => {
                self.disk.rename(&from, &to)?;
                sync_directory(&dir)?;
            }
            (Some(_), Some(_)) => {
                // A power cut left both names; renaming one name of a file over another does nothing.
                sync_directory(&dir)?;
                self.disk.remove_file(&from)?;
            }
            (None, Some(_)) => sync_directory(&dir)?,
            (None, None) => {
                let reason = format!("the request was claimed and is neither there nor in `{dir}`");
                return Err(Error::Spool { path: from, reason });
            }
        }
        sync_directory(&processing)?;
        remove(&*self.disk, &sidecar::path(&processing, claim))?;
        sync_directory(&processing)?;
        self.memory().handed_out.remove(claim);
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
