//! One web server as its readers see it, and what they remember together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nevra::Digest;
use repo::Record;

use super::flips::Flips;
use super::ledger::Ledger;
use super::tally::Tally;

/// No file unpacks to more.
const OPEN_MAX: u64 = 64 << 20;

/// A web server, and what is true of what it serves.
pub struct Origin {
    pub name: &'static str,
    /// Without a slash at the end.
    pub base_url: String,
    /// Pairs of repositories, source and target of a route; packages wander between the first two.
    pub routes: Vec<[String; 2]>,
    /// The names of the packages that are at every instant in one of the first two.
    pub wanderers: Vec<String>,
    /// For how long a package that moves is in both; nothing if no such thing is promised.
    pub overlap: Option<Duration>,
    /// What the generations say; nothing for a server without generations.
    pub ledger: Option<Arc<Ledger>>,
    /// How often it changed.
    pub flips: Arc<Flips>,
    /// How fast each reader reads at most, so that servers and daemon have their share of the machine.
    pub reads_per_second: f64,
    /// For how many flips a person waits at most.
    pub patience: u64,
    pub tally: Tally,
    pub memory: Memory,
}

/// A package as a primary.xml lists it.
#[derive(Debug)]
pub struct Listed {
    pub name: String,
    pub href: String,
    pub size: u64,
    pub digest: Digest,
}

/// What verified bytes unpack to: a function of the bytes alone, so it is worked out once for each.
#[derive(Default)]
pub struct Memory {
    opened: Mutex<HashMap<String, Arc<Opened>>>,
}

/// A file of metadata, unpacked.
pub struct Opened {
    pub size: u64,
    pub sha256: String,
    pub packages: Arc<Vec<Listed>>,
}

impl Memory {
    /// Unpacks bytes whose digest was verified against that of the record.
    pub fn open(&self, record: &Record, packed: &[u8]) -> Result<Arc<Opened>, String> {
        let key = format!("{}:{}", record.kind, record.checksum.hex);
        if let Some(opened) = self.opened.lock().unwrap().get(&key) {
            return Ok(Arc::clone(opened));
        }
        let bytes = repo::unpack(packed, OPEN_MAX).map_err(|error| format!("it does not unpack: {error}"))?;
        let mut packages = Vec::new();
        if record.kind == "primary" {
            let listed = repo::parse_primary(&bytes).map_err(|error| format!("it is no primary: {error}"))?;
            packages.extend(listed.into_iter().map(|package| Listed {
                name: package.nevra.name,
                href: package.href,
                size: package.size_package,
                digest: package.pkgid,
            }));
        }
        let opened = Arc::new(Opened {
            size: bytes.len() as u64,
            sha256: repo::sha256(&bytes).to_string(),
            packages: Arc::new(packages),
        });
        self.opened.lock().unwrap().insert(key, Arc::clone(&opened));
        Ok(opened)
    }
}
