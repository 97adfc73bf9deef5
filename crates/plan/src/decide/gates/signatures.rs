//! Whether what enters is signed by a key that the stage takes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Entering, Finding, Gates};
use crate::refusal::{Code, Refusal};
use crate::world::World;

impl Gates<'_> {
    /// Looks whether every package that enters is signed as the stage demands, now: header and payload are vouched for,
    /// and every signature counts and is by a key of the stage. Hosts refuse a package if one of its signatures is by a
    /// key they do not have, so one good signature beside another is not enough.
    ///
    /// What was not looked at yet is noted as lacking.
    pub(in crate::decide) fn signatures(
        &mut self,
        world: &World,
        product: &str,
        stage: &str,
        entering: &Entering,
    ) {
        let Some(signers) = world.signers.get(&(product.to_owned(), stage.to_owned())) else { return };
        let mut lacking = BTreeSet::new();
        let mut found: Vec<(Code, Finding)> = Vec::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for listed in entering.values().flatten().filter(|listed| seen.insert(listed.pkgid)) {
            let judged = match world.signatures.get(&listed.pkgid) {
                None => {
                    lacking.insert(listed.pkgid);
                    continue;
                }
                Some(Err(why)) => {
                    Err((Code::SignaturesUnread, format!("its signatures cannot be read: {why}")))
                }
                Some(Ok(signed)) => signed.signers(signers, world.now.max(world.witnessed)),
            };
            match judged {
                Ok(names) => names.into_iter().for_each(|name| *counts.entry(name).or_default() += 1),
                Err((code, words)) => {
                    found.push((code, Finding::of(&listed.nevra, format!("`{}`: {words}", listed.nevra))));
                }
            }
        }
        if !lacking.is_empty() {
            self.lacking.signatures.extend(lacking);
            return;
        }
        let by = counts.iter().map(|(name, count)| format!("{count} by `{name}`")).collect::<Vec<_>>();
        let passed = match by.as_slice() {
            [] => "nothing enters that would have to be signed".to_owned(),
            by => format!("all {} that enter are signed: {}", seen.len(), by.join(", ")),
        };
        let code = found.first().map_or(Code::Unsigned, |(code, _)| *code);
        let findings = found.into_iter().map(|(_, finding)| finding).collect();
        let names: Vec<String> = signers.iter().map(|signer| format!("`{}`", signer.name)).collect();
        self.judge("signatures", findings, passed, |open| {
            let sentence = match open {
                [one] => one.clone(),
                several => format!("{} of the packages are not signed as the stage demands", several.len()),
            };
            let hint = format!(
                "`{stage}` of `{product}` takes what is signed by {}: sign it and hand it in again; `sluice keys` \
                 tells how they stand",
                names.join(" or ")
            );
            Refusal::new(code, sentence).hint(hint)
        });
    }
}

#[cfg(test)]
mod tests;
