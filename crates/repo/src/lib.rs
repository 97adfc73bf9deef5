//! Packages and repository metadata: bytes and values, never a disk.
mod error;
mod package;

pub use error::Error;
pub use package::{Changelog, File, FileKind, Package, Relation};
