//! A package as the three files list it, byte for byte as createrepo_c 0.17.3 writes it.

use std::borrow::Borrow;
use std::fmt;
use std::io::Write;
use std::ops::{Deref, Range};
use std::sync::Arc;

use nevra::{Digest, Nevra};

use crate::characters::{escape_attribute, escape_text};
use crate::package::{Changelog, FileKind, Package, Relation};

/// What primary, filelists and other say about one package: `<package ...>` to `</package>`, each with
/// the newline behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragments {
    /// What the solver needs.
    pub primary: Slice,
    /// Every file.
    pub filelists: Slice,
    /// The changelog.
    pub other: Slice,
}

/// Bytes that are a part of a larger buffer, which lives as long as any part of it.
///
/// Cloning copies no bytes. Two slices are equal if their bytes are.
#[derive(Clone)]
pub struct Slice {
    buffer: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Slice {
    /// Takes a part of a buffer; what lies outside of it is cut off.
    pub(crate) fn of(buffer: &Arc<Vec<u8>>, range: Range<usize>) -> Self {
        let end = range.end.min(buffer.len());
        Self { buffer: Arc::clone(buffer), range: range.start.min(end)..end }
    }

    /// Gives a part of it; what lies outside of it is cut off.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        let end = self.range.end.min(self.range.start.saturating_add(range.end));
        let start = end.min(self.range.start.saturating_add(range.start));
        Self { buffer: Arc::clone(&self.buffer), range: start..end }
    }

    /// Takes in what lies behind it in the same buffer, if that is the next slice; says whether it is.
    pub(crate) fn takes_in(&mut self, next: &Self) -> bool {
        let is_next = self.shares_with(next) && self.range.end == next.range.start;
        if is_next {
            self.range.end = next.range.end;
        }
        is_next
    }

    /// Says whether two slices are parts of one buffer.
    #[must_use]
    pub fn shares_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.buffer, &other.buffer)
    }
}

impl From<Vec<u8>> for Slice {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self { buffer: Arc::new(bytes), range }
    }
}

impl Deref for Slice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[self.range.clone()]
    }
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Slice {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Slice {}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slice({:?})", String::from_utf8_lossy(self))
    }
}

/// Writes what the three files say about a package.
///
/// A character that XML cannot carry is left out; a [`Package`] read from an RPM or from metadata has none.
#[must_use]
pub fn fragments_of(package: &Package) -> Fragments {
    Fragments {
        primary: primary_of(package).into(),
        filelists: filelists_of(package).into(),
        other: other_of(package).into(),
    }
}

/// What filelists and other say of a package before the first file or change is hardly longer, in bytes.
const BEGIN: usize = 320;
/// A file without its path is hardly longer.
const FILE_ELEMENT: usize = 24;
/// A change without author and text is hardly longer, some escaped characters included.
const CHANGE_ELEMENT: usize = 80;
/// A dependency is hardly longer on average, and a package without dependencies and texts.
const ENTRY_ELEMENT: usize = 96;
const PRIMARY: usize = 1400;

/// Estimates how long a fragment of primary becomes: room that grows is copied each time.
fn primary_size(package: &Package) -> usize {
    let entries = [&package.provides, &package.requires, &package.conflicts, &package.obsoletes]
        .into_iter()
        .chain([&package.suggests, &package.enhances, &package.recommends, &package.supplements])
        .map(Vec::len)
        .sum::<usize>();
    let files = package.files.iter().filter(|file| file.is_primary());
    let files: usize = files.map(|file| file.path.len() + FILE_ELEMENT).sum();
    PRIMARY + package.summary.len() + package.description.len() + entries * ENTRY_ELEMENT + files
}

fn primary_of(package: &Package) -> Vec<u8> {
    let mut out = Vec::with_capacity(primary_size(package));
    let nevra = &package.nevra;
    out.extend_from_slice(b"<package type=\"rpm\">\n");
    text_element(&mut out, "  ", "name", &nevra.name);
    text_element(&mut out, "  ", "arch", nevra.arch.as_str());
    version_element(&mut out, nevra);
    out.extend_from_slice(b"  ");
    checksum_element(&mut out, &package.pkgid);
    out.extend_from_slice(b"</checksum>\n");
    text_element(&mut out, "  ", "summary", &package.summary);
    text_element(&mut out, "  ", "description", &package.description);
    text_element(&mut out, "  ", "packager", &package.packager);
    text_element(&mut out, "  ", "url", &package.url);
    line(&mut out, format_args!("  <time file=\"{}\" build=\"{}\"/>", package.time_file, package.time_build));
    line(
        &mut out,
        format_args!(
            "  <size package=\"{}\" installed=\"{}\" archive=\"{}\"/>",
            package.size_package, package.size_installed, package.size_archive
        ),
    );
    out.extend_from_slice(b"  ");
    location_element(&mut out, &package.href, None);
    out.extend_from_slice(b"\n  <format>\n");
    text_element(&mut out, "    ", "rpm:license", &package.license);
    text_element(&mut out, "    ", "rpm:vendor", &package.vendor);
    text_element(&mut out, "    ", "rpm:group", &package.group);
    text_element(&mut out, "    ", "rpm:buildhost", &package.build_host);
    text_element(&mut out, "    ", "rpm:sourcerpm", &package.source_rpm);
    line(
        &mut out,
        format_args!(
            "    <rpm:header-range start=\"{}\" end=\"{}\"/>",
            package.header_start, package.header_end
        ),
    );
    relations(&mut out, "rpm:provides", &package.provides);
    relations(&mut out, "rpm:requires", &package.requires);
    relations(&mut out, "rpm:conflicts", &package.conflicts);
    relations(&mut out, "rpm:obsoletes", &package.obsoletes);
    relations(&mut out, "rpm:suggests", &package.suggests);
    relations(&mut out, "rpm:enhances", &package.enhances);
    relations(&mut out, "rpm:recommends", &package.recommends);
    relations(&mut out, "rpm:supplements", &package.supplements);
    for file in package.files.iter().filter(|file| file.is_primary()) {
        file_element(&mut out, "    ", &file.path, file.kind);
    }
    out.extend_from_slice(b"  </format>\n</package>\n");
    out
}

fn filelists_of(package: &Package) -> Vec<u8> {
    let paths: usize = package.files.iter().map(|file| file.path.len() + FILE_ELEMENT).sum();
    let mut out = Vec::with_capacity(BEGIN + paths);
    begin(&mut out, package);
    for file in &package.files {
        file_element(&mut out, "  ", &file.path, file.kind);
    }
    out.extend_from_slice(b"</package>\n");
    out
}

fn other_of(package: &Package) -> Vec<u8> {
    let change = |change: &Changelog| change.author.len() + change.text.len() + CHANGE_ELEMENT;
    let changes: usize = package.changelogs.iter().map(change).sum();
    let mut out = Vec::with_capacity(BEGIN + changes);
    begin(&mut out, package);
    for change in &package.changelogs {
        out.extend_from_slice(b"  <changelog author=\"");
        escape_attribute(&mut out, &change.author);
        let _ = write!(out, "\" date=\"{}\">", change.date);
        escape_text(&mut out, &change.text);
        out.extend_from_slice(b"</changelog>\n");
    }
    out.extend_from_slice(b"</package>\n");
    out
}

/// Writes what filelists and other begin a package with.
fn begin(out: &mut Vec<u8>, package: &Package) {
    let _ = write!(out, "<package pkgid=\"{}\"", package.pkgid.hex);
    attribute(out, "name", &package.nevra.name);
    attribute(out, "arch", package.nevra.arch.as_str());
    out.extend_from_slice(b">\n");
    version_element(out, &package.nevra);
}

/// Writes what names the package, without indentation, end tag or newline.
pub(crate) fn checksum_element(out: &mut Vec<u8>, pkgid: &Digest) {
    let _ = write!(out, "<checksum type=\"{}\" pkgid=\"YES\">{}", pkgid.algorithm, pkgid.hex);
}

/// Writes where the package lies, as an element without indentation or newline.
pub(crate) fn location_element(out: &mut Vec<u8>, href: &str, base: Option<&str>) {
    out.extend_from_slice(b"<location");
    if let Some(base) = base {
        attribute(out, "xml:base", base);
    }
    attribute(out, "href", href);
    out.extend_from_slice(b"/>");
}

fn version_element(out: &mut Vec<u8>, nevra: &Nevra) {
    let _ = write!(out, "  <version epoch=\"{}\"", nevra.evr.epoch);
    attribute(out, "ver", &nevra.evr.version);
    attribute(out, "rel", &nevra.evr.release);
    out.extend_from_slice(b"/>\n");
}

fn relations(out: &mut Vec<u8>, name: &str, relations: &[Relation]) {
    if relations.is_empty() {
        return;
    }
    line(out, format_args!("    <{name}>"));
    for relation in relations.iter().filter(|relation| !relation.name.is_empty()) {
        out.extend_from_slice(b"      <rpm:entry");
        attribute(out, "name", &relation.name);
        if let Some(flags) = relation.flags {
            attribute(out, "flags", flags);
            let parts = [("epoch", &relation.epoch), ("ver", &relation.version), ("rel", &relation.release)];
            for (key, value) in parts {
                if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                    attribute(out, key, value);
                }
            }
        }
        if relation.pre && name == "rpm:requires" {
            attribute(out, "pre", "1");
        }
        out.extend_from_slice(b"/>\n");
    }
    line(out, format_args!("    </{name}>"));
}

fn file_element(out: &mut Vec<u8>, indent: &str, path: &str, kind: FileKind) {
    out.extend_from_slice(indent.as_bytes());
    out.extend_from_slice(match kind {
        FileKind::File => b"<file>",
        FileKind::Directory => b"<file type=\"dir\">",
        FileKind::Ghost => b"<file type=\"ghost\">",
    });
    escape_text(out, path);
    out.extend_from_slice(b"</file>\n");
}

pub(crate) fn text_element(out: &mut Vec<u8>, indent: &str, name: &str, text: &str) {
    for part in [indent, "<", name, ">"] {
        out.extend_from_slice(part.as_bytes());
    }
    escape_text(out, text);
    for part in ["</", name, ">\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

pub(crate) fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    for part in [" ", name, "=\""] {
        out.extend_from_slice(part.as_bytes());
    }
    escape_attribute(out, value);
    out.push(b'"');
}

fn line(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
    out.push(b'\n');
}

#[cfg(test)]
mod tests;
