//! For which clients a stage is written: profiles, what overrides them, and the file with groups.

use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::section::{Section, Text};
use camino::Utf8Path;
use nevra::Algorithm;
use plan::{Clients, Platform, Profile};
use repo::Compression;

/// Is what a stage says of its clients, with the places that are looked at again.
#[derive(Debug, Clone, Default)]
pub(super) struct DraftClients {
    pub(super) clients: Clients,
    /// Where `comps` stands.
    pub(super) comps_at: usize,
    /// The operating systems that `profiles` names.
    systems: Vec<Text>,
}

/// Reads the keys of a stage that are about its clients; `None` if it has none of them.
pub(super) fn read(section: &mut Section<'_>, faults: &mut Faults<'_>) -> Option<DraftClients> {
    let keys = [
        "profile",
        "profiles",
        "compression",
        "checksum",
        "databases",
        "comps",
        "metalink",
        "retractions",
        "open_checksum",
    ];
    let is_said = keys.iter().any(|key| section.has(key));
    let mut draft = DraftClients::default();
    let profile = section.text("profile", faults);
    draft.clients.profile = profile.and_then(|text| profile_of(&text, faults)).unwrap_or_default();
    if let Some(by_system) = section.section("profiles", faults) {
        for (system, value) in by_system.rest() {
            let text = super::section::text_of(value, &format!("`{}`", system.value.escape_debug()), faults);
            if let Some(profile) = text.and_then(|text| profile_of(&text, faults)) {
                draft.clients.profiles.insert(system.value.clone(), profile);
            }
            draft.systems.push(system);
        }
    }
    let all: Vec<Profile> =
        [draft.clients.profile].into_iter().chain(draft.clients.profiles.values().copied()).collect();
    let compression = section.text("compression", faults);
    draft.clients.compression = compression.and_then(|text| compression_of(&text, &all, faults));
    let checksum = section.text("checksum", faults);
    draft.clients.checksum = checksum.and_then(|text| checksum_of(&text, &all, faults));
    draft.clients.databases = section.truth("databases", faults);
    draft.clients.metalink = metalink_of(section, &all, faults);
    draft.clients.without_open_checksums = !has_open_checksums(section, &draft.clients, &all, faults);
    draft.clients.retractions = section.truth("retractions", faults);
    let comps = section.text("comps", faults);
    if let Some(comps) = comps.filter(|text| is_whole_path(text, faults)) {
        draft.comps_at = comps.at;
        draft.clients.comps = Some(comps.value);
    }
    is_said.then_some(draft)
}

/// Checks that every operating system a stage has a profile for is one of its product.
pub(super) fn check_systems(draft: &DraftClients, platforms: &[(Platform, usize)], faults: &mut Faults<'_>) {
    let known: Vec<&str> = platforms.iter().map(|(platform, _)| platform.os.as_str()).collect();
    for system in draft.systems.iter().filter(|system| !known.contains(&system.value.as_str())) {
        let reason = format!("no platform of the product has the operating system {:?}", system.value);
        faults.add(system.at, reason, Some(did_you_mean(&system.value, "operating systems", &known)));
    }
}

fn profile_of(text: &Text, faults: &mut Faults<'_>) -> Option<Profile> {
    let found = Profile::ALL.iter().find(|(word, _)| *word == text.value);
    if found.is_none() {
        let hint = did_you_mean(&text.value, "profiles", &Profile::ALL.map(|(word, _)| word));
        faults.add(text.at, format!("there is no profile {:?}", text.value), Some(hint));
    }
    found.map(|(_, profile)| *profile)
}

fn compression_of(text: &Text, profiles: &[Profile], faults: &mut Faults<'_>) -> Option<Compression> {
    let wrong = |reason: String, hint: &str| (reason, hint.to_owned());
    let fault = match (text.value.as_str(), profiles.iter().find(|profile| profile.is_yum3())) {
        ("gzip", _) => return Some(Compression::Gzip),
        ("zstd", None) => return Some(Compression::Zstd),
        ("zstd", Some(profile)) => wrong(
            format!("the clients of profile `{}` do not read zstd", profile.as_str()),
            "leave `compression` out, or give those clients a stage of their own",
        ),
        ("zchunk" | "zck", _) => wrong(
            "zchunk is not written".to_owned(),
            "use \"gzip\", which every client reads, or \"zstd\" for dnf and zypper; both reach them sooner",
        ),
        (other, _) => wrong(
            format!("metadata cannot be packed by {other:?}"),
            "allowed: \"gzip\", which every client reads, and \"zstd\" for dnf and zypper",
        ),
    };
    faults.coded(Code::Clients, text.at, fault.0, Some(fault.1));
    None
}

fn checksum_of(text: &Text, profiles: &[Profile], faults: &mut Faults<'_>) -> Option<Algorithm> {
    let old = profiles.iter().find(|profile| profile.needs_sha1());
    let (reason, hint) = match (text.value.as_str(), old) {
        // The oldest clients know it by this name only, the others by both.
        ("sha" | "sha1", _) => return Some(Algorithm::Sha),
        ("sha256", None) => return Some(Algorithm::Sha256),
        ("sha256", Some(profile)) => (
            format!("the clients of profile `{}` know no SHA-256", profile.as_str()),
            "leave `checksum` out, or give those clients a stage of their own",
        ),
        (other, _) => (
            format!("metadata cannot be hashed by {other:?}"),
            "allowed: \"sha256\", and \"sha1\" for clients that know nothing else",
        ),
    };
    faults.coded(Code::Clients, text.at, reason, Some(hint.to_owned()));
    None
}

fn metalink_of(section: &mut Section<'_>, profiles: &[Profile], faults: &mut Faults<'_>) -> bool {
    let at = section.place("metalink");
    let is_wanted = section.truth("metalink", faults).unwrap_or_default();
    if let (true, Some(old)) = (is_wanted, profiles.iter().find(|profile| profile.needs_sha1())) {
        let hint = "leave `metalink` out, or give those clients a stage of their own";
        let reason =
            format!("the clients of profile `{}` know no SHA-256, which metalinks give", old.as_str());
        faults.coded(Code::Clients, at, reason, Some(hint.to_owned()));
    }
    is_wanted
}

/// Reads whether repomd.xml says what the lists of packages unpack to: yum 3 compares its databases with that, and ends with a
/// traceback where it is missing.
fn has_open_checksums(
    section: &mut Section<'_>,
    clients: &Clients,
    profiles: &[Profile],
    faults: &mut Faults<'_>,
) -> bool {
    let at = section.place("open_checksum");
    let is_wanted = section.truth("open_checksum", faults).unwrap_or(true);
    let databases = Some("databases for yum 3").filter(|_| clients.databases == Some(true));
    let old = profiles.iter().find(|profile| profile.is_yum3());
    let old = old.map(|old| format!("the clients of profile `{}`", old.as_str()));
    if let Some(old) = old.or(databases.map(str::to_owned)).filter(|_| !is_wanted) {
        let hint = "leave `open_checksum` out, or give those clients a stage of their own";
        faults.coded(Code::Clients, at, format!("{old} need `open-checksum`"), Some(hint.to_owned()));
    }
    is_wanted
}

fn is_whole_path(text: &Text, faults: &mut Faults<'_>) -> bool {
    let whole = Utf8Path::new(&text.value).is_absolute();
    if !whole {
        let hint = "write the whole path, beginning with `/`: the daemon has no directory of its own";
        faults.add(text.at, format!("`comps = {:?}` is relative", text.value), Some(hint.to_owned()));
    }
    whole
}

#[cfg(test)]
mod tests;
