//! Long work that somebody watches: systemd, whose watchdog must hear of it, and whoever waits for the answer.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::Disk;

use crate::clock::Clock;

/// How far the reading of an existing repository has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Packages that were brought in.
    pub packages: usize,
    /// Packages there are.
    pub packages_all: usize,
    /// Bytes that were brought in.
    pub bytes: u64,
    /// Bytes there are.
    pub bytes_all: u64,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |bytes: u64| bytes >> 20;
        let (done, all) = (mebibytes(self.bytes), mebibytes(self.bytes_all));
        write!(f, "{} of {} packages, {done} of {all} MiB", self.packages, self.packages_all)
    }
}

/// Somebody who is told of every piece of long work.
#[derive(Clone, Default)]
pub struct Onlooker(Option<Arc<Tell>>);

/// Takes the claim that is worked for, and how far it has come.
type Tell = dyn Fn(&str, Progress) + Send + Sync;

impl Onlooker {
    /// Tells `tell` the claim that is worked for, and how far it has come.
    pub fn new(tell: impl Fn(&str, Progress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }
}

impl fmt::Debug for Onlooker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Onlooker").field(&self.0.is_some()).finish()
    }
}

/// Where a requester finds how far the work for his claim has come.
///
/// A file like all that begin with a dot: removed at start-up, and worth nothing after a crash.
pub fn place(spool: &Utf8Path, claim: &str) -> Utf8PathBuf {
    spool.join("processing").join(format!(".{claim}.progress"))
}

/// Tells the onlooker at once, and the requester once a second; takes its note away in the end.
pub(crate) struct Telling<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) onlooker: &'a Onlooker,
    pub(crate) claim: String,
    place: Utf8PathBuf,
    since: Timestamp,
    is_written: bool,
}

impl<'a> Telling<'a> {
    pub(crate) fn of(
        disk: &'a dyn Disk,
        clock: &'a dyn Clock,
        onlooker: &'a Onlooker,
        spool: &Utf8Path,
        claim: &str,
    ) -> Self {
        let place = place(spool, claim);
        Self { disk, clock, onlooker, claim: claim.to_owned(), place, since: clock.now(), is_written: false }
    }

    pub(crate) fn tell(&mut self, progress: Progress) {
        if let Some(tell) = &self.onlooker.0 {
            tell(&self.claim, progress);
        }
        let now = self.clock.now();
        if now.duration_since(self.since) >= SignedDuration::from_secs(1) {
            self.since = now;
            if let Err(error) = self.write(progress) {
                tracing::debug!(request = self.claim, "how far it has come is not noted: {error}");
            }
        }
    }

    fn write(&mut self, progress: Progress) -> Result<(), store::Error> {
        let fresh = Utf8PathBuf::from(format!("{}.new", self.place));
        if self.disk.state(&fresh)?.is_some() {
            self.disk.remove_file(&fresh)?;
        }
        let bytes = serde_json::to_vec(&progress).expect("numbers can be written");
        let mut file = self.disk.create(&fresh, 0o644)?;
        if file.write_all(&bytes).is_ok() {
            self.disk.rename(&fresh, &self.place)?;
            self.is_written = true;
        }
        Ok(())
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if self.is_written
            && let Err(error) = self.disk.remove_file(&self.place)
        {
            tracing::warn!("`{}` is removed at the next start: {error}", self.place);
        }
    }
}
