//! Packages and repository metadata: bytes and values, never a disk.
mod characters;
mod contents;
mod digest;
mod document;
mod entry;
mod error;
mod fragments;
mod glance;
mod guard;
mod gzip;
mod head;
mod maker;
mod metadata;
mod package;
mod package_of;
mod parse;
mod repomd;
#[cfg(test)]
mod sample;
mod tags;
mod walk;
mod xml;

pub use characters::is_carried;
pub use contents::Contents;
pub use digest::sha256;
pub use document::Document;
pub use entry::{Entry, entry_of};
pub use error::Error;
pub use fragments::{Fragments, Slice, fragments_of};
pub use gzip::{gunzip, gzip};
pub use head::{Head, read_head};
pub use maker::Recipe;
pub use metadata::{Metadata, write_metadata, write_metadata_like};
pub use package::{Changelog, File, FileKind, Package, Relation};
pub use package_of::{FileFacts, package_of};
pub use parse::{parse_filelists, parse_other, parse_packages, parse_primary};
pub use repomd::{Note, Record, Repomd, is_inside};
