//! The files of a repository's metadata, ready to be stored.

use crate::Document;
use crate::digest::sha256;
use crate::entry::Entry;
use crate::gzip::gzip;
use crate::repomd::{Record, Repomd};

/// Everything below `repodata/` that is made from the packages, and the index over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Names such as `repodata/<sha256>-primary.xml.gz`, and bytes; they are stored before `repomd`.
    pub files: Vec<(String, Vec<u8>)>,
    /// The bytes of `repodata/repomd.xml`, made after all the others and stored last.
    pub repomd: Vec<u8>,
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
    let mut repomd = Repomd { revision: revision.to_string(), records: Vec::new(), ..earlier.clone() };
    repomd.notes.retain(|note| note.name != "contenthash");
    let mut files = Vec::with_capacity(3);
    for document in [Document::Primary, Document::Filelists, Document::Other] {
        let (record, bytes) = packed(document, entries, revision);
        files.push((record.href.clone(), bytes));
        repomd.records.push(record);
    }
    let carried = earlier.records.iter().filter(|record| !record.is_made_from_packages());
    repomd.records.extend(carried.cloned());
    Metadata { files, repomd: repomd.write() }
}

/// Packs one file.
fn packed(document: Document, entries: &[Entry], timestamp: i64) -> (Record, Vec<u8>) {
    let part = |entry: &Entry| match document {
        Document::Primary => entry.fragments.primary.clone(),
        Document::Filelists => entry.fragments.filelists.clone(),
        Document::Other | Document::Repomd => entry.fragments.other.clone(),
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

    // Packed in one go: the packer's bytes depend on the pieces it is fed with.
    let bytes = gzip(&open);
    let (checksum, open_checksum) = (sha256(&bytes), sha256(&open));
    let href = format!("repodata/{checksum}-{document}.xml.gz");
    let sizes = [bytes.len() as u64, open.len() as u64];
    (
        Record::of_packed(document.as_str(), [checksum.into(), open_checksum.into()], href, timestamp, sizes),
        bytes,
    )
}

#[cfg(test)]
mod tests;
