//! The disk of this machine: the only file of the store that touches the world.
#![expect(clippy::disallowed_methods, reason = "this is where the store meets the file system")]

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{
    CWD, FileType, FlockOperation, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps, UTIME_OMIT,
};
use rustix::io::Errno;

use crate::planted::{self, Bug};
use crate::{Disk, Error, Kind, Modified, Names, Reading, State, Writing};

/// The file system of this machine, as POSIX gives it.
///
/// Modes do not depend on the umask. Nothing is cached and nothing is retried, least of all an fsync.
#[derive(Debug, Clone, Copy, Default)]
pub struct PosixDisk;

/// How many files are synced at once: what the disk is told to write out for one of them serves the others too, so
/// that two hundred cost a twentieth of what they cost one after the other.
const SYNCS_AT_ONCE: usize = 8;

/// Fewer files than that are synced one after the other, which takes no thread and one known order.
const TOGETHER_MIN: usize = 16;

// NONBLOCK: a FIFO named like a request must not stop the daemon. It means nothing to regular files.
const HANDLE: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

impl Disk for PosixDisk {
    fn create(&self, path: &Utf8Path, mode: u32) -> Result<Box<dyn Writing>, Error> {
        let handle = create_new(path, mode, OFlags::empty()).map_err(|e| Error::disk("create", path, e))?;
        Ok(Box::new(Opened { file: handle.into(), path: path.to_owned() }))
    }

    fn clone_file(
        &self,
        from: &Utf8Path,
        to: &Utf8Path,
        mode: u32,
    ) -> Result<Option<Box<dyn Writing>>, Error> {
        let source = open_regular(from, OFlags::RDONLY)?;
        let handle = create_new(to, mode, OFlags::empty()).map_err(|e| Error::disk("create", to, e))?;
        match rustix::fs::ioctl_ficlone(&handle, &source) {
            Ok(()) => Ok(Some(Box::new(Opened { file: handle.into(), path: to.to_owned() }))),
            // Another file system, one that shares no blocks, or a kernel that knows better: it is copied instead.
            Err(_) => self.remove_file(to).map(|()| None),
        }
    }

    fn append(&self, path: &Utf8Path, mode: u32) -> Result<Box<dyn Writing>, Error> {
        let handle = match create_new(path, mode, OFlags::APPEND) {
            Ok(handle) => handle,
            Err(Errno::EXIST) => open_regular(path, OFlags::WRONLY | OFlags::APPEND)?,
            Err(e) => return Err(Error::disk("create", path, e)),
        };
        Ok(Box::new(Opened { file: handle.into(), path: path.to_owned() }))
    }

    fn open(&self, path: &Utf8Path) -> Result<Box<dyn Reading>, Error> {
        let handle = open_regular(path, OFlags::RDONLY)?;
        Ok(Box::new(Opened { file: handle.into(), path: path.to_owned() }))
    }

    fn state(&self, path: &Utf8Path) -> Result<Option<State>, Error> {
        match rustix::fs::lstat(path.as_std_path()) {
            Ok(stat) => Ok(Some(state_of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(Error::disk("look at", path, e)),
        }
    }

    fn list(&self, dir: &Utf8Path) -> Result<Names, Error> {
        let failed = |e: Errno| Error::disk("list", dir, e);
        let mut names = Names::default();
        for entry in rustix::fs::Dir::new(open_directory(dir).map_err(failed)?).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            match entry.file_name().to_str() {
                Ok("." | "..") => {}
                Ok(name) => names.names.push(name.to_owned()),
                Err(_) => names.odd.push(entry.file_name().to_string_lossy().into_owned()),
            }
        }
        names.names.sort();
        names.odd.sort();
        Ok(names)
    }

    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), Error> {
        std::fs::hard_link(from, to).map_err(|e| Error::disk("link", to, e))
    }

    fn symlink(&self, target: &str, at: &Utf8Path) -> Result<(), Error> {
        std::os::unix::fs::symlink(target, at).map_err(|e| Error::disk("make symlink", at, e))
    }

    fn read_link(&self, at: &Utf8Path) -> Result<String, Error> {
        let target = std::fs::read_link(at).map_err(|e| Error::disk("read symlink", at, e))?;
        let odd =
            || Error::disk("read symlink", at, io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"));
        Utf8PathBuf::from_path_buf(target).map(Utf8PathBuf::into_string).map_err(|_| odd())
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), Error> {
        // The kernel refuses this to everybody but root: `..` inside the directory would have to change.
        if from.parent() != to.parent()
            && self.state(from)?.is_some_and(|state| state.kind == Kind::Directory && state.mode & 0o200 == 0)
        {
            return Err(Error::disk("rename", from, Errno::ACCESS));
        }
        std::fs::rename(from, to).map_err(|e| Error::disk("rename", from, e))
    }

    fn exchange(&self, one: &Utf8Path, other: &Utf8Path) -> Result<(), Error> {
        // To the kernel this is the same invalid argument as a file system that cannot exchange.
        if one != other && (one.starts_with(other) || other.starts_with(one)) {
            return Err(Error::disk("exchange", one, Errno::INVAL));
        }
        let (from, to) = (one.as_std_path(), other.as_std_path());
        match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                Err(Error::disk("exchange", one, io::ErrorKind::Unsupported))
            }
            outcome => outcome.map_err(|e| Error::disk("exchange", one, e)),
        }
    }

    fn make_directory(&self, path: &Utf8Path, mode: u32) -> Result<(), Error> {
        let failed = |e: Errno| Error::disk("make directory", path, e);
        rustix::fs::mkdir(path.as_std_path(), Mode::RWXU).map_err(failed)?;
        let handle = open_directory(path).map_err(failed)?;
        rustix::fs::fchmod(&handle, Mode::from_raw_mode(mode)).map_err(failed)
    }

    fn remove_file(&self, path: &Utf8Path) -> Result<(), Error> {
        std::fs::remove_file(path).map_err(|e| Error::disk("remove", path, e))
    }

    fn remove_directory(&self, path: &Utf8Path) -> Result<(), Error> {
        std::fs::remove_dir(path).map_err(|e| Error::disk("remove directory", path, e))
    }

    fn set_mode(&self, path: &Utf8Path, mode: u32) -> Result<(), Error> {
        let failed = |e: Errno| Error::disk("set mode of", path, e);
        let handle =
            rustix::fs::open(path.as_std_path(), HANDLE | OFlags::RDONLY, Mode::empty()).map_err(failed)?;
        rustix::fs::fchmod(&handle, Mode::from_raw_mode(mode)).map_err(failed)
    }

    fn sync_directory(&self, path: &Utf8Path) -> Result<(), Error> {
        if planted::is(Bug::NoDirectorySynced) {
            return Ok(());
        }
        let failed = |e: Errno| Error::disk("sync directory", path, e);
        rustix::fs::fsync(open_directory(path).map_err(failed)?).map_err(failed)
    }

    fn sync_files(&self, files: Vec<Box<dyn Writing>>) -> Result<(), Error> {
        if files.len() < TOGETHER_MIN {
            return files.into_iter().try_for_each(|mut file| file.sync());
        }
        let left = Mutex::new(files.into_iter());
        let take = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        let sync_the_next = || std::iter::from_fn(&take).try_for_each(|mut file| file.sync());
        thread::scope(|scope| {
            let others = (1..SYNCS_AT_ONCE).filter_map(|_| {
                // Without a second thread this one syncs all of them.
                thread::Builder::new().name("sync".to_owned()).spawn_scoped(scope, sync_the_next).ok()
            });
            let others: Vec<_> = others.collect();
            let own = sync_the_next();
            let ends =
                others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            ends.fold(own, Result::and)
        })
    }

    fn sync_file_system(&self, dir: &Utf8Path) -> Result<(), Error> {
        let failed = |e: Errno| Error::disk("sync the file system of", dir, e);
        rustix::fs::syncfs(open_directory(dir).map_err(failed)?).map_err(failed)
    }

    fn lock(&self, dir: &Utf8Path) -> Result<Option<Box<dyn Send + Sync>>, Error> {
        let held = Held::on(dir).map_err(|e| Error::disk("lock", dir, e))?;
        Ok(held.map(|held| Box::new(held) as Box<dyn Send + Sync>))
    }
}

/// A lock on a directory, free for others at the moment it is dropped.
struct Held(OwnedFd);

impl Held {
    fn on(dir: &Utf8Path) -> Result<Option<Held>, Errno> {
        let handle = open_directory(dir)?;
        match rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Held(handle))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // To close it is not enough: a program that another thread starts just now has it, too, until it runs.
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

fn create_new(path: &Utf8Path, mode: u32, how: OFlags) -> Result<OwnedFd, Errno> {
    let flags = HANDLE | OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | how;
    // Nobody else may look in before the mode is what was asked for.
    let handle = rustix::fs::open(path.as_std_path(), flags, Mode::RUSR | Mode::WUSR)?;
    rustix::fs::fchmod(&handle, Mode::from_raw_mode(mode))?;
    Ok(handle)
}

fn open_directory(path: &Utf8Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path.as_std_path(), HANDLE | OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty())
}

fn open_regular(path: &Utf8Path, how: OFlags) -> Result<OwnedFd, Error> {
    let not_regular = |what| Error::NotRegular { path: path.to_owned(), what };
    let handle = match rustix::fs::open(path.as_std_path(), HANDLE | how, Mode::empty()) {
        Ok(handle) => handle,
        Err(Errno::LOOP) => return Err(not_regular("a symlink")),
        Err(Errno::ISDIR) => return Err(not_regular("a directory")),
        Err(Errno::NXIO | Errno::NODEV) => return Err(not_regular("a FIFO, a socket or a device")),
        Err(e) => return Err(Error::disk("open", path, e)),
    };
    let stat = rustix::fs::fstat(&handle).map_err(|e| Error::disk("look at", path, e))?;
    match kind_of(&stat) {
        Kind::File => Ok(handle),
        Kind::Directory => Err(not_regular("a directory")),
        Kind::Link => Err(not_regular("a symlink")),
        Kind::Other => Err(not_regular("a FIFO, a socket or a device")),
    }
}

fn kind_of(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    }
}

// The widths of these fields differ between machines.
#[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
fn state_of(stat: &Stat) -> State {
    State {
        kind: kind_of(stat),
        mode: u32::from(stat.st_mode) & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: stat.st_size as u64,
        links: u64::from(stat.st_nlink),
        inode: stat.st_ino,
        modified: Modified { seconds: i64::from(stat.st_mtime), nanoseconds: stat.st_mtime_nsec as u32 },
    }
}

/// A file and the name it was opened by.
#[derive(Debug)]
struct Opened {
    file: File,
    path: Utf8PathBuf,
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for Opened {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Reading for Opened {
    fn state(&self) -> Result<State, Error> {
        let stat = rustix::fs::fstat(&self.file).map_err(|e| Error::disk("look at", &self.path, e))?;
        Ok(state_of(&stat))
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }
}

impl Write for Opened {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Writing for Opened {
    fn set_modified(&mut self, modified: Modified) -> Result<(), Error> {
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanoseconds.into() },
        };
        rustix::fs::futimens(&self.file, &times).map_err(|e| Error::disk("set time of", &self.path, e))
    }

    fn start_sync(&mut self) {
        // This is how Linux is asked to begin writing back; whether it does is not told, and the sync knows.
        let _ = rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed);
    }

    fn sync(&mut self) -> Result<(), Error> {
        rustix::fs::fsync(&self.file).map_err(|e| Error::disk("sync", &self.path, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    #[test]
    fn what_is_not_a_regular_file_is_refused_without_waiting() {
        let (_folder, at) = folder();
        rustix::fs::mknodat(CWD, at.join("fifo").as_std_path(), FileType::Fifo, Mode::RWXU, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at.join("socket")).unwrap();
        PosixDisk.create(&at.join("file"), 0o600).unwrap();
        PosixDisk.symlink("file", &at.join("link")).unwrap();
        PosixDisk.make_directory(&at.join("dir"), 0o755).unwrap();
        for name in ["fifo", "socket", "link", "dir"] {
            assert!(
                matches!(PosixDisk.open(&at.join(name)), Err(Error::NotRegular { .. })),
                "{name} was opened"
            );
            assert!(
                matches!(PosixDisk.append(&at.join(name), 0o600), Err(Error::NotRegular { .. })),
                "{name}"
            );
        }
        assert!(PosixDisk.open(&at.join("file")).is_ok());
    }

    #[test]
    fn modes_and_times_are_what_was_asked_for() {
        let (_folder, at) = folder();
        let file = at.join("file");
        let mut writing = PosixDisk.create(&file, 0o666).unwrap();
        writing.write_all(b"four").unwrap();
        let modified = Modified { seconds: 1_700_000_000, nanoseconds: 123_456_789 };
        writing.set_modified(modified).unwrap();
        writing.sync().unwrap();
        let state = PosixDisk.state(&file).unwrap().unwrap();
        assert_eq!((state.kind, state.mode, state.size, state.modified), (Kind::File, 0o666, 4, modified));
        PosixDisk.make_directory(&at.join("dir"), 0o3770).unwrap();
        assert_eq!(PosixDisk.state(&at.join("dir")).unwrap().unwrap().mode, 0o3770);
        PosixDisk.set_mode(&file, 0o444).unwrap();
        assert_eq!(PosixDisk.open(&file).unwrap().state().unwrap().mode, 0o444);
        assert_eq!(PosixDisk.state(&at.join("nothing")).unwrap(), None);
    }

    #[test]
    fn a_name_that_is_taken_is_not_written_to() {
        let (_folder, at) = folder();
        PosixDisk.symlink("elsewhere", &at.join("dangling")).unwrap();
        let error = PosixDisk.create(&at.join("dangling"), 0o600).err().unwrap();
        assert!(error.to_string().starts_with(&format!("failed to create `{at}/dangling`: ")), "{error}");
        assert_eq!(PosixDisk.state(&at.join("elsewhere")).unwrap(), None);
    }

    /// Counts its syncs, and fails the one that it is told to fail.
    struct Counted<'a>(&'a std::sync::atomic::AtomicUsize, usize);

    impl Write for Counted<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Writing for Counted<'static> {
        fn set_modified(&mut self, _: Modified) -> Result<(), Error> {
            Ok(())
        }

        fn sync(&mut self) -> Result<(), Error> {
            let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if number == self.1 { Err(Error::disk("sync", Utf8Path::new("/x"), Errno::IO)) } else { Ok(()) }
        }
    }

    #[test]
    fn of_files_synced_together_each_is_synced_once_and_one_that_fails_fails_all() {
        for count in [0, 1, TOGETHER_MIN - 1, TOGETHER_MIN, 200] {
            for fails in [usize::MAX, 0, count / 2, count.saturating_sub(1)] {
                let synced: &'static std::sync::atomic::AtomicUsize = Box::leak(Box::default());
                let files =
                    (0..count).map(|_| Box::new(Counted(synced, fails)) as Box<dyn Writing>).collect();
                let result = PosixDisk.sync_files(files);
                assert_eq!(result.is_err(), fails < count, "{count}, {fails} fails");
                let synced = synced.load(std::sync::atomic::Ordering::Relaxed);
                assert!(synced == count || fails < synced, "{synced} of {count}");
            }
        }
    }

    #[test]
    fn appending_adds_at_the_end() {
        let (_folder, at) = folder();
        for word in ["one ", "two"] {
            PosixDisk.append(&at.join("log"), 0o640).unwrap().write_all(word.as_bytes()).unwrap();
        }
        let mut text = String::new();
        PosixDisk.open(&at.join("log")).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two");
    }

    #[test]
    fn a_directory_its_owner_may_not_write_keeps_its_parent() {
        let (_folder, at) = folder();
        for name in ["a", "b", "a/sealed"] {
            PosixDisk.make_directory(&at.join(name), 0o755).unwrap();
        }
        PosixDisk.set_mode(&at.join("a/sealed"), 0o555).unwrap();
        PosixDisk.rename(&at.join("a/sealed"), &at.join("a/other")).unwrap();
        assert!(PosixDisk.rename(&at.join("a/other"), &at.join("b/other")).is_err());
        PosixDisk.set_mode(&at.join("a/other"), 0o755).unwrap();
        PosixDisk.rename(&at.join("a/other"), &at.join("b/other")).unwrap();
        assert_eq!(PosixDisk.list(&at.join("b")).unwrap().names, ["other"]);
    }

    #[test]
    fn names_that_are_not_utf8_are_listed_apart() {
        let (_folder, at) = folder();
        use std::os::unix::ffi::OsStrExt;
        let odd = at.as_std_path().join(std::ffi::OsStr::from_bytes(b"odd-\xff"));
        std::fs::write(odd, "").unwrap();
        for name in ["b", "a"] {
            PosixDisk.create(&at.join(name), 0o600).unwrap();
        }
        let names = PosixDisk.list(&at).unwrap();
        assert_eq!(
            (names.names.as_slice(), names.odd.len()),
            (["a".to_owned(), "b".to_owned()].as_slice(), 1)
        );
    }

    #[test]
    fn the_lock_is_held_by_one_until_it_is_dropped() {
        let (_folder, at) = folder();
        let held = PosixDisk.lock(&at).unwrap();
        assert!(held.is_some() && PosixDisk.lock(&at).unwrap().is_none());
        drop(held);
        assert!(PosixDisk.lock(&at).unwrap().is_some());
    }

    #[test]
    fn a_lock_that_is_dropped_is_free_whoever_inherited_it() {
        let (_folder, at) = folder();
        let held = Held::on(&at).unwrap().unwrap();
        let inherited = held.0.try_clone().unwrap();
        drop(held);
        assert!(PosixDisk.lock(&at).unwrap().is_some());
        drop(inherited);
    }
}
