//! What is wanted: parsed, complete, without a choice left open.

use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use nevra::Algorithm;
use repo::{Compression, Form, Tags};

use crate::retention::Retention;
use crate::{Excludes, Links, OtherLock};

/// Which repodata to make of what.
#[derive(Clone, Debug)]
pub struct Order {
    /// The directory of packages; absolute.
    pub input: Utf8PathBuf,
    /// The directory in which `repodata` is to be; absolute, often the same.
    pub output: Utf8PathBuf,
    /// Now, in seconds since 1970.
    pub now: i64,
    /// Which packages.
    pub selection: Selection,
    /// What names packages: the kind of digest of the whole file.
    pub package_digest: Algorithm,
    /// How many changes of a package that is read are listed, the latest.
    pub changes: usize,
    /// How primary, filelists and other are packed, hashed and named.
    pub form: Form,
    /// How comps and databases are packed beside them.
    pub beside: Beside,
    /// What stands before each package's place.
    pub placing: Placing,
    /// What `repomd.xml` calls this state; the time otherwise.
    pub revision: Option<String>,
    /// The time every file has, inside and out; now otherwise.
    pub timestamp: Option<i64>,
    /// Words about the repository.
    pub tags: Tags,
    /// Which repodata may spare reading a package; `None` reads them all.
    pub update: Option<Update>,
    /// Whether updateinfo, modules and whatever else the old `repomd.xml` names stay with it.
    pub keeps_additional: bool,
    /// What else of the old repodata stays.
    pub retention: Retention,
    /// How many packages are read at once.
    pub workers: NonZeroUsize,
    /// What becomes of a lock of createrepo_c.
    pub other_lock: OtherLock,
}

/// Which packages are listed.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these, by their place relative to the directory; nothing is looked for then.
    pub only: Option<Vec<String>>,
    /// Not these.
    pub excludes: Excludes,
    /// What becomes of links.
    pub links: Links,
}

/// What is made besides the three files.
#[derive(Clone, Debug)]
pub struct Beside {
    /// The comps file, relative to the directory of packages unless it is absolute.
    pub group_file: Option<Utf8PathBuf>,
    /// How comps is packed where it is packed.
    pub group: Compression,
    /// How databases for yum 3 are packed; `None` makes none.
    pub databases: Option<Compression>,
}

/// Where metadata says that packages lie.
#[derive(Clone, Debug, Default)]
pub struct Placing {
    /// Stands before the place of each package, with a slash between.
    pub prefix: Option<String>,
    /// The address places are relative to, if that is not the repository.
    pub base: Option<String>,
}

/// Which packages need not be read again.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// Directories that hold `repodata`, besides the one that is replaced; absolute.
    pub from: Vec<Utf8PathBuf>,
    /// Whether a package is believed to be the same if only its place is.
    pub skips_stat: bool,
}
