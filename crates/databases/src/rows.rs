//! From packages to the rows of the three databases.

use std::ops::Deref;

use nevra::Digest;
use repo::{FileKind, Package, Relation};
use rusqlite::{Connection, MAIN_DB, Result, Statement, Transaction, params};

use crate::DATABASE_VERSION;
use crate::error::Error;
use crate::folders::folders;
use crate::schema::{FILELISTS, OTHER, PRIMARY, Schema};

/// Makes the database that belongs to the primary file with this digest, which `repomd.xml` names as
/// its `checksum` (not the `open-checksum`).
///
/// Same input, same bytes, as long as this program is the same. The database is made in memory, twice as
/// large as the bytes that come out.
///
/// # Errors
///
/// [`Error::Write`], if memory runs out or something has more bytes than SQLite holds.
pub fn primary(packages: &[Package], checksum_of_xml: &Digest) -> Result<Vec<u8>, Error> {
    database(&PRIMARY, checksum_of_xml, |rows| {
        let mut listed = rows.prepare(
            "INSERT INTO packages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let mut files = rows.prepare("INSERT INTO files VALUES (?, ?, ?)")?;
        let mut requires = rows.prepare("INSERT INTO requires VALUES (?, ?, ?, ?, ?, ?, ?)")?;
        let mut related = Vec::new();
        for (table, relations) in RELATED {
            related
                .push((rows.prepare(&format!("INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?)"))?, relations));
        }
        for (key, package) in (1_i64..).zip(packages) {
            insert_package(&mut listed, key, package)?;
            for (statement, relations) in &mut related {
                for relation in relations(package).iter().filter(|relation| !relation.name.is_empty()) {
                    let [flags, epoch, version, release] = range(relation);
                    statement.execute(params![relation.name, flags, epoch, version, release, key])?;
                }
            }
            for relation in package.requires.iter().filter(|relation| !relation.name.is_empty()) {
                let [flags, epoch, version, release] = range(relation);
                // A word, not a number: yum compares it with the text.
                let pre = if relation.pre { "TRUE" } else { "FALSE" };
                requires.execute(params![relation.name, flags, epoch, version, release, key, pre])?;
            }
            for file in package.files.iter().filter(|file| file.is_primary()) {
                let kind = match file.kind {
                    FileKind::File => "file",
                    FileKind::Directory => "dir",
                    FileKind::Ghost => "ghost",
                };
                files.execute(params![file.path, kind, key])?;
            }
        }
        Ok(())
    })
}

/// Makes the database that belongs to the filelists file with this digest; see [`primary`].
///
/// # Errors
///
/// As for [`primary`].
pub fn filelists(packages: &[Package], checksum_of_xml: &Digest) -> Result<Vec<u8>, Error> {
    database(&FILELISTS, checksum_of_xml, |rows| {
        let mut listed = rows.prepare("INSERT INTO packages VALUES (?, ?)")?;
        let mut filelist = rows.prepare("INSERT INTO filelist VALUES (?, ?, ?, ?)")?;
        for (key, package) in (1_i64..).zip(packages) {
            listed.execute(params![key, pkgid(package)])?;
            for folder in folders(&package.files) {
                filelist.execute(params![key, folder.name, folder.files, folder.kinds])?;
            }
        }
        Ok(())
    })
}

/// Makes the database that belongs to the other file with this digest; see [`primary`].
///
/// # Errors
///
/// As for [`primary`].
pub fn other(packages: &[Package], checksum_of_xml: &Digest) -> Result<Vec<u8>, Error> {
    database(&OTHER, checksum_of_xml, |rows| {
        let mut listed = rows.prepare("INSERT INTO packages VALUES (?, ?)")?;
        let mut changelog = rows.prepare("INSERT INTO changelog VALUES (?, ?, ?, ?)")?;
        for (key, package) in (1_i64..).zip(packages) {
            listed.execute(params![key, pkgid(package)])?;
            for change in &package.changelogs {
                changelog.execute(params![key, change.author, change.date, change.text])?;
            }
        }
        Ok(())
    })
}

/// A table, and which relations of a package are its rows.
type Related = (&'static str, fn(&Package) -> &[Relation]);

/// The tables of relations but `requires`, which has a column more.
const RELATED: [Related; 7] = [
    ("provides", |package| &package.provides),
    ("conflicts", |package| &package.conflicts),
    ("obsoletes", |package| &package.obsoletes),
    ("suggests", |package| &package.suggests),
    ("enhances", |package| &package.enhances),
    ("recommends", |package| &package.recommends),
    ("supplements", |package| &package.supplements),
];

/// Makes tables, rows, indexes, and hands out the bytes.
fn database(
    schema: &Schema,
    checksum_of_xml: &Digest,
    insert: impl FnOnce(&Transaction<'_>) -> Result<()>,
) -> Result<Vec<u8>, Error> {
    let make = || {
        let mut connection = Connection::open_in_memory()?;
        let rows = connection.transaction()?;
        for sql in schema.tables {
            rows.execute_batch(sql)?;
        }
        rows.execute("INSERT INTO db_info VALUES (?, ?)", params![DATABASE_VERSION, checksum_of_xml.hex])?;
        insert(&rows)?;
        for sql in schema.indexes {
            rows.execute_batch(sql)?;
        }
        rows.commit()?;
        Ok(connection.serialize(MAIN_DB)?.deref().to_vec())
    };
    make().map_err(|source| Error::Write { database: schema.name, source })
}

fn insert_package(listed: &mut Statement<'_>, key: i64, package: &Package) -> Result<()> {
    let nevra = &package.nevra;
    let location_base: Option<&str> = None;
    listed.execute(params![
        key,
        pkgid(package),
        nevra.name,
        nevra.arch.as_str(),
        nevra.evr.version,
        nevra.evr.epoch.to_string(),
        nevra.evr.release,
        filled(&package.summary),
        filled(&package.description),
        filled(&package.url),
        package.time_file,
        package.time_build,
        filled(&package.license),
        // These two are never NULL: yum compares them with the empty text.
        package.vendor,
        filled(&package.group),
        filled(&package.build_host),
        package.source_rpm,
        number(package.header_start),
        number(package.header_end),
        filled(&package.packager),
        number(package.size_package),
        number(package.size_installed),
        number(package.size_archive),
        package.href,
        location_base,
        package.pkgid.algorithm.as_str(),
    ])?;
    Ok(())
}

fn pkgid(package: &Package) -> String {
    package.pkgid.hex.clone()
}

/// Says nothing where metadata has no text.
fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// SQLite has no unsigned numbers; no size comes near the largest signed one.
fn number(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn range(relation: &Relation) -> [Option<&str>; 4] {
    let Some(flags) = relation.flags else { return [None; 4] };
    let parts = [&relation.epoch, &relation.version, &relation.release];
    let [epoch, version, release] = parts.map(|part| part.as_deref().and_then(filled));
    [Some(flags), epoch, version, release]
}
