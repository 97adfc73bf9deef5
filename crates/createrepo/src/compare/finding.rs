//! One thing that differs, or that is wrong with the metadata as it lies there.

use std::fmt;

use repo::{Difference, Document, Entry, Place, is_inside};
use serde::Serialize;

/// What comparing finds, each kind with a code of its own that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Finding {
    /// A metadata file cannot be read; nothing in it was compared.
    UnreadableMetadata {
        /// `repodata/repomd.xml`, the place of another file, or `primary`.
        file: String,
        /// The reason: "failed to ...".
        why: String,
    },
    /// `repomd.xml` has no record that every repository has.
    NoRecord {
        /// `primary`, `filelists` or `other`.
        record: &'static str,
    },
    /// `repomd.xml` says something of a file that is not so.
    FalseRecord {
        /// The type of the record.
        record: String,
        /// Where the file lies.
        href: String,
        /// What is claimed.
        claim: Claim,
        /// What `repomd.xml` says.
        theirs: String,
        /// What is so.
        found: String,
    },
    /// A file claims to list another number of packages than it does.
    Count {
        /// `primary`, `filelists` or `other`.
        file: &'static str,
        /// What it claims, in its own words.
        claimed: String,
        /// How many it lists.
        listed: usize,
    },
    /// A file holds an element beside its packages.
    UnknownElement {
        /// `primary`, `filelists` or `other`.
        file: &'static str,
        /// The element's name.
        element: String,
    },
    /// Filelists or other do not list what primary lists.
    Unmatched {
        /// `filelists` or `other`.
        file: &'static str,
        /// `name-version-release.arch`, as the metadata writes it.
        package: String,
        /// Its digest.
        pkgid: String,
        /// Whether the file lists the package and primary does not; else it is the other way round.
        lists: bool,
    },
    /// Two packages are listed at one place.
    ListedTwice {
        /// The place.
        href: String,
    },
    /// A package is listed, and no such file lies in the directory.
    NoSuchFile {
        /// `name-version-release.arch`, as the metadata writes it.
        package: String,
        /// Where it is said to lie.
        href: String,
    },
    /// A package is listed at a place that leads out of the directory; nobody looked there.
    Outside {
        /// `name-version-release.arch`, as the metadata writes it.
        package: String,
        /// Where it is said to lie.
        href: String,
    },
    /// A package file lies in the directory, and is not listed.
    NotListed {
        /// Its full name.
        package: String,
        /// Where it lies.
        href: String,
    },
    /// A package file lies in the directory at a place that is not listed; the same bytes are listed at another.
    SecondPlace {
        /// Its full name.
        package: String,
        /// Where it lies.
        href: String,
        /// Where it is listed.
        listed: String,
    },
    /// A file is called `*.rpm` and cannot be read as a package.
    UnreadablePackage {
        /// Where it lies.
        href: String,
        /// The reason: "failed to ...".
        why: String,
    },
    /// An element, an attribute, a text, or an order.
    Element {
        /// `primary`, `filelists` or `other`.
        file: &'static str,
        /// The package's full name.
        package: String,
        /// Where the package lies.
        href: String,
        /// What differs.
        #[serde(flatten)]
        difference: Difference,
        /// How this comes about, where it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'static str>,
    },
}

/// What a record of `repomd.xml` claims of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// The size in bytes.
    Size,
    /// The digest.
    Checksum,
    /// The size once unpacked.
    OpenSize,
    /// The digest once unpacked.
    OpenChecksum,
}

impl Finding {
    pub(super) fn element(document: Document, entry: &Entry, difference: Difference) -> Finding {
        Finding::Element {
            file: document.as_str(),
            package: entry.nevra.to_string(),
            href: entry.href.clone(),
            note: note(&difference),
            difference,
        }
    }

    /// Tells of a listed package that does not lie in the directory.
    pub(super) fn absent(place: &Place) -> Finding {
        let (package, href) = (place.name.clone(), place.href.clone());
        if is_inside(&href) {
            Finding::NoSuchFile { package, href }
        } else {
            Finding::Outside { package, href }
        }
    }

    /// Says how it comes about, where that is known.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        match self {
            Finding::Element { note, .. } => *note,
            Finding::NotListed { href, .. } if is_shelved(href) => {
                Some("Sluice keeps a package at its URL for the grace after it left the repository")
            }
            Finding::SecondPlace { listed, .. } if is_shelved(listed) => {
                Some("Sluice answers under the old places of a repository it adopted, for the grace")
            }
            _ => None,
        }
    }

    /// Names the kind of finding in words, so that many of one kind can be told together.
    #[must_use]
    pub fn heading(&self) -> String {
        match self {
            Finding::UnreadableMetadata { .. } => "metadata that cannot be read".to_owned(),
            Finding::NoRecord { .. } => "records that repomd.xml lacks".to_owned(),
            Finding::FalseRecord { .. } => "records of repomd.xml that are not true".to_owned(),
            Finding::Count { .. } => "numbers of packages that are not true".to_owned(),
            Finding::UnknownElement { .. } => "elements beside the packages".to_owned(),
            Finding::Unmatched { .. } => "packages that not all three files list".to_owned(),
            Finding::ListedTwice { .. } => "places listed more than once".to_owned(),
            Finding::NoSuchFile { .. } => "packages listed whose file is not there".to_owned(),
            Finding::Outside { .. } => "packages listed outside of the directory".to_owned(),
            Finding::NotListed { .. } => "package files that are not listed".to_owned(),
            Finding::SecondPlace { .. } => "package files at a second place".to_owned(),
            Finding::UnreadablePackage { .. } => "package files that cannot be read".to_owned(),
            Finding::Element { file, difference, .. } => format!("{file} {}", difference.kind),
        }
    }
}

/// Tells it on one line, without the heading.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::UnreadableMetadata { file, why } => write!(f, "`{}`: {}", line(file), line(why)),
            Finding::NoRecord { record } => write!(f, "there is no record `{record}`"),
            Finding::FalseRecord { record, href, claim, theirs, found } => {
                let claim = match claim {
                    Claim::Size => "size",
                    Claim::Checksum => "checksum",
                    Claim::OpenSize => "open-size",
                    Claim::OpenChecksum => "open-checksum",
                };
                write!(
                    f,
                    "{} `{}` {claim}: repomd.xml says {theirs}, the file has {found}",
                    line(record),
                    line(href)
                )
            }
            Finding::Count { file, claimed, listed } => {
                write!(f, "{file} claims {} and lists {listed}", line(claimed))
            }
            Finding::UnknownElement { file, element } => write!(f, "{file} holds `{}`", line(element)),
            Finding::Unmatched { file, package, pkgid, lists } => {
                let words = if *lists { "lists it and primary does not" } else { "lacks it" };
                write!(f, "{} ({}): {file} {words}", line(package), line(pkgid))
            }
            Finding::ListedTwice { href } => write!(f, "`{}`", line(href)),
            Finding::NoSuchFile { package, href }
            | Finding::Outside { package, href }
            | Finding::NotListed { package, href } => write!(f, "{} at `{}`", line(package), line(href)),
            Finding::SecondPlace { package, href, listed } => {
                write!(f, "{} at `{}`, listed at `{}`", line(package), line(href), line(listed))
            }
            Finding::UnreadablePackage { href, why } => write!(f, "`{}`: {}", line(href), line(why)),
            Finding::Element { file, package, difference, .. } => {
                let Difference { place, theirs, ours, .. } = difference;
                let place = line(place);
                write!(f, "{package} {file} {place}: theirs {}, ours {}", word(theirs), word(ours))
            }
        }
    }
}

/// Says whether a place is one that Sluice gives: `Packages/<2 digits>/<16 digits>/<file>`.
fn is_shelved(href: &str) -> bool {
    let hex =
        |part: &str, length| part.len() == length && part.bytes().all(|digit| digit.is_ascii_hexdigit());
    let parts: Vec<&str> = href.split('/').collect();
    matches!(parts[..], ["Packages", shard, digest, _] if hex(shard, 2) && hex(digest, 16) && digest.starts_with(shard))
}

fn word(value: &Option<String>) -> String {
    value.as_ref().map_or("-".to_owned(), |value| format!("`{}`", line(value)))
}

/// Shows text from a file on one line, unable to move a terminal's cursor.
fn line(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { vec![c] };
    text.chars().flat_map(escaped).collect()
}

/// Says how a difference comes about, for what is known to be harmless or to be another's mistake.
fn note(difference: &Difference) -> Option<&'static str> {
    let Difference { kind, theirs, ours, .. } = difference;
    let (theirs, ours) = (theirs.as_deref(), ours.as_deref());
    let is_garbled =
        |theirs: &str, ours: &str| theirs.contains("&#38;") && theirs.replace("&#38;", "&") == ours;
    let garbled = "createrepo_c --update writes `&` in attributes so, and clients see another text";
    match (kind.as_str(), theirs, ours) {
        (_, Some(theirs), Some(ours)) if is_garbled(theirs, ours) => Some(garbled),
        (_, Some(theirs), None) if theirs.contains("&amp;#38;") => Some(garbled),
        ("time@file", Some(_), Some(_)) => {
            Some("the time of the file changed since it was listed; clients do not look at it")
        }
        ("location@xml:base", Some(_), None) => {
            Some("clients fetch the package from there, not from this directory; mergerepo_c writes it")
        }
        _ => None,
    }
}
