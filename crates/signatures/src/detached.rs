//! Detached signatures, checked while what was signed passes by.

use std::fmt;
use std::io::Read as _;

use jiff::{SignedDuration, Timestamp};
use sequoia_openpgp::crypto::hash;
use sequoia_openpgp::packet::Signature;
use sequoia_openpgp::parse::{Dearmor, PacketParserBuilder, PacketParserResult, Parse as _};
use sequoia_openpgp::policy::{HashAlgoSecurity, Policy as _};
use sequoia_openpgp::types::SignatureType;
use sequoia_openpgp::{KeyHandle, Packet, armor};

use crate::standing::{self, AnyKey, plain};
use crate::verdict::{Bad, Code, Good, Verdict};
use crate::{Certificate, Fingerprint, instants, policy};

/// The largest run of bytes that is read as signatures.
const SIZE_MAX: usize = 128 << 10;

/// How many signatures one such run may hold.
const COUNT_MAX: usize = 16;

/// How far ahead the clock of whoever signs may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Checks the detached signature of `data`, armoured or binary: one good signature by an allowed key is enough.
///
/// # Errors
///
/// No signature counts; one entry for each that is there, or one if none could be read.
pub fn verify_detached(
    data: &[u8],
    signature: &[u8],
    allowed: &[&Certificate],
    now: Timestamp,
) -> Result<Good, Vec<Bad>> {
    let binary;
    let signature = if signature.first().is_some_and(|byte| byte & 0x80 == 0) {
        binary = dearmored(signature).map_err(|bad| vec![bad])?;
        &binary
    } else {
        signature
    };
    let mut detached = Detached::of(signature);
    detached.update(data);
    let mut all_bad = Vec::new();
    for verdict in detached.judge(allowed, now) {
        match verdict {
            Ok(good) => return Ok(good),
            Err(bad) => all_bad.push(bad),
        }
    }
    Err(all_bad)
}

/// Takes the armour off a signature.
///
/// # Errors
///
/// It is no armoured signature, or a larger one than any.
pub fn dearmored(text: &[u8]) -> Result<Vec<u8>, Bad> {
    if text.len() > SIZE_MAX * 2 {
        return Err(malformed(format!("it has {} bytes", text.len())));
    }
    let mut bytes = Vec::new();
    let kind = armor::ReaderMode::Tolerant(Some(armor::Kind::Signature));
    match armor::Reader::from_bytes(text, kind).take(SIZE_MAX as u64 + 1).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(malformed(plain(&error.to_string()))),
    }
}

/// Detached signatures whose data is passing by.
pub struct Detached {
    signatures: Result<Vec<Pending>, Bad>,
}

struct Pending {
    signature: Signature,
    /// What was hashed so far; or why nothing needs to be.
    context: Result<hash::Context, Bad>,
}

impl Detached {
    /// Reads signatures in their binary form, one behind the other.
    #[must_use]
    pub fn of(signatures: &[u8]) -> Self {
        Self { signatures: read(signatures) }
    }

    /// Takes the next bytes of what was signed.
    pub fn update(&mut self, data: &[u8]) {
        for pending in self.signatures.iter_mut().flatten() {
            if let Ok(context) = &mut pending.context {
                context.update(data);
            }
        }
    }

    /// Says at which instant after `now` [`Detached::judge`] may find another verdict, by the same certificates and over
    /// the same bytes; until then it finds what it finds at `now`. `None` if it never will.
    #[must_use]
    pub fn changes_after(&self, known: &[&Certificate], now: Timestamp) -> Option<Timestamp> {
        let pending = self.signatures.iter().flatten();
        let made = pending.flat_map(|pending| {
            let mut instants = instants::of_signature(&pending.signature);
            let tolerated: Vec<_> = instants.iter().filter_map(|made| made.checked_sub(AHEAD).ok()).collect();
            instants.extend(tolerated);
            instants
        });
        let known = known.iter().flat_map(|certificate| instants::of_certificate(&certificate.cert));
        made.chain(known).filter(|instant| *instant > now).min()
    }

    /// Judges all signatures over what has passed, as of `now`; there is always at least one verdict.
    #[must_use]
    pub fn judge(self, known: &[&Certificate], now: Timestamp) -> Vec<Verdict> {
        match self.signatures {
            Err(bad) => vec![Err(bad)],
            Ok(signatures) => signatures.into_iter().map(|pending| pending.judge(known, now)).collect(),
        }
    }
}

impl fmt::Debug for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.signatures.iter().flatten().map(|pending| &pending.signature);
        f.debug_list().entries(all).finish()
    }
}

/// Reads a run of signatures, and nothing but signatures.
fn read(bytes: &[u8]) -> Result<Vec<Pending>, Bad> {
    if bytes.len() > SIZE_MAX {
        return Err(malformed(format!("it has {} bytes, {SIZE_MAX} are allowed", bytes.len())));
    }
    let failed = |error: sequoia_openpgp::anyhow::Error| malformed(plain(&format!("{error:#}")));
    let builder = PacketParserBuilder::from_bytes(bytes).map_err(failed)?;
    let mut next = builder.dearmor(Dearmor::Disabled).max_recursion_depth(0).build().map_err(failed)?;
    let mut found = Vec::new();
    while let PacketParserResult::Some(parser) = next {
        let (packet, rest) = parser.next().map_err(failed)?;
        next = rest;
        match packet {
            Packet::Signature(_) if found.len() >= COUNT_MAX => {
                return Err(malformed(format!("there are more than {COUNT_MAX}")));
            }
            Packet::Signature(signature) => found.push(Pending::of(signature)),
            Packet::Unknown(unknown) => {
                let why = plain(&format!("{:#}", unknown.error()));
                return Err(Bad::new(Code::SignatureUnsupported, None, format!("it cannot be read: {why}")));
            }
            other => return Err(malformed(format!("it holds a packet of the kind `{}`", other.tag()))),
        }
    }
    if found.is_empty() {
        return Err(malformed("it holds no signature".to_owned()));
    }
    Ok(found)
}

impl Pending {
    fn of(signature: Signature) -> Self {
        let context = Self::context_of(&signature);
        Self { signature, context }
    }

    /// Says what to hash with; `Err` if no bytes could make the signature good.
    fn context_of(signature: &Signature) -> Result<hash::Context, Bad> {
        let issuer = issuer(signature);
        let unsupported = |words: String| Err(Bad::new(Code::SignatureUnsupported, issuer.clone(), words));
        if !matches!(signature.version(), 3 | 4) {
            return unsupported(format!("it is of version {}, 3 and 4 are known", signature.version()));
        }
        if signature.typ() != SignatureType::Binary {
            return unsupported(format!("it is no signature of bytes but `{}`", signature.typ()));
        }
        let hash = signature.hash_algo();
        if policy::is_weak(hash) {
            return Err(Bad::new(
                Code::WeakDigest,
                issuer,
                format!("it was made of {hash}, which is too weak"),
            ));
        }
        match hash.context() {
            Ok(builder) => Ok(builder.for_signature(signature.version())),
            Err(_) => unsupported(format!("its digest `{hash}` is not known")),
        }
    }

    fn judge(self, known: &[&Certificate], now: Timestamp) -> Verdict {
        let issuer = issuer(&self.signature);
        let issuers = self.signature.get_issuers();
        let names = |key: &AnyKey<'_>| {
            issuers.iter().any(|issuer| issuer.aliases(KeyHandle::from(key.key().fingerprint())))
        };
        let mut found = known
            .iter()
            .flat_map(|certificate| certificate.cert.keys().map(|key| (*certificate, key)))
            .filter(|(_, key)| names(key))
            .peekable();
        if found.peek().is_none() {
            let words = match &issuer {
                Some(issuer) => format!("it was made by key `{issuer}`, which is not known here"),
                None => "it does not say by which key it was made".to_owned(),
            };
            return Err(Bad::new(Code::UnknownKey, issuer, words));
        }
        let context = self.context?;
        // An identifier of eight bytes may fit several keys; the bytes fit one.
        let mut told = None;
        for (certificate, key) in found {
            match judge_by(&self.signature, &context, certificate, &key, now) {
                Ok(good) => return Ok(good),
                Err(bad) if told.is_none() || bad.code != Code::BadSignature => told = Some(bad),
                Err(_) => {}
            }
        }
        Err(told.expect("at least one key was tried"))
    }
}

/// Judges a signature by one key that it may have been made by.
fn judge_by(
    signature: &Signature,
    context: &hash::Context,
    certificate: &Certificate,
    key: &AnyKey<'_>,
    now: Timestamp,
) -> Verdict {
    let fingerprint = certificate.fingerprint();
    let bad = |code, words: String| Err(Bad::new(code, Some(fingerprint.to_string()), words));
    let Some(made) = signature.signature_creation_time().map(policy::timestamp) else {
        return bad(Code::SignatureMalformed, "it does not say when it was made".to_owned());
    };
    if let Some(short) = policy::short_key(key.key()) {
        return bad(Code::ShortKey, format!("it was made by {short}"));
    }
    if policy::timestamp(key.key().creation_time()) <= made
        && signature.verify_hash(key.key(), context.clone()).is_err()
    {
        return bad(Code::BadSignature, format!("key `{fingerprint}` did not sign these bytes"));
    }
    // Whoever signs may be a little ahead: then his clock is taken for ours.
    let now = if made > now && made.duration_since(now) <= AHEAD { made } else { now };
    if made > now {
        return bad(Code::SignatureFromFuture, format!("it is dated {made}, in the future"));
    }
    standing::check_now(&certificate.cert, key, now)?;
    standing::check_then(&certificate.cert, key, made, now)?;
    if let Some(ended) =
        signature.signature_expiration_time().map(policy::timestamp).filter(|end| *end <= now)
    {
        return bad(Code::SignatureExpired, format!("it says that it counts until {ended} only"));
    }
    let strict = policy::strict(now);
    if let Err(error) = strict.signature(signature, HashAlgoSecurity::CollisionResistance) {
        return bad(
            Code::SignatureUnsupported,
            format!("it demands what is not known: {}", plain(&format!("{error:#}"))),
        );
    }
    Ok(Good {
        key: Fingerprint::of(&key.key().fingerprint()),
        made,
        hash: signature.hash_algo().to_string(),
        algorithm: key.key().pk_algo().to_string(),
        bits: policy::bits(key.key()),
        fingerprint,
    })
}

/// Names the key a signature says it was made by, the longest name first.
fn issuer(signature: &Signature) -> Option<String> {
    signature.get_issuers().into_iter().map(|issuer| issuer.to_hex()).max_by_key(String::len)
}

fn malformed(words: String) -> Bad {
    Bad::new(Code::SignatureMalformed, None, words)
}
