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
//! make everything that is remembered again. A patch goes the ways of [`GLITE`] and no other, a ticket those of [`EGI`]:
//!
//! ```
//! use workflow::{Part, Status, edge};
//!
//! let way = edge(Status::Verified, Status::ReadyForRollout, "patch-status").expect("line G2 leads there");
//! assert_eq!((way.line, &way.actor), (Some("G2"), &Part::Operations));
//! assert!(edge(Status::Verified, Status::Released, "patch-status").is_none());
//! ```

mod archive;
mod bundle;
mod calendar;
mod command;
mod completeness;
mod conflict;
mod content;
mod debt;
mod decide;
mod egi_table;
pub mod evidence;
mod evolve;
mod fact;
mod matter;
mod names;
pub mod naming;
mod outcome;
mod patch;
mod refusal;
pub mod report;
mod role;
mod rules;
mod schedule;
mod state;
mod subject;
mod table;
mod task;
mod team;
pub mod text;
mod ticket;
mod update;
mod waiting;

pub use archive::{Archived, Filed, Matters};
pub use bundle::{Bundle, Revision};
pub use calendar::{Calendar, NotACalendar};
pub use command::{Answer, Command};
pub use completeness::differences;
pub use conflict::{conflicts, focus};
pub use content::{Item, content, content_of_all};
pub use debt::{debts, ticket_debts};
pub use decide::{Asked, Decided, Moves, Notice, Times, decide, next_reminder, publishing, rebuilt, resting};
pub use egi_table::{EGI, Role, Way, way};
pub use fact::{About, Deed, Fact};
pub use matter::{Matter, NotAMatter};
pub use names::{Id, NotAName, TeamName};
pub use naming::Priority;
pub use outcome::{NotAnOutcome, Outcome};
pub use patch::{Patch, Patches, Place, Status, Step};
pub use refusal::{Code, Refusal};
pub use role::{Actor, Part};
pub use rules::{Procedure, Rules};
pub use schedule::{Kind, Span, schedule};
pub use state::{FORMAT, State, Workflow};
pub use subject::Subject;
pub use table::{Edge, GLITE, edge};
pub use task::{Downtime, Progress, Reminder, Shown, Task, Work};
pub use team::Team;
pub use ticket::fact::Turn;
pub use ticket::{Links, Related, Standing, Summary, Ticket};
pub use update::{Readiness, Update};
pub use waiting::{Next, Waiting, waiting};
