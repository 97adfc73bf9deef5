//! The arguments of the verbs of a procedure.
//!
//! Each says one step as people say it; which keys the request has stands in one table, beside where requests are read.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use nevra::Sha256;
use workflow::{Answer, Id, Outcome, Priority, Status, TeamName};

use crate::arguments::{Asking, Scope};

mod ticket;

pub use ticket::{TicketVerb, Ticketed};

/// Whose procedure is meant, and how the answer is awaited.
#[derive(Debug, Clone, Args)]
pub struct Of {
    /// The product; may be left out where only one has a procedure
    #[arg(long)]
    pub product: Option<String>,
    #[command(flatten)]
    pub asking: Asking,
}

/// Which thing is to be shown.
#[derive(Debug, Clone, Args)]
pub struct Show<T: std::str::FromStr<Err: std::error::Error + Send + Sync> + Clone + Send + Sync + 'static> {
    /// Which one; all of them in one line each otherwise
    pub which: Option<T>,
    /// The product; may be left out where only one has a procedure
    #[arg(long)]
    pub product: Option<String>,
}

/// What is to be done with patches.
#[derive(Debug, Subcommand)]
pub enum PatchVerb {
    /// Register a patch with its packages
    Add {
        /// Its id
        patch: Id,
        /// Its packages: NEVRAs, name-version-release, names, or globs over names
        #[arg(required = true, value_name = "PACKAGE")]
        packages: Vec<String>,
        /// What it is, in one line
        #[arg(long, value_name = "TEXT")]
        title: String,
        /// A node type that it touches beside those that pin its packages; may be repeated
        #[arg(long = "node-type", value_name = "NAME")]
        node_types: Vec<String>,
        /// A bug that it cures: an address, #1234 or tracker:1234; may be repeated
        #[arg(long = "bug", value_name = "BUG")]
        bugs: Vec<String>,
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        asking: Asking,
    },
    /// Give a patch other packages; it is verified anew
    Change {
        /// Its id
        patch: Id,
        /// Its packages, all of them
        #[arg(required = true, value_name = "PACKAGE")]
        packages: Vec<String>,
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        asking: Asking,
    },
    /// Set patches to a status
    Status {
        /// The status
        #[arg(value_parser = statuses())]
        status: Status,
        /// Their ids
        #[arg(required = true, value_name = "PATCH")]
        patches: Vec<Id>,
        #[command(flatten)]
        of: Of,
    },
    /// Say something about a patch
    Comment {
        /// Its id
        patch: Id,
        /// What is said
        comment: String,
        #[command(flatten)]
        of: Of,
    },
    /// Show where patches stand
    Show(Show<Id>),
}

/// What is to be done with bundles.
#[derive(Debug, Subcommand)]
pub enum BundleVerb {
    /// Make a bundle of patches
    Create {
        /// Its id
        bundle: Id,
        /// Its patches
        #[arg(required = true, value_name = "PATCH")]
        patches: Vec<Id>,
        /// Let it enter production before sites have tested it
        #[arg(long)]
        urgent: bool,
        #[command(flatten)]
        of: Of,
    },
    /// Take patches into a bundle
    Add {
        /// Its id
        bundle: Id,
        /// The patches
        #[arg(required = true, value_name = "PATCH")]
        patches: Vec<Id>,
        #[command(flatten)]
        of: Of,
    },
    /// Take patches out of a bundle that early adopters have not got yet
    Remove {
        /// Its id
        bundle: Id,
        /// The patches
        #[arg(required = true, value_name = "PATCH")]
        patches: Vec<Id>,
        #[command(flatten)]
        of: Of,
    },
    /// Hand a bundle to the early adopters
    Deploy {
        /// Its id
        bundle: Id,
        #[command(flatten)]
        of: Of,
    },
    /// Keep a bundle from going further; needs --reason
    Hold {
        /// Its id
        bundle: Id,
        #[command(flatten)]
        of: Of,
    },
    /// Let a bundle go on
    Continue {
        /// Its id
        bundle: Id,
        #[command(flatten)]
        of: Of,
    },
    /// Take what was rejected back from the early adopters; needs --reason
    Rollback {
        /// Its id
        bundle: Id,
        #[command(flatten)]
        back: Back,
        #[command(flatten)]
        of: Of,
    },
    /// Show where bundles stand
    Show(Show<Id>),
}

/// What is to be done with tasks.
#[derive(Debug, Subcommand)]
pub enum TaskVerb {
    /// Ask teams of early adopters to try a bundle, or to go back from it
    Assign {
        /// The bundle
        bundle: Id,
        /// The teams, one task each
        #[arg(required = true, value_name = "TEAM")]
        teams: Vec<TeamName>,
        /// Ask them to go back
        #[arg(long)]
        rollback: bool,
        /// A node type to install; those of the bundle that the team runs otherwise; may be repeated
        #[arg(long = "node-type", value_name = "NAME")]
        node_types: Vec<String>,
        /// How many days the site runs it, where that is another number than usual
        #[arg(long, value_name = "NUMBER")]
        days: Option<u32>,
        #[command(flatten)]
        of: Of,
    },
    /// Answer whether the team takes a task on
    Answer {
        /// Its number
        task: u32,
        /// Whether it does
        #[arg(value_parser = answers())]
        answer: Answer,
        #[command(flatten)]
        of: Of,
    },
    /// Take a task on, as `answer` with `accept` does
    Ack {
        /// Its number
        task: u32,
        #[command(flatten)]
        of: Of,
    },
    /// Say that the site runs it, and how it goes so far
    Start(Reported),
    /// Say something about a task
    Comment {
        /// Its number
        task: u32,
        /// What is said
        comment: String,
        #[command(flatten)]
        of: Of,
    },
    /// Say how it went
    Done(Reported),
    /// Lengthen a quarantine
    Extend {
        /// Its number
        task: u32,
        /// By how many days
        days: u32,
        #[command(flatten)]
        of: Of,
    },
    /// Say when the node is down
    Downtime {
        /// Its number
        task: u32,
        /// The first instant, such as 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        from: Timestamp,
        /// The instant at which it is over
        #[arg(long, value_name = "TIME")]
        until: Timestamp,
        #[command(flatten)]
        of: Of,
    },
    /// Say that the node is tagged as one that runs what is not released
    Beta {
        /// Its number
        task: u32,
        #[command(flatten)]
        of: Of,
    },
    /// Wait no longer for a task; needs --reason
    Close {
        /// Its number
        task: u32,
        #[command(flatten)]
        of: Of,
    },
    /// Show how far tasks are
    Show(Show<u32>),
}

/// How a task goes.
#[derive(Debug, Args)]
pub struct Reported {
    /// Its number
    pub task: u32,
    /// How it goes: success, warning or fail
    pub outcome: Outcome,
    /// A ticket or bug that it led to: an address, #1234 or tracker:1234; may be repeated
    #[arg(long = "ticket", value_name = "TICKET")]
    pub tickets: Vec<String>,
    /// The hash of what was installed; what the task is about otherwise
    #[arg(long, value_name = "HASH")]
    pub content: Option<Sha256>,
    #[command(flatten)]
    pub of: Of,
}

/// What is to be done with updates.
#[derive(Debug, Subcommand)]
pub enum ReleaseVerb {
    /// Give patches an update number, and work out what publishing them would do
    Prepare {
        /// The number
        update: u32,
        /// The patches; all that are ready for production otherwise
        #[arg(value_name = "PATCH")]
        patches: Vec<Id>,
        /// How soon sites had better follow
        #[arg(long, default_value = "normal", value_parser = priorities())]
        priority: Priority,
        /// Let patches of the same bundles stay behind
        #[arg(long)]
        partial: bool,
        #[command(flatten)]
        of: Of,
    },
    /// Say that the release notes are ready
    Ready(Numbered),
    /// Approve of the plan of an update; needs --plan
    Approve(Numbered),
    /// Put an update on line
    Publish(Numbered),
    /// Give up an update that is not published; its patches are free again
    Drop(Numbered),
    /// Show everybody how the tests of an update went
    Reports(Numbered),
    /// Show how far updates are
    Show(Show<u32>),
}

/// An update.
#[derive(Debug, Args)]
pub struct Numbered {
    /// The number
    pub update: u32,
    #[command(flatten)]
    pub of: Of,
}

/// How packages are taken back.
#[derive(Debug, Args)]
pub struct Back {
    /// A version to go back to, where it is not the newest older one; may be repeated
    #[arg(long = "back-to", value_name = "NAME-VERSION-RELEASE")]
    pub versions: Vec<String>,
    /// A name that is pinned no more, because there is no version to go back to; may be repeated
    #[arg(long, value_name = "NAME")]
    pub without: Vec<String>,
    /// The release of a meta-package that is built anew; may be repeated
    #[arg(long = "release", value_name = "NAME-VERSION-RELEASE")]
    pub releases: Vec<String>,
}

/// What is to be done with the register of early adopters.
#[derive(Debug, Subcommand)]
pub enum TeamVerb {
    /// Enter a team into the register, or say of one something else
    Add {
        /// Its name, `ea-NGI-Site`
        team: TeamName,
        /// Where it is reached; never shown to the world
        #[arg(long, value_name = "ADDRESS")]
        contact: String,
        /// Who may act for it, such as user:paolo; may be repeated
        #[arg(long = "member", value_name = "NAME")]
        members: Vec<String>,
        /// A middleware stack that it tries; may be repeated
        #[arg(long = "stack", value_name = "NAME")]
        stacks: Vec<String>,
        /// A platform that it has; every one otherwise; may be repeated
        #[arg(long = "platform", value_name = "OS/ARCH")]
        platforms: Vec<String>,
        /// A node type that it runs; every one otherwise; may be repeated
        #[arg(long = "node-type", value_name = "NAME")]
        node_types: Vec<String>,
        #[command(flatten)]
        of: Of,
    },
    /// Take a team out of the register
    Remove {
        /// Its name
        team: TeamName,
        #[command(flatten)]
        of: Of,
    },
    /// List the teams
    List {
        /// The product; may be left out where only one has a procedure
        #[arg(long)]
        product: Option<String>,
    },
}

fn statuses() -> impl TypedValueParser<Value = Status> {
    let words = PossibleValuesParser::new(Status::ALL.map(Status::as_str));
    words.try_map(|word| Status::ALL.into_iter().find(|one| one.as_str() == word).ok_or("no status"))
}

fn answers() -> impl TypedValueParser<Value = Answer> {
    let words = PossibleValuesParser::new(["accept", "reject"]);
    words.map(|word| if word == "accept" { Answer::Accept } else { Answer::Reject })
}

fn priorities() -> impl TypedValueParser<Value = Priority> {
    PossibleValuesParser::new(["normal", "high", "urgent"]).map(|word| match word.as_str() {
        "high" => Priority::High,
        "urgent" => Priority::Urgent,
        _ => Priority::Normal,
    })
}
