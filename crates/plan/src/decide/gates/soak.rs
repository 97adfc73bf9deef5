//! Whether packages were long enough in the stage they leave.

use jiff::SignedDuration;

use super::{Entering, Finding, Gates};
use crate::refusal::{Code, Refusal};
use crate::world::World;

impl Gates<'_> {
    /// Looks whether everything that leaves a stage for the next was there for as long as the route wants. Only time
    /// that was witnessed counts.
    pub(in crate::decide) fn soak(&mut self, world: &World, soak: SignedDuration, leaving: &Entering) {
        if soak.is_zero() {
            return;
        }
        let hours = |time: SignedDuration| format!("{}h {}m", time.as_hours(), time.as_mins() % 60);
        let mut findings = Vec::new();
        for (repository, packages) in leaving {
            let Some(entered) = world.entered.get(repository) else {
                // Nobody looked, or nobody could.
                let words = format!("when packages entered `{repository}` is not known");
                let subjects = packages.iter().map(|listed| listed.nevra.clone()).collect();
                findings.push(Finding { stage: None, subjects, words });
                continue;
            };
            for listed in packages {
                let here = world.entered_here.get(repository).and_then(|here| here.get(&listed.pkgid));
                let Some(since) = here.or_else(|| entered.get(&listed.pkgid)) else { continue };
                let been = world.proven().duration_since(*since).max(SignedDuration::ZERO);
                if been < soak {
                    let words = format!(
                        "`{}` has been in `{repository}` for {} of {}",
                        listed.nevra,
                        hours(been),
                        hours(soak)
                    );
                    findings.push(Finding::of(&listed.nevra, words));
                }
            }
        }
        let passed = format!("everything has been in its stage for {} at least", hours(soak));
        self.judge("soak", findings, passed, |open| {
            let sentence = match open {
                [one] => one.clone(),
                several => format!("in {} cases the time in the stage is not over", several.len()),
            };
            Refusal::new(Code::Soaking, sentence)
                .hint("wait, or let somebody answer for it with `sluice waive`; time nobody witnessed does not count")
        });
    }
}
