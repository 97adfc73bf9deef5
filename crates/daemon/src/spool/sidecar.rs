//! What the daemon writes down beside a claimed request: whose it was, and which bytes count.

use super::claim_name::claimed_at;
use super::files::{Unsynced, read_small, write_new};
use super::{Claimed, Owner};
use crate::error::Error;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;
use plan::Refusal;
use serde::{Deserialize, Serialize};
use store::Disk;

/// The most bytes of a sidecar: names and one refusal.
const SIZE_MAX: u64 = 64 * 1024;

/// Is the file `processing/<claim>.claim.json`. Written once, and removed when the request is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sidecar {
    /// The version of this form, 1.
    pub(super) format: u32,
    pub(super) claim: String,
    /// The name the request had in `incoming/`; unknown if a crash came between claim and sidecar.
    pub(super) original: Option<String>,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) claimed_at: Timestamp,
    /// The digest of the daemon's copy; `None` if nothing was read and there is no copy.
    pub(super) digest: Option<Sha256>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<Refusal>,
}

impl Sidecar {
    /// Describes a claim; `copied` says whether there is a copy of its bytes.
    pub(super) fn of(claimed: &Claimed, original: Option<String>, copied: bool) -> Sidecar {
        Sidecar {
            format: 1,
            claim: claimed.name.clone(),
            original,
            uid: claimed.owner.uid,
            gid: claimed.owner.gid,
            claimed_at: claimed.claimed_at,
            digest: copied.then_some(claimed.digest),
            problem: claimed.problem.clone(),
        }
    }

    pub(super) fn owner(&self) -> Owner {
        Owner { uid: self.uid, gid: self.gid }
    }

    /// Writes the sidecar under a name for the meantime: sync it, then [`Sidecar::name`] it.
    pub(super) fn write(
        &self,
        disk: &dyn Disk,
        processing: &Utf8Path,
        unsynced: &mut Unsynced<'_>,
    ) -> Result<(), Error> {
        let mut bytes =
            serde_json::to_vec_pretty(self).expect("a sidecar has text keys only, so it serialises");
        bytes.push(b'\n');
        unsynced.push(write_new(disk, &self.temporary(processing), &bytes, 0o440)?)
    }

    /// Gives the sidecar its name; durable when `processing` was synced after it.
    pub(super) fn name(&self, disk: &dyn Disk, processing: &Utf8Path) -> Result<(), Error> {
        Ok(disk.rename(&self.temporary(processing), &path(processing, &self.claim))?)
    }

    fn temporary(&self, processing: &Utf8Path) -> Utf8PathBuf {
        processing.join(format!(".{}.sidecar", self.claim))
    }

    /// Reads the sidecar of a claim.
    pub(super) fn read(disk: &dyn Disk, processing: &Utf8Path, claim: &str) -> Result<Found, Error> {
        let path = path(processing, claim);
        if disk.state(&path)?.is_none() {
            return Ok(Found::Nothing);
        }
        let bytes = read_small(disk, &path, SIZE_MAX)?.unwrap_or_default();
        match serde_json::from_slice::<Sidecar>(&bytes) {
            Ok(sidecar) if sidecar.format == 1 && sidecar.claim == claim => {
                Ok(Found::Whole(Box::new(sidecar)))
            }
            Ok(_) => Ok(Found::Damaged),
            Err(error) => {
                tracing::warn!(request = claim, "`{path}` is damaged: {error}");
                Ok(Found::Damaged)
            }
        }
    }
}

/// Is what stands at the name of a sidecar.
#[derive(Debug)]
pub(super) enum Found {
    /// The claim got no further than its rename.
    Nothing,
    /// Whose the request was is lost: it must not be carried out.
    Damaged,
    /// The sidecar as it was written.
    Whole(Box<Sidecar>),
}

pub(super) fn path(processing: &Utf8Path, claim: &str) -> Utf8PathBuf {
    processing.join(format!("{claim}.claim.json"))
}

/// Tells the claim a sidecar belongs to by the sidecar's name.
pub(super) fn claim_of(name: &str) -> Option<&str> {
    name.strip_suffix(".claim.json").filter(|claim| claimed_at(claim).is_some())
}
