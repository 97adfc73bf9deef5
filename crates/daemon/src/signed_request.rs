//! Signed requests: who asks is whose key signed, whoever owns the file.
//!
//! A signature says nothing of when and for whom it was made and can be copied, so a signed request has an `id`, which is
//! settled once, `expires`, after which it is refused, and `site`, beside which it is worth nothing.

use jiff::{SignedDuration, Timestamp};
use plan::signed::NAMESPACE;
use plan::{Code, Refusal, Request};
use ssh_key::SshSig;

use crate::config::{AllowedSigner, Config};

/// How far ahead a signed request may expire.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(32 * 24);

/// Finds whose key signed `bytes`.
///
/// `now` is the wall clock and `witnessed` the witnessed time: a key counts only if both say so.
pub(crate) fn signer<'a>(
    bytes: &[u8],
    signature: &[u8],
    signers: &'a [AllowedSigner],
    [now, witnessed]: [Timestamp; 2],
) -> Result<&'a str, Refusal> {
    let bad = |words: String| {
        let hint = format!(
            "`ssh-keygen -Y sign -n {NAMESPACE} -f KEY request.toml`, then `cat request.toml request.toml.sig`"
        );
        Refusal::new(Code::BadSignature, words).hint(hint)
    };
    let signature = SshSig::from_pem(signature)
        .map_err(|error| bad(format!("the signature behind the request cannot be read: {error}")))?;
    // Only keys that are known are computed with.
    let Some(signer) = signers.iter().find(|signer| signer.key.key_data() == signature.public_key()) else {
        let key = ssh_key::PublicKey::new(signature.public_key().clone(), "");
        let key = key.fingerprint(ssh_key::HashAlg::Sha256);
        let refusal = Refusal::new(Code::UnknownSshKey, format!("nobody here signs with the key {key}"));
        return Err(refusal.hint("`allowed_signers` in sluice.toml names the keys"));
    };
    let name = &signer.name;
    if signature.namespace() != NAMESPACE {
        let words = format!("`{name}` signed for `{}`", signature.namespace().escape_debug());
        return Err(bad(format!("{words}, and requests are signed for `{NAMESPACE}`")));
    }
    signer
        .key
        .verify(NAMESPACE, bytes, &signature)
        .map_err(|_| bad(format!("the signature of `{name}` is of other bytes than the request")))?;
    signer.in_time([now, witnessed]).map_err(|words| Refusal::new(Code::SshKeyNotValid, words))?;
    Ok(name)
}

/// Looks whether a request is meant for the site of this configuration, if it names one.
pub(crate) fn is_for(request: &Request, config: &Config) -> Result<(), Refusal> {
    let Some(site) = &request.site else { return Ok(()) };
    if *site == config.site || site.trim_end_matches('/') == config.base_url {
        return Ok(());
    }
    let refusal = Refusal::new(Code::OtherSite, format!("it is for the site `{site}`"));
    Err(refusal.hint(format!("this one is `{}`, `{}`", config.site, config.base_url)))
}

/// Looks whether a signed request can be handed in only once, and only here.
pub(crate) fn is_bound(request: &Request, now: Timestamp) -> Result<(), Refusal> {
    let unbound = |words: &str| Err(Refusal::new(Code::UnboundSignature, words));
    match (&request.id, request.expires) {
        (None, _) => unbound("a signed request needs an `id` of its own"),
        (_, None) => unbound("a signed request needs `expires`"),
        (_, Some(expires)) if expires > now + AHEAD_MAX => {
            unbound("a signed request expires in the next 32 days")
        }
        _ if request.site.is_none() => {
            unbound("a signed request names with `site` the one site that it is for")
        }
        _ => Ok(()),
    }
}
