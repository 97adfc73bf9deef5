//! What arrives for a request before its generation has a number: `staging/import/<claim name>/`.

use std::io::{Read, Write};

use camino::Utf8PathBuf;
use nevra::Sha256;
use sha2::Digest as _;

use crate::paths::is_component;
use crate::trees::{OPEN_DIRECTORY, SEALED_FILE};
use crate::{Error, Modified, Store};

/// A file that was copied, hashed, sealed and read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// The digest of its bytes.
    pub sha256: Sha256,
    /// The size in bytes.
    pub size: u64,
    /// Where it lies, absolute.
    pub path: Utf8PathBuf,
}

impl Store {
    /// The place of what arrives for the request `claim`.
    pub fn import_directory(&self, claim: &str) -> Utf8PathBuf {
        self.paths.import(claim)
    }

    /// Copies a stream to `staging/import/<claim>/<name>`, hashing it on the way, and reads it back.
    ///
    /// The file is 0444, was modified at `modified`, and is durable with its name when this returns. A file
    /// that arrived under the same name before, perhaps half, is replaced. The stream decides how much
    /// comes: bound it with `take`. Needs no lock, but one request must not do this twice at a time.
    pub fn bring_in(
        &self,
        claim: &str,
        name: &str,
        reader: &mut dyn Read,
        modified: Modified,
    ) -> Result<Arrived, Error> {
        for word in [claim, name] {
            if !is_component(word) {
                return Err(Error::NoFileName { name: word.to_owned() });
            }
        }
        let dir = self.paths.import(claim);
        if self.disk.state(&dir)?.is_none() {
            self.disk.make_directory(&dir, OPEN_DIRECTORY)?;
        }
        let path = dir.join(name);
        self.remove_tree(&path)?;
        let arrived = self.copy(path, reader, modified)?;
        self.disk.sync_directory(&dir)?;
        self.disk.sync_directory(&self.paths.imports())?;
        if self.digest_of(&arrived.path)? != arrived.sha256 {
            let what = "its bytes are not those that were written".to_owned();
            return Err(Error::Differs { path: arrived.path, what });
        }
        Ok(arrived)
    }

    fn copy(&self, path: Utf8PathBuf, reader: &mut dyn Read, modified: Modified) -> Result<Arrived, Error> {
        let mut writing = self.disk.create(&path, SEALED_FILE)?;
        let mut hasher = sha2::Sha256::new();
        let mut buffer = vec![0; 1 << 18];
        let mut size = 0;
        loop {
            let count =
                reader.read(&mut buffer).map_err(|e| Error::disk("read what arrives as", &path, e))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            writing.write_all(&buffer[..count]).map_err(|e| Error::disk("write", &path, e))?;
            size += count as u64;
        }
        writing.set_modified(modified)?;
        writing.sync()?;
        Ok(Arrived { sha256: Sha256::from(<[u8; 32]>::from(hasher.finalize())), size, path })
    }

    /// Lists the claim names of all requests for which something arrived and was not removed.
    pub fn imports(&self) -> Result<Vec<String>, Error> {
        Ok(self.disk.list(&self.paths.imports())?.names)
    }

    /// Removes what arrived for the request `claim`; nothing there is well, too.
    pub fn remove_import(&self, claim: &str) -> Result<(), Error> {
        if !is_component(claim) {
            return Err(Error::NoFileName { name: claim.to_owned() });
        }
        self.remove_tree(&self.paths.import(claim))?;
        self.disk.sync_directory(&self.paths.imports())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::Workshop;
    use crate::{Disk, PosixDisk};

    #[test]
    fn what_arrives_is_sealed_and_known_by_its_digest() {
        let shop = Workshop::empty();
        let modified = Modified { seconds: 1_500_000_000, nanoseconds: 7 };
        let arrived = shop.store.bring_in("c-1", "abc.rpm", &mut b"abc".as_slice(), modified).unwrap();
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((arrived.sha256.hex().as_str(), arrived.size), (known, 3));
        let state = PosixDisk.state(&arrived.path).unwrap().unwrap();
        assert_eq!((state.mode, state.modified, state.size), (0o444, modified, 3));
        assert_eq!(arrived.path, shop.store.import_directory("c-1").join("abc.rpm"));
    }

    #[test]
    fn arriving_again_replaces_what_came_before() {
        let shop = Workshop::empty();
        let bring = |text: &str| {
            shop.store.bring_in("c-1", "a", &mut text.as_bytes(), Modified::default()).unwrap().size
        };
        assert_eq!((bring("a longer one"), bring("short")), (12, 5));
        assert_eq!(shop.read("staging/import/c-1/a"), "short");
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let shop = Workshop::empty();
        for (claim, name) in [("..", "a"), ("c", ".."), ("c", "a/b"), ("", "a"), ("c", "")] {
            let brought = shop.store.bring_in(claim, name, &mut std::io::empty(), Modified::default());
            assert!(matches!(brought, Err(Error::NoFileName { .. })), "{claim} {name}");
        }
        assert!(shop.store.remove_import("..").is_err());
        assert!(shop.store.imports().unwrap().is_empty());
    }

    #[test]
    fn what_arrived_for_a_request_is_removed_with_it() {
        let shop = Workshop::empty();
        for claim in ["c-2", "c-1"] {
            shop.store.bring_in(claim, "a", &mut b"x".as_slice(), Modified::default()).unwrap();
        }
        assert_eq!(shop.store.imports().unwrap(), ["c-1", "c-2"]);
        shop.store.remove_import("c-1").unwrap();
        shop.store.remove_import("c-1").unwrap();
        assert_eq!(shop.store.imports().unwrap(), ["c-2"]);
    }

    #[test]
    fn a_stream_that_breaks_names_the_file() {
        struct Breaks;
        impl Read for Breaks {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("pulled out"))
            }
        }
        let shop = Workshop::empty();
        let said =
            shop.store.bring_in("c", "a.rpm", &mut Breaks, Modified::default()).unwrap_err().to_string();
        assert!(said.contains("c/a.rpm") && said.ends_with("pulled out"), "{said}");
    }
}
