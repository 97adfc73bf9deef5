//! How a key stands at a time: whether what it signs counts.

use jiff::Timestamp;
use sequoia_openpgp::Cert;
use sequoia_openpgp::anyhow::Error;
use sequoia_openpgp::cert::amalgamation::key::ValidErasedKeyAmalgamation;
use sequoia_openpgp::cert::amalgamation::key::{
    ErasedKeyAmalgamation, PrimaryKey as _, SubordinateKeyAmalgamation,
};
use sequoia_openpgp::cert::amalgamation::{ValidAmalgamation as _, ValidateAmalgamation as _};
use sequoia_openpgp::packet::Signature;
use sequoia_openpgp::packet::key::PublicParts;
use sequoia_openpgp::types::RevocationStatus;

use crate::verdict::{Bad, Code};
use crate::{Fingerprint, policy};

pub(crate) type AnyKey<'a> = ErasedKeyAmalgamation<'a, PublicParts>;

/// Says why `key` of `cert` cannot sign anything that counts at `now`.
pub(crate) fn check_now(cert: &Cert, key: &AnyKey<'_>, now: Timestamp) -> Result<(), Bad> {
    let bad = |code, words: String| Err(Bad::new(code, Some(cert.fingerprint().to_hex()), words));
    let primary = cert.primary_key();
    let names = named(cert, key);
    for key in [primary.key().role_as_unspecified(), key.key()] {
        if let Some(short) = policy::short_key(key) {
            return bad(Code::ShortKey, format!("it was made by {short}"));
        }
    }
    if let Some(why) = revoked(cert, now) {
        return bad(Code::KeyRevoked, format!("key `{}` is revoked: {why}", cert.fingerprint()));
    }
    if let Some(why) = subkey_revoked(key, now).filter(|_| !key.primary()) {
        return bad(Code::SubkeyRevoked, format!("{names} is revoked: {why}"));
    }
    for created in [primary.key().creation_time(), key.key().creation_time()].map(policy::timestamp) {
        if created > now {
            return bad(Code::KeyNotYetValid, format!("{names} is dated {created}, in the future"));
        }
    }
    let strict = policy::strict(now);
    let valid = key.clone().with_policy(&strict, policy::system_time(now));
    let valid = match valid {
        Ok(valid) => valid,
        Err(error) => return bad(Code::KeyNotBound, not_bound(key, &names, now, &error)),
    };
    if let Some((code, words)) = not_able(cert, &valid, &names) {
        return bad(code, words);
    }
    Ok(())
}

/// Says why `key` was not valid when it signed something at `made`, as far as the certificate still tells: those that
/// are handed out often hold the newest of a key's own signatures only.
pub(crate) fn check_then(cert: &Cert, key: &AnyKey<'_>, made: Timestamp, now: Timestamp) -> Result<(), Bad> {
    let strict = policy::strict(now);
    let names = named(cert, key);
    let bad = |words| Err(Bad::new(Code::KeyNotValidThen, Some(cert.fingerprint().to_hex()), words));
    if policy::timestamp(key.key().creation_time()) > made
        || policy::timestamp(cert.primary_key().key().creation_time()) > made
    {
        return bad(format!("it is dated {made}, before {names} was made"));
    }
    let Ok(valid) = key.clone().with_policy(&strict, policy::system_time(made)) else { return Ok(()) };
    match not_able(cert, &valid, &names) {
        Some((_, words)) => bad(format!("it is dated {made}, and then {words}")),
        None => Ok(()),
    }
}

/// Says what a key whose binding counts is still not able to do at the time it was looked at.
fn not_able(
    cert: &Cert,
    valid: &ValidErasedKeyAmalgamation<'_, PublicParts>,
    names: &str,
) -> Option<(Code, String)> {
    let primary = valid.valid_cert().primary_key();
    let expired =
        |at: Option<_>| at.map(policy::timestamp).filter(|at| *at <= policy::timestamp(valid.time()));
    if let Some(at) = expired(primary.key_expiration_time()) {
        return Some((Code::KeyExpired, format!("key `{}` expired at {at}", cert.fingerprint())));
    }
    if let Some(at) = expired(valid.key_expiration_time()) {
        return Some((Code::KeyExpired, format!("{names} expired at {at}")));
    }
    if let Err(error) = valid.alive() {
        return Some((Code::KeyExpired, format!("{names} is not valid: {}", in_one(&error))));
    }
    // Keys of old say nothing of what they are for; then the primary key, and only it, is for everything.
    let says_nothing = valid.primary() && valid.key_flags().is_none();
    if !says_nothing && !valid.for_signing() {
        return Some((Code::KeyNotForSigning, format!("{names} is not meant for signing")));
    }
    None
}

/// Says when the certificate and each key's newest binding lets it end.
pub(crate) fn expires(cert: &Cert, key: &AnyKey<'_>, now: Timestamp) -> Option<Timestamp> {
    let policy = policy::lenient(now);
    let valid = key.clone().with_policy(&policy, policy::system_time(now)).ok()?;
    let primary = cert.primary_key().with_policy(&policy, policy::system_time(now)).ok();
    let ends = [primary.and_then(|primary| primary.key_expiration_time()), valid.key_expiration_time()];
    ends.into_iter().flatten().map(policy::timestamp).min()
}

/// Says why the whole certificate is revoked, if it is.
pub(crate) fn revoked(cert: &Cert, now: Timestamp) -> Option<String> {
    reason(&cert.revocation_status(&policy::lenient(now), policy::system_time(now)))
}

fn subkey_revoked(key: &AnyKey<'_>, now: Timestamp) -> Option<String> {
    if key.primary() {
        return None;
    }
    let subkey: SubordinateKeyAmalgamation<'_, PublicParts> = key.clone().try_into().ok()?;
    reason(&subkey.revocation_status(&policy::lenient(now), policy::system_time(now)))
}

/// Reads what a revocation says; one by somebody the key named counts as well.
fn reason(status: &RevocationStatus<'_>) -> Option<String> {
    let by: &[&Signature] = match status {
        RevocationStatus::NotAsFarAsWeKnow => return None,
        RevocationStatus::Revoked(by) => by,
        RevocationStatus::CouldBe(_) => return Some("by a key that it names for that".to_owned()),
    };
    let told = by.first().and_then(|revocation| revocation.reason_for_revocation());
    Some(match told {
        Some((reason, b"")) => reason.to_string().to_lowercase(),
        Some((reason, message)) => {
            let message = String::from_utf8_lossy(message);
            format!("{}, {}", reason.to_string().to_lowercase(), plain(&message))
        }
        None => "no reason is told".to_owned(),
    })
}

/// Says why no binding of a key counts.
fn not_bound(key: &AnyKey<'_>, names: &str, now: Timestamp, error: &Error) -> String {
    let lenient = policy::lenient(now);
    if key.clone().with_policy(&lenient, policy::system_time(now)).is_ok() {
        return format!("{names} is bound by signatures of a digest that is too weak");
    }
    format!("no signature binds {names}: {}", in_one(error))
}

/// Names a key: `subkey ... of key ...`.
fn named(cert: &Cert, key: &AnyKey<'_>) -> String {
    let primary = Fingerprint::of(&cert.fingerprint());
    if key.primary() {
        format!("key `{primary}`")
    } else {
        format!("subkey `{}` of key `{primary}`", key.key().fingerprint())
    }
}

fn in_one(error: &Error) -> String {
    plain(&format!("{error:#}"))
}

/// Makes one line, not too long, of words that somebody else chose.
pub(crate) fn plain(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}
