//! A short life of a store: packages come, move and go, generations get names and lose them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::inspection::ROOT;
use crate::forgetful::ForgetfulDisk;
use crate::trees::sha256_of;
use crate::{
    AccountText, CommitError, Disk, Draft, Error, Lock, Modified, Named, PackageLink, PoolArrival, Recovery,
    Source, Store,
};

/// How many chapters the story has.
pub(super) const CHAPTERS: u64 = 5;

/// Where the tests note, in a name each, the generations somebody was told of.
const TOLD: &str = "/told";

/// The packages of the story and the chapter that brings them.
const PACKAGES: [(&str, u64); 4] = [("alpha", 1), ("beta", 2), ("gamma", 2), ("delta", 5)];

pub(super) struct Site {
    pub(super) disk: Arc<ForgetfulDisk>,
    pub(super) store: Store,
}

/// An empty store, all of it durable.
pub(super) fn ground() -> ForgetfulDisk {
    let disk = Arc::new(ForgetfulDisk::new());
    disk.make_directory(TOLD.into(), 0o755).unwrap();
    Site::on(Arc::clone(&disk)).store.create_directories().unwrap();
    disk.synced()
}

/// The highest generation anybody was told of.
pub(super) fn told(disk: &ForgetfulDisk) -> u64 {
    let names = disk.list(TOLD.into()).unwrap().names;
    names.iter().map(|name| name.parse().unwrap()).max().unwrap_or(0)
}

fn link(package: &str, repository: &str) -> String {
    let digest = sha256_of(package.as_bytes());
    format!("packages/{repository}/{}/{}/{package}-1-1.noarch.rpm", digest.shard(), digest.short())
}

fn pooled(package: &str) -> String {
    let digest = sha256_of(package.as_bytes());
    format!("pool/{}/{digest}.rpm", digest.shard())
}

fn time(chapter: u64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + chapter as i64).unwrap()
}

impl Site {
    pub(super) fn on(disk: Arc<ForgetfulDisk>) -> Site {
        let store = Store::new(Arc::clone(&disk) as Arc<dyn Disk>, ROOT);
        Site { disk, store }
    }

    /// Plays the chapters in turn, to the first that fails.
    pub(super) fn play(&self, chapters: impl Iterator<Item = u64>) -> Result<(), CommitError> {
        let lock = self.store.lock().map_err(CommitError::Abandoned)?;
        chapters.into_iter().try_for_each(|chapter| self.chapter(&lock, chapter))
    }

    /// Brings one generation about, tells of it, and finishes it. Chapter 5 abandons one first.
    pub(super) fn chapter(&self, lock: &Lock, chapter: u64) -> Result<(), CommitError> {
        if chapter == 5 {
            let mut draft = self.draft(chapter).map_err(CommitError::Abandoned)?;
            draft.public.insert("never".into(), Source::Carry);
            match self.store.commit(lock, draft) {
                Err(CommitError::Abandoned(Error::Draft { .. })) => {}
                Err(other) => return Err(other),
                Ok(_) => panic!("a file nobody has was carried"),
            }
        }
        let draft = self.draft(chapter).map_err(CommitError::Abandoned)?;
        let generation = self.store.commit(lock, draft)?;
        self.settle(lock, generation.number).map_err(CommitError::Abandoned)
    }

    /// What follows a commit: the answers, then the rest.
    fn settle(&self, lock: &Lock, number: u64) -> Result<(), Error> {
        let place = Utf8Path::new(TOLD).join(number.to_string());
        if self.disk.state(&place)?.is_none() {
            self.disk.make_directory(&place, 0o700)?;
            self.disk.sync_directory(TOLD.into())?;
        }
        self.store.finish(lock, number)?;
        self.store.imports()?.iter().try_for_each(|claim| self.store.remove_import(claim))
    }

    /// What a start does: recovery, and what it demands.
    pub(super) fn start(&self) -> Result<Recovery, Error> {
        let lock = self.store.lock()?;
        let recovery = self.store.recover(&lock)?;
        if let Recovery::Visible { number } = recovery {
            self.settle(&lock, number)?;
        }
        self.store.imports()?.iter().try_for_each(|claim| self.store.remove_import(claim))?;
        Ok(recovery)
    }

    /// The chapter that comes next on this disk: numbers may have gaps, stories have none.
    pub(super) fn next_chapter(&self) -> u64 {
        match self.store.current().unwrap() {
            Some(generation) => {
                generation.manifest.account.read::<serde_json::Value>().unwrap()["chapter"].as_u64().unwrap()
                    + 1
            }
            None => 1,
        }
    }

    fn arrivals(&self, chapter: u64) -> Result<Vec<PoolArrival>, Error> {
        let arriving = PACKAGES.iter().filter(|(_, arrives)| *arrives == chapter);
        arriving
            .map(|(package, _)| {
                let modified = Modified::of_seconds(1_700_000_000);
                let claim = format!("claim-{chapter}");
                let name = format!("{package}.rpm");
                let arrived = self.store.bring_in(&claim, &name, &mut package.as_bytes(), modified)?;
                Ok(PoolArrival { digest: arrived.sha256, size: arrived.size, from: arrived.path })
            })
            .collect()
    }

    fn draft(&self, chapter: u64) -> Result<Draft, Error> {
        let pool = self.arrivals(chapter)?;
        let listed: BTreeMap<&str, &[&str]> = match chapter {
            1 => BTreeMap::from([("one", &["alpha"][..])]),
            2 => BTreeMap::from([("one", &["alpha", "beta", "gamma"][..]), ("two", &["alpha"][..])]),
            3 | 4 => BTreeMap::from([("one", &["gamma"][..]), ("two", &["alpha"][..])]),
            _ => BTreeMap::from([("one", &["gamma"][..]), ("two", &["alpha", "delta"][..])]),
        };
        let links: Vec<PackageLink> = listed
            .iter()
            .flat_map(|(repository, packages)| packages.iter().map(move |package| (repository, package)))
            .map(|(repository, package)| PackageLink {
                digest: sha256_of(package.as_bytes()),
                path: link(package, repository),
            })
            .collect();
        let leaving = [link("alpha", "one"), link("beta", "one")];
        let retained = match chapter {
            3 => leaving.iter().map(|link| (link.clone(), time(chapter + 3600))).collect(),
            _ => BTreeMap::new(),
        };
        let old_generations = self.store.numbers()?.into_iter().take(2).collect();
        let (drop_links, drop_generations) = match chapter {
            4 => (leaving.into_iter().chain([pooled("beta")]).collect(), old_generations),
            _ => (BTreeSet::new(), BTreeSet::new()),
        };
        let number = self.store.next_number()?;
        let mut names = self.store.current()?.map(|parent| parent.manifest.names).unwrap_or_default();
        let end = |names: &mut BTreeMap<String, Named>, name| {
            names.entry(String::from(name)).and_modify(|named| named.ended = true);
        };
        match chapter {
            1 => drop(names.insert("first".to_owned(), Named { generation: number, ended: false })),
            2 => drop(names.insert("second".to_owned(), Named { generation: number, ended: false })),
            3 => end(&mut names, "first"),
            _ => end(&mut names, "second"),
        }
        let account = AccountText::of(&serde_json::json!({
            "chapter": chapter,
            "listed": links.iter().map(|link| link.path.clone()).collect::<Vec<_>>(),
        }))
        .unwrap();
        Ok(Draft {
            number,
            created: time(chapter),
            public: public(chapter, self.store.numbers()?.first().copied()),
            private: BTreeMap::from([(Utf8PathBuf::from("index/one"), bytes(chapter, "index"))]),
            private_links: BTreeMap::new(),
            packages_links: listed
                .keys()
                .map(|repository| (format!("{repository}/x86_64/Packages").into(), (*repository).to_owned()))
                .collect(),
            pool,
            links,
            retained,
            drop_links,
            drop_generations,
            names,
            policy: format!("policy = {}", chapter / 2).into_bytes(),
            account,
        })
    }
}

fn bytes(chapter: u64, what: &str) -> Source {
    let bytes = format!("{what} of chapter {chapter}\n").into_bytes();
    Source::Bytes { bytes, modified: Modified::of_seconds(time(chapter).as_second()), until: None }
}

/// A page that stays, a page that changes, metadata that is superseded and kept, and in chapter 3 a return.
fn public(chapter: u64, first: Option<u64>) -> BTreeMap<Utf8PathBuf, Source> {
    let stays = if chapter == 1 { bytes(1, "page") } else { Source::Carry };
    let mut files = BTreeMap::from([
        (Utf8PathBuf::from("index.html"), stays),
        ("generation".into(), bytes(chapter, "stamp")),
        ("one/x86_64/repodata/repomd.xml".into(), bytes(chapter, "repomd")),
        (format!("one/x86_64/repodata/{chapter}-primary.xml.gz").into(), bytes(chapter, "primary")),
    ]);
    if chapter > 1 {
        let superseded = format!("one/x86_64/repodata/{}-primary.xml.gz", chapter - 1);
        files.insert(superseded.into(), Source::CarryUntil(time(chapter + 3600)));
    }
    if let (3, Some(generation)) = (chapter, first) {
        let path = "one/x86_64/repodata/1-primary.xml.gz".to_owned();
        files.insert(path.clone().into(), Source::CarryFrom { generation, path, until: None });
    }
    files
}
