//! Metadata that is made block by block, after histories of any kind, against createrepo_c: every element of every package.

mod advised;
mod everybody;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::sync::{Arc, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use daemon::account::Account;
use daemon::config::Config;
use daemon::engine::Engine;
use daemon::verify::{Rest, Verifier};
use plan::Outcome;
use repo::{BLOCK, Blocks, Document, Recipe, Repomd};
use store::forgetful::ForgetfulDisk;
use store::{Disk, Generation, Modified, Store};
use testkit::{Sandbox, createrepo_c};

use crate::crash::look;
use crate::crash::site::{self, ROOT, SetClock};
use crate::faults::is_thorough;

/// Two stages that let everything pass.
const CONFIG: &str = r#"
format = 1
[site]
name = "Histories"
root = "/srv/sluice"
spool = "/var/spool/sluice"
base_url = "http://localhost"
grace = "0s"
[roles]
release-team = ["uid:1000"]
[[product]]
name = "glite"
platforms = ["el9/x86_64"]
[[product.stage]]
name = "delta"
import_roles = ["release-team"]
[[product.stage]]
name = "production"
compression = "COMPRESSION"
advisories = "ADVISORIES"
import_roles = ["release-team"]
[[product.route]]
from = "delta"
to = "production"
roles = ["release-team"]
"#;

const STAGES: [&str; 2] = ["delta", "production"];

/// How many packages there are.
const NAMES: usize = 48;

/// What one package is, and what createrepo_c says of it in the three files.
struct Package {
    name: String,
    rpm: Vec<u8>,
    /// Where it lies in every repository.
    href: Utf8PathBuf,
    elements: [String; 3],
}

/// Packages of all sizes: some fill a block by themselves, so that a small repository has many.
fn packages() -> &'static BTreeMap<String, Package> {
    static PACKAGES: OnceLock<BTreeMap<String, Package>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let sandbox = Sandbox::new();
        let folder = sandbox.folder("packages");
        let mut all = BTreeMap::new();
        let mut random = fastrand::Rng::with_seed(1);
        for number in 0..NAMES {
            let name = format!("component-{number:02}");
            let mut recipe = Recipe::new(&*name, "1", "1").arch("x86_64").summary("<&> of a history");
            let files = [1, 60, 2000, 6000][random.usize(..4)];
            for file in 0..random.usize(1..=files) {
                recipe = recipe.file(
                    &format!("/usr/share/{name}/locale/{:08x}/LC_MESSAGES/{file}.mo", random.u32(..)),
                    b"".as_slice(),
                );
            }
            for change in 0..random.u32(1..12) {
                recipe =
                    recipe.change(1_600_000_000 + change * 86_400, "Ann <ann@example.org>", "- a & b < c");
            }
            recipe = recipe.requires(&format!("component-{:02} >= 1", random.usize(..NAMES)));
            let rpm = recipe.build();
            let sha256 = repo::sha256(&rpm);
            let place = format!("Packages/{}/{}", sha256.shard(), sha256.short());
            let href = Utf8PathBuf::from(place).join(recipe.file_name());
            fs::create_dir_all(folder.join(&href).parent().unwrap()).unwrap();
            fs::write(folder.join(&href), &rpm).unwrap();
            all.insert(sha256.hex(), Package { name, rpm, href, elements: Default::default() });
        }
        createrepo_c(&folder, &["--no-database"]).ok();
        let repomd = Repomd::parse(&fs::read(folder.join("repodata/repomd.xml")).unwrap()).unwrap();
        for (at, kind) in ["primary", "filelists", "other"].into_iter().enumerate() {
            let packed = fs::read(folder.join(&repomd.record(kind).unwrap().href)).unwrap();
            for (id, element) in elements(&repo::unpack(&packed, 1 << 30).unwrap()) {
                all.get_mut(&id).unwrap().elements[at] = element;
            }
        }
        assert!(all.values().all(|package| package.elements.iter().all(|element| !element.is_empty())));
        all
    })
}

/// The `<package>` elements of a file, by digest of the package; when a file was changed last is nobody's business here.
fn elements(xml: &[u8]) -> BTreeMap<String, String> {
    let text = std::str::from_utf8(xml).unwrap();
    let mut found = BTreeMap::new();
    let packages = text.matches("<package ").count();
    assert_eq!(text.split_once(" packages=\"").unwrap().1.split('"').next().unwrap(), packages.to_string());
    for piece in text.split_inclusive("</package>\n").filter(|piece| piece.contains("<package ")) {
        let element = &piece[piece.find("<package ").unwrap()..];
        let mark = if element.contains("pkgid=\"YES\">") { "pkgid=\"YES\">" } else { "pkgid=\"" };
        let id = element.split(mark).nth(1).unwrap().split(['<', '"']).next().unwrap().to_owned();
        let element = match element.split_once("<time file=\"") {
            Some((before, rest)) => format!("{before}<time file=\"{}", &rest[rest.find('"').unwrap()..]),
            None => element.to_owned(),
        };
        assert!(found.insert(id, element).is_none(), "a package is listed twice");
    }
    found
}

fn promote(names: &[String]) -> String {
    format!(
        "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = {names:?}"
    )
}

/// A site while it lives.
struct History {
    disk: Arc<ForgetfulDisk>,
    clock: Arc<SetClock>,
    engine: Engine,
    random: fastrand::Rng,
    /// What each stage lists, as the accounts of all generations tell.
    listed: BTreeMap<String, BTreeSet<String>>,
    generation: u64,
    /// The most blocks a file had so far.
    blocks_max: usize,
    /// What is said of packages, if anybody says something.
    advised: Option<advised::Advised>,
}

impl History {
    fn begin(seed: u64) -> Self {
        let disk = Arc::new(ForgetfulDisk::new());
        let clock = SetClock::at(1_700_000_000);
        let compression = ["gzip", "zstd"][(seed % 2) as usize];
        let advisories = ["cut", "hold"][(seed / 2 % 2) as usize];
        let config = CONFIG.replace("COMPRESSION", compression).replace("ADVISORIES", advisories);
        let config = Arc::new(Config::parse(config.as_bytes(), "histories.toml").unwrap());
        let engine = site::open_as(&disk, &clock, config).unwrap();
        let random = fastrand::Rng::with_seed(seed);
        let listed = BTreeMap::new();
        let mut history =
            Self { disk, clock, engine, random, listed, generation: 0, blocks_max: 0, advised: None };
        site::settle(&mut history.engine, &history.disk, &history.clock).unwrap();
        history
    }

    fn store(&self) -> Store {
        Store::new(Arc::clone(&self.disk) as Arc<dyn Disk>, ROOT)
    }

    /// Brings in every package, and promotes all of them.
    fn fill(&mut self) {
        let package = |(at, package): (usize, &Package)| {
            site::upload(&*self.disk, &package.rpm, &format!("fill-{at}.rpm"))
        };
        let files: Vec<String> = packages().values().enumerate().map(package).collect();
        self.ask("fill", &site::import_request(&files));
        self.follow();
        let names: Vec<String> = (0..NAMES).map(|name| format!("component-{name:02}")).collect();
        self.ask("fill-too", &promote(&names));
    }

    /// Asks for something; most of it is done, some of it cannot be.
    fn step(&mut self, number: usize) -> bool {
        if number % 10 == 9 {
            // Time to sweep: what is superseded goes, and with it whatever a revert could go back to.
            self.clock.advance(2 * 86_400);
        }
        let actions = if self.advised.is_some() { 20 } else { 16 };
        let request = match self.random.u8(..actions) {
            0..=4 => self.import(number),
            5..=11 => {
                let chosen = self.chosen("delta");
                promote(&chosen)
            }
            12 | 13 => {
                let stage = STAGES[self.random.usize(..2)];
                let chosen = self.chosen(stage);
                format!(
                    "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"{stage}\"\npackages = {chosen:?}"
                )
            }
            16.. => {
                let stage = STAGES[self.random.usize(..2)];
                advised::request(number, stage, &self.chosen(stage))
            }
            _ => {
                let (stage, back) = (STAGES[self.random.usize(..2)], self.random.u64(1..4));
                let to = self.generation.saturating_sub(back).max(1);
                format!("action = \"revert\"\nproduct = \"glite\"\nstage = \"{stage}\"\ngeneration = {to}")
            }
        };
        if let Some(advised) = &mut self.advised {
            advised.promotes = request.starts_with("action = \"promote\"");
        }
        self.ask(&format!("step-{number}"), &request)
    }

    /// Asks for this, and tells whether it was done.
    fn ask(&mut self, name: &str, request: &str) -> bool {
        site::drop_request(&*self.disk, &format!("{name}.toml"), request);
        let answers = site::settle(&mut self.engine, &self.disk, &self.clock).unwrap();
        // The daemon hashes in idle time what may come next; whether it gets round to it must change nothing.
        match self.random.u8(..4) {
            0 => {}
            1 => self.engine.prepare(),
            _ => {
                self.engine.prepare();
                self.engine.finish_preparing();
            }
        }
        let is_done = answers.iter().any(|answer| answer.outcome == Outcome::Done);
        assert!(answers.iter().all(|answer| answer.exit != 1), "{request}\n{answers:?}");
        self.tidy();
        is_done
    }

    /// Throws away what was answered: the disk of this test is slow where directories are large.
    fn tidy(&self) {
        for place in ["done", "failed"] {
            let directory = Utf8Path::new(site::SPOOL).join(place);
            for name in self.disk.list(&directory).unwrap().names {
                self.disk.remove_file(&directory.join(name)).unwrap();
            }
            self.disk.sync_directory(&directory).unwrap();
        }
    }

    /// Names some of what a stage lists.
    fn chosen(&mut self, stage: &str) -> Vec<String> {
        let listed: Vec<&String> = self.listed.get(stage).into_iter().flatten().collect();
        let names: BTreeSet<String> = listed.iter().map(|id| packages()[*id].name.clone()).collect();
        let mut names: Vec<String> = names.into_iter().collect();
        self.random.shuffle(&mut names);
        let count = match self.random.u8(..8) {
            0 => names.len(),
            _ => self.random.usize(1..4),
        };
        names.truncate(count.max(1));
        if names.is_empty() { vec!["component-00".to_owned()] } else { names }
    }

    fn import(&mut self, number: usize) -> String {
        let all: Vec<&Package> = packages().values().collect();
        let count = self.random.usize(1..12);
        let mut files = BTreeSet::new();
        for at in 0..count {
            let package = all[self.random.usize(..all.len())];
            let name = format!("{number}-{at}.rpm");
            files.insert(site::upload(&*self.disk, &package.rpm, &name));
        }
        site::import_request(&files.into_iter().collect::<Vec<_>>())
    }

    /// Follows what the accounts say.
    fn follow(&mut self) -> Generation {
        let store = self.store();
        let current = store.current().unwrap().unwrap();
        for number in self.generation + 1..=current.number {
            let Ok(manifest) = store.history(number) else { continue };
            for (name, moves) in Account::of(number, &manifest.account).unwrap().changes {
                let stage = STAGES.into_iter().find(|stage| name.ends_with(stage)).unwrap();
                let listed = self.listed.entry(stage.to_owned()).or_default();
                listed.extend(moves.entered.iter().map(|package| package.pkgid.hex()));
                moves.left.iter().for_each(|package| assert!(listed.remove(&package.pkgid.hex())));
            }
        }
        self.generation = current.number;
        current
    }

    /// Compares what is published with what the accounts say.
    fn check(&mut self) {
        let current = self.follow();
        let store = self.store();
        for stage in STAGES {
            let wanted = self.listed.get(stage).cloned().unwrap_or_default();
            self.compare(&store, &current, stage, &wanted);
        }
        self.look_at_what_is_said(&store, &current);
    }

    fn compare(&mut self, store: &Store, current: &Generation, stage: &str, wanted: &BTreeSet<String>) {
        let top = format!("glite/el9/x86_64/{stage}");
        let repomd = store.read_public(current, &format!("{top}/repodata/repomd.xml")).unwrap();
        let repomd = Repomd::parse(&repomd).unwrap();
        for (at, document) in
            [Document::Primary, Document::Filelists, Document::Other].into_iter().enumerate()
        {
            let record = repomd.record(document.as_str()).unwrap();
            let packed = store.read_public(current, &format!("{top}/{}", record.href)).unwrap();
            let open = repo::unpack(&packed, 1 << 30).unwrap();
            assert_eq!(record.open_checksum, Some(repo::digest(nevra::Algorithm::Sha256, &open)));
            assert_eq!(record.open_size, Some(open.len() as u64));
            let found = elements(&open);
            assert_eq!(
                found.keys().collect::<Vec<_>>(),
                wanted.iter().collect::<Vec<_>>(),
                "{stage} {document}"
            );
            for (id, element) in &found {
                assert_eq!(*element, packages()[id].elements[at], "{stage} {document}");
            }
        }
        self.count_blocks(current, stage);
    }

    /// The index in the private half says where blocks lie, and there are no crumbs.
    fn count_blocks(&mut self, current: &Generation, stage: &str) {
        let path = Utf8Path::new(ROOT)
            .join(format!("generations/{}/index/glite-el9-x86_64-{stage}", current.number));
        let mut text = String::new();
        self.disk.open(&path).unwrap().read_to_string(&mut text).unwrap();
        let index: serde_json::Value = serde_json::from_str(&text).unwrap();
        for file in index["files"].as_array().unwrap() {
            let blocks: Blocks = serde_json::from_value(file.clone()).unwrap();
            let open: u64 = blocks.blocks().iter().map(|block| block.open).sum();
            let count = blocks.blocks().len() as u64;
            assert!(count <= open / (BLOCK as u64 / 2) + 2, "{count} blocks of {open} bytes");
            self.blocks_max = self.blocks_max.max(blocks.blocks().len());
        }
    }
}

/// Names a history in which something is wrong.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was history {}", self.0);
        }
    }
}

#[test]
fn after_any_history_every_element_is_createrepo_cs() {
    let histories = if is_thorough() { 5000 } else { 200 };
    let (mut done, mut largest, mut lines, mut waiting) = (0, 0, 0, 0);
    for seed in 0..histories {
        let _named = Named(seed);
        let mut history = History::begin(seed);
        history.advised = Some(advised::Advised::default());
        for number in 0..history.random.usize(4..16) {
            done += usize::from(history.step(number));
            history.check();
        }
        largest = largest.max(history.blocks_max);
        let seen = history.advised.as_ref().map(|advised| advised.seen).unwrap_or_default();
        (lines, waiting) = (lines + seen[0], waiting + seen[1]);
        if seed % 20 == 0 {
            let now = daemon::clock::Clock::now(&*history.clock).as_second();
            history.disk.set_now(Modified { seconds: now, nanoseconds: 0 });
            let wrong =
                look(&mut Verifier::default(), &history.disk, &BTreeMap::new(), Rest::AnyInstant, now);
            assert!(wrong.is_empty(), "history {seed}: {wrong:?}");
        }
    }
    println!("{histories} histories, {done} changes, up to {largest} blocks in a file");
    assert!(done as u64 > histories * 4, "only {done} requests did anything");
    println!("{lines} lines of advisories were looked at, {waiting} of them held");
    assert!(
        lines as u64 > histories && waiting as u64 > histories / 4,
        "too little was said: {lines}, {waiting}"
    );
    assert!(largest >= 3, "no file had more than {largest} blocks");
}
