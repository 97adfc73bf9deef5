//! What the files of a package are, beyond their paths: what rpm compares where two packages bring one path.

use super::check_length;
use super::files::{GHOST, TYPE_MASK, files_of};
use crate::Error;
use crate::head::{Head, Header};
use crate::tags::{self, Tag};

const REGULAR: u16 = 0o100_000;
const LINK: u16 = 0o120_000;
const DEVICES: [u16; 2] = [0o020_000, 0o060_000];

/// One file of a package as its header tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substance {
    /// Its absolute path.
    pub path: String,
    /// Type and permissions.
    pub mode: u16,
    /// The owner's name.
    pub user: String,
    /// The group's name.
    pub group: String,
    /// The size in bytes.
    pub size: u64,
    /// The digest of a regular file with the number of its algorithm in front, the target of a link, the number of a
    /// device; else empty. Two texts are the same where the bytes they stand for are.
    pub text: String,
    /// The word size of a binary as rpm counts it: 1 for 32 bit, 2 for 64 bit, 0 for what is none.
    pub colour: u8,
    /// Whether the file is owned and not brought.
    pub ghost: bool,
}

/// Describes those files of a package that are `wanted` by their path, in the order of the header.
///
/// # Errors
///
/// Lists that belong together have different lengths; a path is longer than 4,096 bytes or holds a control character.
pub fn substances_of(head: &Head, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Substance>, Error> {
    let header = &head.header;
    let files = files_of(header)?;
    let count = files.len();
    let modes = numbers(header, tags::FILE_MODES, count)?;
    let flags = numbers(header, tags::FILE_FLAGS, count)?;
    let sizes = match header.has(tags::LONG_FILE_SIZES) {
        true => numbers(header, tags::LONG_FILE_SIZES, count)?,
        false => numbers(header, tags::FILE_SIZES, count)?,
    };
    let (colours, devices) =
        (numbers(header, tags::FILE_COLOURS, count)?, numbers(header, tags::FILE_DEVICE_NUMBERS, count)?);
    let (users, groups) = (texts(header, tags::FILE_USERS, count)?, texts(header, tags::FILE_GROUPS, count)?);
    let (digests, links) =
        (texts(header, tags::FILE_DIGESTS, count)?, texts(header, tags::FILE_LINKS, count)?);
    // Packages from before there was a choice have MD5.
    let algorithm = header.number(tags::FILE_DIGEST_ALGORITHM).unwrap_or(1);
    let number = |all: &[u64], at: usize| all.get(at).copied().unwrap_or(0);
    let text = |all: &[&[u8]], at: usize| all.get(at).copied().unwrap_or_default().escape_ascii().to_string();
    let chosen = files.into_iter().enumerate().filter(|(_, file)| wanted(&file.path));
    Ok(chosen
        .map(|(at, file)| {
            let mode = number(&modes, at) as u16;
            let what = mode & TYPE_MASK as u16;
            Substance {
                path: file.path,
                mode,
                user: text(&users, at),
                group: text(&groups, at),
                size: number(&sizes, at),
                text: match what {
                    REGULAR => format!("{algorithm}:{}", text(&digests, at)),
                    LINK => text(&links, at),
                    what if DEVICES.contains(&what) => number(&devices, at).to_string(),
                    _ => String::new(),
                },
                colour: (number(&colours, at) & 3) as u8,
                ghost: number(&flags, at) & GHOST != 0,
            }
        })
        .collect())
}

/// Gives the numbers of a tag, one for each file; none where the tag is not there.
fn numbers(header: &Header, tag: Tag, count: usize) -> Result<Vec<u64>, Error> {
    let all: Vec<u64> = header.numbers(tag).collect();
    fitting(header, tag, all, count)
}

/// Gives the texts of a tag in the same way.
fn texts(header: &Header, tag: Tag, count: usize) -> Result<Vec<&[u8]>, Error> {
    let all: Vec<&[u8]> = header.texts(tag).collect();
    fitting(header, tag, all, count)
}

fn fitting<T>(header: &Header, tag: Tag, all: Vec<T>, count: usize) -> Result<Vec<T>, Error> {
    if header.has(tag) {
        check_length(tag, all.len(), tags::BASE_NAMES, count)?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Recipe, read_head};

    #[test]
    fn only_what_is_wanted_is_told_and_bytes_tell_files_apart() {
        let rpm = |text: &str| {
            Recipe::new("a", "1", "1")
                .file("/usr/bin/a", text)
                .file("/b", "b")
                .directory("/usr/share/a")
                .build()
        };
        let of = |text: &str| {
            let head = read_head(&mut rpm(text).as_slice()).unwrap();
            substances_of(&head, &|path| path.starts_with("/usr")).unwrap()
        };
        let found = of("text");
        let shown: Vec<String> = found
            .iter()
            .map(|one| {
                let Substance { path, mode, user, group, size, colour, ghost, .. } = one;
                format!("{path} {mode:o} {user}:{group} {size} {colour} {ghost}")
            })
            .collect();
        assert_eq!(shown.len(), 2, "{shown:?}");
        assert!(shown.contains(&"/usr/bin/a 100755 root:root 4 0 false".to_owned()), "{shown:?}");
        assert_eq!(found, of("text"));
        assert_ne!(found, of("test"));
    }
}
