//! A repository that exists already, read to be adopted: whatever it says is verified, nothing of it is changed.
//!
//! ```text
//!   folder --href--> file --size, checksum--> metadata --count, hrefs--> packages --size, checksum, header--> arrived
//! ```
//!
//! What it says and is not so is refused, with the file and the place. The packages are read anew: what an RPM
//! says is listed, and how many of the old words differ is told.

mod compared;
pub(crate) mod folder;
pub(crate) mod metadata;
mod old;
mod packages;
mod place;

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use plan::{Code, Refusal};
use repo::{Record, Repomd};

use crate::arrivals::{Brought, Gate, Stopped};
use crate::error::Error;
use crate::progress::Progress;
use crate::writing::Beside;
use folder::Folder;

pub(crate) use place::Place;

/// An existing repository beside its packages.
#[derive(Debug)]
pub struct Adopted {
    /// Its repomd.xml.
    pub repomd: Repomd,
    /// The records that are carried, as they will stand, with their files byte for byte.
    pub carried: Vec<(Record, Vec<u8>)>,
    /// What else it leads to and is read.
    pub beside: Beside,
    /// Every metadata file under its old href.
    pub metadata: BTreeMap<String, Arc<Vec<u8>>>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Gate<'_> {
    /// Reads the repository in `folder`, verifies all of it, and brings its packages in for `claim`.
    ///
    /// If it is only `rehearsed`, the packages are hashed where they lie and nothing is copied.
    pub fn adopt(
        &self,
        claim: &str,
        folder: &str,
        rehearsed: bool,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<(Brought, Adopted), Stopped> {
        let folder = Folder::open(self.disk, Utf8Path::new(folder))?;
        let read = metadata::read(&folder)?;
        if read.old.packages.is_empty() {
            let sentence = format!("the repository in `{}` lists no package", folder.top);
            return Err(Stopped::Refused(Refusal::new(Code::NoSuchPackage, sentence)));
        }
        let mut notes = read.notes;
        let arrived = packages::bring_in(self, claim, &folder, &read.old, rehearsed, watch)?;
        notes.extend(compared::differences(&read.old, &arrived).map_err(damaged)?);
        notes.extend(packages::unlisted(&folder, &arrived.packages)?);
        let metadata::Metadata { repomd, carried, beside, metadata, .. } = read;
        Ok((arrived, Adopted { repomd, carried, beside, metadata, notes }))
    }
}

/// What was packed a moment ago cannot be unpacked.
fn damaged(error: repo::Error) -> Stopped {
    Stopped::Failed(Error::Metadata { place: "what was read of it".to_owned(), reason: error.to_string() })
}

impl Adopted {
    /// Gives the plan's view of it.
    pub fn existing(&self) -> plan::Existing {
        plan::Existing {
            carried: self.carried.iter().map(|(record, _)| record.kind.clone()).collect(),
            metadata: self.metadata.iter().map(|(href, bytes)| (href.clone(), repo::sha256(bytes))).collect(),
            beside: self.said(),
            taken: BTreeMap::new(),
            notes: self.notes.clone(),
        }
    }
}
