//! The two procedures by which a distribution reaches its sites, as pure state machines.
mod calendar;
pub mod evidence;
mod names;
pub mod naming;
mod outcome;
pub mod report;
pub mod text;

pub use calendar::{Calendar, NotACalendar};
pub use names::{Id, NotAName, TeamName};
pub use naming::Priority;
pub use outcome::{NotAnOutcome, Outcome};
