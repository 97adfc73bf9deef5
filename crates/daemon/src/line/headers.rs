//! Reads what headers say of paths that several packages bring.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use nevra::Nevra;
use plan::{HeaderOf, Place, Platform};
use store::Reading;

use super::Line;
use crate::adoption::folder::Folder;
use crate::config::ContextSource;
use crate::error::Error;

/// An opened package and where it lies.
type Opened = (Utf8PathBuf, Box<dyn Reading>);

impl Line<'_> {
    /// Tells the world what the headers of `packages` say of some paths.
    ///
    /// Headers of our own packages are read from the pool. Those of a context are read if it is a folder in which the
    /// file lies that its metadata names; whatever else is the case is told in words, and holds up nobody.
    pub(super) fn read_headers(
        &mut self,
        packages: &BTreeMap<HeaderOf, BTreeSet<String>>,
    ) -> Result<(), Error> {
        for (package, paths) in packages {
            let known = match self.world.headers.get(package) {
                Some(Ok(known)) => known.clone(),
                _ => BTreeMap::new(),
            };
            let said = self.header(package, paths)?.map(|more| known.into_iter().chain(more).collect());
            self.world.headers.insert(package.clone(), said);
        }
        if !packages.is_empty() {
            self.engine.reader.rest();
        }
        Ok(())
    }

    fn header(&self, package: &HeaderOf, paths: &BTreeSet<String>) -> Result<plan::Header, Error> {
        let (opened, listed) = match package {
            HeaderOf::Ours(digest) => {
                let pooled = self.engine.store.paths().pool_file(digest);
                let path = self.arriving.get(digest).unwrap_or(&pooled).clone();
                let file = self.engine.disk.open(&path)?;
                ((path, file), None)
            }
            HeaderOf::Beside { context, platform, nevra, place } => {
                match self.opened_beside(context, platform, place) {
                    Ok(opened) => (opened, Some(nevra)),
                    Err(why) => return Ok(Err(why)),
                }
            }
        };
        let (path, mut file) = opened;
        let held = match self.engine.reader.files(&path, &mut *file, paths) {
            Ok(Ok(held)) => held,
            Ok(Err(unfit)) => return Ok(Err(format!("`{path}`: {}", unfit.words))),
            // A gate that cannot run has failed.
            Err(error @ Error::Worker { .. }) => return Ok(Err(error.to_string())),
            Err(error) if listed.is_some() => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        };
        let is_other = |listed: &&Nevra| **listed != held.nevra;
        if let Some(listed) = listed.filter(is_other) {
            return Ok(Err(format!("`{path}` is `{}`, and its metadata says `{listed}`", held.nevra)));
        }
        let mut files = held.files;
        Ok(Ok(paths.iter().map(|path| (path.clone(), files.remove(path))).collect()))
    }

    /// Opens the file of a package that a context lists, or says why that cannot be.
    fn opened_beside(&self, name: &str, platform: &Platform, place: &Place) -> Result<Opened, String> {
        let named = |why: &str| format!("the context `{name}` {why}");
        let context = self.engine.config.contexts.get(name);
        let context = context.ok_or_else(|| named("is not in the configuration"))?;
        let top = match context.source.at(platform) {
            ContextSource::Folder(top) => Utf8PathBuf::from(top),
            ContextSource::Url(url) => {
                let why = format!("is a URL, `{url}`, of which only metadata is here, and no packages");
                return Err(named(&why));
            }
        };
        let folder = Folder { disk: &*self.engine.disk, top };
        let found =
            folder.find(&place.href, &format!("the context `{name}`")).map_err(|refusal| refusal.sentence)?;
        if found.state.size != place.size {
            let (path, size) = (&found.path, found.state.size);
            return Err(format!("`{path}` has {size} bytes, and its metadata says {}", place.size));
        }
        Ok((found.path, found.file))
    }
}
