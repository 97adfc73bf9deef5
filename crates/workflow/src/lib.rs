//! The two procedures by which a distribution reaches its sites, as pure state machines.
//!
//! ```text
//!  Command --decide--> facts, packages that move, who is told     or a Refusal
//!             |
//!     Asked: what is remembered, how the procedure is set up, who asks, what time it is
//!
//!  fact --evolve--> what is remembered from then on
//! ```
//!
//! Deciding may fail and changes nothing; evolving cannot fail, decides nothing and reads no clock. Whoever keeps all facts can
//! make everything that is remembered again. A patch goes the ways of [`GLITE`] and no other:
//!
//! ```
//! use workflow::{Part, Status, edge};
//!
//! let way = edge(Status::Verified, Status::ReadyForRollout, "patch-status").expect("line G2 leads there");
//! assert_eq!((way.line, &way.actor), (Some("G2"), &Part::Operations));
//! assert!(edge(Status::Verified, Status::Released, "patch-status").is_none());
//! ```

mod bundle;
mod calendar;
mod command;
mod completeness;
mod conflict;
mod content;
mod debt;
mod decide;
pub mod evidence;
mod evolve;
mod fact;
mod names;
pub mod naming;
mod outcome;
mod patch;
mod refusal;
pub mod report;
mod role;
mod rules;
mod state;
mod table;
mod task;
mod team;
pub mod text;
mod update;

pub use bundle::{Bundle, Revision};
pub use calendar::{Calendar, NotACalendar};
pub use command::{Answer, Command};
pub use completeness::differences;
pub use conflict::{conflicts, focus};
pub use content::{Item, content, content_of_all};
pub use debt::debts;
pub use decide::{Asked, Decided, Moves, Notice, Times, decide, publishing, rebuilt};
pub use fact::{About, Deed, Fact};
pub use names::{Id, NotAName, TeamName};
pub use naming::Priority;
pub use outcome::{NotAnOutcome, Outcome};
pub use patch::{Patch, Patches, Place, Status, Step};
pub use refusal::{Code, Refusal};
pub use role::{Actor, Part};
pub use rules::{Procedure, Rules};
pub use state::{FORMAT, State, Workflow};
pub use table::{Edge, GLITE, edge};
pub use task::{Downtime, Progress, Reminder, Shown, Task, Work};
pub use team::Team;
pub use update::{Readiness, Update};
