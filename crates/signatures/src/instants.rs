//! The instants at which judging again may find something else.
//!
//! All that is asked of a certificate and of a signature with respect to time compares `now` with a date one of them
//! states, or that follows from two of these. Between two such instants every answer stays what it is; so all of them
//! are gathered, also those that turn out to change nothing, and nobody has to know which rule reads which date.

use std::time::SystemTime;

use jiff::Timestamp;
use sequoia_openpgp::packet::Signature;
use sequoia_openpgp::{Cert, Packet};

use crate::policy;

/// Lists the instants of a certificate: its keys begin, every signature of it begins and ends, and every span that one
/// of them gives to a key ends, whichever key that is.
pub(crate) fn of_certificate(cert: &Cert) -> Vec<Timestamp> {
    let mut keys = Vec::new();
    let mut signatures = Vec::new();
    for packet in cert.clone().into_packets() {
        match packet {
            Packet::PublicKey(key) => keys.push(key.creation_time()),
            Packet::PublicSubkey(key) => keys.push(key.creation_time()),
            Packet::Signature(signature) => signatures.push(signature),
            _ => {}
        }
    }
    let embedded: Vec<Signature> =
        signatures.iter().flat_map(|signature| signature.embedded_signatures().cloned()).collect();
    signatures.extend(embedded);
    let mut instants: Vec<SystemTime> = keys.clone();
    for signature in &signatures {
        instants.extend(begins_and_ends(signature));
        if let Some(span) = signature.key_validity_period() {
            instants.extend(keys.iter().filter_map(|key| key.checked_add(span)));
        }
    }
    instants.into_iter().map(policy::timestamp).collect()
}

/// Lists the instants of a signature by itself.
pub(crate) fn of_signature(signature: &Signature) -> Vec<Timestamp> {
    begins_and_ends(signature).map(policy::timestamp).collect()
}

fn begins_and_ends(signature: &Signature) -> impl Iterator<Item = SystemTime> {
    let begins = signature.signature_creation_time();
    let ends = begins.zip(signature.signature_validity_period());
    [begins, ends.and_then(|(begins, span)| begins.checked_add(span))].into_iter().flatten()
}
