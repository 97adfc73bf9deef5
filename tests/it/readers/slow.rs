//! Downloads that take many generations: what was begun comes to its end, whatever is published meanwhile.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use nevra::Algorithm;
use repo::{Hasher, Recipe};
use testkit::{Nginx, Sandbox, Served, Site, fetch};

use super::promotions::{Promotions, STAGES};

/// Slow clients of `sluice serve`, and of nginx.
const CONNECTIONS: [usize; 2] = [200, 50];

/// More than the kernel takes in between for a client that does not read.
const BYTES: usize = 8 << 20;

/// What each reads between two generations; the rest at the end.
const PIECE: usize = 8 << 10;

const NAME: &str = "large-1.0-1.noarch.rpm";

/// One download.
struct Slow {
    stream: TcpStream,
    digest: Hasher,
    left: u64,
}

impl Slow {
    fn begin(base_url: &str, path: &str) -> Self {
        let host = base_url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(600))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        Self { stream, digest: Hasher::new(Algorithm::Sha256), left: length.parse().unwrap() }
    }

    /// Reads so many bytes, or what is left.
    fn read(&mut self, length: usize) {
        let mut piece = vec![0; length.min(usize::try_from(self.left).unwrap())];
        self.stream.read_exact(&mut piece).unwrap();
        self.digest.update(&piece);
        self.left -= piece.len() as u64;
    }

    /// Reads to the end and tells the digest.
    fn finish(mut self) -> String {
        while self.left > 0 {
            self.read(1 << 20);
        }
        let mut more = Vec::new();
        self.stream.read_to_end(&mut more).unwrap();
        assert!(more.is_empty(), "{} bytes more than announced", more.len());
        self.digest.finish().hex
    }
}

/// Counts the descriptors of a process that lead to the large package.
fn descriptors(process: u32) -> usize {
    let links = fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten();
    let leads =
        |link: &fs::DirEntry| fs::read_link(link.path()).is_ok_and(|to| to.to_string_lossy().contains(NAME));
    links.filter(leads).count()
}

#[test]
fn slow_downloads_end_well_though_generations_pass_and_the_last_name_goes() {
    let sandbox = Sandbox::new();
    let nginx = Nginx::start(&sandbox, &sandbox.path("site/root"));
    let site = Site::initialised(&sandbox, nginx.base_url(), STAGES);
    let served = Served::start(&site);
    let _daemon = site.start();
    let mut promotions = Promotions::new(&site, 5);
    let mut rng = Rng::with_seed(9);
    let bytes: Vec<u8> = (0..BYTES).map(|_| rng.u8(..)).collect();
    let package = Recipe::new("large", "1.0", "1").file("/usr/share/large", bytes).build();
    let digest = repo::sha256(&package).to_string();
    let path = format!("/glite/el9/aarch64/production/Packages/{}/{}/{NAME}", &digest[..2], &digest[..16]);
    promotions.bring(NAME, &package);

    let of = |(base_url, count): (&str, usize)| {
        (0..count).map(|_| Slow::begin(base_url, &path)).collect::<Vec<_>>()
    };
    let mut slow: Vec<Slow> =
        [served.base_url(), nginx.base_url()].into_iter().zip(CONNECTIONS).flat_map(of).collect();
    promotions.take_away("large");
    for _ in 0..2 {
        slow.iter_mut().for_each(|slow| slow.read(PIECE));
        promotions.step();
        // Two hundred that stand still take nobody's place.
        let ledger = promotions.ledger();
        let repomd = "glite/el9/x86_64/production/repodata/repomd.xml";
        let answer = fetch(&format!("{}/{repomd}", served.base_url()));
        let digest = repo::sha256(&answer.body);
        assert_eq!(ledger.digest(ledger.current(), repomd), Some(digest), "{}", answer.status);
    }
    // A client that reads nothing leaves nearly all of it with the server.
    let held = descriptors(served.process());
    assert!(held >= CONNECTIONS[0], "{held} downloads are under way, the package is too small");

    // What the grace would keep for days goes now: a descriptor is a promise of its own.
    let link =
        format!("public/packages/glite-el9-aarch64-production/{}", path.split_once("Packages/").unwrap().1);
    fs::remove_file(site.root().join(link)).unwrap();
    for server in [served.base_url(), nginx.base_url()] {
        assert_eq!(fetch(&format!("{server}{path}")).status, 404, "{server}");
    }
    let count = slow.len();
    let ends = thread::scope(|scope| {
        let threads = slow.into_iter().map(|slow| scope.spawn(|| slow.finish())).collect::<Vec<_>>();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(ends.iter().all(|end| *end == digest), "a download came to another end");
    println!("{count} downloads of {} bytes through {:?}", package.len(), promotions.done);
}
