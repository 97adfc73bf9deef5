//! What the procedures of the site remember, as a generation keeps it in its private half: `workflow.json` holds what is under
//! way, and the files below `archive/` what is over.
//!
//! Each step writes `workflow.json` anew, so it stays small. The newest file of the archive grows until it is large enough; the
//! others are linked from generation to generation.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use plan::World;
use serde::{Deserialize, Serialize};
use store::{Generation, Modified, Source, Store};
use workflow::{FORMAT, Filed, Workflow};

use crate::account::{Account, Settled};
use crate::error::Error;

/// Where that lies which is under way.
pub(crate) const NAME: &str = "workflow.json";

/// Below which that lies which is over.
pub(crate) const ARCHIVE: &str = "archive/";

/// How many bytes a file of the archive has at most, unless one bundle alone has more: so much is written again at most
/// when something is laid aside.
const ARCHIVE_FILE_MAX: usize = 256 * 1024;

/// How that is stored which is under way.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<W> {
    format: u32,
    workflow: W,
}

/// How a file of the archive is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Archive {
    format: u32,
    filed: Vec<Filed>,
}

/// What both begin with, and what a later program's would begin with.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// What was read or written last, so that it is read once.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Option<(u64, Arc<Workflow>)>);

impl Remembered {
    /// Gives what a published generation remembers.
    pub(crate) fn of(&mut self, store: &Store, generation: &Generation) -> Result<Arc<Workflow>, Error> {
        if let Some((_, known)) = self.0.as_ref().filter(|(number, _)| *number == generation.number) {
            return Ok(Arc::clone(known));
        }
        let read = read(store, generation)?;
        self.take_over(generation.number, Arc::clone(&read));
        Ok(read)
    }

    /// Takes note of what a generation remembers that was just published.
    pub(crate) fn take_over(&mut self, number: u64, workflow: Arc<Workflow>) {
        self.0 = Some((number, workflow));
    }
}

/// Reads what a generation remembers; nothing if no procedure ever took a step.
///
/// # Errors
///
/// The file cannot be read, is of another format, or holds something else.
pub fn read(store: &Store, generation: &Generation) -> Result<Arc<Workflow>, Error> {
    if !generation.files.private.contains_key(NAME) {
        return Ok(Arc::default());
    }
    let stored: Stored<Workflow> = parse(store, generation, NAME)?;
    Ok(Arc::new(stored.workflow))
}

/// Reads everything that lies in the archive of a generation, the oldest first.
pub fn archived(store: &Store, generation: &Generation) -> Result<Vec<Filed>, Error> {
    let mut all = Vec::new();
    for path in archive_files(generation) {
        let archive: Archive = parse(store, generation, path)?;
        all.extend(archive.filed);
    }
    Ok(all)
}

/// Names the files of the archive, the oldest first.
fn archive_files(generation: &Generation) -> impl DoubleEndedIterator<Item = &str> {
    generation.files.private.keys().map(AsRef::as_ref).filter(|path: &&str| path.starts_with(ARCHIVE))
}

fn parse<T: for<'a> Deserialize<'a>>(store: &Store, generation: &Generation, path: &str) -> Result<T, Error> {
    let bytes = store.read_private(generation, path)?;
    let bad =
        |reason: String| Error::Workflow { generation: generation.number, path: path.to_owned(), reason };
    // What a later program wrote may be anything but for its number.
    let head: Head = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    if head.format != FORMAT {
        return Err(bad(format!("its format is `{}`, this program reads `{FORMAT}`", head.format)));
    }
    serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))
}

/// Makes the files of the next generation: the parent's, but for what a procedure did.
pub(crate) fn files(
    store: &Store,
    parent: Option<(&Generation, &Account)>,
    (settled, after): (&[Settled], &World),
    modified: Modified,
) -> Result<BTreeMap<Utf8PathBuf, Source>, Error> {
    let parent = parent.map(|(generation, _)| generation);
    let mut files = BTreeMap::new();
    let new = |bytes| Source::Bytes { bytes, modified, until: None };
    if settled.iter().any(|settled| settled.deed.is_some()) {
        let stored = Stored { format: FORMAT, workflow: &*after.workflow };
        files.insert(NAME.into(), new(json(&stored)));
    } else if parent.is_some_and(|parent| parent.files.private.contains_key(NAME)) {
        files.insert(NAME.into(), Source::Carry);
    }
    let kept = parent.into_iter().flat_map(archive_files);
    files.extend(kept.map(|path| (Utf8PathBuf::from(path), Source::Carry)));

    if after.filed.is_empty() {
        return Ok(files);
    }
    let newest = parent.and_then(|parent| Some((parent, archive_files(parent).next_back()?)));
    let more = Archive { format: FORMAT, filed: after.filed.clone() };
    if let Some((generation, path)) = newest {
        let mut archive: Archive = parse(store, generation, path)?;
        archive.filed.extend(more.filed.iter().cloned());
        let bytes = json(&archive);
        if bytes.len() <= ARCHIVE_FILE_MAX {
            files.insert(path.into(), new(bytes));
            return Ok(files);
        }
    }
    let number = files.keys().filter(|path| path.as_str().starts_with(ARCHIVE)).count() + 1;
    files.insert(format!("{ARCHIVE}{number:06}.json").into(), new(json(&more)));
    Ok(files)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("it has text keys only, so it always serialises")
}
