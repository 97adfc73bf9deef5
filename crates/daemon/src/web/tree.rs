//! The exported tree as the kernel lets us see it: nothing outside `public/`, only regular files.
//!
//! Uses `rustix` directly, and reads only. It is not behind the store's `Disk`: serving needs
//! `openat2`, and what it reads was sealed before anything named it.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use camino::Utf8Path;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::address::{Address, Pin};
use super::precondition::Facts;

/// How many entries of a directory are listed at most; the rest is counted.
pub(crate) const LISTED_MAX: usize = 5_000;

/// How often a look-up is begun anew when renames elsewhere disturb it.
const ATTEMPTS_MAX: u32 = 500;

/// An open handle of the tree.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Below which everything lies that is sent: `public/`, or the root where it is for staff.
    top: OwnedFd,
    /// Whether it shows what is for staff in the current generation, rather than what is for the world.
    is_for_staff: bool,
}

/// What lies at an address.
#[derive(Debug)]
pub(crate) enum Found {
    /// A regular file, opened; `name` is its last path component (`index.html` for a directory).
    File {
        /// The opened file; later reads see this file whatever happens to its name.
        file: File,
        /// Its size, date and tag.
        facts: Facts,
        /// What its content type is judged by.
        name: String,
    },
    /// A directory without `index.html`.
    Directory(Listing),
    /// A directory, asked for as if it were a file.
    DirectoryWithoutSlash,
    /// Nothing, or nothing that is sent (a device, a link that leads out).
    Nothing,
    /// The generation is not there.
    NoSuchGeneration,
    /// Permissions of the file system forbid it.
    Forbidden,
    /// `current` is not there or names no generation.
    NoCurrent,
    /// Too many renames under way.
    Busy,
    /// The disk failed.
    Failed(io::Error),
}

/// What a directory holds.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// In the order of their names, at most [`LISTED_MAX`].
    pub entries: Vec<Entry>,
    /// How many more there are.
    pub omitted: usize,
}

/// One line of a listing.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its name, one path component.
    pub name: String,
    /// Its size in bytes; none for a directory.
    pub size: Option<u64>,
}

impl Tree {
    /// Opens `public`, and tries `openat2` once so that an old kernel is found out at the start.
    pub(crate) fn open(public: &Utf8Path) -> io::Result<Tree> {
        Tree::open_at(public, false)
    }

    /// Opens what is for staff below `root`: the candidates of the current generation, whose links lead into `public/`.
    pub(crate) fn open_for_staff(root: &Utf8Path) -> io::Result<Tree> {
        Tree::open_at(root, true)
    }

    fn open_at(top: &Utf8Path, is_for_staff: bool) -> io::Result<Tree> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let top = rustix::fs::openat(CWD, top.as_str(), flags, Mode::empty())?;
        let tree = Tree { top, is_for_staff };
        tree.open_beneath(".", OFlags::RDONLY | OFlags::DIRECTORY)?;
        Ok(tree)
    }

    /// Finds what lies at `address`. `current` or the name is read once.
    pub(crate) fn find(&self, address: &Address) -> Found {
        let base = match self.generation(&address.pin) {
            Ok(base) => base,
            Err(found) => return found,
        };
        let path = std::iter::once(base.as_str())
            .chain(address.segments.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join("/");
        let nothing = if address.segments.is_empty() { Found::NoSuchGeneration } else { Found::Nothing };
        let (opened, stat) = match self.open_and_stat(&path) {
            Ok(Some(opened)) => opened,
            Ok(None) => return nothing,
            Err(found) => return found,
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if !address.slash => {
                let name = address.segments.last().cloned().unwrap_or_default();
                file_found(opened, &stat, name)
            }
            FileType::Directory if !address.slash => Found::DirectoryWithoutSlash,
            FileType::Directory => self.directory(&path, opened),
            _ => Found::Nothing,
        }
    }

    /// The name of the generation's directory, `@42`.
    fn generation(&self, pin: &Pin) -> Result<String, Found> {
        if self.is_for_staff {
            return self.for_staff(pin);
        }
        let link = match pin {
            Pin::Number(number) => return Ok(format!("@{number}")),
            Pin::Current => "current".to_owned(),
            Pin::Name(name) => format!("@{name}"),
        };
        let absent = || if *pin == Pin::Current { Found::NoCurrent } else { Found::NoSuchGeneration };
        self.led_to(&link).and_then(|found| found.ok_or_else(absent))
    }

    /// Where the current generation has what is for staff; there are no others for them.
    fn for_staff(&self, pin: &Pin) -> Result<String, Found> {
        if *pin != Pin::Current {
            return Err(Found::NoSuchGeneration);
        }
        let current = self.led_to("public/current")?.ok_or(Found::NoCurrent)?;
        Ok(format!("generations/{}/staff", current.trim_start_matches('@')))
    }

    /// Reads which generation a link names, if it does.
    fn led_to(&self, link: &str) -> Result<Option<String>, Found> {
        match rustix::fs::readlinkat(&self.top, link, Vec::new()) {
            Ok(target) => Ok(target
                .to_str()
                .ok()
                .filter(|target| {
                    target.strip_prefix('@').is_some_and(|number| {
                        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
                    })
                })
                .map(str::to_owned)),
            Err(Errno::NOENT | Errno::INVAL | Errno::NAMETOOLONG) => Ok(None),
            Err(error) => Err(Found::Failed(error.into())),
        }
    }

    fn directory(&self, path: &str, opened: OwnedFd) -> Found {
        match self.open_and_stat(&format!("{path}/index.html")) {
            Ok(Some((index, stat))) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
                return file_found(index, &stat, "index.html".to_owned());
            }
            Ok(_) => {}
            Err(found) => return found,
        }
        match self.listing(path, &opened) {
            Ok(listing) => Found::Directory(listing),
            Err(error) => Found::Failed(error.into()),
        }
    }

    fn listing(&self, path: &str, opened: &OwnedFd) -> Result<Listing, Errno> {
        let mut names = Vec::new();
        for entry in Dir::read_from(opened)? {
            let entry = entry?;
            // A name that is no UTF-8 has no address here.
            if let Ok(name) = entry.file_name().to_str()
                && !name.starts_with('.')
            {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        let omitted = names.len().saturating_sub(LISTED_MAX);
        names.truncate(LISTED_MAX);
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            let Ok(mut stat) = rustix::fs::statat(opened, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) else {
                continue; // gone since it was read
            };
            if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
                // Only what a reader could reach is shown.
                match self.open_beneath(&format!("{path}/{name}"), OFlags::PATH).and_then(rustix::fs::fstat) {
                    Ok(target) => stat = target,
                    Err(_) => continue,
                }
            }
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {
                    entries.push(Entry { name, size: Some(u64::try_from(stat.st_size).unwrap_or(0)) });
                }
                FileType::Directory => entries.push(Entry { name, size: None }),
                _ => {}
            }
        }
        Ok(Listing { entries, omitted })
    }

    fn open_and_stat(&self, path: &str) -> Result<Option<(OwnedFd, Stat)>, Found> {
        // O_NONBLOCK: opening a FIFO must not wait for its other end.
        let opened = self
            .open_beneath(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)
            .and_then(|opened| rustix::fs::fstat(&opened).map(|stat| (opened, stat)));
        match opened {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::NXIO | Errno::NODEV) => Ok(None),
            Err(Errno::XDEV | Errno::LOOP) => {
                tracing::warn!(path, "a link in the exported tree leads out of it");
                Ok(None)
            }
            Err(Errno::ACCESS | Errno::PERM) => Err(Found::Forbidden),
            Err(Errno::AGAIN) => Err(Found::Busy),
            Err(error) => Err(Found::Failed(error.into())),
        }
    }

    /// Opens `path` with the kernel's promise that the walk never leaves the tree.
    ///
    /// The walk over the `..` of a `Packages` link fails with `EAGAIN` when anything on the machine is
    /// renamed meanwhile, because the kernel cannot vouch for it; it is begun anew then.
    fn open_beneath(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let mut attempt = 0;
        loop {
            match rustix::fs::openat2(&self.top, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) if attempt < ATTEMPTS_MAX => attempt += 1,
                answer => return answer,
            }
        }
    }
}

fn file_found(opened: OwnedFd, stat: &Stat, name: String) -> Found {
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    let facts = Facts::new(size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ino);
    Found::File { file: File::from(opened), facts, name }
}
