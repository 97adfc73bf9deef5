//! The last steps in `staging/N`: the manifest, everything durable, everything read back.

use std::collections::BTreeMap;

use camino::Utf8Path;
use nevra::Sha256;

use super::{Half, Staging, difference};
use crate::files::Files;
use crate::manifest::Manifest;
use crate::planted::{self, Bug};
use crate::sealed::Sealed;
use crate::trees::{SEALED_DIRECTORY, json, sha256_of};
use crate::{Error, Generation, Modified};

impl<'a> Staging<'a> {
    /// Writes `files.json` and the manifest, makes everything durable and immutable, and reads it back.
    pub(crate) fn seal(mut self) -> Result<Sealed<'a>, Error> {
        let modified = Modified::of_seconds(self.draft.created.as_second());
        let files = json(&self.files);
        let files_facts = self.write(Half::Private, Utf8Path::new("files.json"), &files, modified, None)?;
        let manifest = self.manifest(files_facts.sha256);
        let bytes = json(&manifest);
        let facts = self.write(Half::Private, Utf8Path::new("manifest.json"), &bytes, modified, None)?;
        let generation = Generation {
            number: manifest.number,
            created: manifest.created,
            manifest,
            manifest_digest: facts.sha256,
            files: std::mem::replace(
                &mut self.files,
                Files {
                    format: 1,
                    public: BTreeMap::new(),
                    private: BTreeMap::new(),
                    packages_links: BTreeMap::new(),
                    private_links: BTreeMap::new(),
                },
            ),
        };
        self.sync()?;
        self.read_back()?;
        Ok(Sealed::new(self.store, generation, self.late))
    }

    fn manifest(&mut self, files: Sha256) -> Manifest {
        let draft = &mut self.draft;
        Manifest {
            format: 1,
            number: draft.number,
            parent: self.parent,
            created: draft.created,
            files,
            policy: sha256_of(&draft.policy),
            links_made: std::mem::take(&mut self.links_made),
            retained: std::mem::take(&mut draft.retained),
            drop_links: std::mem::take(&mut draft.drop_links),
            drop_generations: std::mem::take(&mut draft.drop_generations),
            names: std::mem::take(&mut draft.names),
            account: std::mem::take(&mut draft.account),
        }
    }

    /// Syncs every directory that got a name, bottom up; the files were synced as they were written.
    fn sync(&mut self) -> Result<(), Error> {
        let skipped = planted::is(Bug::DirectoriesOfTheHalvesNotSynced);
        // All modes before the first sync: a journal that was just written out has nothing left to do for the
        // next directory, which makes hundreds of them cheap.
        for dir in &self.directories {
            self.store.disk.set_mode(dir, SEALED_DIRECTORY)?;
        }
        // The tops stay writable: a sealed directory cannot be moved to another parent.
        if !skipped {
            for dir in self.directories.iter().rev() {
                self.store.disk.sync_directory(dir)?;
            }
            for top in ["private", "public"] {
                self.store.disk.sync_directory(&self.dir.join(top))?;
            }
        }
        self.store.disk.sync_directory(&self.dir)?;
        let paths = &self.store.paths;
        let skips = [(paths.packages(), Bug::PackagesNotSynced), (paths.pool(), Bug::PoolNotSynced)];
        std::mem::take(&mut self.touched).sync(self.store, &skips)
    }

    fn read_back(&self) -> Result<(), Error> {
        for (path, facts) in &self.written {
            let state = self.store.expect(path)?;
            let differs = |what| Error::Differs { path: path.clone(), what };
            if let Some(what) = difference(&state, facts, self.uid) {
                return Err(differs(format!("{what}, though it was just written")));
            }
            if self.store.digest_of(path)? != facts.sha256 {
                return Err(differs("its bytes are not those that were written".to_owned()));
            }
        }
        Ok(())
    }
}
