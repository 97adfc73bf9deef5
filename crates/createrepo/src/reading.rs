//! One package file: opened without being hung, hashed and read in one pass.

use std::io::{self, BufRead, BufReader, Read};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Algorithm;
use repo::{FileFacts, Hasher, Package};
use store::{Disk, Reading};

use crate::Error;
use crate::walk::resolved;

/// How much of a file is read at once.
const PIECE: usize = 1 << 16;

/// How many changes of a package metadata usually lists.
pub const CHANGES: usize = 10;

/// Reads the package at `href` below `dir`: its head behind the guard, its digest over the whole file, in one
/// pass. Links are followed; nothing but a regular file is read.
///
/// # Errors
///
/// [`Error::Disk`] if it cannot be opened, [`Error::Read`] if it breaks off, [`Error::Package`] if it is no
/// package that can be listed, [`Error::Changed`] if somebody writes to it at the same time.
pub fn read_package(
    disk: &dyn Disk,
    dir: &Utf8Path,
    href: &Utf8Path,
    algorithm: Algorithm,
) -> Result<Package, Error> {
    read_with_changes(disk, dir, href, algorithm, CHANGES)
}

/// Reads a package as [`read_package`] does, but keeps so many of its changes.
pub(crate) fn read_with_changes(
    disk: &dyn Disk,
    dir: &Utf8Path,
    href: &Utf8Path,
    algorithm: Algorithm,
    changes: usize,
) -> Result<Package, Error> {
    let (path, mut file) = opened(disk, dir.join(href))?;
    let before = file.state()?;
    let hashing = Hashing { inner: &mut *file, hasher: Hasher::new(algorithm), size: 0, broken: None };
    // A head is read in many small steps. Room is cleared before it is read into: most packages are smaller than a piece.
    let room = usize::try_from(before.size).map_or(PIECE, |size| PIECE.min(size + 1));
    let mut buffered = BufReader::with_capacity(room, hashing);
    let head = repo::read_head(&mut buffered);
    if let Some(cause) = buffered.get_mut().broken.take() {
        return Err(Error::Read { path, cause });
    }
    let head = head.map_err(|cause| Error::Package { path: path.clone(), cause })?;
    loop {
        match buffered.fill_buf().map(<[u8]>::len) {
            Ok(0) => break,
            Ok(length) => buffered.consume(length),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(Error::Read { path, cause }),
        }
    }
    let hashing = buffered.into_inner();
    let (size, digest) = (hashing.size, hashing.hasher.finish());
    let after = file.state()?;
    if size != before.size || (after.size, after.modified) != (before.size, before.modified) {
        return Err(Error::Changed { path });
    }
    let facts = FileFacts { size, digest, mtime: before.modified.seconds, href: href.as_str().to_owned() };
    repo::package_with_changes(&head, facts, changes).map_err(|cause| Error::Package { path, cause })
}

/// Opens a file, and follows the links to it if there are any: nearly always there are none, so it is tried first.
fn opened(disk: &dyn Disk, path: Utf8PathBuf) -> Result<(Utf8PathBuf, Box<dyn Reading>), Error> {
    if let Ok(file) = disk.open(&path) {
        return Ok((path, file));
    }
    let path = resolved(disk, &path)?;
    let file = disk.open(&path)?;
    Ok((path, file))
}

/// Hashes what passes, and remembers whether the disk or the bytes were at fault.
struct Hashing<'a> {
    inner: &'a mut dyn Read,
    hasher: Hasher,
    size: u64,
    broken: Option<io::Error>,
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(length) => {
                self.hasher.update(&buffer[..length]);
                self.size += length as u64;
                Ok(length)
            }
            Err(cause) => {
                let kind = cause.kind();
                self.broken = Some(cause).filter(|_| kind != io::ErrorKind::Interrupted);
                Err(kind.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use store::forgetful::ForgetfulDisk;

    use super::*;

    fn read(disk: &ForgetfulDisk, href: &str) -> Result<Package, Error> {
        read_package(disk, "/".into(), href.into(), Algorithm::Sha256)
    }

    fn write(disk: &ForgetfulDisk, path: &str, bytes: &[u8]) {
        disk.create(path.into(), 0o644).unwrap().write_all(bytes).unwrap();
    }

    #[test]
    fn a_package_is_described_by_its_bytes_and_its_place() {
        let disk = ForgetfulDisk::new();
        let rpm = repo::Recipe::new("voms", "1", "2").file("/usr/share/voms", vec![7; 200_000]).build();
        write(&disk, "/v.rpm", &rpm);
        disk.symlink("v.rpm", "/link.rpm".into()).unwrap();
        let package = read(&disk, "link.rpm").unwrap();
        assert_eq!((package.href.as_str(), package.size_package), ("link.rpm", rpm.len() as u64));
        assert_eq!(package.pkgid, repo::sha256(&rpm).into());
        assert_eq!(package.time_file, 1_767_225_600);
    }

    #[test]
    fn what_is_no_package_is_told_by_path_and_reason() {
        let disk = ForgetfulDisk::new();
        let rpm = repo::Recipe::new("voms", "1", "2").build();
        write(&disk, "/empty.rpm", b"");
        write(&disk, "/text.rpm", &b"not an RPM at all, but long enough for a lead ".repeat(9));
        write(&disk, "/short.rpm", &rpm[..300]);
        disk.make_directory("/folder.rpm".into(), 0o755).unwrap();
        disk.make_fifo("/fifo.rpm".into(), 0o644).unwrap();
        disk.symlink("nowhere", "/dangling.rpm".into()).unwrap();
        for (href, expected) in [
            (
                "empty.rpm",
                "failed to list `/empty.rpm`: failed to read the lead of the RPM: it ends 96 bytes early",
            ),
            ("text.rpm", "failed to list `/text.rpm`: failed to take the file for an RPM: "),
            (
                "short.rpm",
                "failed to list `/short.rpm`: failed to read the signature header of the RPM: it ends ",
            ),
            ("folder.rpm", "failed to open `/folder.rpm`: it is a directory, not a regular file"),
            ("fifo.rpm", "failed to open `/fifo.rpm`: it is a FIFO"),
            ("dangling.rpm", "failed to open `/nowhere`: "),
        ] {
            let error = read(&disk, href).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{href}: {error}");
        }
    }
}
