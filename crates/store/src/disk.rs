//! The few things the store asks of a disk, and what each of them promises.
//!
//! Everything durable in Sluice is built from these operations and nothing else, so a disk that forgets
//! what was not synced can stand in for the real one, and every crash can be rehearsed. All paths are
//! absolute. Every error says which operation failed on which path.
//!
//! *Durable* means: still there after the power was cut. A name is durable when the directory that holds
//! it was synced after the name was made; the bytes, mode and times of a file are durable when the file
//! was synced through the handle that wrote it. Nothing else is durable, though it may survive by luck.

use std::fmt::Debug;
use std::io::{Read, Seek, Write};
use std::os::fd::BorrowedFd;

use camino::Utf8Path;

use crate::Error;

/// A file system as the store sees it: names, bytes, and the two operations that make them durable.
///
/// Implementations must be usable from several threads. Nothing here retries: whoever calls decides.
pub trait Disk: Send + Sync + Debug {
    /// Creates the new file `path` with exactly `mode`, whatever the umask, and opens it for writing.
    ///
    /// Fails if anything has this name already, be it a dangling symlink. Nothing is durable before
    /// [`Writing::sync`], and the name not before [`Disk::sync_directory`] of the parent.
    fn create(&self, path: &Utf8Path, mode: u32) -> Result<Box<dyn Writing>, Error>;

    /// Creates the new file `to` with exactly `mode` and the contents of the regular file `from`, without copying
    /// its bytes: both share them until one is written to. `None`, with nothing created, where this disk cannot.
    ///
    /// What is durable when is as for [`Disk::create`]; the time of last modification is now.
    fn clone_file(
        &self,
        from: &Utf8Path,
        to: &Utf8Path,
        mode: u32,
    ) -> Result<Option<Box<dyn Writing>>, Error> {
        let _ = (from, to, mode);
        Ok(None)
    }

    /// Opens the regular file `path` so that every write lands at its end, creating it with `mode` if absent.
    ///
    /// Refuses symlinks and whatever is not a regular file ([`Error::NotRegular`]). The mode of a file that
    /// exists stays as it is.
    fn append(&self, path: &Utf8Path, mode: u32) -> Result<Box<dyn Writing>, Error>;

    /// Opens the regular file `path` for reading, following no symlink in the last component.
    ///
    /// Never blocks on a FIFO or a device: whatever is not a regular file is [`Error::NotRegular`].
    fn open(&self, path: &Utf8Path) -> Result<Box<dyn Reading>, Error>;

    /// Says what stands at `path` itself (a symlink is not followed), or `None` if nothing does.
    fn state(&self, path: &Utf8Path) -> Result<Option<State>, Error>;

    /// Lists the directory `dir`, without `.` and `..`; `dir` itself may not be a symlink.
    fn list(&self, dir: &Utf8Path) -> Result<Names, Error>;

    /// Makes `to` another name of the file `from`. Fails if `to` exists.
    ///
    /// Durable when the directory of `to` was synced.
    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), Error>;

    /// Makes the symlink `at` with the text `target`. Fails if `at` exists.
    ///
    /// Durable when the directory of `at` was synced.
    fn symlink(&self, target: &str, at: &Utf8Path) -> Result<(), Error>;

    /// Reads the text of the symlink `at`.
    fn read_link(&self, at: &Utf8Path) -> Result<String, Error>;

    /// Moves `from` to `to` in one instant, replacing a file, a symlink or an empty directory there.
    ///
    /// Whoever looks sees the old or the new, never neither. Durable when both directories were synced; a
    /// power cut before that may leave either name, or both. A directory whose owner may not write to it
    /// cannot change its parent: that fails even for root, so that tests meet what a daemon meets.
    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), Error>;

    /// Lets two names that exist change places in one instant: files, symlinks, directories with all they hold.
    ///
    /// Whoever looks sees both as before or both as after: neither name is ever missing. Durable when both
    /// directories were synced; a power cut before that leaves the old or the new, whole. Fails with
    /// [`std::io::ErrorKind::Unsupported`] where the file system cannot do it; nothing happened then.
    fn exchange(&self, one: &Utf8Path, other: &Utf8Path) -> Result<(), Error>;

    /// Makes the directory `path` with exactly `mode`, whatever the umask. Fails if anything has this name.
    ///
    /// Durable when the parent was synced; its mode when it was synced itself.
    fn make_directory(&self, path: &Utf8Path, mode: u32) -> Result<(), Error>;

    /// Removes the file or symlink `path`. Durable when the parent was synced.
    fn remove_file(&self, path: &Utf8Path) -> Result<(), Error>;

    /// Removes the empty directory `path`. Durable when the parent was synced.
    fn remove_directory(&self, path: &Utf8Path) -> Result<(), Error>;

    /// Gives the file or directory `path` the permissions `mode`; a symlink is refused.
    ///
    /// Durable when the file or directory itself was synced.
    fn set_mode(&self, path: &Utf8Path, mode: u32) -> Result<(), Error>;

    /// Makes everything durable that happened to the names in `path`, and the mode of `path` itself.
    ///
    /// After an error nothing is known any more: an fsync that failed must not be repeated, for the kernel
    /// may forget what it could not write and report success the second time.
    fn sync_directory(&self, path: &Utf8Path) -> Result<(), Error>;

    /// Makes each of `files` durable as [`Writing::sync`] does, in no order; where the disk gains by it several at once.
    ///
    /// After an error none of them is known to be.
    fn sync_files(&self, files: Vec<Box<dyn Writing>>) -> Result<(), Error> {
        files.into_iter().try_for_each(|mut file| file.sync())
    }

    /// Makes everything durable, bytes and names, that happened on the file system on which the directory `dir` lies,
    /// whoever did it. For trees that somebody else wrote; it takes as long as all that waits to be written.
    ///
    /// After an error nothing is known any more, as for [`Disk::sync_directory`].
    fn sync_file_system(&self, dir: &Utf8Path) -> Result<(), Error>;

    /// Takes the lock on the directory `dir` without waiting; `None` if somebody else holds it.
    ///
    /// Held until the value is dropped, and by nobody once the process is dead.
    fn lock(&self, dir: &Utf8Path) -> Result<Option<Box<dyn Send + Sync>>, Error>;
}

/// A file opened for writing.
pub trait Writing: Write + Send {
    /// Sets the time of last modification; later writes set it anew, so this comes last, before the sync.
    fn set_modified(&mut self, modified: Modified) -> Result<(), Error>;

    /// Lets the disk begin to write what it has; promises nothing. Called for many files before the first of
    /// them is synced, it makes the syncs of the others cheap.
    fn start_sync(&mut self) {}

    /// Makes bytes, size, mode and times of the file durable; the name needs its directory synced as well.
    ///
    /// After an error nothing is known any more: it must not be called again for this file.
    fn sync(&mut self) -> Result<(), Error>;
}

/// A regular file opened for reading.
pub trait Reading: Read + Seek + Send {
    /// Says what the opened file is now, whatever its name means meanwhile.
    fn state(&self) -> Result<State, Error>;

    /// Lends the descriptor of the opened file, for another process to read from; it shares the position with
    /// this one. `None` on a disk that no other process can see.
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// The names in a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The names that are UTF-8, sorted by bytes.
    pub names: Vec<String>,
    /// The names that are not, with replacement characters, sorted: to be shown, never to be opened.
    pub odd: Vec<String>,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Whether it is a file, a directory, a symlink, or something else.
    pub kind: Kind,
    /// The permission bits, `0o7777` at most.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The size in bytes; of a symlink the length of its text; of a directory without meaning.
    pub size: u64,
    /// How many names the file has; of a directory without meaning.
    pub links: u64,
    /// The number of the file within its file system: two names of one file have the same.
    pub inode: u64,
    /// When the contents changed last.
    pub modified: Modified,
}

/// What kind of thing stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symlink.
    Link,
    /// A FIFO, a socket, a device.
    Other,
}

/// A time of last modification.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Modified {
    /// Seconds since 1970 in UTC.
    pub seconds: i64,
    /// Nanoseconds within the second, below 1,000,000,000.
    pub nanoseconds: u32,
}

impl Modified {
    /// Takes a whole second.
    pub fn of_seconds(seconds: i64) -> Modified {
        Modified { seconds, nanoseconds: 0 }
    }
}
