//! What goes between the daemon and a worker: lengths and JSON, bounded and believed only within bounds.

use std::io::{self, Write};

use closure::Contents;
use nevra::{Digest, Nevra, Sha256};
use plan::{Code, Payload, Unbuilt};
use repo::{Changelog, File, Package, Relation};
use serde::{Deserialize, Serialize};

use super::{Held, Judged, Reworked, Unfit};

/// The largest answer, in bytes: what lists more is no package that clients could live with.
pub(super) const SIZE_MAX: usize = 128 << 20;

/// The longest question, in bytes: a hundred certificates of distributions, a hundred thousand paths.
pub(super) const QUESTION_MAX: usize = 8 << 20;

/// The byte that comes with the descriptor of a package to read.
pub(super) const PACKAGE: u8 = b'p';

/// The byte that comes with the descriptor of a package whose signatures are to be judged; a question follows.
pub(super) const SIGNATURES: u8 = b's';

/// The byte that comes with the descriptor of a package of which some files are to be told; a question follows.
pub(super) const FILES: u8 = b'f';

/// The byte that comes with the descriptor of a package of which another one is to be made; a question follows.
pub(super) const REWORK: u8 = b'r';

/// How long one text of a file may be: a path, a name, a digest.
const TEXT_MAX: usize = 1 << 14;

/// Why nothing can be made of a package.
const UNMADE: [Code; 3] = [Code::NotAMetaPackage, Code::PinNotUnderstood, Code::NotRebuildable];

/// How many characters of a worker's words are taken.
const WORDS_MAX: usize = 1000;

/// How many changes metadata lists.
const CHANGES_MAX: usize = 10;

/// How many signatures a package can have: two of its header, two of header and payload.
const SIGNATURES_MAX: usize = 4;

/// The first thing a worker says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Greeting {
    /// What it could not forbid itself, in words.
    pub(super) without: Option<String>,
}

/// What a worker says of a package.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Answer {
    /// It can be listed.
    Listed(#[serde(with = "boxed")] Box<Package>),
    /// What its signatures are, if that was asked.
    Signed(Judged),
    /// What some of its files are, if that was asked.
    Files(Held),
    /// What was made of it, if that was asked.
    Made(Reworked),
    /// Why nothing can be made of it.
    Unmade(Unbuilt),
    /// It cannot.
    Unfit(Unfit),
    /// The disk gave an error.
    NotRead(String),
}

impl Answer {
    /// Judges what a worker said: whatever it is, nothing of it can break what is made of it.
    ///
    /// Text may hold anything here: metadata is written by the daemon, which escapes it and leaves out what XML
    /// cannot carry. A full name was checked when it was read.
    pub(super) fn checked(mut self) -> Result<Self, &'static str> {
        match &mut self {
            Self::Listed(package) => {
                if package.header_start > package.header_end {
                    return Err("it says that a header ends before it begins");
                }
                if package.changelogs.len() > CHANGES_MAX {
                    return Err("it lists more changes than were asked for");
                }
            }
            Self::Signed(Judged { signed, .. }) => {
                if signed.signatures.len() > SIGNATURES_MAX {
                    return Err("it tells of more signatures than a package has");
                }
                if let Payload::NoDigest(words) | Payload::Tampered(words) = &mut signed.payload {
                    *words = one_line(words);
                }
                for signature in &mut signed.signatures {
                    match signature {
                        Ok(fingerprint) => *fingerprint = one_line(fingerprint),
                        Err(flaw) => flaw.words = one_line(&flaw.words),
                    }
                }
            }
            Self::Files(Held { files, .. }) => {
                let texts = |file: &Contents| [file.user.len(), file.group.len(), file.text.len()];
                if files.values().flat_map(texts).any(|length| length > TEXT_MAX) {
                    return Err("it tells of a file with a text that is too long");
                }
            }
            Self::Made(made) if !made.is_sound() => {
                return Err("it made a package whose header is not in it");
            }
            Self::Made(_) => {}
            Self::Unmade(unbuilt) => {
                if !UNMADE.contains(&unbuilt.code) {
                    return Err("it says why nothing can be made by a code that means something else");
                }
                unbuilt.words = one_line(&unbuilt.words);
            }
            Self::Unfit(Unfit { words, .. }) | Self::NotRead(words) => *words = one_line(words),
        }
        Ok(self)
    }
}

/// Reads what a worker said.
pub(super) fn heard<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| one_line(&error.to_string()))
}

/// Makes one line, not too long, of words that somebody else chose.
pub(super) fn one_line(words: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    words.chars().take(WORDS_MAX).map(escaped).collect()
}

/// A package as it travels; what the daemon knows better stays at home.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Package", deny_unknown_fields)]
struct PackageForm {
    nevra: Nevra,
    #[serde(skip, default = "unknown")]
    pkgid: Digest,
    #[serde(skip)]
    href: String,
    summary: String,
    description: String,
    packager: String,
    url: String,
    license: String,
    vendor: String,
    group: String,
    build_host: String,
    source_rpm: String,
    #[serde(skip)]
    time_file: i64,
    time_build: i64,
    #[serde(skip)]
    size_package: u64,
    size_installed: u64,
    size_archive: u64,
    header_start: u64,
    header_end: u64,
    provides: Vec<Relation>,
    requires: Vec<Relation>,
    conflicts: Vec<Relation>,
    obsoletes: Vec<Relation>,
    suggests: Vec<Relation>,
    enhances: Vec<Relation>,
    recommends: Vec<Relation>,
    supplements: Vec<Relation>,
    files: Vec<File>,
    changelogs: Vec<Changelog>,
}

fn unknown() -> Digest {
    Sha256::from([0; 32]).into()
}

mod boxed {
    use serde::{Deserializer, Serializer};

    use super::{Package, PackageForm};

    #[expect(clippy::borrowed_box, reason = "serde hands the field over as it is")]
    pub(super) fn serialize<S: Serializer>(package: &Box<Package>, to: S) -> Result<S::Ok, S::Error> {
        PackageForm::serialize(package, to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<Package>, D::Error> {
        PackageForm::deserialize(from).map(Box::new)
    }
}

/// Bytes that may become so many and no more.
pub(super) struct Bounded {
    pub(super) bytes: Vec<u8>,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > SIZE_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
