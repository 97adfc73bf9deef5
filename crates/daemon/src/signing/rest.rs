//! A signer that failed is left alone for a while: who needs a signature waits, and everybody may see why.

use std::io::{Read, Write};
use std::sync::Arc;

use camino::Utf8PathBuf;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Disk, Store};

use super::{Fault, Job, MetadataSigner, Programs, sign_all};
use crate::config::Config;
use crate::error::Error;

/// How long a signer rests that failed once; doubled with each failure.
const PAUSE_FIRST: SignedDuration = SignedDuration::from_secs(5);

/// How long it rests at most, unless its failing takes long.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(5);

/// How many times as long as its failing took: what needs no signature has the rest of the time.
const PAUSE_SHARE: i32 = 4;

/// The number of the file's stored form.
const FORMAT: u32 = 1;

/// Why nothing is signed now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resting {
    /// The number of this stored form: 1.
    pub format: u32,
    /// Since when it fails.
    pub since: Timestamp,
    /// Before this nobody asks it again.
    pub until: Timestamp,
    /// How often it was asked and failed.
    pub attempts: u32,
    /// The repository it was asked to sign, by its path.
    pub repository: String,
    /// What was wrong the last time.
    pub fault: Fault,
}

impl Resting {
    /// Says it in one sentence that stays the same until it is asked again.
    pub fn words(&self) -> String {
        let Self { since, repository, fault, .. } = self;
        format!("nothing has been signed since {since}: of `{repository}`, {fault}")
    }
}

/// What the engine knows of its signer between two steps.
#[derive(Debug)]
pub(crate) struct Signing {
    pub(crate) signer: Arc<dyn MetadataSigner>,
    resting: Option<Resting>,
    /// Whether what was written down is another state.
    is_news: bool,
}

impl Default for Signing {
    fn default() -> Self {
        // Whatever an earlier run wrote down is over.
        Self { signer: Arc::new(Programs), resting: None, is_news: true }
    }
}

impl Signing {
    /// Tells why nothing is to be signed at this instant.
    pub(crate) fn rests_at(&self, now: Timestamp) -> Option<&Resting> {
        // A clock that was set back makes nobody wait longer.
        self.resting.as_ref().filter(|resting| resting.since <= now && now < resting.until)
    }

    /// Tells why nothing was signed the last time.
    pub(crate) fn failing(&self) -> Option<&Resting> {
        self.resting.as_ref()
    }

    /// Has everything signed, in order; it is verified when it comes back.
    pub(crate) fn sign_all(
        &mut self,
        config: &Config,
        jobs: &[Job<'_>],
        now: Timestamp,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let how = config.signer.as_ref().ok_or(Error::KeysNotRead)?;
        let made = sign_all(&*self.signer, how, jobs, now)
            .map_err(|(repository, fault)| Error::NotSigned { repository, fault })?;
        self.worked();
        Ok(made)
    }

    fn worked(&mut self) {
        if let Some(resting) = self.resting.take() {
            tracing::info!("metadata is signed again, after {} attempts that failed", resting.attempts);
            self.is_news = true;
        }
    }

    /// Learns that it failed, having been asked and until now.
    pub(crate) fn failed(&mut self, (asked, now): (Timestamp, Timestamp), repository: &str, fault: &Fault) {
        let (attempts, since) =
            self.resting.as_ref().map_or((1, asked), |before| (before.attempts + 1, before.since.min(asked)));
        let doubled = PAUSE_FIRST * (1 << attempts.saturating_sub(1).min(10));
        let took = now.duration_since(asked).max(SignedDuration::ZERO);
        let pause = doubled.min(PAUSE_MAX).max(took * PAUSE_SHARE);
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let (repository, fault) = (repository.to_owned(), fault.clone());
        tracing::error!(
            "nothing is published that needs a signature before {until}: of `{repository}`, {fault}"
        );
        self.resting = Some(Resting { format: FORMAT, since, until, attempts, repository, fault });
        self.is_news = true;
    }

    /// Forgets that it failed: another may be configured now.
    pub(crate) fn forget(&mut self) {
        self.is_news |= self.resting.take().is_some();
    }

    /// Writes down what changed, for whoever asks for the status; that it cannot be written is no error.
    pub(crate) fn write_down(&mut self, disk: &dyn Disk, store: &Store) {
        if std::mem::take(&mut self.is_news)
            && let Err(error) = write(disk, store, self.resting.as_ref())
        {
            tracing::warn!("what the signer does is not written down: {error}");
        }
    }
}

fn place(store: &Store) -> Utf8PathBuf {
    store.paths().cache().join("signer.json")
}

/// Reads why nothing is signed now, as a running daemon wrote it down; `None` if all is well.
pub fn resting(disk: &dyn Disk, store: &Store) -> Result<Option<Resting>, Error> {
    let path = place(store);
    if disk.state(&path)?.is_none() {
        return Ok(None);
    }
    let unread = |cause| Error::File { operation: "read", path: path.clone(), cause };
    let mut bytes = Vec::new();
    disk.open(&path)?.take(1 << 16).read_to_end(&mut bytes).map_err(unread)?;
    let resting: Resting = serde_json::from_slice(&bytes).map_err(|error| unread(error.into()))?;
    Ok(Some(resting).filter(|resting| resting.format == FORMAT))
}

fn write(disk: &dyn Disk, store: &Store, resting: Option<&Resting>) -> Result<(), Error> {
    let path = place(store);
    let fresh = path.with_extension("new");
    let gone = |path: &Utf8PathBuf| match disk.state(path)? {
        Some(_) => disk.remove_file(path),
        None => Ok(()),
    };
    gone(&fresh)?;
    let Some(resting) = resting else { return Ok(gone(&path)?) };
    let bytes = serde_json::to_vec_pretty(resting).expect("it has text keys only");
    let mut file = disk.create(&fresh, 0o644)?;
    file.write_all(&bytes).map_err(|cause| Error::File { operation: "write", path: fresh.clone(), cause })?;
    Ok(disk.rename(&fresh, &path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::FaultCode;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_signer_that_fails_is_asked_less_and_less_often_and_the_first_failure_is_remembered() {
        let mut signing = Signing::default();
        let fault = Fault::new(FaultCode::Failed, "the signer ended with 2");
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..9 {
            signing.failed((at(now), at(now)), "p", &fault);
            let resting = signing.rests_at(at(now)).unwrap().clone();
            assert_eq!(resting.since, at(0));
            let pause = resting.until.duration_since(at(now)).as_secs();
            pauses.push(pause);
            now += pause;
            assert_eq!(signing.rests_at(at(now)), None);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        signing.worked();
        assert_eq!(signing.failing(), None);
    }

    #[test]
    fn one_that_hangs_takes_a_fifth_of_the_time_at_most() {
        let mut signing = Signing::default();
        signing.failed((at(0), at(30)), "p", &Fault::new(FaultCode::Hangs, "late"));
        assert_eq!(signing.failing().unwrap().until, at(150));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait() {
        let mut signing = Signing::default();
        signing.failed((at(100), at(100)), "p", &Fault::new(FaultCode::Hangs, "late"));
        assert_eq!(signing.rests_at(at(50)), None);
    }
}
