//! The SQLite databases that yum 3 reads instead of the three XML files: packages in, bytes out, and
//! never a disk.
//!
//! ```text
//! primary.xml, filelists.xml, other.xml --repo::parse_packages--> packages --primary, filelists, other--> bytes
//! ```
//!
//! yum of EL5 to EL7 makes these databases itself from the XML, on every host and after every change;
//! a repository that has them spares it the minutes. A database belongs to one XML file and names it by
//! its digest: yum believes a database only if that digest is the one in `repomd.xml`.
//!
//! ```
//! use repo::{FileFacts, Recipe};
//!
//! let rpm = Recipe::new("voms-clients", "1.9.10", "1").arch("x86_64").build();
//! let head = repo::read_head(&mut rpm.as_slice())?;
//! let sha256 = repo::sha256(&rpm);
//! let href = "Packages/voms-clients-1.9.10-1.x86_64.rpm".to_owned();
//! let package = repo::package_of(&head, FileFacts { size: rpm.len() as u64, digest: sha256.into(), mtime: 0, href })?;
//!
//! let of_xml = nevra::Digest::from(repo::sha256(b"the packed primary.xml"));
//! let database = databases::primary(&[package], &of_xml)?;
//! let claims = databases::claims(&database)?;
//! assert_eq!(claims.checksum, of_xml.hex);
//! assert_eq!(claims.pkgids, [sha256.hex()]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod addition;
mod claims;
mod error;
mod folders;
mod rows;
mod schema;
#[cfg(test)]
mod tests;

pub use addition::add_to;
pub use claims::{Claims, claims};
pub use error::Error;
pub use rows::{filelists, other, primary};

/// The version of the schema, which `repomd.xml` repeats as `database_version`; yum 3 reads no other.
pub const DATABASE_VERSION: u32 = 10;
