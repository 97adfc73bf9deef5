//! Signed metadata: a program outside of the daemon signs each repomd.xml, and nothing is published that does not verify.
//!
//! ```text
//!   repomd.xml --stdin--> signer --stdout--> repomd.xml.asc --verified by the key that is wanted--> draft
//! ```
//!
//! The daemon holds no private key. While the signer fails, the requests that need a signature wait and all others pass;
//! it is asked again after a pause that grows.

mod announced;
mod fault;
mod process;
mod rest;

pub use announced::Announced;
pub(crate) use announced::signed_by;
pub use fault::{Fault, FaultCode, table};
pub use process::{Begun, Programs};
pub(crate) use rest::Signing;
pub use rest::{Resting, resting};

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use signatures::{Bad, Code, verify_detached};
use store::planted::{self, Bug};

use crate::config::{Key, Signer};

/// The name of a signature, in the directory of the repomd.xml it is of.
pub const SIGNATURE: &str = "repomd.xml.asc";

/// The name of the file with the certificates that are announced, beside the signature.
pub const CERTIFICATES: &str = "repomd.xml.key";

/// The largest signature that is taken, in bytes; one of RSA 4096 has 833.
pub const SIGNATURE_SIZE_MAX: usize = 64 << 10;

/// How many signers run at a time: most of them wait for one agent or one device anyway.
const AT_A_TIME: usize = 4;

/// One repomd.xml that is to be signed.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The repository, by the path it is published at.
    pub path: &'a str,
    /// The bytes to be signed.
    pub bytes: &'a [u8],
    /// The key the signature must verify by.
    pub key: &'a Key,
}

/// Whoever makes signatures.
pub trait MetadataSigner: fmt::Debug + Send + Sync {
    /// Asks for the detached signature of `job`, as `how` says; all that `begun` is handed to share the time that it
    /// allows. What comes back is not verified.
    fn sign(&self, how: &Signer, job: &Job<'_>, begun: &Begun) -> Result<Vec<u8>, Fault>;
}

/// Has everything signed, several at a time and within the signer's time in all, and verifies each signature; gives them
/// in the order of the jobs.
///
/// After the first fault nothing more is asked for; it comes back with the path of its repository.
pub(crate) fn sign_all(
    signer: &dyn MetadataSigner,
    how: &Signer,
    jobs: &[Job<'_>],
    now: Timestamp,
) -> Result<Vec<Vec<u8>>, (String, Fault)> {
    let (next, begun) = (AtomicUsize::new(0), Begun::default());
    let made = Mutex::new(vec![Vec::new(); jobs.len()]);
    let failed: Mutex<Option<(String, Fault)>> = Mutex::new(None);
    let work = || {
        while failed.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(number) else { return };
            let signed = allowed(job, now).and_then(|()| signer.sign(how, job, &begun));
            let signed = signed.and_then(|bytes| verified(job, bytes, now));
            match signed {
                Ok(bytes) => made.lock().unwrap_or_else(PoisonError::into_inner)[number] = bytes,
                Err(fault) => {
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    failed.get_or_insert((job.path.to_owned(), fault));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        // This thread works, too: one signature needs no other.
        (1..jobs.len().min(AT_A_TIME)).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(fault) => Err(fault),
        None => Ok(made.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

/// Says whether the configuration lets the key count now: what it must not sign it is not asked to.
fn allowed(job: &Job<'_>, now: Timestamp) -> Result<(), Fault> {
    let Key { name, from, until, .. } = job.key;
    match (from, until) {
        _ if job.key.is_allowed_at(now) => Ok(()),
        (Some(from), _) if *from > now => {
            Err(Fault::new(FaultCode::NotAllowed, format!("the key `{name}` counts from {from} on")))
        }
        _ => {
            let until = until.map_or_else(String::new, |until| format!(": its `until` was {until}"));
            Err(Fault::new(FaultCode::NotAllowed, format!("the key `{name}` counts no more{until}")))
        }
    }
}

/// Gives the signature back if it is one of the bytes by the key that is wanted.
fn verified(job: &Job<'_>, signature: Vec<u8>, now: Timestamp) -> Result<Vec<u8>, Fault> {
    if signature.len() > SIGNATURE_SIZE_MAX {
        return Err(Fault::too_large());
    }
    if !signature.trim_ascii_start().starts_with(b"-----BEGIN PGP SIGNATURE-----") {
        let words = format!("what came back is no armoured signature: `{}`", begin(&signature));
        return Err(Fault::new(FaultCode::Rubbish, words));
    }
    let Some(certificate) = job.key.certificate.as_deref() else {
        return Err(Fault::new(FaultCode::NotAllowed, format!("nobody read the key `{}`", job.key.name)));
    };
    if planted::is(Bug::SignatureNotVerified) {
        return Ok(signature);
    }
    match verify_detached(job.bytes, &signature, &[certificate], now) {
        Ok(_) => Ok(signature),
        Err(bad) => Err(refused(job, &bad)),
    }
}

/// Says what is wrong with what came back, by its first signature.
fn refused(job: &Job<'_>, all_bad: &[Bad]) -> Fault {
    let Some(bad) = all_bad.first() else {
        return Fault::new(FaultCode::Rubbish, "what came back holds no signature");
    };
    let (key, fingerprint) = (&job.key.name, &job.key.fingerprint);
    match bad.code {
        Code::UnknownKey => {
            let words = format!("it is signed by another key than `{key}` ({fingerprint}): {}", bad.words);
            Fault::new(FaultCode::OtherKey, words)
        }
        Code::BadSignature => {
            Fault::new(FaultCode::Wrong, format!("the signature is not one of these bytes: {}", bad.words))
        }
        Code::SignatureMalformed => {
            Fault::new(FaultCode::Rubbish, format!("what came back is no signature: {}", bad.words))
        }
        code => {
            let words = format!("the signature by `{key}` does not count, {}: {}", code.as_str(), bad.words);
            Fault::new(FaultCode::Refused, words)
        }
    }
}

/// Shows how something begins that nobody understands.
fn begin(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).escape_debug().to_string()
}

/// The path of the repomd.xml, the signature, or of the certificates, of the repository at `path`.
pub(crate) fn beside_repomd(path: &str, name: &str) -> Utf8PathBuf {
    Utf8Path::new(path).join("repodata").join(name)
}
