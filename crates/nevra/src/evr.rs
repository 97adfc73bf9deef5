//! Epoch, version, release, and rpm's order of them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::ParseError;
use crate::text::{fault_of, serde_as_text};

/// Epoch, version and release of one package.
///
/// Text is `version-release`, with `epoch:` in front where it is not 0. A package without an epoch
/// has epoch 0: rpm tells the two apart nowhere.
///
/// `Ord` is rpm's order, and among what rpm calls equal (`1.0` and `1.00`) that of the text, so
/// that sorting agrees with `==`. Whoever asks *is this newer* wants [`Evr::rpm_cmp`].
///
/// ```
/// use nevra::Evr;
///
/// let mut all: Vec<Evr> = ["1:0.1-1", "1.10-1", "1.9-1", "1.10~rc1-1", "1.10^git1-1"]
///     .iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
/// all.sort();
/// let all: Vec<String> = all.iter().map(Evr::to_string).collect();
/// assert_eq!(all, ["1.9-1", "1.10~rc1-1", "1.10-1", "1.10^git1-1", "1:0.1-1"]);
/// # Ok::<(), nevra::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Evr {
    /// Outranks the version; 0 where the package has none.
    pub epoch: u32,
    /// The version of what was packaged; holds no `-`.
    pub version: String,
    /// The release of the packaging; holds no `-`.
    pub release: String,
}

impl Evr {
    /// Compares as rpm does: epoch, then version, then release, segment by segment.
    ///
    /// Two that are written differently may be equal here (`1.0` and `1.00`).
    #[must_use]
    pub fn rpm_cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_segments(&self.version, &other.version))
            .then_with(|| compare_segments(&self.release, &other.release))
    }

    /// Says why this cannot be printed and read back, if it cannot: an empty part, a `-`, a blank.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        fault_of(&self.version, &['-']).or_else(|| fault_of(&self.release, &['-']))
    }

    /// Reads `[epoch:]version-release`; the error is the reason alone.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        let (epoch, rest) = split_epoch(text)?;
        let (version, release) = rest.rsplit_once('-').ok_or("it has no release")?;
        let evr =
            Self { epoch: epoch.unwrap_or(0), version: version.to_owned(), release: release.to_owned() };
        match evr.fault() {
            Some(why) => Err(why),
            None => Ok(evr),
        }
    }
}

/// Compares two versions or two releases as rpm's `rpmvercmp` does.
pub(crate) fn compare_segments(a: &str, b: &str) -> Ordering {
    rpm_version::Evr::new("", a, "").cmp(&rpm_version::Evr::new("", b, ""))
}

/// Splits `12:rest`; no `:` is no epoch.
pub(crate) fn split_epoch(text: &str) -> Result<(Option<u32>, &str), &'static str> {
    match text.split_once(':') {
        None => Ok((None, text)),
        Some((epoch, rest)) => {
            if epoch.is_empty() || !epoch.bytes().all(|b| b.is_ascii_digit()) {
                return Err("its epoch is no number");
            }
            let epoch = epoch.parse().map_err(|_| "its epoch is above 4294967295")?;
            Ok((Some(epoch), rest))
        }
    }
}

impl Ord for Evr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rpm_cmp(other)
            .then_with(|| self.version.cmp(&other.version))
            .then_with(|| self.release.cmp(&other.release))
    }
}

impl PartialOrd for Evr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Evr {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::read(text).map_err(|why| ParseError::Evr { text: text.to_owned(), why })
    }
}

impl fmt::Display for Evr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 {
            write!(f, "{}:", self.epoch)?;
        }
        write!(f, "{}-{}", self.version, self.release)
    }
}

serde_as_text!(Evr);

#[cfg(test)]
mod tests {
    use super::*;

    fn evr(text: &str) -> Evr {
        text.parse().unwrap()
    }

    fn check(a: &str, b: &str, expected: Ordering) {
        assert_eq!(evr(a).rpm_cmp(&evr(b)), expected, "{a} against {b}");
        assert_eq!(evr(b).rpm_cmp(&evr(a)), expected.reverse(), "{b} against {a}");
    }

    #[test]
    fn versions_order_as_rpm_orders_them() {
        check("1.9-1", "1.10-1", Ordering::Less);
        check("1.0-1", "1.00-1", Ordering::Equal);
        check("1.0-1", "1_0-1", Ordering::Equal);
        check("1.0~rc1-1", "1.0-1", Ordering::Less);
        check("1.0^git1-1", "1.0-1", Ordering::Greater);
        check("1.0^git1-1", "1.0.1-1", Ordering::Less);
        check("1.0~rc1^git1-1", "1.0~rc1-1", Ordering::Greater);
        check("1.a-1", "1.1-1", Ordering::Less);
        check("1.0-1", "1.0a-1", Ordering::Less);
        check("1:0-1", "9-1", Ordering::Greater);
        check("0:1-1", "1-1", Ordering::Equal);
        check("1-1.el5", "1-1.el6", Ordering::Less);
        check("20240101-1", "184467440737095516160-1", Ordering::Less);
    }

    #[test]
    fn order_agrees_with_equality() {
        let (a, b) = (evr("1.0-1"), evr("1.00-1"));
        assert_ne!(a, b);
        assert_eq!(a.rpm_cmp(&b), Ordering::Equal);
        assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        assert_ne!(a.cmp(&b), Ordering::Equal);
        assert_eq!(evr("0:1-1"), evr("1-1"));
    }

    #[test]
    fn text_comes_back_as_it_went() {
        for text in ["1-1", "7:1.2~rc1^git-3.el9_4", "4294967295:1-1"] {
            assert_eq!(evr(text).to_string(), text);
        }
        assert_eq!(evr("0:1-1").to_string(), "1-1");
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for bad in [
            "",
            "1",
            "-1",
            "1-",
            "1-2-3",
            "a:1-1",
            ":1-1",
            "1:2:3-1",
            "4294967296:1-1",
            "1 -1",
            "1-1\n",
            "1/2-1",
            "ü-1",
        ] {
            assert!(bad.parse::<Evr>().is_err(), "{bad:?}");
        }
    }
}
