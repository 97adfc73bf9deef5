//! I5, its second half: what entered a stage that demands signed packages is signed by keys the stage took then.
//!
//! Every look compares the record of who signed what with the policy of the generation. A deep one reads the packages
//! and judges their signatures as of that generation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nevra::Sha256;
use plan::{FlawKind, Signed, Signer};
use signatures::Certificate;
use store::Paths;

use super::{Chain, Look};
use crate::config::Config;
use crate::dot_repo::KEY;
use crate::line::signers;
use crate::reading::{InProcess, PackageReader};

/// How long before a generation was made its requests may have been decided.
const DECIDED_BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// Who lets packages into each stage that demands signatures.
type Demanded = BTreeMap<(String, String), Vec<Signer>>;

/// Certificates by fingerprint, and by the generation that serves them.
type Served = BTreeMap<String, BTreeMap<u64, Arc<Certificate>>>;

impl Look<'_> {
    /// Judges every package that a kept generation lists, by the policy under which it entered.
    pub(super) fn package_signatures(&mut self, chain: &Chain) {
        let demanded = self.demanded(chain);
        let wanted = entered(chain, &demanded);
        if wanted.is_empty() {
            return;
        }
        let served = if self.is_deep { self.served(chain) } else { Served::new() };
        for (name, package, number) in wanted {
            if self.purged.contains(&package) {
                continue;
            }
            let (Some((created, policy)), Some(account)) =
                (chain.made.get(&number), chain.accounts.get(&number))
            else {
                continue;
            };
            let Some(shelved) = account.repositories.get(name) else { continue };
            let stage = (shelved.product.clone(), shelved.stage.clone());
            let Some(signers) = demanded.get(policy).and_then(|demanded| demanded.get(&stage)) else {
                continue;
            };
            let wrong = match account.signed.get(&package) {
                None => Some("nothing is on record of who signed it".to_owned()),
                Some(recorded) => not_allowed(recorded, signers, *created),
            };
            let wrong = match wrong {
                None if self.is_deep => {
                    let is_kept = chain.kept.contains_key(&number);
                    self.judge(&package, (number, *created, is_kept), signers, &served)
                }
                wrong => wrong,
            };
            if let Some(words) = wrong {
                let place = Paths::new(self.root).pool_file(&package);
                self.broken("I5", place, format!("{words}; it entered {name} in generation {number}"));
            }
        }
    }

    /// Who lets packages into stages by each policy under which something was made. What this program cannot read says
    /// nothing: an earlier one wrote it.
    fn demanded(&self, chain: &Chain) -> BTreeMap<Sha256, Demanded> {
        let policies: BTreeSet<Sha256> = chain.made.values().map(|(_, policy)| *policy).collect();
        let read = |policy: Sha256| {
            let bytes = self.read(&self.root.join(format!("policy/{policy}.toml"))).ok()?;
            let config = Config::parse(&bytes, "the policy").ok()?;
            Some((policy, signers(&config)))
        };
        policies.into_iter().filter_map(read).collect()
    }

    /// The certificates that kept generations serve.
    fn served(&self, chain: &Chain) -> Served {
        let mut served = Served::new();
        for generation in chain.kept.values() {
            let names = generation.files.public.keys().map(|path| path.as_str());
            for name in names.filter(|name| name.starts_with(KEY)) {
                let path = self.root.join(format!("public/@{}/{name}", generation.number));
                let Ok(bytes) = self.read(&path) else { continue };
                let Ok(certificate) = Certificate::parse(&bytes) else { continue };
                let fingerprint = certificate.fingerprint().to_string();
                served.entry(fingerprint).or_default().insert(generation.number, Arc::new(certificate));
            }
        }
        served
    }

    /// Reads a package and says what is wrong with its signatures as of the generation it entered with.
    fn judge(
        &self,
        package: &Sha256,
        (number, created, is_kept): (u64, Timestamp, bool),
        signers: &[Signer],
        served: &Served,
    ) -> Option<String> {
        let mut keys = Vec::new();
        for signer in signers {
            let there = served.get(&signer.fingerprint);
            // What was served later tells, too: it can only have been renewed or revoked since.
            let certificate = there.and_then(|there| match is_kept {
                true => there.get(&number),
                false => there.range(number..).next().map(|(_, certificate)| certificate),
            });
            match certificate {
                Some(certificate) => keys.push(Arc::clone(certificate)),
                // Its generation is kept no more, and nobody serves the key: nobody can tell.
                None if !is_kept => return None,
                None => {}
            }
        }
        let judge = |now: Timestamp| -> Result<Signed, String> {
            let path = Paths::new(self.root).pool_file(package);
            let mut file = self.disk.open(&path).map_err(|error| error.to_string())?;
            let judged = InProcess.judge(&path, &mut *file, &keys, now).map_err(|error| error.to_string())?;
            judged.map(|judged| judged.signed).map_err(|unfit| unfit.words)
        };
        let earlier = created.checked_sub(DECIDED_BEFORE).unwrap_or(created);
        let mut first = None;
        for now in [created, earlier] {
            let signed = match judge(now) {
                Ok(signed) => signed,
                Err(words) => return Some(words),
            };
            let flaws = signed.signatures.iter().filter_map(|signature| signature.as_ref().err());
            if !is_kept && flaws.into_iter().any(|flaw| flaw.kind == FlawKind::Revoked) {
                return None;
            }
            match signed.signers(signers, now) {
                Ok(_) => return None,
                Err((code, words)) => first = first.or(Some(format!("{words} ({})", code.as_str()))),
            }
        }
        first
    }
}

/// What is listed by a kept generation and entered where signatures were demanded: repository, package, and the
/// generation it entered with.
fn entered<'a>(chain: &'a Chain, demanded: &BTreeMap<Sha256, Demanded>) -> BTreeSet<(&'a str, Sha256, u64)> {
    let mut since = BTreeMap::<(&str, Sha256), u64>::new();
    let mut wanted = BTreeSet::new();
    for (number, account) in &chain.accounts {
        let demanded = chain.made.get(number).and_then(|(_, policy)| demanded.get(policy));
        for (name, moves) in &account.changes {
            for package in &moves.left {
                since.remove(&(name.as_str(), package.pkgid));
            }
            let stage = account.repositories.get(name).map(|at| (at.product.clone(), at.stage.clone()));
            let demands =
                stage.is_some_and(|stage| demanded.is_some_and(|demanded| demanded.contains_key(&stage)));
            if demands {
                since.extend(moves.entered.iter().map(|package| ((name.as_str(), package.pkgid), *number)));
            }
        }
        if chain.kept.contains_key(number) {
            wanted.extend(since.iter().map(|((name, package), number)| (*name, *package, *number)));
        }
    }
    wanted
}

/// Says who is on record and was not to let anything in.
fn not_allowed(recorded: &BTreeSet<String>, signers: &[Signer], created: Timestamp) -> Option<String> {
    let earlier = created.checked_sub(DECIDED_BEFORE).unwrap_or(created);
    let is_allowed = |fingerprint: &&String| {
        let mut those = signers.iter().filter(|signer| signer.fingerprint == **fingerprint);
        those.any(|signer| [created, earlier].into_iter().any(|now| signer.counts_at(now)))
    };
    if recorded.is_empty() {
        return Some("it is recorded as signed by nobody".to_owned());
    }
    let other = recorded.iter().find(|fingerprint| !is_allowed(fingerprint))?;
    Some(format!("it is recorded as signed by key `{other}`, which the stage did not take"))
}
