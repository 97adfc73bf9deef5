//! The files of a package: as a cpio archive, and as tags.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::assembly::number;
use super::header::Writer;
use crate::tags;

const SPEC_FILE: u32 = 1 << 5;

/// Configuration that an upgrade does not replace.
pub(super) const CONFIG_NOREPLACE: u32 = 1 | 1 << 4;
/// `%doc`.
pub(super) const DOCUMENTATION: u32 = 1 << 1;

/// One file or directory.
#[derive(Clone, Debug)]
pub(super) struct Member<'a> {
    path: &'a str,
    content: &'a [u8],
    mode: u16,
    flags: u32,
}

impl<'a> Member<'a> {
    pub(super) fn file(path: &'a str, content: &'a [u8], flags: u32) -> Self {
        let (directory, _) = split(path);
        let executable = directory.ends_with("bin/");
        Self { path, content, mode: if executable { 0o100_755 } else { 0o100_644 }, flags }
    }

    pub(super) fn directory(path: &'a str) -> Self {
        Self { path: path.trim_end_matches('/'), content: &[], mode: 0o040_755, flags: 0 }
    }

    fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

/// All files of a package, packed.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    members: Vec<Member<'a>>,
    source: bool,
    /// The archive, not compressed.
    pub(super) bytes: Vec<u8>,
    /// The bytes of all contents.
    pub(super) installed: usize,
}

impl<'a> Archive<'a> {
    /// Packs the files in the order of their paths, where rpm looks for them by halving.
    pub(super) fn new(mut members: Vec<Member<'a>>, time: u32, source: bool) -> Self {
        members.sort_by_key(|member| member.path);
        let mut bytes = Vec::new();
        for (place, member) in members.iter().enumerate() {
            let prefix = if source { "" } else { "." };
            let name = format!("{prefix}{}", member.path);
            append(&mut bytes, &name, [place + 1, member.mode.into(), 1, time as usize], member.content);
        }
        append(&mut bytes, "TRAILER!!!", [0, 0, 1, 0], &[]);
        let installed = members.iter().map(|member| member.content.len()).sum();
        Self { members, source, bytes, installed }
    }

    /// Writes the tags that describe the files; none if there are no files.
    pub(super) fn write_files(&self, header: &mut Writer, time: u32) {
        let all = &self.members;
        let mut directories: Vec<&str> = Vec::new();
        let mut indexes = Vec::new();
        for member in all {
            let (directory, _) = split(member.path);
            if directories.last() != Some(&directory) {
                // Sorting by path can come back to a directory: `/a/b`, `/a/b/c`, `/a/d`.
                if let Some(known) = directories.iter().position(|known| *known == directory) {
                    indexes.push(number(known));
                    continue;
                }
                directories.push(directory);
            }
            indexes.push(number(directories.len() - 1));
        }
        let digests = all
            .iter()
            .map(|m| if m.is_file() { nevra::to_hex(&Sha256::digest(m.content)) } else { String::new() });
        header.numbers(tags::FILE_SIZES, all.iter().map(|member| number(member.content.len())));
        header.small_numbers(tags::FILE_MODES, all.iter().map(|member| member.mode));
        header.small_numbers(tags::FILE_DEVICE_NUMBERS, all.iter().map(|_| 0));
        header.numbers(tags::FILE_TIMES, all.iter().map(|_| time));
        header.texts(tags::FILE_DIGESTS, digests);
        header.texts(tags::FILE_LINKS, all.iter().map(|_| ""));
        header.numbers(tags::FILE_FLAGS, all.iter().map(|member| self.flags(member)));
        header.texts(tags::FILE_USERS, all.iter().map(|_| "root"));
        header.texts(tags::FILE_GROUPS, all.iter().map(|_| "root"));
        header.numbers(tags::FILE_VERIFY_FLAGS, all.iter().map(|_| u32::MAX));
        header.numbers(tags::FILE_DEVICES, all.iter().map(|_| 1));
        header.numbers(tags::FILE_INODES, (1..).take(all.len()));
        header.texts(tags::FILE_LANGUAGES, all.iter().map(|_| ""));
        header.numbers(tags::DIRECTORY_INDEXES, indexes);
        header.texts(tags::BASE_NAMES, all.iter().map(|member| split(member.path).1));
        header.texts(tags::DIRECTORY_NAMES, directories);
        header.numbers(tags::FILE_DIGEST_ALGORITHM, (!all.is_empty()).then_some(8));
    }

    fn flags(&self, member: &Member<'_>) -> u32 {
        match member {
            Member { flags: 0, .. } if self.source && member.path.ends_with(".spec") => SPEC_FILE,
            _ => member.flags,
        }
    }
}

/// Splits behind the last `/`.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

/// Appends one member in the format cpio calls `newc`.
fn append(archive: &mut Vec<u8>, name: &str, [inode, mode, links, time]: [usize; 4], content: &[u8]) {
    let numbers = [inode, mode, 0, 0, links, time, content.len(), 0, 0, 0, 0, name.len() + 1, 0];
    let mut intro = String::from("070701");
    for number in numbers {
        write!(intro, "{number:08x}").expect("a String takes whatever is written to it");
    }
    archive.extend([intro.as_bytes(), name.as_bytes(), b"\0"].concat());
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(4), 0);
}
