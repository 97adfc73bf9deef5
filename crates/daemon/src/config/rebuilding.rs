//! How meta-packages of a product are called that are built anew.

use plan::{PartialRelease, Raising};

use super::fault::{Faults, did_you_mean};
use super::section::{Section, Text};

/// The words of `raised_release`.
const RAISINGS: [(&str, Raising); 2] = [("last", Raising::Last), ("first", Raising::First)];

/// The words of `partial_release`.
const PARTIAL: [(&str, PartialRelease); 2] =
    [("raised", PartialRelease::Raised), ("variant", PartialRelease::Variant)];

/// What a product says of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rebuilding {
    pub(super) raising: Raising,
    pub(super) partial_release: PartialRelease,
}

/// Reads the keys; `preset` has a way of its own where they are absent.
pub(super) fn read(section: &mut Section<'_>, preset: Option<&str>, faults: &mut Faults<'_>) -> Rebuilding {
    let raising = section.text("raised_release", faults);
    let partial = section.text("partial_release", faults);
    // Sites that reported on a meta-package reported on its name (domain, P2).
    let usual = match preset {
        Some("glite") => PartialRelease::Variant,
        _ => PartialRelease::default(),
    };
    Rebuilding {
        raising: raising
            .and_then(|text| one_of(&text, "`raised_release`", &RAISINGS, faults))
            .unwrap_or_default(),
        partial_release: partial
            .and_then(|text| one_of(&text, "`partial_release`", &PARTIAL, faults))
            .unwrap_or(usual),
    }
}

fn one_of<T: Copy>(text: &Text, key: &str, words: &[(&str, T)], faults: &mut Faults<'_>) -> Option<T> {
    if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text.value) {
        return Some(*meant);
    }
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let reason = format!("{key} cannot be {:?}", text.value);
    faults.add(text.at, reason, Some(did_you_mean(&text.value, "values", &known)));
    None
}
