//! The arguments of what people decide: approvals, waivers, variants, freezes.

use clap::Args;
use jiff::Timestamp;

use crate::arguments::{Asking, Scope};

/// The request `approve`.
#[derive(Debug, Args)]
pub struct Approve {
    /// The hash of the plan, as a dry run tells it
    #[arg(value_name = "HASH")]
    pub approved: String,
    /// The stage that packages leave; may be left out where only one route fits
    #[arg(long, value_name = "STAGE")]
    pub from: Option<String>,
    /// The stage they enter; may be left out where only one route fits
    #[arg(long, value_name = "STAGE")]
    pub to: Option<String>,
    /// Take the approval back
    #[arg(long)]
    pub take_back: bool,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub asking: Asking,
}

/// The requests `waive` and `end-waiver`.
#[derive(Debug, Args)]
pub struct Waive {
    /// For which packages: NEVRAs, name-version-release, names, or globs over names
    #[arg(required_unless_present = "drop", value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// The gate, such as `soak`
    #[arg(long, required_unless_present = "drop")]
    pub gate: Option<String>,
    /// The stage that they enter or leave
    #[arg(long, required_unless_present = "drop")]
    pub stage: Option<String>,
    /// Until when, such as 2026-01-31T12:00:00Z
    #[arg(long, required_unless_present = "drop", value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// End a waiver early
    #[arg(long, value_name = "ID", conflicts_with_all = ["packages", "gate", "stage", "until"])]
    pub drop: Option<String>,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub asking: Asking,
}

/// The requests `variant` and `end-variant`.
#[derive(Debug, Args)]
pub struct Variant {
    /// The name both files bear, with version, release and architecture
    #[arg(required_unless_present = "drop", value_name = "NEVRA")]
    pub package: Option<String>,
    /// The SHA-256 of the file that is listed, and of the other
    #[arg(required_unless_present = "drop", value_name = "DIGEST")]
    pub digests: Vec<String>,
    /// End such a decision, once one of the files is listed no more
    #[arg(long, value_name = "ID", conflicts_with_all = ["package", "digests"])]
    pub drop: Option<String>,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub asking: Asking,
}

/// The request `freeze`.
#[derive(Debug, Args)]
pub struct Freeze {
    /// The stage; all of the product otherwise
    #[arg(long)]
    pub stage: Option<String>,
    /// Until when, such as 2026-01-31T12:00:00Z; until `sluice thaw` otherwise
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub asking: Asking,
}

/// The request `thaw`.
#[derive(Debug, Args)]
pub struct Thaw {
    /// The id of the freeze; `sluice status` lists them
    #[arg(value_name = "ID")]
    pub freeze: String,
    #[command(flatten)]
    pub asking: Asking,
}
