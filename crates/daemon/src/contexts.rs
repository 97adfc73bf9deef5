//! The repositories of others that hosts draw from beside ours, as the judgement of what can be installed reads them.
//!
//! ```text
//! folder ----------------------------------------+--repomd.xml--> digest --remembered?--> shelf
//! url --`sluice context update`--> snapshot -----+                   |
//!                                                                    +--> index in cache/ --> shelf
//!                                                                    |        ^ (none, or damaged: made anew)
//!                                                                    +--> primary, filelists, verified
//! ```
//!
//! A context is read once for each state of its repomd.xml. Whatever is wrong with it has a code; what is half changed is
//! never read by halves. All of `cache/` may be deleted at any time: an index is made anew from the repodata, and a
//! context that was fetched is missing until the next `sluice context update`.

mod index;
mod modules;
mod repodata;
mod snapshots;
mod unreadable;
mod weight;

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use closure::Shelf;
use jiff::Timestamp;
use nevra::{Nevra, Sha256};
use plan::{Code, Platform, Unfit};
use store::Disk;

use crate::config::{Config, Context, ContextSource};
use repodata::{Listing, Repodata};
use unreadable::Unreadable;
use weight::WEIGHT_MAX;

pub use repodata::{METADATA, MODULES, SIZE_MAX, wanted};
pub use snapshots::{Look, Taken};

/// Where repodata of contexts, and what was read from it, is kept: `cache/` of a root.
#[derive(Clone, Debug)]
pub struct Kept<'a> {
    /// The disk.
    pub disk: &'a dyn Disk,
    /// The directory `cache`.
    pub cache: Utf8PathBuf,
}

/// What is known of a context without holding its packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The digest of its repomd.xml.
    pub digest: Sha256,
    /// How many packages it lists, source packages aside.
    pub packages: usize,
    /// When its URL was looked at last with success; `None` for a folder.
    pub looked: Option<Timestamp>,
}

/// The contexts that were read, remembered between steps.
#[derive(Debug, Default)]
pub(crate) struct Contexts {
    remembered: BTreeMap<(String, Platform), Remembered>,
    unreadable: Unreadable,
}

/// One context, and how much memory it takes.
#[derive(Clone, Debug)]
struct Remembered {
    known: plan::Context,
    weight: u64,
}

impl Contexts {
    /// Reads a context for a platform, as far as it is not remembered.
    ///
    /// Where nothing changed this reads repomd.xml and, of a URL, what the last look found, and no more.
    pub(crate) fn known(
        &mut self,
        kept: &Kept<'_>,
        context: &Context,
        platform: &Platform,
        now: Timestamp,
    ) -> Result<plan::Context, Unfit> {
        let key = (context.name.clone(), platform.clone());
        let Self { remembered, unreadable } = self;
        let (_, _, read) = kept.reading(context, platform, now, |repodata| {
            let mut others = remembered.iter().filter(|((name, _), _)| *name == context.name);
            // One folder may serve several platforms.
            if let Some((_, known)) = others.find(|(_, one)| one.known.digest == repodata.digest) {
                return Ok(known.clone());
            }
            let marks = repodata.marks();
            if let Some(unfit) = unreadable.of(&marks, now) {
                return Err(unfit);
            }
            let beside: BTreeMap<_, _> = remembered
                .iter()
                .filter(|(of, _)| **of != key)
                .map(|(_, one)| (one.known.digest, one.weight))
                .collect();
            let read = kept.listing(repodata).and_then(|listing| {
                let weight = weight::of_listing(&listing);
                fits(weight, beside.values().sum())?;
                let Listing { packages, places, paths } = listing;
                let shelf = Arc::new(Shelf::with_paths(&context.name, packages, paths));
                let known = plan::Context { shelf, digest: repodata.digest, places: places.into() };
                Ok(Remembered { known, weight })
            });
            if let Err(unfit) = &read {
                unreadable.note(marks, now, unfit);
            }
            read
        })?;
        let known = read.known.clone();
        if let Some(old) = self.remembered.insert(key, read)
            && !self.remembered.values().any(|one| one.known.digest == old.known.digest)
        {
            kept.forget(old.known.digest);
        }
        Ok(known)
    }

    /// Forgets what a configuration does not name any more.
    pub(crate) fn keep_only(&mut self, config: &Config) {
        let used = config.contexts_used();
        self.remembered.retain(|(name, platform), _| {
            used.iter().any(|(context, of)| context.name == *name && *of == platform)
        });
    }
}

/// Refuses what there is no room for.
fn fits(weight: u64, beside: u64) -> Result<(), Unfit> {
    if weight + beside <= WEIGHT_MAX {
        return Ok(());
    }
    let [weight, beside, max] = [weight, beside, WEIGHT_MAX].map(|bytes| bytes >> 20);
    let words =
        format!("it would take {weight} MiB beside {beside} MiB of others, and all may take {max} MiB");
    Err(Unfit { code: Code::ContextTooLarge, words })
}

impl Kept<'_> {
    /// Looks at a context as far as must be to tell whether one can judge by it. Nothing is written.
    pub fn seen(&self, context: &Context, platform: &Platform, now: Timestamp) -> Result<Seen, Unfit> {
        self.counted(context, platform, now, |repodata| Ok(repodata.listing()?.packages.len()))
    }

    /// Reads a context into its index, if it has none; says how many packages it lists.
    pub fn indexed(&self, context: &Context, platform: &Platform, now: Timestamp) -> Result<Seen, Unfit> {
        self.counted(context, platform, now, |repodata| Ok(self.listing(repodata)?.packages.len()))
    }

    /// Names the packages of a context that hosts see, in the order of its metadata.
    pub fn listed(
        &self,
        context: &Context,
        platform: &Platform,
        now: Timestamp,
    ) -> Result<Vec<Nevra>, Unfit> {
        let (_, _, listing) = self.reading(context, platform, now, |repodata| self.listing(repodata))?;
        Ok(listing.packages.into_iter().map(|package| package.nevra).collect())
    }

    /// Takes the number of packages from the index, or else has them counted.
    fn counted(
        &self,
        context: &Context,
        platform: &Platform,
        now: Timestamp,
        mut count: impl FnMut(&Repodata<'_>) -> Result<usize, Unfit>,
    ) -> Result<Seen, Unfit> {
        let counted =
            self.reading(context, platform, now, |repodata| match index::count(self, repodata.digest) {
                Some(packages) => Ok(packages),
                None => count(repodata),
            });
        let (digest, looked, packages) = counted?;
        Ok(Seen { digest, packages, looked })
    }

    /// Reads what a repomd.xml leads to from its index, or else from the repodata, and writes the index.
    fn listing(&self, repodata: &Repodata<'_>) -> Result<Listing, Unfit> {
        if let Some(listing) = index::read(self, repodata.digest) {
            return Ok(listing);
        }
        let listing = repodata.listing()?;
        tracing::info!(
            packages = listing.packages.len(),
            "the repodata in `{}` was read",
            repodata.folder.top
        );
        index::write(self, repodata.digest, &listing);
        Ok(listing)
    }

    /// Finds where the context lies now and lets `take` read it; what is wrong is told with the context's name.
    fn reading<T>(
        &self,
        context: &Context,
        platform: &Platform,
        now: Timestamp,
        mut take: impl FnMut(&Repodata<'_>) -> Result<T, Unfit>,
    ) -> Result<(Sha256, Option<Timestamp>, T), Unfit> {
        let named = |unfit: Unfit| Unfit {
            words: format!("the context `{}` for `{platform}`: {}", context.name, unfit.words),
            ..unfit
        };
        let url = match context.source.at(platform) {
            ContextSource::Folder(folder) => {
                let repodata = Repodata::of_folder(self.disk, folder.into()).map_err(named)?;
                let taken = take(&repodata).map_err(named)?;
                return Ok((repodata.digest, None, taken));
            }
            ContextSource::Url(url) => url,
        };
        loop {
            let look = self.fit_look(context, platform, &url, now).map_err(named)?;
            let read = self.snapshot(look.digest).and_then(|repodata| take(&repodata));
            match read {
                Ok(taken) => return Ok((look.digest, Some(look.looked), taken)),
                // What was fetched meanwhile took the place of what was being read.
                Err(_) if self.look(context, platform).is_some_and(|now| now.digest != look.digest) => {}
                Err(unfit) => return Err(named(unfit)),
            }
        }
    }

    /// Finds what the last look at a URL found, provided that it is not too old.
    fn fit_look(
        &self,
        context: &Context,
        platform: &Platform,
        url: &str,
        now: Timestamp,
    ) -> Result<Look, Unfit> {
        let missing = |words: String| Unfit { code: Code::ContextMissing, words };
        let Some(look) = self.look(context, platform) else {
            return Err(missing(format!("`{url}` was not fetched yet; `sluice context update` does that")));
        };
        if look.url != url {
            let words = format!(
                "what is here was fetched from `{}`, not from `{url}`; `sluice context update` fetches that",
                look.url
            );
            return Err(missing(words));
        }
        // A clock that was ahead must not keep a context fresh for ever.
        let age = now.duration_since(look.looked).abs();
        match context.max_age {
            Some(max) if age > max => {
                let words = format!(
                    "`{url}` was looked at last at {}, which is {} hours from now, and `max_age` is {} hours; \
                     `sluice context update` looks again",
                    look.looked,
                    age.as_hours(),
                    max.as_hours()
                );
                Err(Unfit { code: Code::ContextStale, words })
            }
            _ => Ok(look),
        }
    }
}

#[cfg(test)]
mod tests;
