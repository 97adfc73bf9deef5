//! A header becomes a package, by the rules createrepo_c follows.

mod changelogs;
mod files;
mod relations;
mod substance;
mod text;

use nevra::{Arch, Digest, Evr, Nevra};

use crate::head::{Head, Header};
use crate::tags::{self, Tag};
use crate::{Error, Package};

pub use files::flagged_files_of;
pub use substance::{Substance, substances_of};
use text::{required_name, text_or_empty};

/// What is known of an RPM from outside its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// The size of the file in bytes.
    pub size: u64,
    /// The digest of the whole file; what made it is how the repository will name the package.
    pub digest: Digest,
    /// When the file was last changed, in seconds since 1970.
    pub mtime: i64,
    /// Where the file lies, relative to the repository.
    pub href: String,
}

/// Describes the package a head belongs to, as createrepo_c would.
///
/// Text that is not UTF-8 is read as Latin-1. Only the first ten changes are kept. Of the
/// requirements those are left out that rpm itself or the package meets; a dependency whose epoch
/// is no number is left out, too.
///
/// Where createrepo_c leaves a package out of the repository without a word, this fails.
///
/// # Errors
///
/// Name, version, release or architecture is missing or cannot stand in a file name; text holds a
/// control character; lists that belong together have different lengths; a path is longer than
/// 4,096 bytes.
pub fn package_of(head: &Head, facts: FileFacts) -> Result<Package, Error> {
    package_with_changes(head, facts, changelogs::USUAL)
}

/// Describes a package as [`package_of`] does, but keeps so many of its latest changes, 20,000 at most.
///
/// # Errors
///
/// As [`package_of`].
pub fn package_with_changes(head: &Head, facts: FileFacts, changes: usize) -> Result<Package, Error> {
    let header = &head.header;
    let source = is_source(header)?;
    let files = files::files_of(header)?;
    let relations = relations::relations_of(header, source, &files)?;
    let range = head.header_range();
    Ok(Package {
        nevra: nevra_of(header, source)?,
        pkgid: facts.digest,
        href: facts.href,
        summary: text_or_empty(header, tags::SUMMARY)?,
        description: text_or_empty(header, tags::DESCRIPTION)?,
        packager: text_or_empty(header, tags::PACKAGER)?,
        url: text_or_empty(header, tags::URL)?,
        license: text_or_empty(header, tags::LICENSE)?,
        vendor: text_or_empty(header, tags::VENDOR)?,
        group: text_or_empty(header, tags::GROUP)?,
        build_host: text_or_empty(header, tags::BUILD_HOST)?,
        source_rpm: source_rpm_of(header, source)?,
        time_file: facts.mtime,
        time_build: seconds(header.number(tags::BUILD_TIME)),
        size_package: facts.size,
        size_installed: header.number(tags::LONG_SIZE).or_else(|| header.number(tags::SIZE)).unwrap_or(0),
        size_archive: archive_size_of(head),
        header_start: range.start,
        header_end: range.end,
        provides: relations.provides,
        requires: relations.requires,
        conflicts: relations.conflicts,
        obsoletes: relations.obsoletes,
        suggests: relations.suggests,
        enhances: relations.enhances,
        recommends: relations.recommends,
        supplements: relations.supplements,
        files,
        changelogs: changelogs::changelogs_of(header, changes)?,
    })
}

pub(crate) fn nevra_of(header: &Header, source: bool) -> Result<Nevra, Error> {
    let evr = Evr {
        epoch: header.number(tags::EPOCH).map_or(Ok(0), u32::try_from).map_err(|_| Error::Tag {
            tag: tags::EPOCH.number,
            name: tags::EPOCH.name,
            why: "it is above 4294967295".into(),
        })?,
        version: required_name(header, tags::VERSION)?,
        release: required_name(header, tags::RELEASE)?,
    };
    let arch = if source { Arch::new("src") } else { Arch::new(required_name(header, tags::ARCH)?) };
    Nevra::new(required_name(header, tags::NAME)?, evr, arch).map_err(Error::Name)
}

/// Says whether this is a source package, also of those so old that neither tag is there.
///
/// # Errors
///
/// The two tags contradict each other: rpm goes by the one and createrepo_c by the other.
pub(crate) fn is_source(header: &Header) -> Result<bool, Error> {
    if header.has(tags::SOURCE_PACKAGE) || header.has(tags::SOURCE_RPM) {
        let says_so = header.number(tags::SOURCE_PACKAGE).unwrap_or(0) != 0;
        if says_so != header.has(tags::SOURCE_RPM) {
            return Ok(says_so);
        }
        let (tag, source) = (tags::SOURCE_PACKAGE, tags::SOURCE_RPM);
        let is_there = if says_so { "there" } else { "missing" };
        let is = if says_so { "is" } else { "is not" };
        let why = format!(
            "it says this {is} a source package, and tag `{}` ({}) is {is_there}",
            source.number, source.name
        );
        return Err(Error::Tag { tag: tag.number, name: tag.name, why });
    }
    // All files of a source package lie in one directory without a name.
    let directories = header.texts(tags::DIRECTORY_NAMES);
    if directories.len() == 1 {
        return Ok(header.text(tags::DIRECTORY_NAMES) == Some(b""));
    }
    // Of whole paths, as of old, rpm looks at the first.
    Ok(header.text(tags::OLD_FILE_NAMES).is_some_and(|name| !name.starts_with(b"/")))
}

fn source_rpm_of(header: &Header, source: bool) -> Result<String, Error> {
    // rpm says so of binary packages that know neither their source nor what they are.
    if !source && !header.has(tags::SOURCE_PACKAGE) && !header.has(tags::SOURCE_RPM) {
        return Ok("(none)".into());
    }
    text_or_empty(header, tags::SOURCE_RPM)
}

/// Gives the size of the payload once decompressed, which rpm has moved about a good deal.
fn archive_size_of(head: &Head) -> u64 {
    let (header, signature) = (&head.header, &head.signature);
    signature
        .number(tags::LONG_ARCHIVE_SIZE)
        .or_else(|| header.number(tags::LONG_ARCHIVE_SIZE))
        .or_else(|| header.number(tags::ARCHIVE_SIZE))
        .or_else(|| signature.number(tags::signature::ARCHIVE_SIZE))
        .unwrap_or(0)
}

fn seconds(number: Option<u64>) -> i64 {
    number.and_then(|number| i64::try_from(number).ok()).unwrap_or(0)
}

/// Refuses a list that is not as long as the one it belongs to.
fn check_length(tag: Tag, length: usize, of: Tag, expected: usize) -> Result<(), Error> {
    if length == expected {
        return Ok(());
    }
    let why = format!("it has {length} values, tag `{}` ({}) has {expected}", of.number, of.name);
    Err(Error::Tag { tag: tag.number, name: tag.name, why })
}

#[cfg(test)]
mod tests;
