//! What a stage says of its keys: the one that signs its metadata, and those that are announced beside it.

use super::{CERTIFICATES, Job};
use crate::config::Key;
use crate::error::Error;

/// By whom the metadata of a stage is signed, and whom clients are told to trust.
#[derive(Debug)]
pub struct Announced {
    /// The key that signs.
    pub signs: Key,
    /// The certificates of all of them, armoured: what `repomd.xml.key` says.
    pub certificates: Vec<u8>,
    /// What is recorded of it.
    words: String,
}

impl Announced {
    /// Puts keys together that were read, of which the first signs; there is at least one.
    pub fn of(keys: &[&Key]) -> Result<Self, Error> {
        let (mut fingerprints, mut certificates) = (Vec::new(), Vec::new());
        for key in keys {
            let certificate = key.certificate.as_ref().ok_or(Error::KeysNotRead)?;
            let armored = certificate
                .armored()
                .map_err(|error| Error::Key { name: key.name.clone(), reason: error.to_string() })?;
            let armored = format!("{}\n", armored.trim());
            certificates.extend_from_slice(armored.as_bytes());
            fingerprints.push(key.fingerprint.to_string());
        }
        let first = keys.first().ok_or(Error::KeysNotRead)?;
        let digest = repo::sha256(&certificates);
        let words = format!("signed={} {CERTIFICATES}={digest}", fingerprints.join(","));
        Ok(Self { signs: Key::clone(first), certificates, words })
    }

    /// Gives the words to be recorded: metadata is signed anew when they change.
    pub(crate) fn recorded(&self) -> &str {
        &self.words
    }

    /// Describes what is to be signed of a repository.
    pub(crate) fn job<'a>(&'a self, path: &'a str, bytes: &'a [u8]) -> Job<'a> {
        Job { path, bytes, key: &self.signs }
    }
}

/// Finds in what was recorded of a repository the fingerprints of its keys; the first signed.
pub(crate) fn signed_by(form: Option<&str>) -> Option<Vec<&str>> {
    let words = form?.split(' ').find_map(|word| word.strip_prefix("signed="))?;
    Some(words.split(',').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signed_is_found_in_what_was_recorded() {
        assert_eq!(signed_by(None), None);
        assert_eq!(signed_by(Some("zstd sha256 databases")), None);
        let form = "gzip sha256 metalink signed=AB,CD repomd.xml.key=0123";
        assert_eq!(signed_by(Some(form)), Some(vec!["AB", "CD"]));
    }
}
