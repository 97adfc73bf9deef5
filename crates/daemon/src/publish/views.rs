//! The views of what is written: worked out from the new listing, and touched only where what they list has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use nevra::Nevra;
use plan::{Kind, Listed, Rejected, Repository, Standing};
use store::planted::{self, Bug};
use store::{Generation, Modified, Source};

use super::{METALINK, Publication, Superseded};
use crate::account::{Shelved, View, Views};
use crate::error::Error;
use crate::signing::{CERTIFICATES, SIGNATURE, beside_repomd};
use crate::views::{Chosen, Viewed, chosen, edition, is_promised, wanted};
use crate::writing::{Earlier, Packages, Wanted};

/// The views of every repository that has some, by its name.
pub(super) type AllViews = BTreeMap<String, Views>;

impl Publication<'_> {
    /// Writes the views of those repositories that change, or whose views follow the configuration; `is_whole` says of
    /// which all views are written anew, because their form changes.
    ///
    /// A node type that has left keeps its view, which lists nothing: hosts find a repository that offers nothing new, and
    /// no error, as long as there are not too many. Where views are wanted no more, they answer no more, but for what is
    /// promised of them.
    pub(super) fn write_views(
        &self,
        repositories: &BTreeMap<String, Shelved>,
        is_whole: &BTreeMap<Repository, bool>,
        (modified, from): (Modified, Timestamp),
        all: &mut AllViews,
        public: &mut BTreeMap<Utf8PathBuf, Source>,
    ) -> Result<(), Error> {
        for (repository, is_whole) in is_whole {
            let name = repository.name();
            let (Some(shelved), Some(listed)) =
                (repositories.get(&name), self.after.repositories.get(repository))
            else {
                continue;
            };
            let recorded = all.remove(&name);
            let Some(meta_packages) = wanted(&self.config.layout, self.parent, repository) else {
                for node_type in recorded.iter().flat_map(|views| views.node_types.keys()) {
                    self.end_view(&plan::view_path(&shelved.path, node_type), from, public);
                }
                continue;
            };
            let wanted = Wanted::of(self.config, &self.after.standing, repository)?;
            let (viewed, edition) = (self.viewed(&name, listed, &meta_packages)?, edition());
            let Chosen { views, left_out } = chosen(&viewed.node_types, recorded.as_ref());
            let mut known = recorded.unwrap_or_default().node_types;
            let rolled_back = self.rolled_back(repository, &views, &meta_packages)?;
            let mut node_types = BTreeMap::new();
            for node_type in views {
                let packages = viewed.view(&node_type).into_iter().map(|at| listed[at].clone());
                let packages: Vec<Listed> = packages.collect();
                let set = plan::digest_of_set(&packages);
                let earlier = known.remove(&node_type);
                let mut concern =
                    earlier.as_ref().map(|earlier| earlier.rolled_back.clone()).unwrap_or_default();
                concern.extend(rolled_back.get(&node_type).into_iter().flatten().cloned());
                concern.retain(|id| self.after.standing.retracted.contains_key(id));
                let wanted = wanted.only(&concern);
                let retracted = wanted.retracted();
                let is_as_before = earlier.as_ref().is_some_and(|earlier| {
                    (earlier.set == set && earlier.retracted == retracted || planted::is(Bug::ViewCarried))
                        && !planted::is(Bug::ViewWrittenAnew)
                });
                if !is_as_before || *is_whole {
                    let path = plan::view_path(&shelved.path, &node_type);
                    let entries = self.entries_of(&wanted, &packages)?;
                    let (all, now) = (Packages::All(&entries), self.now.as_second());
                    let written = wanted.write(&all, now, Earlier::default(), None)?;
                    if let Some(superseded) = self.superseded_view(&path) {
                        self.supersede(&path, &superseded, from, public);
                    }
                    self.put_metadata(&path, written, modified, public);
                }
                let offers = earlier.map(|earlier| earlier.offers).unwrap_or_default();
                node_types.insert(node_type, View { set, rolled_back: concern, retracted, offers });
            }
            for node_type in known.keys() {
                self.end_view(&plan::view_path(&shelved.path, node_type), from, public);
            }
            all.insert(name, Views { meta_packages, edition, left_out: left_out.len(), node_types });
        }
        Ok(())
    }

    /// Finds the roll-backs of this generation that concern what the views of a repository listed so far: their ids, by node
    /// type. Whether anybody is told of them is another matter.
    fn rolled_back(
        &self,
        repository: &Repository,
        views: &BTreeSet<String>,
        meta_packages: &[String],
    ) -> Result<BTreeMap<String, Vec<String>>, Error> {
        let name = repository.name();
        let nothing = Standing::default();
        let known = self.parent.map_or(&nothing, |(_, account)| &account.standing);
        let known: BTreeMap<&str, &Rejected> =
            known.retracted_in(&name).map(|(one, rejected)| (one.id.as_str(), rejected)).collect();
        let mut new: Vec<(&str, BTreeSet<&Nevra>)> = Vec::new();
        for (retraction, rejected) in self.after.standing.retracted_in(&name) {
            let known = known.get(retraction.id.as_str());
            let is_new = |nevra: &&Nevra| known.is_none_or(|known| !known.packages.contains(*nevra));
            new.push((&retraction.id, rejected.packages.iter().filter(is_new).collect()));
        }
        new.retain(|(_, packages)| !packages.is_empty());
        let mut concerned: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let Some(before) = self.before.get(repository).filter(|_| !new.is_empty()) else {
            return Ok(concerned);
        };
        let viewed = self.viewed(&name, &before.listed, meta_packages)?;
        for node_type in views {
            let had = viewed.view(node_type);
            let had: BTreeSet<&Nevra> = had.iter().map(|at| &before.listed[*at].nevra).collect();
            let ids = new.iter().filter(|(_, packages)| !packages.is_disjoint(&had));
            concerned.insert(node_type.clone(), ids.map(|(id, _)| (*id).to_owned()).collect());
        }
        Ok(concerned)
    }

    /// Reads what a repository lists, as far as views follow from it.
    fn viewed(&self, name: &str, listed: &[Listed], meta_packages: &[String]) -> Result<Viewed, Error> {
        let entries = self.known.entries_of(listed)?;
        let wrong = |reason| Error::Metadata { place: format!("the views of {name}"), reason };
        Viewed::of(name, &entries, (meta_packages, edition())).map_err(wrong)
    }

    /// Finds what the repomd.xml of the view at `path` leads to, if there is one.
    fn superseded_view(&self, path: &str) -> Option<Superseded> {
        let files = &self.parent?.0.files.public;
        let revision = files.get(beside_repomd(path, "repomd.xml").as_str())?.modified.seconds;
        let below = format!("{path}/repodata/");
        let kept = ["repomd.xml", SIGNATURE, CERTIFICATES].map(|name| beside_repomd(path, name));
        let from: (Bound<&str>, Bound<&str>) = (Bound::Included(&below), Bound::Unbounded);
        let files = files.range::<str, _>(from).take_while(|(file, _)| file.starts_with(&below));
        let hrefs = files
            .filter(|(file, facts)| facts.until.is_none() && !kept.iter().any(|kept| kept == file.as_str()))
            .filter_map(|(file, _)| Some(file.strip_prefix(path)?.strip_prefix('/')?.to_owned()))
            .collect();
        Some(Superseded { revision, hrefs })
    }

    /// Leaves behind the view at `path`, of which only what it promised stays.
    fn end_view(&self, path: &str, from: Timestamp, public: &mut BTreeMap<Utf8PathBuf, Source>) {
        if let Some(superseded) = self.superseded_view(path) {
            self.supersede(path, &superseded, from, public);
        }
        for name in ["repomd.xml", SIGNATURE, CERTIFICATES] {
            public.remove(&beside_repomd(path, name));
        }
        public.remove(&Utf8PathBuf::from(format!("{path}/{METALINK}")));
    }
}

/// Lists everything that has a repomd.xml, by path: repositories and views.
pub(super) fn listings(
    repositories: &BTreeMap<String, Shelved>,
    all: &AllViews,
) -> BTreeMap<String, Shelved> {
    let mut listings = BTreeMap::new();
    for (name, shelved) in repositories {
        listings.insert(shelved.path.clone(), shelved.clone());
        for (node_type, view) in all.get(name).iter().flat_map(|views| &views.node_types) {
            let view = shelved.view(node_type, view);
            listings.insert(view.path.clone(), view);
        }
    }
    listings
}

/// Puts down what the metalinks of `listings` offer.
pub(super) fn record_offers(
    mut listings: BTreeMap<String, Shelved>,
    repositories: &mut BTreeMap<String, Shelved>,
    all: &mut AllViews,
) {
    for (name, shelved) in repositories {
        for (node_type, view) in all.get_mut(name).into_iter().flat_map(|views| &mut views.node_types) {
            let offered = listings.remove(&plan::view_path(&shelved.path, node_type));
            view.offers = offered.map(|listing| listing.offers).unwrap_or_default();
        }
        let offered = listings.remove(&shelved.path);
        shelved.offers = offered.map(|listing| listing.offers).unwrap_or_default();
    }
}

/// Finds the symlinks `Packages`: of each repository, and of each view of which any metadata is left, for whoever read it
/// needs the packages too. What was adopted and lies where views would is none.
pub(super) fn packages_links(
    parent: Option<&Generation>,
    (repositories, all): (&BTreeMap<String, Shelved>, &AllViews),
    public: &BTreeMap<Utf8PathBuf, Source>,
) -> BTreeMap<Utf8PathBuf, String> {
    let mut links = BTreeMap::new();
    let mut names = BTreeMap::new();
    for (name, shelved) in repositories {
        links.insert(Utf8PathBuf::from(format!("{}/Packages", shelved.path)), name.clone());
        if shelved.kind == Kind::Binary {
            names.insert(shelved.path.as_str(), name);
        }
    }
    for (path, node_type, rest) in public.keys().filter_map(|file| plan::in_view(file.as_str())) {
        let Some(name) = names.get(path).filter(|_| rest.starts_with("repodata/")) else { continue };
        let has_view = all.get(*name).is_some_and(|views| views.node_types.contains_key(node_type));
        if has_view || parent.is_some_and(|parent| is_promised(parent, (path, node_type, rest))) {
            let view = plan::view_path(path, node_type);
            links.insert(Utf8PathBuf::from(format!("{view}/Packages")), (*name).clone());
        }
    }
    links
}
