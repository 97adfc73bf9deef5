//! The files of a package.

use super::check_length;
use super::text::{own_text_of, text_of};
use crate::head::{Head, Header};
use crate::tags::{self, Tag};
use crate::{Error, File, FileKind};

/// The longest path Linux takes.
const PATH_MAX: usize = 4096;
/// The most bytes all paths together may have: few names of directories make many paths.
const PATHS_MAX: usize = 256 << 20;

pub(super) const TYPE_MASK: u64 = 0o170_000;
const DIRECTORY: u64 = 0o040_000;
pub(super) const GHOST: u64 = 1 << 6;

/// Lists the files in the order of the header.
pub(super) fn files_of(header: &Header) -> Result<Vec<File>, Error> {
    let paths = if header.has(tags::BASE_NAMES) { paths_of(header)? } else { old_paths_of(header)? };
    let names = if header.has(tags::BASE_NAMES) { tags::BASE_NAMES } else { tags::OLD_FILE_NAMES };
    let (modes, flags) = (header.numbers(tags::FILE_MODES), header.numbers(tags::FILE_FLAGS));
    check_length(tags::FILE_MODES, modes.len(), names, paths.len())?;
    check_length(tags::FILE_FLAGS, flags.len(), names, paths.len())?;
    let kinds = modes.zip(flags).map(|(mode, flags)| {
        if mode & TYPE_MASK == DIRECTORY {
            FileKind::Directory
        } else if flags & GHOST != 0 {
            FileKind::Ghost
        } else {
            FileKind::File
        }
    });
    Ok(paths.into_iter().zip(kinds).map(|(path, kind)| File { path, kind }).collect())
}

/// Lists the files of a package in the order of the header, each with its flags as rpm numbers them.
///
/// # Errors
///
/// Lists that belong together have different lengths; a path is longer than 4,096 bytes or holds a control character.
pub fn flagged_files_of(head: &Head) -> Result<Vec<(File, u32)>, Error> {
    let files = files_of(&head.header)?;
    Ok(files.into_iter().zip(head.header.numbers(tags::FILE_FLAGS).map(|flags| flags as u32)).collect())
}

/// Joins names of directories and names in them.
fn paths_of(header: &Header) -> Result<Vec<String>, Error> {
    let names = header.texts(tags::BASE_NAMES);
    let indexes = header.numbers(tags::DIRECTORY_INDEXES);
    check_length(tags::DIRECTORY_INDEXES, indexes.len(), tags::BASE_NAMES, names.len())?;
    let directories: Vec<&[u8]> = header.texts(tags::DIRECTORY_NAMES).collect();
    // Seen at once for all of them; path by path it would cost more than to join them.
    let are_plain = header.is_plain(tags::BASE_NAMES) && header.is_plain(tags::DIRECTORY_NAMES);
    let mut total = 0;
    let mut paths = Vec::with_capacity(names.len());
    for (name, index) in names.zip(indexes) {
        let directory =
            usize::try_from(index).ok().and_then(|index| directories.get(index)).ok_or_else(|| {
                let why = format!("it names directory {index} of {}", directories.len());
                Error::Tag { tag: tags::DIRECTORY_INDEXES.number, name: tags::DIRECTORY_INDEXES.name, why }
            })?;
        let length = directory.len() + name.len();
        total += length;
        check_paths(tags::BASE_NAMES, length, total)?;
        let path = [directory, name].concat();
        paths.push(if are_plain {
            String::from_utf8(path).expect("it is ASCII")
        } else {
            own_text_of(tags::BASE_NAMES, path)?
        });
    }
    Ok(paths)
}

/// Takes whole paths, as packages had them before rpm 4.
fn old_paths_of(header: &Header) -> Result<Vec<String>, Error> {
    let tag = tags::OLD_FILE_NAMES;
    header
        .texts(tag)
        .map(|path| {
            check_paths(tag, path.len(), 0)?;
            text_of(tag, path)
        })
        .collect()
}

fn check_paths(tag: Tag, length: usize, total: usize) -> Result<(), Error> {
    let why = if length > PATH_MAX {
        format!("a path has {length} bytes, {PATH_MAX} are allowed")
    } else if total > PATHS_MAX {
        format!("all paths together have more than {PATHS_MAX} bytes")
    } else {
        return Ok(());
    };
    Err(Error::Tag { tag: tag.number, name: tag.name, why })
}
