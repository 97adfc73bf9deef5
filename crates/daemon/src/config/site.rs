//! The `[site]` table: where everything lies and under which URL the world sees it.

use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::identity::Account;
use super::section::{Section, Text};
use crate::ground::refused_names;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use std::net::SocketAddr;

/// The grace of a site that does not name one.
const GRACE: SignedDuration = SignedDuration::from_hours(72);

/// In what time a site that does not say reads its whole pool once.
const SCRUB: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How long what is over lies about on a site that does not say.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// No grace lasts longer: what is kept for ever fills every disk.
const GRACE_MAX: SignedDuration = SignedDuration::from_hours(24 * 3660);

#[derive(Debug)]
pub(super) struct Site {
    pub(super) name: String,
    pub(super) root: Utf8PathBuf,
    pub(super) spool: Utf8PathBuf,
    pub(super) base_url: String,
    pub(super) grace: SignedDuration,
    pub(super) scrub: SignedDuration,
    pub(super) sweep_every: SignedDuration,
    pub(super) listen: Option<SocketAddr>,
    pub(super) allow_file_systems: Vec<String>,
    /// The account and where it stands.
    pub(super) door: Option<(Account, usize)>,
}

pub(super) fn read(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<Site> {
    let name = section.needed("name", "\"Example Grid\"", faults);
    let root = section.needed("root", "\"/srv/sluice\"", faults);
    let spool = section.needed("spool", "\"/var/spool/sluice\"", faults);
    let base_url = section.needed("base_url", "\"https://repo.example.org\"", faults);
    let grace = section.text("grace", faults);
    let scrub = section.text("scrub", faults);
    let sweep_every = section.text("sweep_every", faults);
    let listen = section.text("listen", faults);
    let door = section.text("door", faults);
    let allowed = section.texts("allow_file_systems", faults).unwrap_or_default();
    section.end(faults);

    let name = name.and_then(|text| line(&text, faults));
    let root = root.and_then(|text| Some((directory(&text, "root", faults)?, text.at)));
    let spool = spool.and_then(|text| Some((directory(&text, "spool", faults)?, text.at)));
    if let (Some((root, _)), Some((spool, at))) = (&root, &spool) {
        apart(root, spool, *at, faults);
    }
    let base_url = base_url.and_then(|text| url(&text, faults));
    let grace = match grace {
        Some(text) => duration(&text, "grace", faults)?,
        None => GRACE,
    };
    let scrub = match scrub {
        Some(text) => duration(&text, "scrub", faults)?,
        None => SCRUB,
    };
    let sweep_every = match sweep_every {
        Some(text) => duration(&text, "sweep_every", faults)?,
        None => SWEEP_EVERY,
    };
    let listen = match listen {
        Some(text) => Some(address(&text, faults)?),
        None => None,
    };
    let door = match door {
        Some(text) => Some((door_account(&text, faults)?, text.at)),
        None => None,
    };
    let allow_file_systems = file_systems(allowed, faults);
    Some(Site {
        name: name?,
        root: root?.0,
        spool: spool?.0,
        base_url: base_url?,
        grace,
        scrub,
        sweep_every,
        listen,
        allow_file_systems,
        door,
    })
}

/// Reads whose requests speak for others: one user, for whoever is in a group could pretend to be anybody.
fn door_account(text: &Text, faults: &mut Faults<'_>) -> Option<Account> {
    match Account::parse(&text.value) {
        Ok(Account::Uid(0)) => {}
        Ok(Account::User(name)) if name == "root" => {}
        Ok(account @ (Account::User(_) | Account::Uid(_))) => return Some(account),
        _ => {}
    }
    let reason = format!("`door = {:?}` is not a user of its own", text.value);
    let hint = "make an account for the door alone and write \"user:sluice-door\" or \"uid:1001\"";
    faults.add(text.at, reason, Some(hint.to_owned()));
    None
}

fn file_systems(allowed: Vec<Text>, faults: &mut Faults<'_>) -> Vec<String> {
    let known = refused_names();
    for text in allowed.iter().filter(|text| !known.contains(&text.value.as_str())) {
        let reason = format!("{:?} is no file system that would be refused", text.value);
        faults.add(text.at, reason, Some(did_you_mean(&text.value, "refused file systems", &known)));
    }
    allowed.into_iter().map(|text| text.value).collect()
}

fn line(text: &Text, faults: &mut Faults<'_>) -> Option<String> {
    let value = text.value.trim();
    if value.is_empty() || value.len() > 200 || value.chars().any(char::is_control) {
        faults.add(text.at, "`name` must be one line of 1 to 200 bytes", None);
        return None;
    }
    Some(value.to_owned())
}

pub(super) fn directory(text: &Text, key: &str, faults: &mut Faults<'_>) -> Option<Utf8PathBuf> {
    let path = Utf8Path::new(&text.value);
    let mut refuse = |reason: &str, hint: &str| {
        faults.add(text.at, format!("`{key} = {:?}` {reason}", text.value), Some(hint.to_owned()));
        None
    };
    if !path.is_absolute() {
        return refuse(
            "is relative",
            "write the whole path, beginning with `/`: the daemon has no directory of its own",
        );
    }
    if text.value.chars().any(char::is_control) {
        return refuse("contains control characters", "remove them");
    }
    if path.components().any(|c| matches!(c, Utf8Component::ParentDir)) {
        return refuse("contains `..`", "write the path without it");
    }
    // Collecting the components drops `.`, doubled slashes and a slash at the end.
    let path: Utf8PathBuf = path.components().collect();
    if path.parent().is_none() {
        return refuse("is the root of the file system", "give it a directory of its own");
    }
    Some(path)
}

fn apart(root: &Utf8Path, spool: &Utf8Path, at: usize, faults: &mut Faults<'_>) {
    let reason = if root == spool {
        format!("`root` and `spool` are the same directory `{root}`")
    } else if spool.starts_with(root) {
        format!("`spool` `{spool}` lies inside `root` `{root}`")
    } else if root.starts_with(spool) {
        format!("`root` `{root}` lies inside `spool` `{spool}`")
    } else {
        return;
    };
    let hint = "people write into the spool and only the daemon into the root: keep them side by side";
    faults.coded(Code::NestedPath, at, reason, Some(hint.to_owned()));
}

fn url(text: &Text, faults: &mut Faults<'_>) -> Option<String> {
    let value = text.value.trim_end_matches('/');
    if is_url_of_directory(value) {
        return Some(value.to_owned());
    }
    let reason = format!("`base_url = {:?}` is not the URL of a directory", text.value);
    let hint =
        "write the URL of the web root, as in \"https://repo.example.org/sluice\", without `?` and `#`";
    faults.add(text.at, reason, Some(hint.to_owned()));
    None
}

/// Says whether a text without a slash at its end is the URL of a directory, without a query.
pub(super) fn is_url_of_directory(value: &str) -> bool {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next());
    // It is written into .repo files, where quotes, spaces and `$` mean something, and joined with paths.
    let plain = value.chars().all(|c| c.is_ascii_graphic() && !"\"'`<>\\^{|}?#$,;".contains(c));
    plain && value.len() <= 1000 && host.is_some_and(|host| !host.is_empty())
}

pub(super) fn duration(text: &Text, key: &str, faults: &mut Faults<'_>) -> Option<SignedDuration> {
    let parsed =
        text.value.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    match parsed {
        Ok(duration) if !duration.is_negative() && duration <= GRACE_MAX => Some(duration),
        _ => {
            let reason = format!("`{key} = {:?}` is not a length of time up to ten years", text.value);
            let hint = "write for example \"72h\", \"3 days\" or \"90min\"";
            faults.add(text.at, reason, Some(hint.to_owned()));
            None
        }
    }
}

fn address(text: &Text, faults: &mut Faults<'_>) -> Option<SocketAddr> {
    let parsed = text.value.parse().ok();
    if parsed.is_none() {
        let reason = format!("`listen = {:?}` is not an address and a port", text.value);
        let hint = "write for example \"127.0.0.1:8080\" or \"[::1]:8080\"";
        faults.add(text.at, reason, Some(hint.to_owned()));
    }
    parsed
}
