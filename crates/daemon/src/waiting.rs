//! Requests that are claimed and not answered yet.

use std::sync::Arc;

use jiff::Timestamp;
use nevra::Sha256;
use plan::{Action, Asker, Format, Request};

use crate::adoption::Adopted;
use crate::arrivals::{Arrived, Brought, Gate, Stopped};
use crate::progress::Progress;
use crate::spool::{Claimed, Owner};

/// A claimed request that is not answered yet.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) claimed: Claimed,
    pub(crate) request: Request,
    pub(crate) asker: Asker,
    /// What an import brought in; copied before the line, and once only.
    pub(crate) arrived: Option<Brought>,
    /// What an adoption read beside the packages.
    pub(crate) adopted: Option<Arc<Adopted>>,
}

impl Waiting {
    /// Makes a request of the clock's own, which has no file in the control directory.
    pub(crate) fn of_the_clock(what: &str, action: Action, now: Timestamp) -> Self {
        let name = format!("clock/{what}/{now}");
        let claimed = Claimed {
            name,
            owner: Owner { uid: 0, gid: 0 },
            claimed_at: now,
            digest: Sha256::from([0; 32]),
            bytes: Vec::new(),
            format: Format::Toml,
            problem: None,
        };
        let request = Request::new(action);
        let asker = Asker::clock();
        Self { claimed, request, asker, arrived: None, adopted: None }
    }

    /// Tells whether the clock asks.
    pub(crate) fn is_of_the_clock(&self) -> bool {
        self.asker.is_clock()
    }

    /// Tells whether a claim name is one of the clock's; those of files have no slash.
    pub(crate) fn is_name_of_the_clock(claim: &str) -> bool {
        claim.starts_with("clock/")
    }

    /// Gives the packages that it brought in.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Arrived> {
        self.arrived.iter().flat_map(|brought| &brought.packages)
    }

    /// Brings in what an import or an adoption names, once.
    pub(crate) fn bring_in(
        &mut self,
        gate: &Gate<'_>,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<(), Stopped> {
        let claim = &self.claimed.name;
        match (&self.request.action, &self.arrived) {
            (Action::Import { files, folder, .. }, None) => {
                self.arrived = Some(gate.bring_in(claim, files, folder.as_deref())?);
            }
            (Action::Adopt { folder, .. }, None) => {
                let (arrived, adopted) = gate.adopt(claim, folder, self.request.dry_run, watch)?;
                self.arrived = Some(arrived);
                self.adopted = Some(Arc::new(adopted));
            }
            _ => {}
        }
        Ok(())
    }
}
