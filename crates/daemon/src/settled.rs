//! Which ids were settled, and how: so that no request is carried out twice.

use std::collections::BTreeMap;

use nevra::Sha256;
use plan::{Answer, Outcome};

/// What was settled so far, from the manifests and the audit log.
#[derive(Debug, Default)]
pub struct SettledIds {
    by_id: BTreeMap<(String, String), First>,
    by_claim: BTreeMap<String, Answer>,
    /// By the digest of a claim name, for there may be a million: the generation that holds its effect, if it has one.
    places: BTreeMap<u64, Option<u64>>,
}

/// How an id was settled the first time.
#[derive(Clone, Debug)]
pub struct First {
    /// The digest of the request's bytes.
    pub digest: Sha256,
    /// The answer it got.
    pub answer: Answer,
}

impl SettledIds {
    /// Records that `answer` was given; the first answer to an id stays.
    pub fn record(&mut self, answer: &Answer) {
        let place = answer.generation.filter(|_| answer.outcome == Outcome::Done);
        self.places.entry(key(&answer.claim)).or_insert(place);
        let first = First { digest: answer.request_digest, answer: answer.clone() };
        // An id of the requester's own can come again; a claim name cannot, so it need not be remembered twice.
        if answer.id != answer.claim {
            self.by_id.entry((answer.owner.clone(), answer.id.clone())).or_insert(first);
        }
    }

    /// Lists the first answers given for `id`, whoever asked.
    pub fn bearing(&self, id: &str) -> impl Iterator<Item = &Answer> {
        let bears = move |((_, one), _): &(&(String, String), &First)| one == id;
        self.by_id.iter().filter(bears).map(|(_, first)| &first.answer)
    }

    /// Tells where the answer to a claim is on record: in a generation, or in the audit log alone; `None` if none is.
    pub fn place(&self, claim: &str) -> Option<Option<u64>> {
        self.places.get(&key(claim)).copied()
    }

    /// Records an answer whose file may not be written yet, until [`SettledIds::is_written`].
    pub fn record_unwritten(&mut self, answer: &Answer) {
        self.record(answer);
        // The manifests are read first: what took effect is the truth, whatever the audit log was going to say.
        self.by_claim.entry(answer.claim.clone()).or_insert_with(|| answer.clone());
    }

    /// Finds the first answer given to `owner` for `id`.
    pub fn first(&self, owner: &str, id: &str) -> Option<&First> {
        self.by_id.get(&(owner.to_owned(), id.to_owned()))
    }

    /// Finds the recorded answer of a claim that is still in `processing/`.
    pub fn unwritten(&self, claim: &str) -> Option<&Answer> {
        self.by_claim.get(claim)
    }

    /// Forgets the answer of a claim for writing: its file is there.
    pub fn is_written(&mut self, claim: &str) {
        self.by_claim.remove(claim);
    }

    /// Forgets all answers kept for writing; called when every claim an earlier run left was looked at.
    pub fn written(&mut self) {
        self.by_claim.clear();
    }
}

/// The first eight bytes of the digest of a claim name.
fn key(claim: &str) -> u64 {
    let digest = repo::sha256(claim.as_bytes());
    let (first, _) = digest.as_bytes().split_at(8);
    first.iter().fold(0, |key, byte| key << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_of_every_claim_where_its_answer_is_on_record() {
        let answer = |claim: &str, outcome: &str, generation: Option<u64>| -> Answer {
            let digest = repo::sha256(b"request");
            serde_json::from_value(serde_json::json!({
                "format": 1, "claim": claim, "id": claim, "owner": "user:ann", "request_digest": digest,
                "action": "promote", "outcome": outcome, "code": "done", "exit": 0, "sentence": "",
                "generation": generation,
            }))
            .expect("it is an answer")
        };
        let mut settled = SettledIds::default();
        settled.record(&answer("done", "done", Some(7)));
        settled.record(&answer("refused", "refused", None));
        // It was not published by what only speaks of a generation.
        settled.record(&answer("planned", "planned", Some(7)));
        settled.record(&answer("done", "refused", None));
        let places = ["done", "refused", "planned", "nobody"].map(|claim| settled.place(claim));
        assert_eq!(places, [Some(Some(7)), Some(None), Some(None), None]);
    }
}
