//! The two procedures by which a distribution reaches its sites, as pure state machines.
mod calendar;
mod names;

pub use calendar::{Calendar, NotACalendar};
pub use names::{Id, NotAName, TeamName};
