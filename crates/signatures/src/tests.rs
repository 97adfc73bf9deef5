//! Keys and signatures made on the spot, each wrong in one way.

mod changes;
mod keys;

use std::time::Duration;

use expect_test::{Expect, expect};
use sequoia_openpgp::types::{HashAlgorithm, ReasonForRevocation, SignatureType};

use crate::{Certificate, KeyError, verify_detached};
use keys::{DAY, Maker, YEAR, at, day};

const DATA: &[u8] = b"the bytes of a header";

/// Says what comes of a signature of [`DATA`] at a day after the key was made.
fn check(certificate: &Certificate, signature: &[u8], now: u64, expected: Expect) {
    let told = match verify_detached(DATA, signature, &[certificate], at(now)) {
        Ok(good) => {
            format!("good: {} {} {} by {}", good.algorithm, good.bits, good.hash, who(certificate, &good))
        }
        Err(all_bad) => {
            let told = all_bad.iter().map(|bad| format!("{}: {}", bad.code.as_str(), bad.words));
            told.collect::<Vec<_>>().join("\n")
        }
    };
    let told = told.replace(certificate.fingerprint().as_str(), "PRIMARY");
    let subkeys = certificate.keys(at(now)).into_iter().filter(|key| !key.primary);
    let told = subkeys.fold(told, |told, key| told.replace(key.fingerprint.as_str(), "SUBKEY"));
    expected.assert_eq(&told);
}

fn who(certificate: &Certificate, good: &crate::Good) -> &'static str {
    if good.key == certificate.fingerprint() { "the primary key" } else { "a subkey" }
}

#[test]
fn a_signature_by_the_primary_key_is_good() {
    let maker = Maker::new();
    check(
        &maker.certificate(),
        &maker.sign(DATA, 1),
        2,
        expect!["good: EdDSA 256 SHA512 by the primary key"],
    );
}

#[test]
fn a_signature_by_a_subkey_is_good() {
    let maker = Maker::with_subkey(None);
    check(
        &maker.certificate(),
        &maker.sign_by_subkey(DATA, 1),
        2,
        expect!["good: EdDSA 256 SHA512 by a subkey"],
    );
}

#[test]
fn other_bytes_are_not_what_was_signed() {
    let maker = Maker::new();
    let signature = maker.sign(b"other bytes", 1);
    check(
        &maker.certificate(),
        &signature,
        2,
        expect!["bad-signature: key `PRIMARY` did not sign these bytes"],
    );
}

#[test]
fn a_key_that_nobody_gave_is_unknown() {
    let (maker, other) = (Maker::new(), Maker::new());
    let all_bad = verify_detached(DATA, &other.sign(DATA, 1), &[&maker.certificate()], at(2)).unwrap_err();
    assert_eq!(all_bad[0].code.as_str(), "unknown-key");
    assert_eq!(all_bad[0].key.as_deref(), Some(other.certificate().fingerprint().as_str()));
}

#[test]
fn a_key_that_is_expired_now_counts_no_more_whatever_it_signed_before() {
    let maker = Maker::expiring(30);
    let signature = maker.sign(DATA, 1);
    check(&maker.certificate(), &signature, 29, expect!["good: EdDSA 256 SHA512 by the primary key"]);
    check(
        &maker.certificate(),
        &signature,
        30,
        expect!["key-expired: key `PRIMARY` expired at 2026-01-31T00:00:00Z"],
    );
}

#[test]
fn a_subkey_that_is_expired_now_counts_no_more() {
    let maker = Maker::with_subkey(Some(Duration::from_secs(10 * DAY)));
    let signature = maker.sign_by_subkey(DATA, 1);
    check(&maker.certificate(), &signature, 9, expect!["good: EdDSA 256 SHA512 by a subkey"]);
    check(
        &maker.certificate(),
        &signature,
        11,
        expect!["key-expired: subkey `SUBKEY` of key `PRIMARY` expired at 2026-01-11T00:00:00Z"],
    );
}

#[test]
fn every_revocation_counts_also_for_what_was_signed_before() {
    for (reason, words) in [
        (ReasonForRevocation::KeyCompromised, "key material has been compromised"),
        (ReasonForRevocation::KeySuperseded, "key is superseded"),
        (ReasonForRevocation::KeyRetired, "key is retired and no longer used"),
        (ReasonForRevocation::Unspecified, "no reason specified"),
    ] {
        let mut maker = Maker::with_subkey(None);
        let signatures = [maker.sign(DATA, 1), maker.sign_by_subkey(DATA, 1)];
        maker.revoke(reason, 20);
        for signature in signatures {
            let told = verify_detached(DATA, &signature, &[&maker.certificate()], at(21)).unwrap_err();
            assert_eq!(told[0].code.as_str(), "key-revoked");
            assert!(told[0].words.contains(words), "{}", told[0].words);
        }
    }
}

#[test]
fn every_revocation_of_a_subkey_counts_for_the_subkey_alone() {
    for reason in [ReasonForRevocation::KeyCompromised, ReasonForRevocation::KeyRetired] {
        let mut maker = Maker::with_subkey(None);
        let [by_primary, by_subkey] = [maker.sign(DATA, 1), maker.sign_by_subkey(DATA, 1)];
        maker.revoke_subkey(reason, 20);
        let certificate = maker.certificate();
        let told = verify_detached(DATA, &by_subkey, &[&certificate], at(21)).unwrap_err();
        assert_eq!(told[0].code.as_str(), "subkey-revoked");
        assert!(verify_detached(DATA, &by_primary, &[&certificate], at(21)).is_ok());
    }
}

#[test]
fn a_revocation_of_a_weak_digest_revokes_all_the_same() {
    let mut maker = Maker::new();
    let signature = maker.sign(DATA, 1);
    maker.revoke_with(ReasonForRevocation::KeyRetired, 20, HashAlgorithm::SHA1);
    check(
        &maker.certificate(),
        &signature,
        21,
        expect!["key-revoked: key `PRIMARY` is revoked: key is retired and no longer used, over"],
    );
}

#[test]
fn weak_digests_make_nothing_good() {
    let maker = Maker::new();
    for (hash, name) in
        [(HashAlgorithm::MD5, "MD5"), (HashAlgorithm::SHA1, "SHA1"), (HashAlgorithm::RipeMD, "RipeMD160")]
    {
        let signature = maker.sign_as(DATA, 1, hash, SignatureType::Binary);
        let told = verify_detached(DATA, &signature, &[&maker.certificate()], at(2)).unwrap_err();
        assert_eq!((told[0].code.as_str(), told[0].words.contains(name)), ("weak-digest", true));
    }
}

#[test]
fn a_key_bound_by_weak_digests_makes_nothing_good() {
    let maker = Maker::bound_by(HashAlgorithm::SHA1);
    check(
        &maker.certificate(),
        &maker.sign(DATA, 1),
        2,
        expect!["key-not-bound: key `PRIMARY` is bound by signatures of a digest that is too weak"],
    );
}

#[test]
fn a_short_key_makes_nothing_good() {
    let maker = Maker::rsa(1024);
    check(
        &maker.certificate(),
        &maker.sign(DATA, 1),
        2,
        expect!["short-key: it was made by an RSA key of 1024 bits, 2048 are wanted"],
    );
    let maker = Maker::rsa(2048);
    check(&maker.certificate(), &maker.sign(DATA, 1), 2, expect!["good: RSA 2048 SHA512 by the primary key"]);
}

#[test]
fn a_subkey_that_is_not_meant_for_signing_signs_nothing() {
    let maker = Maker::with_subkey_for_authentication();
    check(
        &maker.certificate(),
        &maker.sign_by_subkey(DATA, 1),
        2,
        expect!["key-not-for-signing: subkey `SUBKEY` of key `PRIMARY` is not meant for signing"],
    );
}

#[test]
fn a_subkey_that_never_agreed_to_belong_to_the_key_signs_nothing() {
    let maker = Maker::with_adopted_subkey();
    let told =
        verify_detached(DATA, &maker.sign_by_subkey(DATA, 1), &[&maker.certificate()], at(2)).unwrap_err();
    assert!(matches!(told[0].code.as_str(), "key-not-bound" | "unknown-key"), "{told:?}");
}

#[test]
fn time_runs_one_way() {
    let maker = Maker::new();
    check(
        &maker.certificate(),
        &maker.sign(DATA, 5),
        2,
        expect!["signature-from-future: it is dated 2026-01-06T00:00:00Z, in the future"],
    );
    let early = keys::sign_at(DATA, maker.signer(), day(2) + Duration::from_secs(200));
    check(&maker.certificate(), &early, 2, expect!["good: EdDSA 256 SHA512 by the primary key"]);
    let ending = maker.sign_until(DATA, 1, Duration::from_secs(DAY));
    check(
        &maker.certificate(),
        &ending,
        3,
        expect!["signature-expired: it says that it counts until 2026-01-03T00:00:00Z only"],
    );
    let young = Maker::made_on(9);
    check(
        &young.certificate(),
        &young.sign(DATA, 9),
        2,
        expect!["signature-from-future: it is dated 2026-01-10T00:00:00Z, in the future"],
    );
    check(
        &young.certificate(),
        &young.sign_before_its_time(DATA, 1),
        2,
        expect!["key-not-yet-valid: key `PRIMARY` is dated 2026-01-10T00:00:00Z, in the future"],
    );
    check(
        &young.certificate(),
        &young.sign_before_its_time(DATA, 1),
        12,
        expect!["key-not-valid-then: it is dated 2026-01-02T00:00:00Z, before key `PRIMARY` was made"],
    );
}

#[test]
fn a_key_that_lapsed_when_it_signed_did_not_sign_for_being_renewed() {
    let mut maker = Maker::expiring(30);
    let signature = maker.sign(DATA, 40);
    maker.extend(50, YEAR);
    check(
        &maker.certificate(),
        &maker.sign(DATA, 20),
        60,
        expect!["good: EdDSA 256 SHA512 by the primary key"],
    );
    check(
        &maker.certificate(),
        &signature,
        60,
        expect![
            "key-not-valid-then: it is dated 2026-02-10T00:00:00Z, and then key `PRIMARY` expired at 2026-01-31T00:00:00Z"
        ],
    );
}

#[test]
fn text_is_no_signature_and_one_of_text_is_not_one_of_bytes() {
    let maker = Maker::new();
    for bytes in [&b""[..], b"hello", b"-----BEGIN PGP SIGNATURE-----\n\nhello\n", &[0x89], &[0xff; 40]] {
        let told = verify_detached(DATA, bytes, &[&maker.certificate()], at(2)).unwrap_err();
        assert!(told[0].code.as_str().starts_with("signature-"), "{told:?}");
    }
    let text = maker.sign_as(DATA, 1, HashAlgorithm::SHA256, SignatureType::Text);
    check(
        &maker.certificate(),
        &text,
        2,
        expect!["signature-unsupported: it is no signature of bytes but `Text`"],
    );
}

#[test]
fn one_good_signature_among_several_is_enough_and_so_many_are_read_and_no_more() {
    let maker = Maker::new();
    let mut run = maker.sign(b"other bytes", 1);
    run.extend(maker.sign(DATA, 1));
    assert!(verify_detached(DATA, &run, &[&maker.certificate()], at(2)).is_ok());
    let many = maker.sign(DATA, 1).repeat(17);
    check(&maker.certificate(), &many, 2, expect!["signature-malformed: there are more than 16"]);
    let huge = vec![0x89; 200 << 10];
    check(
        &maker.certificate(),
        &huge,
        2,
        expect!["signature-malformed: it has 204800 bytes, 131072 are allowed"],
    );
}

#[test]
fn a_file_is_one_certificate_without_its_secret_or_none() {
    let (maker, other) = (Maker::new(), Maker::new());
    let refused = |bytes: &[u8]| Certificate::parse(bytes).unwrap_err();
    assert!(matches!(refused(&maker.secret()), KeyError::Secret));
    let mut two = maker.certificate().as_bytes().to_vec();
    two.extend(other.certificate().as_bytes());
    assert!(matches!(refused(&two), KeyError::Several { count: 2 }));
    assert!(matches!(refused(&vec![b'x'; 300 << 10]), KeyError::TooLarge { .. }));
    for bytes in [&b""[..], b"hello", &maker.certificate().as_bytes()[..40], &maker.sign(DATA, 1)] {
        assert!(matches!(refused(bytes), KeyError::Malformed { .. }), "{:?}", refused(bytes));
    }
}

#[test]
fn a_certificate_is_the_same_in_armour() {
    let certificate = Maker::with_subkey(None).certificate();
    let armored = certificate.armored().unwrap();
    assert!(armored.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"), "{armored}");
    assert_eq!(Certificate::parse(armored.as_bytes()).unwrap(), certificate);
}

#[test]
fn a_certificate_says_how_it_stands_and_when_it_ends() {
    let maker = Maker::expiring(30);
    let certificate = maker.certificate();
    assert_eq!(certificate.standing(at(3)), Ok(()));
    assert_eq!(certificate.expires(at(3)), Some(at(30)));
    assert_eq!(certificate.names(), ["packages@example.org"]);
    assert_eq!(certificate.standing(at(31)).unwrap_err().code.as_str(), "key-expired");
    assert_eq!(Maker::new().certificate().expires(at(3)), None);
}

#[test]
fn mutants_of_signatures_and_certificates_are_only_ever_refused() {
    let maker = Maker::with_subkey(None);
    let certificate = maker.certificate();
    let signature = maker.sign_by_subkey(DATA, 1);
    let mut random = fastrand::Rng::with_seed(20);
    for _ in 0..2000 {
        let mut bytes = signature.clone();
        let at_byte = random.usize(..bytes.len());
        bytes[at_byte] ^= 1 << random.u8(..8);
        // What lies outside the signed part may change, and only that.
        if let Ok(good) = verify_detached(DATA, &bytes, &[&certificate], at(2)) {
            assert_eq!((good.fingerprint, good.made), (certificate.fingerprint(), at(1)));
        }
        let mut bytes = certificate.as_bytes().to_vec();
        let at_byte = random.usize(..bytes.len());
        bytes[at_byte] = random.u8(..);
        if let Ok(mutant) = Certificate::parse(&bytes) {
            let _ = (mutant.keys(at(2)), mutant.names(), mutant.armored());
            let _ = verify_detached(DATA, &signature, &[&mutant], at(2));
        }
    }
}
