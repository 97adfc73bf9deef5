//! The bug of a whole process, named in its environment when it was started.

use std::ffi::OsString;
use std::sync::OnceLock;

use super::Bug;

/// The name of the variable.
const VARIABLE: &str = "SLUICE_PLANTED_BUG";

static OF_PROCESS: OnceLock<Bug> = OnceLock::new();

/// Plants, for all threads and for good, the bug that the environment names, if it names one.
///
/// To be called first in `main`, with a way to look into the environment; fails with a sentence if there is no bug of that name, so that no proof runs
/// without the bug it is about.
pub fn plant_by_environment(look: impl FnOnce(&str) -> Option<OsString>) -> Result<(), String> {
    let Some(name) = look(VARIABLE) else { return Ok(()) };
    let named = |bug: &&Bug| name.to_str() == Some(format!("{bug:?}").as_str());
    match Bug::ALL.iter().find(named) {
        Some(bug) => {
            OF_PROCESS.get_or_init(|| *bug);
            Ok(())
        }
        None => Err(format!("failed to plant `{}`: {VARIABLE} names no bug", name.display())),
    }
}

/// Tells the bug of this process.
pub(super) fn of_process() -> Option<Bug> {
    OF_PROCESS.get().copied()
}
