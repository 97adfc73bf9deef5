//! The kinds of metadata file, and what each of them begins and ends with.

use std::fmt;
use std::io::Write;

/// A kind of metadata file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Document {
    /// What a solver needs of each package.
    Primary,
    /// Every file of each package.
    Filelists,
    /// The changelog of each package.
    Other,
    /// The index of the three and of what lies beside them.
    Repomd,
    /// Where the index lies, and what it must be.
    Metalink,
    /// What updates are for.
    Updateinfo,
    /// Groups of packages.
    Comps,
}

impl Document {
    /// Shows the word that `repomd.xml` and file names use: `primary`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Filelists => "filelists",
            Self::Other => "other",
            Self::Repomd => "repomd",
            Self::Metalink => "metalink",
            Self::Updateinfo => "updateinfo",
            Self::Comps => "comps",
        }
    }

    /// Shows the name of the outermost element.
    pub(crate) fn root(self) -> &'static str {
        match self {
            Self::Primary => "metadata",
            Self::Filelists => "filelists",
            Self::Other => "otherdata",
            Self::Repomd => "repomd",
            Self::Metalink => "metalink",
            Self::Updateinfo => "updates",
            Self::Comps => "comps",
        }
    }

    /// Shows the namespace of elements without a prefix; updateinfo and comps have none.
    pub(crate) fn namespace(self) -> Option<&'static str> {
        match self {
            Self::Primary => Some("http://linux.duke.edu/metadata/common"),
            Self::Filelists => Some("http://linux.duke.edu/metadata/filelists"),
            Self::Other => Some("http://linux.duke.edu/metadata/other"),
            Self::Repomd => Some("http://linux.duke.edu/metadata/repo"),
            Self::Metalink => Some("http://www.metalinker.org/"),
            Self::Updateinfo | Self::Comps => None,
        }
    }

    /// Says whether the outermost element declares the prefix `rpm`.
    pub(crate) fn declares_rpm(self) -> bool {
        matches!(self, Self::Primary | Self::Repomd)
    }

    /// Shows everything before the first package, or before the revision.
    pub(crate) fn header(self, packages: usize) -> Vec<u8> {
        let mut header = Vec::with_capacity(256);
        let _ = write!(header, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{}", self.root());
        if let Some(namespace) = self.namespace() {
            let _ = write!(header, " xmlns=\"{namespace}\"");
        }
        if self.declares_rpm() {
            let _ = write!(header, " xmlns:rpm=\"{RPM_NAMESPACE}\"");
        }
        if self == Self::Metalink {
            let _ = write!(header, " xmlns:mm0=\"{ALTERNATES_NAMESPACE}\" version=\"3.0\" type=\"dynamic\"");
        }
        if matches!(self, Self::Primary | Self::Filelists | Self::Other) {
            let _ = write!(header, " packages=\"{packages}\"");
        }
        header.extend_from_slice(b">\n");
        header
    }

    /// Shows everything after the last package, or after the last record.
    ///
    /// Only the three with packages do not end with a newline.
    pub(crate) fn footer(self) -> &'static [u8] {
        match self {
            Self::Primary => b"</metadata>",
            Self::Filelists => b"</filelists>",
            Self::Other => b"</otherdata>",
            Self::Repomd => b"</repomd>\n",
            Self::Metalink => b"</metalink>\n",
            Self::Updateinfo => b"</updates>\n",
            Self::Comps => b"</comps>\n",
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The namespace of the prefix `rpm`.
pub(crate) const RPM_NAMESPACE: &str = "http://linux.duke.edu/metadata/rpm";

/// The namespace of the prefix `mm0`: what clients take besides the newest.
const ALTERNATES_NAMESPACE: &str = "http://fedorahosted.org/mirrormanager";
