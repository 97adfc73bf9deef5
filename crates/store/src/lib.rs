//! Generations on a disk.

pub mod disk;
mod error;

pub use disk::{Disk, Kind, Modified, Names, Reading, State, Writing};
pub use error::Error;
