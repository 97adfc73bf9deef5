//! The arguments of `sluice metapackage`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use crate::arguments::Scope;

/// Work on meta-packages.
#[derive(Debug, Args)]
pub struct Metapackage {
    #[command(subcommand)]
    pub verb: MetapackageVerb,
}

/// What is done with a meta-package.
#[derive(Debug, Subcommand)]
pub enum MetapackageVerb {
    /// Make a new one from a list of pins, or of what a stage lists now, for you to sign and import
    Build(Build),
}

/// What the meta-package is to be.
#[derive(Debug, Args)]
pub struct Build {
    /// Its name
    pub name: String,
    /// Its version and release, such as 3.2.7-1
    #[arg(value_name = "VERSION-RELEASE")]
    pub version: String,
    /// What it requires, such as 'voms-clients = 1.9.10-1'; may be repeated
    #[arg(long = "pin", value_name = "REQUIREMENT")]
    pub pins: Vec<String>,
    /// A stage of which it pins what is listed now: the newest version of each name that `--of` names
    #[arg(long, value_name = "STAGE", requires = "of")]
    pub stage: Option<String>,
    /// Names, or globs over names, of what it pins of the stage; may be repeated
    #[arg(long, value_name = "PACKAGE", requires = "stage")]
    pub of: Vec<String>,
    /// One line about it
    #[arg(long)]
    pub summary: Option<String>,
    /// Its licence
    #[arg(long, default_value = "Public Domain")]
    pub license: String,
    /// The folder to write it into
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub output: Utf8PathBuf,
    #[command(flatten)]
    pub scope: Scope,
}
