//! Keys for tests, made on the first day of 2026.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use sequoia_openpgp::Cert;
use sequoia_openpgp::cert::prelude::*;
use sequoia_openpgp::crypto::KeyPair;
use sequoia_openpgp::packet::key::{Key4, PrimaryRole, SecretParts, SubordinateRole};
use sequoia_openpgp::packet::signature::SignatureBuilder;
use sequoia_openpgp::packet::{Key, Packet, UserID};
use sequoia_openpgp::serialize::SerializeInto as _;
use sequoia_openpgp::types::{HashAlgorithm, KeyFlags, ReasonForRevocation, SignatureType};

use crate::Certificate;

pub(super) const DAY: u64 = 86400;
pub(super) const YEAR: u64 = 365 * DAY;

/// The first day, as a number of seconds.
const EPOCH: u64 = 1_767_225_600;

pub(super) fn day(day: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH + day * DAY)
}

pub(super) fn at(number: u64) -> Timestamp {
    day(number).try_into().unwrap()
}

/// A certificate and its secrets.
pub(super) struct Maker {
    cert: Cert,
    primary: Key<SecretParts, PrimaryRole>,
    subkey: Option<Key<SecretParts, SubordinateRole>>,
}

impl Maker {
    pub(super) fn new() -> Self {
        Self::made_on(0)
    }

    pub(super) fn made_on(number: u64) -> Self {
        let mut key = Key4::generate_ecc(true, sequoia_openpgp::types::Curve::Ed25519).unwrap();
        key.set_creation_time(day(number)).unwrap();
        Self::of(key.into(), None, HashAlgorithm::SHA512, number)
    }

    pub(super) fn rsa(bits: usize) -> Self {
        let mut key = Key4::generate_rsa(bits).unwrap();
        key.set_creation_time(day(0)).unwrap();
        Self::of(key.into(), None, HashAlgorithm::SHA512, 0)
    }

    pub(super) fn expiring(days: u64) -> Self {
        let mut key = Key4::generate_ecc(true, sequoia_openpgp::types::Curve::Ed25519).unwrap();
        key.set_creation_time(day(0)).unwrap();
        Self::of(key.into(), Some(Duration::from_secs(days * DAY)), HashAlgorithm::SHA512, 0)
    }

    pub(super) fn bound_by(hash: HashAlgorithm) -> Self {
        let mut key = Key4::generate_ecc(true, sequoia_openpgp::types::Curve::Ed25519).unwrap();
        key.set_creation_time(day(0)).unwrap();
        Self::of(key.into(), None, hash, 0)
    }

    fn of(
        primary: Key<SecretParts, PrimaryRole>,
        lasts: Option<Duration>,
        hash: HashAlgorithm,
        made: u64,
    ) -> Self {
        let cert = Cert::from_packets([Packet::from(primary.clone().parts_into_public())].into_iter());
        let mut maker = Self { cert: cert.unwrap(), primary, subkey: None };
        maker.bind_name(lasts, hash, made);
        maker
    }

    fn bind_name(&mut self, lasts: Option<Duration>, hash: HashAlgorithm, made: u64) {
        let name = UserID::from("packages@example.org");
        let binding = SignatureBuilder::new(SignatureType::PositiveCertification)
            .set_signature_creation_time(day(made))
            .unwrap()
            .set_hash_algo(hash)
            .set_key_flags(KeyFlags::empty().set_signing().set_certification())
            .unwrap()
            .set_key_validity_period(lasts)
            .unwrap();
        let binding = name.bind(&mut self.signer(), &self.cert, binding).unwrap();
        self.add([Packet::from(name), binding.into()]);
    }

    /// Lets the key last longer, from a day on.
    pub(super) fn extend(&mut self, from: u64, seconds: u64) {
        self.bind_name(Some(Duration::from_secs(from * DAY + seconds)), HashAlgorithm::SHA512, from);
    }

    fn add(&mut self, packets: impl IntoIterator<Item = Packet>) {
        self.cert = self.cert.clone().insert_packets(packets).unwrap().0;
    }

    pub(super) fn with_subkey(lasts: Option<Duration>) -> Self {
        Self::with_subkey_for(KeyFlags::empty().set_signing(), lasts, true)
    }

    pub(super) fn with_subkey_for_authentication() -> Self {
        Self::with_subkey_for(KeyFlags::empty().set_authentication(), None, false)
    }

    /// Binds a subkey for signing that did not sign that it belongs here.
    pub(super) fn with_adopted_subkey() -> Self {
        Self::with_subkey_for(KeyFlags::empty().set_signing(), None, false)
    }

    fn with_subkey_for(flags: KeyFlags, lasts: Option<Duration>, agrees: bool) -> Self {
        let mut maker = Self::new();
        let mut key: Key4<SecretParts, SubordinateRole> =
            Key4::generate_ecc(true, sequoia_openpgp::types::Curve::Ed25519).unwrap();
        key.set_creation_time(day(0)).unwrap();
        let subkey = Key::from(key);
        let mut binding = SignatureBuilder::new(SignatureType::SubkeyBinding)
            .set_signature_creation_time(day(0))
            .unwrap()
            .set_key_flags(flags)
            .unwrap()
            .set_key_validity_period(lasts)
            .unwrap();
        if agrees {
            let back = SignatureBuilder::new(SignatureType::PrimaryKeyBinding)
                .set_signature_creation_time(day(0))
                .unwrap()
                .sign_primary_key_binding(&mut pair(&subkey), maker.cert.primary_key().key(), &subkey)
                .unwrap();
            binding = binding.set_embedded_signature(back).unwrap();
        }
        let binding = binding
            .sign_subkey_binding(&mut maker.signer(), maker.cert.primary_key().key(), &subkey)
            .unwrap();
        maker.add([Packet::from(subkey.clone().parts_into_public()), binding.into()]);
        maker.subkey = Some(subkey);
        maker
    }

    pub(super) fn signer(&self) -> KeyPair {
        pair(&self.primary)
    }

    pub(super) fn sign(&self, data: &[u8], made: u64) -> Vec<u8> {
        sign_at(data, self.signer(), day(made))
    }

    /// Signs with a date before the key was made, as somebody who lies would.
    pub(super) fn sign_before_its_time(&self, data: &[u8], made: u64) -> Vec<u8> {
        let mut older = self.primary.clone();
        older.set_creation_time(day(0)).unwrap();
        let builder =
            SignatureBuilder::new(SignatureType::Binary).set_signature_creation_time(day(made)).unwrap();
        let builder = builder.set_issuer(self.primary.keyid()).unwrap();
        let builder = builder.set_issuer_fingerprint(self.primary.fingerprint()).unwrap();
        finish(builder, data, pair(&older))
    }

    pub(super) fn sign_by_subkey(&self, data: &[u8], made: u64) -> Vec<u8> {
        sign_at(data, pair(self.subkey.as_ref().unwrap()), day(made))
    }

    pub(super) fn sign_as(
        &self,
        data: &[u8],
        made: u64,
        hash: HashAlgorithm,
        kind: SignatureType,
    ) -> Vec<u8> {
        let builder = SignatureBuilder::new(kind).set_hash_algo(hash);
        finish(builder.set_signature_creation_time(day(made)).unwrap(), data, self.signer())
    }

    pub(super) fn sign_until(&self, data: &[u8], made: u64, counts: Duration) -> Vec<u8> {
        let builder = SignatureBuilder::new(SignatureType::Binary)
            .set_signature_creation_time(day(made))
            .unwrap()
            .set_signature_validity_period(counts)
            .unwrap();
        finish(builder, data, self.signer())
    }

    pub(super) fn revoke(&mut self, reason: ReasonForRevocation, made: u64) {
        self.revoke_with(reason, made, HashAlgorithm::SHA512);
    }

    pub(super) fn revoke_with(&mut self, reason: ReasonForRevocation, made: u64, hash: HashAlgorithm) {
        let revocation = CertRevocationBuilder::new()
            .set_signature_creation_time(day(made))
            .unwrap()
            .set_reason_for_revocation(reason, b"over")
            .unwrap()
            .build(&mut self.signer(), &self.cert, hash)
            .unwrap();
        self.add([revocation.into()]);
    }

    pub(super) fn revoke_subkey(&mut self, reason: ReasonForRevocation, made: u64) {
        let subkey = self.subkey.as_ref().unwrap().clone().parts_into_public();
        let revocation = SubkeyRevocationBuilder::new()
            .set_signature_creation_time(day(made))
            .unwrap()
            .set_reason_for_revocation(reason, b"over")
            .unwrap()
            .build(&mut self.signer(), &self.cert, &subkey, HashAlgorithm::SHA512)
            .unwrap();
        self.add([Packet::from(subkey), revocation.into()]);
    }

    pub(super) fn certificate(&self) -> Certificate {
        certificate(&self.cert)
    }

    /// Gives the file that a signer must never hand out.
    pub(super) fn secret(&self) -> Vec<u8> {
        let cert = self.cert.clone().insert_packets([Packet::from(self.primary.clone())]).unwrap().0;
        cert.as_tsk().to_vec().unwrap()
    }
}

pub(super) fn certificate(cert: &Cert) -> Certificate {
    Certificate::parse(&cert.to_vec().unwrap()).unwrap()
}

fn pair<R: sequoia_openpgp::packet::key::KeyRole>(key: &Key<SecretParts, R>) -> KeyPair {
    key.clone().role_into_unspecified().into_keypair().unwrap()
}

pub(super) fn sign_at(data: &[u8], signer: KeyPair, made: SystemTime) -> Vec<u8> {
    let builder = SignatureBuilder::new(SignatureType::Binary).set_signature_creation_time(made).unwrap();
    finish(builder, data, signer)
}

fn finish(builder: SignatureBuilder, data: &[u8], mut signer: KeyPair) -> Vec<u8> {
    Packet::from(builder.sign_message(&mut signer, data).unwrap()).to_vec().unwrap()
}
