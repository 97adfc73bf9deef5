//! What headers say of paths that several packages bring: asked for where metadata cannot tell whether they differ.

use std::collections::{BTreeMap, BTreeSet};

use closure::{Bringer, Looked, Origin};

use super::{Gathering, Source};
use crate::lacking::{HeaderOf, Lacking};
use crate::layout::Repository;

impl Gathering<'_> {
    /// Tells what is known of a path of a package.
    pub(super) fn look(&self, bringer: &Bringer, path: &str) -> Looked {
        let Some(package) = self.header_of(bringer) else {
            return Looked::Unknown(format!(
                "nothing is known of where the file of `{}` lies",
                bringer.nevra
            ));
        };
        match self.world.headers.get(&package) {
            None => Looked::NotYet,
            Some(Err(why)) => Looked::Unknown(why.clone()),
            Some(Ok(files)) => match files.get(path) {
                None => Looked::NotYet,
                Some(Some(contents)) => Looked::Contents(contents.clone()),
                Some(None) => {
                    Looked::Unknown(format!("the header of `{}` does not list `{path}`", bringer.nevra))
                }
            },
        }
    }

    /// Notes the headers that nobody looked into yet.
    pub(super) fn want_headers(&self, unread: &BTreeMap<Bringer, BTreeSet<String>>, lacking: &mut Lacking) {
        for (bringer, paths) in unread {
            if let Some(package) = self.header_of(bringer) {
                lacking.headers.entry(package).or_default().extend(paths.iter().cloned());
            }
        }
    }

    fn header_of(&self, bringer: &Bringer) -> Option<HeaderOf> {
        let listed = |repository: &Repository| {
            let listed = self.world.repositories.get(repository)?;
            listed.iter().find(|listed| listed.nevra == bringer.nevra)
        };
        let entering = |repository: &Repository| {
            let listed = self.changes.get(repository)?.enter.get(bringer.at)?;
            Some(HeaderOf::Ours(listed.pkgid))
        };
        let ours = |repository: &Repository| listed(repository).map(|listed| HeaderOf::Ours(listed.pkgid));
        // Stages and contexts are numbered by themselves, in the order of the configuration.
        let stage = |number: usize| {
            let stages = self.beside().filter_map(|source| match source {
                Source::Stage { repository, .. } => Some(repository),
                Source::Context(_) => None,
            });
            stages.into_iter().nth(number)
        };
        let context = |number: usize| {
            let contexts = self.beside().filter_map(|source| match source {
                Source::Stage { .. } => None,
                Source::Context(name) => Some(name),
            });
            contexts.into_iter().nth(number)
        };
        match bringer.origin {
            Origin::Target => ours(self.repository),
            Origin::Enters => entering(self.repository),
            Origin::Beside(number) => ours(&stage(number)?),
            Origin::EntersBeside(number) => entering(&stage(number)?),
            Origin::Context(number) => {
                let platform = self.repository.platform();
                let key = (context(number)?.to_owned(), platform.clone());
                let place = self.world.contexts.get(&key)?.as_ref().ok()?.places.get(bringer.at)?.clone();
                let nevra = bringer.nevra.clone();
                Some(HeaderOf::Beside { context: key.0, platform, nevra, place })
            }
        }
    }
}
