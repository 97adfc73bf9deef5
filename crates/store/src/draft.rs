//! A generation before it exists: everything that will be in it, with no choices left.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;

use crate::paths::{is_component, is_name, is_plain};
use crate::planted::{self, Bug};
use crate::{AccountText, Error, Modified, Named};

/// Everything one generation will consist of and bring about.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its number: one that was never used, see [`crate::Store::next_number`].
    pub number: u64,
    /// When it is made.
    pub created: Timestamp,
    /// The files of the public half, by path. Directories follow from the paths.
    pub public: BTreeMap<Utf8PathBuf, Source>,
    /// The files of the private half, by path; `manifest.json` and `files.json` are not for the caller.
    pub private: BTreeMap<Utf8PathBuf, Source>,
    /// The symlinks of the public half: path of the link (`a/b/Packages`) to the name of a repository.
    pub packages_links: BTreeMap<Utf8PathBuf, String>,
    /// The symlinks of the private half: path of the link to a path below `public/`, `packages/<repository>/...`.
    pub private_links: BTreeMap<Utf8PathBuf, String>,
    /// Packages that arrive; one whose digest lies in the pool already is compared and not linked again.
    pub pool: Vec<PoolArrival>,
    /// Package links that must exist in the end; those that do must be the file that lies in the pool.
    pub links: Vec<PackageLink>,
    /// Package links that stay although no repository lists them: path below `public/`, until when.
    pub retained: BTreeMap<String, Timestamp>,
    /// Links [`crate::Store::finish`] removes: `packages/...` below `public/`, `pool/...` below the root.
    pub drop_links: BTreeSet<String>,
    /// Generations [`crate::Store::finish`] removes.
    pub drop_generations: BTreeSet<u64>,
    /// Every name ever given, the ended ones too: none may vanish, none may change its generation.
    pub names: BTreeMap<String, Named>,
    /// The bytes of the policy in force.
    pub policy: Vec<u8>,
    /// What the manifest says of requests and changes.
    pub account: AccountText,
}

/// Where the bytes of a file come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The parent's file at the same path, hard linked: it must be untouched since the parent was sealed.
    Carry,
    /// The same, for a file that is superseded and stays until then.
    CarryUntil(Timestamp),
    /// A file of another kept generation, at `path` in the same half, hard linked under the same condition.
    CarryFrom {
        /// The generation.
        generation: u64,
        /// The path within the half.
        path: String,
        /// Until when it stays, if it is superseded.
        until: Option<Timestamp>,
    },
    /// A package of the pool, under a name of the half, hard linked.
    Pooled {
        /// The package, in the pool or on its way there.
        digest: Sha256,
        /// Until when it answers there.
        until: Option<Timestamp>,
    },
    /// Bytes of the parent's file at `from` in the same half, which must be untouched since the parent was sealed, and new
    /// ones: what a small change makes of a large file, written without being held in memory.
    Spliced {
        /// The path within the half.
        from: String,
        /// What the file consists of, in order.
        parts: Vec<Part>,
        /// What the file must be in the end; it is read back and compared, as every file that is written.
        sha256: Sha256,
        /// The time of last modification web servers will show.
        modified: Modified,
    },
    /// What another source makes of the parent's public half, as a file of the private half: carried from a path there, or
    /// spliced of a file there.
    OfPublic(Box<Source>),
    /// New bytes that somebody else holds, too: a large file is not to lie in memory twice.
    Shared {
        /// The contents.
        bytes: Arc<Vec<u8>>,
        /// The time of last modification web servers will show.
        modified: Modified,
        /// Until when it stays, if it is superseded.
        until: Option<Timestamp>,
    },
    /// New bytes.
    Bytes {
        /// The contents.
        bytes: Vec<u8>,
        /// The time of last modification web servers will show.
        modified: Modified,
        /// Until when it stays, if it is superseded.
        until: Option<Timestamp>,
    },
}

/// A piece of a file that is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Bytes of the file it is made from.
    Old(Range<u64>),
    /// New ones.
    New(Vec<u8>),
}

/// A package on its way into the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolArrival {
    /// The digest, as [`crate::Store::bring_in`] computed it.
    pub digest: Sha256,
    /// The size in bytes.
    pub size: u64,
    /// Where it lies: an absolute path below `staging/import/`.
    pub from: Utf8PathBuf,
}

/// A name under which the world can fetch a package of the pool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageLink {
    /// The package.
    pub digest: Sha256,
    /// `packages/<repository>/<hh>/<16 hex>/<file>.rpm`, below `public/`; `hh` and `16 hex` begin the digest. A
    /// link that an adopted repository had may lie elsewhere below `packages/<repository>/`, but not where
    /// another digest belongs, and must be among those retained.
    pub path: String,
}

impl PackageLink {
    /// The repository, if the path has the shape and the digits it must have.
    pub(crate) fn repository(&self) -> Option<&str> {
        let parts: Vec<&str> = self.path.split('/').collect();
        let is_hex = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        match parts[..] {
            ["packages", repository, ref within @ ..] if !within.is_empty() && is_plain(&self.path) => {
                let fits = match within {
                    [shard, short, _] if is_hex(shard, 2) && is_hex(short, 16) => {
                        *shard == self.digest.shard() && *short == self.digest.short()
                    }
                    _ => true,
                };
                fits.then_some(repository)
            }
            _ => None,
        }
    }

    /// Says whether the path is the one that every package of the digest has.
    fn is_at_its_digest(&self) -> bool {
        let place = format!("/{}/{}/", self.digest.shard(), self.digest.short());
        self.path.split('/').count() == 5 && self.path.contains(&place)
    }
}

impl Draft {
    /// Refuses what no generation can hold; `names` are those of the parent.
    pub(crate) fn check(&self, names: &BTreeMap<String, Named>) -> Result<(), Error> {
        let links: BTreeMap<&Utf8Path, ()> =
            self.packages_links.keys().map(|path| (path.as_path(), ())).collect();
        self.check_half(self.public.keys().map(Utf8PathBuf::as_path).chain(links.into_keys()))?;
        self.check_half(self.private.keys().chain(self.private_links.keys()).map(Utf8PathBuf::as_path))?;
        for reserved in ["manifest.json", "files.json"] {
            self.demand(!self.private.contains_key(Utf8Path::new(reserved)), || {
                format!("`{reserved}` is written by the store")
            })?;
        }
        for repository in self.packages_links.values() {
            self.demand(is_component(repository), || format!("`{repository}` is no name of a repository"))?;
        }
        for target in self.private_links.values() {
            let fits = target.starts_with("packages/") && is_plain(target);
            self.demand(fits, || format!("`{target}` is no place of packages"))?;
        }
        self.check_links()?;
        self.check_names(names)
    }

    fn check_half<'a>(&self, paths: impl Iterator<Item = &'a Utf8Path>) -> Result<(), Error> {
        let mut all = BTreeSet::new();
        for path in paths {
            self.demand(is_plain(path.as_str()), || format!("`{path}` is no path inside it"))?;
            self.demand(all.insert(path), || format!("`{path}` is named twice"))?;
        }
        for path in &all {
            let above = path.ancestors().skip(1).find(|above| all.contains(above));
            self.demand(above.is_none(), || format!("`{path}` lies in what is to be a file"))?;
        }
        Ok(())
    }

    fn check_links(&self) -> Result<(), Error> {
        let mut digests = BTreeMap::new();
        for link in &self.links {
            let path = &link.path;
            let promised = link.is_at_its_digest() || self.retained.contains_key(path);
            let fits = promised && link.repository().is_some();
            self.demand(fits, || format!("`{path}` is no path for {}", link.digest))?;
            let other = digests.insert(path, link.digest).filter(|digest| *digest != link.digest);
            self.demand(other.is_none(), || format!("`{path}` is asked for with two contents"))?;
            self.demand(!self.drop_links.contains(path), || format!("`{path}` is both made and dropped"))?;
        }
        for path in self.retained.keys().chain(&self.drop_links) {
            let known = path.starts_with("packages/") || path.starts_with("pool/");
            self.demand(known && is_plain(path), || format!("`{path}` is no package link"))?;
        }
        for path in self.retained.keys() {
            self.demand(!self.drop_links.contains(path), || {
                format!("`{path}` is both retained and dropped")
            })?;
        }
        let itself = self.drop_generations.contains(&self.number);
        self.demand(!itself, || "it is to drop itself".to_owned())
    }

    fn check_names(&self, before: &BTreeMap<String, Named>) -> Result<(), Error> {
        for (name, old) in before {
            let kept = self
                .names
                .get(name)
                .is_some_and(|new| new.generation == old.generation && (new.ended || !old.ended));
            self.demand(kept, || {
                format!("the name `{name}` of generation {} is lost or bound anew", old.generation)
            })?;
        }
        for (name, named) in &self.names {
            self.demand(is_name(name), || format!("`{name}` cannot name a generation"))?;
            let holds = !named.ended && self.drop_generations.contains(&named.generation);
            self.demand(!holds || planted::is(Bug::NamesForgotten), || {
                format!("generation {} is dropped, but named `{name}`", named.generation)
            })?;
        }
        Ok(())
    }

    /// Refuses the draft with these words unless `good`.
    pub(crate) fn demand(&self, good: bool, what: impl FnOnce() -> String) -> Result<(), Error> {
        if good { Ok(()) } else { Err(Error::Draft { number: self.number, what: what() }) }
    }
}
