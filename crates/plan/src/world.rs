//! Everything a decision depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use closure::Package;
use jiff::Timestamp;
use nevra::{Nevra, Sha256};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use workflow::{Filed, Workflow};

use crate::carrying::{Beside, Earlier};
use crate::lacking::{Context, External, Header, HeaderOf, Indexed, Unfit};
use crate::layout::{Layout, Platform, Repository};
use crate::package_signatures::{Signed, Signer};
use crate::plan::Plan;
use crate::recipe::{Recipe, Unbuilt};
use crate::recorded::Recorded;
use crate::standing::{Freeze, Standing};

mod needs;

pub use needs::{Needs, needs};

/// One package as a repository lists it.
///
/// A repository of 50,000 is copied for every request, its plan and its world afterwards: copies share what is known of each package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Listed(Arc<ListedPackage>);

/// What is known of a package that is listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ListedPackage {
    /// Name, version, release and architecture.
    pub nevra: Nevra,
    /// The digest of the whole file.
    pub pkgid: Sha256,
    /// The size of the file in bytes.
    pub size: u64,
    /// The file name of the source package it was built from; empty for source packages.
    #[serde(default)]
    pub source_rpm: String,
}

impl std::ops::Deref for Listed {
    type Target = ListedPackage;

    fn deref(&self) -> &ListedPackage {
        &self.0
    }
}

impl From<ListedPackage> for Listed {
    fn from(package: ListedPackage) -> Self {
        Self(Arc::new(package))
    }
}

impl Listed {
    /// Writes where a repository's metadata says the file lies: a function of the digest and the name.
    pub fn href(&self) -> String {
        format!("Packages/{}", self.place())
    }

    /// Writes where the hard link of a repository lies below the exported root.
    pub fn link(&self, repository: &Repository) -> String {
        format!("packages/{}/{}", repository.name(), self.place())
    }

    /// Writes where the package lies in the pool, below the root.
    pub fn pooled(&self) -> String {
        format!("pool/{}/{}.rpm", self.pkgid.shard(), self.pkgid)
    }

    fn place(&self) -> String {
        format!("{}/{}/{}", self.pkgid.shard(), self.pkgid.short(), self.nevra.file_name())
    }
}

/// A package file that was copied and verified, ready to enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The package.
    pub listed: Listed,
    /// The file name as the requester knows it; of an adopted repository, where its metadata says the file lies.
    pub from: String,
}

/// What a repository that is to be adopted is beside its packages; read and verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Existing {
    /// The types of the records that are carried byte for byte, such as `group`.
    pub carried: Vec<String>,
    /// The metadata files that answer under their old hrefs for the grace.
    pub metadata: BTreeMap<String, Sha256>,
    /// What it says beside its packages, as far as that is put together with what is there.
    pub beside: Beside,
    /// The files that answer below the path of the target now, by href.
    pub taken: BTreeMap<String, Sha256>,
    /// What a person should know, one sentence each: what is left out, what differs.
    pub notes: Vec<String>,
}

/// Who asks, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// `user:alice`, or `clock`.
    pub name: String,
    /// The roles; with a product, they hold for that one only.
    pub roles: Vec<(Option<String>, String)>,
}

impl Asker {
    /// The requester that is the passing of time itself.
    pub fn clock() -> Asker {
        Asker { name: "clock".to_owned(), roles: Vec::new() }
    }

    /// Says whether it is the clock.
    pub fn is_clock(&self) -> bool {
        self.name == "clock"
    }

    /// Says whether the role is held for the product, or for the site where no product is named.
    pub fn has(&self, role: &str, product: Option<&str>) -> bool {
        self.roles.iter().any(|(of, held)| held == role && (of.is_none() || of.as_deref() == product))
    }
}

/// A file that is served although no repository lists it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// The path below the exported root.
    pub path: String,
    /// Until when it is promised.
    pub until: Timestamp,
}

/// A name somebody gave to a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedGeneration {
    /// The generation, for ever.
    pub generation: u64,
    /// Whether the name no longer holds it.
    pub ended: bool,
}

/// Says what leads to one package of the pool, beside the pool itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// The links below the exported root, `packages/...`.
    pub links: BTreeSet<String>,
    /// The kept generations one of whose halves has the file itself: under an old href of an adopted repository, or in a
    /// candidate.
    pub generations: BTreeSet<u64>,
}

/// Holds everything a decision depends on; the engine fills in what [`needs`] asks for.
#[derive(Clone, Debug)]
pub struct World {
    /// What the configuration says.
    pub layout: Arc<Layout>,
    /// The time of the decision, by the wall clock.
    pub now: Timestamp,
    /// The time that is witnessed: what lets something pass, or go, must be over by it, see [`World::proven`].
    pub witnessed: Timestamp,
    /// The current generation: the one that was published last. Requests that are to share the next one all
    /// see this number, and a `keep` without one means it, whatever those before it in the line do.
    pub generation: u64,
    /// What the repositories list: in the current generation, and after the plans that were applied to it. One that is not here does not exist yet, or
    /// was not asked for.
    pub repositories: BTreeMap<Repository, Vec<Listed>>,
    /// What repositories say beside their packages: in the current generation, and after the plans that were applied to it.
    pub beside: BTreeMap<Repository, Beside>,
    /// What repositories said and listed once, where the request in hand goes back; the best first.
    pub earlier: BTreeMap<Repository, Vec<Earlier>>,
    /// Names of repositories the current generation has and the layout does not know; needed for `config`.
    pub strangers: BTreeSet<String>,
    /// What repositories listed in a generation as it was published. The current one may be among them: no plan
    /// that was applied to the world changes what it lists here.
    pub past: BTreeMap<u64, BTreeMap<Repository, Vec<Listed>>>,
    /// The generations that are kept whole.
    pub kept_generations: BTreeSet<u64>,
    /// Until when superseded generations are promised to be kept; what is not here is kept on.
    pub kept_until: BTreeMap<u64, Timestamp>,
    /// The names of generations, the ended ones too.
    pub names: BTreeMap<String, NamedGeneration>,
    /// Packages that were promoted and are still listed where they were, and until when they must be.
    pub overlapping: BTreeMap<Repository, BTreeMap<Sha256, Timestamp>>,
    /// The waivers, freezes, approvals and variants that stand.
    pub standing: Standing,
    /// What the procedures of the site remember.
    pub workflow: Arc<Workflow>,
    /// What plans that were applied laid aside in the archive.
    pub filed: Vec<Filed>,
    /// The number that the generation gets which is being made; 0 if nobody knows.
    pub next: u64,
    /// The freezes that files in the control directory say.
    pub freeze_files: Vec<Freeze>,
    /// When packages entered repositories, by what was witnessed then: of those that did so too lately for some
    /// route, the others are left out. A repository that is not here was not looked at, or could not be.
    pub entered: BTreeMap<Repository, BTreeMap<Sha256, Timestamp>>,
    /// The same of what plans that were applied to this world let in, whether or not anybody looked.
    pub entered_here: BTreeMap<Repository, BTreeMap<Sha256, Timestamp>>,
    /// Who says so in [`Standing::approvals`] and [`Standing::variants`], by name, with the roles they hold now. Who is not here
    /// holds none, or nobody could tell.
    pub approvers: BTreeMap<String, Asker>,
    /// Package links that nothing current lists, and until when they are promised.
    pub retained: BTreeMap<String, Timestamp>,
    /// Package links that some kept generation which a sweep leaves may list, other than the current one; filled for
    /// `sweep`.
    pub listed_by_kept: BTreeSet<String>,
    /// The packages that were purged: they may not come back.
    pub purged: BTreeSet<Sha256>,
    /// The packages whose file in the pool was found damaged, and not found sound again since.
    pub damaged: BTreeSet<Sha256>,
    /// The keys of which one must have signed what enters a stage, by product and stage; a stage that is not here demands
    /// no signature.
    pub signers: BTreeMap<(String, String), Vec<Signer>>,
    /// What is known of the signatures of packages, or why nothing is; filled as [`crate::Decision::Lacking`] asks for it.
    pub signatures: BTreeMap<Sha256, Result<Signed, String>>,
    /// What repositories list, indexed, before any plan was applied; filled as [`crate::Decision::Lacking`] asks for it.
    pub shelves: BTreeMap<Repository, Indexed>,
    /// What packages that enter say about others, by digest; filled in the same way.
    pub relations: BTreeMap<Sha256, Arc<Package>>,
    /// When packages were built, in seconds since 1970: those that are to bear the name of another file, and the others;
    /// filled in the same way.
    pub built: BTreeMap<Sha256, i64>,
    /// What hosts draw from beside our repositories, or why that is not known, by name and platform; filled in the same way.
    pub contexts: BTreeMap<(String, Platform), Result<Context, Unfit>>,
    /// What headers say of paths that several packages bring; filled in the same way.
    pub headers: BTreeMap<HeaderOf, Header>,
    /// What is made by recipes, or why nothing can be; filled in the same way.
    pub rebuilt: BTreeMap<Recipe, Result<Listed, Unbuilt>>,
    /// What external gates say, by their name and the hash of the plan; filled in the same way.
    pub external: BTreeMap<(String, Sha256), External>,
    /// What leads to each package of the pool; filled for `purge`.
    pub holders: BTreeMap<Sha256, Holders>,
    /// The files of the pool that nothing links to, as paths below the root, and until when they are to stay if that
    /// is recorded; filled for `sweep`.
    pub unlinked: BTreeMap<String, Option<Timestamp>>,
    /// The repositories that are published in another form than the configuration wants.
    pub other_forms: BTreeSet<Repository>,
    /// The repositories that have views and are to have none, or the reverse, or by other patterns.
    pub other_views: BTreeSet<Repository>,
    /// The files that tell hosts something else than the configuration does, by name.
    pub outdated_files: BTreeSet<String>,
    /// Whether the time of some superseded metadata file is over; filled for `sweep`.
    pub expired_metadata: bool,
    /// The repository that the request in hand adopts; filled for `adopt`.
    pub existing: Option<Existing>,
    /// What is on record of the settled requests that the request in hand may mean; filled for `undo`.
    pub recorded: Vec<Recorded>,
}

impl World {
    /// Makes a world without repositories, names and generations but the current one; all time is witnessed.
    pub fn new(layout: Arc<Layout>, now: Timestamp, generation: u64) -> World {
        World {
            layout,
            now,
            witnessed: now,
            generation,
            repositories: BTreeMap::new(),
            beside: BTreeMap::new(),
            earlier: BTreeMap::new(),
            strangers: BTreeSet::new(),
            past: BTreeMap::new(),
            kept_generations: BTreeSet::from([generation]),
            kept_until: BTreeMap::new(),
            names: BTreeMap::new(),
            overlapping: BTreeMap::new(),
            standing: Standing::default(),
            workflow: Arc::default(),
            filed: Vec::new(),
            next: 0,
            freeze_files: Vec::new(),
            entered: BTreeMap::new(),
            entered_here: BTreeMap::new(),
            approvers: BTreeMap::new(),
            retained: BTreeMap::new(),
            listed_by_kept: BTreeSet::new(),
            purged: BTreeSet::new(),
            damaged: BTreeSet::new(),
            signers: BTreeMap::new(),
            signatures: BTreeMap::new(),
            shelves: BTreeMap::new(),
            relations: BTreeMap::new(),
            built: BTreeMap::new(),
            contexts: BTreeMap::new(),
            headers: BTreeMap::new(),
            rebuilt: BTreeMap::new(),
            external: BTreeMap::new(),
            holders: BTreeMap::new(),
            unlinked: BTreeMap::new(),
            other_forms: BTreeSet::new(),
            other_views: BTreeSet::new(),
            outdated_files: BTreeSet::new(),
            expired_metadata: false,
            existing: None,
            recorded: Vec::new(),
        }
    }

    /// The instant that has come for sure: the earlier one of what is witnessed and what the wall clock says.
    pub fn proven(&self) -> Timestamp {
        self.witnessed.min(self.now)
    }

    /// Says whether the generation can still be read whole.
    pub fn keeps(&self, generation: u64) -> bool {
        generation == self.generation || self.kept_generations.contains(&generation)
    }

    /// Makes the world what it is after the plan.
    ///
    /// Packages that enter stand behind those that stay, in the order of the plan. The number of the
    /// generation and the time stay: several plans may share one generation. What left is not promised
    /// here, because how long is the store's to say.
    pub fn apply(&mut self, plan: &Plan) {
        for repository in &plan.new_repositories {
            self.repositories.entry(repository.clone()).or_default();
        }
        for (repository, change) in &plan.changes {
            let listed = self.repositories.entry(repository.clone()).or_default();
            let leave: BTreeSet<&Sha256> = change.leave.iter().map(|left| &left.pkgid).collect();
            listed.retain(|one| !leave.contains(&one.pkgid));
            listed.extend(change.enter.iter().cloned());
            for one in &change.enter {
                self.retained.remove(&one.link(repository));
                self.entered_here.entry(repository.clone()).or_default().insert(one.pkgid, self.witnessed);
            }
        }
        self.beside.extend(plan.carried.clone());
        self.overlap(plan);
        self.stand(plan);
        if let Some(deed) = &plan.deed {
            self.filed.extend(Arc::make_mut(&mut self.workflow).evolve(deed));
        }
        for name in &plan.named {
            let named = NamedGeneration { generation: self.next, ended: false };
            self.names.insert(name.clone(), named);
        }
        for (name, bound) in &plan.names {
            match bound {
                Some(generation) => {
                    let named = NamedGeneration { generation: *generation, ended: false };
                    self.names.insert(name.clone(), named);
                }
                None => {
                    if let Some(named) = self.names.get_mut(name) {
                        named.ended = true;
                    }
                }
            }
        }
        for link in &plan.drop_links {
            self.retained.remove(link);
        }
        for digest in &plan.purged {
            self.purged.insert(*digest);
            self.holders.remove(digest);
        }
        if let Some(unlinked) = &plan.unlinked {
            self.unlinked = unlinked.iter().map(|(file, until)| (file.clone(), Some(*until))).collect();
        }
        self.expired_metadata &= !plan.sweeps_metadata;
        if plan.accepts_clock {
            self.witnessed = self.now;
        }
        for generation in &plan.drop_generations {
            self.kept_generations.remove(generation);
            self.kept_until.remove(generation);
            self.past.remove(generation);
        }
    }
}

impl World {
    /// Whoever touches a package where it overlaps has decided about it; what was reverted stays as it was wished.
    fn overlap(&mut self, plan: &Plan) {
        for (repository, change) in &plan.changes {
            let Some(overlapping) = self.overlapping.get_mut(repository) else { continue };
            if plan.action == "revert" {
                overlapping.clear();
            }
            for listed in change.enter.iter().chain(&change.leave) {
                overlapping.remove(&listed.pkgid);
            }
        }
        for (repository, overlaps) in &plan.overlaps {
            let overlapping = self.overlapping.entry(repository.clone()).or_default();
            for (digest, until) in overlaps {
                match until {
                    Some(until) => overlapping.insert(*digest, *until),
                    None => overlapping.remove(digest),
                };
            }
        }
        self.overlapping.retain(|_, overlapping| !overlapping.is_empty());
    }
}

/// Computes the digest of a set of packages: SHA-256 over their digests (32 bytes each), sorted. The order does
/// not matter, one listed twice counts once.
pub fn digest_of_set<'a>(set: impl IntoIterator<Item = &'a Listed>) -> Sha256 {
    digest_of_digests(set.into_iter().map(|listed| &listed.pkgid))
}

/// Computes the same of the digests of the packages alone.
pub fn digest_of_digests<'a>(set: impl IntoIterator<Item = &'a Sha256>) -> Sha256 {
    let mut ids: Vec<&[u8; 32]> = set.into_iter().map(Sha256::as_bytes).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut hasher = sha2::Sha256::new();
    ids.into_iter().for_each(|id| hasher.update(id));
    digest(hasher)
}

/// Takes the digest out of a hasher.
pub(crate) fn digest(hasher: sha2::Sha256) -> Sha256 {
    Sha256::from(<[u8; 32]>::from(hasher.finalize()))
}
