//! How the metadata of a repository is written, apart from what it says.

use nevra::Algorithm;

use crate::Compression;

/// How metadata files are packed, hashed and named.
///
/// The default is what every client of the last fifteen years reads: gzip, SHA-256, and file names
/// that contain the checksum.
///
/// ```
/// use repo::{Compression, Form};
///
/// let form = Form { compression: Compression::Zstd, ..Form::default() };
/// assert_eq!(form.href("primary.xml", "3fa9"), "repodata/3fa9-primary.xml");
/// assert_eq!(Form { unique_names: false, ..form }.href("primary.xml", "3fa9"), "repodata/primary.xml");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Form {
    /// How primary, filelists and other are packed.
    pub compression: Compression,
    /// What hashes the metadata files. What names packages is a matter of the entries.
    pub checksum: Algorithm,
    /// Whether file names contain the checksum, so that one name never has two contents.
    pub unique_names: bool,
    /// Whether repomd.xml has an `open-checksum` of primary, filelists and other.
    pub open_checksums: bool,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            compression: Compression::Gzip,
            checksum: Algorithm::Sha256,
            unique_names: true,
            open_checksums: true,
        }
    }
}

impl Form {
    /// Names the place of a metadata file, relative to the repository.
    #[must_use]
    pub fn href(&self, file_name: &str, checksum_hex: &str) -> String {
        if self.unique_names {
            format!("repodata/{checksum_hex}-{file_name}")
        } else {
            format!("repodata/{file_name}")
        }
    }
}
