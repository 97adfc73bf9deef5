//! The signatures of one package: which there are, what they are made of, and what the digests beside them say.
//!
//! rpm looks at what is there; a package with nothing but a digest passes it, and so does a payload that no digest
//! covers. Here everything is told, and the gate decides.

use std::io::{self, Read};

use jiff::Timestamp;
use nevra::Algorithm;
use plan::{Flaw, FlawKind, Payload, Signed};
use repo::{Hasher, Head};
use serde::{Deserialize, Serialize};
use signatures::{Certificate, Code, Detached, Verdict};

use super::{Judged, Unfit, head_of};

/// The tags of signatures: number, whether of header and payload, whether RSA's.
const TAGS: [(u32, bool, bool); 4] =
    [(268, false, true), (267, false, false), (1002, true, true), (1005, true, false)];

/// The tag of the MD5 of header and payload.
const MD5: u32 = 1004;

/// The algorithms that rpm before 4.19 can verify.
const ALGORITHMS: [&str; 3] = ["RSA", "DSA", "EdDSA"];

/// What a worker is asked beside the package.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// By which certificates to judge, armoured.
    pub(super) certificates: Vec<String>,
    /// As of when.
    pub(super) now: Timestamp,
}

/// Reads a package to its end and judges its signatures; `Err` if the disk is at fault.
pub(super) fn examine(
    file: &mut dyn Read,
    known: &[&Certificate],
    now: Timestamp,
) -> io::Result<Result<Judged, Unfit>> {
    let head = match head_of(file)? {
        Ok(head) => head,
        Err(unfit) => return Ok(Err(unfit)),
    };
    let mut found: Vec<(bool, bool, Detached)> = Vec::new();
    for (tag, of_payload, is_rsa) in TAGS {
        if let Some(bytes) = head.signature_bytes(tag) {
            let mut detached = Detached::of(bytes);
            detached.update(head.header_bytes());
            found.push((of_payload, is_rsa, detached));
        }
    }
    let stated = head.payload_digest();
    let mut payload = stated.as_ref().map(|digest| Hasher::new(digest.algorithm));
    let mut both = head.signature_bytes(MD5).map(|_| Hasher::new(Algorithm::Md5));
    if let Some(both) = &mut both {
        both.update(head.header_bytes());
    }
    let mut buffer = vec![0; 1 << 16];
    loop {
        let piece = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => &buffer[..count],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        [&mut payload, &mut both].into_iter().flatten().for_each(|hasher| hasher.update(piece));
        found.iter_mut().filter(|(of_payload, ..)| *of_payload).for_each(|(.., one)| one.update(piece));
    }
    let signs_payload = found.iter().any(|(of_payload, ..)| *of_payload);
    let payload = judged_payload(&head, payload, both, signs_payload);
    let until = found.iter().filter_map(|(.., detached)| detached.changes_after(known, now)).min();
    let signatures = found.into_iter().map(|(_, is_rsa, detached)| only(detached.judge(known, now), is_rsa));
    Ok(Ok(Judged { signed: Signed { payload, signatures: signatures.collect() }, until }))
}

/// Compares what was hashed with what is stated. Hosts demand digests of header and payload beside any signature.
fn judged_payload(
    head: &Head,
    payload: Option<Hasher>,
    both: Option<Hasher>,
    signs_payload: bool,
) -> Payload {
    let has_md5 = both.is_some();
    if let (Some(stated), Some(computed)) = (head.signature_bytes(MD5), both) {
        let stated = nevra::to_hex(stated);
        let computed = computed.finish().hex;
        if stated != computed {
            return Payload::Tampered(format!(
                "header and payload have the MD5 {computed}, the package states {stated}"
            ));
        }
    }
    let states_header = matches!(head.check_header(), Ok(Some(_))) || has_md5;
    let weak = [Algorithm::Md5, Algorithm::Sha, Algorithm::Sha1];
    match (head.payload_digest(), payload.map(Hasher::finish)) {
        (Some(stated), Some(computed)) if stated != computed => {
            Payload::Tampered(format!("the payload has the digest {computed}, the header states {stated}"))
        }
        _ if !states_header => Payload::NoDigest("it states no digest of its header".to_owned()),
        (Some(stated), Some(_)) if !weak.contains(&stated.algorithm) => Payload::Whole,
        // As rpm 3 did it: the signature covers both, and so does the digest that hosts demand.
        _ if signs_payload && has_md5 => Payload::Whole,
        (Some(stated), _) => Payload::NoDigest(format!(
            "its header states a digest of the payload by {} only",
            stated.algorithm
        )),
        _ => Payload::NoDigest("it states no digest of its payload".to_owned()),
    }
}

/// Takes the verdict of a tag, which holds one signature of the kind the tag is for: rpm reads no more.
fn only(verdicts: Vec<Verdict>, is_rsa: bool) -> Result<String, Flaw> {
    let bad = |words: String| Err(Flaw { kind: FlawKind::Bad, words });
    let count = verdicts.len();
    match verdicts.into_iter().next() {
        Some(Ok(_)) if count > 1 => bad(format!("{count} signatures stand where rpm reads one")),
        Some(Ok(good)) if !ALGORITHMS.contains(&good.algorithm.as_str()) => {
            bad(format!("it was made by {}, which rpm before 4.19 does not know", good.algorithm))
        }
        Some(Ok(good)) if (good.algorithm == "RSA") != is_rsa => {
            bad(format!("it was made by {} and stands where another algorithm belongs", good.algorithm))
        }
        Some(Ok(good)) => Ok(good.fingerprint.to_string()),
        Some(Err(bad)) => Err(Flaw { kind: kind_of(bad.code), words: bad.words }),
        None => bad("it holds no signature".to_owned()),
    }
}

fn kind_of(code: Code) -> FlawKind {
    match code {
        Code::UnknownKey => FlawKind::UnknownKey,
        Code::KeyExpired | Code::KeyNotYetValid | Code::KeyNotValidThen | Code::SignatureExpired => {
            FlawKind::Expired
        }
        Code::KeyRevoked | Code::SubkeyRevoked => FlawKind::Revoked,
        Code::KeyNotForSigning | Code::KeyNotBound | Code::ShortKey => FlawKind::WeakKey,
        Code::WeakDigest => FlawKind::WeakDigest,
        Code::BadSignature
        | Code::SignatureMalformed
        | Code::SignatureUnsupported
        | Code::SignatureFromFuture => FlawKind::Bad,
    }
}
