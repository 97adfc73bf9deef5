//! A certificate: a primary key, its subkeys, and what they say of themselves.

use std::fmt;

use jiff::Timestamp;
use sequoia_openpgp::Cert;
use sequoia_openpgp::cert::CertParser;
use sequoia_openpgp::parse::Parse as _;
use sequoia_openpgp::serialize::SerializeInto as _;

use crate::standing::{self, plain};
use crate::{Bad, Fingerprint, KeyError, instants, policy};

/// The largest file that is read as a certificate: those of distributions have a few thousand bytes.
const SIZE_MAX: usize = 256 << 10;

/// One certificate, as `RPM-GPG-KEY-*` files hold it.
///
/// That it could be read says nothing about whether what it signs counts: see [`Certificate::standing`].
#[derive(Clone)]
pub struct Certificate {
    pub(crate) cert: Cert,
    bytes: Vec<u8>,
}

/// One key of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its own fingerprint.
    pub fingerprint: Fingerprint,
    /// Whether it is the primary key.
    pub primary: bool,
    /// `RSA`, `EdDSA`, ...
    pub algorithm: String,
    /// Its size; 256 for an elliptic curve of that size.
    pub bits: usize,
    /// When it says it was made.
    pub created: Timestamp,
    /// When it, or the primary key, ends, as far as is known.
    pub expires: Option<Timestamp>,
    /// Why it cannot sign anything that counts now, if it cannot.
    pub standing: Result<(), Bad>,
}

impl Certificate {
    /// Reads the one certificate of a file, armoured or binary.
    ///
    /// # Errors
    ///
    /// The file is too large, no certificate, several, or holds the secret key.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() > SIZE_MAX {
            return Err(KeyError::TooLarge { size: bytes.len(), limit: SIZE_MAX });
        }
        let malformed =
            |error: sequoia_openpgp::anyhow::Error| KeyError::Malformed { why: plain(&format!("{error:#}")) };
        let certs: Vec<Cert> =
            CertParser::from_bytes(bytes).map_err(malformed)?.collect::<Result<_, _>>().map_err(malformed)?;
        let [cert] = <[Cert; 1]>::try_from(certs).map_err(|certs| match certs.len() {
            0 => KeyError::Malformed { why: "it holds no certificate".to_owned() },
            count => KeyError::Several { count },
        })?;
        if cert.is_tsk() {
            return Err(KeyError::Secret);
        }
        let bytes = cert.to_vec().map_err(malformed)?;
        Ok(Self { cert, bytes })
    }

    /// Shows the fingerprint of the primary key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.cert.fingerprint())
    }

    /// Lists whom the certificate names, on one line each.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.cert.userids().map(|name| plain(&String::from_utf8_lossy(name.userid().value()))).collect()
    }

    /// Lists the keys that are there to sign, the primary key first, as they stand at `now`.
    #[must_use]
    pub fn keys(&self, now: Timestamp) -> Vec<Key> {
        let can_sign = |key: &sequoia_openpgp::types::PublicKeyAlgorithm| key.for_signing();
        let keys = self.cert.keys().filter(|key| can_sign(&key.key().pk_algo()));
        keys.map(|key| Key {
            fingerprint: Fingerprint::of(&key.key().fingerprint()),
            primary: sequoia_openpgp::cert::amalgamation::key::PrimaryKey::primary(&key),
            algorithm: key.key().pk_algo().to_string(),
            bits: policy::bits(key.key()),
            created: policy::timestamp(key.key().creation_time()),
            expires: standing::expires(&self.cert, &key, now),
            standing: standing::check_now(&self.cert, &key, now),
        })
        .collect()
    }

    /// Says why nothing that this certificate signs counts at `now`, if so: what is wrong with the best of its keys.
    ///
    /// # Errors
    ///
    /// None of its keys can sign anything that counts.
    pub fn standing(&self, now: Timestamp) -> Result<(), Bad> {
        let keys = self.keys(now);
        if keys.iter().any(|key| key.standing.is_ok()) {
            return Ok(());
        }
        // A primary key that only certifies says less than the subkey that signs.
        let told = keys.into_iter().rev().filter_map(|key| key.standing.err());
        let nothing = || Bad::new(crate::Code::KeyNotForSigning, None, "none of its keys can sign");
        told.min_by_key(|bad| bad.code == crate::Code::KeyNotForSigning).map_or_else(|| Err(nothing()), Err)
    }

    /// Says when the last of the keys that sign now ends; `None` if one of them never does, or none signs.
    #[must_use]
    pub fn expires(&self, now: Timestamp) -> Option<Timestamp> {
        let mut last = None;
        for key in self.keys(now).into_iter().filter(|key| key.standing.is_ok()) {
            last = last.max(Some(key.expires?));
        }
        last
    }

    /// Says at which instant after `now` the certificate may stand otherwise; until then it stands as it does at `now`.
    /// `None` if it never will.
    #[must_use]
    pub fn changes_after(&self, now: Timestamp) -> Option<Timestamp> {
        instants::of_certificate(&self.cert).into_iter().filter(|instant| *instant > now).min()
    }

    /// Shows the certificate as it is handed to clients: armoured, and no byte more than was read as certificate.
    ///
    /// # Errors
    ///
    /// The certificate holds something that cannot be written again.
    pub fn armored(&self) -> Result<String, KeyError> {
        let why = |error: sequoia_openpgp::anyhow::Error| KeyError::Malformed { why: error.to_string() };
        let bytes = self.cert.armored().to_vec().map_err(why)?;
        String::from_utf8(bytes).map_err(|error| KeyError::Malformed { why: error.to_string() })
    }

    /// Shows the certificate in its binary form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.fingerprint())
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Certificate {}
