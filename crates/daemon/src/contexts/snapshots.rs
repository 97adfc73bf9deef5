//! What was fetched of contexts that lie behind a URL.
//!
//! ```text
//! cache/snapshots/<digest of repomd.xml>/repomd.xml, primary, filelists     never changed
//! cache/snapshots/<name>@<os>@<arch>.json                                   the last look that succeeded: URL, digest, when
//! ```
//!
//! A snapshot counts from the instant the second file is renamed into place; the one before it is removed afterwards.

use std::io::{Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;
use plan::{Platform, Unfit};
use serde::{Deserialize, Serialize};

use super::repodata::Repodata;
use super::{Kept, index};
use crate::config::{Config, Context, ContextSource};
use crate::error::Error;

/// The largest record of a look, in bytes.
const LOOK_SIZE_MAX: u64 = 64 << 10;

/// The last look at a URL that succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// The URL, the platform filled in.
    pub url: String,
    /// The digest of the repomd.xml that was there.
    pub digest: Sha256,
    /// When that was.
    pub looked: Timestamp,
}

/// What became of what was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It took the place of the last snapshot.
    Whole,
    /// It is not what it should be; the last snapshot stays.
    Unfit(Unfit),
}

impl Kept<'_> {
    fn snapshots(&self) -> Utf8PathBuf {
        self.cache.join("snapshots")
    }

    fn look_at(&self, context: &Context, platform: &Platform) -> Utf8PathBuf {
        self.snapshots().join(format!("{}.json", key(context, platform)))
    }

    /// Takes the lock of whoever fetches; `None` if somebody else does.
    pub fn lock(&self) -> Result<Option<Box<dyn Send + Sync>>, Error> {
        let folder = self.snapshots();
        if self.disk.state(&folder)?.is_none() {
            self.disk.make_directory(&folder, 0o755)?;
        }
        Ok(self.disk.lock(&folder)?)
    }

    /// Reads the last look that succeeded; `None` if there was none, or its record is damaged.
    pub fn look(&self, context: &Context, platform: &Platform) -> Option<Look> {
        let mut bytes = Vec::new();
        let file = self.disk.open(&self.look_at(context, platform)).ok()?;
        file.take(LOOK_SIZE_MAX).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Says whether a snapshot is here with everything its repomd.xml names.
    pub fn holds(&self, digest: Sha256) -> bool {
        self.snapshot(digest).is_ok_and(|repodata| repodata.is_whole())
    }

    pub(super) fn snapshot(&self, digest: Sha256) -> Result<Repodata<'_>, Unfit> {
        let top = self.snapshots().join(digest.hex());
        let repodata = Repodata::of_snapshot(self.disk, top)?;
        if repodata.digest != digest {
            let words = format!("`{}/repomd.xml` was changed since it was fetched", repodata.folder.top);
            return Err(Unfit { code: plan::Code::ContextCorrupt, words });
        }
        Ok(repodata)
    }

    /// Takes in what was fetched: files by the names `repomd.xml`, `primary`, `filelists`, and `modules` if there are some. Everything is read before it
    /// counts for anything. The caller holds the lock.
    pub fn take(&self, digest: Sha256, files: &[(&str, Vec<u8>)]) -> Result<Taken, Error> {
        let (folder, disk) = (self.snapshots(), self.disk);
        let (draft, place) = (folder.join(format!(".{}", digest.hex())), folder.join(digest.hex()));
        self.clear(&draft)?;
        disk.make_directory(&draft, 0o755)?;
        for (name, bytes) in files {
            self.write(&draft.join(name), bytes)?;
        }
        disk.sync_directory(&draft)?;
        let read = Repodata::of_snapshot(disk, draft.clone()).and_then(|repodata| repodata.listing());
        let listing = match read {
            Ok(listing) => listing,
            Err(unfit) => {
                self.clear(&draft)?;
                return Ok(Taken::Unfit(unfit));
            }
        };
        // What stood there was not whole, or it would not have been fetched again.
        self.clear(&place)?;
        disk.rename(&draft, &place)?;
        disk.sync_directory(&folder)?;
        index::write(self, digest, &listing);
        Ok(Taken::Whole)
    }

    /// Records a look that succeeded: from now on its snapshot is the context. The caller holds the lock.
    pub fn record(&self, context: &Context, platform: &Platform, look: &Look) -> Result<(), Error> {
        let (folder, place) = (self.snapshots(), self.look_at(context, platform));
        let draft = folder.join(format!(".{}.json", key(context, platform)));
        if self.disk.state(&draft)?.is_some() {
            self.disk.remove_file(&draft)?;
        }
        let mut text = serde_json::to_vec_pretty(look).unwrap_or_default();
        text.push(b'\n');
        self.write(&draft, &text)?;
        self.disk.rename(&draft, &place)?;
        Ok(self.disk.sync_directory(&folder)?)
    }

    /// Removes every look, snapshot and index that the configuration does not lead to; says how many. The caller
    /// holds the lock.
    pub fn sweep(&self, config: &Config) -> Result<usize, Error> {
        let mut needed: Vec<Sha256> = Vec::new();
        let mut looks: Vec<String> = Vec::new();
        for (context, platform) in config.contexts_used() {
            match context.source.at(platform) {
                ContextSource::Folder(folder) => {
                    needed.extend(
                        Repodata::of_folder(self.disk, folder.into()).map(|repodata| repodata.digest),
                    );
                }
                ContextSource::Url(_) => {
                    looks.push(format!("{}.json", key(context, platform)));
                    needed.extend(self.look(context, platform).map(|look| look.digest));
                }
            }
        }
        let folder = self.snapshots();
        let mut gone = index::sweep(self, &needed)?;
        for name in self.disk.list(&folder)?.names {
            if !looks.contains(&name) && !needed.iter().any(|digest| digest.hex() == name) {
                self.clear(&folder.join(&name))?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// Removes the index of a repomd.xml that is no longer read. That it cannot be removed is no failure.
    pub(super) fn forget(&self, digest: Sha256) {
        if let Err(error) = index::remove(self, digest) {
            tracing::warn!("what was read of a context is kept in vain: {error}");
        }
    }

    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), Error> {
        let mut file = self.disk.create(path, 0o644)?;
        let written = file.write_all(bytes);
        written.map_err(|cause| Error::File { operation: "write", path: path.to_owned(), cause })?;
        Ok(file.sync()?)
    }

    /// Removes a file, or a directory of files.
    fn clear(&self, path: &Utf8Path) -> Result<(), store::Error> {
        match self.disk.state(path)?.map(|state| state.kind) {
            None => Ok(()),
            Some(store::Kind::Directory) => {
                for name in self.disk.list(path)?.names {
                    self.disk.remove_file(&path.join(name))?;
                }
                self.disk.remove_directory(path)
            }
            Some(_) => self.disk.remove_file(path),
        }
    }
}

/// No name, system or architecture holds an `@`.
fn key(context: &Context, platform: &Platform) -> String {
    format!("{}@{}@{}", context.name, platform.os, platform.arch)
}
