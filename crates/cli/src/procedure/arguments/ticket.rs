//! The arguments of `sluice ticket`.

use clap::{Args, Subcommand};
use workflow::text::{Line, Link, Reference, Words};
use workflow::{Id, TeamName};

use super::{Back, Of, Show};
use crate::arguments::{Asking, Scope};

/// What is to be done with tickets, each of which follows one product.
#[derive(Debug, Subcommand)]
pub enum TicketVerb {
    /// Open a ticket
    Add {
        /// Its id
        ticket: Id,
        /// The component, such as SE-DPM_mysql
        component: String,
        /// Its version, such as 1.8.0-1
        version: String,
        /// Its packages: NEVRAs, name-version-release, names, or globs over names
        #[arg(required = true, value_name = "PACKAGE")]
        packages: Vec<String>,
        /// The middleware stack, such as EMI
        #[arg(long, value_name = "NAME")]
        stack: Option<String>,
        /// The major release of the stack, such as 1.0
        #[arg(long, value_name = "NUMBER")]
        major: Option<String>,
        /// The operating system, such as SL5
        #[arg(long, value_name = "NAME")]
        os: Option<String>,
        /// The architecture, such as x86_64
        #[arg(long, value_name = "NAME")]
        arch: Option<String>,
        /// A node type that it touches beside those that pin its packages; may be repeated
        #[arg(long = "node-type", value_name = "NAME")]
        node_types: Vec<String>,
        /// Let it enter production before sites have tested it
        #[arg(long)]
        urgent: bool,
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        asking: Asking,
    },
    /// Give a ticket other packages; it is verified anew
    Change {
        /// Its id
        ticket: Id,
        /// Its packages, all of them
        #[arg(required = true, value_name = "PACKAGE")]
        packages: Vec<String>,
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        asking: Asking,
    },
    /// Begin to verify what it follows
    Verify(Ticketed),
    /// Say that verification accepted it, and hand it to the early adopters
    Deploy(Ticketed),
    /// Say where more is said of it; what is not given stays
    Links {
        /// Its id
        ticket: Id,
        /// What is new
        #[arg(long, value_name = "ADDRESS")]
        release_notes: Option<Link>,
        /// How it is installed and configured
        #[arg(long, value_name = "ADDRESS")]
        installation: Option<Link>,
        /// Which bugs it cures
        #[arg(long, value_name = "ADDRESS")]
        bugs_fixed: Option<Link>,
        /// Everything else
        #[arg(long, value_name = "ADDRESS")]
        documentation: Option<Link>,
        #[command(flatten)]
        of: Of,
    },
    /// Say something about a ticket
    Comment {
        /// Its id
        ticket: Id,
        /// What is said
        comment: String,
        #[command(flatten)]
        of: Of,
    },
    /// Ask teams of early adopters to try it
    Assign {
        /// Its id
        ticket: Id,
        /// The teams, one task each
        #[arg(required = true, value_name = "TEAM")]
        teams: Vec<TeamName>,
        /// How many days the site runs it, where that is another number than usual
        #[arg(long, value_name = "NUMBER")]
        days: Option<u32>,
        #[command(flatten)]
        of: Of,
    },
    /// Name a ticket at the helpdesk that it led to
    Relate {
        /// Its id
        ticket: Id,
        /// The ticket at the helpdesk: an address, #1234 or tracker:1234
        related: Reference,
        /// Its subject, which begins with what is rolled out
        subject: Line,
        /// How bad it is for the site
        #[arg(long, value_name = "TEXT")]
        criticality: Option<Line>,
        /// How the site got around it
        #[arg(long, value_name = "TEXT")]
        workaround: Option<Words>,
        #[command(flatten)]
        of: Of,
    },
    /// Say where the summary of its manager lies
    Summary {
        /// Its id
        ticket: Id,
        /// The id of the document with all reports
        document: Id,
        /// The name of the summary's file
        file: String,
        #[command(flatten)]
        of: Of,
    },
    /// End the staged roll-out well: its packages enter production
    Accept(Ticketed),
    /// End it badly: its packages leave the early adopters; needs --reason
    Reject {
        /// Its id
        ticket: Id,
        #[command(flatten)]
        back: Back,
        #[command(flatten)]
        of: Of,
    },
    /// Say which release contains tickets that were accepted
    Release {
        /// The release
        release: Id,
        /// The tickets
        #[arg(required = true, value_name = "TICKET")]
        tickets: Vec<Id>,
        #[command(flatten)]
        of: Of,
    },
    /// Show where tickets stand
    Show(Show<Id>),
}

/// A ticket.
#[derive(Debug, Args)]
pub struct Ticketed {
    /// Its id
    pub ticket: Id,
    #[command(flatten)]
    pub of: Of,
}
