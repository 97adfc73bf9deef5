//! Generations on a disk.

#[cfg(test)]
mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod crash;
pub mod disk;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod forgetful;
pub mod planted;
mod posix;

pub use disk::{Disk, Kind, Modified, Names, Reading, State, Writing};
pub use error::Error;
pub use posix::PosixDisk;
