//! What a database says of itself, to be compared with the XML it was made from.

use rusqlite::{Connection, MAIN_DB, Result};

use crate::error::Error;

/// What every one of the three databases says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The version of its schema, [`crate::DATABASE_VERSION`] if yum 3 is to read it.
    pub version: i64,
    /// The digest of the packed XML it belongs to.
    pub checksum: String,
    /// The packages it lists, in its order.
    pub pkgids: Vec<String>,
}

/// Reads what a database claims.
///
/// The bytes are only read, whatever they are. SQLite answers damage with an error; that the rows are
/// right is *not* shown.
///
/// # Errors
///
/// [`Error::Read`] if it is no database or has not the tables that all three have.
pub fn claims(bytes: &[u8]) -> Result<Claims, Error> {
    read(bytes).map_err(|error| Error::Read { problem: error.to_string() })
}

fn read(bytes: &[u8]) -> Result<Claims> {
    let mut connection = Connection::open_in_memory()?;
    connection.deserialize_read_exact(MAIN_DB, bytes, bytes.len(), true)?;
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    let said = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let (version, checksum) = connection.query_one("SELECT dbversion, checksum FROM db_info", [], said)?;
    let mut listed = connection.prepare("SELECT pkgId FROM packages ORDER BY pkgKey")?;
    let pkgids = listed.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
    Ok(Claims { version, checksum, pkgids })
}
