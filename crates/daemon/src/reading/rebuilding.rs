//! Meta-packages built anew, and signed ones: bytes of a package and a question go in, the bytes of another come out.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::ops::Range;

use metapackage::{Change, Rebuild, RebuildError, rebuilt};
use nevra::Evr;
use plan::{Code, Unbuilt};
use repo::{Field, read_head};
use serde::{Deserialize, Serialize};

use super::{Unfit, head_of};

/// The largest package that is built anew, in bytes: one that brings nothing but documentation is smaller by far.
pub(crate) const SIZE_MAX: u64 = 16 << 20;

/// What is to be made of a package.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rework {
    /// A meta-package that says something else.
    Rebuild {
        /// The release it gets; the one it has if there is none.
        release: Option<String>,
        /// When it is built, in seconds since 1970; later if what it is made of is as young.
        build_time: u32,
        /// The versions that names are pinned at.
        pins: BTreeMap<String, Evr>,
        /// The names that are pinned no more.
        without: BTreeSet<String>,
        /// Who changed it, for its changelog.
        who: String,
        /// What its changelog says.
        text: String,
        /// Whether it may bring files that are no documentation.
        may_have_files: bool,
    },
    /// The same with a signature of its header, which is in hexadecimal digits.
    Sign(String),
}

/// What was made of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reworked {
    /// The whole file, in hexadecimal digits while it travels.
    #[serde(with = "digits")]
    pub bytes: Vec<u8>,
    /// Which of its bytes are the header: what a signature is of.
    pub header: Range<usize>,
}

/// Makes what is asked for; the outer `Err` if the disk is at fault.
pub(super) fn examine(
    file: &mut dyn Read,
    rework: &Rework,
) -> Result<Result<Result<Reworked, Unbuilt>, Unfit>, io::Error> {
    let mut whole = Vec::new();
    file.take(SIZE_MAX + 1).read_to_end(&mut whole)?;
    if whole.len() as u64 > SIZE_MAX {
        let words = format!("it has more than {} MiB, and meta-packages have not", SIZE_MAX >> 20);
        return Ok(Ok(Err(Unbuilt { code: Code::NotAMetaPackage, words })));
    }
    let mut payload = whole.as_slice();
    let head = match head_of(&mut payload)? {
        Ok(head) => head,
        Err(unfit) => return Ok(Err(unfit)),
    };
    let made = match rework {
        Rework::Rebuild { release, build_time, pins, without, who, text, may_have_files } => {
            let before = head.numbers_of(Field::BuildTime).first().copied().unwrap_or(0);
            let rebuild = Rebuild {
                release: release.clone(),
                // Two files of one name that were built in the same second are one to dnf.
                build_time: (*build_time).max(before.saturating_add(1)),
                pins: pins.clone(),
                without: without.clone(),
                change: Some(Change { who: who.clone(), text: text.clone() }),
                files_allowed: *may_have_files,
            };
            rebuilt(&head, payload, &rebuild)
        }
        Rework::Sign(signature) => match nevra::from_hex(signature) {
            Some(signature) => repo::with_header_signature(&whole, &signature).map_err(RebuildError::from),
            None => return Err(io::Error::new(io::ErrorKind::InvalidData, "a signature is not in digits")),
        },
    };
    let whose = head.nevra().map(|nevra| format!("`{nevra}`: ")).unwrap_or_default();
    let unbuilt = |error: RebuildError| {
        let code = match &error {
            RebuildError::Files => Code::NotAMetaPackage,
            RebuildError::NotPinned { .. } | RebuildError::Rich { .. } | RebuildError::Excluded { .. } => {
                Code::PinNotUnderstood
            }
            RebuildError::Header(_) | RebuildError::Text { .. } => Code::NotRebuildable,
        };
        Unbuilt { code, words: format!("{whose}{error}") }
    };
    let bytes = match made {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Ok(Err(unbuilt(error)))),
    };
    Ok(Ok(match read_head(&mut bytes.as_slice()) {
        Ok(head) => {
            let Range { start, end } = head.header_range();
            let place = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
            Ok(Reworked { header: place(start)..place(end), bytes })
        }
        Err(error) => Err(unbuilt(error.into())),
    }))
}

impl Reworked {
    /// Says whether it is what it can be, whoever says so.
    pub(super) fn is_sound(&self) -> bool {
        let Range { start, end } = self.header;
        start < end && end <= self.bytes.len()
    }
}

/// Bytes as hexadecimal digits: JSON has no bytes.
mod digits {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&nevra::to_hex(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        nevra::from_hex(&text).ok_or_else(|| D::Error::custom("it is not in hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rework(release: &str) -> Rework {
        Rework::Rebuild {
            release: Some(release.into()),
            build_time: 5,
            pins: BTreeMap::from([("voms".into(), "1-1".parse().unwrap())]),
            without: BTreeSet::new(),
            who: "Sluice".into(),
            text: "- rolled back".into(),
            may_have_files: false,
        }
    }

    #[test]
    fn what_is_built_anew_is_younger_and_travels_as_digits() {
        let rpm = repo::Recipe::new("ui", "2", "1").requires("voms = 2-1").build();
        let made = examine(&mut rpm.as_slice(), &rework("1.1")).unwrap().unwrap().unwrap();
        let head = read_head(&mut made.bytes.as_slice()).unwrap();
        assert_eq!(head.nevra().unwrap().to_string(), "ui-2-1.1.noarch");
        let of = read_head(&mut rpm.as_slice()).unwrap();
        let time = |head: &repo::Head| head.numbers_of(Field::BuildTime)[0];
        assert!(time(&head) > time(&of));
        assert_eq!(head.header_bytes(), &made.bytes[made.header.clone()]);
        let text = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Reworked>(&text).unwrap(), made);
    }

    #[test]
    fn what_cannot_be_built_is_told_by_a_code() {
        let code = |rpm: &[u8]| examine(&mut &*rpm, &rework("1.1")).unwrap().unwrap().unwrap_err().code;
        assert_eq!(code(&repo::Recipe::new("ui", "2", "1").build()), Code::PinNotUnderstood);
        let rich = repo::Recipe::new("ui", "2", "1").requires("(voms = 2-1 or other)").build();
        assert_eq!(code(&rich), Code::PinNotUnderstood);
        assert!(examine(&mut &b"no package"[..], &rework("1.1")).unwrap().is_err());
    }
}
