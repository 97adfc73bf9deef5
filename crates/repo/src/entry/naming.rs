//! What a package is called in metadata: the digest of its file, by an algorithm that the clients know.

use std::sync::Arc;

use nevra::Digest;

use super::Entry;
use crate::Document;
use crate::error::Error;
use crate::fragments::{Fragments, Slice, checksum_element};
use crate::glance::glance;

impl Entry {
    /// Lists the same package under another name: the digest of the same file by another algorithm.
    ///
    /// # Errors
    ///
    /// The entry was made by hand and its fragments are no package.
    pub fn named(&self, pkgid: Digest) -> Result<Self, Error> {
        if pkgid == self.pkgid {
            return Ok(self.clone());
        }
        let old = &*self.fragments.primary;
        let checksum = glance(old)?.checksum;
        let mut primary = Vec::with_capacity(old.len() + pkgid.hex.len());
        primary.extend_from_slice(&old[..checksum.start]);
        checksum_element(&mut primary, &pkgid);
        primary.extend_from_slice(&old[checksum.end..]);
        let fragments = Fragments {
            primary: Slice::from(primary),
            filelists: self.renamed(Document::Filelists, &self.fragments.filelists, &pkgid)?,
            other: self.renamed(Document::Other, &self.fragments.other, &pkgid)?,
        };
        Ok(Self { pkgid, fragments: Arc::new(fragments), ..self.clone() })
    }

    /// Replaces the digest in the start tag of a fragment of filelists or other.
    fn renamed(&self, document: Document, fragment: &Slice, pkgid: &Digest) -> Result<Slice, Error> {
        let tag = &fragment[..memchr::memchr(b'>', fragment).unwrap_or(fragment.len())];
        let at = memchr::memmem::find(tag, self.pkgid.hex.as_bytes()).ok_or_else(|| Error::Xml {
            document,
            offset: 0,
            problem: format!("the package is not named `{}`", self.pkgid.hex),
        })?;
        let mut renamed = Vec::with_capacity(fragment.len());
        renamed.extend_from_slice(&fragment[..at]);
        renamed.extend_from_slice(pkgid.hex.as_bytes());
        renamed.extend_from_slice(&fragment[at + self.pkgid.hex.len()..]);
        Ok(Slice::from(renamed))
    }
}

#[cfg(test)]
mod tests;
