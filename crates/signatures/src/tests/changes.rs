//! Until when a verdict holds.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sequoia_openpgp::types::{HashAlgorithm, ReasonForRevocation, SignatureType};

use super::DATA;
use super::keys::{DAY, Maker, YEAR, at};
use crate::{Certificate, Detached, Verdict};

fn judged(certificate: &Certificate, signature: &[u8], now: Timestamp) -> (Vec<Verdict>, Option<Timestamp>) {
    let mut detached = Detached::of(signature);
    detached.update(DATA);
    let until = detached.changes_after(&[certificate], now);
    (detached.judge(&[certificate], now), until)
}

/// Walks from instant to instant and looks between them, just before each and far beyond the last.
fn walk(certificate: &Certificate, signature: &[u8]) -> Vec<Vec<Verdict>> {
    let mut random = fastrand::Rng::with_seed(9);
    let mut now: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let mut all = Vec::new();
    loop {
        let (verdicts, until) = judged(certificate, signature, now);
        let end = until.unwrap_or("2090-01-01T00:00:00Z".parse().unwrap());
        let span = end.duration_since(now).as_millis();
        let inside = (0..8).map(|_| SignedDuration::from_millis(random.i64(0..i64::try_from(span).unwrap())));
        let last = end.duration_since(now) - SignedDuration::from_millis(1);
        for later in inside.chain([last]) {
            let (found, same) = judged(certificate, signature, now + later);
            assert_eq!((&found, same), (&verdicts, until), "judged at {now} and {later} later");
        }
        all.push(verdicts);
        match until {
            Some(until) => now = until,
            None => return all,
        }
    }
}

#[test]
fn a_verdict_holds_until_the_instant_that_is_told_with_it() {
    let expiring = Maker::expiring(30);
    let mut extended = Maker::expiring(30);
    extended.extend(50, YEAR);
    let subkey = Maker::with_subkey(Some(Duration::from_secs(10 * DAY)));
    let mut revoked = Maker::with_subkey(Some(Duration::from_secs(90 * DAY)));
    revoked.revoke(ReasonForRevocation::KeyRetired, 20);
    let mut part = Maker::with_subkey(Some(Duration::from_secs(90 * DAY)));
    part.revoke_subkey(ReasonForRevocation::KeySuperseded, 20);
    let young = Maker::made_on(9);
    let weak = Maker::bound_by(HashAlgorithm::SHA1);
    let cases = [
        (&expiring, expiring.sign(DATA, 1)),
        (&expiring, expiring.sign_until(DATA, 1, Duration::from_secs(DAY))),
        (&expiring, expiring.sign(b"other bytes", 1)),
        (&expiring, expiring.sign_as(DATA, 1, HashAlgorithm::SHA1, SignatureType::Binary)),
        (&extended, extended.sign(DATA, 1)),
        (&extended, extended.sign(DATA, 40)),
        (&extended, extended.sign(DATA, 60)),
        (&subkey, subkey.sign_by_subkey(DATA, 1)),
        (&revoked, revoked.sign(DATA, 1)),
        (&revoked, revoked.sign_by_subkey(DATA, 30)),
        (&part, part.sign_by_subkey(DATA, 1)),
        (&young, young.sign_before_its_time(DATA, 1)),
        (&young, young.sign(DATA, 9)),
        (&weak, weak.sign(DATA, 1)),
        (&expiring, subkey.sign(DATA, 1)),
        (&expiring, b"hello".to_vec()),
    ];
    let mut changes = 0;
    for (maker, signature) in cases {
        let all = walk(&maker.certificate(), &signature);
        changes += all.windows(2).filter(|pair| pair[0] != pair[1]).count();
    }
    // What never changes would hold whatever is told.
    assert!(changes >= 20, "{changes}");
}

#[test]
fn a_good_verdict_ends_with_the_key_and_one_by_no_known_key_never() {
    let maker = Maker::expiring(30);
    let (verdicts, until) = judged(&maker.certificate(), &maker.sign(DATA, 1), at(2));
    assert!(verdicts[0].is_ok(), "{verdicts:?}");
    assert_eq!(until, Some(at(30)));
    let (_, until) = judged(&maker.certificate(), &maker.sign(DATA, 1), at(31));
    assert_eq!(until, None);
}
