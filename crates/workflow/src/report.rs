//! The report of a team on what it ran (E9, G8): the template it is handed, and reading it back filled in.
//!
//! Both are Markdown with fixed headings, [`Heading`]; what a team writes stands below them.

use std::fmt;

use jiff::Timestamp;
use nevra::Sha256;
use serde::{Deserialize, Serialize};

mod reading;
mod template;

use crate::names::{Id, NotAName, TeamName};
use crate::naming::Component;
use crate::outcome::{NotAnOutcome, Outcome};
use crate::text::{NotAText, Reference, Words};

pub use reading::{REPORT_MAX, parse};
pub use template::template;

/// Says what a team was asked to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The team.
    pub team: TeamName,
    /// The number of its task.
    pub task: u64,
    /// The bundle or the ticket.
    pub matter: Id,
    /// What is rolled out.
    pub component: Component,
    /// The hash of the contents of the bundle, for which alone the report counts.
    pub content: Sha256,
    /// The platforms.
    pub platforms: Vec<String>,
    /// The node types.
    pub node_types: Vec<String>,
    /// The packages, as NEVRAs.
    pub packages: Vec<String>,
    /// Until when the new version has to run.
    pub quarantine_end: Timestamp,
    /// What the report has to be called.
    pub file_name: String,
}

/// Says what a team reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The team that the template was made for.
    pub team: TeamName,
    /// The number of the task that the template was made for.
    pub task: u64,
    /// The hash of the contents that the template was made for.
    pub content: Sha256,
    /// How it went.
    pub outcome: Outcome,
    /// Whether the release notes are right.
    pub notes: Words,
    /// What was tested.
    pub tests: Words,
    /// What the service was put through.
    pub metrics: Metrics,
    /// What went wrong.
    pub problems: Vec<Problem>,
    /// What helps; made known with the release notes.
    pub workarounds: Vec<Words>,
}

/// Says what a service was put through. There is a number or a remark, at least.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metrics {
    /// Jobs that it ran in a day.
    pub jobs_per_day: Option<u64>,
    /// Transfers that it made in a day.
    pub transfers_per_day: Option<u64>,
    /// The virtual organisations that used it, each a plain name.
    pub vos: Vec<Id>,
    /// What else there is to say.
    pub remarks: Option<Words>,
}

/// Something that went wrong, and where it is followed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The ticket or bug.
    pub ticket: Reference,
    /// What happened, as far as it is said.
    pub text: Option<Words>,
}

/// The headings of a report, in this order in the template and in any in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heading {
    /// What the report is about; filled in beforehand.
    Task,
    /// What was to be installed; filled in beforehand, and not read back.
    Packages,
    /// Success, Warning or Fail.
    Outcome,
    /// Whether the release notes are right.
    Notes,
    /// What was tested.
    Tests,
    /// What the service was put through.
    Metrics,
    /// What went wrong; may be empty.
    Problems,
    /// What helps; may be empty.
    Workarounds,
}

impl Heading {
    /// All of them.
    pub const ALL: [Heading; 8] = [
        Heading::Task,
        Heading::Packages,
        Heading::Outcome,
        Heading::Notes,
        Heading::Tests,
        Heading::Metrics,
        Heading::Problems,
        Heading::Workarounds,
    ];

    /// Tells people what to write below it, line by line. Lines that are left standing are no part of the answer.
    fn hint(self) -> &'static [&'static str] {
        match self {
            Heading::Task => &[],
            Heading::Packages => &["> What is to be installed; nothing need be written here."],
            Heading::Outcome => &["> One word: Success, Warning or Fail."],
            Heading::Notes => &["> Are the release notes right, and is anything missing in them?"],
            Heading::Tests => &["> What was tested, and how?"],
            Heading::Metrics => &[
                "> Jobs or transfers per day, as whole numbers, and the virtual",
                "> organisations. Below them may stand what else there is to say.",
            ],
            Heading::Problems => &[
                "> One problem after each `-`, its ticket or bug first, such as",
                "> `- https://tracker.example/1234 what happened, and how bad it is`",
                "> or `- savannah:1234 what happened`. Nothing if there was none.",
            ],
            Heading::Workarounds => &[
                "> One workaround after each `-`. They are made known with the release",
                "> notes, to everybody. Nothing if there is none.",
            ],
        }
    }
}

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Heading::Task => "Task",
            Heading::Packages => "Packages",
            Heading::Outcome => "Outcome",
            Heading::Notes => "Correctness of the release notes",
            Heading::Tests => "Tests done",
            Heading::Metrics => "Metrics",
            Heading::Problems => "Problems",
            Heading::Workarounds => "Workarounds",
        })
    }
}

/// The keys below the heading `Task` that are read back, and those below `Metrics`.
const TEAM: &str = "Team";
const TASK: &str = "Task number";
const CONTENT: &str = "Content hash";
const JOBS: &str = "Jobs per day";
const TRANSFERS: &str = "Transfers per day";
const VOS: &str = "Virtual organisations";

/// Says where a report is not understood, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; none where something is missing altogether.
    pub line: Option<usize>,
    /// The heading, or none in front of the first.
    pub heading: Option<Heading>,
    /// What is wrong.
    pub reason: Reason,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        match self.heading {
            Some(heading) => write!(f, "below `{heading}`: {}", self.reason),
            None => write!(f, "in front of all headings: {}", self.reason),
        }
    }
}

/// Says what is wrong with a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A heading is not there.
    #[error("the heading is missing; it is a line `## {0}`")]
    NoHeading(Heading),
    /// A heading is there again.
    #[error("the heading stands there a second time")]
    Again,
    /// A heading is none of a report.
    #[error("`{0}` is no heading of a report; those inside an answer begin with `###`")]
    Unknown(String),
    /// Text stands in front of the headings.
    #[error("`{0}` belongs to no heading")]
    Stray(String),
    /// Nothing is written below a heading.
    #[error("nothing is written there")]
    Empty,
    /// A block of code does not end.
    #[error("the block of code that begins there is never closed with {0}")]
    Open(String),
    /// A key that was filled in beforehand is not there.
    #[error("the line `- {0}: ...` is missing")]
    NoKey(&'static str),
    /// A key is there again.
    #[error("the line `- {0}: ...` stands there a second time")]
    KeyAgain(&'static str),
    /// It is no number.
    #[error("`{text}` behind `{key}` is not a whole number")]
    Number {
        /// The key.
        key: &'static str,
        /// What stands there.
        text: String,
    },
    /// It is no digest.
    #[error("`{0}` is no hash, which has 64 hexadecimal digits")]
    Content(String),
    /// There are too many things in a list.
    #[error("more than {0} are listed")]
    Many(usize),
    /// It is no team, or no virtual organisation.
    #[error(transparent)]
    Name(#[from] NotAName),
    /// It is no outcome.
    #[error(transparent)]
    Outcome(#[from] NotAnOutcome),
    /// A text is not taken, or names no ticket.
    #[error(transparent)]
    Text(#[from] NotAText),
}

/// Says why a text is not the report of a team.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAReport {
    /// It is too long to be looked at.
    #[error("the report has {0} bytes, and at most {REPORT_MAX} are read")]
    Long(usize),
    /// Some of it is missing or not understood; the first twenty places, in the order of the lines.
    #[error("the report is not understood: {}", said(.0))]
    Faults(Vec<Fault>),
}

fn said(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
