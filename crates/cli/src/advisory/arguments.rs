//! The arguments of `sluice advisory`.

use clap::{Args, ValueEnum};

use crate::arguments::{Asking, Scope};

/// The requests `advisory` and `end-advisory`.
#[derive(Debug, Args)]
pub struct Advisory {
    /// Its id, the same in every stage; one of the same id is replaced by this as its next version, wherever it is
    #[arg(value_name = "ID")]
    pub advisory: String,
    /// What it is about: NEVRAs, name-version-release, names, or globs over names, all of which the stage lists
    #[arg(required_unless_present = "take_back", value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// The stage that lists the packages
    #[arg(long = "in", required_unless_present = "take_back", value_name = "STAGE")]
    pub stage: Option<String>,
    /// What the packages are good for
    #[arg(long = "type", required_unless_present = "take_back", value_name = "TYPE")]
    pub kind: Option<Kind>,
    /// How bad it was without them
    #[arg(long)]
    pub severity: Option<Severity>,
    /// What it is about, in one line
    #[arg(long, required_unless_present = "take_back", value_name = "TEXT")]
    pub title: Option<String>,
    /// As much as somebody should know
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// A vulnerability such as CVE-2026-1, or an address; may be repeated
    #[arg(long = "reference", value_name = "CVE|URL")]
    pub references: Vec<String>,
    /// Say that hosts had better start anew with the packages
    #[arg(long)]
    pub reboot: bool,
    /// Take the advisory back from all stages of the product; needs --reason
    #[arg(long, conflicts_with_all = ["packages", "stage", "kind", "severity", "title", "description", "references", "reboot", "platforms"])]
    pub take_back: bool,
    /// Leave it where it is, with the status `retracted`: zypper offers its packages no more, dnf goes by no status
    #[arg(long, requires = "take_back")]
    pub retracted: bool,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub asking: Asking,
}

/// What packages are good for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    /// They close a hole
    Security,
    /// They mend something
    Bugfix,
    /// They can more
    Enhancement,
    /// There were none before
    Newpackage,
}

/// How bad it was.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum Severity {
    /// Worse than anything
    Critical,
    /// Bad
    Important,
    /// Less so
    Moderate,
    /// Hardly bad
    Low,
}

impl Kind {
    /// Says it as requests do.
    pub fn meant(self) -> &'static str {
        let [security, bugfix, enhancement, newpackage] = plan::Advised::KINDS;
        match self {
            Self::Security => security,
            Self::Bugfix => bugfix,
            Self::Enhancement => enhancement,
            Self::Newpackage => newpackage,
        }
    }
}

impl Severity {
    /// Says it as requests do.
    pub fn meant(self) -> &'static str {
        let [critical, important, moderate, low] = plan::Advised::SEVERITIES;
        match self {
            Self::Critical => critical,
            Self::Important => important,
            Self::Moderate => moderate,
            Self::Low => low,
        }
    }
}
