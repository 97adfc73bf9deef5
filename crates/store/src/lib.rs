//! Generations on a disk.

pub mod disk;
mod error;
pub mod planted;
mod posix;

pub use disk::{Disk, Kind, Modified, Names, Reading, State, Writing};
pub use error::Error;
pub use posix::PosixDisk;
