//! Databases beside the metadata they belong to.

use nevra::Digest;
use repo::{Compression, Form, Metadata, Package, Piece, Record, Repomd, pack_piece, parse_packages, unpack};

use crate::error::Error;
use crate::{DATABASE_VERSION, filelists, other, primary};

type Make = fn(&[Package], &Digest) -> Result<Vec<u8>, Error>;

/// The records, the files, and what makes them, in createrepo_c's order.
const DATABASES: [(&str, &str, &str, Make); 3] = [
    ("primary", "primary_db", "primary.sqlite", primary),
    ("filelists", "filelists_db", "filelists.sqlite", filelists),
    ("other", "other_db", "other.sqlite", other),
];

/// Adds the three databases to metadata that was just written: their files, and their records behind
/// those of the XML.
///
/// What there is of databases in `repomd.xml` is replaced. `form` hashes and names the files,
/// `compression` packs them: bzip2 is what every yum 3 reads. All of it is made anew, whatever has
/// changed: that takes time and memory in proportion to the repository.
///
/// ```
/// use repo::{Compression, Form, Repomd};
///
/// let form = Form::default();
/// let mut metadata = repo::write_metadata_in(&form, &[], 5, &Repomd::new("5"), &[]);
/// databases::add_to(&mut metadata, &form, Compression::Bzip2, 5)?;
/// let repomd = Repomd::parse(&metadata.repomd)?;
/// let kinds: Vec<&str> = repomd.records.iter().map(|record| record.kind.as_str()).collect();
/// assert_eq!(kinds, ["primary", "filelists", "other", "primary_db", "filelists_db", "other_db"]);
/// assert_eq!(metadata.files.len(), 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`Error::Metadata`] if the XML is not what its records say, [`Error::Write`] if SQLite fails.
pub fn add_to(
    metadata: &mut Metadata,
    form: &Form,
    compression: Compression,
    timestamp: i64,
) -> Result<(), Error> {
    let mut repomd = Repomd::parse(&metadata.repomd)?;
    let packages = {
        let open = |kind: &'static str| open(metadata, record(&repomd, kind)?);
        parse_packages(&open("primary")?, &open("filelists")?, &open("other")?)?
    };
    repomd.records.retain(|record| DATABASES.iter().all(|(_, kind, ..)| record.kind != *kind));
    let behind = repomd.records.iter().rposition(|record| record.is_made_from_packages());
    let places = behind.map_or(0, |behind| behind + 1)..;
    for (place, (of, kind, file_name, make)) in places.zip(DATABASES) {
        let piece = Piece {
            kind,
            file_name,
            open: make(&packages, &record(&repomd, of)?.checksum)?.into(),
            compression,
            database_version: Some(DATABASE_VERSION),
        };
        let (record, bytes) = pack_piece(form, &piece, timestamp);
        metadata.files.push((record.href.clone(), bytes));
        repomd.records.insert(place, record);
    }
    metadata.repomd = repomd.write();
    Ok(())
}

fn record<'a>(repomd: &'a Repomd, kind: &'static str) -> Result<&'a Record, Error> {
    repomd.record(kind).ok_or(Error::Missing { kind })
}

fn open(metadata: &Metadata, record: &Record) -> Result<Vec<u8>, Error> {
    let file = metadata.files.iter().find(|(href, _)| *href == record.href);
    let (_, bytes) = file.ok_or_else(|| Error::NotThere { href: record.href.clone() })?;
    let limit = record.open_size.or(record.size).unwrap_or_default();
    Ok(unpack(bytes, limit)?)
}
