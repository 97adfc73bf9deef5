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
//! A [`Form`] says how metadata is packed, hashed and named, a [`Piece`] is a further file of it (comps,
//! updateinfo, a database for yum 3): [`write_metadata_in`] takes both. [`unpack`] reads whatever
//! compression a repository uses, within bounds, and [`digest`] makes any digest that metadata names.
//!
//! ```
//! use repo::{Contents, FileFacts, Recipe, Repomd};
//!
//! // A package becomes an entry ...
//! let rpm = Recipe::new("voms-clients", "1.9.10", "1").arch("x86_64").build();
//! let head = repo::read_head(&mut rpm.as_slice())?;
//! let sha256 = repo::sha256(&rpm);
//! let href = format!("Packages/{}/voms-clients-1.9.10-1.x86_64.rpm", sha256.shard());
//! let facts = FileFacts { size: rpm.len() as u64, digest: sha256.into(), mtime: 0, href };
//! let package = repo::package_of(&head, facts)?;
//! let entry = repo::entry_of(&package);
//!
//! // ... entries become metadata ...
//! let metadata = repo::write_metadata(std::slice::from_ref(&entry), 1_700_000_000, &[]);
//! let repomd = Repomd::parse(&metadata.repomd)?;
//! assert_eq!(repomd.record("primary").map(|record| &record.href), Some(&metadata.files[0].0));
//!
//! // ... and metadata is sliced into entries.
//! let open = |at: usize| repo::unpack(&metadata.files[at].1, 1 << 20);
//! let contents = Contents::read(open(0)?, open(1)?, open(2)?)?;
//! assert_eq!(contents.entries, [entry]);
//! # Ok::<(), repo::Error>(())
//! ```

mod batches;
mod blocks;
mod characters;
mod comps;
mod contents;
mod difference;
mod digest;
mod document;
mod edit;
mod entry;
mod error;
mod form;
mod fragments;
mod glance;
mod guard;
mod gzip;
mod head;
mod header_signature;
mod identity;
mod layout;
mod maker;
mod metadata;
mod metalink;
mod modules;
mod package;
mod package_of;
mod packing;
mod parse;
mod pile;
mod repomd;
mod repository_tags;
#[cfg(test)]
mod sample;
mod tags;
mod updateinfo;
mod walk;
mod written;
mod xml;

pub use batches::{Batches, Odd};
pub use blocks::{
    BLOCK, Block, Blocks, Changed, Changing, Cutter, Found, Gathered, Gatherer, Hashing, OpenBlock,
    PackedBlock, Part, Past, Prefix, Prepared,
};
pub use characters::is_carried;
pub use comps::{Comps, CompsKind, CompsPart, check_comps};
pub use contents::Contents;
pub use difference::{Difference, differences};
pub use digest::{Hasher, digest, sha256};
pub use document::Document;
pub use edit::{Edit, Field, Values};
pub use entry::{Entry, entry_of};
pub use error::Error;
pub use form::Form;
pub use fragments::{Fragments, Slice, fragments_of};
pub use glance::{Glance, glance};
pub use gzip::{gunzip, gzip};
pub use head::{Head, read_head};
pub use header_signature::with_header_signature;
pub use identity::{Identity, placed};
pub use maker::Recipe;
pub use metadata::{
    Metadata, Piece, describe, pack_piece, packages_of, unpacked_file, write_index, write_metadata,
    write_metadata_in, write_metadata_like,
};
pub use metalink::{Metalink, Offered};
pub use modules::{Module, Modules};
pub use package::{Changelog, File, FileKind, Package, Relation};
pub use package_of::{
    FileFacts, Substance, flagged_files_of, package_of, package_with_changes, substances_of,
};
pub use packing::{Compression, measure_unpacked, pack, unpack};
pub use parse::{each_file, each_package, parse_filelists, parse_other, parse_packages, parse_primary};
pub use pile::Pile;
pub use repomd::{Measure, Note, Open, Record, Repomd, is_inside};
pub use repository_tags::Tags;
pub use updateinfo::{Advisory, Announced, Updateinfo};
pub use written::{Place, Written};
pub use xml::Tree;
