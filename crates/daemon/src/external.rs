//! What gates outside of Sluice say of a plan: a program that is asked, or a file that somebody leaves.
//!
//! ```text
//! RESULTS/<hash of the plan>.json
//! {"format": 1, "plan": "<the same hash>", "verdict": "pass", "evidence": "build 4711 is green"}
//! ```
//!
//! Whoever may write the file may say yes, so nobody but its owner may; what cannot be believed counts as a no, and so does
//! what was said too long ago: the world that it was about is another by now.

mod heard;
mod process;

use std::io::Read as _;

use camino::Utf8Path;
use jiff::Timestamp;
use nevra::Sha256;
use plan::External;
use serde::Deserialize;
use store::{Disk, Kind};

use crate::config::Account;
use crate::error::Error;

pub(crate) use heard::Heard;

/// How large a result may be, in bytes.
const SIZE_MAX: u64 = 64 << 10;

/// How much evidence is kept, in characters.
const EVIDENCE_MAX: usize = 1000;

/// A verdict as it lies in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    format: u64,
    plan: Sha256,
    verdict: Said,
    evidence: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Pass,
    Fail,
}

/// A folder of results, and which of them count.
struct Results<'a> {
    disk: &'a dyn Disk,
    folder: &'a Utf8Path,
    owner: &'a Account,
    since: Timestamp,
}

impl Results<'_> {
    /// Finds what was left of a plan. A gate that cannot look has failed: whatever is in the way, nobody waits for it.
    fn said(&self, plan: Sha256) -> External {
        self.result(plan).unwrap_or_else(|error| External::Unusable(error.to_string()))
    }

    fn result(&self, plan: Sha256) -> Result<External, Error> {
        let Results { disk, folder, owner, since } = *self;
        let Some(uid) = owner.uid()? else {
            return Ok(External::Unusable(format!("this host knows no `{owner}`")));
        };
        let file = folder.join(format!("{plan}.json"));
        for (path, is_file) in [(folder, false), (file.as_path(), true)] {
            let Some(state) = disk.state(path)? else {
                return Ok(External::Missing(format!("there is no `{path}`")));
            };
            let is_right = state.kind == if is_file { Kind::File } else { Kind::Directory };
            // Whoever may write the folder could put another file there.
            let is_theirs = state.uid == uid || !is_file && state.uid == 0;
            if !is_right || !is_theirs || state.mode & 0o022 != 0 || is_file && state.links != 1 {
                let what = if is_file { "a file with one name" } else { "a directory" };
                return Ok(External::Unusable(format!(
                    "`{path}` is not {what} that `{owner}` alone may write"
                )));
            }
            if is_file && state.modified.seconds < since.as_second() {
                let words = format!(
                    "`{path}` is older than `max_age`: what is not from after {since} counts no more"
                );
                return Ok(External::Unusable(words));
            }
        }
        let mut bytes = Vec::new();
        let read = disk.open(&file)?.take(SIZE_MAX + 1).read_to_end(&mut bytes);
        read.map_err(|cause| Error::File { operation: "read", path: file.clone(), cause })?;
        if bytes.len() as u64 > SIZE_MAX {
            return Ok(External::Unusable(format!("`{file}` is larger than {} KiB", SIZE_MAX >> 10)));
        }
        Ok(match serde_json::from_slice::<Verdict>(&bytes) {
            Err(error) => External::Unusable(format!("`{file}` cannot be understood: {error}")),
            Ok(verdict) if verdict.format != 1 => External::Unusable(format!(
                "`{file}` says format {}, and this sluice reads 1",
                verdict.format
            )),
            Ok(verdict) if verdict.plan != plan => {
                External::Unusable(format!("`{file}` is about the plan {}", verdict.plan))
            }
            Ok(Verdict { verdict: Said::Pass, evidence, .. }) => External::Pass(one_line(&evidence)),
            Ok(Verdict { verdict: Said::Fail, evidence, .. }) => External::Fail(one_line(&evidence)),
        })
    }
}

/// Makes words of strangers fit for one line of a terminal.
fn one_line(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(EVIDENCE_MAX).collect();
    match plain.split_whitespace().collect::<Vec<_>>().join(" ") {
        words if words.is_empty() => "it says no more".to_owned(),
        words => words,
    }
}
