//! What the procedures of the site remember, as a generation keeps it: `workflow.json` in its private half.

use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use store::{Generation, Modified, Source, Store};
use workflow::{FORMAT, Workflow};

use crate::account::{Account, Settled};
use crate::error::Error;

/// Where it lies in the private half.
pub(crate) const NAME: &str = "workflow.json";

/// How it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<W> {
    format: u32,
    workflow: W,
}

/// Reads what a generation remembers; nothing if no procedure ever took a step.
pub(crate) fn read(store: &Store, generation: &Generation) -> Result<Arc<Workflow>, Error> {
    if !generation.files.private.contains_key(NAME) {
        return Ok(Arc::default());
    }
    let bytes = store.read_private(generation, NAME)?;
    let bad = |reason: String| Error::Workflow { generation: generation.number, reason };
    let stored: Stored<Workflow> = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    match stored.format {
        FORMAT => Ok(Arc::new(stored.workflow)),
        other => Err(bad(format!("its format is `{other}`, this program reads `{FORMAT}`"))),
    }
}

/// Makes the file of the next generation: the parent's, unless a procedure took a step.
pub(crate) fn file(
    parent: Option<(&Generation, &Account)>,
    settled: &[Settled],
    workflow: &Workflow,
    modified: Modified,
) -> Option<(Utf8PathBuf, Source)> {
    let is_there = parent.is_some_and(|(parent, _)| parent.files.private.contains_key(NAME));
    let source = match settled.iter().any(|settled| settled.deed.is_some()) {
        true => {
            let stored = Stored { format: FORMAT, workflow };
            let bytes = serde_json::to_vec(&stored).expect("it has text keys only, so it always serialises");
            Source::Bytes { bytes, modified, until: None }
        }
        false if is_there => Source::Carry,
        false => return None,
    };
    Some((Utf8PathBuf::from(NAME), source))
}
