//! Candidates: for each update that is still to be published, what publishing it would make, in the private half.
//!
//! ```text
//!   staff/candidate/<hash of the plan>/prepared.json           what was prepared, to be compared with what it would be later
//!                                      plan.txt                the same for people
//!                                      <path>/repodata/...     each repository that changes, as it would be
//!                                      <path>/Packages/...     what enters: hard links into the pool; what stays: symlinks
//! ```
//!
//! What stays is found where the public repository has it: whole directories of links, but for those in which something enters.

use std::collections::{BTreeMap, BTreeSet};

use plan::{GateSeen, Plan, Repository};
use serde::{Deserialize, Serialize};
use store::{Generation, Store};
use workflow::Workflow;

use crate::account::{Account, Shelved};
use crate::error::Error;

/// Below which all candidates lie.
pub const FOLDER: &str = "staff/candidate/";

/// What was prepared, in a file of the candidate.
pub(crate) const PREPARED: &str = "prepared.json";

/// The number of the stored form.
const FORMAT: u32 = 1;

/// How many differences are named.
const NAMED_MAX: usize = 50;

/// How many generations are looked through for what changed a repository meanwhile.
const LOOKED_AT_MAX: u64 = 500;

/// What was prepared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prepared {
    /// The number of this stored form.
    pub format: u32,
    /// The generation it was worked out on.
    pub generation: u64,
    /// The repositories that change: the path of each, by its name.
    pub repositories: BTreeMap<String, String>,
    /// What the hash of the plan covers, in words.
    pub lines: Vec<String>,
    /// What each gate saw.
    pub gates: Vec<GateSeen>,
}

impl Prepared {
    /// Describes what was prepared on a generation.
    pub(crate) fn of(plan: &Plan, generation: u64, repositories: BTreeMap<String, String>) -> Prepared {
        Prepared { format: FORMAT, generation, repositories, lines: plan.lines(), gates: plan.gates.clone() }
    }

    /// Reads what was prepared under a plan; nothing if the generation has no such candidate, or one of a later program.
    pub(crate) fn read(
        store: &Store,
        generation: &Generation,
        hash: &str,
    ) -> Result<Option<Prepared>, Error> {
        let path = format!("{FOLDER}{hash}/{PREPARED}");
        if !generation.files.private.contains_key(&path) {
            return Ok(None);
        }
        let prepared: Option<Prepared> = serde_json::from_slice(&store.read_private(generation, &path)?).ok();
        Ok(prepared.filter(|prepared| prepared.format == FORMAT))
    }

    /// Writes the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("it has text keys only, so it always serialises")
    }

    /// Tells how the plan of now differs: what it would move, and what gates say of it.
    pub(crate) fn differences(&self, now: &Plan) -> Vec<String> {
        let lines = now.lines();
        let is: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
        let was: BTreeSet<&str> = self.lines.iter().map(String::as_str).collect();
        let gone = was.difference(&is).map(|line| format!("no longer: {line}"));
        let mut all: Vec<String> =
            gone.chain(is.difference(&was).map(|line| format!("now: {line}"))).collect();
        all.extend(self.gates_changed(now));
        all
    }

    fn gates_changed(&self, now: &Plan) -> Vec<String> {
        // Who asks is another one now.
        let seen = |gates: &[GateSeen]| -> BTreeSet<(String, &'static str, String)> {
            let gates = gates.iter().filter(|one| one.gate != "roles");
            gates.map(|one| (one.gate.clone(), one.verdict.as_str(), one.evidence.clone())).collect()
        };
        let (was, is) = (seen(&self.gates), seen(&now.gates));
        let words = |when: &str, (gate, verdict, evidence): &(String, &str, String)| {
            format!("{when}: gate `{gate}` says {verdict}: {evidence}")
        };
        let gone = was.difference(&is).map(|one| words("no longer", one));
        gone.chain(is.difference(&was).map(|one| words("now", one))).collect()
    }

    /// Tells what came and went meanwhile in the repositories that it changes.
    pub(crate) fn meanwhile(&self, store: &Store, current: u64) -> Result<Vec<String>, Error> {
        let mut all = Vec::new();
        for number in self.generation.max(current.saturating_sub(LOOKED_AT_MAX)) + 1..=current {
            // Numbers that were never used have no manifest.
            let Ok(manifest) = store.history(number) else { continue };
            let account = Account::of(number, &manifest.account)?;
            for (name, moves) in
                account.changes.iter().filter(|(name, _)| self.repositories.contains_key(*name))
            {
                let said = account.repositories.get(name).map(Shelved::repository);
                let said = said.map_or_else(|| name.clone(), |one: Repository| one.to_string());
                let line = |what: &str, one: &plan::Listed| {
                    format!("meanwhile `{}` {what} `{said}` with generation {number}", one.nevra)
                };
                all.extend(moves.entered.iter().map(|one| line("entered", one)));
                all.extend(moves.left.iter().map(|one| line("left", one)));
            }
        }
        Ok(all)
    }
}

/// Names so many differences as somebody may read.
pub(crate) fn named(mut differences: Vec<String>) -> Vec<String> {
    let more = differences.len().saturating_sub(NAMED_MAX);
    differences.truncate(NAMED_MAX);
    differences.extend((more > 0).then(|| format!("and {more} more")));
    differences
}

/// Names the candidates that a generation is to have: those of the updates that are still to be published.
pub(crate) fn open(workflow: &Workflow) -> BTreeSet<String> {
    workflow.open_updates().map(|(_, _, update)| update.plan.hex()).collect()
}

/// Tells of which candidate a path of the private half is.
pub(crate) fn candidate_of(path: &str) -> Option<&str> {
    path.strip_prefix(FOLDER)?.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::Verdict;

    fn seen(gate: &str, verdict: Verdict, evidence: &str) -> GateSeen {
        GateSeen { gate: gate.into(), verdict, evidence: evidence.into() }
    }

    #[test]
    fn what_gates_say_otherwise_is_told_and_who_asks_is_not() {
        let gates = vec![seen("roles", Verdict::Pass, "anna"), seen("soak", Verdict::Pass, "7 days")];
        let then = Plan { action: "release-publish".into(), gates, ..Plan::default() };
        let prepared = Prepared::of(&then, 3, BTreeMap::new());
        assert_eq!(prepared.differences(&then), Vec::<String>::new());
        let gates = vec![seen("roles", Verdict::Pass, "bert"), seen("soak", Verdict::Waived, "1 day")];
        let now = Plan { gates, named: BTreeSet::from(["update-1".to_owned()]), ..then };
        assert_eq!(
            prepared.differences(&now),
            [
                "now: the generation is called `update-1`",
                "no longer: gate `soak` says pass: 7 days",
                "now: gate `soak` says waived: 1 day",
            ]
        );
    }

    #[test]
    fn no_more_is_named_than_somebody_may_read() {
        let all = named((0..52).map(|n| n.to_string()).collect());
        assert_eq!((all.len(), all.last().map(String::as_str)), (51, Some("and 2 more")));
    }

    #[test]
    fn a_path_tells_its_candidate() {
        assert_eq!(candidate_of("staff/candidate/ab/x/repodata/repomd.xml"), Some("ab"));
        assert_eq!(candidate_of("index/ab"), None);
    }
}
