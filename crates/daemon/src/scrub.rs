//! The scrub: every package of the pool is read again and again, slowly, because disks forget without a word.
//!
//! A thread of its own reads, so that a dying disk holds up nobody; the engine takes note of what it finds. A round
//! takes the configured time however much there is, and goes on after a restart where it was: the position lies in
//! `cache/`, where nothing is trusted.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use camino::Utf8PathBuf;
use nevra::Sha256;
use sha2::Digest as _;
use store::{Disk, Error, Paths};

/// How much is read at a time, in bytes; between two pieces the thread rests.
const PIECE: u64 = 1 << 20;

/// The longest rest, so that an end is never waited for and a changed pool is noticed.
const REST_MAX: Duration = Duration::from_secs(3600);

/// What became of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What the file should be.
    pub digest: Sha256,
    /// What is wrong with it; nothing if it is sound.
    pub wrong: Option<String>,
}

/// A scrub that goes on until it is dropped.
#[derive(Debug)]
pub struct Scrub {
    _end: Sender<()>,
}

impl Scrub {
    /// Starts scrubbing the pool, a round in `period`, and hands out what is found; `tell` is called after something
    /// was found damaged.
    pub fn start(
        disk: Arc<dyn Disk>,
        paths: Paths,
        period: Duration,
        tell: impl Fn() + Send + 'static,
    ) -> (Scrub, Receiver<Found>) {
        let (end, ended) = channel::<()>();
        let (find, found) = channel();
        let mut walk = Walk { disk, paths, period, ended, find, tell: Box::new(tell) };
        std::thread::spawn(move || while walk.round() == Goes::On {});
        (Scrub { _end: end }, found)
    }
}

/// Whether there is somebody left to scrub for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    On,
    Out,
}

struct Walk {
    disk: Arc<dyn Disk>,
    paths: Paths,
    period: Duration,
    ended: Receiver<()>,
    find: Sender<Found>,
    tell: Box<dyn Fn() + Send>,
}

impl Walk {
    /// Goes through the pool once, from where the last round was left.
    fn round(&mut self) -> Goes {
        let (digests, bytes) = match self.pool() {
            Ok(pool) => pool,
            Err(error) => {
                tracing::warn!("the scrub waits: {error}");
                return self.rest(REST_MAX);
            }
        };
        let pieces = bytes.div_ceil(PIECE).max(digests.len() as u64).max(1);
        let pace = self.period / u32::try_from(pieces).unwrap_or(u32::MAX);
        let after = self.position();
        let rest: Vec<Sha256> = digests.iter().filter(|digest| Some(**digest) > after).copied().collect();
        for digest in rest {
            let Some(wrong) = self.read(digest, pace) else { return Goes::Out };
            match &wrong {
                Some(words) => {
                    tracing::error!(package = %digest, "a package in the pool is damaged: {words}")
                }
                None => tracing::trace!(package = %digest, "sound"),
            }
            let is_wrong = wrong.is_some();
            if self.find.send(Found { digest, wrong }).is_err() {
                return Goes::Out;
            }
            if is_wrong {
                (self.tell)();
            }
            self.remember(Some(digest));
        }
        self.remember(None);
        if digests.is_empty() { self.rest(self.period.min(REST_MAX)) } else { self.rest(pace.min(REST_MAX)) }
    }

    /// The packages of the pool in order, and their bytes together.
    fn pool(&self) -> Result<(Vec<Sha256>, u64), Error> {
        let (mut digests, mut bytes) = (Vec::new(), 0);
        for shard in self.disk.list(&self.paths.pool())?.names {
            let shard = self.paths.pool().join(shard);
            for name in self.disk.list(&shard)?.names {
                let digest = name.strip_suffix(".rpm").and_then(|name| name.parse::<Sha256>().ok());
                if let (Some(digest), Some(state)) = (digest, self.disk.state(&shard.join(&name))?) {
                    digests.push(digest);
                    bytes += state.size;
                }
            }
        }
        digests.sort();
        Ok((digests, bytes))
    }

    /// Reads one package at the pace; `None` if nobody wants to know any more.
    fn read(&self, digest: Sha256, pace: Duration) -> Option<Option<String>> {
        let path = self.paths.pool_file(&digest);
        let mut file = match self.disk.open(&path) {
            Ok(file) => file,
            // Purged or swept since the round began.
            Err(_) if self.disk.state(&path).is_ok_and(|state| state.is_none()) => return Some(None),
            Err(error) => return Some(Some(error.to_string())),
        };
        let mut hasher = sha2::Sha256::new();
        loop {
            if self.rest(pace) == Goes::Out {
                return None;
            }
            let mut piece = Vec::new();
            match std::io::Read::read_to_end(&mut std::io::Read::take(&mut file, PIECE), &mut piece) {
                Ok(0) => break,
                Ok(_) => hasher.update(&piece),
                Err(error) => return Some(Some(format!("failed to read `{path}`: {error}"))),
            }
        }
        let found = Sha256::from(<[u8; 32]>::from(hasher.finalize()));
        Some((found != digest).then(|| format!("the sha256 of `{path}` is {found}")))
    }

    /// Rests; says whether there is still somebody to work for.
    fn rest(&self, pace: Duration) -> Goes {
        match self.ended.recv_timeout(pace.min(REST_MAX)) {
            Err(RecvTimeoutError::Timeout) => Goes::On,
            _ => Goes::Out,
        }
    }

    fn place(&self) -> Utf8PathBuf {
        self.paths.cache().join("scrub")
    }

    /// The package that was read last.
    fn position(&self) -> Option<Sha256> {
        let mut text = String::new();
        let file = self.disk.open(&self.place()).ok()?;
        std::io::Read::read_to_string(&mut std::io::Read::take(file, 100), &mut text).ok()?;
        text.trim().parse().ok()
    }

    /// Writes down where the round is; that it cannot costs a round that begins anew, no more.
    fn remember(&self, position: Option<Sha256>) {
        let (place, fresh) = (self.place(), self.paths.cache().join("scrub.new"));
        let write = || -> Result<(), Error> {
            if self.disk.state(&fresh)?.is_some() {
                self.disk.remove_file(&fresh)?;
            }
            let mut file = self.disk.create(&fresh, 0o640)?;
            let text = position.map(|position| format!("{position}\n")).unwrap_or_default();
            file.write_all(text.as_bytes()).map_err(|cause| Error::Disk {
                operation: "write",
                path: fresh.clone(),
                cause,
            })?;
            self.disk.rename(&fresh, &place)
        };
        if let Err(error) = write() {
            tracing::debug!("the position of the scrub is not kept: {error}");
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "here a test makes a pool that rots")]
mod tests {
    use super::*;
    use camino::Utf8Path;
    use store::PosixDisk;

    fn put(root: &Utf8Path, named: &[u8], bytes: &[u8]) -> Sha256 {
        let digest = repo::sha256(named);
        let path = Paths::new(root).pool_file(&digest);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        digest
    }

    /// What a scrub finds first in a pool of three packages, one of them rotten, if the last one stopped here.
    fn found(count: usize, position: fn(&[Sha256]) -> Option<String>) -> (Vec<Sha256>, Vec<Found>) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::create_dir(root.join("cache")).unwrap();
        let large = vec![7; 3 * PIECE as usize + 5];
        let mut all = vec![put(root, b"a", b"a"), put(root, b"b", b"rotten"), put(root, &large, &large)];
        all.sort();
        if let Some(position) = position(&all) {
            std::fs::write(root.join("cache/scrub"), position).unwrap();
        }
        let (_scrub, finds) = Scrub::start(Arc::new(PosixDisk), Paths::new(root), Duration::ZERO, || ());
        let found = finds.iter().take(count).collect();
        (all, found)
    }

    #[test]
    fn every_package_is_read() {
        let (all, round) = found(3, |_| None);
        assert_eq!(round.iter().map(|found| found.digest).collect::<Vec<_>>(), all);
        let wrong: Vec<_> = round.iter().filter(|found| found.wrong.is_some()).collect();
        assert!(matches!(&wrong[..], [one] if one.digest == repo::sha256(b"b")), "{wrong:?}");
    }

    #[test]
    fn a_round_goes_on_where_it_was_and_begins_anew_where_nobody_knows() {
        let (all, round) = found(1, |all| Some(format!("{}\n", all[0])));
        assert_eq!(round[0].digest, all[1]);
        let (all, round) = found(1, |_| Some("nonsense".to_owned()));
        assert_eq!(round[0].digest, all[0]);
    }
}
