//! What holds the bytes of a site, and which of them a sweep would free now.
//!
//! Each file is counted once, however many names it has: a package lies in `pool/`, and its links below
//! `public/packages/` cost nothing; what generations share is one file. Reads and never writes, takes no lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use plan::{Action, Asker, Decision, Reading, Request, Witness, World};
use serde::Serialize;
use store::{Disk, Generation, Kind, Store};

use crate::account::Account;
use crate::config::Config;
use crate::error::Error;
use crate::observe::read_shelf;
use crate::promises::{Chapters, fill_unlinked, others};
use crate::witnessing::witnessed;

/// How many files, and how many bytes they have.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// Files, each counted once.
    pub files: u64,
    /// Their sizes together.
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, size: u64) {
        self.files += 1;
        self.bytes += size;
    }
}

/// An amount that is promised to somebody.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Held {
    /// How much.
    #[serde(flatten)]
    pub amount: Amount,
    /// When the last of it may go; none if there is nothing, or if a name keeps it for ever.
    pub until: Option<Timestamp>,
}

/// What lies where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Space {
    /// Every package, listed or not.
    pub pool: Amount,
    /// The packages that the current generation lists.
    pub listed: Amount,
    /// The packages that it does not list any more and that still answer.
    pub retained: Held,
    /// The packages that no URL leads to: they came in and were withdrawn, or their generation is gone.
    pub unlinked: Amount,
    /// Metadata, pages and records of the current generation.
    pub current: Amount,
    /// Superseded metadata among them, which still answers.
    pub superseded: Held,
    /// What only the other kept generations hold.
    pub generations: Held,
    /// Abandoned generations.
    pub quarantine: Amount,
    /// What is being built, and imports that are not published.
    pub staging: Amount,
    /// What lies in `upload/` of the control directory; none if it may not be seen.
    pub uploads: Option<Amount>,
    /// Manifests, policies and the audit log, which stay for ever.
    pub records: Amount,
    /// What can be rebuilt.
    pub cache: Amount,
    /// What a sweep would do now.
    pub sweep: Swept,
}

/// What a sweep would do now.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Package links that go; the packages stay in the pool.
    pub links: usize,
    /// Generations that go.
    pub generations: Vec<u64>,
    /// What is freed because no name of it is left.
    pub freed: Amount,
}

/// One file and the names of it that were met.
struct Seen {
    size: u64,
    links: u64,
    met: u64,
    going: u64,
}

/// Adds up what lies below the root and in `upload/`.
///
/// What is being published meanwhile may be counted or not.
pub fn space(disk: &Arc<dyn Disk>, store: &Store, config: &Config, now: &Reading) -> Result<Space, Error> {
    let current = store.current()?;
    let account = current.as_ref().map(|current| Account::of(current.number, &current.manifest.account));
    let account = account.transpose()?;
    let site = current.as_ref().zip(account.as_ref());
    let world = match site {
        Some((generation, account)) => {
            let witness = witnessed(&**disk, store, site, now);
            Some(world(&**disk, store, config, generation, account, &witness)?)
        }
        None => None,
    };
    let sweep = world.as_ref().map(sweep_now);
    let mut walk = Walk { disk: &**disk, seen: BTreeMap::new() };
    let paths = store.paths();

    let listed: BTreeSet<String> = world.iter().flat_map(listed_links).collect();
    let retained = current.as_ref().map(|current| &current.manifest.retained);
    let (mut listed_inodes, mut retained_inodes) = (BTreeSet::new(), BTreeSet::new());
    let going = |link: &str| sweep.as_ref().is_some_and(|(links, _)| links.contains(link));
    for (path, inode) in walk.files(&paths.packages(), &|_| false)? {
        let link = path.strip_prefix(paths.public()).map(Utf8Path::to_string).unwrap_or_default();
        if listed.contains(&link) {
            listed_inodes.insert(inode);
        } else if retained.is_some_and(|retained| retained.contains_key(&link)) {
            retained_inodes.insert(inode);
        }
        if going(&link) {
            walk.goes(inode);
        }
    }
    let mut pool = Parts::default();
    for (_, inode) in walk.files(&paths.pool(), &|_| false)? {
        let size = walk.seen[&inode].size;
        pool.all.add(size);
        let linked = walk.seen[&inode].met > 1;
        match (listed_inodes.contains(&inode), retained_inodes.contains(&inode), linked) {
            (true, _, _) => pool.listed.add(size),
            (false, true, _) => pool.retained.add(size),
            (false, false, false) => pool.unlinked.add(size),
            (false, false, true) => {}
        }
    }

    let number = current.as_ref().map_or(0, |current| current.number);
    let mut counted = BTreeSet::new();
    let mut of_current = Amount::default();
    for half in [paths.private_half(number), paths.public_half(number)] {
        for (_, inode) in walk.files(&half, &|_| false)? {
            if counted.insert(inode) {
                of_current.add(walk.seen[&inode].size);
            }
        }
    }
    let mut others = Amount::default();
    for other in store.numbers()?.into_iter().filter(|other| *other != number) {
        let goes = sweep.as_ref().is_some_and(|(_, generations)| generations.contains(&other));
        for half in [paths.private_half(other), paths.public_half(other)] {
            for (_, inode) in walk.files(&half, &|_| goes)? {
                if counted.insert(inode) {
                    others.add(walk.seen[&inode].size);
                }
            }
        }
    }
    let mut rest = |dir: Utf8PathBuf| walk.amount(&dir);
    let (quarantine, staging, cache) =
        (rest(paths.quarantine())?, rest(paths.staging())?, rest(paths.cache())?);
    let mut records = Amount::default();
    for dir in [paths.history(), paths.policies(), paths.audit()] {
        let amount = rest(dir)?;
        records.files += amount.files;
        records.bytes += amount.bytes;
    }
    // Whoever may not look into the control directory learns the rest.
    let uploads = rest(config.spool.join("upload")).ok();

    let facts = current.iter().flat_map(|current| current.files.public.values());
    let superseded: Vec<_> = facts.filter_map(|facts| Some((facts.size, facts.until?))).collect();
    let mut sized = Held { until: superseded.iter().map(|(_, until)| *until).max(), ..Held::default() };
    superseded.iter().for_each(|(size, _)| sized.amount.add(*size));
    let named = |number: &u64| {
        world.iter().flat_map(|world| world.names.values()).any(|n| !n.ended && n.generation == *number)
    };
    let kept_until = world.as_ref().map(|world| &world.kept_until);
    let for_ever = kept_until.is_some_and(|kept| kept.keys().any(&named));
    let until = kept_until.and_then(|kept| kept.values().copied().max()).filter(|_| !for_ever);
    Ok(Space {
        pool: pool.all,
        listed: pool.listed,
        retained: Held {
            amount: pool.retained,
            until: retained.and_then(|retained| retained.values().copied().max()),
        },
        unlinked: pool.unlinked,
        current: of_current,
        superseded: sized,
        generations: Held { amount: others, until },
        quarantine,
        staging,
        uploads,
        records,
        cache,
        sweep: match sweep {
            Some((links, generations)) => Swept {
                links: links.len(),
                generations: generations.into_iter().collect(),
                freed: walk.freed(),
            },
            None => Swept::default(),
        },
    })
}

#[derive(Default)]
struct Parts {
    all: Amount,
    listed: Amount,
    retained: Amount,
    unlinked: Amount,
}

struct Walk<'a> {
    disk: &'a dyn Disk,
    seen: BTreeMap<u64, Seen>,
}

impl Walk<'_> {
    /// Meets every file below `dir`, of which there may be none.
    fn files(
        &mut self,
        dir: &Utf8Path,
        goes: &dyn Fn(&Utf8Path) -> bool,
    ) -> Result<Vec<(Utf8PathBuf, u64)>, Error> {
        let mut files = Vec::new();
        let mut open = vec![dir.to_owned()];
        while let Some(dir) = open.pop() {
            let names = match self.disk.list(&dir) {
                Ok(names) => names.names,
                // It was removed meanwhile, or never made.
                Err(_) if self.disk.state(&dir)?.is_none() => continue,
                Err(error) => return Err(error.into()),
            };
            for name in names {
                let path = dir.join(name);
                let Some(state) = self.disk.state(&path)? else { continue };
                match state.kind {
                    Kind::Directory => open.push(path),
                    Kind::File => {
                        let (size, links) = (state.size, state.links);
                        let seen =
                            self.seen.entry(state.inode).or_insert(Seen { size, links, met: 0, going: 0 });
                        seen.met += 1;
                        seen.going += u64::from(goes(&path));
                        files.push((path, state.inode));
                    }
                    Kind::Link | Kind::Other => {}
                }
            }
        }
        Ok(files)
    }

    fn goes(&mut self, inode: u64) {
        if let Some(seen) = self.seen.get_mut(&inode) {
            seen.going += 1;
        }
    }

    fn amount(&mut self, dir: &Utf8Path) -> Result<Amount, Error> {
        let mut amount = Amount::default();
        let mut counted = BTreeSet::new();
        for (_, inode) in self.files(dir, &|_| false)? {
            if counted.insert(inode) {
                amount.add(self.seen[&inode].size);
            }
        }
        Ok(amount)
    }

    /// The files all names of which go.
    fn freed(&self) -> Amount {
        let mut freed = Amount::default();
        self.seen.values().filter(|seen| seen.going >= seen.links).for_each(|seen| freed.add(seen.size));
        freed
    }
}

fn listed_links(world: &World) -> Vec<String> {
    let links = |(repository, listed): (&plan::Repository, &Vec<plan::Listed>)| {
        listed.iter().map(|listed| listed.link(repository)).collect::<Vec<_>>()
    };
    world.repositories.iter().flat_map(links).collect()
}

/// What a sweep would take away now: package links and generations.
fn sweep_now(world: &World) -> (BTreeSet<String>, BTreeSet<u64>) {
    match plan::decide(world, &Request::new(Action::Sweep {}), &Asker::clock(), &[]) {
        Decision::Effect(plan) => (plan.drop_links, plan.drop_generations),
        Decision::NothingToDo(..) | Decision::Lacking(_) | Decision::Refused(_) => Default::default(),
    }
}

/// Lists everything that is held though it is not current, whether a sweep would take it now, and why.
pub fn promises(
    disk: &dyn Disk,
    store: &Store,
    config: &Config,
    now: &Reading,
) -> Result<Vec<plan::Promise>, Error> {
    let Some(current) = store.current()? else { return Ok(Vec::new()) };
    let account = Account::of(current.number, &current.manifest.account)?;
    let witness = witnessed(disk, store, Some((&current, &account)), now);
    let world = world(disk, store, config, &current, &account, &witness)?;
    let mut promises = plan::promises(&world);
    promises.extend(others(store, &current, world.proven())?);
    Ok(promises)
}

/// The world as a sweep sees it.
fn world(
    disk: &dyn Disk,
    store: &Store,
    config: &Config,
    current: &Generation,
    account: &Account,
    witness: &Witness,
) -> Result<World, Error> {
    let mut world = World::new(Arc::clone(&config.layout), witness.seen.wall, current.number);
    world.witnessed = witness.time;
    world.kept_generations = store.numbers()?.into_iter().filter(|kept| *kept <= current.number).collect();
    world.names = crate::line::names(&current.manifest);
    world.retained = current.manifest.retained.clone();
    for shelved in account.repositories.values() {
        let shelf = read_shelf(store, current, shelved)?;
        world.repositories.insert(shelved.repository(), shelf.listed);
    }
    let mut chapters = Chapters::default();
    chapters.fill_kept_until(&mut world, store, config.grace)?;
    chapters.fill_listed(&mut world, store, &mut |generation, shelved| {
        Ok(read_shelf(store, generation, shelved)?.listed)
    })?;
    fill_unlinked(&mut world, disk, store, account)?;
    let proven = world.proven();
    let untils = current.files.public.values().filter_map(|facts| facts.until);
    world.expired_metadata = untils.into_iter().any(|until| until <= proven);
    Ok(world)
}
