//! Generations on a disk.

mod arrivals;
mod commit;
#[cfg(test)]
mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod crash;
pub mod disk;
mod draft;
mod error;
mod files;
mod finish;
#[cfg(any(test, feature = "testing"))]
pub mod forgetful;
mod generation;
mod links;
mod manifest;
mod paths;
pub mod planted;
mod pointer;
mod posix;
mod quarantine;
mod recovery;
mod sealed;
mod staging;
mod store;
mod trees;
#[cfg(test)]
mod workshop;

pub use arrivals::Arrived;
pub use disk::{Disk, Kind, Modified, Names, Reading, State, Writing};
pub use draft::{Draft, PackageLink, PoolArrival, Source};
pub use error::{CommitError, Error};
pub use files::{FileFacts, Files};
pub use generation::{Generation, Recorded};
pub use manifest::{Manifest, Named, Parent};
pub use paths::{Paths, is_name, number_of};
pub use posix::PosixDisk;
pub use quarantine::Quarantined;
pub use recovery::Recovery;
pub use store::{Lock, Store};
