//! A change copies the blocks that it does not touch: told by the bytes that are published, generation after generation. And
//! what it would copy, or go on from, is not published again once it is damaged.
//!
//! Whoever writes all of a list anew comes to the same blocks as long as packages only come, because it is cut at the same
//! places. Once one has left the middle they lie elsewhere, and both ways differ: so one leaves first, and a list that is
//! really written anew shows in the end that the difference is seen.

use std::io::Write;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use daemon::config::Config;
use daemon::engine::Engine;
use plan::Outcome;
use repo::{Recipe, Repomd};
use store::forgetful::ForgetfulDisk;
use store::{Disk, Generation, Store};

use crate::crash::site::{self, ROOT, SetClock};

const CONFIG: &str = r#"
format = 1
[site]
name = "Splicing"
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
import_roles = ["release-team"]
[[product.route]]
from = "delta"
to = "production"
roles = ["release-team"]
"#;

/// Enough for some blocks in each list.
const PACKAGES: usize = 640;

/// The lists of packages.
const KINDS: [&str; 3] = ["primary", "filelists", "other"];

/// A package of which each list says some KiB.
fn package(name: &str, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut recipe = Recipe::new(name, "1", "1").arch("x86_64").summary("One of many");
    for number in 0..48 {
        recipe = recipe.provides(&format!("{name}({number}-{:016x})", random.u64(..)));
        recipe = recipe.file(&format!("/usr/share/{name}/{:016x}/{number}", random.u64(..)), b"".as_slice());
        // The ten newest changes are listed.
        let text: String = (0..20).map(|_| format!(" {:016x}", random.u64(..))).collect();
        recipe = recipe.change(1_600_000_000 + number * 86_400, "Ann <ann@example.org>", &format!("-{text}"));
    }
    recipe.build()
}

fn name(number: usize) -> String {
    format!("component-{number:03}")
}

/// The members of a gzip file, as each says in an extra field how long it is; they fill the file.
fn members(mut file: &[u8]) -> Vec<Vec<u8>> {
    let mut members = Vec::new();
    while !file.is_empty() {
        assert_eq!(file[..4], [0x1f, 0x8b, 8, 4], "member {} does not begin here", members.len());
        assert_eq!(
            file[10..16],
            [16, 0, b'S', b'L', 12, 0],
            "member {} says nothing of itself",
            members.len()
        );
        let size = u32::from_le_bytes(file[16..20].try_into().unwrap()) as usize;
        members.push(file[..size].to_vec());
        file = &file[size..];
    }
    members
}

fn promotion(names: &[String]) -> String {
    format!(
        "action = \"promote\"\nproduct = \"glite\"\nfrom = \"delta\"\nto = \"production\"\npackages = {names:?}"
    )
}

struct Bench {
    disk: Arc<ForgetfulDisk>,
    clock: Arc<SetClock>,
    engine: Engine,
    asked: usize,
}

fn config(compression: &str) -> Arc<Config> {
    let text = CONFIG.replace("COMPRESSION", compression);
    Arc::new(Config::parse(text.as_bytes(), "splicing.toml").unwrap())
}

impl Bench {
    /// A site whose production lists all packages.
    fn filled() -> Self {
        let (disk, clock) = (Arc::new(ForgetfulDisk::new()), SetClock::at(1_700_000_000));
        let engine = site::open_as(&disk, &clock, config("gzip")).unwrap();
        let mut bench = Self { disk, clock, engine, asked: 0 };
        bench.settle();
        let names: Vec<String> = (0..PACKAGES).map(name).collect();
        bench.import(&names);
        bench.promote(&names);
        bench
    }

    fn settle(&mut self) {
        for answer in site::settle(&mut self.engine, &self.disk, &self.clock).unwrap() {
            assert_eq!(answer.outcome, Outcome::Done, "{answer:?}");
        }
    }

    fn ask(&mut self, request: &str) {
        self.asked += 1;
        site::drop_request(&*self.disk, &format!("{}.toml", self.asked), request);
        self.settle();
    }

    fn import(&mut self, names: &[String]) {
        let upload = |(seed, name): (usize, &String)| {
            site::upload(&*self.disk, &package(name, seed as u64), &format!("{name}.rpm"))
        };
        let files: Vec<String> = names.iter().enumerate().map(upload).collect();
        self.ask(&site::import_request(&files));
    }

    fn promote(&mut self, names: &[String]) {
        self.ask(&promotion(names));
    }

    fn withdraw(&mut self, names: &[String]) {
        self.ask(&format!(
            "action = \"withdraw\"\nproduct = \"glite\"\nfrom = \"production\"\npackages = {names:?}"
        ));
    }

    fn reload(&mut self, compression: &str) {
        self.engine.reload(config(compression)).unwrap();
        self.settle();
    }

    fn current(&self) -> (Store, Generation) {
        let store = Store::new(Arc::clone(&self.disk) as Arc<dyn Disk>, ROOT);
        let current = store.current().unwrap().unwrap();
        (store, current)
    }

    /// Where one of the published lists lies in the published tree.
    fn place(&self, kind: &str) -> Utf8PathBuf {
        let (store, current) = self.current();
        let top = "glite/el9/x86_64/production";
        let repomd = store.read_public(&current, &format!("{top}/repodata/repomd.xml")).unwrap();
        let repomd = Repomd::parse(&repomd).unwrap();
        Utf8Path::new(top).join(&repomd.record(kind).unwrap().href)
    }

    /// One of the published lists.
    fn list(&self, kind: &str) -> Vec<u8> {
        let (store, current) = self.current();
        store.read_public(&current, self.place(kind).as_str()).unwrap()
    }

    /// Puts other bytes in the place of a list, as a disk does that goes bad: nothing but the bytes tells.
    fn put(&self, kind: &str, bytes: &[u8]) {
        let (store, current) = self.current();
        let path = store.paths().public_half(current.number).join(self.place(kind));
        let known = self.disk.state(&path).unwrap().unwrap();
        let parent = path.parent().unwrap();
        let mode = self.disk.state(parent).unwrap().unwrap().mode;
        self.disk.set_mode(parent, 0o755).unwrap();
        self.disk.remove_file(&path).unwrap();
        let mut file = self.disk.create(&path, known.mode).unwrap();
        file.write_all(bytes).unwrap();
        file.set_modified(known.modified).unwrap();
        file.sync().unwrap();
        self.disk.set_mode(parent, mode).unwrap();
    }

    /// Asks for the promotion of a package that cannot be, and gives what the answer says.
    fn refused(&mut self, name: &str) -> String {
        self.asked += 1;
        let request = promotion(&[name.to_owned()]);
        site::drop_request(&*self.disk, &format!("{}.toml", self.asked), &request);
        let answers = site::settle(&mut self.engine, &self.disk, &self.clock).unwrap();
        let [answer] = &answers[..] else { panic!("{answers:?}") };
        assert_eq!((answer.outcome, &*answer.code), (Outcome::Refused, "needs-a-person"), "{answer:?}");
        format!("{} ({})", answer.sentence, answer.hint.as_deref().unwrap_or_default())
    }

    /// The members of the three lists.
    fn members(&self) -> [Vec<Vec<u8>>; 3] {
        KINDS.map(|kind| members(&self.list(kind)))
    }
}

/// Which members of the second are not those of the first, head and foot apart; members keep their places.
fn anew(before: &[Vec<u8>], after: &[Vec<u8>]) -> Vec<usize> {
    assert!(before.len() > 5, "{} members are too few to tell anything", before.len());
    assert_ne!(before.first(), after.first(), "the head tells how many packages there are");
    assert_eq!(before.last(), after.last(), "the foot");
    let inner = 1..after.len() - 1;
    inner.filter(|at| before[..before.len() - 1].get(*at) != Some(&after[*at])).collect()
}

#[test]
fn members_that_a_change_does_not_touch_are_published_as_they_were() {
    let mut bench = Bench::filled();
    let filled = bench.members();

    // One leaves the block that has the sixtieth package.
    bench.withdraw(&[name(60)]);
    let left = bench.members();
    for ((kind, before), after) in KINDS.iter().zip(&filled).zip(&left) {
        assert_eq!(before.len(), after.len(), "{kind}");
        let anew = anew(before, after);
        assert_eq!(anew.len(), 1, "{kind}: members {anew:?} of {} are new", after.len());
        assert!(anew[0] < after.len() - 2, "{kind}: it leaves nothing to be seen behind it");
    }

    // One comes, to the end.
    bench.import(&["arriving".to_owned()]);
    bench.promote(&["arriving".to_owned()]);
    let came = bench.members();
    for ((kind, before), after) in KINDS.iter().zip(&left).zip(&came) {
        let anew = anew(before, after);
        assert_eq!(anew, [after.len() - 2], "{kind}: all but the last are as they were");
    }

    // Another form, and back: everything is packed anew, and cut elsewhere behind what left.
    bench.reload("zstd");
    assert!(KINDS.iter().all(|kind| bench.list(kind).starts_with(&[0x28, 0xb5, 0x2f, 0xfd])));
    bench.reload("gzip");
    for ((kind, before), after) in KINDS.iter().zip(&came).zip(bench.members()) {
        let same = before.iter().filter(|member| after.contains(member)).count();
        assert!(same * 2 < before.len(), "{kind}: {same} of {} members are as they were", before.len());
        let open = |members: &[Vec<u8>]| repo::unpack(&members.concat(), 1 << 30).unwrap();
        assert!(open(before) == open(&after), "{kind} says something else");
    }
}

#[test]
fn a_damaged_block_needs_a_person_who_is_told_which_it_is() {
    let mut bench = Bench::filled();
    bench.import(&["arriving".to_owned(), "another".to_owned()]);
    for kind in KINDS {
        let sound = bench.list(kind);
        let members = members(&sound);
        // Behind the head and the first block, in its middle.
        let start = members[..2].iter().map(Vec::len).sum::<usize>();
        let mut damaged = sound.clone();
        damaged[start + members[2].len() / 2] ^= 0x10;
        bench.put(kind, &damaged);
        let before = bench.current().1.number;

        let sentence = bench.refused("arriving");
        let file = bench.place(kind);
        let block = format!("block 2 of {kind}, bytes {start} to {}", start + members[2].len());
        for words in [file.file_name().unwrap(), &block, "`sluice verify`"] {
            assert!(sentence.contains(words), "{words} is missing in {sentence}");
        }
        assert_eq!(bench.current().1.number, before, "{kind}");

        bench.put(kind, &sound);
    }
    // What was hashed in advance is copied and not unpacked: it is found when it is read back.
    bench.promote(&["arriving".to_owned()]);
    bench.engine.prepare();
    bench.engine.finish_preparing();
    let sound = bench.list("primary");
    let mut damaged = sound.clone();
    damaged[sound.len() / 3] ^= 0x10;
    bench.put("primary", &damaged);
    let sentence = bench.refused("another");
    assert!(sentence.contains("primary.xml.gz") && sentence.contains("`sluice verify`"), "{sentence}");
    bench.put("primary", &sound);
    bench.promote(&["another".to_owned()]);
}
