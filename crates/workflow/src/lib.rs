//! The two procedures by which a distribution reaches its sites, as pure state machines.
mod calendar;
mod names;
mod naming;
mod outcome;
mod report;
mod text;

pub use calendar::{Calendar, NotACalendar};
pub use names::{Id, NotAName, TeamName};
pub use naming::{
    Component, Extension, JOINED_MAX, Misnamed, NotAComponent, NotAPriority, NotAnExtension, Part, Parts,
    Priority, announcement_subject, check_report_file, check_summary_file, description, helpdesk_subject,
    report_file, summary_file, ticket_title,
};
pub use outcome::{NotAnOutcome, Outcome};
pub use report::{
    Asked, Fault, Heading, Metrics, NotAReport, Problem, REPORT_MAX, Reason, Report, parse, template,
};
pub use text::{BYTES_MAX, LINE_MAX, LINK_MAX, Line, Link, NotAText, Reference, WORDS_MAX, Words};
