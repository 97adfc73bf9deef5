//! What every [`Disk`] must do: one suite, run against the disk of this machine and the forgetful one.

use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use camino::{Utf8Path, Utf8PathBuf};

use crate::forgetful::ForgetfulDisk;
use crate::{Disk, Error, Kind, Modified, PosixDisk};

/// A disk, an empty directory on it, and what the trait does not offer.
struct Bench<'a> {
    disk: &'a dyn Disk,
    root: Utf8PathBuf,
    make_fifo: &'a dyn Fn(&Utf8Path),
}

impl Bench<'_> {
    fn at(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    fn write(&self, name: &str, bytes: &[u8], mode: u32) {
        let mut file = self.disk.create(&self.at(name), mode).unwrap();
        file.write_all(bytes).unwrap();
        file.sync().unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.disk.open(&self.at(name)).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn directory(&self, name: &str) {
        self.disk.make_directory(&self.at(name), 0o755).unwrap();
    }

    fn exists(&self, name: &str) -> bool {
        self.disk.state(&self.at(name)).unwrap().is_some()
    }
}

/// Expects an error of the operating system that carries the path.
#[track_caller]
fn refused<T>(outcome: Result<T, Error>, kind: ErrorKind, path: &Utf8Path) {
    match outcome {
        Ok(_) => panic!("`{path}` was not refused, expected {kind:?}"),
        Err(Error::Disk { path: named, cause, .. }) => {
            assert_eq!((cause.kind(), named.as_path()), (kind, path), "{cause}");
        }
        Err(other) => panic!("expected {kind:?}, got {other}"),
    }
}

#[track_caller]
fn not_regular<T>(outcome: Result<T, Error>, expected: &str) {
    match outcome {
        Err(Error::NotRegular { what, .. }) => assert_eq!(what, expected),
        Err(other) => panic!("expected {expected}, got {other}"),
        Ok(_) => panic!("{expected} was opened"),
    }
}

/// Everything that holds for root, too.
fn files_and_directories(bench: &Bench) {
    files(bench);
    names(bench);
    renames(bench);
    exchanges(bench);
    what_is_not_regular(bench);
    locks(bench);
}

fn files(bench: &Bench) {
    let (disk, file) = (bench.disk, bench.at("file"));
    let mut writing = disk.create(&file, 0o444).unwrap();
    writing.write_all(b"one ").unwrap();
    writing.write_all(b"two").unwrap();
    writing.set_modified(Modified { seconds: 12, nanoseconds: 345 }).unwrap();
    writing.sync().unwrap();
    drop(writing);
    refused(disk.create(&file, 0o644), ErrorKind::AlreadyExists, &file);
    refused(disk.create(&bench.at("no/file"), 0o644), ErrorKind::NotFound, &bench.at("no/file"));
    refused(disk.create(&bench.at("file/file"), 0o644), ErrorKind::NotADirectory, &bench.at("file/file"));
    refused(disk.open(&bench.at("none")), ErrorKind::NotFound, &bench.at("none"));

    let state = disk.state(&file).unwrap().unwrap();
    assert_eq!((state.kind, state.mode, state.size, state.links), (Kind::File, 0o444, 7, 1));
    assert_eq!(state.modified, Modified { seconds: 12, nanoseconds: 345 });
    let mut reading = disk.open(&file).unwrap();
    let (opened, mut rest) = (reading.state().unwrap(), String::new());
    assert_eq!(opened, state);
    reading.seek(SeekFrom::Start(4)).unwrap();
    reading.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "two");
    assert_eq!(reading.seek(SeekFrom::End(-7)).unwrap(), 0);

    disk.link(&file, &bench.at("again")).unwrap();
    disk.remove_file(&file).unwrap();
    assert_eq!(reading.state().unwrap().inode, disk.state(&bench.at("again")).unwrap().unwrap().inode);
    assert_eq!((reading.state().unwrap().links, bench.exists("file")), (1, false));
    assert_eq!(bench.read("again"), b"one two");

    let log = bench.at("log");
    disk.append(&log, 0o640).unwrap().write_all(b"a\n").unwrap();
    let mut appending = disk.append(&log, 0o600).unwrap();
    disk.append(&log, 0o600).unwrap().write_all(b"b\n").unwrap();
    appending.write_all(b"c\n").unwrap();
    appending.sync().unwrap();
    assert_eq!(bench.read("log"), b"a\nb\nc\n");
    assert_eq!(disk.state(&log).unwrap().unwrap().mode, 0o640);
    disk.set_mode(&log, 0o4711).unwrap();
    assert_eq!(disk.state(&log).unwrap().unwrap().mode, 0o4711);
    refused(disk.set_mode(&bench.at("none"), 0o644), ErrorKind::NotFound, &bench.at("none"));
}

fn names(bench: &Bench) {
    let disk = bench.disk;
    disk.make_directory(&bench.at("d"), 0o2775).unwrap();
    let state = disk.state(&bench.at("d")).unwrap().unwrap();
    assert_eq!((state.kind, state.mode), (Kind::Directory, 0o2775));
    refused(disk.make_directory(&bench.at("d"), 0o755), ErrorKind::AlreadyExists, &bench.at("d"));
    bench.write("d/z", b"z", 0o644);
    bench.write("d/a", b"a", 0o644);
    assert_eq!(disk.list(&bench.at("d")).unwrap().names, ["a", "z"]);
    assert!(disk.list(&bench.at("d")).unwrap().odd.is_empty());
    refused(disk.list(&bench.at("d/a")), ErrorKind::NotADirectory, &bench.at("d/a"));
    refused(disk.list(&bench.at("none")), ErrorKind::NotFound, &bench.at("none"));
    refused(disk.sync_directory(&bench.at("none")), ErrorKind::NotFound, &bench.at("none"));
    disk.sync_directory(&bench.at("d")).unwrap();

    refused(disk.link(&bench.at("d/a"), &bench.at("d/z")), ErrorKind::AlreadyExists, &bench.at("d/z"));
    refused(disk.link(&bench.at("none"), &bench.at("d/y")), ErrorKind::NotFound, &bench.at("d/y"));
    refused(disk.link(&bench.at("d"), &bench.at("d/y")), ErrorKind::PermissionDenied, &bench.at("d/y"));
    refused(disk.symlink("a", &bench.at("d/z")), ErrorKind::AlreadyExists, &bench.at("d/z"));
    disk.symlink("d/a", &bench.at("l")).unwrap();
    assert_eq!(disk.read_link(&bench.at("l")).unwrap(), "d/a");
    let state = disk.state(&bench.at("l")).unwrap().unwrap();
    assert_eq!((state.kind, state.size), (Kind::Link, 3));
    refused(disk.read_link(&bench.at("d/a")), ErrorKind::InvalidInput, &bench.at("d/a"));

    // Symlinks are followed on the way, not at the end.
    disk.symlink("../d", &bench.at("d/up")).unwrap();
    assert_eq!(disk.state(&bench.at("d/up")).unwrap().unwrap().kind, Kind::Link);
    assert_eq!(bench.read("d/up/up/a"), b"a");
    disk.symlink("loop", &bench.at("loop")).unwrap();
    assert!(disk.state(&bench.at("loop/x")).is_err());

    refused(disk.remove_file(&bench.at("d")), ErrorKind::IsADirectory, &bench.at("d"));
    refused(disk.remove_file(&bench.at("none")), ErrorKind::NotFound, &bench.at("none"));
    refused(disk.remove_directory(&bench.at("d")), ErrorKind::DirectoryNotEmpty, &bench.at("d"));
    refused(disk.remove_directory(&bench.at("d/a")), ErrorKind::NotADirectory, &bench.at("d/a"));
    for name in ["d/a", "d/z", "d/up", "l", "loop"] {
        disk.remove_file(&bench.at(name)).unwrap();
    }
    disk.remove_directory(&bench.at("d")).unwrap();
    assert!(!bench.exists("d") && !bench.exists("d/a"));
}

fn renames(bench: &Bench) {
    let (disk, at) = (bench.disk, |name: &str| bench.at(name));
    bench.directory("from");
    bench.directory("to");
    bench.write("from/new", b"new", 0o444);
    bench.write("to/old", b"old", 0o444);
    disk.rename(&at("from/new"), &at("to/old")).unwrap();
    assert_eq!((bench.read("to/old"), bench.exists("from/new")), (b"new".to_vec(), false));
    disk.symlink("@1", &at("to/current")).unwrap();
    disk.symlink("@2", &at("from/current")).unwrap();
    disk.rename(&at("from/current"), &at("to/current")).unwrap();
    assert_eq!(disk.read_link(&at("to/current")).unwrap(), "@2");

    // Two names of one file: nothing happens.
    disk.link(&at("to/old"), &at("to/same")).unwrap();
    disk.rename(&at("to/old"), &at("to/same")).unwrap();
    assert!(bench.exists("to/old") && bench.exists("to/same"));

    refused(disk.rename(&at("none"), &at("to/x")), ErrorKind::NotFound, &at("none"));
    refused(disk.rename(&at("from"), &at("from/in")), ErrorKind::InvalidInput, &at("from"));
    refused(disk.rename(&at("to/old"), &at("from")), ErrorKind::IsADirectory, &at("to/old"));
    refused(disk.rename(&at("from"), &at("to/old")), ErrorKind::NotADirectory, &at("from"));
    refused(disk.rename(&at("from"), &at("to")), ErrorKind::DirectoryNotEmpty, &at("from"));
    bench.directory("empty");
    disk.rename(&at("to"), &at("empty")).unwrap();
    assert!(bench.exists("empty/old") && !bench.exists("to"));

    // A sealed directory moves within its parent, not out of it; neither do its names change.
    disk.set_mode(&at("empty"), 0o555).unwrap();
    refused(disk.rename(&at("empty"), &at("from/empty")), ErrorKind::PermissionDenied, &at("empty"));
    disk.rename(&at("empty"), &at("sealed")).unwrap();
    disk.set_mode(&at("sealed"), 0o755).unwrap();
    disk.rename(&at("sealed"), &at("from/sealed")).unwrap();
    assert_eq!(bench.read("from/sealed/same"), b"new");
}

fn exchanges(bench: &Bench) {
    let (disk, at) = (bench.disk, |name: &str| bench.at(name));
    for name in ["one", "two", "two/sealed"] {
        bench.directory(name);
    }
    bench.write("one/file", b"first", 0o444);
    bench.write("two/file", b"second", 0o444);
    disk.symlink("file", &at("two/link")).unwrap();
    disk.exchange(&at("one"), &at("two")).unwrap();
    assert_eq!((bench.read("one/file"), bench.read("two/file")), (b"second".to_vec(), b"first".to_vec()));
    disk.exchange(&at("one/link"), &at("two/file")).unwrap();
    assert_eq!((bench.read("one/link"), bench.exists("one/file")), (b"first".to_vec(), true));
    assert_eq!(disk.read_link(&at("two/file")).unwrap(), "file");
    // A directory and a file change places, too.
    disk.exchange(&at("one/file"), &at("two")).unwrap();
    assert_eq!((bench.read("two"), bench.exists("one/file/file")), (b"second".to_vec(), true));
    disk.exchange(&at("two"), &at("two")).unwrap();

    refused(disk.exchange(&at("none"), &at("one")), ErrorKind::NotFound, &at("none"));
    refused(disk.exchange(&at("one"), &at("none")), ErrorKind::NotFound, &at("one"));
    refused(disk.exchange(&at("one"), &at("one/link")), ErrorKind::InvalidInput, &at("one"));
    refused(disk.exchange(&at("one/link"), &at("one")), ErrorKind::InvalidInput, &at("one/link"));
    assert!(bench.exists("one/link") && bench.exists("two") && !bench.exists("none"));
}

fn what_is_not_regular(bench: &Bench) {
    let (disk, at) = (bench.disk, |name: &str| bench.at(name));
    bench.directory("odd");
    (bench.make_fifo)(&at("odd/fifo"));
    disk.symlink("nowhere", &at("odd/dangling")).unwrap();
    not_regular(disk.open(&at("odd/fifo")), "a FIFO, a socket or a device");
    not_regular(disk.append(&at("odd/fifo"), 0o600), "a FIFO, a socket or a device");
    not_regular(disk.open(&at("odd")), "a directory");
    not_regular(disk.append(&at("odd"), 0o600), "a directory");
    not_regular(disk.open(&at("odd/dangling")), "a symlink");
    not_regular(disk.append(&at("odd/dangling"), 0o600), "a symlink");
    refused(disk.create(&at("odd/dangling"), 0o600), ErrorKind::AlreadyExists, &at("odd/dangling"));
    assert!(disk.set_mode(&at("odd/dangling"), 0o600).is_err());
    assert_eq!(disk.state(&at("odd/fifo")).unwrap().unwrap().kind, Kind::Other);
    disk.symlink("../odd", &at("odd/self")).unwrap();
    refused(disk.list(&at("odd/self")), ErrorKind::NotADirectory, &at("odd/self"));
    refused(disk.sync_directory(&at("odd/self")), ErrorKind::NotADirectory, &at("odd/self"));
}

fn locks(bench: &Bench) {
    let held = bench.disk.lock(&bench.root).unwrap();
    assert!(held.is_some());
    assert!(bench.disk.lock(&bench.root).unwrap().is_none());
    drop(held);
    assert!(bench.disk.lock(&bench.root).unwrap().is_some());
    refused(bench.disk.lock(&bench.at("none")).map(drop), ErrorKind::NotFound, &bench.at("none"));
}

/// What is refused to everybody but root.
fn permissions(bench: &Bench) {
    let (disk, at) = (bench.disk, |name: &str| bench.at(name));
    let denied = ErrorKind::PermissionDenied;
    bench.directory("p");
    bench.directory("p/below");
    bench.write("p/sealed", b"sealed", 0o444);
    bench.write("p/secret", b"secret", 0o200);
    refused(disk.append(&at("p/sealed"), 0o644).map(drop), denied, &at("p/sealed"));
    refused(disk.open(&at("p/secret")).map(drop), denied, &at("p/secret"));
    disk.link(&at("p/sealed"), &at("p/again")).unwrap();
    disk.set_mode(&at("p"), 0o555).unwrap();
    refused(disk.create(&at("p/new"), 0o644).map(drop), denied, &at("p/new"));
    refused(disk.link(&at("p/sealed"), &at("p/new")), denied, &at("p/new"));
    refused(disk.symlink("x", &at("p/new")), denied, &at("p/new"));
    refused(disk.make_directory(&at("p/new"), 0o755), denied, &at("p/new"));
    refused(disk.remove_file(&at("p/sealed")), denied, &at("p/sealed"));
    refused(disk.remove_directory(&at("p/below")), denied, &at("p/below"));
    refused(disk.rename(&at("p/sealed"), &at("p/new")), denied, &at("p/sealed"));
    refused(disk.rename(&at("p/sealed"), &at("out")), denied, &at("p/sealed"));
    refused(disk.exchange(&at("p/sealed"), &at("log")), denied, &at("p/sealed"));
    refused(disk.exchange(&at("log"), &at("p/sealed")), denied, &at("log"));
    refused(disk.rename(&at("log"), &at("p/new")), denied, &at("log"));
    disk.sync_directory(&at("p")).unwrap();
    disk.set_mode(&at("p"), 0o644).unwrap();
    assert_eq!(disk.list(&at("p")).unwrap().names.len(), 4);
    refused(disk.state(&at("p/sealed")), denied, &at("p/sealed"));
    refused(disk.open(&at("p/sealed")).map(drop), denied, &at("p/sealed"));
    disk.set_mode(&at("p"), 0o755).unwrap();
    disk.make_directory(&at("blind"), 0o300).unwrap();
    bench.write("blind/file", b"found by name", 0o444);
    refused(disk.list(&at("blind")), denied, &at("blind"));
    refused(disk.set_mode(&at("blind"), 0o755), denied, &at("blind"));
    assert_eq!(bench.read("blind/file"), b"found by name");
}

#[test]
fn the_disk_of_this_machine_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(directory.path().to_owned()).unwrap();
    let make_fifo = |path: &Utf8Path| {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path.as_std_path(), rustix::fs::FileType::Fifo, mode, 0)
            .unwrap();
    };
    let bench = Bench { disk: &PosixDisk, root, make_fifo: &make_fifo };
    files_and_directories(&bench);
    if !rustix::process::geteuid().is_root() {
        permissions(&bench);
    }
}

#[test]
fn the_forgetful_disk_conforms() {
    let disk = ForgetfulDisk::new();
    disk.make_directory("/root".into(), 0o755).unwrap();
    let make_fifo = |path: &Utf8Path| disk.make_fifo(path, 0o600).unwrap();
    let bench = Bench { disk: &disk, root: "/root".into(), make_fifo: &make_fifo };
    files_and_directories(&bench);
    permissions(&bench);
}

#[test]
fn the_forgetful_disk_lets_root_do_what_root_may() {
    let disk = ForgetfulDisk::new().as_user(0, 0);
    disk.make_directory("/root".into(), 0o755).unwrap();
    let make_fifo = |path: &Utf8Path| disk.make_fifo(path, 0o600).unwrap();
    let bench = Bench { disk: &disk, root: "/root".into(), make_fifo: &make_fifo };
    files_and_directories(&bench);
    bench.write("sealed", b"1", 0o444);
    disk.append(&bench.at("sealed"), 0o600).unwrap().write_all(b"2").unwrap();
    assert_eq!(bench.read("sealed"), b"12");
}
