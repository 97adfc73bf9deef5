use expect_test::{Expect, expect};

use crate::decide::{Decision, decide};
use crate::package_signatures::{Flaw, FlawKind, Payload, Signed, Signer};
use crate::refusal::Code;
use crate::samples::{alice, arrivals, import, world};
use crate::world::{Arrival, World};

/// A world whose `delta` takes `a`, and `b` until this very moment.
fn demanding() -> World {
    let mut world = world();
    let signer = |name: &str, until| Signer {
        name: name.to_owned(),
        fingerprint: name.to_uppercase(),
        from: None,
        until,
    };
    let signers = vec![signer("a", None), signer("b", Some(world.now))];
    world.signers.insert(("glite-3.2".to_owned(), "delta".to_owned()), signers);
    world
}

fn by(key: &str) -> Result<String, Flaw> {
    Ok(key.to_owned())
}

fn flawed(kind: FlawKind) -> Result<String, Flaw> {
    let words = format!("{kind:?}");
    Err(Flaw { kind, words })
}

fn one() -> Vec<Arrival> {
    arrivals(&["voms-2-1.x86_64"])
}

/// Says what comes of importing one package of which that was found out.
fn check(payload: Payload, signatures: &[Result<String, Flaw>], expected: Expect) {
    let mut world = demanding();
    let signed = Signed { payload, signatures: signatures.to_vec() };
    world.signatures.insert(one()[0].listed.pkgid, Ok(signed));
    let told = match decide(&world, &import(&["sl5/x86_64"]), &alice(), &one()) {
        Decision::Refused(refusal) => refusal.to_string(),
        Decision::Effect(plan) => {
            plan.gates.iter().find(|seen| seen.gate == "signatures").unwrap().evidence.clone()
        }
        other => format!("{other:?}"),
    };
    expected.assert_eq(&told.replace("`voms-2-1.x86_64`: ", ""));
}

#[test]
fn what_was_not_read_yet_is_asked_for_and_what_cannot_be_read_has_failed() {
    let mut world = demanding();
    let asked = decide(&world, &import(&["sl5/x86_64"]), &alice(), &one());
    let digest = one()[0].listed.pkgid;
    let signatures = [digest].into();
    assert_eq!(asked, Decision::Lacking(crate::Lacking { signatures, ..crate::Lacking::default() }));
    world.signatures.insert(digest, Err("the reader died".to_owned()));
    let Decision::Refused(refusal) = decide(&world, &import(&["sl5/x86_64"]), &alice(), &one()) else {
        panic!("what cannot be read was let in")
    };
    assert_eq!(refusal.code, Code::SignaturesUnread);
}

#[test]
fn a_stage_that_demands_nothing_asks_nothing() {
    let decision = decide(&world(), &import(&["sl5/x86_64"]), &alice(), &one());
    let Decision::Effect(plan) = decision else { panic!("{decision:?}") };
    assert!(plan.gates.iter().all(|seen| seen.gate != "signatures"));
}

#[test]
fn one_signature_by_a_key_of_the_stage_lets_a_package_in() {
    check(Payload::Whole, &[by("A")], expect!["all 1 that enter are signed: 1 by `a`"]);
    check(Payload::Whole, &[by("A"), by("A")], expect!["all 1 that enter are signed: 1 by `a`"]);
}

#[test]
fn every_signature_must_count_and_be_by_a_key_of_the_stage() {
    check(Payload::Whole, &[], expect!["it is not signed (unsigned)"]);
    check(
        Payload::Whole,
        &[by("C")],
        expect!["it is signed by key `C`, which the stage does not take (signer-not-allowed)"],
    );
    check(
        Payload::Whole,
        &[by("A"), by("C")],
        expect!["it is signed by key `C`, which the stage does not take (signer-not-allowed)"],
    );
    check(
        Payload::Whole,
        &[by("B")],
        expect!["it is signed by `b`, which counted until 2026-03-01T12:00:00Z (signer-not-allowed)"],
    );
    check(
        Payload::Whole,
        &[by("A"), flawed(FlawKind::UnknownKey)],
        expect!["its signature does not count: UnknownKey (signer-unknown)"],
    );
    check(
        Payload::Whole,
        &[by("A"), flawed(FlawKind::Expired)],
        expect!["its signature does not count: Expired (signer-expired)"],
    );
    check(
        Payload::Whole,
        &[by("A"), flawed(FlawKind::Revoked)],
        expect!["its signature does not count: Revoked (signer-revoked)"],
    );
    check(
        Payload::Whole,
        &[by("A"), flawed(FlawKind::WeakKey)],
        expect!["its signature does not count: WeakKey (signer-weak)"],
    );
    check(
        Payload::Whole,
        &[by("A"), flawed(FlawKind::WeakDigest)],
        expect!["its signature does not count: WeakDigest (signature-weak)"],
    );
    check(
        Payload::Whole,
        &[flawed(FlawKind::Bad), flawed(FlawKind::UnknownKey)],
        expect!["its signature does not count: Bad (signature-bad)"],
    );
}

#[test]
fn something_must_vouch_for_all_of_it() {
    check(Payload::Tampered("other bytes".to_owned()), &[by("A")], expect!["other bytes (payload-tampered)"]);
    check(
        Payload::NoDigest("no digest".to_owned()),
        &[by("A")],
        expect!["its signature does not vouch for all of it: no digest (digest-missing)"],
    );
}
