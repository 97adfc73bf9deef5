//! What gates outside of Sluice say: a continuous integration, a check of completeness, a registry of changes.

use std::collections::BTreeSet;

use nevra::Nevra;

use super::{Finding, Gates};
use crate::lacking::{External, Lacking};
use crate::layout::Route;
use crate::plan::{GateSeen, Plan, Verdict};
use crate::refusal::{Code, Refusal};
use crate::world::World;

impl Gates<'_> {
    /// Looks whether every external gate of a route lets a plan pass. What was not heard yet is noted as lacking.
    ///
    /// A rehearsal passes where one has not said yet: it is how they come to know the plan.
    pub(in crate::decide) fn external(
        &mut self,
        world: &World,
        route: &Route,
        plan: &Plan,
        is_rehearsal: bool,
    ) {
        if route.external.is_empty() {
            return;
        }
        let hash = plan.hash();
        let mut said: Vec<(&String, &External)> = Vec::new();
        for name in &route.external {
            said.extend(world.external.get(&(name.clone(), hash)).map(|heard| (name, heard)));
        }
        if said.len() < route.external.len() {
            let names: BTreeSet<String> = route.external.iter().cloned().collect();
            let external = Some(Box::new((names, plan.clone())));
            return self.lacking.add(Lacking { external, ..Lacking::default() });
        }
        let mut passed = Vec::new();
        let mut findings = Vec::new();
        let mut code = Code::ExternalMissing;
        let subjects: BTreeSet<&Nevra> =
            plan.changes.values().flat_map(|change| &change.enter).map(|listed| &listed.nevra).collect();
        for (name, said) in said {
            let words = match said {
                External::Pass(words) => {
                    passed.push(format!("`{name}` lets it pass: {words}"));
                    continue;
                }
                External::Fail(words) => {
                    code = Code::ExternalFailed;
                    format!("`{name}` does not let it pass: {words}")
                }
                External::Unusable(words) => {
                    code = if code == Code::ExternalFailed { code } else { Code::ExternalUnusable };
                    format!("`{name}` cannot be heard: {words}")
                }
                External::Missing(words) => format!("`{name}` has not said yet: {words}"),
            };
            let subjects = subjects.iter().map(|nevra| (*nevra).clone()).collect();
            findings.push(Finding { stage: None, subjects, words });
        }
        if is_rehearsal && code == Code::ExternalMissing && !findings.is_empty() {
            let said: Vec<String> = findings.into_iter().map(|finding| finding.words).collect();
            let evidence = [passed, said].concat().join("; ");
            self.seen.push(GateSeen { gate: "external".to_owned(), verdict: Verdict::Fail, evidence });
            return;
        }
        self.judge("external", findings, passed.join("; "), |open| {
            let sentence = match open {
                [one] => one.clone(),
                several => format!("{} external gates do not let the plan pass", several.len()),
            };
            Refusal::new(code, sentence)
                .hint("`dry_run = true` tells the plan and its hash, by which they judge; or let somebody answer for it with `sluice waive`")
        });
    }
}
