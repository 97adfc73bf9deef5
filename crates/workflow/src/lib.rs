//! The two procedures by which a distribution reaches its sites, as pure state machines.
mod calendar;
mod names;
mod text;

pub use calendar::{Calendar, NotACalendar};
pub use names::{Id, NotAName, TeamName};
pub use text::{BYTES_MAX, LINE_MAX, LINK_MAX, Line, Link, NotAText, Reference, WORDS_MAX, Words};
