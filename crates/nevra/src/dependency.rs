//! Dependencies and the overlap test of rpm.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ParseError;
use crate::evr::{compare_segments, split_epoch};
use crate::text::serde_as_text;

/// A comparison in a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sense {
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterEqual,
    /// `>`
    Greater,
}

impl Sense {
    /// Shows the sign a spec file uses: `>=`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Equal => "=",
            Self::GreaterEqual => ">=",
            Self::Greater => ">",
        }
    }

    /// Shows the word repository metadata uses: `GE`.
    #[must_use]
    pub fn flag(self) -> &'static str {
        match self {
            Self::Less => "LT",
            Self::LessEqual => "LE",
            Self::Equal => "EQ",
            Self::GreaterEqual => "GE",
            Self::Greater => "GT",
        }
    }

    /// Reads the word repository metadata uses.
    #[must_use]
    pub fn from_flag(flag: &str) -> Option<Self> {
        Some(match flag {
            "LT" => Self::Less,
            "LE" => Self::LessEqual,
            "EQ" => Self::Equal,
            "GE" => Self::GreaterEqual,
            "GT" => Self::Greater,
            _ => return None,
        })
    }

    fn from_sign(sign: &str) -> Option<Self> {
        Some(match sign {
            "<" => Self::Less,
            "<=" | "=<" => Self::LessEqual,
            "=" | "==" => Self::Equal,
            ">=" | "=>" => Self::GreaterEqual,
            ">" => Self::Greater,
            _ => return None,
        })
    }

    fn has_less(self) -> bool {
        matches!(self, Self::Less | Self::LessEqual)
    }

    fn has_equal(self) -> bool {
        matches!(self, Self::LessEqual | Self::Equal | Self::GreaterEqual)
    }

    fn has_greater(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterEqual)
    }
}

/// The range of versions a dependency speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bound {
    /// On which side of the version the range lies.
    pub sense: Sense,
    /// The epoch, if one is written; none counts as 0.
    pub epoch: Option<u32>,
    /// The version.
    pub version: String,
    /// The release, if one is written; none stands for any, see [`Dependency::overlaps`].
    pub release: Option<String>,
}

/// What a package provides, requires, conflicts with or obsoletes: a name, perhaps with a range.
///
/// Text is `name` or `name sign [epoch:]version[-release]`. A rich dependency, `(a if b)`, is one
/// name here, blanks and all: nothing looks inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dependency {
    /// The capability: a package, a file, a library, or a rich dependency in parentheses.
    pub name: String,
    /// The range; none means every version.
    pub bound: Option<Bound>,
}

impl Dependency {
    /// Says whether the two ranges have a version in common, by the rules of rpm's
    /// `rpmdsCompare`; so it says whether a provide satisfies a require, and the other way round.
    ///
    /// Names must be equal. A missing range or an empty version overlaps everything. A missing
    /// epoch is 0. Releases are compared only if both sides have one; if just one side has none and the
    /// versions are equal, the ranges overlap if the side *without* a release includes equality;
    /// otherwise the senses decide as for equal versions. So `foo = 1.2` and `foo <= 1.2`
    /// overlap `foo = 1.2-3`, while `foo > 1.2` and `foo < 1.2` do not.
    ///
    /// The test is symmetric but not transitive.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        if self.name != other.name {
            return false;
        }
        let (Some(a), Some(b)) = (&self.bound, &other.bound) else {
            return true;
        };
        a.is_empty() || b.is_empty() || bounds_overlap(a, b)
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if text.chars().any(char::is_control) {
            return Err("it holds a control character");
        }
        if text.starts_with('(') && text.ends_with(')') {
            return Ok(Self { name: text.to_owned(), bound: None });
        }
        let mut words = text.split_ascii_whitespace();
        let name = words.next().ok_or("it is empty")?.to_owned();
        let bound = match (words.next(), words.next()) {
            (None, _) => None,
            (Some(sign), Some(range)) => {
                let sense = Sense::from_sign(sign).ok_or("its sign is none of < <= = >= >")?;
                Some(Bound::read(sense, range)?)
            }
            (Some(_), None) => return Err("its sign is not followed by a version"),
        };
        match words.next() {
            Some(_) => Err("it has more than name, sign and version"),
            None => Ok(Self { name, bound }),
        }
    }
}

impl Bound {
    fn read(sense: Sense, text: &str) -> Result<Self, &'static str> {
        let (epoch, rest) = split_epoch(text)?;
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (rest, None),
        };
        if version.is_empty() || release == Some("") {
            return Err("its version or release is empty");
        }
        Ok(Self { sense, epoch, version: version.to_owned(), release: release.map(str::to_owned) })
    }

    fn is_empty(&self) -> bool {
        self.epoch.is_none() && self.version.is_empty() && self.release.is_none()
    }
}

/// The second half of rpm's test: both sides have a range and a version.
fn bounds_overlap(a: &Bound, b: &Bound) -> bool {
    let order = a
        .epoch
        .unwrap_or(0)
        .cmp(&b.epoch.unwrap_or(0))
        .then_with(|| compare_segments(&a.version, &b.version));
    let order = match (order, &a.release, &b.release) {
        (Ordering::Equal, Some(a), Some(b)) => compare_segments(a, b),
        (Ordering::Equal, Some(_), None) if b.sense.has_equal() => return true,
        (Ordering::Equal, None, Some(_)) if a.sense.has_equal() => return true,
        (order, ..) => order,
    };
    match order {
        Ordering::Less => a.sense.has_greater() || b.sense.has_less(),
        Ordering::Greater => a.sense.has_less() || b.sense.has_greater(),
        Ordering::Equal => {
            (a.sense.has_equal() && b.sense.has_equal())
                || (a.sense.has_less() && b.sense.has_less())
                || (a.sense.has_greater() && b.sense.has_greater())
        }
    }
}

impl FromStr for Dependency {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::read(text.trim_ascii()).map_err(|why| ParseError::Dependency { text: text.to_owned(), why })
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.bound {
            Some(bound) => write!(f, " {bound}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.sense.as_str())?;
        if let Some(epoch) = self.epoch {
            write!(f, "{epoch}:")?;
        }
        f.write_str(&self.version)?;
        match &self.release {
            Some(release) => write!(f, "-{release}"),
            None => Ok(()),
        }
    }
}

serde_as_text!(Dependency);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, expected: bool) {
        let (one, two): (Dependency, Dependency) = (a.parse().unwrap(), b.parse().unwrap());
        assert_eq!(one.overlaps(&two), expected, "{a} against {b}");
        assert_eq!(two.overlaps(&one), expected, "{b} against {a}");
    }

    // Each case was put to rpm 4.18.
    #[test]
    fn ranges_overlap_as_in_rpm() {
        check("foo", "foo = 1-1", true);
        check("foo", "bar", false);
        check("foo = 1.2", "foo = 1.2-3", true);
        check("foo >= 1.2", "foo = 1.2-3", true);
        check("foo <= 1.2", "foo = 1.2-3", true);
        check("foo > 1.2", "foo = 1.2-3", false);
        check("foo < 1.2", "foo = 1.2-3", false);
        check("foo > 1.2", "foo > 1.2-3", true);
        check("foo = 1.2", "foo > 1.2", false);
        check("foo = 1.2", "foo > 1.2-3", true);
        check("foo = 1.2-3", "foo = 1.2-4", false);
        check("foo = 1.2-3", "foo = 0:1.2-3", true);
        check("foo = 1:1.2", "foo = 1.2-3", false);
        check("foo >= 1", "foo = 1:0.1-1", true);
        check("foo < 2", "foo > 1", true);
        check("foo < 1", "foo > 1", false);
        check("foo < 1", "foo > 2", false);
        check("foo < 1", "foo <= 1", true);
        check("foo >= 1.0~rc1", "foo = 1.0-1", true);
        check("foo >= 1.0", "foo = 1.0~rc1-1", false);
    }

    #[test]
    fn text_comes_back_as_it_went() {
        for text in [
            "foo",
            "foo >= 1:2-3",
            "foo = 1.2",
            "foo < 0:1",
            "/bin/sh",
            "libc.so.6(GLIBC_2.4)(64bit)",
            "(foo >= 1 if bar)",
        ] {
            assert_eq!(text.parse::<Dependency>().unwrap().to_string(), text);
        }
        assert_eq!("foo == 1".parse::<Dependency>().unwrap().to_string(), "foo = 1");
    }

    #[test]
    fn what_is_no_dependency_is_refused() {
        for bad in ["", " ", "foo =", "foo 1", "foo = 1 2", "foo = -1", "foo = 1-", "foo = x:1", "foo = 1\0"]
        {
            assert!(bad.parse::<Dependency>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn metadata_words_are_read_back() {
        for sense in [Sense::Less, Sense::LessEqual, Sense::Equal, Sense::GreaterEqual, Sense::Greater] {
            assert_eq!(Sense::from_flag(sense.flag()), Some(sense));
        }
        assert_eq!(Sense::from_flag("ge"), None);
    }
}
