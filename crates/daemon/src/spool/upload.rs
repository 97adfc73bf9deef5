//! `upload/`: the files that requests refer to, flat, each named `<sha256>-<name>`.

use super::Spool;
use super::files::{is, remove};
use crate::error::Error;
use camino::Utf8PathBuf;
use std::io::ErrorKind;
use store::Reading;

impl Spool {
    /// Opens the upload `name`; `None` if the name is not one of an upload or no regular file bears it.
    ///
    /// Its owner may still write to it: copy it, and believe the digest of the copy only.
    pub fn open_upload(&self, name: &str) -> Result<Option<Box<dyn Reading>>, Error> {
        let Some(path) = self.upload_path(name) else {
            return Ok(None);
        };
        match self.disk.open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(store::Error::NotRegular { .. }) => Ok(None),
            Err(error) if is(&error, ErrorKind::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Lists the names in `upload/`.
    pub fn uploads(&self) -> Result<Vec<String>, Error> {
        Ok(self.disk.list(&self.dir.join("upload"))?.names)
    }

    /// Removes the upload `name` if it is there; not durable by itself, a name that comes back does no harm.
    pub fn remove_upload(&self, name: &str) -> Result<(), Error> {
        match self.upload_path(name) {
            Some(path) => remove(&*self.disk, &path),
            None => Ok(()),
        }
    }

    /// Joins a name that stays in `upload/`: 64 hexadecimal digits, a dash, and no slash.
    fn upload_path(&self, name: &str) -> Option<Utf8PathBuf> {
        let (digest, rest) = name.split_at_checked(64)?;
        let hex = digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let flat = !rest.contains(['/', '\0']) && rest.len() > 1 && name.len() <= 255;
        (hex && flat && rest.starts_with('-')).then(|| self.dir.join("upload").join(name))
    }
}
