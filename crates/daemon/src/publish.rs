//! From what was decided to what is written: the complete draft of one generation.
//!
//! ```text
//!   world before, world after, entries by digest, settled requests   --draft-->   store::Draft
//! ```
//!
//! Nothing is chosen here and nothing is written: the store applies the draft.

mod adopting;
mod candidates;
pub(crate) mod hosts;
mod inventory;
mod keys;
mod metadata;
mod metalinks;
mod signatures;
mod views;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use nevra::{Digest, Sha256};
use plan::{Listed, Repository, Witness, World};
use store::planted::{self, Bug};
use store::{Draft, Generation, Modified, Named, PackageLink, PoolArrival, Source, Store};
use workflow::Workflow;

use crate::account::{Account, FORMAT, Moves, Settled, Shelved};
use crate::adoption::Adopted;
use crate::config::Config;
use crate::error::Error;
use crate::known::Known;
use crate::observe::{Shelf, WrittenShelf};
use crate::remembered;
use crate::signing::Signing;
use crate::writing::{Wanted, is_same_form, tells_the_same};

pub use candidates::Candidate;
pub(crate) use metalinks::NAME as METALINK;

/// An existing repository that is adopted.
#[derive(Debug)]
pub struct Adoption {
    /// The repository it becomes.
    pub repository: Repository,
    /// Where it goes on answering.
    pub places: plan::Adopted,
    /// What was read beside its packages.
    pub adopted: Arc<Adopted>,
}

/// Everything a draft is made from.
#[derive(Debug)]
pub struct Publication<'a> {
    /// The configuration in force.
    pub config: &'a Config,
    /// The generation that is current, and its account.
    pub parent: Option<(&'a Generation, &'a Account)>,
    /// The number of the new generation.
    pub number: u64,
    /// The instant that dates it: revision, timestamps, modification times.
    pub now: Timestamp,
    /// The repositories as they were read, by repository.
    pub before: &'a BTreeMap<Repository, Arc<Shelf>>,
    /// The world after all plans were applied.
    pub after: &'a World,
    /// The packages that may be listed.
    pub known: &'a Known,
    /// Where all of it is kept.
    pub store: &'a Store,
    /// What packages are called where clients know no SHA-256, by digest.
    pub named: &'a BTreeMap<Sha256, Digest>,
    /// Packages that are not in the pool yet.
    pub pool: Vec<PoolArrival>,
    /// The requests that take effect, in order.
    pub settled: Vec<Settled>,
    /// The digest of the last line of the audit log.
    pub audit: Option<Sha256>,
    /// Links to drop, below `public/`.
    pub drop_links: BTreeSet<String>,
    /// Generations to drop.
    pub drop_generations: BTreeSet<u64>,
    /// Repositories that are written in another form than they were.
    pub rewritten: &'a BTreeSet<Repository>,
    /// Repositories whose views follow the configuration.
    pub views: &'a BTreeSet<Repository>,
    /// Existing repositories that are adopted, in order.
    pub adoptions: Vec<Adoption>,
    /// What is prepared in this generation, in order.
    pub candidates: Vec<Candidate>,
    /// Whether superseded metadata whose time is over is left behind.
    pub sweeps: bool,
    /// Files that keep their name when they change, with their bytes, if everything is to be dated anew.
    pub renewed: Option<BTreeMap<Utf8PathBuf, Vec<u8>>>,
    /// The time that is witnessed.
    pub witness: Witness,
    /// The packages of the pool that nothing links to, if a sweep looked.
    pub unlinked: Option<BTreeMap<String, Timestamp>>,
    /// Who signs metadata.
    pub signing: &'a mut Signing,
}

/// What is to be published.
#[derive(Debug)]
pub struct Drafted {
    /// The generation.
    pub draft: Draft,
    /// The repositories that are written, to be remembered once it is published.
    pub written: Vec<WrittenShelf>,
    /// What the procedures remember, for the same.
    pub workflow: Arc<Workflow>,
}

/// The metadata that other metadata takes the place of.
#[derive(Debug)]
struct Superseded {
    /// The revision of its repomd.xml.
    revision: i64,
    /// What its repomd.xml leads to.
    hrefs: Vec<String>,
}

impl Publication<'_> {
    /// Makes the draft.
    pub fn draft(mut self) -> Result<Drafted, Error> {
        // Whoever looks while the clock is behind is promised as much as anybody.
        let from = self.now.max(self.witness.time);
        let until = from + self.config.grace;
        let standing = if planted::is(Bug::DatesStandStill) { self.now.as_second() % 3600 } else { 0 };
        let modified = Modified { seconds: self.now.as_second() - standing, nanoseconds: 0 };
        let mut public = self.carried_files();
        let mut private = self.carried_indexes();
        private.extend(remembered::files(self.store, self.parent, (&self.settled, self.after), modified)?);
        let mut links = Vec::new();
        let mut entered = Vec::new();
        let mut remembered = Vec::new();
        let mut changes = BTreeMap::new();
        let mut views = self.parent.map(|(_, account)| account.views.clone()).unwrap_or_default();
        let follows = |repository: &Repository| (repository.clone(), false);
        let mut whole: BTreeMap<Repository, bool> = self.views.iter().map(follows).collect();
        let mut repositories =
            self.parent.map(|(_, account)| account.repositories.clone()).unwrap_or_default();
        let mut retained =
            self.parent.map(|(parent, _)| parent.manifest.retained.clone()).unwrap_or_default();
        for link in self.promised_links() {
            self.drop_links.remove(&link);
        }
        retained.retain(|link, _| !self.drop_links.contains(link) && !planted::is(Bug::RetainedForgotten));

        for (repository, listed) in &self.after.repositories {
            let name = repository.name();
            let shelf = self.before.get(repository);
            let path = match (repositories.get(&name), shelf) {
                (Some(shelved), Some(_)) => shelved.path.clone(),
                // It exists, and no request of this generation had to read it.
                (Some(_), None) => continue,
                (None, _) => self
                    .after
                    .layout
                    .path(repository)
                    .ok_or_else(|| Error::NoPath { repository: name.clone() })?,
            };
            let recorded = repositories.get(&name).and_then(|shelved| shelved.form.clone());
            let mut shelved = Shelved { form: recorded.clone(), ..Shelved::new(repository, path.clone()) };
            if let Some(earlier) = repositories.get(&name) {
                shelved.offers.clone_from(&earlier.offers);
            }
            let moves = moves(shelf.map_or(&[], |shelf| &shelf.listed), listed);
            let is_as_before = shelf.is_some() && moves == Moves::default();
            let is_adopted = self.adoptions_of(repository).next().is_some();
            let says_otherwise = shelf.is_some_and(|shelf| self.says_otherwise(repository, shelf));
            let is_written = is_adopted || self.renewed.is_some() || self.rewritten.contains(repository);
            let wanted = Wanted::of(self.config, &self.after.standing, repository)?;
            // What came and went within this generation may be told otherwise for all that.
            let tells_the_same = tells_the_same(wanted.recorded().as_deref(), recorded.as_deref());
            if is_as_before && !is_written && tells_the_same && !says_otherwise {
                repositories.insert(name, shelved);
                continue;
            }
            shelved.form = wanted.recorded();
            let is_other_form = !is_same_form(shelved.form.as_deref(), recorded.as_deref());
            // What is told of roll-backs is each view's own.
            let is_told_otherwise = shelved.form != recorded && self.renewed.is_none();
            let is_whole = is_other_form || is_written && !is_adopted && !is_told_otherwise;
            whole.insert(repository.clone(), is_whole);
            repositories.insert(name.clone(), shelved);
            for package in &moves.entered {
                links.push(PackageLink { digest: package.pkgid, path: package.link(repository) });
            }
            // What was listed is not retained, unless it is promised anew under the hrefs of a repository that is adopted.
            let may_be_retained = if is_adopted { listed } else { &moves.entered };
            entered.extend(may_be_retained.iter().map(|package| package.link(repository)));
            let purged = &self.after.purged;
            let is_kept = |package: &&Listed| {
                !purged.contains(&package.pkgid) && !planted::is(Bug::LeftPackageNotRetained)
            };
            for package in moves.left.iter().filter(is_kept) {
                match planted::is(Bug::PackagesLeaveAtOnce) {
                    true => drop(self.drop_links.insert(package.link(repository))),
                    false => drop(retained.insert(package.link(repository), until)),
                }
            }
            let changed = moves.clone();
            if shelf.is_some() && !is_as_before {
                changes.insert(name.clone(), moves);
            }
            let shelf = shelf.map(Arc::as_ref);
            self.write_old_hrefs(repository, &path, until, (&mut public, &mut links, &mut retained));
            let changed = (listed.as_slice(), &changed);
            let written =
                self.write_metadata((repository, self.after), &wanted, changed, shelf, recorded.as_deref())?;
            let place = (repository, &*path);
            let before = shelf.map(|shelf| (shelf, changed.1));
            remembered.extend(self.record_blocks(place, &written, before, &mut private));
            self.replace_metadata(place, written, shelf, (modified, from), &mut public);
        }
        for link in &entered {
            retained.remove(link);
        }
        self.write_views(&repositories, &whole, (modified, from), &mut views, &mut public)?;
        let mut listings = views::listings(&repositories, &views);
        self.write_signatures(&listings, modified, &mut public)?;
        self.write_metalinks(&mut listings, modified, &mut public);
        self.write_stamp(modified, &mut public);
        self.write_for_hosts((&repositories, &views), modified, &mut public);
        let private_links = self.write_candidates(modified, &mut private)?;
        let signed = self.signed(&changes);
        for (path, bytes) in self.renewed.take().into_iter().flatten() {
            if public.get(&path) == Some(&Source::Carry) {
                public.insert(path, Source::Bytes { bytes, modified, until: None });
            }
        }
        self.write_inventory(&listings, modified, &mut public);
        views::record_offers(listings, &mut repositories, &mut views);
        let parent = self.parent.map(|(parent, _)| parent);
        let packages_links = views::packages_links(parent, (&repositories, &views), &public);
        let unlinked = self
            .unlinked
            .unwrap_or_else(|| self.parent.map(|(_, account)| account.unlinked.clone()).unwrap_or_default());
        let overlapping = self.after.overlapping.iter();
        let overlapping = overlapping.map(|(repository, all)| (repository.name(), all.clone())).collect();
        let account = Account {
            format: FORMAT,
            requests: self.settled,
            changes,
            purged: self.after.purged.clone(),
            repositories,
            clock: Some(self.witness),
            audit: self.audit,
            unlinked,
            overlapping,
            signed,
            views,
            standing: self.after.standing.clone(),
        };
        let names = self.after.names.iter();
        let names = names
            .map(|(name, named)| (name.clone(), Named { generation: named.generation, ended: named.ended }))
            .collect();
        let draft = Draft {
            number: self.number,
            created: self.now,
            public,
            private,
            packages_links,
            private_links,
            pool: self.pool,
            links,
            retained,
            drop_links: self.drop_links,
            drop_generations: self.drop_generations,
            names,
            policy: self.config.bytes.clone(),
            account: account.text(),
        };
        Ok(Drafted { draft, written: remembered, workflow: Arc::clone(&self.after.workflow) })
    }

    /// Whether what a repository says beside its packages is another thing than what is published.
    fn says_otherwise(&self, repository: &Repository, shelf: &Shelf) -> bool {
        self.after.beside.get(repository).is_some_and(|said| *said != shelf.beside.said(&shelf.repomd))
    }

    /// Carries every file of the parent; what changes is replaced afterwards.
    fn carried_files(&self) -> BTreeMap<Utf8PathBuf, Source> {
        let Some((parent, _)) = self.parent else { return BTreeMap::new() };
        let proven = self.after.proven();
        let alive = |until: &Timestamp| !self.sweeps || *until > proven;
        let files = parent.files.public.iter().filter(|(_, facts)| facts.until.as_ref().is_none_or(alive));
        let files = files.filter(|(_, facts)| !self.after.purged.contains(&facts.sha256));
        files
            .map(|(path, facts)| {
                let source = facts.until.map_or(Source::Carry, Source::CarryUntil);
                (Utf8PathBuf::from(path.as_str()), source)
            })
            .collect()
    }

    /// Carries the block index of every repository; of one that changes it is replaced afterwards.
    fn carried_indexes(&self) -> BTreeMap<Utf8PathBuf, Source> {
        let files = self.parent.into_iter().flat_map(|(parent, _)| parent.files.private.keys());
        let indexes = files.filter(|path| path.starts_with("index/"));
        indexes.map(|path| (Utf8PathBuf::from(path.as_str()), Source::Carry)).collect()
    }
}

/// Tells what entered and what left, in listed order.
fn moves(before: &[Listed], after: &[Listed]) -> Moves {
    let digests = |list: &[Listed]| list.iter().map(|package| package.pkgid).collect::<HashSet<_>>();
    let (had, has) = (digests(before), digests(after));
    let only = |list: &[Listed], other: &HashSet<Sha256>| {
        list.iter().filter(|package| !other.contains(&package.pkgid)).cloned().collect()
    };
    Moves { entered: only(after, &had), left: only(before, &has) }
}
