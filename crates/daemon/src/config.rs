//! The configuration: one TOML file that says what the site is, who may do what, and which stages exist.
//!
//! ```
//! let text = r#"
//! format = 1
//!
//! [site]
//! name = "Example Grid"
//! root = "/srv/sluice"
//! spool = "/var/spool/sluice"
//! base_url = "https://repo.example.org"
//! grace = "72h"
//!
//! [roles]
//! release-team = ["user:alice", "group:mu"]
//!
//! [[product]]
//! name = "glite-3.2"
//! preset = "glite"
//! platforms = ["sl5/x86_64"]
//! "#;
//! let config = daemon::config::Config::parse(text.as_bytes(), "sluice.toml")?;
//! assert_eq!(config.layout.repositories().len(), 6); // delta and production, each with two siblings
//! assert!(daemon::config::Config::parse(b"format = 1\n[site]\nrot = '/'\n", "sluice.toml").is_err());
//! # Ok::<(), daemon::config::ConfigErrors>(())
//! ```
//!
//! Parsing touches nothing: reading the file and asking for users and groups is done in [`accounts`], reading the
//! files it names in [`comps`] and [`certificates`].

pub mod accounts;
mod allowed_signers;
mod announced;
mod calendar;
pub mod certificates;
mod clients;
mod closure;
mod code;
pub mod comps;
mod context;
mod direct_import;
mod external;
mod fault;
mod identity;
mod key;
mod name;
mod named_file;
mod network;
mod path;
mod people;
mod procedure;
mod product;
mod rebuilding;
mod roles;
mod section;
mod signer;
mod site;
mod step;
#[cfg(test)]
mod tests;
mod views;

pub use allowed_signers::AllowedSigner;
pub use announced::ByStage;
pub use code::{Code, table};
pub use context::{Context, ContextSource};
pub use external::{ExternalGate, ExternalWay};
pub use fault::{ConfigErrors, Fault};
pub use identity::{Account, Identity};
pub use key::Key;
pub use network::Network;
pub use roles::{Grant, HeldRole, Roles};
pub use signer::{Signer, SigningWay};

use camino::Utf8PathBuf;
use fault::Faults;
use jiff::SignedDuration;
use plan::Layout;
use section::Section;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use toml::de::DeTable;

/// The only `format` that is read.
pub const FORMAT: i64 = 1;

/// The most bytes a configuration may have.
pub const SIZE_MAX: usize = 1 << 20;

/// The role that may import, withdraw, revert and promote where the file names no other.
pub const DEFAULT_ROLE: &str = "release-team";

/// Is a configuration that was checked as far as the text alone can tell.
///
/// Whether its users and groups exist on this host is not known here: see [`accounts::check`].
#[derive(Debug, Clone)]
pub struct Config {
    /// The file as the caller named it.
    pub file: String,
    /// The name of the site, one line of text for people.
    pub site: String,
    /// The directory of the store, absolute, without `.` and `..`.
    pub root: Utf8PathBuf,
    /// The control directory, absolute, neither inside `root` nor around it.
    pub spool: Utf8PathBuf,
    /// The URL of the web root, without a slash at its end.
    pub base_url: String,
    /// How long packages stay under their URL after they left a repository; never negative.
    pub grace: SignedDuration,
    /// In what time every package of the pool is read once; never if it is zero.
    pub scrub: SignedDuration,
    /// How long what is promised to nobody any more may lie about before the clock asks for a sweep.
    pub sweep_every: SignedDuration,
    /// Where `sluice serve` listens when it is not told otherwise.
    pub listen: Option<SocketAddr>,
    /// File systems that are taken for `root` although they are refused otherwise, such as `overlay`.
    pub allow_file_systems: Vec<String>,
    /// Whose requests speak for others, each for the name it gives as `as`; a user, never a group.
    pub door: Option<Account>,
    /// Line and column of `door`.
    door_at: (usize, usize),
    /// The products with their platforms, stages and routes.
    pub layout: Arc<Layout>,
    /// The files with groups that stages name, by path; [`comps::read`] reads them.
    pub comps: BTreeMap<String, comps::Comps>,
    /// The stages, by product and name, that not everybody may read, and from which networks one may.
    pub restricted: BTreeMap<(String, String), Vec<Network>>,
    /// The repositories of others that stages may name in `closure`, by name.
    pub contexts: BTreeMap<String, Context>,
    /// The gates outside of Sluice that routes name, by name.
    pub external: BTreeMap<String, ExternalGate>,
    /// The keys that other tables name, by name; [`certificates::read`] reads them.
    pub keys: BTreeMap<String, Key>,
    /// The names of the keys of which one must have signed what enters a stage, by product and stage; a stage that is
    /// not here demands no signature.
    pub signed_by: BTreeMap<(String, String), Vec<String>>,
    /// Who signs metadata; nobody if no stage has it signed.
    pub signer: Option<Signer>,
    /// The names of the keys by which the metadata of a stage is signed, by product and stage: the first signs, the others
    /// are announced. Stages that are not here are not signed.
    pub metadata_signed_by: BTreeMap<(String, String), Vec<String>>,
    /// What each of those stages announces; gathered when the keys are read.
    pub announced: ByStage,
    /// Who has which role.
    pub roles: Roles,
    /// The keys that may sign requests.
    pub allowed_signers: Vec<AllowedSigner>,
    /// What is allowed and yet probably not meant, in the order of the lines.
    pub warnings: Vec<Fault>,
    /// The policy as it was read, byte for byte.
    pub bytes: Vec<u8>,
}

impl Config {
    /// Reads a configuration; `file` only serves to name it in the errors.
    ///
    /// Reports everything it finds wrong, not only the first; text that is no TOML hides the rest.
    pub fn parse(bytes: &[u8], file: &str) -> Result<Config, ConfigErrors> {
        let broken = |text: &str, at: usize, reason: &str, hint: Option<String>| {
            let mut faults = Faults::new(text);
            faults.coded(Code::Syntax, at, reason, hint);
            ConfigErrors { file: file.to_owned(), faults: faults.sorted() }
        };
        if bytes.len() > SIZE_MAX {
            return Err(broken("", 0, &format!("the file has more than {SIZE_MAX} bytes"), None));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let good = error.valid_up_to();
            let good = std::str::from_utf8(&bytes[..good]).unwrap_or_default();
            broken(good, good.len(), "the text is not UTF-8", Some("save the file as UTF-8".to_owned()))
        })?;
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut faults = Faults::new(text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            faults.coded(Code::Syntax, at, one_line(error.message()), None);
        }
        let config = match faults.is_empty() {
            true => read(Section::new(table.get_ref(), "the file", 0), &mut faults),
            false => None,
        };
        match config {
            Some(config) if faults.is_empty() => {
                Ok(Config { file: file.to_owned(), bytes: bytes.to_vec(), ..config })
            }
            _ => Err(ConfigErrors { file: file.to_owned(), faults: faults.sorted() }),
        }
    }
}

/// Says what `config check` says, in the manner of `nginx -t`; the text ends with a newline.
pub fn verdict(file: &str, checked: &Result<Config, ConfigErrors>) -> String {
    let mut text = String::new();
    match checked {
        Ok(config) => {
            for warning in &config.warnings {
                text.push_str("warning: ");
                let _ = warning.write(file, &mut text);
                text.push('\n');
            }
            let repositories = config.layout.repositories().len();
            let products = config.layout.products.len();
            let _ = writeln!(text, "sluice: the configuration file {file} syntax is ok");
            let _ = writeln!(text, "sluice: {products} products, {repositories} repositories");
            let _ = writeln!(text, "sluice: configuration file {file} test is successful");
        }
        Err(errors) => {
            let _ = writeln!(text, "{errors}");
            let _ = writeln!(text, "sluice: configuration file {file} test failed ({})", errors.faults.len());
        }
    }
    text
}

fn read(mut top: Section<'_>, faults: &mut Faults<'_>) -> Option<Config> {
    match top.integer("format", faults) {
        Some((FORMAT, _)) => {}
        Some((other, at)) => {
            let hint = format!("write `format = {FORMAT}`, or use the sluice that wrote the file");
            faults.add(at, format!("this sluice reads format {FORMAT}, not {other}"), Some(hint));
        }
        None if top.has("format") => {}
        None => top.missing("format", "1", faults),
    }
    let site = match top.section("site", faults) {
        Some(section) => site::read(section, faults),
        None => {
            top.missing_table("[site]", faults);
            None
        }
    };
    let roles = top.section("roles", faults);
    let allowed_signers = top.text("allowed_signers", faults);
    let allowed_signers =
        allowed_signers.map(|text| allowed_signers::read(&text, faults)).unwrap_or_default();
    let external = external::read(top.sections("external", "external", faults), faults);
    let contexts = context::read(top.sections("context", "context", faults), faults);
    let keys = key::read(top.sections("key", "key", faults), faults);
    let signer = top.section("signer", faults);
    let has_signer = signer.is_some();
    let signer = signer.and_then(|section| signer::read(section, faults));
    let sections = top.sections("product", "product", faults);
    if sections.is_empty() && !top.has("product") {
        top.missing_table("[[product]]", faults);
    }
    let drafts = product::read(sections, faults);
    let mut layout = product::layout(&drafts);
    let freezes = top.sections("freeze", "freeze", faults);
    layout.freezes = calendar::read(freezes, &layout, faults);
    if let Some(section) = top.section("people", faults) {
        layout.people = people::read(&section, faults);
    }
    path::check(&drafts, &layout, faults);
    key::check(&drafts, &keys, faults);
    signer::check(&drafts, has_signer, faults);
    let comps = product::comps(&drafts, &layout, faults);
    let mut warnings = faults.of_same_text();
    external::check(&drafts, &external, faults);
    closure::check(&drafts, &contexts, faults, &mut warnings);
    let roles = roles.map(|section| roles::read(section, &layout, faults)).unwrap_or_default();
    roles::compare(&roles, &drafts, &mut warnings);
    direct_import::warn(&drafts, &roles, &mut warnings);
    people::check(&drafts, &roles, &layout.people, faults);
    top.end(faults);
    let site = site?;
    let (door, door_at) = match site.door {
        Some((account, at)) => (Some(account), faults.line_and_column(at)),
        None => (None, (0, 0)),
    };
    roles::spoken_for(&roles, door.as_ref(), &mut warnings);
    Some(Config {
        file: String::new(),
        site: site.name,
        root: site.root,
        spool: site.spool,
        base_url: site.base_url,
        grace: site.grace,
        scrub: site.scrub,
        sweep_every: site.sweep_every,
        listen: site.listen,
        allow_file_systems: site.allow_file_systems,
        door,
        door_at,
        layout: Arc::new(layout),
        comps,
        restricted: product::restricted(&drafts),
        contexts,
        external,
        keys,
        signed_by: key::demanded(&drafts),
        signer,
        metadata_signed_by: product::metadata_signed_by(&drafts),
        announced: ByStage::new(),
        roles,
        allowed_signers,
        warnings: warnings.sorted(),
        bytes: Vec::new(),
    })
}

fn one_line(message: &str) -> String {
    message.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}
