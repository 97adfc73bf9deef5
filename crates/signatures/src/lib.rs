//! OpenPGP certificates and detached signatures: bytes and a time go in, verdicts come out.
//!
//! ```text
//! RPM-GPG-KEY-... --Certificate::parse--> Certificate --+
//! repomd.xml.asc --------------------verify_detached----+--> Good (which key, when, how)
//! a package's signature --Detached--data piece by piece-+--> Bad  (a stable code, and words)
//! ```
//!
//! A signature is good here if its bytes fit and every question about its key has the right answer *now*: neither
//! primary key nor subkey is expired or revoked, whatever the reason given; the subkey is bound, may sign, and has
//! signed that it belongs to the primary key; none of those signatures rests on MD5, SHA-1 or RIPEMD-160; no key is
//! short (RSA and DSA below 2048 bits); and where the certificate still tells of the time at which the signature was
//! made, the key was valid then too. Most of that neither rpm 4.18 nor `gpg --verify` asks.
//!
//! Everything read is bounded, and no clock is asked: `now` is an argument. Whoever remembers a verdict asks
//! [`Detached::changes_after`] until when it holds.
//!
//! ```
//! use signatures::{Certificate, Code, verify_detached};
//!
//! let key = Certificate::parse(include_bytes!("samples/packages.asc"))?;
//! assert_eq!(key.fingerprint().to_string(), "F7612F0B3C1D0056060DFA4F2D287F441A9678FC");
//!
//! let (data, signature) = (include_bytes!("samples/list"), include_bytes!("samples/list.asc"));
//! let now = "2026-03-01T00:00:00Z".parse()?;
//! let good = verify_detached(data, signature, &[&key], now).expect("it is the list that was signed");
//! assert_eq!((good.fingerprint, good.hash.as_str()), (key.fingerprint(), "SHA256"));
//!
//! let all_bad = verify_detached(b"another list", signature, &[&key], now).unwrap_err();
//! assert_eq!(all_bad[0].code, Code::BadSignature);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificate;
mod detached;
mod error;
mod fingerprint;
mod instants;
mod policy;
mod standing;
mod verdict;

pub use certificate::{Certificate, Key};
pub use detached::{Detached, dearmored, verify_detached};
pub use error::KeyError;
pub use fingerprint::Fingerprint;
pub use verdict::{Bad, Code, Good, Verdict};

#[cfg(test)]
mod tests;
