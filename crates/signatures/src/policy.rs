//! Which algorithms count. The dates in sequoia's own table are not used: what counts today counts until this file is
//! changed.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use sequoia_openpgp::crypto::mpi::PublicKey;
use sequoia_openpgp::packet::Key;
use sequoia_openpgp::packet::key::{PublicParts, UnspecifiedRole};
use sequoia_openpgp::policy::{AsymmetricAlgorithm, StandardPolicy};
use sequoia_openpgp::types::{Curve, HashAlgorithm};

/// RSA and DSA keys below this can be broken, or soon.
const BITS_MIN: usize = 2048;

/// Digests for which two messages, or soon a second one, can be found.
const WEAK: [HashAlgorithm; 3] = [HashAlgorithm::MD5, HashAlgorithm::SHA1, HashAlgorithm::RipeMD];

/// Gives the policy for signatures that make something count.
pub(crate) fn strict(now: Timestamp) -> StandardPolicy<'static> {
    let mut policy = StandardPolicy::at(system_time(now));
    for hash in WEAK {
        policy.reject_hash(hash);
    }
    // DSA is no worse for its age; its size is looked at by `short_key`.
    policy.accept_asymmetric_algo(AsymmetricAlgorithm::DSA2048);
    policy.accept_asymmetric_algo(AsymmetricAlgorithm::DSA3072);
    policy.accept_asymmetric_algo(AsymmetricAlgorithm::DSA4096);
    policy
}

/// Gives the policy for revocations, which end something: a weak digest is no reason to go on trusting.
pub(crate) fn lenient(now: Timestamp) -> StandardPolicy<'static> {
    let mut policy = strict(now);
    for hash in WEAK {
        policy.accept_hash(hash);
    }
    policy
}

pub(crate) fn is_weak(hash: HashAlgorithm) -> bool {
    WEAK.contains(&hash)
}

/// Says in words that a key is too short, if it is.
pub(crate) fn short_key(key: &Key<PublicParts, UnspecifiedRole>) -> Option<String> {
    let bits = bits(key);
    match key.mpis() {
        PublicKey::RSA { .. } | PublicKey::DSA { .. } if bits < BITS_MIN => {
            Some(format!("an {} key of {bits} bits, {BITS_MIN} are wanted", key.pk_algo()))
        }
        _ => None,
    }
}

/// Counts the bits of a key as people speak of them.
pub(crate) fn bits(key: &Key<PublicParts, UnspecifiedRole>) -> usize {
    match key.mpis() {
        PublicKey::EdDSA { curve, .. } | PublicKey::ECDSA { curve, .. } | PublicKey::ECDH { curve, .. } => {
            match curve {
                Curve::Ed25519 | Curve::Cv25519 => 256,
                curve => curve.bits().unwrap_or_default(),
            }
        }
        PublicKey::Ed25519 { .. } | PublicKey::X25519 { .. } => 256,
        PublicKey::Ed448 { .. } | PublicKey::X448 { .. } => 448,
        other => other.bits().unwrap_or_default(),
    }
}

/// OpenPGP knows seconds since 1970.
pub(crate) fn system_time(time: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_second().try_into().unwrap_or_default())
}

pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX)
}
