//! What is published: reads a generation's account and the packages its repositories list.

pub(crate) mod blocks;
mod catalogue;
mod preparing;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use camino::Utf8PathBuf;
use nevra::{Digest, Sha256};
use plan::{Listed, ListedPackage, Repository};
use repo::{Contents, Entry, Glance, Repomd};
use store::{Generation, Store};

use crate::account::{Account, Shelved};
use crate::error::Error;
use crate::observe::blocks::InBlocks;
use crate::writing::{BESIDE_SIZE_MAX, Beside, is_beside};

pub use catalogue::{Catalogue, WrittenShelf};

/// What a metadata file may unfold to, in bytes: far above any real repository, far below all memory.
const OPEN_SIZE_MAX: u64 = 4 << 30;

/// One published repository, read and verified.
#[derive(Debug)]
pub struct Shelf {
    /// The packages as the plan sees them, in listed order.
    pub listed: Vec<Listed>,
    /// Its repomd.xml, of which all is carried that is not made from the packages.
    pub repomd: Repomd,
    /// What it calls the packages that it does not name by SHA-256.
    pub named: BTreeMap<Sha256, Digest>,
    /// What else its repomd.xml leads to and is read.
    pub beside: Beside,
    /// The revision in repomd.xml, in seconds.
    pub revision: i64,
    /// The metadata files repomd.xml leads to, below the repository: two repositories may share a repomd.xml.
    pub hrefs: Vec<String>,
    /// What it takes in memory, in bytes, about.
    pub bytes: u64,
    text: Text,
    /// The places of what is listed, once somebody asked for one.
    places: OnceLock<HashMap<Sha256, usize>>,
}

/// What is known of what the files say of each package.
#[derive(Debug)]
enum Text {
    /// All of it, in listed order.
    Whole(Vec<Entry>),
    /// Where it lies.
    InBlocks(Box<InBlocks>),
}

/// What one listed package takes in memory, about.
const LISTED_SIZE: u64 = 400;

impl Shelf {
    /// Finds a package that is listed.
    pub fn place_of(&self, digest: &Sha256) -> Option<usize> {
        let places = || self.listed.iter().enumerate().map(|(at, listed)| (listed.pkgid, at)).collect();
        self.places.get_or_init(places).get(digest).copied()
    }

    /// Gives the metadata of the packages at some places of the list, in this order.
    pub fn entries_at(&self, places: &BTreeSet<usize>) -> Result<Vec<Entry>, Error> {
        match &self.text {
            Text::Whole(entries) => Ok(places.iter().filter_map(|at| entries.get(*at)).cloned().collect()),
            Text::InBlocks(files) => files.entries(places),
        }
    }

    /// Gives the metadata of all packages, in listed order.
    pub fn entries(&self) -> Result<Vec<Entry>, Error> {
        self.entries_at(&(0..self.listed.len()).collect())
    }

    /// Shows its files, if they are known block by block.
    pub(crate) fn in_blocks(&self) -> Option<&InBlocks> {
        match &self.text {
            Text::Whole(_) => None,
            Text::InBlocks(files) => Some(files),
        }
    }

    /// Describes a repository that is written just now, in blocks.
    pub(crate) fn written(
        repomd: Repomd,
        listed: Vec<Listed>,
        beside: Beside,
        files: InBlocks,
    ) -> Option<Self> {
        Some(Self {
            revision: repomd.revision.parse().ok()?,
            hrefs: repomd.records.iter().map(|record| record.href.clone()).collect(),
            bytes: listed.len() as u64 * LISTED_SIZE + beside.bytes() as u64,
            listed,
            repomd,
            named: BTreeMap::new(),
            beside,
            text: Text::InBlocks(Box::new(files)),
            places: OnceLock::new(),
        })
    }
}

/// Reads the repository that is shelved in a generation; what is read is verified by its digest.
pub fn read_shelf(store: &Store, generation: &Generation, shelved: &Shelved) -> Result<Shelf, Error> {
    let path = &shelved.path;
    let place = format!("@{}/{path}/repodata/repomd.xml", generation.number);
    let wrong = |reason: String| Error::Metadata { place: place.clone(), reason };
    let repomd = store.read_public(generation, &format!("{path}/repodata/repomd.xml"))?;
    let sha256 = repo::sha256(&repomd);
    let repomd = Repomd::parse(&repomd).map_err(|error| wrong(error.to_string()))?;
    let mut beside = Beside::default();
    for record in repomd.records.iter().filter(|record| is_beside(record)) {
        let file = Utf8PathBuf::from(path).join(&record.href);
        let packed = store.read_public(generation, file.as_str())?;
        // What nobody can read is carried all the same.
        beside.take(record, repo::unpack(&packed, BESIDE_SIZE_MAX).ok().as_deref());
    }
    let name = shelved.repository().name();
    if let Some(files) = InBlocks::find(store, generation, (&name, path), (&repomd, sha256))? {
        let mut listed = Vec::with_capacity(files.files[0].blocks.packages());
        files.glances(&mut |seen| {
            listed.push(listed_at_glance(seen)?);
            Ok(())
        })?;
        return Shelf::written(repomd, listed, beside, files)
            .ok_or_else(|| wrong("its revision is not a number".into()));
    }
    read_whole(store, generation, path, (repomd, beside))
}

/// Reads a repository of which no blocks are known.
fn read_whole(
    store: &Store,
    generation: &Generation,
    path: &str,
    (repomd, beside): (Repomd, Beside),
) -> Result<Shelf, Error> {
    let place = format!("@{}/{path}/repodata/repomd.xml", generation.number);
    let wrong = |reason: String| Error::Metadata { place: place.clone(), reason };
    let open = |kind: &str| {
        let record = repomd.record(kind);
        let record = record.ok_or_else(|| wrong(format!("it has no record of type `{kind}`")))?;
        let file = Utf8PathBuf::from(path).join(&record.href);
        let limit = record.open_size.unwrap_or(OPEN_SIZE_MAX).min(OPEN_SIZE_MAX);
        let packed = store.read_public(generation, file.as_str())?;
        repo::unpack(&packed, limit).map_err(|error| wrong(error.to_string()))
    };
    // The buffers are handed over: fragments are slices of them.
    let (primary, filelists, other) = (open("primary")?, open("filelists")?, open("other")?);
    let bytes = (primary.len() + filelists.len() + other.len() + beside.bytes()) as u64;
    let contents = Contents::read(primary, filelists, other).map_err(|error| wrong(error.to_string()))?;
    let mut entries = contents.entries;
    let mut named = BTreeMap::new();
    let mut gone = BTreeSet::new();
    for entry in entries.iter_mut().filter(|entry| entry.pkgid.sha256().is_none()) {
        let Some(digest) = store.pooled_as(short_of(&entry.href))? else {
            if !is_purged(store, short_of(&entry.href))? {
                return Err(wrong(format!("the pool has no `{}`", entry.href)));
            }
            gone.insert(entry.href.clone());
            continue;
        };
        named.insert(digest, entry.pkgid.clone());
        *entry = entry.named(digest.into()).map_err(|error| wrong(error.to_string()))?;
    }
    entries.retain(|entry| !gone.contains(&entry.href));
    let listed = entries.iter().map(listed_of).collect::<Result<_, _>>().map_err(&wrong)?;
    let revision = repomd.revision.parse().map_err(|_| wrong("its revision is not a number".into()))?;
    let hrefs = repomd.records.iter().map(|record| record.href.clone()).collect();
    let (text, places) = (Text::Whole(entries), OnceLock::new());
    Ok(Shelf { listed, repomd, named, beside, revision, hrefs, bytes, text, places })
}

/// Says whether a package whose digest begins so was purged: an earlier generation may list it by another name.
fn is_purged(store: &Store, short: &str) -> Result<bool, Error> {
    let Some(current) = store.current()? else { return Ok(false) };
    let account = Account::of(current.number, &current.manifest.account)?;
    Ok(account.purged.iter().any(|digest| digest.short() == short))
}

/// The beginning of the digest in the place of a package, `Packages/<hh>/<16 hex>/<file>`.
pub(crate) fn short_of(href: &str) -> &str {
    href.split('/').nth(2).unwrap_or_default()
}

/// Gives the plan's view of an entry; refuses packages that are not named by a SHA-256.
pub fn listed_of(entry: &Entry) -> Result<Listed, String> {
    let pkgid = entry.pkgid.sha256();
    let pkgid = pkgid.ok_or_else(|| format!("`{}` is not named by a sha256", entry.nevra))?;
    let source_rpm = entry.source_rpm.clone();
    Ok(ListedPackage { nevra: entry.nevra.clone(), pkgid, size: entry.size_package, source_rpm }.into())
}

/// Gives the plan's view of what primary says of a package.
fn listed_at_glance(seen: Glance) -> Result<Listed, String> {
    let pkgid = seen.pkgid.sha256();
    let pkgid = pkgid.ok_or_else(|| format!("`{}` is not named by a sha256", seen.nevra))?;
    Ok(ListedPackage { nevra: seen.nevra, pkgid, size: seen.size_package, source_rpm: seen.source_rpm }
        .into())
}

/// A published generation with its account; what read-only commands look at.
#[derive(Debug)]
pub struct Site {
    store: Store,
    /// The generation.
    pub generation: Generation,
    /// Its account.
    pub account: Account,
}

impl Site {
    /// Reads the current generation; `None` before the first.
    pub fn current(store: Store) -> Result<Option<Self>, Error> {
        let Some(generation) = store.current()? else { return Ok(None) };
        Self::of(store, generation).map(Some)
    }

    /// Reads generation `number`, which must still be kept.
    pub fn at(store: Store, number: u64) -> Result<Self, Error> {
        let generation = store.generation(number)?;
        Self::of(store, generation)
    }

    fn of(store: Store, generation: Generation) -> Result<Self, Error> {
        let account = Account::of(generation.number, &generation.manifest.account)?;
        Ok(Self { store, generation, account })
    }

    /// Gives what the packages of each repository say about others.
    pub fn relations(&self) -> Result<BTreeMap<Repository, Vec<closure::Package>>, Error> {
        let read = |shelved: &Shelved| {
            let shelf = read_shelf(&self.store, &self.generation, shelved)?;
            let place = || format!("{}/repodata", shelved.path);
            let read = crate::shelves::relations(&shelf.entries()?);
            let packages = read.map_err(|reason| Error::Metadata { place: place(), reason })?;
            Ok((shelved.repository(), packages))
        };
        self.account.repositories.values().map(read).collect()
    }

    /// Gives the packages each repository lists.
    pub fn packages(&self) -> Result<BTreeMap<Repository, Vec<Listed>>, Error> {
        let read = |shelved: &Shelved| {
            let shelf = read_shelf(&self.store, &self.generation, shelved)?;
            Ok((shelved.repository(), shelf.listed))
        };
        self.account.repositories.values().map(read).collect()
    }
}
