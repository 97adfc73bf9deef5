//! `sluice verify`: what must never be false, looked up in a tree as it lies on the disk.
//!
//! Reads and never writes, takes no lock, trusts no recorded digest without hashing the bytes. The numbers
//! are those of the invariants in ARCHITECTURE.md. What is *not* looked at: everything that needs the history of URLs,
//! which a single tree cannot show.

mod chain;
mod history;
mod links;
mod metadata;
mod metalinks;
mod overlaps;
mod package_signatures;
mod procedures;
mod rebuilt;
mod requests;
mod sealed;
mod signatures;
mod tree;
mod views;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nevra::Sha256;
use store::Disk;

pub use metadata::Known;

/// One broken invariant.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// Its number, `I1` and so on.
    pub invariant: &'static str,
    /// The file or directory that shows it.
    pub place: String,
    /// What is wrong there.
    pub words: String,
}

/// How strict the look is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Something may be running, or have been cut short: only what holds at every instant.
    AnyInstant,
    /// Nothing is running and nothing waits: also what holds at rest.
    Quiet,
}

/// Looks at trees; remembers packages and metadata it has verified by their digests.
#[derive(Debug, Default)]
pub struct Verifier {
    known: Known,
    is_deep: bool,
}

impl Verifier {
    /// Looks at every package of the pool, too, also at those that nothing leads to any more, and reads what entered a
    /// stage that demands signatures for its own.
    #[must_use]
    pub fn deep(mut self) -> Self {
        self.is_deep = true;
        self
    }

    /// Lists every broken invariant below `root` and, if given, in the control directory `spool`.
    ///
    /// `now` is only used to tell what lies in the future.
    pub fn verify(
        &mut self,
        disk: &dyn Disk,
        root: &Utf8Path,
        spool: Option<&Utf8Path>,
        rest: Rest,
        now: Timestamp,
    ) -> Vec<Violation> {
        let mut look = Look { is_deep: self.is_deep, ..Look::at(disk, root, rest, now) };
        let Some(chain) = look.chain() else { return look.found };
        look.names_below_root(&chain);
        look.purged = chain.kept[&chain.current].account.purged.clone();
        let dropped = chain.kept[&chain.current].manifest.drop_generations.clone();
        for generation in chain.kept.values() {
            if dropped.contains(&generation.number) {
                // It is on its way out, one step at a time; at rest it is gone.
                if look.quiet() {
                    let place = root.join(format!("generations/{}", generation.number));
                    look.broken("I23", place, "the current generation drops it, and it is still there");
                }
                continue;
            }
            look.sealed(generation);
            look.metadata(generation, generation.number == chain.current, &mut self.known);
            look.views(generation, generation.number == chain.current, &mut self.known);
            look.metalinks(generation, &chain);
            look.signatures(generation, &mut self.known);
        }
        look.package_links(&chain, &self.known);
        look.history(&chain, &self.known);
        look.overlaps(&chain);
        look.procedures(&chain);
        look.package_signatures(&chain);
        look.audit(&chain);
        if let Some(spool) = spool {
            look.requests(spool, &chain);
        }
        look.found
    }
}

/// Lists what is wrong with the audit log below `root`, by itself and against the manifests.
pub fn audit(disk: &dyn Disk, root: &Utf8Path, now: Timestamp) -> Vec<Violation> {
    let mut look = Look::at(disk, root, Rest::AnyInstant, now);
    let nothing = || Chain {
        current: 0,
        kept: BTreeMap::new(),
        accounts: BTreeMap::new(),
        digests: BTreeMap::new(),
        made: BTreeMap::new(),
    };
    // What is wrong with the generations themselves the whole verification tells.
    let chain = look.chain().unwrap_or_else(nothing);
    look.found.clear();
    look.audit(&chain);
    look.found
}

/// How much of a file is hashed at a time, in bytes.
const PIECE: u64 = 1 << 16;

/// One look at a tree.
struct Look<'a> {
    disk: &'a dyn Disk,
    root: &'a Utf8Path,
    rest: Rest,
    now: Timestamp,
    /// Whether every package of the pool is hashed.
    is_deep: bool,
    /// What no URL may answer with any more, whatever lists it.
    purged: BTreeSet<Sha256>,
    found: Vec<Violation>,
    /// The packages that were looked at and are right, by repository and href: most are listed by many generations, and by views.
    packages: BTreeMap<(String, String), metadata::Lists>,
    buffer: RefCell<Vec<u8>>,
}

impl<'a> Look<'a> {
    fn at(disk: &'a dyn Disk, root: &'a Utf8Path, rest: Rest, now: Timestamp) -> Look<'a> {
        let (purged, found, packages) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
        Look { disk, root, rest, now, is_deep: false, purged, found, packages, buffer: RefCell::default() }
    }
}

impl Look<'_> {
    fn broken(&mut self, invariant: &'static str, place: impl Into<Utf8PathBuf>, words: impl Into<String>) {
        self.found.push(Violation { invariant, place: place.into().into_string(), words: words.into() });
    }

    fn quiet(&self) -> bool {
        self.rest == Rest::Quiet
    }

    /// Reads a whole file, or says why not; files of a site's own are small.
    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut file = self.disk.open(path).map_err(|error| error.to_string())?;
        std::io::Read::read_to_end(&mut file, &mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    /// Hashes a file of any size.
    fn digest(&self, path: &Utf8Path) -> Result<(u64, Sha256), String> {
        use sha2::Digest as _;
        let mut file = self.disk.open(path).map_err(|error| error.to_string())?;
        let mut hasher = sha2::Sha256::new();
        // Most files are small: the buffer grows with what is read, and only once in a look.
        let mut buffer = self.buffer.borrow_mut();
        let mut size = 0;
        loop {
            buffer.clear();
            let piece = std::io::Read::read_to_end(&mut std::io::Read::take(&mut file, PIECE), &mut buffer);
            match piece {
                Ok(0) => return Ok((size, Sha256::from(<[u8; 32]>::from(hasher.finalize())))),
                Ok(n) => {
                    size += n as u64;
                    hasher.update(&*buffer);
                }
                Err(error) => return Err(format!("failed to read: {error}")),
            }
        }
    }
}

/// What the manifests of a tree lead to.
struct Chain {
    /// The number `current` names.
    current: u64,
    /// The generations whose two halves are kept, by number; the current one is among them.
    kept: BTreeMap<u64, chain::Kept>,
    /// The account of every generation back to the first.
    accounts: BTreeMap<u64, crate::account::Account>,
    /// The digest of the manifest of each of them.
    digests: BTreeMap<u64, Sha256>,
    /// When each of them was made, and under which policy.
    made: BTreeMap<u64, (Timestamp, Sha256)>,
}
