//! How the keys stand that stages depend on, for monitoring.

use std::collections::BTreeSet;

use daemon::config::{Config, certificates};
use jiff::{SignedDuration, Timestamp};

use super::check::State;

/// Judges the keys that stages name: the worst of them, in words; `None` where no stage names one.
pub fn judge(config: &mut Config, now: Timestamp) -> Option<(State, String)> {
    let named: BTreeSet<String> =
        config.signed_by.values().chain(config.metadata_signed_by.values()).flatten().cloned().collect();
    if named.is_empty() {
        return None;
    }
    if let Err(error) = certificates::read(config) {
        return Some((State::Unknown, error.to_string()));
    }
    let mut told = Vec::new();
    for key in config.keys.values().filter(|key| named.contains(&key.name)) {
        let Some(words) = certificates::concern(key, now) else { continue };
        let stands = key.certificate.as_ref().is_some_and(|certificate| certificate.standing(now).is_ok());
        let left = key.ends(now).filter(|_| stands).map(|ends| ends.duration_since(now));
        let within = |days: i64| left.is_none_or(|left| left <= SignedDuration::from_hours(24 * days));
        let [_, warning, critical] = certificates::WARNED_DAYS;
        let state = match () {
            () if within(critical) => State::Critical,
            () if within(warning) => State::Warning,
            () => State::Ok,
        };
        told.push((state, words));
    }
    let worst = told.iter().map(|(state, _)| *state).max_by_key(|state| state.weight());
    let words = told.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join("; ");
    Some(match worst {
        Some(state) => (state, words),
        None => (State::Ok, format!("{} keys count", named.len())),
    })
}
