//! I14, I15, I17 and I21: every request in one place, settled once, and on record.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use nevra::Sha256;
use plan::{Answer, Outcome};
use store::Kind;

use super::{Chain, Look};
use crate::audit::Records;

/// The end of an answer's file name.
const ANSWER: &str = ".answer.json";

impl Look<'_> {
    /// Looks at the control directory.
    pub(super) fn requests(&mut self, spool: &Utf8Path, chain: &Chain) {
        let applied = self.applied(chain);
        let mut places = BTreeMap::<String, Vec<&str>>::new();
        for place in ["processing", "done", "failed"] {
            let directory = spool.join(place);
            let names = match self.disk.list(&directory) {
                Ok(names) => names.names,
                Err(error) => {
                    self.broken("I14", directory, error.to_string());
                    continue;
                }
            };
            let all: BTreeSet<&String> = names.iter().collect();
            for name in &names {
                if let Some(claim) = name.strip_suffix(ANSWER) {
                    self.answer(&directory.join(name), place, claim, &applied);
                } else if name.starts_with('.') || place == "processing" && name.ends_with(".claim.json") {
                    // The daemon's own notes on a claim, and answers being written; they go with it.
                    if self.quiet() {
                        self.broken("I14", directory.join(name), "no request is being processed");
                    }
                } else {
                    places.entry(name.clone()).or_default().push(place);
                    if place != "processing" && !all.contains(&format!("{}{ANSWER}", stem(name))) {
                        self.broken("I14", directory.join(name), "it was settled without an answer");
                    }
                    if place == "processing" && self.quiet() {
                        self.broken("I14", directory.join(name), "it waits");
                    }
                }
            }
        }
        for (name, places) in places.iter().filter(|(_, places)| places.len() > 1) {
            self.broken("I14", spool.join(name), format!("it is in {}", places.join(" and ")));
        }
    }

    /// The claims that took effect, each in one generation only; ids, too, are settled once.
    fn applied(&mut self, chain: &Chain) -> BTreeMap<String, u64> {
        let mut claims = BTreeMap::new();
        let mut ids = BTreeMap::new();
        for (number, account) in &chain.accounts {
            for settled in &account.requests {
                let answer = &settled.answer;
                if let Some(before) = claims.insert(answer.claim.clone(), *number) {
                    let words = format!("{} took effect in {before} and {number}", answer.claim);
                    self.broken("I15", self.root.join("generations"), words);
                }
                if let Some(before) = ids.insert((answer.owner.clone(), answer.id.clone()), *number) {
                    let words = format!("the id `{}` took effect in {before} and {number}", answer.id);
                    self.broken("I15", self.root.join("generations"), words);
                }
            }
        }
        claims
    }

    fn answer(&mut self, path: &Utf8Path, place: &str, claim: &str, applied: &BTreeMap<String, u64>) {
        let answer =
            self.read(path).and_then(|bytes| Answer::from_json(&bytes).map_err(|error| error.to_string()));
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.broken("I16", path, error),
        };
        let fits = match place {
            "done" => answer.outcome != Outcome::Refused,
            "failed" => answer.outcome == Outcome::Refused,
            _ => false,
        };
        if !fits {
            self.broken("I14", path, format!("an answer `{}` in {place}", answer.code));
        }
        if stem(&answer.claim) != claim {
            self.broken("I14", path, format!("it answers {}", answer.claim));
        }
        let generation = applied.get(&answer.claim).copied();
        match (answer.outcome, generation) {
            // An answer given again, to the same id, names the generation of the first.
            (Outcome::Done, None)
                if answer
                    .generation
                    .is_some_and(|number| self.is_first_elsewhere(&answer, number, applied)) => {}
            (Outcome::Done, number) if number == answer.generation && number.is_some() => {}
            (Outcome::Done, _) => {
                self.broken(
                    "I15",
                    path,
                    format!("it says done in {:?}, the manifests say {generation:?}", answer.generation),
                );
            }
            (_, Some(number)) => self.broken("I17", path, format!("it took effect in {number} all the same")),
            (_, None) => {}
        }
    }

    /// Whether another claim of the same id took effect in that generation.
    fn is_first_elsewhere(&self, answer: &Answer, number: u64, applied: &BTreeMap<String, u64>) -> bool {
        answer.id != answer.claim && applied.values().any(|generation| *generation == number)
    }

    /// The chain of the audit log verifies, up to a torn tail; it knows every generation but perhaps the newest, and
    /// every line that a manifest names.
    pub(super) fn audit(&mut self, chain: &Chain) {
        let dir = self.root.join("audit");
        for name in self.names("audit") {
            let path = dir.join(&name);
            if self.disk.state(&path).ok().flatten().is_none_or(|state| state.kind != Kind::File) {
                self.broken("I22", path, "the audit log is files only");
                return;
            }
        }
        let mut heads: BTreeMap<u64, Sha256> = chain
            .accounts
            .iter()
            .filter_map(|(number, account)| account.audit.map(|head| (*number, head)))
            .collect();
        let mut recorded = BTreeSet::new();
        let mut found = Vec::new();
        let read = Records::read(self.disk, &dir).and_then(|mut records| {
            records.want(heads.values().copied().collect());
            for record in &mut records {
                let record = record?;
                if let Some((number, manifest)) = record.generation.zip(record.manifest) {
                    recorded.insert(number);
                    if chain.digests.get(&number).is_some_and(|digest| *digest != manifest) {
                        found
                            .push((dir.clone(), format!("it names another manifest of generation {number}")));
                    }
                }
                // That these are lost was found, and is on record.
                record.lost.iter().for_each(|number| {
                    heads.remove(number);
                });
            }
            let flaws = records.flaws().iter().cloned();
            found.extend(flaws.map(|flaw| (flaw.path, format!("line {}: {}", flaw.line, flaw.words))));
            heads.retain(|_, head| records.missing().contains(head));
            Ok(())
        });
        if let Err(error) = read {
            return self.broken("I21", dir, error.to_string());
        }
        for (place, words) in found {
            self.broken("I21", place, words);
        }
        for number in heads.into_keys() {
            let words = format!("lines are missing: generation {number} names one that is not there");
            self.broken("I21", dir.clone(), words);
        }
        for number in chain.accounts.keys().filter(|number| !recorded.contains(*number)) {
            if self.quiet() || *number != chain.current {
                self.broken("I21", dir.clone(), format!("generation {number} is not in the audit log"));
            }
        }
    }
}

/// A claim name without its ending, as answers are named.
fn stem(claim: &str) -> &str {
    claim.strip_suffix(".toml").or_else(|| claim.strip_suffix(".json")).unwrap_or(claim)
}
