//! The files of a repository's metadata, ready to be stored.

use std::borrow::Cow;

use crate::digest::digest;
use crate::entry::Entry;
use crate::error::Error;
use crate::package::Package;
use crate::packing::pack;
use crate::parse::{parse_filelists, parse_primary};
use crate::repomd::{Measure, Open, Record, Repomd};
use crate::{Compression, Document, Form};

/// Everything below `repodata/` that is made from the packages, and the index over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Names such as `repodata/<sha256>-primary.xml.gz`, and bytes; they are stored before `repomd`.
    pub files: Vec<(String, Vec<u8>)>,
    /// The bytes of `repodata/repomd.xml`, made after all the others and stored last.
    pub repomd: Vec<u8>,
}

/// A file of metadata before it is packed: comps, updateinfo, modules, a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The type of its record: `group`, `group_gz`, `updateinfo`, `modules`, `primary_db` ...
    pub kind: &'a str,
    /// Its name without checksum and the compression's ending: `comps.xml`, `primary.sqlite`.
    pub file_name: &'a str,
    /// What it says.
    pub open: Cow<'a, [u8]>,
    /// How it is to be packed.
    pub compression: Compression,
    /// The version of its tables if it is a database: 10 is the only one there ever was.
    pub database_version: Option<u32>,
}

/// Writes the metadata of a repository that lists these packages, in this order.
///
/// `revision` is the time of the change in seconds since 1970 and becomes each timestamp, too. Of
/// `carried`, those records are written byte for byte that are not made from the packages
/// ([`Record::is_made_from_packages`]); their files are the caller's to keep. Same input, same bytes,
/// as long as this program is the same.
#[must_use]
pub fn write_metadata(entries: &[Entry], revision: i64, carried: &[Record]) -> Metadata {
    write_metadata_like(entries, revision, &Repomd { records: carried.to_vec(), ..Repomd::new("") })
}

/// Writes metadata as [`write_metadata`] does, and keeps what an earlier `repomd.xml` says beside its
/// records, but for a `contenthash`, which belongs to the contents it had.
#[must_use]
pub fn write_metadata_like(entries: &[Entry], revision: i64, earlier: &Repomd) -> Metadata {
    let head = Repomd { revision: revision.to_string(), ..earlier.clone() };
    write_metadata_in(&Form::default(), entries, revision, &head, &[])
}

/// Writes metadata in a form of the caller's choice.
///
/// `head` is what `repomd.xml` shall say: its revision, which may be any text, and what stands beside
/// the records, but for a `contenthash`. Each new record says `timestamp`, in seconds since 1970. After
/// primary, filelists and other come the `pieces`, in their order, then those records of `head` that are
/// neither made from the packages nor of a type that one of the pieces has; their files are the caller's
/// to keep.
///
/// ```
/// use repo::{Compression, Form, Piece, Repomd, write_metadata_in};
///
/// let comps = b"<comps/>".as_slice().into();
/// let group = Piece {
///     kind: "group",
///     file_name: "comps.xml",
///     open: comps,
///     compression: Compression::None,
///     database_version: None,
/// };
/// let packed = Piece { kind: "group_gz", compression: Compression::Gzip, ..group.clone() };
/// let form = Form { compression: Compression::Zstd, unique_names: false, ..Form::default() };
/// let metadata = write_metadata_in(&form, &[], 5, &Repomd::new("today"), &[group, packed]);
/// let names: Vec<&str> = metadata.files.iter().map(|(name, _)| name.as_str()).collect();
/// assert_eq!(names[0], "repodata/primary.xml.zst");
/// assert_eq!(names[3..], ["repodata/comps.xml", "repodata/comps.xml.gz"]);
/// ```
#[must_use]
pub fn write_metadata_in(
    form: &Form,
    entries: &[Entry],
    timestamp: i64,
    head: &Repomd,
    pieces: &[Piece<'_>],
) -> Metadata {
    let all = [Document::Primary, Document::Filelists, Document::Other].map(|document| {
        let open = unpacked_file(document, entries);
        let bytes = pack(form.compression, &open);
        let checksum = form.open_checksums.then(|| digest(form.checksum, &open));
        let open = Open { size: open.len() as u64, checksum };
        let open = Some(open).filter(|_| form.compression != Compression::None);
        (describe(form, document, timestamp, (Measure::of(form.checksum, &bytes), open)), bytes)
    });
    let mut files = Vec::with_capacity(all.len() + pieces.len());
    let records = all.map(|(record, bytes)| {
        files.push((record.href.clone(), bytes));
        record
    });
    let metadata = write_index(form, records, timestamp, head, pieces);
    files.extend(metadata.files);
    Metadata { files, ..metadata }
}

/// Writes what stands beside primary, filelists and other, which are described by `packages`, and the index over all of it, as
/// [`write_metadata_in`] does.
#[must_use]
pub fn write_index(
    form: &Form,
    packages: [Record; 3],
    timestamp: i64,
    head: &Repomd,
    pieces: &[Piece<'_>],
) -> Metadata {
    let mut repomd = Repomd { records: packages.into(), ..head.clone() };
    repomd.notes.retain(|note| note.name != "contenthash");
    let mut files = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let (record, bytes) = pack_piece(form, piece, timestamp);
        files.push((record.href.clone(), bytes));
        repomd.records.push(record);
    }
    let carried = head.records.iter().filter(|record| {
        !record.is_made_from_packages() && pieces.iter().all(|piece| piece.kind != record.kind)
    });
    repomd.records.extend(carried.cloned());
    Metadata { files, repomd: repomd.write() }
}

/// Names and describes primary, filelists or other once it is packed.
#[must_use]
pub fn describe(
    form: &Form,
    document: Document,
    timestamp: i64,
    (file, open): (Measure, Option<Open>),
) -> Record {
    let name = format!("{document}.xml{}", form.compression.ending());
    let href = form.href(&name, &file.checksum.hex);
    Record::new(document.as_str(), href, timestamp, file, open, None)
}

/// Packs one file, names it and describes it; of the form, only what is not about packing counts.
#[must_use]
pub fn pack_piece(form: &Form, piece: &Piece<'_>, timestamp: i64) -> (Record, Vec<u8>) {
    // Packed in one go: the packer's bytes depend on the pieces it is fed with.
    let bytes = pack(piece.compression, &piece.open);
    let file = Measure::of(form.checksum, &bytes);
    let open =
        (piece.compression != Compression::None).then(|| Measure::of(form.checksum, &piece.open).into());
    let file_name = format!("{}{}", piece.file_name, piece.compression.ending());
    let href = form.href(&file_name, &file.checksum.hex);
    (Record::new(piece.kind, href, timestamp, file, open, piece.database_version), bytes)
}

/// Parses what entries say of their packages, in their order; changelogs are left out.
///
/// # Errors
///
/// [`Error::Xml`] and [`Error::Unmatched`], where an entry does not say what clients understand: it was read as
/// [`crate::Contents`] reads it, or made by hand.
pub fn packages_of(entries: &[Entry]) -> Result<Vec<Package>, Error> {
    let mut packages = parse_primary(&unpacked_file(Document::Primary, entries))?;
    parse_filelists(&unpacked_file(Document::Filelists, entries), &mut packages)?;
    Ok(packages)
}

/// Writes primary, filelists or other as it unpacks, if these packages are listed.
#[must_use]
pub fn unpacked_file(document: Document, entries: &[Entry]) -> Vec<u8> {
    let part = |entry: &Entry| match document {
        Document::Primary => entry.fragments.primary.clone(),
        Document::Filelists => entry.fragments.filelists.clone(),
        _ => entry.fragments.other.clone(),
    };
    let header = document.header(entries.len());
    let parts: usize = entries.iter().map(|entry| part(entry).len() + 1).sum();
    let mut open = Vec::with_capacity(header.len() + parts + document.footer().len());
    open.extend_from_slice(&header);
    for entry in entries {
        let fragment = part(entry);
        open.extend_from_slice(&fragment);
        if !fragment.ends_with(b"\n") {
            open.push(b'\n');
        }
    }
    open.extend_from_slice(document.footer());
    open
}

#[cfg(test)]
mod tests;
