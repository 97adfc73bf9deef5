//! The `[[key]]` tables: what other tables may call a key, and for when it counts.

use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::name;
use super::product::DraftProduct;
use super::section::{Section, Text};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use signatures::{Certificate, Fingerprint};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Is a key that stages may demand signatures of.
#[derive(Debug, Clone)]
pub struct Key {
    /// The word other tables use for it.
    pub name: String,
    /// The file that holds its certificate.
    pub file: Utf8PathBuf,
    /// The fingerprint of its primary key.
    pub fingerprint: Fingerprint,
    /// What is decided before does not count it.
    pub from: Option<Timestamp>,
    /// What is decided from then on does not count it.
    pub until: Option<Timestamp>,
    /// Line and column of its table's `file`.
    pub place: (usize, usize),
    /// What the file says, once it was read.
    pub certificate: Option<Arc<Certificate>>,
}

impl Key {
    /// Says whether the configuration lets the key count for what is decided at `now`.
    pub fn is_allowed_at(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }

    /// Says when the key stops counting, by its certificate or by the configuration; `None` if never, as far as is
    /// known.
    pub fn ends(&self, now: Timestamp) -> Option<Timestamp> {
        let expires = self.certificate.as_ref().and_then(|certificate| certificate.expires(now));
        [expires, self.until].into_iter().flatten().min()
    }
}

pub(super) fn read(sections: Vec<Section<'_>>, faults: &mut Faults<'_>) -> BTreeMap<String, Key> {
    let mut keys: BTreeMap<String, Key> = BTreeMap::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for section in sections {
        let Some((key, at)) = read_one(section, faults) else { continue };
        if let Some(first) = places.get(&key.name) {
            let (line, _) = faults.line_and_column(*first);
            let reason = format!("the key `{}` stands in the file twice", key.name);
            faults.coded(Code::Twice, at, reason, Some(format!("the first one is in line {line}")));
            continue;
        }
        places.insert(key.name.clone(), at);
        keys.insert(key.name.clone(), key);
    }
    keys
}

fn read_one(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<(Key, usize)> {
    let name = section.needed("name", "\"glite-2026\"", faults);
    let file = section.needed("file", "\"/etc/sluice/keys/RPM-GPG-KEY-glite\"", faults);
    let fingerprint = section.needed("fingerprint", "\"<40 hexadecimal digits>\"", faults);
    let from = section.text("from", faults);
    let until = section.text("until", faults);
    section.end(faults);
    let name = name.filter(|text| name::good(text, "the key", faults));
    let fingerprint = fingerprint.and_then(|text| read_fingerprint(&text, faults));
    let from = from.map(|text| instant(&text, "from", faults));
    let until_at = until.as_ref().map_or(0, |text| text.at);
    let until = until.map(|text| instant(&text, "until", faults));
    if let (Some(Some(from)), Some(Some(until))) = (from, until)
        && until <= from
    {
        faults.add(until_at, "`until` does not lie after `from`: the key would never count", None);
    }
    let file = file.filter(|text| is_whole(text, faults))?;
    let (from, until) =
        (from.map_or(Some(None), |it| it.map(Some))?, until.map_or(Some(None), |it| it.map(Some))?);
    let (name, place) = (name?, faults.line_and_column(file.at));
    let key = Key {
        name: name.value,
        file: Utf8PathBuf::from(file.value),
        fingerprint: fingerprint?,
        from,
        until,
        place,
        certificate: None,
    };
    Some((key, name.at))
}

fn read_fingerprint(text: &Text, faults: &mut Faults<'_>) -> Option<Fingerprint> {
    let parsed = text.value.parse().ok();
    if parsed.is_none() {
        let reason = format!("`fingerprint = {:?}` is no fingerprint", text.value);
        let hint =
            "write the 40 hexadecimal digits that `gpg --show-keys FILE` prints; 8 or 16 fit many keys";
        faults.add(text.at, reason, Some(hint.to_owned()));
    }
    parsed
}

fn instant(text: &Text, key: &str, faults: &mut Faults<'_>) -> Option<Timestamp> {
    let parsed = text.value.parse().ok();
    if parsed.is_none() {
        let hint = "write for example \"2026-01-01T00:00:00Z\"";
        faults.add(text.at, format!("`{key} = {:?}` is no instant", text.value), Some(hint.to_owned()));
    }
    parsed
}

fn is_whole(text: &Text, faults: &mut Faults<'_>) -> bool {
    let whole = Utf8Path::new(&text.value).is_absolute() && !text.value.contains('\0');
    if !whole {
        let hint = "write the whole path, beginning with `/`: the daemon has no directory of its own";
        faults.add(text.at, format!("`file = {:?}` is relative", text.value), Some(hint.to_owned()));
    }
    whole
}

/// Says by which keys packages must be signed to enter each stage, for the stages that demand it.
pub(super) fn demanded(drafts: &[DraftProduct]) -> BTreeMap<(String, String), Vec<String>> {
    let mut demanded = BTreeMap::new();
    for draft in drafts {
        for stage in &draft.stages {
            let names = stage.signed_by.as_ref().unwrap_or(&draft.signed_by);
            if !names.is_empty() {
                let names = names.iter().map(|name| name.value.clone()).collect();
                demanded.insert((draft.name.value.clone(), stage.name.value.clone()), names);
            }
        }
    }
    demanded
}

/// Checks that every list of keys names keys there are, each once.
pub(super) fn check(drafts: &[DraftProduct], keys: &BTreeMap<String, Key>, faults: &mut Faults<'_>) {
    let known: Vec<&str> = keys.keys().map(String::as_str).collect();
    for draft in drafts {
        let stages = draft.stages.iter();
        let stages =
            stages.flat_map(|stage| [stage.signed_by.as_deref(), stage.metadata_signed_by.as_deref()]);
        let products = [draft.signed_by.as_slice(), draft.metadata_signed_by.as_slice()];
        for list in stages.flatten().chain(products) {
            for (n, name) in list.iter().enumerate() {
                if !keys.contains_key(&name.value) {
                    let reason = format!("no [[key]] has the name {:?}", name.value);
                    faults.coded(
                        Code::NoSuchKey,
                        name.at,
                        reason,
                        Some(did_you_mean(&name.value, "keys", &known)),
                    );
                }
                if list[..n].iter().any(|other| other.value == name.value) {
                    let reason = format!("the key `{}` stands in the list twice", name.value);
                    faults.coded(Code::Twice, name.at, reason, None);
                }
            }
        }
    }
}
