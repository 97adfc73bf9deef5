//! The engine on a disk that is full for long: requests wait, each of them once, nothing piles up, and what fits goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8Path;
use daemon::clock::Clock as _;
use daemon::engine::{Engine, Step};
use daemon::error::Error;
use daemon::verify::{Rest, Verifier};
use plan::{Answer, Outcome};
use store::forgetful::ForgetfulDisk;
use store::{Disk, Modified, Store};

use crate::crash::site::{self, ROOT, SPOOL, SetClock};

struct Site {
    disk: Arc<ForgetfulDisk>,
    clock: Arc<SetClock>,
    engine: Engine,
}

impl Site {
    fn new() -> Site {
        let (disk, clock) = site::site();
        let engine = site::open(&disk, &clock).unwrap();
        Site { disk, clock, engine }
    }

    /// Leaves room for so many bytes more.
    fn leave(&self, bytes: usize) {
        self.disk.set_capacity(Some(self.disk.bytes() + bytes));
    }

    fn step(&mut self) -> Result<Step, Error> {
        self.clock.advance(2);
        self.disk.set_now(Modified { seconds: self.clock.now().as_second(), nanoseconds: 0 });
        self.engine.step()
    }

    fn settle(&mut self) -> Vec<Answer> {
        site::settle(&mut self.engine, &self.disk, &self.clock).unwrap()
    }

    /// How many names lie below the root and the control directory.
    fn names(&self) -> usize {
        fn count(disk: &dyn Disk, path: &Utf8Path) -> usize {
            let is_directory = disk.state(path).unwrap().is_some_and(|it| it.kind == store::Kind::Directory);
            let names = if is_directory { disk.list(path).unwrap().names } else { Vec::new() };
            names.iter().map(|name| 1 + count(disk, &path.join(name))).sum()
        }
        count(&*self.disk, Utf8Path::new(ROOT)) + count(&*self.disk, Utf8Path::new(SPOOL))
    }

    fn current(&self) -> u64 {
        let store = Store::new(Arc::clone(&self.disk) as Arc<dyn Disk>, ROOT);
        store.current().unwrap().unwrap().number
    }

    fn assert_sound(&self) {
        let (root, spool) = (Utf8Path::new(ROOT), Utf8Path::new(SPOOL));
        let found = Verifier::default().verify(&*self.disk, root, Some(spool), Rest::Quiet, self.clock.now());
        assert!(found.is_empty(), "{found:?}");
    }
}

/// The stems of requests that were answered, each with its outcome.
fn outcomes(answers: &[Answer]) -> BTreeMap<&str, Outcome> {
    answers.iter().map(|answer| (answer.claim.split('-').next().unwrap(), answer.outcome)).collect()
}

#[test]
fn what_finds_no_room_is_tried_alone_piles_nothing_up_and_is_settled_once_when_there_is_room() {
    let mut site = Site::new();
    let before = site.current();
    for (stem, package) in [("one", "voms-2-1"), ("two", "lcg")] {
        site::drop_request(&*site.disk, &format!("{stem}.toml"), &site::promote(package));
    }
    // Enough to claim them, not to build a generation.
    site.leave(1000);
    let mut names = BTreeSet::new();
    for round in 0..20 {
        let error = site.step().expect_err("nothing fits");
        assert!(error.is_of_the_disk() && error.exit() == 75, "{error}");
        assert!(error.to_string().contains("No space left"), "{error}");
        if round > 1 {
            names.insert(site.names());
        }
    }
    assert!(names.len() == 1, "rounds that fail leave more and more behind: {names:?}");
    assert_eq!(site.current(), before);
    site.disk.set_capacity(None);
    let answers = site.settle();
    assert_eq!(outcomes(&answers), [("one", Outcome::Done), ("two", Outcome::Done)].into());
    let numbers: BTreeSet<_> = answers.iter().map(|answer| answer.generation).collect();
    assert_eq!((answers.len(), numbers.len()), (2, 2), "after a failure each is tried alone: {answers:?}");
    assert!(site.settle().is_empty());
    site.assert_sound();
}

#[test]
fn an_import_for_which_there_is_no_room_waits_and_holds_up_nobody() {
    let mut site = Site::new();
    // What gzip cannot make small.
    let mut random = fastrand::Rng::with_seed(7);
    let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(1 << 20).collect();
    let large =
        repo::Recipe::new("large", "1", "1").arch("noarch").file("/usr/share/large", &bytes[..]).build();
    let file = site::upload(&*site.disk, &large, "large.rpm");
    site::drop_request(&*site.disk, "large.toml", &site::import_request(&[file]));
    site.leave(large.len() / 2);
    let mut names = BTreeSet::new();
    for _ in 0..20 {
        let step = site.step().unwrap();
        assert!(step.answers.is_empty() && step.published.is_none(), "{:?}", step.answers);
        let (_, why) = step.wait.expect("it waits");
        assert!(why.starts_with("the import large-") && why.contains("No space left"), "{why}");
        names.insert(site.names());
    }
    assert!(names.len() == 1, "copies that fail are left behind: {names:?}");
    // A neighbour that fits passes it.
    site::drop_request(&*site.disk, "small.toml", &site::promote("voms-2-1"));
    let step = site.step().unwrap();
    assert_eq!(outcomes(&step.answers), [("small", Outcome::Done)].into());
    assert!(step.wait.is_some_and(|(_, why)| why.starts_with("the import large-")));
    site.disk.set_capacity(None);
    assert_eq!(outcomes(&site.settle()), [("large", Outcome::Done)].into());
    site.assert_sound();
}

#[test]
fn a_request_that_fails_alone_on_a_disk_that_is_well_is_refused() {
    let mut site = Site::new();
    for (stem, package) in [("one", "voms-2-1"), ("two", "lcg")] {
        site::drop_request(&*site.disk, &format!("{stem}.toml"), &site::promote(package));
    }
    // Somebody put a file where the link of `lcg` is to be: what is there is never replaced, whoever asks.
    let delta = Utf8Path::new(ROOT).join("public/packages/glite-el9-x86_64-delta");
    let link = find(&*site.disk, &delta, "lcg").expect("it is in delta");
    let place = link.as_str().replace("-delta/", "-production/");
    let place = Utf8Path::new(&place);
    for directory in [place.parent().unwrap().parent().unwrap(), place.parent().unwrap()] {
        if site.disk.state(directory).unwrap().is_none() {
            site.disk.make_directory(directory, 0o755).unwrap();
        }
    }
    site::write(&*site.disk, place, b"something else");
    let mut answers = Vec::new();
    for _ in 0..6 {
        // Together they fail once.
        answers.extend(site.step().map(|step| step.answers).unwrap_or_default());
    }
    assert_eq!(outcomes(&answers), [("one", Outcome::Done), ("two", Outcome::Refused)].into());
    let refused = answers.iter().find(|answer| answer.outcome == Outcome::Refused).unwrap();
    assert!(
        refused.code == "needs-a-person" && refused.sentence.contains("nothing was changed"),
        "{refused:?}"
    );
}

/// The file below a directory whose name begins so.
fn find(disk: &dyn Disk, directory: &Utf8Path, begin: &str) -> Option<camino::Utf8PathBuf> {
    let names = disk.list(directory).unwrap().names;
    names.iter().find_map(|name| {
        let path = directory.join(name);
        match disk.state(&path).unwrap()?.kind {
            store::Kind::Directory => find(disk, &path, begin),
            _ => name.starts_with(begin).then_some(path),
        }
    })
}
