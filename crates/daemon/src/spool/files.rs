//! Small files, read whole and written so that they are either there or not.

use crate::error::Error;
use camino::Utf8Path;
use std::io::{ErrorKind, Read, Write};
use store::{Disk, Reading, Writing};

/// Writes the new file `path` with `mode`; an older one of that name, left by a crash, is removed first.
///
/// Neither bytes nor name are durable: sync what this gives, then the directory.
pub(super) fn write_new(
    disk: &dyn Disk,
    path: &Utf8Path,
    bytes: &[u8],
    mode: u32,
) -> Result<Box<dyn Writing>, Error> {
    if disk.state(path)?.is_some() {
        disk.remove_file(path)?;
        // Else a power cut could bring the old one back when the new one was renamed away.
        if let Some(parent) = path.parent() {
            disk.sync_directory(parent)?;
        }
    }
    let mut file = disk.create(path, mode)?;
    file.write_all(bytes).map_err(|cause| Error::File {
        operation: "write",
        path: path.to_owned(),
        cause,
    })?;
    Ok(file)
}

/// How many files are held open until they are synced.
const OPEN_MAX: usize = 250;

/// Files that are written and not durable; synced together they cost the disk little more than one.
pub(super) struct Unsynced<'a> {
    disk: &'a dyn Disk,
    files: Vec<Box<dyn Writing>>,
}

impl<'a> Unsynced<'a> {
    pub(super) fn on(disk: &'a dyn Disk) -> Unsynced<'a> {
        Unsynced { disk, files: Vec::new() }
    }

    /// Adds a file that was written; syncs those before it where they get many.
    pub(super) fn push(&mut self, mut file: Box<dyn Writing>) -> Result<(), Error> {
        file.start_sync();
        self.files.push(file);
        if self.files.len() >= OPEN_MAX { self.sync() } else { Ok(()) }
    }

    /// Makes the bytes of all files durable. After an error none of them is known to be.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        Ok(self.disk.sync_files(std::mem::take(&mut self.files))?)
    }
}

/// Reads at most `limit` bytes and one more, which tells that there is more.
pub(super) fn read_some(file: &mut dyn Reading, path: &Utf8Path, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|cause| Error::File {
        operation: "read",
        path: path.to_owned(),
        cause,
    })?;
    Ok(bytes)
}

/// Reads the regular file `path`, or says `None` if there is none or it has more than `limit` bytes.
pub(super) fn read_small(disk: &dyn Disk, path: &Utf8Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let mut file = match disk.open(path) {
        Ok(file) => file,
        Err(store::Error::NotRegular { .. }) => return Ok(None),
        Err(error) if is(&error, ErrorKind::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let bytes = read_some(&mut *file, path, limit)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Removes a file that may be gone already.
pub(super) fn remove(disk: &dyn Disk, path: &Utf8Path) -> Result<(), Error> {
    match disk.remove_file(path) {
        Err(error) if is(&error, ErrorKind::NotFound) => Ok(()),
        result => Ok(result?),
    }
}

/// Says whether the operating system gave this kind of reason.
pub(super) fn is(error: &store::Error, kind: ErrorKind) -> bool {
    matches!(error, store::Error::Disk { cause, .. } if cause.kind() == kind)
}
