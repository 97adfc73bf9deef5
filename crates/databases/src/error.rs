//! What can go wrong with a database.

use thiserror::Error;

/// Says which database could not be made or read, and what SQLite said.
///
/// Nothing here knows a path: the caller who opened the file adds it.
#[derive(Debug, Error)]
pub enum Error {
    /// SQLite could not make the database: memory ran out, or it has more than SQLite holds.
    #[error("failed to make the `{database}` database: {source}")]
    Write {
        /// `primary`, `filelists`, `other`.
        database: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The metadata that databases were to be made from could not be read.
    #[error(transparent)]
    Metadata(#[from] repo::Error),
    /// The metadata that databases were to be made from has no such record.
    #[error("failed to find a record `{kind}` to make a database from")]
    Missing {
        /// `primary`, `filelists`, `other`.
        kind: &'static str,
    },
    /// `repomd.xml` names a file that is not among the metadata's.
    #[error("failed to find `{href}` to make a database from")]
    NotThere {
        /// The file.
        href: String,
    },
    /// The bytes are no database, or none of the three.
    #[error("failed to read the database: {problem}")]
    Read {
        /// What is wrong with it.
        problem: String,
    },
}
