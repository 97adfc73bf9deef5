//! Directories and whole files on any disk: making, reading, removing, and remembering what must be synced.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Sha256;
use sha2::Digest as _;

use crate::planted::{self, Bug};
use crate::{Error, Kind, Modified, State, Store, Writing};

/// The mode of what is sealed.
pub(crate) const SEALED_FILE: u32 = 0o444;
/// The mode of a directory nothing is added to any more.
pub(crate) const SEALED_DIRECTORY: u32 = 0o555;
/// The mode of a directory that is being filled.
pub(crate) const OPEN_DIRECTORY: u32 = 0o755;

/// For how much of a file room is made before it is read.
const ROOM_MAX: usize = 256 << 20;

/// Directories that got or lost a name and are not synced yet.
#[derive(Debug, Default)]
pub(crate) struct Touched(BTreeSet<Utf8PathBuf>);

impl Touched {
    /// Remembers `dir`.
    pub(crate) fn insert(&mut self, dir: &Utf8Path) {
        self.0.insert(dir.to_owned());
    }

    /// Forgets `dir`, which is gone.
    pub(crate) fn remove(&mut self, dir: &Utf8Path) {
        self.0.remove(dir);
    }

    /// Syncs them bottom up, each once; those below `skipped` only if no bug says otherwise.
    pub(crate) fn sync(self, store: &Store, skips: &[(Utf8PathBuf, Bug)]) -> Result<(), Error> {
        // Paths compare by component, so what lies deeper comes later.
        for dir in self.0.iter().rev() {
            if !skips.iter().any(|(top, bug)| dir.starts_with(top) && planted::is(*bug)) {
                store.disk.sync_directory(dir)?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// Makes `dir` and what is missing above it, down from an ancestor that exists, and remembers every
    /// directory that got a name. Answers with those it made, top down.
    pub(crate) fn make_directories(
        &self,
        dir: &Utf8Path,
        touched: &mut Touched,
    ) -> Result<Vec<Utf8PathBuf>, Error> {
        let mut missing = Vec::new();
        for above in dir.ancestors() {
            match self.disk.state(above)? {
                None => missing.push(above.to_owned()),
                Some(state) if state.kind == Kind::Directory => break,
                Some(_) => return Err(Error::NotDirectory { path: above.to_owned() }),
            }
        }
        missing.reverse();
        for dir in &missing {
            self.disk.make_directory(dir, OPEN_DIRECTORY)?;
            touched.insert(dir);
            if let Some(parent) = dir.parent() {
                touched.insert(parent);
            }
        }
        Ok(missing)
    }

    /// Removes `dir` and what is empty above it, up to but not including `top`.
    pub(crate) fn remove_empty(
        &self,
        dir: &Utf8Path,
        top: &Utf8Path,
        touched: &mut Touched,
    ) -> Result<(), Error> {
        for dir in dir.ancestors().take_while(|dir| *dir != top && dir.starts_with(top)) {
            if self.disk.state(dir)?.is_some() {
                let names = self.disk.list(dir)?;
                if !names.names.is_empty() || !names.odd.is_empty() {
                    touched.insert(dir);
                    return Ok(());
                }
                self.disk.remove_directory(dir)?;
            }
            // Perhaps it was removed before a crash, and never synced.
            touched.remove(dir);
        }
        for dir in top.ancestors() {
            if self.disk.state(dir)?.is_some() {
                touched.insert(dir);
                break;
            }
        }
        Ok(())
    }

    /// Removes whatever stands at `path` and below it; nothing there is well, too. Syncs nothing.
    pub(crate) fn remove_tree(&self, path: &Utf8Path) -> Result<(), Error> {
        let Some(state) = self.disk.state(path)? else { return Ok(()) };
        if state.kind != Kind::Directory {
            return self.disk.remove_file(path);
        }
        if state.mode & 0o700 != 0o700 {
            self.disk.set_mode(path, OPEN_DIRECTORY)?;
        }
        for name in self.disk.list(path)?.names {
            self.remove_tree(&path.join(name))?;
        }
        self.disk.remove_directory(path)
    }

    /// Writes a new sealed file whose name is not durable yet, and hands the file back for its sync.
    pub(crate) fn write_file(
        &self,
        path: &Utf8Path,
        bytes: &[u8],
        modified: Option<Modified>,
    ) -> Result<Box<dyn Writing>, Error> {
        let mut writing = self.disk.create(path, SEALED_FILE)?;
        writing.write_all(bytes).map_err(|e| Error::disk("write", path, e))?;
        if let Some(modified) = modified {
            writing.set_modified(modified)?;
        }
        Ok(writing)
    }

    /// Says what stands at `path`, where nothing is an error.
    pub(crate) fn expect(&self, path: &Utf8Path) -> Result<State, Error> {
        let missing = || Error::disk("look at", path, std::io::Error::from(std::io::ErrorKind::NotFound));
        self.disk.state(path)?.ok_or_else(missing)
    }

    /// Reads the whole of a regular file.
    pub(crate) fn read_whole(&self, path: &Utf8Path) -> Result<Vec<u8>, Error> {
        let mut reading = self.disk.open(path)?;
        // Room for all of it at once: a buffer that grows takes twice as much.
        let size = usize::try_from(reading.state()?.size).unwrap_or_default().min(ROOM_MAX);
        let mut bytes = Vec::with_capacity(size);
        reading.read_to_end(&mut bytes).map_err(|e| Error::disk("read", path, e))?;
        Ok(bytes)
    }

    /// Reads the whole of a regular file and says what it is.
    pub(crate) fn digest_of(&self, path: &Utf8Path) -> Result<Sha256, Error> {
        let mut reading = self.disk.open(path)?;
        let mut hasher = sha2::Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match reading.read(&mut buffer).map_err(|e| Error::disk("read", path, e))? {
                0 => return Ok(Sha256::from(<[u8; 32]>::from(hasher.finalize()))),
                count => hasher.update(&buffer[..count]),
            }
        }
    }
}

/// Computes the digest of bytes in memory.
pub(crate) fn sha256_of(bytes: &[u8]) -> Sha256 {
    Sha256::from(<[u8; 32]>::from(sha2::Sha256::digest(bytes)))
}

/// Writes a value as the store writes all its JSON: indented, in the order of the fields, one line end.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let mut bytes =
        serde_json::to_vec_pretty(value).expect("maps have text for keys and nothing here can fail");
    bytes.push(b'\n');
    bytes
}

/// Reads a value [`json`] wrote to `path`, refusing unknown keys where its type does.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(path: &Utf8Path, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|e| Error::Parse { path: path.to_owned(), cause: e.to_string() })
}
