//! Packages and repository metadata: bytes and values, never a disk.
//!
//! ```text
//! RPM --read_head--> Head --package_of--> Package --entry_of--> Entry --+
//!                                            ^                    ^     |  write_metadata
//!                                            |                    |     v
//!                               parse_packages (all of it)   Contents::read (slices)
//!                                            |                    |     |
//!                                            +---- primary, filelists, other, repomd
//! ```
//!
//! An [`Entry`] is one package of one repository: what planning needs to know, and the bytes that the
//! three files hold about it. Moving a package to another repository copies those bytes; neither the
//! RPM nor its metadata is read again.
//!
//! ```
//! use repo::{Contents, FileFacts, Recipe, Repomd};
//!
//! // A package becomes an entry ...
//! let rpm = Recipe::new("voms-clients", "1.9.10", "1").arch("x86_64").build();
//! let head = repo::read_head(&mut rpm.as_slice())?;
//! let sha256 = repo::sha256(&rpm);
//! let href = format!("Packages/{}/voms-clients-1.9.10-1.x86_64.rpm", sha256.shard());
//! let package = repo::package_of(&head, FileFacts { size: rpm.len() as u64, sha256, mtime: 0, href })?;
//! let entry = repo::entry_of(&package);
//!
//! // ... entries become metadata ...
//! let metadata = repo::write_metadata(std::slice::from_ref(&entry), 1_700_000_000, &[]);
//! let repomd = Repomd::parse(&metadata.repomd)?;
//! assert_eq!(repomd.record("primary").map(|record| &record.href), Some(&metadata.files[0].0));
//!
//! // ... and metadata is sliced into entries.
//! let open = |at: usize| repo::gunzip(&metadata.files[at].1, 1 << 20);
//! let contents = Contents::read(open(0)?, open(1)?, open(2)?)?;
//! assert_eq!(contents.entries, [entry]);
//! # Ok::<(), repo::Error>(())
//! ```

mod characters;
mod contents;
mod difference;
mod digest;
mod document;
mod entry;
mod error;
mod fragments;
mod glance;
mod guard;
mod gzip;
mod head;
mod listing;
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
pub use difference::{Difference, differences};
pub use digest::sha256;
pub use document::Document;
pub use entry::{Entry, entry_of};
pub use error::Error;
pub use fragments::{Fragments, Slice, fragments_of};
pub use gzip::{gunzip, gzip};
pub use head::{Head, read_head};
pub use listing::{Listing, Place};
pub use maker::Recipe;
pub use metadata::{Metadata, write_metadata, write_metadata_like};
pub use package::{Changelog, File, FileKind, Package, Relation};
pub use package_of::{FileFacts, package_of};
pub use parse::{parse_filelists, parse_other, parse_packages, parse_primary};
pub use repomd::{Note, Record, Repomd, is_inside};
pub use xml::Tree;
