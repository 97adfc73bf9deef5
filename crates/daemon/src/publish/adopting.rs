//! What an adopted repository adds to a draft: its records, its old metadata, its packages under their old hrefs.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use plan::Repository;
use repo::Record;
use store::{Modified, PackageLink, Source};

use super::{Adoption, Publication};
use crate::adoption::Place;
use crate::observe::Shelf;
use crate::writing::{Carried, Earlier, are_about_the_same};

impl Publication<'_> {
    pub(super) fn adoptions_of<'b>(
        &'b self,
        repository: &'b Repository,
    ) -> impl Iterator<Item = &'b Adoption> {
        self.adoptions.iter().filter(move |adoption| adoption.repository == *repository)
    }

    /// Gives the repomd.xml whose notes and records are carried on: of a record type that is adopted, the
    /// adopted one.
    pub(super) fn earlier(&self, repository: &Repository, shelf: Option<&Shelf>) -> Earlier {
        let mut earlier = shelf.map_or_else(Earlier::default, |shelf| Earlier {
            repomd: Some(shelf.repomd.clone()),
            beside: shelf.beside.clone(),
            ..Earlier::default()
        });
        for adoption in self.adoptions_of(repository) {
            let adopted = &adoption.adopted;
            let mut repomd = match earlier.repomd.take() {
                Some(known) if known.records.iter().any(|record| !record.is_made_from_packages()) => known,
                // Nothing is carried yet: the parts that come as they stood keep the root they stood below.
                _ => {
                    let mut repomd = adopted.repomd.clone();
                    repomd.records.clear();
                    repomd
                }
            };
            repomd.records.retain(|record| !is_adopted(adoption, record));
            repomd.records.extend(adopted.carried.iter().map(|(record, _)| record.clone()));
            let mut beside = earlier.beside;
            beside.give_way_to(&adopted.beside, adopted.carried.iter().map(|(record, _)| record));
            let carried = Carried::default();
            earlier = Earlier { repomd: Some(repomd), beside, are_updates_new: true, carried };
        }
        earlier
    }

    /// Adds the files of those adopted records that are `carried`, and the old metadata files under their old names until `until`.
    pub(super) fn write_adopted_metadata(
        &self,
        (repository, path): (&Repository, &str),
        carried: &[Record],
        (modified, until): (Modified, Timestamp),
        public: &mut BTreeMap<Utf8PathBuf, Source>,
    ) {
        let parent = self.parent.map(|(parent, _)| &parent.files.public);
        let known = |file: &Utf8Path| parent.and_then(|files| files.get(file.as_str()));
        for adoption in self.adoptions_of(repository) {
            let adopted = adoption.adopted.carried.iter().filter(|(record, _)| carried.contains(record));
            for (record, bytes) in adopted {
                let file = Utf8Path::new(path).join(&record.href);
                let source = match known(&file) {
                    Some(_) => Source::Carry,
                    None => Source::Bytes { bytes: bytes.clone(), modified, until: None },
                };
                public.insert(file, source);
            }
            for (href, bytes) in &adoption.adopted.metadata {
                let Place::File(file) = Place::of(repository, path, href) else { continue };
                let file = Utf8PathBuf::from(file);
                let superseded = matches!(public.get(&file), None | Some(Source::CarryUntil(_)));
                if !superseded {
                    // What is current under this name goes first.
                    continue;
                }
                let source = match known(&file).filter(|facts| facts.sha256 == repo::sha256(bytes)) {
                    Some(_) => Source::CarryUntil(until),
                    None => Source::Shared { bytes: Arc::clone(bytes), modified, until: Some(until) },
                };
                public.insert(file, source);
            }
        }
    }

    /// Lets the packages answer under their old hrefs until `until`: below `Packages` by links, else as files.
    pub(super) fn write_old_hrefs(
        &self,
        repository: &Repository,
        path: &str,
        until: Timestamp,
        (public, links, retained): (
            &mut BTreeMap<Utf8PathBuf, Source>,
            &mut Vec<PackageLink>,
            &mut BTreeMap<String, Timestamp>,
        ),
    ) {
        for adoption in self.adoptions_of(repository) {
            for (href, digest) in &adoption.places.hrefs {
                match Place::of(repository, path, href) {
                    Place::Link(link) => {
                        links.push(PackageLink { digest: *digest, path: link.clone() });
                        retained.insert(link, until);
                    }
                    Place::File(file) => {
                        public.insert(file.into(), Source::Pooled { digest: *digest, until: Some(until) });
                    }
                }
            }
        }
    }

    /// The links that adoptions promise anew, whatever a sweep beside them makes of them.
    pub(super) fn promised_links(&self) -> Vec<String> {
        let mut promised = Vec::new();
        for adoption in &self.adoptions {
            let path = self.after.layout.path(&adoption.repository).unwrap_or_default();
            for href in adoption.places.hrefs.keys() {
                if let Place::Link(link) = Place::of(&adoption.repository, &path, href) {
                    promised.push(link);
                }
            }
        }
        promised
    }
}

/// Whether an adopted record stands in the place of one that is there; what both say is put together by the plan.
fn is_adopted(adoption: &Adoption, known: &Record) -> bool {
    adoption.adopted.carried.iter().any(|(record, _)| are_about_the_same(record, known))
}
