//! Who signs metadata, and why nothing is signed if nothing is.

use daemon::config::Config;
use daemon::signing::{Resting, resting};
use serde::Serialize;
use store::{Disk, Store};

use super::check::State;
use crate::moment;

/// What is seen of the signer.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// What is run to sign.
    way: String,
    /// How many stages have their metadata signed.
    stages: usize,
    /// Why nothing is signed now, and since when.
    failing: Option<Resting>,
    /// Why that is not known.
    unseen: Option<String>,
}

impl Seen {
    /// Looks without a lock; `None` where nothing is signed.
    pub fn of(config: &Config, disk: &dyn Disk, store: &Store) -> Option<Self> {
        let signer = config.signer.as_ref()?;
        let stages = config.metadata_signed_by.len();
        let (failing, unseen) = match resting(disk, store) {
            Ok(failing) => (failing, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Some(Self { way: signer.way.to_string(), stages, failing, unseen })
    }

    /// Says who signs.
    pub fn words(&self) -> String {
        let are = if self.stages == 1 { "is" } else { "are" };
        format!("{}, {} {are} signed", self.way, moment::count(self.stages, "stage"))
    }

    /// Says why nothing is signed now, a line each.
    pub fn wait_words(&self) -> Vec<String> {
        if let Some(error) = &self.unseen {
            return vec![format!("how it goes is not seen: {error}")];
        }
        let Some(failing) = &self.failing else { return Vec::new() };
        let attempts = moment::count(usize::try_from(failing.attempts).unwrap_or(usize::MAX), "attempt");
        vec![
            format!(
                "nothing has been signed since {}, {attempts} failed: {}",
                moment::text(failing.since),
                failing.fault
            ),
            format!(
                "of `{}`; what needs a signature waits, the signer is asked again after {}",
                failing.repository,
                moment::text(failing.until)
            ),
        ]
    }

    /// Says it in one line for monitoring.
    pub fn judge(&self) -> (State, String) {
        match (&self.failing, &self.unseen) {
            (Some(failing), _) => {
                let since = moment::text(failing.since);
                (State::Critical, format!("nothing has been signed since {since}: {}", failing.fault))
            }
            (None, Some(error)) => (State::Unknown, error.clone()),
            (None, None) => (State::Ok, "metadata is signed".to_owned()),
        }
    }

    #[cfg(test)]
    pub fn sample() -> Self {
        use daemon::signing::{Fault, FaultCode};
        let failing = Resting {
            format: 1,
            since: "2026-11-21T23:04:35Z".parse().unwrap(),
            until: "2026-11-21T23:05:10Z".parse().unwrap(),
            attempts: 3,
            repository: "glite/el9/x86_64/production".into(),
            fault: Fault::new(FaultCode::Failed, "the signer ended with 2"),
        };
        Self {
            way: "gpg in `/var/lib/sluice-signer/gnupg`".into(),
            stages: 2,
            failing: Some(failing),
            unseen: None,
        }
    }
}
