//! What the catalogue goes by is what was published, and nothing that was only drafted.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use camino::Utf8Path;
use jiff::{SignedDuration, Timestamp};
use nevra::Sha256;
use plan::Reading;
use repo::Recipe;
use store::forgetful::ForgetfulDisk;
use store::{Disk, Generation};

use super::{Catalogue, repomd_of};
use crate::account::Account;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::Engine;
use crate::error::Error;

const CONFIG: &str = r#"
format = 1
[site]
name = "Catalogue"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://localhost"
[roles]
release-team = ["uid:1000"]
[[product]]
name = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "production"
import_roles = ["release-team"]
"#;

/// Two seconds pass whenever it is looked at by [`Site::step`].
#[derive(Debug)]
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn reading(&self) -> Reading {
        let boot = SignedDuration::from_secs(self.0.load(Ordering::SeqCst));
        Reading { wall: self.now(), boot, boot_id: "one".into() }
    }

    fn token(&self) -> u32 {
        self.0.load(Ordering::SeqCst) as u32
    }
}

struct Site {
    disk: Arc<ForgetfulDisk>,
    clock: Arc<SetClock>,
    engine: Engine,
}

impl Site {
    fn new() -> Self {
        let (disk, clock) = (Arc::new(ForgetfulDisk::new()), Arc::new(SetClock(1_700_000_000.into())));
        let config = Arc::new(Config::parse(CONFIG.as_bytes(), "sluice.toml").unwrap());
        let lent = Arc::clone(&disk) as Arc<dyn Disk>;
        let engine = Engine::open(config, lent, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        Self { disk, clock, engine }
    }

    fn step(&mut self) -> Result<Option<u64>, Error> {
        self.clock.0.fetch_add(2, Ordering::SeqCst);
        self.engine.step().map(|step| step.published)
    }

    fn write(&self, path: &Utf8Path, bytes: &[u8]) {
        let mut file = self.disk.create(path, 0o644).unwrap();
        file.write_all(bytes).unwrap();
        file.sync().unwrap();
        self.disk.sync_directory(path.parent().unwrap()).unwrap();
    }

    fn import(&self, name: &str) {
        let rpm = Recipe::new(name, "1", "1").arch("x86_64").build();
        let file = format!("{}-{name}.rpm", repo::sha256(&rpm));
        let spool = Utf8Path::new("/var/spool/sluice");
        self.write(&spool.join("upload").join(&file), &rpm);
        let request = format!(
            "format = 1\naction = \"import\"\nproduct = \"glite\"\nto = \"production\"\nfiles = [\"{file}\"]\n[end]\n"
        );
        self.write(&spool.join(format!("incoming/{name}.toml")), request.as_bytes());
    }

    /// Publishes one package more, and gives the generation.
    fn published_with(&mut self, name: &str) -> Generation {
        self.import(name);
        self.step().unwrap().unwrap();
        self.engine.store.current().unwrap().unwrap()
    }

    fn known(&self) -> BTreeSet<Sha256> {
        self.engine.catalogue.shelves.keys().copied().collect()
    }

    /// The digests of every repomd.xml that is published.
    fn published(&self) -> BTreeSet<Sha256> {
        let current = self.engine.store.current().unwrap().unwrap();
        let files = current.files.public.iter().filter(|(path, _)| path.ends_with("/repomd.xml"));
        files.map(|(_, facts)| facts.sha256).collect()
    }
}

#[test]
fn what_is_no_longer_published_is_forgotten_first_and_then_what_was_not_used_for_long() {
    let mut site = Site::new();
    site.step().unwrap();
    let generations: Vec<_> = ["one", "two", "three"].map(|name| site.published_with(name)).into();
    // Everything is read from disk, in this order.
    let mut catalogue = Catalogue::default();
    let mut read = |number: usize, name: &str| {
        let generation = &generations[number];
        let account = Account::of(generation.number, &generation.manifest.account).unwrap();
        let shelved = &account.repositories[name];
        drop(catalogue.shelf(&site.engine.store, generation, shelved).unwrap());
        repomd_of(generation, &shelved.path).unwrap()
    };
    let stage = "glite-el9-x86_64-production";
    let now = read(2, stage);
    let (older, old) = (read(0, stage), read(1, stage));
    read(0, stage);
    let bytes = |catalogue: &Catalogue, of: &[Sha256]| {
        of.iter().map(|repomd| catalogue.shelves[repomd].shelf.bytes).sum::<u64>()
    };
    catalogue.fresh.clear();
    let known = |catalogue: &Catalogue| catalogue.shelves.keys().copied().collect::<BTreeSet<_>>();
    let all = bytes(&catalogue, &[now, older, old]);
    catalogue.tidy_to(all, Some(&generations[2]));
    assert_eq!(known(&catalogue), BTreeSet::from([now, older, old]));
    catalogue.tidy_to(all - 1, Some(&generations[2]));
    assert_eq!(known(&catalogue), BTreeSet::from([now, older]), "it was used before the other");
    catalogue.tidy_to(bytes(&catalogue, &[now]), Some(&generations[2]));
    assert_eq!(known(&catalogue), BTreeSet::from([now]), "it is published, though it was used before");
    catalogue.tidy_to(0, Some(&generations[2]));
    assert_eq!(known(&catalogue), BTreeSet::new());
}

#[test]
fn what_was_abandoned_is_not_remembered() {
    let mut site = Site::new();
    site.step().unwrap();
    site.import("first");
    assert_eq!(site.step().unwrap(), Some(2));
    let before = site.known();
    assert!(!before.is_empty());
    site.import("second");
    let mut abandoned = 0;
    for more in (0..).step_by(256) {
        site.disk.set_capacity(Some(site.disk.bytes() + more));
        let is_abandoned = matches!(site.step(), Err(Error::Abandoned { .. }));
        abandoned += usize::from(is_abandoned);
        if site.engine.store.current().unwrap().unwrap().number > 2 {
            break;
        }
        let (known, published) = (site.known(), site.published());
        assert!(known.is_superset(&before), "with room for {more} bytes something is forgotten");
        assert!(known.is_subset(&published), "with room for {more} bytes something else is remembered");
    }
    assert!(abandoned > 0, "every failure came before the commit");
    let (known, published) = (site.known(), site.published());
    assert!(known.is_subset(&published) && !known.is_superset(&before), "{before:?} became {known:?}");
}
