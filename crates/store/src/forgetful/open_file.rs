//! A file of the forgetful disk, opened.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use camino::Utf8PathBuf;
use rustix::io::Errno;

use super::tree::{Body, Number};
use super::{ForgetfulDisk, Shared};
use crate::Error;
use crate::disk::{Modified, Reading, State, Writing};

/// A file opened for reading, or for writing: at a place of its own, or always at the end.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) disk: ForgetfulDisk,
    pub(super) number: Number,
    pub(super) path: Utf8PathBuf,
    pub(super) at: Option<usize>,
}

/// What the disk said, as a write on a real one would.
fn cause(error: Error) -> io::Error {
    match error {
        Error::Disk { cause, .. } => cause,
        other => io::Error::other(other),
    }
}

impl Write for OpenFile {
    fn write(&mut self, new: &[u8]) -> io::Result<usize> {
        let (number, at) = (self.number, self.at);
        let end = self.disk.change("write", &self.path, |shared| {
            let now = shared.now;
            let held = shared.capacity.map(|capacity| (capacity, shared.volume.live.bytes()));
            let inode = shared.volume.live.inode_mut(number);
            let Body::File(bytes) = &mut inode.body else { return Err(Errno::BADF) };
            let bytes = Arc::make_mut(bytes);
            let at = at.unwrap_or(bytes.len());
            let overwritten = new.len().min(bytes.len().saturating_sub(at));
            if held.is_some_and(|(capacity, held)| held + new.len() - overwritten > capacity) {
                return Err(Errno::NOSPC);
            }
            bytes.splice(at..at + overwritten, new.iter().copied());
            let end = at + new.len();
            inode.modified = now;
            shared.volume.bytes_changed(number);
            Ok(end)
        });
        let end = end.map_err(cause)?;
        self.at = self.at.map(|_| end);
        Ok(new.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writing for OpenFile {
    fn set_modified(&mut self, modified: Modified) -> Result<(), Error> {
        let number = self.number;
        self.disk.change("set modified", &self.path, |shared| {
            shared.volume.live.inode_mut(number).modified = modified;
            shared.volume.attributes_changed(number);
            Ok(())
        })
    }

    fn sync(&mut self) -> Result<(), Error> {
        let number = self.number;
        let spoil = |shared: &mut Shared| shared.volume.sync_failed(number);
        self.disk.change_or("sync", &self.path, spoil, |shared| {
            shared.volume.sync_file(number);
            Ok(())
        })
    }
}

impl Read for OpenFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.at.unwrap_or(0);
        let read = self.disk.read("read", &self.path, |shared| {
            let Body::File(bytes) = &shared.volume.live.inode(self.number).body else {
                return Err(Errno::BADF);
            };
            let rest = bytes.get(at..).unwrap_or(&[]);
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        });
        let length = read.map_err(io::Error::other)?;
        self.at = Some(at + length);
        Ok(length)
    }
}

impl Seek for OpenFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let size = Reading::state(self).map_err(io::Error::other)?.size;
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (size, by),
            SeekFrom::Current(by) => (self.at.unwrap_or(0) as u64, by),
        };
        let at = from.checked_add_signed(by).ok_or_else(|| io::Error::from(Errno::INVAL))?;
        self.at = Some(usize::try_from(at).map_err(|_| io::Error::from(Errno::INVAL))?);
        Ok(at)
    }
}

impl Reading for OpenFile {
    fn state(&self) -> Result<State, Error> {
        self.disk.read("look at", &self.path, |shared| Ok(shared.volume.live.state(self.number)))
    }
}
