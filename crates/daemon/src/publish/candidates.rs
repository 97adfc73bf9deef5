//! The candidates of updates that are still to be published: carried, or written where one was prepared just now.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use plan::{Listed, Plan, Repository, World};
use store::{Modified, Source};

use super::{Publication, moves};
use crate::candidates::{FOLDER, PREPARED, Prepared, candidate_of, open};
use crate::error::Error;
use crate::writing::{Body, Wanted};

/// A release that is prepared.
#[derive(Debug)]
pub struct Candidate {
    /// The plan that would publish it.
    pub plan: Plan,
    /// The world as it would be then.
    pub after: World,
}

/// What a candidate consists of.
type Files = BTreeMap<Utf8PathBuf, Source>;

/// Its links to what the public repositories have, below `public/`.
type Links = BTreeMap<Utf8PathBuf, String>;

impl Publication<'_> {
    /// Adds to the private half the candidates of the updates that are open, and gives their links. What was published or
    /// dropped, and what was prepared anew, stays behind.
    pub(super) fn write_candidates(&self, modified: Modified, private: &mut Files) -> Result<Links, Error> {
        let open = open(&self.after.workflow);
        let mut links = Links::new();
        let is_open = |path: &str| candidate_of(path).is_some_and(|hash| open.contains(hash));
        if let Some((parent, _)) = self.parent {
            let files = parent.files.private.iter().filter(|(path, _)| is_open(path));
            // A purge leaves a candidate behind that cannot be published.
            let files = files.filter(|(_, facts)| !self.after.purged.contains(&facts.sha256));
            private.extend(files.map(|(path, _)| (Utf8PathBuf::from(path.as_str()), Source::Carry)));
            for (path, target) in parent.files.private_links.iter().filter(|(path, _)| is_open(path)) {
                let place = target.trim_start_matches("../").strip_prefix("public/").unwrap_or_default();
                links.insert(Utf8PathBuf::from(path.as_str()), place.to_owned());
            }
        }
        for candidate in &self.candidates {
            let hash = candidate.plan.hash().hex();
            if open.contains(&hash) {
                let top = format!("{FOLDER}{hash}");
                // The same plan may have been prepared of an update before: what it made then goes.
                private.retain(|path, _| !path.starts_with(&top));
                links.retain(|path, _| !path.starts_with(&top));
                self.write_candidate(candidate, Utf8Path::new(&top), modified, (private, &mut links))?;
            }
        }
        Ok(links)
    }

    /// Writes one candidate. Its pages will lie beside its repositories.
    fn write_candidate(
        &self,
        candidate: &Candidate,
        top: &Utf8Path,
        modified: Modified,
        (files, links): (&mut Files, &mut Links),
    ) -> Result<(), Error> {
        let mut paths = BTreeMap::new();
        for repository in candidate.plan.changes.keys() {
            let Some(path) = self.path_of(repository) else {
                return Err(Error::NoPath { repository: repository.name() });
            };
            paths.insert(repository.name(), path.clone());
            self.write_prepared(candidate, (repository, &path), top, modified, files)?;
            let listed = candidate.after.repositories.get(repository).map_or(&[][..], Vec::as_slice);
            let before = self.before.get(repository).map_or(&[][..], |shelf| &shelf.listed);
            let entered = moves(before, listed).entered;
            link_packages(repository, (listed, &entered), &top.join(&path), (files, links));
        }
        let generation = self.parent.map_or(0, |(parent, _)| parent.number);
        let prepared = Prepared::of(&candidate.plan, generation, paths).bytes();
        let text = candidate.plan.print().into_bytes();
        for (name, bytes) in [(PREPARED, prepared), ("plan.txt", text)] {
            files.insert(top.join(name), Source::Bytes { bytes, modified, until: None });
        }
        Ok(())
    }

    fn path_of(&self, repository: &Repository) -> Option<String> {
        let known = self.parent.and_then(|(_, account)| account.repositories.get(&repository.name()));
        known.map(|shelved| shelved.path.clone()).or_else(|| self.after.layout.path(repository))
    }

    /// Writes the metadata of a repository as it would be; it is not signed, for a signature is a promise to the world.
    fn write_prepared(
        &self,
        candidate: &Candidate,
        (repository, path): (&Repository, &str),
        top: &Utf8Path,
        modified: Modified,
        files: &mut Files,
    ) -> Result<(), Error> {
        let name = repository.name();
        let shelf = self.before.get(repository).map(|shelf| &**shelf);
        let account = self.parent.map(|(_, account)| account);
        let recorded = account.and_then(|account| account.repositories.get(&name)?.form.clone());
        let wanted = Wanted::of(self.config, &candidate.after.standing, repository)?;
        let listed = candidate.after.repositories.get(repository).map_or(&[][..], Vec::as_slice);
        let changed = moves(shelf.map_or(&[], |shelf| &shelf.listed), listed);
        let written = self.write_metadata(
            (repository, &candidate.after),
            &wanted,
            (listed, &changed),
            shelf,
            recorded.as_deref(),
        )?;
        let parent = self.parent.map(|(parent, _)| parent);
        let carried = |file: &Utf8Path| {
            let generation = parent.map_or(0, |parent| parent.number);
            let path = file.to_string();
            Source::OfPublic(Box::new(Source::CarryFrom { generation, path, until: None }))
        };
        let folder = top.join(path);
        for record in &written.carried {
            files.insert(folder.join(&record.href), carried(&Utf8Path::new(path).join(&record.href)));
        }
        for (href, body) in written.files {
            let file = Utf8Path::new(path).join(&href);
            let source = match body {
                _ if parent.is_some_and(|parent| parent.files.public.contains_key(file.as_str())) => {
                    carried(&file)
                }
                Body::Bytes(bytes) => Source::Bytes { bytes, modified, until: None },
                Body::Spliced { from, parts, sha256 } => {
                    let from = format!("{path}/{from}");
                    Source::OfPublic(Box::new(Source::Spliced { from, parts, sha256, modified }))
                }
            };
            files.insert(folder.join(href), source);
        }
        let bytes = written.repomd;
        files.insert(folder.join("repodata/repomd.xml"), Source::Bytes { bytes, modified, until: None });
        Ok(())
    }
}

/// Makes the packages of a repository be found: what enters by names of its own, what stays where it is. So it costs what
/// enters, and 256 links at most.
fn link_packages(
    repository: &Repository,
    (listed, entered): (&[Listed], &[Listed]),
    folder: &Utf8Path,
    (files, links): (&mut Files, &mut Links),
) {
    let mut shards: BTreeMap<String, Vec<&Listed>> = BTreeMap::new();
    for one in listed {
        shards.entry(one.pkgid.shard()).or_default().push(one);
    }
    for (shard, listed) in shards {
        if !entered.iter().any(|one| one.pkgid.shard() == shard) {
            let place = format!("packages/{}/{shard}", repository.name());
            links.insert(folder.join(format!("Packages/{shard}")), place);
            continue;
        }
        for one in listed {
            let path = folder.join(one.href());
            match entered.iter().any(|new| new.pkgid == one.pkgid) {
                true => drop(files.insert(path, Source::Pooled { digest: one.pkgid, until: None })),
                false => drop(links.insert(path, one.link(repository))),
            }
        }
    }
}
