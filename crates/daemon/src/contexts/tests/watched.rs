//! A disk that remembers what was opened for reading.

use std::sync::Mutex;

use camino::{Utf8Path, Utf8PathBuf};
use store::forgetful::ForgetfulDisk;
use store::{Disk, Error, Names, Reading, State, Writing};

/// A disk that remembers what was opened for reading.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) inner: ForgetfulDisk,
    opened: Mutex<Vec<Utf8PathBuf>>,
}

impl Watched {
    /// Names what was opened since the last call.
    pub(super) fn opened(&self) -> Vec<Utf8PathBuf> {
        std::mem::take(&mut self.opened.lock().unwrap())
    }
}

type Done = Result<(), Error>;

impl Disk for Watched {
    fn open(&self, path: &Utf8Path) -> Result<Box<dyn Reading>, Error> {
        self.opened.lock().unwrap().push(path.to_owned());
        self.inner.open(path)
    }

    fn create(&self, path: &Utf8Path, mode: u32) -> Result<Box<dyn Writing>, Error> {
        self.inner.create(path, mode)
    }

    fn append(&self, path: &Utf8Path, mode: u32) -> Result<Box<dyn Writing>, Error> {
        self.inner.append(path, mode)
    }

    fn state(&self, path: &Utf8Path) -> Result<Option<State>, Error> {
        self.inner.state(path)
    }

    fn list(&self, dir: &Utf8Path) -> Result<Names, Error> {
        self.inner.list(dir)
    }

    fn link(&self, from: &Utf8Path, to: &Utf8Path) -> Done {
        self.inner.link(from, to)
    }

    fn symlink(&self, target: &str, at: &Utf8Path) -> Done {
        self.inner.symlink(target, at)
    }

    fn read_link(&self, at: &Utf8Path) -> Result<String, Error> {
        self.inner.read_link(at)
    }

    fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> Done {
        self.inner.rename(from, to)
    }

    fn exchange(&self, one: &Utf8Path, other: &Utf8Path) -> Done {
        self.inner.exchange(one, other)
    }

    fn make_directory(&self, path: &Utf8Path, mode: u32) -> Done {
        self.inner.make_directory(path, mode)
    }

    fn remove_file(&self, path: &Utf8Path) -> Done {
        self.inner.remove_file(path)
    }

    fn remove_directory(&self, path: &Utf8Path) -> Done {
        self.inner.remove_directory(path)
    }

    fn set_mode(&self, path: &Utf8Path, mode: u32) -> Done {
        self.inner.set_mode(path, mode)
    }

    fn sync_directory(&self, path: &Utf8Path) -> Done {
        self.inner.sync_directory(path)
    }

    fn sync_file_system(&self, dir: &Utf8Path) -> Done {
        self.inner.sync_file_system(dir)
    }

    fn lock(&self, dir: &Utf8Path) -> Result<Option<Box<dyn Send + Sync>>, Error> {
        self.inner.lock(dir)
    }
}
