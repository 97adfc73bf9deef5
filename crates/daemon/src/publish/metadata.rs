//! The metadata of what is written: made anew or of the blocks that are there, put in the place of what it supersedes, and
//! remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;
use plan::{Listed, Repository, World};
use repo::{Entry, Repomd};
use store::planted::{self, Bug};
use store::{Modified, Source};

use super::{Publication, Superseded};
use crate::account::Moves;
use crate::error::Error;
use crate::observe::blocks::{InBlocks, index_path, write_index};
use crate::observe::{Shelf, WrittenShelf};
use crate::writing::{Body, Packages, Wanted, Written};

impl Publication<'_> {
    /// Writes the metadata of a repository in the form that is wanted: what changed of it, where its blocks are known.
    pub(super) fn write_metadata(
        &self,
        (repository, after): (&Repository, &World),
        wanted: &Wanted,
        (listed, moves): (&[Listed], &Moves),
        shelf: Option<&Shelf>,
        recorded: Option<&str>,
    ) -> Result<Written, Error> {
        let mut earlier = self.earlier(repository, shelf);
        if let Some(said) = after.beside.get(repository) {
            earlier.follow(said);
        }
        let now = self.now.as_second();
        let in_blocks = shelf.and_then(|shelf| Some((shelf, shelf.in_blocks()?)));
        if let Some((shelf, files)) = in_blocks.filter(|(_, files)| wanted.goes_on_in(files)) {
            let gone = moves.left.iter().filter_map(|left| shelf.place_of(&left.pkgid)).collect();
            let changed = Packages::Changed { files, gone, new: &moves.entered, known: self.known };
            return wanted.write(&changed, now, earlier, recorded);
        }
        if wanted.writing.is_named_by_sha1 {
            let entries = self.entries_of(wanted, listed)?;
            return wanted.write(&Packages::All(&entries), now, earlier, recorded);
        }
        wanted.write(&Packages::Listed { listed, known: self.known }, now, earlier, recorded)
    }

    /// Gives the metadata of packages, named as their clients want it.
    pub(super) fn entries_of(&self, wanted: &Wanted, listed: &[Listed]) -> Result<Vec<Entry>, Error> {
        let mut entries = self.known.entries_of(listed)?;
        if wanted.writing.is_named_by_sha1 {
            for (package, entry) in listed.iter().zip(&mut entries) {
                let nothing = || Error::NoEntry { nevra: package.nevra.to_string() };
                let name = self.named.get(&package.pkgid).ok_or_else(nothing)?.clone();
                *entry = entry.named(name).map_err(|_| nothing())?;
            }
        }
        Ok(entries)
    }

    /// Puts the blocks of a repository on record, and gives what it lists to be remembered once it is published: in order what
    /// it listed, without what left, and what came.
    pub(super) fn record_blocks(
        &self,
        (repository, path): (&Repository, &str),
        written: &Written,
        before: Option<(&Shelf, &Moves)>,
        private: &mut BTreeMap<Utf8PathBuf, Source>,
    ) -> Option<WrittenShelf> {
        let index = index_path(&repository.name());
        let Some(blocks) = &written.blocks else {
            private.remove(&index);
            return None;
        };
        let bytes = write_index(&written.repomd, blocks.clone());
        let modified = Modified::of_seconds(self.now.as_second());
        private.insert(index, Source::Bytes { bytes, modified, until: None });
        let repomd = Repomd::parse(&written.repomd).ok()?;
        let listed = match (&written.is_change, before) {
            (true, Some((shelf, moves))) => {
                let left: BTreeSet<&Sha256> = moves.left.iter().map(|left| &left.pkgid).collect();
                let stays = |listed: &&Listed| !left.contains(&listed.pkgid);
                shelf.listed.iter().filter(stays).chain(&moves.entered).cloned().collect()
            }
            _ => self.after.repositories.get(repository).cloned().unwrap_or_default(),
        };
        let home = self.store.paths().public_half(self.number).join(path);
        let files = InBlocks::of(Arc::clone(self.store.disk()), home, &repomd, blocks.clone())?;
        let shelf = Shelf::written(repomd, listed, written.beside.clone(), files)?;
        let file = format!("{path}/repodata/repomd.xml");
        let before = self.parent.and_then(|(parent, _)| parent.files.public.get(file.as_str()));
        Some(WrittenShelf {
            repomd: repo::sha256(&written.repomd),
            shelf: Arc::new(shelf),
            before: before.map(|facts| facts.sha256),
        })
    }

    /// Replaces the metadata of the repository at `path`, which supersedes `from` then what it named so far.
    pub(super) fn replace_metadata(
        &self,
        (repository, path): (&Repository, &str),
        written: Written,
        shelf: Option<&Shelf>,
        (modified, from): (Modified, Timestamp),
        public: &mut BTreeMap<Utf8PathBuf, Source>,
    ) {
        let until = from + self.config.grace;
        if let Some(shelf) = shelf {
            let superseded = Superseded { revision: shelf.revision, hrefs: shelf.hrefs.clone() };
            self.supersede(path, &superseded, from, public);
        }
        for record in &written.carried {
            public.insert(Utf8Path::new(path).join(&record.href), Source::Carry);
        }
        let carried = written.carried.clone();
        self.put_metadata(path, written, modified, public);
        self.write_adopted_metadata((repository, path), &carried, (modified, until), public);
    }

    /// Keeps for the grace what the metadata at `path` led to until `from`.
    pub(super) fn supersede(
        &self,
        path: &str,
        superseded: &Superseded,
        from: Timestamp,
        public: &mut BTreeMap<Utf8PathBuf, Source>,
    ) {
        let until = from + self.config.grace;
        let published = Timestamp::from_second(superseded.revision).unwrap_or(from);
        let short = plan::retention::kept_until(published, from, self.config.grace);
        for href in &superseded.hrefs {
            let file = Utf8Path::new(path).join(href);
            if planted::is(Bug::MetadataLeavesAtOnce) {
                public.remove(&file);
                continue;
            }
            // What an earlier set had already belongs to that one, too, and stays as long as any.
            let facts = self.parent.and_then(|(parent, _)| parent.files.public.get(file.as_str()));
            let is_its_own = facts.is_some_and(|facts| facts.modified.seconds == superseded.revision);
            public.insert(file, Source::CarryUntil(if is_its_own { short } else { until }));
        }
    }

    /// Puts metadata at `path`.
    pub(super) fn put_metadata(
        &self,
        path: &str,
        written: Written,
        modified: Modified,
        public: &mut BTreeMap<Utf8PathBuf, Source>,
    ) {
        let parent = self.parent.map(|(parent, _)| &parent.files.public);
        for (href, body) in written.files {
            let file = Utf8Path::new(path).join(href);
            // The same name is the same content: an older set that comes back is linked, not written again.
            let source = match body {
                _ if parent.is_some_and(|files| files.contains_key(file.as_str())) => Source::Carry,
                Body::Bytes(bytes) => Source::Bytes { bytes, modified, until: None },
                Body::Spliced { from, parts, sha256 } => {
                    Source::Spliced { from: format!("{path}/{from}"), parts, sha256, modified }
                }
            };
            public.insert(file, source);
        }
        let source = Source::Bytes { bytes: written.repomd, modified, until: None };
        public.insert(Utf8PathBuf::from(format!("{path}/repodata/repomd.xml")), source);
    }
}
