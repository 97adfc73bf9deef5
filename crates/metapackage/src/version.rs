//! `epoch:version-release` as dependencies write it.

use nevra::{Bound, Evr, Sense};

use crate::pin;

/// The parts of a version, as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written<'a> {
    pub(crate) epoch: Option<u32>,
    pub(crate) version: &'a str,
    pub(crate) release: Option<&'a str>,
}

impl<'a> Written<'a> {
    /// Takes the text apart; `None` where rpm would find no version, or no epoch it knows.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (epoch, rest) = match text.split_once(':') {
            None => (None, text),
            Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => {
                (Some(epoch.parse().ok()?), rest)
            }
            Some(_) => return None,
        };
        let (version, release) = match rest.rsplit_once('-') {
            None => (rest, None),
            Some((version, release)) => (version, Some(release)),
        };
        (!version.is_empty() && release != Some("")).then_some(Self { epoch, version, release })
    }

    /// Says whether these are the very words of a version, no epoch being 0.
    pub(crate) fn is(&self, evr: &Evr) -> bool {
        let Evr { epoch, version, release } = evr;
        self.epoch.unwrap_or(0) == *epoch && self.version == version && self.release == Some(release)
    }

    /// Writes another version in the same form: with a release if this has one, and with an epoch if this has one
    /// or that needs one.
    pub(crate) fn like(&self, evr: &Evr) -> String {
        let epoch = match (self.epoch, evr.epoch) {
            (None, 0) => String::new(),
            (_, epoch) => format!("{epoch}:"),
        };
        let release = self.release.map_or(String::new(), |_| format!("-{}", evr.release));
        format!("{epoch}{}{release}", evr.version)
    }

    /// Bounds a range by this version.
    pub(crate) fn bound(&self, sense: Sense) -> Bound {
        let (version, release) = (self.version.to_owned(), self.release.map(str::to_owned));
        Bound { sense, epoch: self.epoch, version, release }
    }

    /// Says whether a range that is bounded by this version admits another.
    pub(crate) fn admits(&self, sense: Sense, evr: &Evr) -> bool {
        pin::admits(&self.bound(sense), evr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_written_in_the_form_of_the_one_before() {
        for (before, evr, after) in [
            ("1.0-1", "2.0-3", "2.0-3"),
            ("1.0", "2.0-3", "2.0"),
            ("0:1.0-1", "2.0-3", "0:2.0-3"),
            ("4:1.0", "5:2.0-3", "5:2.0"),
            ("1.0-1", "5:2.0-3", "5:2.0-3"),
            ("4:1.0-1", "2.0-3", "0:2.0-3"),
        ] {
            assert_eq!(Written::read(before).unwrap().like(&evr.parse().unwrap()), after, "{before} {evr}");
        }
    }

    #[test]
    fn what_rpm_cannot_compare_is_not_read() {
        for text in ["", "x:1", "1-", "-1", ":1-", "-", "99999999999:1"] {
            assert_eq!(Written::read(text), None, "{text}");
        }
    }
}
