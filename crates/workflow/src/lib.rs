//! The two procedures by which a distribution reaches its sites, as pure state machines.
mod names;

pub use names::{Id, NotAName, TeamName};
