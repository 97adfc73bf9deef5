//! Readers of every kind, while packages go back and forth under their feet.
//!
//! ```text
//!   requests --> daemon --> generations --> nginx, Apache, sluice serve --> readers, librepo, dnf
//!   cp, createrepo_c --update --> a folder --> the same nginx            --> the same readers
//! ```
//!
//! Of each answer status, size and checksum are compared with what was promised, and of each `repomd.xml` and each
//! 304 that a generation in force *while it was asked* says so. Nothing may ever be wrong, with any server; what
//! people do without Sluice is read in the same way at the same time, and shows that the readers see what is wrong.

mod flips;
mod ledger;
mod naive;
mod origin;
mod pairs;
mod planted;
mod promotions;
mod reader;
mod real_clients;
mod rude;
mod slow;
mod tally;
mod wire;

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use testkit::{Apache, Nginx, Sandbox, Served, Site};

use self::flips::Flips;
use self::ledger::Ledger;
use self::naive::Naive;
use self::origin::{Memory, Origin};
use self::promotions::{Done, Promotions, STAGES, TOGETHER, overlap, routes, wanderers};
use self::reader::Reader;
use self::real_clients::{Dnf, Librepo};
use self::tally::{Read, Tally};

/// What is to be read from each server before it is a proof.
const KINDS: [Read; 6] =
    [Read::Repomd, Read::Metadata, Read::Package, Read::NotModified, Read::Range, Read::Stamp];

/// How much is to be seen before it is a proof.
struct Extent {
    generations: u64,
    promotions: u64,
    /// Verified reads from nginx, and from each of the others.
    reads: [u64; 2],
    reads_per_second: f64,
    patience: u64,
}

impl Extent {
    fn is_reached(&self, done: &Done, origins: &[Arc<Origin>]) -> bool {
        let reads = |(number, origin): (usize, &Arc<Origin>)| {
            origin.tally.counts().reads() >= self.reads[number.min(1)]
        };
        let kinds = |origin: &Arc<Origin>| {
            let counts = origin.tally.counts();
            KINDS.iter().all(|kind| counts.reads.contains_key(kind))
        };
        done.generations >= self.generations
            && done.promotions >= self.promotions
            && origins.iter().enumerate().all(reads)
            && origins.iter().all(kinds)
    }
}

/// The whole proof, or what fits into every run of the tests.
fn extent() -> Extent {
    match std::env::var_os("SLUICE_THOROUGH") {
        Some(_) => Extent {
            generations: 350,
            promotions: 1_000,
            reads: [200_000, 50_000],
            reads_per_second: 150.0,
            patience: 60,
        },
        None => {
            Extent { generations: 12, promotions: 12, reads: [600, 200], reads_per_second: 60.0, patience: 6 }
        }
    }
}

/// What readers of a site may know of one of its servers.
fn origin(
    name: &'static str,
    base_url: &str,
    ledger: &Arc<Ledger>,
    flips: &Arc<Flips>,
    extent: &Extent,
) -> Origin {
    Origin {
        name,
        base_url: base_url.to_owned(),
        routes: routes(),
        wanderers: wanderers(),
        overlap: None,
        ledger: Some(Arc::clone(ledger)),
        flips: Arc::clone(flips),
        reads_per_second: extent.reads_per_second,
        patience: extent.patience,
        tally: Tally::default(),
        memory: Memory::default(),
    }
}

#[test]
fn no_reader_of_any_server_ever_sees_anything_wrong() {
    let extent = extent();
    let sandbox = Sandbox::new();
    let naive = Naive::new(&sandbox);
    // One nginx serves both: the site as deployed, and beside it the folder that people would serve.
    let beside = format!("location ^~ /naive/ {{\n    root {};\n}}\n", sandbox.root());
    let nginx = Nginx::start_with(&sandbox, &sandbox.path("site/root"), &beside);
    let site = Site::initialised(&sandbox, nginx.base_url(), &format!("{STAGES}{}", overlap()));
    let apache = Apache::start(&sandbox, &site.root(), "");
    let served = Served::start(&site);
    let mut daemon = site.start();
    let mut promotions = Promotions::new(&site, 1);
    let (ledger, flips) = (promotions.ledger(), Arc::<Flips>::default());

    let of = |name, base_url: &str| {
        let origin = origin(name, base_url, &ledger, &flips, &extent);
        Arc::new(Origin { overlap: Some(TOGETHER), ..origin })
    };
    let origins =
        [of("nginx", nginx.base_url()), of("Apache", apache.base_url()), of("serve", served.base_url())];
    let without = Arc::new(Origin {
        routes: vec![["delta".to_owned(), "production".to_owned()]],
        ledger: None,
        ..origin("createrepo_c", &format!("{}/naive", nginx.base_url()), &ledger, &naive.flips(), &extent)
    });
    let began = Instant::now();
    let naive_steps = thread::scope(|scope| {
        // nginx is read by three, the others by one each.
        let readers = [&origins[0], &origins[0], &origins[0], &origins[1], &origins[2], &without];
        for (seed, origin) in (1..).zip(readers) {
            let reader = Reader::new(Arc::clone(origin), seed);
            scope.spawn(move || reader.run());
        }
        for (seed, origin) in (1..).zip(&origins) {
            let librepo = Librepo::start(&sandbox.folder(&format!("librepo-{seed}")));
            scope.spawn(move || librepo.run(origin, seed));
        }
        // One after the other: dnf alone takes a processor.
        scope.spawn(|| {
            let hosts = origins
                .iter()
                .map(|origin| (Dnf::new(&sandbox, &format!("host-{}", origin.name), origin), origin));
            let mut hosts: Vec<_> = hosts.collect();
            while !flips.have_ended() {
                hosts.iter_mut().for_each(|(dnf, origin)| dnf.one_session(origin));
                flips.wait_for(flips.count() + 1);
            }
        });
        let follows = scope.spawn(|| naive.follow(&flips));
        // Whatever goes wrong here, the readers are to end.
        let ending = flips.ending();
        while !extent.is_reached(&promotions.done, &origins) {
            promotions.step();
            flips.reached(promotions.done.generations);
        }
        drop(ending);
        follows.join().unwrap()
    });
    println!(
        "{:?} in {} s, {naive_steps} moves with createrepo_c",
        promotions.done,
        began.elapsed().as_secs()
    );
    for origin in origins.iter().chain([&without]) {
        let counts = origin.tally.counts();
        println!("{}: {counts}", origin.name);
        counts.faults.iter().take(3).for_each(|fault| println!("  {fault}"));
    }
    assert!(daemon.stop().is_some_and(|status| status.success()), "{}", daemon.log());
    for origin in &origins {
        let counts = origin.tally.counts();
        assert!(counts.failed() == 0, "{}:\n{}", origin.name, counts.faults.join("\n"));
    }
    let counts = without.tally.counts();
    assert!(counts.failed() > 0, "nothing was wrong without Sluice, so the readers see nothing: {counts}");
}
