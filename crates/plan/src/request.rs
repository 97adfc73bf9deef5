//! A request: what somebody wants done, read from one small file.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use nevra::Sha256;
use serde::{Deserialize, Serialize};
use workflow::Command;

use crate::layout::Kind;
use crate::refusal::{Code, Refusal};

mod read;
pub mod signed;
mod steps;
mod wire;
mod write;

pub use read::{SIZE_MAX, is_complete, parse};
pub use steps::STEPS;

/// The version of the form that this program reads and writes.
pub const FORMAT: i64 = 1;

/// Tells the two spellings of a request apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `*.toml`, ending with the line `[end]`.
    Toml,
    /// `*.json`, one whole object.
    Json,
}

impl Format {
    /// Chooses by the name of a file; `None` if it is no request.
    pub fn of_name(name: &str) -> Option<Format> {
        let (stem, extension) = name.rsplit_once('.')?;
        match extension {
            _ if stem.is_empty() => None,
            "toml" => Some(Format::Toml),
            "json" => Some(Format::Json),
            _ => None,
        }
    }

    /// Writes the extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Toml => "toml",
            Format::Json => "json",
        }
    }
}

/// Says what somebody wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The requester's own id for it; the claim name if there is none.
    pub id: Option<String>,
    /// Why, for the record.
    pub reason: Option<String>,
    /// When it is no longer wanted.
    pub expires: Option<Timestamp>,
    /// Whether only the plan is wanted.
    pub dry_run: bool,
    /// On whose behalf a door asks. The key `as` of a `keep` is the name instead, so a door cannot keep.
    pub as_: Option<String>,
    /// The one site that it is for, by its name or its URL; a signed one can be copied to any that knows the key.
    pub site: Option<String>,
    /// The hash of the plan that was approved; any other plan is refused. Of an [`Action::Approve`] the one to approve of.
    pub plan: Option<String>,
    /// What to do.
    pub action: Action,
}

/// Where meta-packages of a partial release are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partial {
    /// In the target alone; the stage they come from goes on listing them whole.
    Target,
    /// In both, so that all hosts have the same.
    Both,
}

/// Says what an advisory says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advised {
    /// Its id, by which it is the same in every stage (the key is `advisory`).
    pub id: String,
    /// One of [`Advised::KINDS`] (the key is `type`).
    pub kind: String,
    /// One of [`Advised::SEVERITIES`].
    pub severity: Option<String>,
    /// In one line.
    pub title: String,
    /// As much as somebody should know; may be empty.
    pub description: String,
    /// Names of vulnerabilities, `CVE-2026-1`, or addresses.
    pub references: Vec<String>,
    /// Whether hosts had better start anew with the packages.
    pub reboot: bool,
}

impl Advised {
    /// What an advisory can be about.
    pub const KINDS: [&'static str; 4] = ["security", "bugfix", "enhancement", "newpackage"];
    /// How bad it can be.
    pub const SEVERITIES: [&'static str; 4] = ["Critical", "Important", "Moderate", "Low"];
}

/// Says what to do. Lists of platforms that are empty mean all of the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Brings new package files into a stage.
    Import {
        /// The product.
        product: String,
        /// The stage.
        to: String,
        /// Names in `upload/`, `<sha256>-<name>`. Empty if a folder is given.
        files: Vec<String>,
        /// An absolute path to a folder of packages that the daemon may read.
        folder: Option<String>,
        /// The platforms, `os/arch`, either of which may be `*`.
        platforms: Vec<String>,
    },
    /// Takes a repository that exists already, with its metadata, into one repository of a stage.
    Adopt {
        /// The product.
        product: String,
        /// The stage, whose path is the URL the repository had.
        stage: String,
        /// The one platform, `os/arch`.
        platform: String,
        /// Which of the siblings the repository becomes.
        kind: Kind,
        /// An absolute path to the folder that holds `repodata`, which the daemon may read.
        folder: String,
    },
    /// Moves packages from one stage to the next.
    Promote {
        /// The product.
        product: String,
        /// The stage they leave.
        from: String,
        /// The stage they enter.
        to: String,
        /// NEVRAs, names with version and release, names, or globs over names.
        packages: Vec<String>,
        /// The platforms.
        platforms: Vec<String>,
        /// Whether meta-packages that pin what stays behind are built anew for the target.
        partial: Option<Partial>,
    },
    /// Takes packages that were rejected out of a stage, and has every meta-package there that pins one pin the version
    /// before.
    Rollback {
        /// The product.
        product: String,
        /// The stage.
        from: String,
        /// As for [`Action::Promote`].
        packages: Vec<String>,
        /// The platforms.
        platforms: Vec<String>,
        /// Versions to go back to, `name-version-release`; of other names the newest older one that hosts are offered.
        versions: Vec<String>,
        /// Names that are pinned no more, because there is no version to go back to.
        without: Vec<String>,
        /// Releases of what is built anew, `name-version-release`; of others the next that is free.
        releases: Vec<String>,
    },
    /// Takes packages out of a stage.
    Withdraw {
        /// The product.
        product: String,
        /// The stage.
        from: String,
        /// As for [`Action::Promote`].
        packages: Vec<String>,
        /// The platforms.
        platforms: Vec<String>,
    },
    /// Makes a stage list what it listed in an earlier generation.
    Revert {
        /// The product.
        product: String,
        /// The stage.
        stage: String,
        /// The earlier generation.
        generation: Reference,
        /// The platforms.
        platforms: Vec<String>,
    },
    /// Does the inverse of a settled request.
    Undo {
        /// Its claim name, or its id where that means one request only.
        request: String,
    },
    /// Gives a generation a name, which keeps it; or ends such a name.
    Keep {
        /// The generation; if there is none, the current one, which is the one published last: never the one
        /// that the request itself or others of its line will make.
        generation: Option<Reference>,
        /// The name to give (the key is `as`).
        as_: Option<String>,
        /// The name to end.
        drop: Option<String>,
    },
    /// Removes what is no longer promised to anybody.
    Sweep {},
    /// Takes packages out of the stages they left long enough ago; for the clock only.
    Overlap {},
    /// Answers for what a gate would refuse; the request's `reason` says why.
    Waive {
        /// The product.
        product: String,
        /// The stage that something enters or leaves.
        stage: String,
        /// The gate.
        gate: String,
        /// For which packages, as for [`Action::Promote`].
        packages: Vec<String>,
        /// Until when.
        until: Timestamp,
    },
    /// Ends a waiver early.
    EndWaiver {
        /// Its id.
        waiver: String,
    },
    /// Keeps everything from entering or leaving; the request's `reason` says why.
    Freeze {
        /// The product.
        product: String,
        /// The stage; all of the product if there is none.
        stage: Option<String>,
        /// Until when; until a [`Action::Thaw`] if there is no instant.
        until: Option<Timestamp>,
    },
    /// Ends a freeze.
    Thaw {
        /// Its id.
        freeze: String,
    },
    /// Approves of the plan whose hash the request names, for a route; or takes that back.
    Approve {
        /// The product.
        product: String,
        /// The stage that packages leave.
        from: String,
        /// The stage they enter.
        to: String,
        /// Whether the approval is taken back.
        take_back: bool,
    },
    /// Says that two files of one name may be listed in different repositories; the request's `reason` says why.
    Variant {
        /// The product.
        product: String,
        /// The name both bear, a NEVRA.
        package: String,
        /// The digests of the two files.
        digests: Vec<String>,
    },
    /// Ends such a decision.
    EndVariant {
        /// Its id.
        variant: String,
    },
    /// Says something of packages that a stage lists, in an advisory; in the place of one of the same id.
    Advisory {
        /// The product.
        product: String,
        /// The stage.
        stage: String,
        /// What is said.
        advised: Advised,
        /// As for [`Action::Promote`].
        packages: Vec<String>,
        /// The platforms.
        platforms: Vec<String>,
    },
    /// Takes back an advisory, wherever the product has it; the request's `reason` says why.
    EndAdvisory {
        /// The product.
        product: String,
        /// Its id.
        advisory: String,
        /// Whether it stays, as its next version with the status `retracted`.
        retracted: bool,
    },
    /// Takes the wall clock's time for witnessed.
    AcceptClock {},
    /// Takes packages out of everything that exists, at once and for ever: malware, or what the law forbids.
    Purge {
        /// SHA-256 digests of whole files, or file names as repositories show them, with or without `.rpm`.
        packages: Vec<String>,
    },
    /// Publishes the same packages again after the site was restored from a backup; asked by `sluice init --resume` alone.
    Resume {},
    /// Makes repositories appear that the configuration names and nobody has seen yet; for the clock only.
    Config {},
    /// Takes a step of the procedure of a product.
    Step {
        /// The product.
        product: String,
        /// The step.
        command: Box<Command>,
    },
}

impl Action {
    /// The names of all actions but the steps of procedures, which are [`STEPS`].
    pub const NAMES: [&'static str; 23] = [
        "import",
        "adopt",
        "promote",
        "rollback",
        "withdraw",
        "revert",
        "undo",
        "keep",
        "sweep",
        "overlap",
        "waive",
        "end-waiver",
        "freeze",
        "thaw",
        "approve",
        "variant",
        "end-variant",
        "advisory",
        "end-advisory",
        "accept-clock",
        "purge",
        "resume",
        "config",
    ];

    /// Writes the name, as the key `action` has it.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Import { .. } => "import",
            Action::Adopt { .. } => "adopt",
            Action::Promote { .. } => "promote",
            Action::Rollback { .. } => "rollback",
            Action::Withdraw { .. } => "withdraw",
            Action::Revert { .. } => "revert",
            Action::Undo { .. } => "undo",
            Action::Keep { .. } => "keep",
            Action::Sweep {} => "sweep",
            Action::Overlap {} => "overlap",
            Action::Waive { .. } => "waive",
            Action::EndWaiver { .. } => "end-waiver",
            Action::Freeze { .. } => "freeze",
            Action::Thaw { .. } => "thaw",
            Action::Approve { .. } => "approve",
            Action::Variant { .. } => "variant",
            Action::EndVariant { .. } => "end-variant",
            Action::Advisory { .. } => "advisory",
            Action::EndAdvisory { .. } => "end-advisory",
            Action::AcceptClock {} => "accept-clock",
            Action::Purge { .. } => "purge",
            Action::Resume {} => "resume",
            Action::Config {} => "config",
            Action::Step { command, .. } => steps::name(command),
        }
    }

    /// Names the product it is about, if it is about one.
    pub fn product(&self) -> Option<&str> {
        match self {
            Action::Import { product, .. }
            | Action::Adopt { product, .. }
            | Action::Promote { product, .. }
            | Action::Rollback { product, .. }
            | Action::Withdraw { product, .. }
            | Action::Revert { product, .. }
            | Action::Waive { product, .. }
            | Action::Freeze { product, .. }
            | Action::Approve { product, .. }
            | Action::Variant { product, .. }
            | Action::Advisory { product, .. }
            | Action::EndAdvisory { product, .. }
            | Action::Step { product, .. } => Some(product),
            Action::Undo { .. }
            | Action::Keep { .. }
            | Action::EndWaiver { .. }
            | Action::Thaw { .. }
            | Action::EndVariant { .. }
            | Action::Sweep {}
            | Action::Overlap {}
            | Action::AcceptClock {}
            | Action::Purge { .. }
            | Action::Resume {}
            | Action::Config {} => None,
        }
    }
}

impl Request {
    /// Makes a request of nothing but an action.
    pub fn new(action: Action) -> Request {
        Request {
            id: None,
            reason: None,
            expires: None,
            dry_run: false,
            as_: None,
            site: None,
            plan: None,
            action,
        }
    }
}

/// Points to a generation, by number or by a name somebody gave it; an `@` in front is allowed.
///
/// A text of digits is always a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// The number.
    Number(u64),
    /// The name, without `@`.
    Name(String),
}

impl FromStr for Reference {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Reference, Self::Err> {
        let text = text.strip_prefix('@').unwrap_or(text);
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(Reference::Number(number)),
            _ => Ok(Reference::Name(text.to_owned())),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Number(number) => write!(f, "{number}"),
            Reference::Name(name) => f.write_str(name),
        }
    }
}

/// Takes the name of a file in `upload/` apart, `<sha256>-<name>`; `None` if it is no such name.
pub fn upload_parts(file: &str) -> Option<(Sha256, &str)> {
    let (digest, name) = file.split_at_checked(64)?;
    let name = name.strip_prefix('-')?;
    let sound = !name.is_empty()
        && file.len() <= 255
        && !name.starts_with('.')
        && name.chars().all(|c| c != '/' && !c.is_control());
    sound.then_some(())?;
    Some((digest.parse().ok()?, name))
}

/// Refuses texts that a terminal or a log would suffer from.
fn check_text(key: &str, text: &str, chars_max: usize, lines: bool) -> Result<(), Refusal> {
    let malformed = |words: &str| Err(Refusal::new(Code::Malformed, format!("the value of `{key}` {words}")));
    if text.trim().is_empty() {
        return malformed("is empty");
    }
    if text.chars().count() > chars_max {
        return malformed(&format!("is longer than {chars_max} characters"));
    }
    if text.chars().any(|c| c.is_control() && !(lines && (c == '\n' || c == '\t'))) {
        return malformed("holds control characters");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
