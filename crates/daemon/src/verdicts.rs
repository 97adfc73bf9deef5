//! What was found out about the signatures of packages, remembered for as long as it holds.
//!
//! A request that waits is decided again and again, and a package of some GiB takes seconds to hash. What is found is
//! a function of the package's bytes, the certificates and the time; so it is kept by digest, for one set of
//! certificates, and from the instant it was found to the next one at which it may be something else. Nothing is
//! written down: a daemon that starts has found out nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use nevra::Sha256;
use plan::{Payload, Signed};
use signatures::Certificate;

use crate::reading::Judged;

/// How many packages are remembered: more than any one request names, a few MiB.
const PACKAGES_MAX: usize = 20_000;

/// What was found out, by one set of certificates.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    certificates: Vec<Arc<Certificate>>,
    found: BTreeMap<Sha256, Found>,
}

#[derive(Debug)]
struct Found {
    at: Timestamp,
    judged: Judged,
}

impl Verdicts {
    /// Begins to ask by `certificates`; what was found by others is forgotten.
    pub(crate) fn begin(&mut self, certificates: &[Arc<Certificate>]) {
        if self.certificates != certificates {
            self.found.clear();
            self.certificates = certificates.to_vec();
        }
    }

    /// Gives what a package's signatures are at `now`, if that is known.
    pub(crate) fn of(&self, package: &Sha256, now: Timestamp) -> Option<&Signed> {
        let Found { at, judged } = self.found.get(package)?;
        let holds = *at <= now && judged.until.is_none_or(|until| now < until);
        holds.then_some(&judged.signed)
    }

    /// Remembers what was found at `at`, if it is good, and gives it back.
    pub(crate) fn remember(&mut self, package: Sha256, at: Timestamp, judged: Judged) -> Signed {
        if self.found.len() >= PACKAGES_MAX {
            self.found.clear();
        }
        let signed = judged.signed.clone();
        // What does not fit may be the disk's fault: it is read again when somebody asks again.
        if judged.signed.payload == Payload::Whole && judged.signed.signatures.iter().all(Result::is_ok) {
            self.found.insert(package, Found { at, judged });
        }
        signed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn judged(until: Option<i64>) -> Judged {
        Judged { signed: Signed { payload: Payload::Whole, signatures: Vec::new() }, until: until.map(at) }
    }

    #[test]
    fn what_was_found_holds_from_when_it_was_found_until_time_may_have_changed_it() {
        let mut verdicts = Verdicts::default();
        let (ending, lasting) = (Sha256::from([1; 32]), Sha256::from([2; 32]));
        verdicts.remember(ending, at(10), judged(Some(20)));
        verdicts.remember(lasting, at(10), judged(None));
        let known = |package, now| verdicts.of(package, at(now)).is_some();
        assert_eq!([9, 10, 19, 20, 21].map(|now| known(&ending, now)), [false, true, true, false, false]);
        assert_eq!([9, 10, 1_000_000].map(|now| known(&lasting, now)), [false, true, true]);
        assert!(!known(&Sha256::from([3; 32]), 15));
    }

    #[test]
    fn other_certificates_make_all_be_asked_again_and_memory_is_bounded() {
        let read = || {
            let bytes = include_bytes!("../../signatures/src/samples/packages.asc");
            Arc::new(Certificate::parse(bytes).unwrap())
        };
        let mut verdicts = Verdicts::default();
        let package = Sha256::from([1; 32]);
        for (certificates, known) in [
            (vec![], false),
            (vec![], true),
            (vec![read()], false),
            (vec![read()], true),
            (vec![read(), read()], false),
        ] {
            verdicts.begin(&certificates);
            assert_eq!(verdicts.of(&package, at(10)).is_some(), known);
            verdicts.remember(package, at(10), judged(None));
        }
        for number in 0..=PACKAGES_MAX {
            let mut bytes = [9; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            verdicts.remember(Sha256::from(bytes), at(10), judged(None));
            assert!(verdicts.found.len() <= PACKAGES_MAX);
        }
    }
}
