//! Freezes by hand: files in `freeze/` of the control directory, for an administrator who has nothing else at hand.
//!
//! ```text
//! SPOOL/freeze/all                      everything
//! SPOOL/freeze/glite-3.2                every stage of a product
//! SPOOL/freeze/glite-3.2:production     one stage
//! ```
//!
//! What a file says is the reason. A name that fits nothing freezes everything: somebody meant something. Names that
//! begin with a dot or end with `~` are what editors leave, and are not looked at.

use std::io::Read;

use camino::Utf8Path;
use plan::{Freeze, Layout};
use store::Disk;

use crate::error::Error;

/// How much of a reason is read, in bytes.
const REASON_MAX: u64 = 1000;

/// The most files that are told apart; more freeze everything.
const FILES_MAX: usize = 100;

/// Reads what is frozen by files in the control directory; nothing is if `freeze/` is not there.
pub fn files(disk: &dyn Disk, spool: &Utf8Path, layout: &Layout) -> Result<Vec<Freeze>, Error> {
    let folder = spool.join("freeze");
    if disk.state(&folder)?.is_none() {
        return Ok(Vec::new());
    }
    let listed = disk.list(&folder)?;
    let mut names = listed.names;
    names.retain(|name| !name.starts_with('.') && !name.ends_with('~'));
    names.sort();
    if names.len() > FILES_MAX || !listed.odd.is_empty() {
        let reason = "there are too many files in `freeze/`, or names that are not UTF-8".to_owned();
        let by = "the control directory".to_owned();
        let id = "freeze/".to_owned();
        return Ok(vec![Freeze { id, product: None, stage: None, by, reason, until: None }]);
    }
    names.iter().map(|name| freeze(disk, &folder.join(name), name, layout)).collect()
}

fn freeze(disk: &dyn Disk, path: &Utf8Path, name: &str, layout: &Layout) -> Result<Freeze, Error> {
    let by = match disk.state(path)? {
        Some(state) => format!("uid:{}", state.uid),
        None => "uid:unknown".to_owned(),
    };
    let (product, stage) = match name.split_once(':') {
        Some((product, stage)) => (product, Some(stage)),
        None => (name, None),
    };
    let is_stage =
        |stage: &str| layout.products.get(product).is_some_and(|product| product.stage(stage).is_some());
    let is_known = layout.products.contains_key(product) && stage.is_none_or(is_stage);
    let mut reason = reason(disk, path);
    let (product, stage) = match is_known {
        true => (Some(product.to_owned()), stage.map(str::to_owned)),
        false => (None, None),
    };
    if !is_known && name != "all" {
        let name = name.escape_debug();
        reason = format!("`{name}` names no product and no stage, so everything stands still: {reason}");
    }
    Ok(Freeze { id: format!("freeze/{}", name.escape_debug()), product, stage, by, reason, until: None })
}

/// Reads what the file says. One that cannot be read freezes all the same.
fn reason(disk: &dyn Disk, path: &Utf8Path) -> String {
    let mut bytes = Vec::new();
    let read = disk.open(path).map(|file| file.take(REASON_MAX).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match plain.trim() {
        "" if !matches!(read, Ok(Ok(_))) => "the file cannot be read".to_owned(),
        "" => "the file says no more".to_owned(),
        words => words.to_owned(),
    }
}
