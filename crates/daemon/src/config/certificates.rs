//! The certificates of keys: read where the configuration is read.

use super::{Code, Config, ConfigErrors, Fault, Key, named_file};
use crate::error::Error;
use jiff::{SignedDuration, Timestamp};
use signatures::Certificate;
use std::sync::Arc;

/// The most bytes a file with a certificate may have.
pub const SIZE_MAX: u64 = 256 << 10;

/// How many days before a key ends it is warned of, more urgently each time.
pub const WARNED_DAYS: [i64; 3] = [90, 30, 7];

/// Reads the certificate of every key that the configuration names.
///
/// Each must be there, one certificate without its secret half, and the one its fingerprint says: else the faults say
/// the line of the configuration that names the file. That a key is expired or revoked is no fault: see [`warnings`].
pub fn read(config: &mut Config) -> Result<(), Error> {
    let mut faults = Vec::new();
    for key in config.keys.values_mut() {
        match read_one(key) {
            Ok(certificate) => key.certificate = Some(Arc::new(certificate)),
            Err((reason, hint)) => {
                let (line, column) = key.place;
                let reason = format!("`{}` does not hold the key `{}`: {reason}", key.file, key.name);
                faults.push(Fault { line, column, code: Code::Key, reason, hint: Some(hint.to_owned()) });
            }
        }
    }
    faults.sort_by_key(|fault| (fault.line, fault.column));
    match faults.is_empty() {
        true => super::announced::gather(config),
        false => Err(ConfigErrors { file: config.file.clone(), faults }.into()),
    }
}

fn read_one(key: &Key) -> Result<Certificate, (String, &'static str)> {
    let bytes = named_file::read(&key.file, SIZE_MAX, "is it really a certificate?")?;
    let certificate = Certificate::parse(&bytes).map_err(|error| {
        let hint = match error {
            signatures::KeyError::Secret => {
                "`gpg --export --armor` writes what may be handed out; take the secret away"
            }
            _ => "`gpg --show-keys` shows what is in it; `gpg --export --armor KEY` makes such a file",
        };
        (error.to_string(), hint)
    })?;
    let found = certificate.fingerprint();
    if found != key.fingerprint {
        let reason = format!("it holds `{found}`, and `fingerprint` says `{}`", key.fingerprint);
        return Err((
            reason,
            "ask whoever made the key which one is right, on another way than the file came",
        ));
    }
    Ok(certificate)
}

/// Says which keys do not count at `now`, or soon will not, in the order of the lines.
pub fn warnings(config: &Config, now: Timestamp) -> Vec<Fault> {
    let mut found = Vec::new();
    for key in config.keys.values() {
        if let Some(reason) = concern(key, now) {
            let (line, column) = key.place;
            let hint = "hand out its successor, add it as another [[key]], and sign with it before then";
            found.push(Fault { line, column, code: Code::KeyEnds, reason, hint: Some(hint.to_owned()) });
        }
    }
    found.sort_by_key(|fault| (fault.line, fault.column));
    found
}

/// Says what is or soon will be wrong with a key, if something is.
pub fn concern(key: &Key, now: Timestamp) -> Option<String> {
    let name = &key.name;
    let certificate = key.certificate.as_ref()?;
    if let Err(bad) = certificate.standing(now) {
        return Some(format!("nothing that the key `{name}` signs counts: {bad}"));
    }
    if let Some(until) = key.until.filter(|until| *until <= now) {
        return Some(format!("the key `{name}` counts no more: its `until` was {until}"));
    }
    let ends = key.ends(now)?;
    let left = ends.duration_since(now);
    let day = SignedDuration::from_hours(24);
    let urgent =
        WARNED_DAYS.into_iter().rfind(|days| left <= day * i32::try_from(*days).unwrap_or(i32::MAX))?;
    let days = left.as_hours() / 24;
    let word = if urgent == WARNED_DAYS[2] { "very soon, " } else { "" };
    Some(format!("the key `{name}` ends {word}in {days} days, at {ends}"))
}

#[cfg(test)]
mod tests;
