//! The folder of an existing repository: hrefs lead to files within it, or nowhere.

use std::collections::VecDeque;

use camino::{Utf8Path, Utf8PathBuf};
use plan::{Code, Refusal};
use store::{Disk, Kind, Reading};

use crate::arrivals::Stopped;

/// How many symlinks one href may pass.
const LINKS_MAX: usize = 40;

/// A folder that holds a repository.
#[derive(Debug)]
pub(crate) struct Folder<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) top: Utf8PathBuf,
}

/// A file of the folder.
pub(crate) struct Found {
    /// Its place, without symlinks.
    pub(crate) path: Utf8PathBuf,
    /// The href it answers under, below the folder.
    pub(crate) href: String,
    pub(crate) file: Box<dyn Reading>,
    pub(crate) state: store::State,
}

impl<'a> Folder<'a> {
    /// Looks whether the daemon may enter it.
    pub(super) fn open(disk: &'a dyn Disk, top: &Utf8Path) -> Result<Self, Stopped> {
        match disk.list(top) {
            Ok(_) => Ok(Self { disk, top: top.to_owned() }),
            Err(error) => {
                let sentence = format!("the daemon could not read `{top}`: {error}");
                let hint = "it reads with the rights of its own user, and sees neither /home nor /tmp where its unit \
                            says ProtectHome and PrivateTmp; a symlink is not followed, name what it leads to";
                Err(Stopped::Refused(Refusal::new(Code::FolderNotReadable, sentence).hint(hint)))
            }
        }
    }

    /// Opens the file at `href`, which `said_by` names. An href may be written as in a URL, with `%2B` for `+`.
    pub(crate) fn find(&self, href: &str, said_by: &str) -> Result<Found, Refusal> {
        let decoded = decoded(href).filter(|decoded| decoded != href);
        for href in [Some(href.to_owned()), decoded].into_iter().flatten() {
            if !repo::is_inside(&href) {
                return Err(self.outside(&href, said_by));
            }
            if let Some(path) = self.resolved(&href, said_by)? {
                let opened = self.disk.open(&path).and_then(|file| Ok((file.state()?, file)));
                let (state, file) = opened.map_err(|error| {
                    let sentence = format!("the daemon could not read `{path}`: {error}");
                    Refusal::new(Code::FolderNotReadable, sentence).hint("chmod go+rX it")
                })?;
                return Ok(Found { path, href, file, state });
            }
        }
        let sentence = format!("{said_by} names `{href}`, which is not in `{}`", self.top);
        Err(Refusal::new(Code::MissingFile, sentence).hint("copy what is missing, or make the metadata anew"))
    }

    pub(super) fn outside(&self, href: &str, said_by: &str) -> Refusal {
        let href: String = href.escape_debug().take(300).collect();
        let sentence = format!("{said_by} names `{href}`, which lies outside of `{}`", self.top);
        let hint = "a repository is adopted with all its files below one folder, without links that lead out";
        Refusal::new(Code::HrefOutside, sentence).hint(hint)
    }

    /// Follows an href down, through symlinks as long as they stay inside; `None` if nothing is there.
    fn resolved(&self, href: &str, said_by: &str) -> Result<Option<Utf8PathBuf>, Refusal> {
        let mut pending: VecDeque<String> = href.split('/').map(str::to_owned).collect();
        let mut at: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = pending.pop_front() {
            match part.as_str() {
                "" | "." => continue,
                ".." => match at.pop() {
                    Some(_) => continue,
                    None => return Err(self.outside(href, said_by)),
                },
                _ => {}
            }
            let path = self.top.join(at.join("/")).join(&part);
            let state = self.disk.state(&path).map_err(|error| {
                Refusal::new(
                    Code::FolderNotReadable,
                    format!("the daemon could not look at `{path}`: {error}"),
                )
            })?;
            match state.map(|state| state.kind) {
                None => return Ok(None),
                Some(Kind::Directory) => at.push(part),
                Some(Kind::Link) => {
                    links += 1;
                    let target = self.disk.read_link(&path).ok().filter(|_| links <= LINKS_MAX);
                    let Some(target) = target else { return Err(self.outside(href, said_by)) };
                    let target =
                        match (target.starts_with('/'), Utf8Path::new(&target).strip_prefix(&self.top)) {
                            (false, _) => target,
                            (true, Ok(inside)) => {
                                at.clear();
                                inside.to_string()
                            }
                            (true, Err(_)) => return Err(self.outside(href, said_by)),
                        };
                    target.split('/').rev().for_each(|part| pending.push_front(part.to_owned()));
                }
                Some(Kind::File) if pending.is_empty() => return Ok(Some(path)),
                Some(Kind::File | Kind::Other) => return Ok(None),
            }
        }
        Ok(None)
    }
}

/// Reads `%41` as `A`; `None` where that gives no text.
fn decoded(href: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hrefs_are_read_as_urls() {
        for (href, expected) in
            [("a%2Bb", "a+b"), ("%", "%"), ("a%2", "a%2"), ("%zz", "%zz"), ("%2e%2E/x", "../x")]
        {
            assert_eq!(decoded(href).as_deref(), Some(expected));
        }
        assert_eq!(decoded("%ff"), None);
        assert_eq!(decoded("a%00"), None);
    }
}
