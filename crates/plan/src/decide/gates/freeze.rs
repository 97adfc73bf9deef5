//! Whether a stage is frozen: by a request, by a file in the control directory, by the calendar.

use super::{Entering, Finding, Gates};
use crate::layout::FreezeTime;
use crate::refusal::{Code, Refusal};
use crate::standing::Freeze;
use crate::world::World;

impl Gates<'_> {
    /// Looks whether anything keeps packages from entering or leaving the stages.
    pub(in crate::decide) fn freeze(
        &mut self,
        world: &World,
        product: &str,
        stages: &[&str],
        moving: &Entering,
    ) {
        let subjects: Vec<_> = moving.values().flatten().map(|listed| listed.nevra.clone()).collect();
        let mut findings = Vec::new();
        for stage in stages {
            let found =
                |words| Finding { stage: Some((*stage).to_owned()), subjects: subjects.clone(), words };
            findings.extend(reasons(world, product, stage).into_iter().map(found));
        }
        let what = stages.iter().map(|stage| format!("`{stage}`")).collect::<Vec<_>>().join(" and ");
        let passed = format!("nothing freezes {what} of `{product}`");
        self.judge("freeze", findings, passed, |_| {
            let refusal = Refusal::new(Code::Frozen, format!("{what} of `{product}` may not change now"));
            refusal
                .hint("wait, end the freeze (`sluice thaw`), or let somebody answer for it (`sluice waive`)")
        });
    }
}

/// Lists what freezes a stage.
fn reasons(world: &World, product: &str, stage: &str) -> Vec<String> {
    let freezes = world.standing.freezes.values().chain(&world.freeze_files);
    let asked = freezes.filter(|freeze| freeze.is_for(product, stage) && freeze.is_in_force(world));
    let planned = world.layout.freezes.iter().filter(|time| time.is_for(product, stage));
    // A jump of the clock opens no gate: both clocks must say that the time is over, or has not come.
    let instants = [world.now, world.proven()];
    let planned = planned.filter(|time| instants.iter().any(|instant| time.span.holds(*instant)));
    asked.map(Freeze::evidence).chain(planned.map(FreezeTime::evidence)).collect()
}
