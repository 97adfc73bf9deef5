//! What arrives for a request before its generation has a number: `staging/import/<claim name>/`.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Sha256;
use sha2::Digest as _;

use crate::paths::is_component;
use crate::trees::{OPEN_DIRECTORY, SEALED_FILE};
use crate::{Error, Kind, Modified, Store};

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
        let (dir, _) = self.import_place(claim, name)?;
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

    /// Brings in the file `from` under the name that its digest makes, or finds it there from an earlier time.
    ///
    /// `name` tells the file that is wanted from all others of the request; with it and the digest the file is
    /// named once it is complete, so that whoever was cut short goes on with the next one. `modified` is the
    /// time the copy gets. The bytes are shared with the original where the disk can. `watch` sees every piece
    /// of the copy as it is hashed. The file is durable when this returns, its name when the directory was
    /// synced ([`Store::sync_import`]). `None` if the original has not `size` bytes while it is copied.
    pub fn bring_in_once(
        &self,
        claim: &str,
        name: &str,
        from: &Utf8Path,
        (size, modified): (u64, Modified),
        watch: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<Arrived>, Error> {
        let (dir, is_new) = self.import_place(claim, name)?;
        if is_new {
            self.disk.sync_directory(&self.paths.imports())?;
        }
        let incomplete = dir.join("incomplete");
        self.remove_tree(&incomplete)?;
        let (sha256, copied) = match self.disk.clone_file(from, &incomplete, SEALED_FILE)? {
            Some(mut writing) => {
                writing.set_modified(modified)?;
                writing.sync()?;
                self.hashed(&incomplete, watch)?
            }
            None => {
                let mut reader = self.disk.open(from)?;
                let mut watched = Watched { reader: &mut (&mut *reader).take(size + 1), watch };
                let arrived = self.copy(incomplete.clone(), &mut watched, modified)?;
                if self.digest_of(&incomplete)? != arrived.sha256 {
                    let what = "its bytes are not those that were written".to_owned();
                    return Err(Error::Differs { path: incomplete, what });
                }
                (arrived.sha256, arrived.size)
            }
        };
        if copied != size {
            self.remove_tree(&incomplete)?;
            return Ok(None);
        }
        let path = dir.join(format!("{name}-{sha256}"));
        self.disk.rename(&incomplete, &path)?;
        Ok(Some(Arrived { sha256, size, path }))
    }

    /// The directory of a request's arrivals, and whether it was made just now and is not durable yet.
    fn import_place(&self, claim: &str, name: &str) -> Result<(Utf8PathBuf, bool), Error> {
        for word in [claim, name] {
            if !is_component(word) {
                return Err(Error::NoFileName { name: word.to_owned() });
            }
        }
        let dir = self.paths.import(claim);
        let is_new = self.disk.state(&dir)?.is_none();
        if is_new {
            self.disk.make_directory(&dir, OPEN_DIRECTORY)?;
        }
        Ok((dir, is_new))
    }

    /// Lists what [`Store::bring_in_once`] completed for the request `claim`, by the name it was asked for.
    pub fn brought_in(&self, claim: &str) -> Result<BTreeMap<String, Arrived>, Error> {
        let dir = self.paths.import(claim);
        if !is_component(claim) || self.disk.state(&dir)?.is_none() {
            return Ok(BTreeMap::new());
        }
        let mut found = BTreeMap::new();
        for file in self.disk.list(&dir)?.names {
            let Some((name, digest)) = file.rsplit_once('-') else { continue };
            let path = dir.join(&file);
            let Some((sha256, state)) = digest.parse().ok().zip(self.disk.state(&path)?) else { continue };
            if (state.kind, state.mode) == (Kind::File, SEALED_FILE) {
                found.insert(name.to_owned(), Arrived { sha256, size: state.size, path });
            }
        }
        Ok(found)
    }

    /// Makes the names durable of what was brought in for the request `claim`.
    pub fn sync_import(&self, claim: &str) -> Result<(), Error> {
        let dir = self.paths.import(claim);
        if self.disk.state(&dir)?.is_some() { self.disk.sync_directory(&dir) } else { Ok(()) }
    }

    fn hashed(&self, path: &Utf8Path, watch: &mut dyn FnMut(&[u8])) -> Result<(Sha256, u64), Error> {
        let mut reader = self.disk.open(path)?;
        let mut hasher = sha2::Sha256::new();
        let mut buffer = vec![0; 1 << 18];
        let mut size = 0;
        loop {
            match reader.read(&mut buffer).map_err(|e| Error::disk("read", path, e))? {
                0 => return Ok((Sha256::from(<[u8; 32]>::from(hasher.finalize())), size)),
                count => {
                    hasher.update(&buffer[..count]);
                    watch(&buffer[..count]);
                    size += count as u64;
                }
            }
        }
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

/// A stream somebody watches.
struct Watched<'a> {
    reader: &'a mut dyn Read,
    watch: &'a mut dyn FnMut(&[u8]),
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        (self.watch)(&buffer[..count]);
        Ok(count)
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

    #[test]
    fn what_is_complete_is_found_again_by_its_name_and_digest() {
        let shop = Workshop::empty();
        shop.write("old.rpm", "package");
        let mut seen = 0;
        let mut bring = |size| {
            let wanted = (size, Modified::of_seconds(7));
            shop.store.bring_in_once("c-1", "sha1-ab", &shop.at("old.rpm"), wanted, &mut |piece| {
                seen += piece.len()
            })
        };
        assert_eq!(bring(6).unwrap(), None, "it grew");
        assert_eq!(bring(8).unwrap(), None, "it shrank");
        let arrived = bring(7).unwrap().unwrap();
        assert_eq!(seen, 7 * 3);
        assert_eq!(shop.names("staging/import/c-1"), [format!("sha1-ab-{}", arrived.sha256)]);
        let state = PosixDisk.state(&arrived.path).unwrap().unwrap();
        assert_eq!((state.mode, state.modified.seconds), (0o444, 7));
        shop.store.sync_import("c-1").unwrap();
        shop.write("staging/import/c-1/incomplete", "half");
        assert_eq!(shop.store.brought_in("c-1").unwrap(), BTreeMap::from([("sha1-ab".to_owned(), arrived)]));
        assert!(shop.store.brought_in("c-2").unwrap().is_empty());
    }
}
