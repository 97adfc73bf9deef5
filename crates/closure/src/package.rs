//! A package as far as its relations to others go.

use nevra::{Dependency, Nevra};
use serde::{Deserialize, Serialize};

/// What one package says about others, and the files it brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Name, epoch, version, release and architecture.
    pub nevra: Nevra,
    /// What it provides; its own name in its own version is provided whether it stands here or not.
    pub provides: Vec<Dependency>,
    /// What it requires; a rich dependency is one name in parentheses, a file one that begins with `/`.
    pub requires: Vec<Dependency>,
    /// What it conflicts with.
    pub conflicts: Vec<Dependency>,
    /// What it obsoletes: names of packages.
    pub obsoletes: Vec<Dependency>,
    /// Its files.
    pub files: Vec<File>,
}

impl Package {
    /// Makes a package that says nothing yet.
    #[must_use]
    pub fn new(nevra: Nevra) -> Self {
        let (provides, requires, conflicts, obsoletes) = (vec![], vec![], vec![], vec![]);
        Self { nevra, provides, requires, conflicts, obsoletes, files: vec![] }
    }

    /// Writes name and version as people do, `voms 1.9.10-1`; the architecture only where it is a second one.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Nevra { name, evr, arch } = &self.nevra;
        match arch.as_str() {
            "i386" | "i486" | "i586" | "i686" | "athlon" => format!("{name} {evr} ({arch})"),
            _ => format!("{name} {evr}"),
        }
    }
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its absolute path.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// What it holds, if that is known: repository metadata does not tell, headers do.
    pub contents: Option<Contents>,
}

/// What a packaged file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FileKind {
    /// A file, a link, a device.
    File,
    /// A directory.
    Directory,
    /// A file that is owned and not brought.
    Ghost,
}

/// What rpm compares when two packages bring the same path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Type and permissions, as in a header.
    pub mode: u16,
    /// The owner's name.
    pub user: String,
    /// The group's name.
    pub group: String,
    /// The size in bytes.
    pub size: u64,
    /// The digest of a regular file with its algorithm in front, the target of a link, the number of a device; else empty.
    pub text: String,
    /// The word size of a binary as rpm counts it: 1 for 32 bit, 2 for 64 bit, 0 for what is none.
    pub colour: u8,
    /// Whether the file is owned and not brought; metadata tells it of files, only headers of directories too.
    pub ghost: bool,
}

impl Contents {
    /// Says whether rpm installs both at one path: nothing tells them apart, one is a ghost, or one is the 64-bit
    /// and the other the 32-bit build of a program, of which hosts with `both_word_sizes` take the first.
    #[must_use]
    pub fn shares_a_path_with(&self, other: &Self, both_word_sizes: bool) -> bool {
        let colours = (self.colour, other.colour);
        if self.ghost || other.ghost || both_word_sizes && matches!(colours, (1, 2) | (2, 1)) {
            return true;
        }
        let what = |contents: &Self| contents.mode & 0o170_000;
        let (link, directory, regular) = (0o120_000, 0o040_000, 0o100_000);
        let both_links = what(self) == link && what(other) == link;
        let same_mode = both_links || self.mode == other.mode;
        let sized = what(self) == regular || what(self) == link;
        same_mode
            && (!sized || self.size == other.size)
            && self.user == other.user
            && self.group == other.group
            && (what(self) == directory || self.text == other.text)
    }
}
