//! I5, its first half: where metadata is signed, the signature verifies over the repomd.xml it lies beside.

use camino::Utf8Path;
use jiff::Timestamp;
use nevra::Sha256;
use signatures::{Certificate, verify_detached};

use super::chain::Kept;
use super::{Known, Look};
use crate::account::Shelved;
use crate::signing::{CERTIFICATES, SIGNATURE, beside_repomd, signed_by};

/// What begins each certificate of a file with several.
const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// The files that belong together, in this order.
const TRIPLE: [&str; 3] = ["repomd.xml", SIGNATURE, CERTIFICATES];

/// The digests of a repomd.xml, its signature and its certificates.
pub(super) type Triple = [Sha256; 3];

impl Look<'_> {
    /// Verifies the signature of every repository and view of a generation; where none is recorded there must be none.
    pub(super) fn signatures(&mut self, generation: &Kept, known: &mut Known) {
        for (_, shelved) in generation.account.listings() {
            let shelved = &shelved;
            let recorded = |name| generation.files.public.get(beside_repomd(&shelved.path, name).as_str());
            let there = TRIPLE.map(|name| recorded(name).map(|facts| facts.sha256));
            let place =
                |name| format!("public/@{}/{}", generation.number, beside_repomd(&shelved.path, name));
            let Some(fingerprints) = signed_by(shelved.form.as_deref()) else {
                for name in [SIGNATURE, CERTIFICATES] {
                    if recorded(name).is_some() {
                        self.broken(
                            "I5",
                            place(name),
                            "it is there, and no key is recorded by which it was made",
                        );
                    }
                }
                continue;
            };
            let [Some(repomd), Some(signature), Some(certificates)] = there else {
                self.broken(
                    "I5",
                    place(SIGNATURE),
                    "the metadata is signed, and this or its key is not there",
                );
                continue;
            };
            let triple = [repomd, signature, certificates];
            if known.signatures.contains(&triple) {
                continue;
            }
            let top = self.root.join(format!("public/@{}", generation.number));
            match self.signed(&top, shelved, &fingerprints, generation.manifest.created) {
                Ok(()) => drop(known.signatures.insert(triple)),
                Err(words) => self.broken("I5", place(SIGNATURE), words),
            }
        }
    }

    /// Verifies one, by the keys that were recorded, at the instant at which it was published.
    fn signed(
        &self,
        top: &Utf8Path,
        shelved: &Shelved,
        fingerprints: &[&str],
        created: Timestamp,
    ) -> Result<(), String> {
        let read = |name| self.read(&top.join(beside_repomd(&shelved.path, name)));
        let [repomd, signature, certificates] = [read(TRIPLE[0])?, read(TRIPLE[1])?, read(TRIPLE[2])?];
        let text = std::str::from_utf8(&certificates).map_err(|_| format!("`{CERTIFICATES}` is no text"))?;
        let mut keys = Vec::new();
        for block in text.split(BEGIN).skip(1) {
            let key = Certificate::parse(format!("{BEGIN}{block}").as_bytes());
            keys.push(key.map_err(|error| format!("`{CERTIFICATES}`: {error}"))?);
        }
        let found: Vec<String> = keys.iter().map(|key| key.fingerprint().to_string()).collect();
        if found != fingerprints {
            return Err(format!("`{CERTIFICATES}` holds {found:?}, and {fingerprints:?} are recorded"));
        }
        let first = keys.first().ok_or_else(|| format!("`{CERTIFICATES}` holds no key"))?;
        let verified = verify_detached(&repomd, &signature, &[first], created);
        let words = |bad: &signatures::Bad| format!("{} ({})", bad.words, bad.code.as_str());
        verified.map(drop).map_err(|bad| bad.iter().map(words).collect::<Vec<_>>().join("; "))
    }
}
