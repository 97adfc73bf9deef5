//! Building a generation in `staging/N`, where nobody sees it.
//!
//! The chain is [`Staging`] -> [`crate::sealed::Sealed`] -> [`crate::Generation`]: only what was sealed can be published.

mod linking;
mod sealing;
mod splicing;

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;

use crate::files::{FileFacts, Files};
use crate::manifest::Parent;
use crate::planted::{self, Bug};
use crate::trees::{OPEN_DIRECTORY, SEALED_FILE, Touched, sha256_of};
use crate::{Draft, Error, Generation, Kind, Modified, Source, State, Store, Writing};

/// A generation that is being built.
pub(crate) struct Staging<'a> {
    store: &'a Store,
    draft: Draft,
    parent: Option<Parent>,
    /// The generations files are carried from, as far as they were read.
    others: BTreeMap<u64, Generation>,
    dir: Utf8PathBuf,
    /// Whoever builds: what is carried must be his.
    uid: u32,
    files: Files,
    /// What was written here, to be read back, with its place.
    written: BTreeMap<Utf8PathBuf, FileFacts>,
    /// The directories inside the halves.
    directories: BTreeSet<Utf8PathBuf>,
    links_made: Vec<String>,
    touched: Touched,
    /// Empty, unless a bug was planted that syncs too late.
    late: Vec<Box<dyn Writing>>,
}

/// One of the two halves while it is built.
#[derive(Clone, Copy)]
enum Half {
    Public,
    Private,
}

impl<'a> Staging<'a> {
    /// Makes `staging/N`; from here on the number is used.
    pub(crate) fn begin(
        store: &'a Store,
        draft: Draft,
        parent: Option<Generation>,
    ) -> Result<Staging<'a>, Error> {
        let dir = store.paths.staging_of(draft.number);
        for made in [dir.clone(), dir.join("private"), dir.join("public")] {
            store.disk.make_directory(&made, OPEN_DIRECTORY)?;
        }
        let uid = store.expect(&dir)?.uid;
        let empty = BTreeMap::new;
        let files = Files {
            format: 1,
            public: empty(),
            private: empty(),
            packages_links: BTreeMap::new(),
            private_links: BTreeMap::new(),
        };
        Ok(Staging {
            store,
            draft,
            parent: parent
                .as_ref()
                .map(|parent| Parent { number: parent.number, digest: parent.manifest_digest }),
            others: parent.into_iter().map(|parent| (parent.number, parent)).collect(),
            dir,
            uid,
            files,
            written: BTreeMap::new(),
            directories: BTreeSet::new(),
            links_made: Vec::new(),
            touched: Touched::default(),
            late: Vec::new(),
        })
    }

    /// Writes and carries the files of both halves, and makes the symlinks.
    pub(crate) fn fill(mut self) -> Result<Staging<'a>, Error> {
        for (path, source) in std::mem::take(&mut self.draft.private) {
            let facts = self.place(Half::Private, &path, source)?;
            self.files.private.insert(path.into_string(), facts);
        }
        for (path, source) in std::mem::take(&mut self.draft.public) {
            let facts = self.place(Half::Public, &path, source)?;
            self.files.public.insert(path.into_string(), facts);
        }
        for (path, repository) in std::mem::take(&mut self.draft.packages_links) {
            // From public/@N/<dir of path> up to public/.
            let target = format!("{}packages/{repository}", "../".repeat(path.components().count()));
            let at = self.dir.join("public").join(&path);
            self.make_room(&at)?;
            self.store.disk.symlink(&target, &at)?;
            self.files.packages_links.insert(path.into_string(), target);
        }
        for (path, place) in std::mem::take(&mut self.draft.private_links) {
            // From generations/N/<dir of path> up to the root.
            let target = format!("{}public/{place}", "../".repeat(path.components().count() + 1));
            let at = self.dir.join("private").join(&path);
            self.make_room(&at)?;
            self.store.disk.symlink(&target, &at)?;
            self.files.private_links.insert(path.into_string(), target);
        }
        Ok(self)
    }

    fn place(&mut self, half: Half, path: &Utf8Path, source: Source) -> Result<FileFacts, Error> {
        self.place_of(half, half, path, source)
    }

    /// Places a file of a half that is made of what lies in another, or in the same.
    fn place_of(
        &mut self,
        half: Half,
        of: Half,
        path: &Utf8Path,
        source: Source,
    ) -> Result<FileFacts, Error> {
        let parent = self.parent.as_ref().map(|parent| parent.number);
        let (from, from_path, until) = match source {
            Source::OfPublic(source) => {
                if matches!(half, Half::Public) {
                    return Err(self.refuse(format!("`{path}` lies in the public half itself")));
                }
                return self.place_of(half, Half::Public, path, *source);
            }
            Source::Bytes { bytes, modified, until } => {
                return self.write(half, path, &bytes, modified, until);
            }
            Source::Shared { bytes, modified, until } => {
                return self.write(half, path, &bytes, modified, until);
            }
            Source::Pooled { digest, until } => return self.pooled(half, path, digest, until),
            Source::Spliced { from, parts, sha256, modified } => {
                return self.splice((half, of), path, &from, (&parts, sha256, modified));
            }
            Source::Carry => (parent, path.to_string(), None),
            Source::CarryUntil(until) => (parent, path.to_string(), Some(until)),
            Source::CarryFrom { generation, path, until } => (Some(generation), path, until),
        };
        let Some(number) = from else {
            return Err(self.refuse(format!("`{path}` cannot be carried: there is no parent")));
        };
        // Taken out while the rest of `self` is written to.
        let generation = match self.others.remove(&number) {
            Some(generation) => generation,
            None => self.store.generation(number)?,
        };
        let carried = self.carry((half, of), &generation, &from_path, path, until);
        self.others.insert(number, generation);
        carried
    }

    /// Links a sealed file of another generation forward, unless somebody wrote into the tree.
    fn carry(
        &mut self,
        (half, of): (Half, Half),
        from: &Generation,
        from_path: &str,
        path: &Utf8Path,
        until: Option<Timestamp>,
    ) -> Result<FileFacts, Error> {
        let (facts, place) = self.untouched(of, from, from_path)?;
        let facts = FileFacts { until, ..facts };
        let at = self.at(half, path);
        self.make_room(&at)?;
        self.store.disk.link(&place, &at)?;
        Ok(facts)
    }

    /// Finds a sealed file of another generation, unless somebody wrote into the tree.
    fn untouched(
        &self,
        half: Half,
        from: &Generation,
        from_path: &str,
    ) -> Result<(FileFacts, Utf8PathBuf), Error> {
        let (paths, number) = (&self.store.paths, from.number);
        let (files, dir) = match half {
            Half::Public => (&from.files.public, paths.public_half(number)),
            Half::Private => (&from.files.private, paths.private_half(number)),
        };
        let Some(facts) = files.get(from_path) else {
            return Err(
                self.refuse(format!("`{from_path}` cannot be carried: generation {number} has no such file"))
            );
        };
        let place = dir.join(from_path);
        let state = self.store.expect(&place)?;
        if let Some(what) = difference(&state, facts, self.uid)
            && !planted::is(Bug::ForwardLinkNotCompared)
        {
            let what = format!("{what}: somebody wrote into generation {number} after it was sealed");
            return Err(Error::Differs { path: place, what });
        }
        Ok((*facts, place))
    }

    /// Makes `path` another name of a package in the pool.
    fn pooled(
        &mut self,
        half: Half,
        path: &Utf8Path,
        digest: Sha256,
        until: Option<Timestamp>,
    ) -> Result<FileFacts, Error> {
        let pooled = self.store.paths.pool_file(&digest);
        let state = self.store.expect(&pooled)?;
        let facts = FileFacts { size: state.size, sha256: digest, modified: state.modified, until };
        if let Some(what) = difference(&state, &facts, self.uid) {
            return Err(Error::Differs {
                path: pooled,
                what: format!("{what}: somebody wrote into the pool"),
            });
        }
        let at = self.at(half, path);
        self.make_room(&at)?;
        self.store.disk.link(&pooled, &at)?;
        Ok(facts)
    }

    fn write(
        &mut self,
        half: Half,
        path: &Utf8Path,
        bytes: &[u8],
        modified: Modified,
        until: Option<Timestamp>,
    ) -> Result<FileFacts, Error> {
        let at = self.at(half, path);
        self.make_room(&at)?;
        let writing = self.store.write_file(&at, bytes, Some(modified))?;
        let facts = FileFacts { size: bytes.len() as u64, sha256: sha256_of(bytes), modified, until };
        self.wrote(at, writing, facts)?;
        Ok(facts)
    }

    /// Makes a file durable that was written, which must be `facts` when it is read back.
    fn wrote(
        &mut self,
        at: Utf8PathBuf,
        mut writing: Box<dyn Writing>,
        facts: FileFacts,
    ) -> Result<(), Error> {
        if planted::is(Bug::FlippedBeforeTheHalvesAreSynced) {
            self.late.push(writing);
        } else if !planted::is(Bug::FilesOfTheHalvesNotSynced) {
            writing.sync()?;
        }
        self.written.insert(at, facts);
        Ok(())
    }

    fn at(&self, half: Half, path: &Utf8Path) -> Utf8PathBuf {
        match half {
            Half::Public => self.dir.join("public").join(path),
            Half::Private => self.dir.join("private").join(path),
        }
    }

    fn make_room(&mut self, at: &Utf8Path) -> Result<(), Error> {
        let Some(dir) = at.parent() else { return Ok(()) };
        if !self.directories.contains(dir) {
            self.directories.extend(self.store.make_directories(dir, &mut Touched::default())?);
        }
        Ok(())
    }

    fn refuse(&self, what: String) -> Error {
        Error::Draft { number: self.draft.number, what }
    }
}

/// Says how a file differs from what was sealed, if it does.
pub(crate) fn difference(state: &State, facts: &FileFacts, uid: u32) -> Option<String> {
    if state.kind != Kind::File {
        return Some("it is not a regular file".to_owned());
    }
    if state.mode != SEALED_FILE {
        return Some(format!("its mode is {:04o}, not {SEALED_FILE:04o}", state.mode));
    }
    if state.uid != uid {
        return Some(format!("its owner is {}, not {uid}", state.uid));
    }
    if state.size != facts.size {
        return Some(format!("its size is {}, not {}", state.size, facts.size));
    }
    if state.modified != facts.modified {
        let words = |m: Modified| format!("{}.{:09}", m.seconds, m.nanoseconds);
        return Some(format!("it was modified at {}, not {}", words(state.modified), words(facts.modified)));
    }
    None
}
