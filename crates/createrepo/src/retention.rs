//! What of the old repodata stays beside the new.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use repo::Repomd;
use store::{Disk, Kind};

use crate::Error;
use crate::replace::INDEX;

/// Which files stay. What the old `repomd.xml` does not name is somebody else's and stays by every rule but age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retention {
    /// None that the old `repomd.xml` names.
    #[default]
    Unnamed,
    /// All.
    All,
    /// Of primary, filelists, other and their databases so many of each, the latest.
    Latest(usize),
    /// Those that changed within so many seconds.
    Younger(i64),
}

/// What stands in the old repodata.
#[derive(Debug, Default)]
pub(crate) struct Old {
    /// Each name at its top, with the second of its last change.
    names: BTreeMap<String, i64>,
}

impl Old {
    /// Looks at every name in `repodata`.
    ///
    /// # Errors
    ///
    /// [`Error::OddName`] if something there could be neither kept nor removed.
    pub(crate) fn look(disk: &dyn Disk, repodata: &Utf8Path) -> Result<Old, Error> {
        let mut old = Old::default();
        let Some(state) = disk.state(repodata)? else { return Ok(old) };
        if state.kind != Kind::Directory {
            return Err(store::Error::NotDirectory { path: repodata.to_owned() }.into());
        }
        for name in listed(disk, repodata)? {
            let state = disk.state(&repodata.join(&name))?;
            old.names.insert(name, state.map_or(0, |state| state.modified.seconds));
        }
        Ok(old)
    }

    /// Says when the index was written.
    pub(crate) fn index_modified(&self) -> Option<i64> {
        self.names.get(INDEX).copied()
    }

    /// Chooses the names at the top that stay.
    pub(crate) fn kept(&self, retention: Retention, repomd: Option<&Repomd>, now: i64) -> BTreeSet<String> {
        let records = repomd.map(|repomd| &repomd.records[..]).unwrap_or_default();
        let named: BTreeSet<&str> =
            records.iter().filter_map(|record| record.href.strip_prefix("repodata/")).collect();
        let dropped: BTreeSet<&str> = match retention {
            Retention::All => BTreeSet::new(),
            Retention::Unnamed => named,
            Retention::Latest(count) => self.superseded(count),
            Retention::Younger(seconds) => self
                .names
                .iter()
                .filter(|(_, time)| **time < now - seconds)
                .map(|(name, _)| &**name)
                .collect(),
        };
        let stays = |name: &&String| *name != INDEX && !dropped.contains(name.as_str());
        self.names.keys().filter(stays).cloned().collect()
    }

    /// All but the latest `count` files of each kind that is made from packages.
    fn superseded(&self, count: usize) -> BTreeSet<&str> {
        let kinds = [
            "primary.xml",
            "filelists.xml",
            "other.xml",
            "primary.sqlite",
            "filelists.sqlite",
            "other.sqlite",
        ];
        let mut superseded = BTreeSet::new();
        for kind in kinds {
            let mut files: Vec<_> = self.names.iter().filter(|(name, _)| is_of(kind, name)).collect();
            files.sort_by_key(|(name, time)| (Reverse(**time), *name));
            superseded.extend(files.into_iter().skip(count).map(|(name, _)| &**name));
        }
        superseded
    }
}

/// Says whether a name is that of a file of this kind: `primary.xml.gz`, `<checksum>-primary.xml.gz`.
fn is_of(kind: &str, name: &str) -> bool {
    name.rsplit_once('-').map_or(name, |(_, rest)| rest).starts_with(kind)
}

/// Every place at and below the names that stay, relative to `repodata`: what is to be linked.
pub(crate) fn places(
    disk: &dyn Disk,
    repodata: &Utf8Path,
    names: &BTreeSet<String>,
) -> Result<BTreeSet<Utf8PathBuf>, Error> {
    let mut places = BTreeSet::new();
    let mut waiting: Vec<Utf8PathBuf> = names.iter().map(Utf8PathBuf::from).collect();
    while let Some(place) = waiting.pop() {
        let path = repodata.join(&place);
        if disk.state(&path)?.is_some_and(|state| state.kind == Kind::Directory) {
            waiting.extend(listed(disk, &path)?.into_iter().map(|name| place.join(name)));
        }
        places.insert(place);
    }
    Ok(places)
}

fn listed(disk: &dyn Disk, path: &Utf8Path) -> Result<Vec<String>, Error> {
    let names = disk.list(path)?;
    match names.odd.into_iter().next() {
        None => Ok(names.names),
        Some(name) => Err(Error::OddName { repodata: path.to_owned(), name }),
    }
}
