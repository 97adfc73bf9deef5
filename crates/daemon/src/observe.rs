//! What is published: reads a generation's account and the packages its repositories list.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use nevra::{Digest, Sha256};
use plan::{Listed, Repository};
use repo::{Contents, Entry, Repomd};
use store::{Generation, Store};

use crate::account::{Account, Shelved};
use crate::error::Error;
use crate::writing::{BESIDE_SIZE_MAX, Beside, is_beside};

/// What a metadata file may unfold to, in bytes: far above any real repository, far below all memory.
const OPEN_SIZE_MAX: u64 = 4 << 30;

/// One published repository, read and verified.
#[derive(Debug)]
pub struct Shelf {
    /// The packages with their metadata, in listed order.
    pub entries: Vec<Entry>,
    /// The same packages as the plan sees them.
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
    /// What reading it took, in bytes of open metadata.
    pub bytes: u64,
}

/// Reads repositories and remembers them by the digest of their repomd.xml.
#[derive(Debug, Default)]
pub struct Catalogue {
    shelves: BTreeMap<Sha256, Arc<Shelf>>,
}

/// What the catalogue may hold between two steps, in bytes of open metadata.
const REMEMBERED_MAX: u64 = 256 << 20;

impl Catalogue {
    /// Reads the repository `name` at `shelved` as `generation` lists it.
    pub fn shelf(
        &mut self,
        store: &Store,
        generation: &Generation,
        shelved: &Shelved,
    ) -> Result<Arc<Shelf>, Error> {
        let path = format!("{}/repodata/repomd.xml", shelved.path);
        let digest =
            generation.files.public.get(path.as_str()).map(|facts| facts.sha256).ok_or_else(|| {
                Error::Metadata {
                    place: path.clone(),
                    reason: "it is not among the files of the generation".into(),
                }
            })?;
        if let Some(shelf) = self.shelves.get(&digest) {
            return Ok(Arc::clone(shelf));
        }
        let shelf = Arc::new(read_shelf(store, generation, &shelved.path)?);
        self.shelves.insert(digest, Arc::clone(&shelf));
        Ok(shelf)
    }

    /// Forgets everything if it has grown too large; called between steps.
    pub fn tidy(&mut self) {
        if self.shelves.values().map(|shelf| shelf.bytes).sum::<u64>() > REMEMBERED_MAX {
            self.shelves.clear();
        }
    }
}

/// Reads the repository at `path` (below the web root) of a generation; every file is verified by its digest.
pub fn read_shelf(store: &Store, generation: &Generation, path: &str) -> Result<Shelf, Error> {
    let place = format!("@{}/{path}/repodata/repomd.xml", generation.number);
    let wrong = |reason: String| Error::Metadata { place: place.clone(), reason };
    let repomd = store.read_public(generation, &format!("{path}/repodata/repomd.xml"))?;
    let repomd = Repomd::parse(&repomd).map_err(|error| wrong(error.to_string()))?;
    let mut open = BTreeMap::new();
    let mut hrefs = Vec::new();
    let mut beside = Beside::default();
    for record in &repomd.records {
        let file = Utf8PathBuf::from(path).join(&record.href);
        if ["primary", "filelists", "other"].contains(&record.kind.as_str()) {
            let limit = record.open_size.unwrap_or(OPEN_SIZE_MAX).min(OPEN_SIZE_MAX);
            let packed = store.read_public(generation, file.as_str())?;
            let xml = repo::unpack(&packed, limit).map_err(|error| wrong(error.to_string()))?;
            open.insert(record.kind.clone(), xml);
        }
        if is_beside(record) {
            let packed = store.read_public(generation, file.as_str())?;
            // What nobody can read is carried all the same.
            beside.take(record, repo::unpack(&packed, BESIDE_SIZE_MAX).ok().as_deref());
        }
        hrefs.push(record.href.clone());
    }
    let bytes = (open.values().map(Vec::len).sum::<usize>() + beside.bytes()) as u64;
    // The buffers are handed over: fragments are slices of them.
    let mut take =
        |kind: &str| open.remove(kind).ok_or_else(|| wrong(format!("it has no record of type `{kind}`")));
    let (primary, filelists, other) = (take("primary")?, take("filelists")?, take("other")?);
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
    Ok(Shelf { entries, listed, repomd, named, beside, revision, hrefs, bytes })
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
    Ok(Listed { nevra: entry.nevra.clone(), pkgid, size: entry.size_package, source_rpm })
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
            let shelf = read_shelf(&self.store, &self.generation, &shelved.path)?;
            let place = || format!("{}/repodata", shelved.path);
            let read = crate::shelves::relations(&shelf.entries);
            let packages = read.map_err(|reason| Error::Metadata { place: place(), reason })?;
            Ok((shelved.repository(), packages))
        };
        self.account.repositories.values().map(read).collect()
    }

    /// Gives the packages each repository lists.
    pub fn packages(&self) -> Result<BTreeMap<Repository, Vec<Listed>>, Error> {
        let read = |shelved: &Shelved| {
            let shelf = read_shelf(&self.store, &self.generation, &shelved.path)?;
            Ok((shelved.repository(), shelf.listed))
        };
        self.account.repositories.values().map(read).collect()
    }
}
