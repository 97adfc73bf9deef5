//! The tables of the three databases, as yum 3 expects them and createrepo_c writes them.
//!
//! SQLite keeps these texts in the database, so their spaces are part of the format.

/// What one database consists of.
pub(crate) struct Schema {
    /// `primary`, `filelists`, `other`.
    pub(crate) name: &'static str,
    /// The tables and the trigger, made before the rows.
    pub(crate) tables: &'static [&'static str],
    /// The indexes, made behind the rows: that is faster.
    pub(crate) indexes: &'static [&'static str],
}

const DB_INFO: &str = "CREATE TABLE db_info (dbversion INTEGER, checksum TEXT)";
const PKGIDS: &str = "CREATE TABLE packages (  pkgKey INTEGER PRIMARY KEY,  pkgId TEXT)";
const INDEX_OF_PKGIDS: &str = "CREATE INDEX pkgId ON packages (pkgId)";

pub(crate) const PRIMARY: Schema = Schema {
    name: "primary",
    tables: &[
        DB_INFO,
        "CREATE TABLE packages (  pkgKey INTEGER PRIMARY KEY,  pkgId TEXT,  name TEXT,  arch TEXT,  \
         version TEXT,  epoch TEXT,  release TEXT,  summary TEXT,  description TEXT,  url TEXT,  \
         time_file INTEGER,  time_build INTEGER,  rpm_license TEXT,  rpm_vendor TEXT,  rpm_group TEXT,  \
         rpm_buildhost TEXT,  rpm_sourcerpm TEXT,  rpm_header_start INTEGER,  rpm_header_end INTEGER,  \
         rpm_packager TEXT,  size_package INTEGER,  size_installed INTEGER,  size_archive INTEGER,  \
         location_href TEXT,  location_base TEXT,  checksum_type TEXT)",
        "CREATE TABLE files (  name TEXT,  type TEXT,  pkgKey INTEGER)",
        "CREATE TABLE requires (  name TEXT,  flags TEXT,  epoch TEXT,  version TEXT,  release TEXT,  \
         pkgKey INTEGER , pre BOOLEAN DEFAULT FALSE)",
        "CREATE TABLE provides (  name TEXT,  flags TEXT,  epoch TEXT,  version TEXT,  release TEXT,  \
         pkgKey INTEGER )",
        "CREATE TABLE conflicts (  name TEXT,  flags TEXT,  epoch TEXT,  version TEXT,  release TEXT,  \
         pkgKey INTEGER )",
        "CREATE TABLE obsoletes (  name TEXT,  flags TEXT,  epoch TEXT,  version TEXT,  release TEXT,  \
         pkgKey INTEGER )",
        "CREATE TABLE suggests (  name TEXT,  flags TEXT,  epoch TEXT,  version TEXT,  release TEXT,  \
         pkgKey INTEGER )",
        "CREATE TABLE enhances (  name TEXT,  flags TEXT,  epoch TEXT,  version TEXT,  release TEXT,  \
         pkgKey INTEGER )",
        "CREATE TABLE recommends (  name TEXT,  flags TEXT,  epoch TEXT,  version TEXT,  release TEXT,  \
         pkgKey INTEGER )",
        "CREATE TABLE supplements (  name TEXT,  flags TEXT,  epoch TEXT,  version TEXT,  release TEXT,  \
         pkgKey INTEGER )",
        "CREATE TRIGGER removals AFTER DELETE ON packages  BEGIN    \
         DELETE FROM files WHERE pkgKey = old.pkgKey;    \
         DELETE FROM requires WHERE pkgKey = old.pkgKey;    \
         DELETE FROM provides WHERE pkgKey = old.pkgKey;    \
         DELETE FROM conflicts WHERE pkgKey = old.pkgKey;    \
         DELETE FROM obsoletes WHERE pkgKey = old.pkgKey;    \
         DELETE FROM suggests WHERE pkgKey = old.pkgKey;    \
         DELETE FROM enhances WHERE pkgKey = old.pkgKey;    \
         DELETE FROM recommends WHERE pkgKey = old.pkgKey;    \
         DELETE FROM supplements WHERE pkgKey = old.pkgKey;  END",
    ],
    indexes: &[
        "CREATE INDEX packagename ON packages (name)",
        "CREATE INDEX packageId ON packages (pkgId)",
        "CREATE INDEX filenames ON files (name)",
        "CREATE INDEX pkgfiles ON files (pkgKey)",
        "CREATE INDEX pkgrequires on requires (pkgKey)",
        "CREATE INDEX requiresname ON requires (name)",
        "CREATE INDEX pkgprovides on provides (pkgKey)",
        "CREATE INDEX providesname ON provides (name)",
        "CREATE INDEX pkgconflicts on conflicts (pkgKey)",
        "CREATE INDEX pkgobsoletes on obsoletes (pkgKey)",
        "CREATE INDEX pkgsuggests on suggests (pkgKey)",
        "CREATE INDEX pkgenhances on enhances (pkgKey)",
        "CREATE INDEX pkgrecommends on recommends (pkgKey)",
        "CREATE INDEX pkgsupplements on supplements (pkgKey)",
    ],
};

pub(crate) const FILELISTS: Schema = Schema {
    name: "filelists",
    tables: &[
        DB_INFO,
        PKGIDS,
        "CREATE TABLE filelist (  pkgKey INTEGER,  dirname TEXT,  filenames TEXT,  filetypes TEXT)",
        "CREATE TRIGGER remove_filelist AFTER DELETE ON packages  BEGIN    \
         DELETE FROM filelist WHERE pkgKey = old.pkgKey;  END",
    ],
    indexes: &[
        "CREATE INDEX keyfile ON filelist (pkgKey)",
        INDEX_OF_PKGIDS,
        "CREATE INDEX dirnames ON filelist (dirname)",
    ],
};

pub(crate) const OTHER: Schema = Schema {
    name: "other",
    tables: &[
        DB_INFO,
        PKGIDS,
        "CREATE TABLE changelog (  pkgKey INTEGER,  author TEXT,  date INTEGER,  changelog TEXT)",
        "CREATE TRIGGER remove_changelogs AFTER DELETE ON packages  BEGIN    \
         DELETE FROM changelog WHERE pkgKey = old.pkgKey;  END",
    ],
    indexes: &["CREATE INDEX keychange ON changelog (pkgKey)", INDEX_OF_PKGIDS],
};
