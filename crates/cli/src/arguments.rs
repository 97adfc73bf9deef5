//! What may stand on the command line, as types. Parsed once; nothing else looks at text from there.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use plan::Reference;

use crate::compare::arguments::Compare;
use crate::createrepo::arguments::Createrepo;

use crate::config_web::WebServer;
use crate::generate::GenerateVerb;
use crate::init::arguments::Init;
use crate::mirror::arguments::Mirror;
use crate::procedure::arguments::{BundleVerb, PatchVerb, ReleaseVerb, TaskVerb, TeamVerb, TicketVerb};
use crate::release_package::arguments::ReleasePackage;
use crate::status::arguments::Status;
use crate::verify::arguments::Verify;

const EXIT_CODES: &str = "\
Exit codes:
   0  done, or nothing to do          5  not found
   1  internal error                  6  verification failed, or a comparison found something
   2  usage or configuration         75  try again later
   3  refused by a gate              78  the site needs a person
   4  conflict, frozen or locked";

/// Lifts RPMs from stage to stage while sites keep drawing from them.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Arguments {
    /// The configuration [default: $SLUICE_CONFIG, then /etc/sluice/sluice.toml]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<Utf8PathBuf>,
    /// Print data as JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: Verb,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make the directories and publish the first generation
    Init(Init),
    /// Look at the configuration
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Watch the control directory, plan, publish
    Daemon(Daemon),
    /// Bring package files into a stage
    Import(Import),
    /// Take a repository that exists already into a stage, at the URL it has
    Adopt(crate::adopt::arguments::Adopt),
    /// Move packages from one stage to the next
    Promote(Promote),
    /// Take packages out of a stage
    Withdraw(Withdraw),
    /// Take out what was rejected, and have every meta-package that pins it pin the version before
    Rollback(Rollback),
    /// Make a stage list what it listed in an earlier generation
    Revert(Revert),
    /// Show the inverse of a settled request as a plan, and do it
    Undo(crate::undo::arguments::Undo),
    /// Say in an advisory what is to be known of packages that a stage lists
    Advisory(crate::advisory::arguments::Advisory),
    /// Approve of exactly one plan, or take that back
    Approve(crate::decisions::arguments::Approve),
    /// Answer for what a gate would refuse, until an instant, on record
    Waive(crate::decisions::arguments::Waive),
    /// Say that two files of one name may be listed in different repositories
    Variant(crate::decisions::arguments::Variant),
    /// Keep everything from entering or leaving a product or a stage
    Freeze(crate::decisions::arguments::Freeze),
    /// End a freeze
    Thaw(crate::decisions::arguments::Thaw),
    /// Give a generation a name that keeps it, or end such a name
    Keep(Keep),
    /// Remove what is promised to nobody any more, or list why it stays
    Sweep(crate::sweep::arguments::Sweep),
    /// Show what of the wall clock's time is witnessed, or accept it
    Clock(crate::clock::arguments::Clock),
    /// Take packages out of everything that exists, at once and for ever (malware, law)
    Purge(crate::purge::arguments::Purge),
    /// Register patches of a procedure, set where they stand, and show it
    Patch {
        #[command(subcommand)]
        verb: PatchVerb,
    },
    /// Make bundles of patches, hand them to early adopters, and show them
    Bundle {
        #[command(subcommand)]
        verb: BundleVerb,
    },
    /// Follow products through procedure egi: open tickets, verify, hand over, accept, and show them
    Ticket {
        #[command(subcommand)]
        verb: TicketVerb,
    },
    /// Ask early adopters to try bundles, answer, report, and show tasks
    Task {
        #[command(subcommand)]
        verb: TaskVerb,
    },
    /// Prepare, approve of and publish an update, and show updates
    Release {
        #[command(subcommand)]
        verb: ReleaseVerb,
    },
    /// Keep the register of early adopters
    Team {
        #[command(subcommand)]
        verb: TeamVerb,
    },
    /// Show what ends when: answers due, quarantines, downtimes, updates and debts
    Calendar {
        /// Write it for calendar programs (iCalendar, RFC 5545)
        #[arg(long, conflicts_with = "json")]
        ics: bool,
    },
    /// Hand in any request file and wait for its answer
    Submit(Submit),
    /// Take in a request or a file over ssh, as the command that a key is bound to
    Receive(crate::receive::arguments::Receive),
    /// Say what is published, what waits, and what is held
    Status(Status),
    /// List generations, newest first
    History {
        /// How many at most; 0 means all
        #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
        limit: usize,
    },
    /// Show one generation: its requests, who asked, what moved
    Show {
        /// A number, a name, or `current`
        #[arg(default_value = "current")]
        generation: Reference,
    },
    /// Show which packages differ between two generations
    Diff {
        /// A number, a name, or `current`
        older: Reference,
        /// A number, a name, or `current`
        #[arg(default_value = "current")]
        newer: Reference,
    },
    /// List what hosts draw from beside ours, and whether one can judge by it; or fetch it
    Context(crate::context::arguments::Contexts),
    /// List the keys that may sign packages, how long they count and what they signed
    Keys,
    /// Say which stages list a package, and who put it there; or why a patch, bundle, task or update stands where it does
    Why {
        /// A name, a glob over names, name-version-release, a whole NEVRA, or `patch/3456`, `task/12`, `task 12`
        #[arg(required = true, num_args = 1..=2, value_name = "PACKAGE|MATTER")]
        what: Vec<String>,
    },
    /// Say which stages and node types a package touches, and what a roll-back would do
    Impact(crate::impact::arguments::Impact),
    /// Show who asked what, when, and what became of it, newest last; or check that record
    Audit(crate::audit::arguments::Audit),
    /// Check the published tree against everything that must never be false, or a mirror from outside
    Verify(Verify),
    /// Copy a site, one whole generation at a time
    Mirror(Mirror),
    /// Build metadata beside an existing repository, touching nothing, and tell every difference
    Compare(Compare),
    /// Serve the published tree over HTTP, for demos and small sites
    Serve(crate::serve::arguments::Serve),
    /// Write manual pages and completions, for packages
    #[command(hide = true)]
    Generate {
        #[command(subcommand)]
        verb: GenerateVerb,
    },
    /// Read packages for the daemon that starts this, which takes them apart from everything else
    #[command(hide = true)]
    ReadPackages(crate::read_packages::arguments::ReadPackages),
    /// Make a new meta-package, which pins what a node type needs
    Metapackage(crate::metapackage::arguments::Metapackage),
    /// Make the package that tells hosts of a product: a `.repo` file and the keys it names, for you to sign
    ReleasePackage(ReleasePackage),
    /// Make repodata of a plain directory, with the options of createrepo_c
    #[command(version)]
    Createrepo(Box<Createrepo>),
    /// Play a whole site in a folder: build RPMs, publish, promote, revert
    Demo(crate::demo::arguments::Demo),
}

/// What is to be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Check the configuration, like `nginx -t`
    Check {
        /// The file; `-c` and $SLUICE_CONFIG otherwise
        file: Option<Utf8PathBuf>,
    },
    /// Write the rules that keep restricted stages from others, for a server to include
    Web {
        /// The server
        server: WebServer,
        /// The file, which is replaced in one step; stdout otherwise
        #[arg(short, long, value_name = "FILE")]
        output: Option<Utf8PathBuf>,
    },
}

/// How the daemon is to run.
#[derive(Debug, Args)]
pub struct Daemon {
    /// Do what waits, then end: 0 if nothing waits any more, 75 if something must be tried again later
    #[arg(long)]
    pub once: bool,
    /// Write the log as JSON lines
    #[arg(long)]
    pub log_json: bool,
    /// What to log, such as `info` or `daemon=debug`
    #[arg(long, default_value = "info", value_name = "FILTER")]
    pub log: String,
}

/// What every request can carry, and how its answer is awaited.
#[derive(Debug, Clone, Args)]
pub struct Asking {
    /// Ask for the plan only; nothing is changed
    #[arg(long)]
    pub dry_run: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// An id of your own: the same id twice is settled once
    #[arg(long)]
    pub id: Option<String>,
    /// When the request is no longer wanted, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub expires: Option<jiff::Timestamp>,
    /// Do it only if the plan still has this hash (a dry run tells it)
    #[arg(long, value_name = "HASH")]
    pub plan: Option<String>,
    #[command(flatten)]
    pub waiting: Waiting,
}

/// How an answer is awaited.
#[derive(Debug, Clone, Args)]
pub struct Waiting {
    /// Wait for the answer; this is what happens anyway
    #[arg(long, conflicts_with = "no_wait")]
    pub wait: bool,
    /// Hand the request in and do not wait for its answer
    #[arg(long)]
    pub no_wait: bool,
    /// How long to wait, such as 90s or 5m; afterwards the exit code is 75
    #[arg(long, default_value = "10m", value_name = "TIME", value_parser = duration)]
    pub timeout: Duration,
}

/// For whom packages are meant.
#[derive(Debug, Clone, Args)]
pub struct Scope {
    /// The product; may be left out where the site has only one
    #[arg(long)]
    pub product: Option<String>,
    /// Only these platforms, such as el9/x86_64 or 'el9/*'; all of the product otherwise
    #[arg(long = "platform", value_name = "OS/ARCH")]
    pub platforms: Vec<String>,
}

/// The request `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The package files
    #[arg(required_unless_present = "folder", value_name = "FILE")]
    pub files: Vec<Utf8PathBuf>,
    /// A folder of package files that the daemon can read by itself
    #[arg(long, conflicts_with = "files")]
    pub folder: Option<Utf8PathBuf>,
    /// The stage; the first of the product otherwise
    #[arg(long, value_name = "STAGE")]
    pub to: Option<String>,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub asking: Asking,
}

/// The request `promote`.
#[derive(Debug, Args)]
pub struct Promote {
    /// NEVRAs, name-version-release, names, or globs over names
    #[arg(required = true, value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// The stage they leave; may be left out where only one route fits
    #[arg(long, value_name = "STAGE")]
    pub from: Option<String>,
    /// The stage they enter; may be left out where only one route fits
    #[arg(long, value_name = "STAGE")]
    pub to: Option<String>,
    /// Build meta-packages anew that pin what stays behind; in the target alone, or in both stages
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "target")]
    pub partial: Option<Part>,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub asking: Asking,
}

/// Where meta-packages of a partial release are listed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Part {
    /// In the stage that is entered; the other goes on listing them whole
    Target,
    /// In both stages, so that all hosts have the same
    Both,
}

impl Part {
    /// Says it as requests do.
    pub fn meant(self) -> plan::Partial {
        match self {
            Part::Target => plan::Partial::Target,
            Part::Both => plan::Partial::Both,
        }
    }
}

/// The request `rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// What is rejected: NEVRAs, name-version-release, names, or globs over names
    #[arg(required = true, value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// The stage they leave
    #[arg(long, value_name = "STAGE")]
    pub from: String,
    /// A version to go back to, where it is not the newest older one that hosts are offered; may be repeated
    #[arg(long = "back-to", value_name = "NAME-VERSION-RELEASE")]
    pub versions: Vec<String>,
    /// A name that is pinned no more, because there is no version to go back to; may be repeated
    #[arg(long, value_name = "NAME")]
    pub without: Vec<String>,
    /// The release of a meta-package that is built anew, where it is not the next that is free; may be repeated
    #[arg(long = "release", value_name = "NAME-VERSION-RELEASE")]
    pub releases: Vec<String>,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub asking: Asking,
}

/// The request `withdraw`.
#[derive(Debug, Args)]
pub struct Withdraw {
    /// NEVRAs, name-version-release, names, or globs over names
    #[arg(required = true, value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// The stage they leave
    #[arg(long, value_name = "STAGE")]
    pub from: String,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub asking: Asking,
}

/// The request `revert`.
#[derive(Debug, Args)]
pub struct Revert {
    /// The earlier generation, by number or name
    pub generation: Reference,
    /// The stage
    #[arg(long)]
    pub stage: String,
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub asking: Asking,
}

/// The request `keep`.
#[derive(Debug, Args)]
pub struct Keep {
    /// The generation; the current one otherwise
    #[arg(conflicts_with = "drop")]
    pub generation: Option<Reference>,
    /// The name to give
    #[arg(long = "as", value_name = "NAME", required_unless_present = "drop", conflicts_with = "drop")]
    pub name: Option<String>,
    /// The name to end
    #[arg(long, value_name = "NAME")]
    pub drop: Option<String>,
    #[command(flatten)]
    pub asking: Asking,
}

/// Any request, as a file.
#[derive(Debug, Args)]
pub struct Submit {
    /// A request in TOML or JSON; `-` reads stdin
    pub file: Utf8PathBuf,
    /// A file the request refers to, put into `upload/` first
    #[arg(long, value_name = "FILE")]
    pub upload: Vec<Utf8PathBuf>,
    /// Ask for the plan only, whatever the file says
    #[arg(long)]
    pub dry_run: bool,
    /// The reason, if the file names none
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The id, if the file names none
    #[arg(long)]
    pub id: Option<String>,
    #[command(flatten)]
    pub waiting: Waiting,
}

/// Reads `90`, `90s`, `5m` or `1h 30m`; a bare number counts seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "write a length of time, such as 90s, 5m or 1h".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn lengths_of_time_are_read() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        assert!(duration("-5s").is_err());
        assert!(duration("soon").is_err());
    }

    #[test]
    fn options_may_stand_before_and_after_the_verb() {
        for line in ["sluice -c x.toml --json status", "sluice status --json -c x.toml"] {
            let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
            assert_eq!((arguments.config, arguments.json), (Some("x.toml".into()), true), "{line}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for line in [
            "sluice",
            "sluice promote",
            "sluice import",
            "sluice keep",
            "sluice keep 4 --drop x",
            "sluice keep --as x --drop y",
            "sluice promote x --wait --no-wait",
            "sluice withdraw x",
            "sluice promote x --expires tomorrow",
        ] {
            let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
