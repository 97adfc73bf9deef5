//! What was found out about signatures is asked once, for as long as neither keys nor time can have changed it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::Utf8Path;
use daemon::config::{Config, certificates};
use daemon::engine::Engine;
use daemon::error::Error;
use daemon::reading::{Held, InProcess, Judged, PackageReader, Rework, Reworked, Unfit};
use jiff::Timestamp;
use plan::{Answer, Unbuilt};
use repo::Package;
use signatures::Certificate;
use store::Reading;
use store::forgetful::ForgetfulDisk;
use testkit::Sandbox;

use super::forge::{Parts, binary};
use super::keyring::Keyring;
use crate::crash::site::{self, CONFIG, SetClock};

/// Reads as the engine does by itself, and counts.
#[derive(Debug, Default)]
struct Counting {
    judged: AtomicUsize,
}

impl PackageReader for Counting {
    fn read(&self, path: &Utf8Path, file: &mut dyn Reading) -> Result<Result<Package, Unfit>, Error> {
        InProcess.read(path, file)
    }

    fn judge(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        keys: &[Arc<Certificate>],
        now: Timestamp,
    ) -> Result<Result<Judged, Unfit>, Error> {
        self.judged.fetch_add(1, Ordering::SeqCst);
        InProcess.judge(path, file, keys, now)
    }

    fn files(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        paths: &BTreeSet<String>,
    ) -> Result<Result<Held, Unfit>, Error> {
        InProcess.files(path, file, paths)
    }

    fn rework(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        rework: &Rework,
    ) -> Result<Result<Result<Reworked, Unbuilt>, Unfit>, Error> {
        InProcess.rework(path, file, rework)
    }
}

/// A site on a disk in memory whose production takes what some keys sign.
struct Watched {
    disk: Arc<ForgetfulDisk>,
    clock: Arc<SetClock>,
    engine: Engine,
    reader: Arc<Counting>,
    asked: usize,
}

impl Watched {
    fn new(config: Config, now: &str) -> Watched {
        let disk = Arc::new(ForgetfulDisk::new());
        let clock = SetClock::at(now.parse::<Timestamp>().unwrap().as_second());
        let mut engine = site::open_as(&disk, &clock, Arc::new(config)).unwrap();
        let reader = Arc::new(Counting::default());
        engine.read_packages_with(Arc::clone(&reader) as Arc<dyn PackageReader>);
        Watched { disk, clock, engine, reader, asked: 0 }
    }

    fn settle(&mut self) -> Vec<Answer> {
        site::settle(&mut self.engine, &self.disk, &self.clock).unwrap()
    }

    /// Asks for a promotion; says what came of it and how many packages were read for it.
    fn promoted(&mut self, package: &str, more: &str) -> (String, usize) {
        self.asked += 1;
        let before = self.reader.judged.load(Ordering::SeqCst);
        let text = format!("{}\n{more}", site::promote(package));
        site::drop_request(&*self.disk, &format!("request-{}.toml", self.asked), &text);
        // What hosts are told of keys follows a reload by itself.
        let mut answers = self.settle();
        answers.retain(|answer| answer.owner != "clock");
        assert_eq!(answers.len(), 1, "{answers:?}");
        (answers[0].code.clone(), self.reader.judged.load(Ordering::SeqCst) - before)
    }
}

/// The configuration with keys of a ring, each with its name and more lines.
fn config(ring: &Keyring, keys: &[(&str, &str, &str)]) -> Config {
    let mut text = CONFIG.to_owned();
    text += "[[product.stage]]\nname = \"production\"\nsigned_by = [\"ours\"]\n";
    for (name, fingerprint, more) in keys {
        let file = ring.export(fingerprint);
        text += &format!(
            "[[key]]\nname = \"{name}\"\nfile = \"{file}\"\nfingerprint = \"{fingerprint}\"\n{more}"
        );
    }
    let mut config = Config::parse(text.as_bytes(), "remembered.toml").unwrap();
    certificates::read(&mut config).unwrap();
    config
}

#[test]
fn signatures_are_read_once_until_keys_or_time_can_have_changed_what_was_found() {
    let sandbox = Sandbox::new();
    let ring = Keyring::new(&sandbox);
    // It ends at the first of March.
    let ours = ring.make("ours", "rsa2048", "seconds=5184000", "20240101T000000");
    let other = ring.make("other", "rsa2048", "never", "20240101T000000");
    let mut site = Watched::new(config(&ring, &[("ours", &ours, "")]), "2024-02-10T00:00:00Z");
    site.settle();
    let signed = |name: &str| {
        let parts = Parts::of(name);
        let signature = ring.sign(&ours, &parts.header, "20240201T000000", &["--digest-algo", "SHA256"]);
        parts.with([binary(268, signature)])
    };
    let uploads = ["one", "two"].map(|name| site::upload(&*site.disk, &signed(name), &format!("{name}.rpm")));
    site::drop_request(&*site.disk, "import.toml", &site::import_request(&uploads));
    assert_eq!(site.settle()[0].exit, 0);
    let rehearsed = |done: &str, read: usize| (done.to_owned(), read);
    let dry = "dry_run = true";
    assert_eq!(site.promoted("one", dry), rehearsed("planned", 1));
    assert_eq!(site.promoted("one", dry), rehearsed("planned", 0), "it was read a moment ago");
    assert_eq!(site.promoted("two", dry), rehearsed("planned", 1), "it is another package");
    // Another key, and all are asked about again; the same once more, and they are not.
    let two_keys = config(&ring, &[("ours", &ours, ""), ("other", &other, "")]);
    site.engine.reload(Arc::new(two_keys.clone())).unwrap();
    assert_eq!(site.promoted("one", dry), rehearsed("planned", 1));
    site.engine.reload(Arc::new(two_keys)).unwrap();
    assert_eq!(site.promoted("one", dry), rehearsed("planned", 0));
    assert_eq!(site.promoted("one", ""), rehearsed("done", 0));
    assert_eq!(site.promoted("two", dry), rehearsed("planned", 1));
    // What the configuration lets a key do is asked every time, without reading anything.
    let ended =
        config(&ring, &[("ours", &ours, "until = \"2024-02-05T00:00:00Z\"\n"), ("other", &other, "")]);
    site.engine.reload(Arc::new(ended)).unwrap();
    assert_eq!(site.promoted("two", dry), rehearsed("signer-not-allowed", 0));
    site.engine.reload(Arc::new(config(&ring, &[("ours", &ours, ""), ("other", &other, "")]))).unwrap();
    assert_eq!(site.promoted("two", dry), rehearsed("planned", 0));
    // The key ends while nobody touches anything: what was remembered holds no more.
    site.clock.advance(30 * 86_400);
    assert_eq!(site.promoted("two", ""), rehearsed("signer-expired", 1));
    // A clock that was set back makes it count no more than before.
    site.clock.jump(-25 * 86_400);
    let (code, _) = site.promoted("two", dry);
    assert_eq!(code, "signer-expired");
}
