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
    /// The bytes are no database, or none of the three.
    #[error("failed to read the database: {problem}")]
    Read {
        /// What is wrong with it.
        problem: String,
    },
}
