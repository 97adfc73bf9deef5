//! The packages of an existing repository: verified, and copied once, however often that is cut short.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use camino::Utf8Path;
use nevra::{Digest, Sha256};
use plan::{Code, Refusal};
use repo::Hasher;
use sha2::Digest as _;
use store::{Kind, Modified, PoolArrival};

use super::folder::{Folder, Found};
use super::old::{Old, OldPackage};
use crate::arrivals::{Arrived, Arriving, Brought, FOLDER_DEPTH_MAX, Gate, Stopped};
use crate::progress::Progress;

/// After how many packages their names are made durable, so that a power cut does not cost all of them.
const SYNC_EVERY: usize = 256;

/// After how many bytes within one package somebody is told.
const TELL_EVERY: u64 = 64 << 20;

/// How many of many are named.
const NAMED_MAX: usize = 5;

/// Verifies and brings in every package that the old metadata lists.
pub(super) fn bring_in(
    gate: &Gate<'_>,
    claim: &str,
    folder: &Folder<'_>,
    old: &Old,
    rehearsed: bool,
    watch: &mut dyn FnMut(Progress),
) -> Result<Brought, Stopped> {
    let mut progress = Progress {
        packages_all: old.packages.len(),
        bytes_all: old.packages.iter().map(|entry| entry.size).sum(),
        ..Progress::default()
    };
    // What an earlier attempt completed; of the same claim, so of the same request.
    let mut there = gate.store.brought_in(claim)?;
    let mut known = BTreeMap::<Digest, Sha256>::new();
    let mut arrived = Arriving::default();
    for entry in &old.packages {
        let found = located(folder, entry)?;
        let seconds = found.state.modified.seconds.min(gate.now.as_second());
        let mut one = Bringing { gate, claim, entry, found, seconds, progress, watch };
        let key = format!("{}-{}", entry.pkgid.algorithm, entry.pkgid.hex);
        let complete = there.get(&key).filter(|file| file.size == entry.size).cloned();
        let pooled = |digest: &Sha256| -> Result<bool, Stopped> {
            Ok(gate.disk.state(&gate.store.paths().pool_file(digest))?.is_some())
        };
        let stated = entry.pkgid.sha256().or_else(|| known.get(&entry.pkgid).copied());
        let is_pooled = match &stated {
            Some(digest) => pooled(digest)?,
            None => false,
        };
        let (sha256, from) = match complete {
            Some(file) => (file.sha256, Some(file.path)),
            None if rehearsed || is_pooled => (one.hashed()?, None),
            None => {
                let file = one.copied(&key)?;
                there.insert(key, file.clone());
                (file.sha256, Some(file.path))
            }
        };
        known.insert(entry.pkgid.clone(), sha256);
        let (size, href) = (entry.size, one.found.href);
        let pool_file = gate.store.paths().pool_file(&sha256);
        let is_pooled = pooled(&sha256)?;
        let place = match &from {
            _ if is_pooled => &pool_file,
            Some(path) => path,
            None => &one.found.path,
        };
        let seconds = match is_pooled {
            true => gate.disk.open(place)?.state()?.modified.seconds,
            false => seconds,
        };
        let pool = from.clone().filter(|_| !is_pooled).map(|from| PoolArrival { digest: sha256, size, from });
        arrived.push(gate.read(place, sha256, size, seconds, &href, pool)?);
        progress.packages += 1;
        progress.bytes += size;
        watch(progress);
        if progress.packages.is_multiple_of(SYNC_EVERY) {
            gate.store.sync_import(claim)?;
        }
    }
    gate.store.sync_import(claim)?;
    Ok(arrived.brought())
}

/// Finds the file of a listed package, which must have the listed size.
fn located(folder: &Folder<'_>, entry: &OldPackage) -> Result<Found, Refusal> {
    let said_by = format!("primary, of `{}`,", entry.nevra);
    if entry.base.as_ref().is_some_and(|base| !base.is_empty()) {
        return Err(folder.outside(entry.base.as_deref().unwrap_or_default(), &said_by));
    }
    let found = folder.find(&entry.href, &said_by)?;
    if found.state.size == entry.size {
        return Ok(found);
    }
    let sentence = format!("`{}` has {} bytes, primary says {}", found.path, found.state.size, entry.size);
    Err(Refusal::new(Code::SizeMismatch, sentence).hint("somebody replaced the package after createrepo ran"))
}

/// One package on its way.
struct Bringing<'a, 'b> {
    gate: &'a Gate<'a>,
    claim: &'a str,
    entry: &'a OldPackage,
    found: Found,
    seconds: i64,
    progress: Progress,
    watch: &'b mut dyn FnMut(Progress),
}

impl Bringing<'_, '_> {
    /// Hashes the file where it lies.
    fn hashed(&mut self) -> Result<Sha256, Stopped> {
        let mut stated = Hasher::new(self.entry.pkgid.algorithm);
        let mut hasher = sha2::Sha256::new();
        let mut buffer = vec![0; 1 << 18];
        let mut told = Told::default();
        loop {
            let count = self.found.file.read(&mut buffer).map_err(|error| {
                let sentence = format!("the daemon could not read `{}`: {error}", self.found.path);
                Stopped::Refused(Refusal::new(Code::FolderNotReadable, sentence))
            })?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            stated.update(&buffer[..count]);
            told.tell(count, self.progress, self.watch);
        }
        self.check(stated.finish())?;
        Ok(Sha256::from(<[u8; 32]>::from(hasher.finalize())))
    }

    /// Copies the file into the site, or shares its blocks; what is hashed is the copy.
    fn copied(&mut self, key: &str) -> Result<store::Arrived, Stopped> {
        let mut stated = Hasher::new(self.entry.pkgid.algorithm);
        let wanted = (self.entry.size, Modified::of_seconds(self.seconds));
        let (progress, mut told) = (self.progress, Told::default());
        let watch = &mut *self.watch;
        let brought =
            self.gate.store.bring_in_once(self.claim, key, &self.found.path, wanted, &mut |piece| {
                stated.update(piece);
                told.tell(piece.len(), progress, watch);
            })?;
        let Some(arrived) = brought else {
            let sentence = format!("`{}` changed while it was copied", self.found.path);
            return Err(Stopped::Refused(Refusal::new(Code::SizeMismatch, sentence)));
        };
        self.check(stated.finish())?;
        Ok(arrived)
    }

    fn check(&self, found: Digest) -> Result<(), Stopped> {
        if found == self.entry.pkgid {
            return Ok(());
        }
        let sentence = format!("`{}` has the {found}, primary says {}", self.found.path, self.entry.pkgid);
        let refusal = Refusal::new(Code::DigestMismatch, sentence);
        Err(Stopped::Refused(refusal.hint("the package is not the one that was listed: do not trust it")))
    }
}

/// What was told of one package.
#[derive(Default)]
struct Told {
    bytes: u64,
    told: u64,
}

impl Told {
    fn tell(&mut self, count: usize, progress: Progress, watch: &mut dyn FnMut(Progress)) {
        self.bytes += count as u64;
        if self.bytes - self.told >= TELL_EVERY {
            self.told = self.bytes;
            watch(Progress { bytes: progress.bytes + self.bytes.min(progress.bytes_all), ..progress });
        }
    }
}

/// Says which package files lie in the folder and are not listed; they are not adopted.
pub(super) fn unlisted(folder: &Folder<'_>, arrived: &[Arrived]) -> Result<Option<String>, Stopped> {
    let listed: BTreeSet<&str> = arrived.iter().map(|one| one.arrival.from.as_str()).collect();
    let mut found = Vec::new();
    below(folder, Utf8Path::new(""), FOLDER_DEPTH_MAX, &mut found);
    found.retain(|href| !listed.contains(href.as_str()));
    if found.is_empty() {
        return Ok(None);
    }
    let count = found.len();
    found.truncate(NAMED_MAX);
    let named: Vec<String> = found.iter().map(|href| format!("`{href}`")).collect();
    let more = if count > NAMED_MAX { " ..." } else { "" };
    Ok(Some(format!(
        "left out: {count} package files that the metadata does not list: {}{more}",
        named.join(", ")
    )))
}

/// Lists the package files at and below a directory of the folder; what cannot be looked at is passed over.
fn below(folder: &Folder<'_>, dir: &Utf8Path, depth: usize, found: &mut Vec<String>) {
    let Ok(names) = folder.disk.list(&folder.top.join(dir)) else { return };
    for name in names.names {
        let href = dir.join(&name);
        match folder.disk.state(&folder.top.join(&href)).ok().flatten().map(|state| state.kind) {
            Some(Kind::Directory) if depth > 0 => below(folder, &href, depth - 1, found),
            Some(Kind::File) if name.ends_with(".rpm") => found.push(href.into_string()),
            _ => {}
        }
    }
}
