//! Whether what enters is signed by a key that the stage takes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Entering, Finding, Gates};
use crate::package_signatures::{FlawKind, Payload, Signed, Signer};
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
                Some(Ok(signed)) => who_signed(signed, signers, world.now.max(world.witnessed)),
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

/// Names the keys that signed a package, if every signature counts and all of the package is vouched for.
fn who_signed<'a>(
    signed: &Signed,
    signers: &'a [Signer],
    now: Timestamp,
) -> Result<BTreeSet<&'a str>, (Code, String)> {
    if let Payload::Tampered(words) = &signed.payload {
        return Err((Code::PayloadTampered, words.clone()));
    }
    // The worst is told.
    let flaws = signed.signatures.iter().filter_map(|signature| signature.as_ref().err());
    if let Some(flaw) = flaws.max_by_key(|flaw| flaw.kind) {
        return Err((code_of(flaw.kind), format!("its signature does not count: {}", flaw.words)));
    }
    let mut names = BTreeSet::new();
    for fingerprint in signed.signatures.iter().flatten() {
        let Some(signer) = signers.iter().find(|signer| signer.fingerprint == *fingerprint) else {
            let words = format!("it is signed by key `{fingerprint}`, which the stage does not take");
            return Err((Code::SignerNotAllowed, words));
        };
        if !signer.counts_at(now) {
            let words = match (signer.from, signer.until) {
                (Some(from), _) if from > now => format!("which counts from {from} on"),
                (_, until) => format!("which counted until {}", until.unwrap_or_default()),
            };
            return Err((Code::SignerNotAllowed, format!("it is signed by `{}`, {words}", signer.name)));
        }
        names.insert(signer.name.as_str());
    }
    if names.is_empty() {
        return Err((Code::Unsigned, "it is not signed".to_owned()));
    }
    match &signed.payload {
        Payload::NoDigest(words) => {
            Err((Code::DigestMissing, format!("its signature does not vouch for all of it: {words}")))
        }
        Payload::Whole | Payload::Tampered(_) => Ok(names),
    }
}

fn code_of(kind: FlawKind) -> Code {
    match kind {
        FlawKind::UnknownKey => Code::SignerUnknown,
        FlawKind::Expired => Code::SignerExpired,
        FlawKind::Revoked => Code::SignerRevoked,
        FlawKind::WeakKey => Code::SignerWeak,
        FlawKind::WeakDigest => Code::SignatureWeak,
        FlawKind::Bad => Code::SignatureBad,
    }
}

#[cfg(test)]
mod tests;
