//! Readers of signed metadata: `repomd.xml` and its signature are two requests, and a generation may come between them.
//!
//! A pair is sound if some generation has both; each different pair is verified by the certificate, too. Through a metalink
//! and below `/@N/` every pair must be sound, however long a client takes between the two; through a plain URL some are torn,
//! and how many is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use jiff::Timestamp;
use nevra::Sha256;
use repo::Metalink;
use signatures::{Certificate, verify_detached};
use testkit::{Nginx, Sandbox, run};

use super::flips::Flips;
use super::ledger::Ledger;
use super::wire::Wire;
use crate::signed::{GPG, PRODUCTION, Signed};

/// How a client finds the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Plain,
    Metalink,
    Pinned,
}

const WAYS: [Way; 3] = [Way::Plain, Way::Metalink, Way::Pinned];

/// What was read by one way.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    pairs: u64,
    torn: u64,
}

/// What all readers know.
struct Pairs {
    base_url: String,
    ledger: Ledger,
    flips: Flips,
    certificate: Certificate,
    /// Whether a pair of these digests verifies.
    verified: Mutex<HashMap<(Sha256, Sha256), bool>>,
}

impl Pairs {
    /// Fetches a repomd.xml and says where its signature is.
    fn repomd(&self, wire: &Wire, way: Way) -> (Vec<u8>, String) {
        let top = match way {
            Way::Plain => format!("{}/{PRODUCTION}", self.base_url),
            Way::Pinned => {
                let stamp = self.get(wire, &format!("{}/generation", self.base_url));
                let stamp = String::from_utf8(stamp).unwrap();
                format!("{}/@{}/{PRODUCTION}", self.base_url, stamp.split(' ').next().unwrap())
            }
            Way::Metalink => {
                let list = self.get(wire, &format!("{}/{PRODUCTION}/metalink.xml", self.base_url));
                let says = Metalink::parse(&list).unwrap();
                let repomd = self.get(wire, &says.urls[0]);
                assert_eq!(repo::sha256(&repomd), says.offered[0].sha256, "{}", says.urls[0]);
                return (repomd, format!("{}.asc", says.urls[0]));
            }
        };
        let url = format!("{top}/repodata/repomd.xml");
        (self.get(wire, &url), format!("{url}.asc"))
    }

    fn get(&self, wire: &Wire, url: &str) -> Vec<u8> {
        let answer = wire.fetch(url, &[]).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(answer.status, 200, "{url}");
        answer.body
    }

    /// Says whether a signature fits, by the generations that were in force meanwhile and by the certificate.
    fn is_sound(&self, repomd: &[u8], signature: &[u8], since: u64) -> bool {
        let digests = (repo::sha256(repomd), repo::sha256(signature));
        let now = self.ledger.current();
        let has = |generation: u64, name: &str, digest| {
            self.ledger.digest(generation, &format!("{PRODUCTION}/repodata/{name}")) == Some(digest)
        };
        // What a generation has that was in force before the first request does not count for a plain URL, and what
        // is pinned may be older by no more than the stamp or the list.
        let fits = |generation| {
            has(generation, "repomd.xml", digests.0) && has(generation, "repomd.xml.asc", digests.1)
        };
        let is_of_one = (since..=now).any(fits);
        let mut verified = self.verified.lock().unwrap();
        let verifies = *verified.entry(digests).or_insert_with(|| {
            verify_detached(repomd, signature, &[&self.certificate], Timestamp::now()).is_ok()
        });
        assert_eq!(is_of_one, verifies, "{digests:?} between generations {since} and {now}");
        verifies
    }

    /// Reads pairs one after the other until there will be no more flips; `waits` for one in the middle of each.
    fn read(&self, ways: &[Way], waits: bool, count: &Mutex<HashMap<Kind, Count>>) {
        // Whoever finds something wrong ends it for all.
        let _ending = self.flips.ending();
        let wire = Wire::new();
        for way in ways.iter().copied().cycle() {
            if self.flips.have_ended() {
                return;
            }
            let since = self.ledger.current();
            let (repomd, url) = self.repomd(&wire, way);
            if waits && !self.flips.wait_for(self.flips.count() + 2) {
                return;
            }
            let signature = self.get(&wire, &url);
            let is_sound = self.is_sound(&repomd, &signature, since);
            let mut all = count.lock().unwrap();
            let one = all.entry((way as u8, waits)).or_default();
            one.pairs += 1;
            one.torn += u64::from(!is_sound);
        }
    }
}

/// A way, and whether a publication was waited for between the two requests.
type Kind = (u8, bool);

#[test]
fn no_pair_is_torn_through_a_metalink_or_below_a_generation() {
    // Flips, and pairs by each way.
    let (flips, pairs) = if std::env::var_os("SLUICE_THOROUGH").is_some() { (100, 35_000) } else { (8, 400) };
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let signed = Signed::new(nginx.base_url(), sandbox, &["repo-2026"], GPG);
    run(signed.site.as_daemon().arg("init")).ok();
    let mut daemon = signed.site.start();
    signed.import("production", "1.0", &[]).ok();
    let certificate = Certificate::parse(&std::fs::read(signed.path_of("repo-2026.asc")).unwrap()).unwrap();
    let readers = Arc::new(Pairs {
        base_url: nginx.base_url().to_owned(),
        ledger: Ledger::new(signed.site.root()),
        flips: Flips::default(),
        certificate,
        verified: Mutex::default(),
    });
    let count = Mutex::new(HashMap::<Kind, Count>::new());
    let of = |way: Way, waits| count.lock().unwrap().get(&(way as u8, waits)).copied().unwrap_or_default();
    let began = Instant::now();
    let mut done = 0;
    thread::scope(|scope| {
        let (readers, count) = (&readers, &count);
        for way in WAYS {
            scope.spawn(move || readers.read(&[way], false, count));
            scope.spawn(move || readers.read(&[way], true, count));
        }
        let ending = readers.flips.ending();
        let is_enough = |way: &Way| of(*way, false).pairs >= pairs && of(*way, true).pairs >= 2;
        while !readers.flips.have_ended() && (done < flips || !WAYS.iter().all(is_enough)) {
            done += 1;
            signed.import("production", &format!("2.{done}"), &[]).ok();
            readers.flips.reached(done);
        }
        drop(ending);
    });
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    let seconds = began.elapsed().as_secs_f64();
    println!("{done} generations in {seconds:.0} s");
    for way in WAYS {
        let (fast, slow) = (of(way, false), of(way, true));
        let rate = 100.0 * fast.torn as f64 / fast.pairs as f64;
        println!(
            "{way:?}: {} pairs, {} torn ({rate:.3} %); {} with two publications between the two requests, {} torn",
            fast.pairs, fast.torn, slow.pairs, slow.torn
        );
        match way {
            // Whoever waits that long always gets the signature of another one: so the readers see what is torn.
            Way::Plain => assert_eq!(slow.torn, slow.pairs, "a torn pair was not seen"),
            Way::Metalink | Way::Pinned => assert_eq!((fast.torn, slow.torn), (0, 0), "{way:?}"),
        }
    }
}
