//! What becomes of requests that could not be published together.

use plan::{Code, Refusal};

use super::{Engine, Step};
use crate::answers;
use crate::error::Error;
use crate::line::Verdict;
use crate::waiting::Waiting;

impl Engine {
    /// Decides what becomes of requests that could not be published together.
    ///
    /// Several are tried one at a time from now on. One that fails alone, on a disk that is well, can never be
    /// carried out: it is refused, so that its neighbours are not held up for ever.
    pub(super) fn give_up(
        &mut self,
        mut waiting: Vec<Waiting>,
        verdicts: &[Verdict],
        error: Error,
        step: &mut Step,
    ) -> Result<(), Error> {
        let is_effect = |verdict: &&Verdict| matches!(verdict, Verdict::Effect(_));
        let effects = verdicts.iter().filter(is_effect).count();
        let culprit = verdicts.iter().position(|verdict| is_effect(&verdict));
        self.alone = effects > 1;
        let Some(culprit) = culprit.filter(|_| effects == 1) else {
            self.waiting = waiting;
            return Err(error);
        };
        if error.is_of_the_disk() || matches!(error, Error::NotSigned { .. }) {
            // It goes to the end, so that one that is too large for the disk does not keep the small ones.
            let culprit = waiting.remove(culprit);
            waiting.push(culprit);
            self.alone = waiting.len() > 1;
            self.waiting = waiting;
            return Err(error);
        }
        tracing::error!("a request is refused that cannot be carried out: {error}");
        let culprit = waiting.remove(culprit);
        self.waiting = waiting;
        let refusal = match error.is_damage() {
            true => {
                let sentence = format!("what is published is not as it was, nothing was changed: {error}");
                Refusal::new(Code::NeedsPerson, sentence)
                    .hint("`sluice verify` names everything that is damaged")
            }
            false => {
                let sentence = format!("it cannot be carried out, nothing was changed: {error}");
                Refusal::new(Code::Internal, sentence)
            }
        };
        let answer = answers::refused(&culprit.claimed, &culprit.asker, Some(&culprit.request), refusal);
        self.answer_all(vec![(culprit, answer)], step)
    }
}
