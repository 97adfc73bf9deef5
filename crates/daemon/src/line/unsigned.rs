//! Which requests wait while nobody signs: those that write metadata which is to be signed, and no others.

use plan::Plan;

use super::Line;

impl Line<'_> {
    /// Whether a plan writes metadata that is to be signed while the signer is left alone.
    pub(super) fn waits_for_a_signature(&mut self, plan: &Plan) -> bool {
        let Some(resting) = self.engine.signing.rests_at(self.now) else { return false };
        let mut written = plan.changes.keys().chain(plan.adopted.keys());
        let mut whole = plan.new_repositories.iter().chain(&plan.rewritten).chain(&plan.views);
        let config = &self.engine.config;
        let needs_one = written.any(|repository| config.signs(repository))
            || whole.any(|repository| config.signs(repository))
            || plan.renews && !config.metadata_signed_by.is_empty();
        if needs_one {
            self.unsigned = Some((resting.until, resting.words()));
        }
        needs_one
    }
}
