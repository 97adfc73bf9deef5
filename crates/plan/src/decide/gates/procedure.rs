//! Whether a procedure runs a stage: then packages enter and leave it by its steps, so that patches and packages agree.

use super::{Entering, Finding, Gates};
use crate::layout::Product;
use crate::refusal::{Code, Refusal};

impl Gates<'_> {
    /// Looks whether packages that are moved by hand enter or leave a stage that a procedure runs.
    pub(in crate::decide) fn procedure(&mut self, product: &Product, stages: &[&str], moving: &Entering) {
        let Some(procedure) = &product.procedure else { return };
        let run = [procedure.rules.beta.as_str(), procedure.rules.production.as_str()];
        let found = stages.iter().filter(|stage| run.contains(stage)).map(|stage| Finding {
            stage: Some((*stage).to_owned()),
            subjects: moving.values().flatten().map(|listed| listed.nevra.clone()).collect(),
            words: format!("packages enter and leave `{stage}` by the steps of the procedure"),
        });
        let findings: Vec<Finding> = found.collect();
        if findings.is_empty() {
            return;
        }
        let name = &product.name;
        self.judge("procedure", findings, String::new(), |words| {
            let code = Code::Step(workflow::Code::RunByProcedure);
            let sentence = format!("a procedure runs `{name}`, and the request would move packages past it");
            let steps = match procedure.rules.procedure {
                workflow::Procedure::Glite => "`bundle-deploy`, `bundle-rollback`, `release-publish`",
                workflow::Procedure::Egi => "`ticket-deploy`, `ticket-accept`, `ticket-reject`",
            };
            let hint = format!("use its steps ({steps}), or let somebody answer for it (`sluice waive`)");
            Refusal::new(code, sentence).reasons(words.iter().cloned()).hint(hint)
        });
    }
}
