//! What can be wrong with a package or with metadata.

use std::io;

use nevra::ParseError;
use thiserror::Error;

use crate::{Compression, Document};

/// Says where in an RPM or in a metadata file something is not what it should be.
///
/// Nothing here knows a path: the caller who opened the file adds it.
#[derive(Debug, Error)]
pub enum Error {
    /// The bytes stopped coming.
    #[error("failed to read the {part} of the RPM: {source}")]
    Read {
        /// `lead`, `signature header`, `header`.
        part: &'static str,
        /// What the reader said; `UnexpectedEof` where the file is cut short.
        source: io::Error,
    },
    /// The file is no RPM, or none of a kind that is understood here.
    #[error("failed to take the file for an RPM: {why}")]
    NotRpm {
        /// What is missing.
        why: String,
    },
    /// A header's structure is broken: nothing in it can be believed.
    #[error("failed to accept the {part} of the RPM: {place}: {why}")]
    Structure {
        /// `signature header`, `header`.
        part: &'static str,
        /// The tag or the offset, in words: "tag `1000` (name)", "byte `96`".
        place: String,
        /// What is wrong there.
        why: String,
    },
    /// A tag that every package must have is not there.
    #[error("failed to find tag `{tag}` ({name}) in the header of the RPM")]
    MissingTag {
        /// The tag's number.
        tag: u32,
        /// Its name.
        name: &'static str,
    },
    /// Text holds a control character, which XML cannot carry.
    #[error(
        "failed to accept tag `{tag}` ({name}) of the RPM: its text `{text}` holds control character `{code:#04x}`"
    )]
    ControlCharacter {
        /// The tag's number.
        tag: u32,
        /// Its name.
        name: &'static str,
        /// The text, escaped, at most 80 characters of it.
        text: String,
        /// The character.
        code: u32,
    },
    /// A header claims a size that no honest package has.
    #[error("failed to accept the {part} of the RPM: {why}")]
    Oversized {
        /// `signature header`, `header`.
        part: &'static str,
        /// What it claims, and what is allowed.
        why: String,
    },
    /// Tags that belong together do not fit each other, as three files with two modes.
    #[error("failed to accept tag `{tag}` ({name}) of the RPM: {why}")]
    Tag {
        /// The tag's number.
        tag: u32,
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A package cannot be edited without changing what nobody asked to be changed, or not into what was asked.
    #[error("failed to edit the {part} of the RPM: {why}")]
    Edit {
        /// `lead`, `signature header`, `header`, `payload`.
        part: &'static str,
        /// What stands in the way.
        why: String,
    },
    /// Bytes are no OpenPGP signature of a kind that a header can hold.
    #[error("failed to take the bytes for a signature of an RPM's header: {why}")]
    Signature {
        /// What they are instead.
        why: String,
    },
    /// Name, version, release and architecture make no full name.
    #[error("failed to name the package: {0}")]
    Name(ParseError),
    /// A metadata file is not what it should be.
    #[error("failed to read {document} at byte {offset}: {problem}")]
    Xml {
        /// Which file.
        document: Document,
        /// The offset in the uncompressed file.
        offset: u64,
        /// What is wrong there.
        problem: String,
    },
    /// A file with groups is no XML, or none that every client takes.
    #[error("failed to read the file with groups in line {line}: {problem}")]
    Comps {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A file with modules is no YAML, or more of it than any repository has.
    #[error("failed to read the modules in line {line}: {problem}")]
    Modules {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// Primary, filelists and other do not list the same packages.
    #[error("failed to match {document} with primary: {problem}")]
    Unmatched {
        /// Which file differs from primary.
        document: Document,
        /// How.
        problem: String,
    },
    /// Packed bytes are damaged, or none of what was asked for.
    #[error("failed to unpack {}: {problem}", packed(*.compression))]
    Packed {
        /// How they are packed.
        compression: Compression,
        /// What is wrong.
        problem: String,
    },
    /// One block of a list of packages does not hold what is known of it.
    #[error("failed to read block {block} of {document}, bytes {} to {}: {cause}", bytes.start, bytes.end)]
    Block {
        /// Which file.
        document: Document,
        /// The block, counted from 1.
        block: usize,
        /// Where it lies in the file.
        bytes: std::ops::Range<u64>,
        /// What is wrong with it.
        cause: Box<Error>,
    },
    /// More would come out of a packed file than the caller allows.
    #[error("failed to unpack {}: more than `{limit}` bytes come out", packed(*.compression))]
    TooLarge {
        /// How it is packed.
        compression: Compression,
        /// How many bytes were allowed.
        limit: u64,
    },
    /// A word that names no way of packing.
    #[error("failed to take `{text}` for a compression: gzip, zstd, bzip2, xz and none are known")]
    UnknownCompression {
        /// The word.
        text: String,
    },
}

/// Names what is being unpacked.
fn packed(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "the file",
        packed => packed.as_str(),
    }
}
