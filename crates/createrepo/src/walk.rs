//! Which files below a directory are packages, and in which order they are listed.

use std::collections::VecDeque;

use camino::{Utf8Path, Utf8PathBuf};
use store::{Disk, Kind, State};

use crate::{Error, Excludes, Unreadable};

/// How many links are followed one after another, as on Linux.
const LINKS_FOLLOWED: usize = 40;

/// What becomes of symlinks to packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// They are listed, wherever they lead.
    #[default]
    Listed,
    /// They are passed over.
    Skipped,
}

/// What lies below a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The packages, relative to the directory, in the order in which createrepo_c lists them.
    pub hrefs: Vec<Utf8PathBuf>,
    /// What looks like a package or a directory and cannot be walked into or named in metadata.
    pub unreadable: Vec<Unreadable>,
    /// What may be a directory, or anything else, and has a name that cannot be opened here.
    pub doubtful: Vec<Unreadable>,
}

/// Lists what is named `*.rpm` below `dir`, sorted by file name, and by directory where names are equal.
///
/// As createrepo_c does it, symlinks are followed, to files wherever they lead (a farm of links to a pool is an
/// ordinary repository) and to directories; but a link that leads back to a directory it stands in is named
/// once instead of forty times. Nothing is opened here. A file called `*.rpm` need not be a package.
///
/// # Errors
///
/// `dir` itself cannot be listed. What cannot be listed below is handed back in [`Found::unreadable`].
pub fn packages_below(
    disk: &dyn Disk,
    dir: &Utf8Path,
    excludes: &Excludes,
    links: Links,
) -> Result<Found, Error> {
    let mut found = Found::default();
    let top = Folder { place: Utf8PathBuf::new(), chain: vec![identity(disk, &resolved(disk, dir)?)?] };
    disk.list(&resolved(disk, dir)?)?;
    let mut waiting = VecDeque::from([top]);
    while let Some(folder) = waiting.pop_front() {
        let place = folder.place.clone();
        match look_into(disk, dir, &folder, excludes, links, &mut found) {
            Ok(below) => waiting.extend(below),
            Err(error) => found.unreadable.push(unreadable(place.as_str(), &error)),
        }
    }
    found.hrefs.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
    Ok(found)
}

/// Takes packages by name instead of looking for them, and sorts them alike. Nothing is looked at here.
///
/// What is named by a path that leads out of `dir` is handed back in [`Found::unreadable`].
pub(crate) fn named(dir: &Utf8Path, names: &[String], excludes: &Excludes) -> Found {
    let mut found = Found::default();
    for name in names {
        let path = Utf8Path::new(name);
        // A path that begins with the directory means the same as what follows.
        let inside = path.strip_prefix(dir).unwrap_or(path);
        let place: Utf8PathBuf = inside.components().filter(|part| part.as_str() != ".").collect();
        if !repo::is_inside(place.as_str()) || name.chars().any(char::is_control) {
            let why = format!("failed to list it: a place below `{dir}` is wanted");
            found.unreadable.push(Unreadable { place: shown(name), why });
        } else if !excludes.exclude(place.as_str()) {
            found.hrefs.push(place);
        }
    }
    found.hrefs.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
    found.hrefs.dedup();
    found
}

/// What packages are sorted by.
pub(crate) fn sort_key(href: &Utf8Path) -> (&str, &str) {
    (href.file_name().unwrap_or_default(), href.parent().map_or("", Utf8Path::as_str))
}

/// A directory, and what it and those it lies in are: a link back to one of them is a loop.
struct Folder {
    place: Utf8PathBuf,
    chain: Vec<Identity>,
}

/// What tells directories apart. The number of an inode alone does not where several file systems meet.
type Identity = (u64, i64, u32, u32, u32);

fn look_into(
    disk: &dyn Disk,
    dir: &Utf8Path,
    folder: &Folder,
    excludes: &Excludes,
    links: Links,
    found: &mut Found,
) -> Result<Vec<Folder>, Error> {
    let path = resolved(disk, &dir.join(&folder.place))?;
    let names = disk.list(&path)?;
    for odd in names.odd {
        let place = shown(folder.place.join(&odd).as_str());
        if odd.ends_with(".rpm") {
            let why =
                "failed to list it: its name is not UTF-8, and metadata can hold nothing else".to_owned();
            found.unreadable.push(Unreadable { place, why });
        } else {
            let why = "failed to look into it, should it be a directory: its name is not UTF-8".to_owned();
            found.doubtful.push(Unreadable { place, why });
        }
    }
    let mut below = Vec::new();
    for name in names.names {
        let place = folder.place.join(&name);
        if name.ends_with(".rpm") {
            if links == Links::Skipped && is_link(disk, &path.join(&name))? {
                continue;
            }
            match () {
                () if excludes.exclude(place.as_str()) => {}
                () if name.chars().any(char::is_control) => {
                    let why =
                        "failed to list it: its name holds a control character, which no address can carry";
                    found.unreadable.push(Unreadable { place: shown(place.as_str()), why: why.to_owned() });
                }
                () => found.hrefs.push(place),
            }
            continue;
        }
        match directory_at(disk, &path.join(&name)) {
            Ok(Some(identity)) if folder.chain.contains(&identity) => {
                let why = "failed to walk into it: it leads back to a directory it stands in".to_owned();
                found.unreadable.push(Unreadable { place: shown(place.as_str()), why });
            }
            Ok(Some(identity)) => {
                let chain = folder.chain.iter().copied().chain([identity]).collect();
                below.push(Folder { place, chain });
            }
            Ok(None) => {}
            Err(error) => found.unreadable.push(unreadable(place.as_str(), &error)),
        }
    }
    Ok(below)
}

fn is_link(disk: &dyn Disk, path: &Utf8Path) -> Result<bool, Error> {
    Ok(disk.state(path)?.is_some_and(|state| state.kind == Kind::Link))
}

/// Says which directory a name leads to, if it leads to one.
fn directory_at(disk: &dyn Disk, path: &Utf8Path) -> Result<Option<Identity>, Error> {
    let state = match disk.state(path)? {
        Some(state) if state.kind == Kind::Link => match resolved(disk, path) {
            Ok(target) => disk.state(&target)?,
            // It dangles, or goes round in circles: no directory.
            Err(_) => None,
        },
        state => state,
    };
    Ok(state.filter(|state| state.kind == Kind::Directory).map(identity_of))
}

fn identity(disk: &dyn Disk, path: &Utf8Path) -> Result<Identity, Error> {
    match disk.state(path)? {
        Some(state) => Ok(identity_of(state)),
        None => Err(store::Error::disk("list", path, std::io::ErrorKind::NotFound).into()),
    }
}

fn identity_of(State { inode, modified, uid, gid, .. }: State) -> Identity {
    (inode, modified.seconds, modified.nanoseconds, uid, gid)
}

/// Follows the links in the last component of `path`, for the disk itself follows none there.
pub(crate) fn resolved(disk: &dyn Disk, path: &Utf8Path) -> Result<Utf8PathBuf, Error> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_FOLLOWED {
        if path.file_name().is_none() || !is_link(disk, &path)? {
            return Ok(path);
        }
        let target = disk.read_link(&path)?;
        path = path.parent().unwrap_or(&path).join(target);
    }
    let cause = std::io::Error::other(format!("it leads over more than {LINKS_FOLLOWED} links"));
    Err(store::Error::disk("follow", path, cause).into())
}

pub(crate) fn unreadable(place: &str, error: &Error) -> Unreadable {
    Unreadable { place: shown(place), why: error.to_string().escape_debug().to_string().replace("\\'", "'") }
}

/// Shows a name on one line, whatever is in it.
pub(crate) fn shown(place: &str) -> String {
    place.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests;
