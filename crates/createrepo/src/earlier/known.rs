//! Which packages are known without reading them: those that repodata lists, if their files have the size and time of then.

use std::collections::HashMap;

use camino::Utf8Path;
use nevra::Algorithm;
use repo::{Compression, Identity};
use store::{Disk, State};

use super::blocks::{OldFile, Opened, opened};
use super::index_of;
use super::repacked::repacked;
use crate::Error;

/// What is known of packages without reading them.
#[derive(Default)]
pub(crate) struct Known {
    repositories: Vec<Repository>,
    by_href: HashMap<String, At>,
    /// Also by the last part of the place, for packages that moved.
    by_name: HashMap<String, Vec<At>>,
    skips_stat: bool,
}

/// A repository that lists packages, and what it lists.
pub(crate) struct Repository {
    pub files: [OldFile; 3],
    packages: Vec<Identity>,
}

/// A package that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    pub repository: usize,
    pub package: usize,
}

impl Known {
    /// Knows nothing.
    pub(crate) fn nothing(skips_stat: bool) -> Known {
        Known { skips_stat, ..Known::default() }
    }

    /// Learns what a repository lists. What was known before is not unlearned.
    ///
    /// # Errors
    ///
    /// Its metadata cannot be read; nothing was learned then, and packages have to be read.
    pub(crate) fn learn(
        &mut self,
        disk: &dyn Disk,
        repository: &Utf8Path,
        compression: Compression,
    ) -> Result<(), Error> {
        let Some(repomd) = index_of(disk, repository)? else { return Ok(()) };
        let (files, packages) = match opened(disk, repository, &repomd)? {
            Some(files) => {
                let packages = identities(&files[0])?;
                (files, packages)
            }
            None => repacked(disk, repository, &repomd, compression)?,
        };
        let repository = self.repositories.len();
        for (package, identity) in packages.iter().enumerate() {
            let at = At { repository, package };
            let name = Utf8Path::new(&identity.href).file_name().unwrap_or_default();
            match self.by_name.get_mut(name) {
                Some(places) => places.push(at),
                None => _ = self.by_name.insert(name.to_owned(), vec![at]),
            }
            if !self.by_href.contains_key(&identity.href) {
                self.by_href.insert(identity.href.clone(), at);
            }
        }
        self.repositories.push(Repository { files, packages });
        Ok(())
    }

    /// Finds what is known of the file that is to be listed at `href`, if it is believed to be the same: it has
    /// the size and time of then, or nobody wants to know.
    pub(crate) fn of(&self, href: &str, algorithm: Algorithm, state: Option<State>) -> Option<At> {
        let same = |at: &At| {
            let identity = self.identity(*at);
            identity.pkgid.algorithm == algorithm
                && state.map_or(self.skips_stat, |state| {
                    state.size == identity.size_package && state.modified.seconds == identity.time_file
                })
        };
        let name = Utf8Path::new(href).file_name().unwrap_or_default();
        let elsewhere = || self.by_name.get(name).into_iter().flatten().find(|at| same(at)).copied();
        self.by_href.get(href).filter(|at| same(at)).copied().or_else(elsewhere)
    }

    pub(crate) fn identity(&self, At { repository, package }: At) -> &Identity {
        &self.repositories[repository].packages[package]
    }

    pub(crate) fn file(&self, repository: usize, document: usize) -> &OldFile {
        &self.repositories[repository].files[document]
    }

    /// Unpacks a block, the text into `room`, and proves that it lists the packages that primary lists there.
    ///
    /// # Errors
    ///
    /// It cannot be unpacked, or lists others: then nothing of the repository is to be believed.
    pub(crate) fn open(
        &self,
        repository: usize,
        document: usize,
        block: usize,
        room: Vec<u8>,
    ) -> Result<Opened, Error> {
        let Repository { files, packages } = &self.repositories[repository];
        let file = &files[document];
        let opened = file.open(block, room)?;
        // Of primary the packages were read from these blocks themselves.
        if document > 0 {
            let first = file.places[block].1.start;
            let differs = |at: &usize| !lists(opened.fragment(*at), &packages[first + at].pkgid.hex);
            if let Some(at) = (0..opened.ends.len()).find(differs) {
                let problem = format!("it lacks package `{}` at its place", packages[first + at].pkgid.hex);
                let document = super::DOCUMENTS[document];
                return Err(file.misunderstood(repo::Error::Unmatched { document, problem }));
            }
        }
        Ok(opened)
    }

    /// Whether files need not even be looked at.
    pub(crate) fn skips_stat(&self) -> bool {
        self.skips_stat
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_href.is_empty()
    }
}

/// Says whether a fragment of filelists or other is about a package.
fn lists(fragment: &[u8], pkgid: &str) -> bool {
    const USUAL: &[u8] = b"<package pkgid=\"";
    if let Some(rest) = fragment.strip_prefix(USUAL) {
        return rest.strip_prefix(pkgid.as_bytes()).is_some_and(|rest| rest.starts_with(b"\""));
    }
    let tag = fragment.split(|byte| *byte == b'>').next().unwrap_or_default();
    let tag = String::from_utf8_lossy(tag);
    [format!(" pkgid=\"{pkgid}\""), format!(" pkgid='{pkgid}'")].iter().any(|words| tag.contains(words))
}

/// Sees which packages primary lists.
fn identities(primary: &OldFile) -> Result<Vec<Identity>, Error> {
    // The file may claim any number.
    let mut packages = Vec::new();
    let mut room = Vec::new();
    for block in 0..primary.places.len() {
        let opened = primary.open(block, room)?;
        for package in 0..opened.ends.len() {
            let identity = Identity::of(opened.fragment(package));
            packages.push(identity.map_err(|cause| primary.misunderstood(cause))?);
        }
        room = opened.text;
    }
    Ok(packages)
}
