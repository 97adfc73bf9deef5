//! One package as repository metadata describes it.

use nevra::{Digest, Nevra};
use serde::{Deserialize, Deserializer, Serialize};

/// Everything primary, filelists and other say about one package.
///
/// Text is UTF-8 and free of the control characters XML cannot carry. Empty text stands for a tag
/// the header does not have: metadata does not tell the two apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name, epoch, version, release, architecture; `src` for every source package.
    pub nevra: Nevra,
    /// The digest of the whole file, by whatever algorithm the repository names packages.
    pub pkgid: Digest,
    /// Where the file lies, relative to the repository.
    pub href: String,
    /// One line about the package.
    pub summary: String,
    /// More lines about it.
    pub description: String,
    /// Who packaged it.
    pub packager: String,
    /// Where its project lives.
    pub url: String,
    /// Its licence.
    pub license: String,
    /// Who distributes it.
    pub vendor: String,
    /// Its group, a notion of old.
    pub group: String,
    /// The machine it was built on.
    pub build_host: String,
    /// The file name of the source package it was built from; empty for a source package.
    pub source_rpm: String,
    /// When the file was last changed, in seconds since 1970.
    pub time_file: i64,
    /// When the package was built, in seconds since 1970.
    pub time_build: i64,
    /// The size of the file in bytes.
    pub size_package: u64,
    /// The size of what it installs in bytes.
    pub size_installed: u64,
    /// The size of its payload once decompressed, in bytes.
    pub size_archive: u64,
    /// The offset in the file at which the header starts.
    pub header_start: u64,
    /// The offset in the file of the first byte behind the header.
    pub header_end: u64,
    /// What it provides.
    pub provides: Vec<Relation>,
    /// What it requires.
    pub requires: Vec<Relation>,
    /// What it conflicts with.
    pub conflicts: Vec<Relation>,
    /// What it obsoletes.
    pub obsoletes: Vec<Relation>,
    /// What it suggests.
    pub suggests: Vec<Relation>,
    /// What it enhances.
    pub enhances: Vec<Relation>,
    /// What it recommends.
    pub recommends: Vec<Relation>,
    /// What it supplements.
    pub supplements: Vec<Relation>,
    /// Its files, in the order of the header.
    pub files: Vec<File>,
    /// Its last ten changes, oldest first, no two of the same second.
    pub changelogs: Vec<Changelog>,
}

/// One capability a package provides, requires, conflicts with, and so on.
///
/// Epoch, version and release are text, and `None` where nothing is written: metadata is carried,
/// not tidied up. [`Relation::dependency`] gives the meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Relation {
    /// The capability.
    pub name: String,
    /// `EQ`, `LT`, `GT`, `LE` or `GE`; without it the three below are absent, too.
    pub flags: Option<&'static str>,
    /// The epoch.
    pub epoch: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// The release.
    pub release: Option<String>,
    /// Whether it must be there before the package is installed, not only before it is used.
    pub pre: bool,
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its absolute path.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
}

/// What a packaged file is, as far as metadata tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A file, a link, a device.
    File,
    /// A directory, ghost or not.
    Directory,
    /// A file the package owns but does not bring.
    Ghost,
}

/// One entry of a changelog.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changelog {
    /// Who, usually with address and version.
    pub author: String,
    /// When, in seconds since 1970.
    pub date: i64,
    /// What.
    pub text: String,
}

/// A relation on its way: its flags are any text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelationText {
    name: String,
    flags: Option<String>,
    epoch: Option<String>,
    version: Option<String>,
    release: Option<String>,
    pre: bool,
}

impl<'de> Deserialize<'de> for Relation {
    /// Takes for flags one of the five words that metadata knows, and no other.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = RelationText::deserialize(deserializer)?;
        let RelationText { name, flags, epoch, version, release, pre } = text;
        let known = |flags: String| {
            let known = ["EQ", "LT", "GT", "LE", "GE"].into_iter().find(|known| *known == flags);
            known.ok_or_else(|| serde::de::Error::custom("a comparison is none that metadata knows"))
        };
        Ok(Self { name, flags: flags.map(known).transpose()?, epoch, version, release, pre })
    }
}

impl File {
    /// Says whether primary lists this file, by the rule every repository follows: below `/etc/`,
    /// with `bin/` in its path, or `/usr/lib/sendmail`.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        is_primary_path(&self.path)
    }
}

/// The rule of [`File::is_primary`] on a path.
pub(crate) fn is_primary_path(path: &str) -> bool {
    path.starts_with("/etc/") || path.contains("bin/") || path == "/usr/lib/sendmail"
}

impl Relation {
    /// Gives the meaning: name and range.
    ///
    /// An epoch that is no number counts as absent. A version that is absent though there are
    /// flags means every version, as it does to rpm.
    #[must_use]
    pub fn dependency(&self) -> nevra::Dependency {
        let sense = self.flags.and_then(nevra::Sense::from_flag);
        let bound = sense.zip(self.version.as_ref()).map(|(sense, version)| nevra::Bound {
            sense,
            epoch: self.epoch.as_ref().and_then(|epoch| epoch.parse().ok()),
            version: version.clone(),
            release: self.release.clone(),
        });
        nevra::Dependency { name: self.name.clone(), bound }
    }
}
