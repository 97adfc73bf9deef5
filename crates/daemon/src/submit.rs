//! The requester's side of the control directory: puts files into `upload/`, drops a request, waits.
//!
//! ```text
//!   upload()   file      -> tmp/upload-3f..   -> upload/<sha256>-<name>
//!   send()     request   -> tmp/<stem>.toml   -> incoming/<stem>.toml
//!   wait()     done/ or failed/: <stem>-<UTC time>-<6 hex>.answer.json
//! ```
//!
//! Nothing here is privileged: what the command line does, a shell script with `cp` and `mv` can do
//! as well. Files are made with mode 0644 whatever the umask is, because the daemon runs as another
//! user. The daemon's process is neither asked nor needed until the wait.
#![expect(
    clippy::disallowed_methods,
    reason = "reads the requester's files, writes the control directory, waits"
)]

mod quota;

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Sha256;
use notify::{RecursiveMode, Watcher};
use plan::{Answer, Format};
use rustix::fs::{CWD, RenameFlags};
use sha2::Digest;

use crate::error::Error;
use crate::progress::Progress;
use quota::Within;

pub use quota::Quota;

/// How long a request may lie in `incoming/` before the requester is told that nobody takes it up.
const UNCLAIMED_AFTER: Duration = Duration::from_secs(3);

/// How long to trust the wake-ups of the kernel before looking again.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long to wait before looking again how far long work has come.
const WORK_EVERY: Duration = Duration::from_secs(1);

/// The control directory as a requester sees it.
#[derive(Debug, Clone)]
pub struct Submitter {
    spool: Utf8PathBuf,
    quota: Option<Quota>,
}

/// How much is taken of a file that comes from elsewhere, and of which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most bytes that it may have.
    pub bytes_max: u64,
    /// How many bytes are left free beside it, for the daemon's own work.
    pub free_bytes_min: u64,
    /// The digest that the other side says it has: one that was cut short, or changed, has another.
    pub digest: Option<Sha256>,
}

impl Bounds {
    /// No bounds: for the requester's own files.
    const NONE: Self = Self { bytes_max: u64::MAX, free_bytes_min: 0, digest: None };
}

/// A request that lies in `incoming/` or further on.
#[derive(Debug)]
pub struct Sent {
    spool: Utf8PathBuf,
    /// The stem of its name, unlike that of any other request; the claim name begins with it.
    pub stem: String,
    /// The name of the file in `incoming/`.
    pub name: String,
}

/// What is seen while an answer is awaited; each is told at most once, but for progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The request still lies in `incoming/`: probably no daemon is running.
    Unclaimed,
    /// A daemon has taken it up.
    Claimed,
    /// A daemon is at long work for it and has come so far; told each time it has come further.
    Progress(Progress),
}

impl Submitter {
    /// Names the control directory; touches nothing.
    pub fn new(spool: Utf8PathBuf) -> Submitter {
        Submitter { spool, quota: None }
    }

    /// Hands in no more than fits into a quota, whoever else hands in by the same one at the same time.
    #[must_use]
    pub fn within(self, quota: Quota) -> Submitter {
        Submitter { quota: Some(quota), ..self }
    }

    /// Copies `file` into `upload/` and returns the name under which a request refers to it.
    ///
    /// The copy is hashed as it is made and durable when this returns. A file that lies there already is
    /// used if its bytes are the same.
    pub fn upload(&self, file: &Utf8Path) -> Result<String, Error> {
        let name = file.file_name().unwrap_or_default();
        let mut from = File::open(file).map_err(failed("open", file))?;
        if !from.metadata().map_err(failed("look at", file))?.is_file() {
            return Err(failed("upload", file)(io::Error::other("it is not a regular file")));
        }
        self.upload_from(name, &mut from, Bounds::NONE)
    }

    /// Does the same with what is read, within bounds, under a name of somebody else's choosing.
    pub fn upload_from(&self, name: &str, from: &mut dyn Read, bounds: Bounds) -> Result<String, Error> {
        let file = Utf8Path::new(name);
        if plan::upload_parts(&format!("{:064}-{name}", 0)).is_none() {
            let cause = io::Error::other(
                "its name is too long, begins with a dot, or holds slashes or control characters",
            );
            return Err(failed("upload", file)(cause));
        }
        let drafted = format!("upload-{}", token());
        let draft = Draft::create(self.spool.join("tmp").join(&drafted))?;
        if let Some(quota) = &self.quota {
            let mut ledger = quota.open(&self.spool)?;
            ledger.add("draft", &drafted)?;
            ledger.room_for(&drafted)?;
        }
        let free = self.free_bytes()?.saturating_sub(bounds.free_bytes_min);
        let bytes_max = bounds.bytes_max.min(free);
        let (quota, spool) = (self.quota.as_ref(), &*self.spool);
        let within = Within { quota, spool, draft: &drafted, from, unseen: 0, refused: None };
        let mut from = within.take(bytes_max.saturating_add(1));
        let filled = draft.fill(|to| copy(&mut from, to));
        if let Some(refused) = from.get_mut().refused.take() {
            return Err(refused);
        }
        let digest = filled?;
        if from.limit() == 0 {
            let cause = io::Error::other(match bytes_max == bounds.bytes_max {
                true => format!("it has more than {bytes_max} bytes"),
                false => "there is no room for it now".to_owned(),
            });
            return Err(failed("upload", file)(cause));
        }
        if let Some(stated) = bounds.digest.filter(|stated| *stated != digest) {
            let cause = io::Error::other(format!("what came has the SHA-256 {digest}, not {stated}"));
            return Err(failed("upload", file)(cause));
        }
        let uploaded = format!("{digest}-{name}");
        let to = self.spool.join("upload").join(&uploaded);
        // Held until the name is there: whoever looks counts the draft or the upload.
        let mut ledger = self.quota.as_ref().map(|quota| quota.open(&self.spool)).transpose()?;
        if let Some(ledger) = &mut ledger {
            ledger.room_for(&drafted)?;
            ledger.add("upload", &uploaded)?;
        }
        let published = draft.publish(&to);
        drop(ledger);
        there_or_same(published, &to, digest).map(|()| uploaded)
    }

    /// Tells how many bytes are free for everybody where uploads go.
    fn free_bytes(&self) -> Result<u64, Error> {
        let found = rustix::fs::statvfs(self.spool.as_std_path());
        let found = found.map_err(|cause| failed("look at", &self.spool)(cause.into()))?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Drops a request: written into `tmp/`, made durable, renamed into `incoming/`.
    ///
    /// `about` becomes the beginning of the stem (letters, digits, `.`, `_` and `-` of it), so that people
    /// recognise their requests in a listing.
    pub fn send(&self, about: &str, format: Format, bytes: &[u8]) -> Result<Sent, Error> {
        let about: String =
            about.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(80).collect();
        let about = match about.trim_start_matches(['.', '-', '_']) {
            "" => "request",
            about => about,
        };
        let stem = format!("{about}-{}", token());
        let name = format!("{stem}.{}", format.extension());
        let mut ledger = self.quota.as_ref().map(|quota| quota.open(&self.spool)).transpose()?;
        if let Some(ledger) = &ledger {
            ledger.room_for_request()?;
        }
        let draft = Draft::create(self.spool.join("tmp").join(&name))?;
        draft.fill(|to| to.write_all(bytes))?;
        // On record first: one that is not there yet is no harm, nobody looks before the lock is gone.
        if let Some(ledger) = &mut ledger {
            ledger.add("request", &name)?;
        }
        draft.publish(&self.spool.join("incoming").join(&name))?;
        Ok(Sent { spool: self.spool.clone(), stem, name })
    }

    /// Follows a request that was put into `incoming/` by other means, by the name it had there.
    ///
    /// If several requests had the same name, the answer to any of them is taken.
    pub fn follow(&self, name: &str) -> Sent {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        Sent { spool: self.spool.clone(), stem: stem.to_owned(), name: name.to_owned() }
    }
}

impl Sent {
    /// Waits for the answer; `None` if there is none when `timeout` is over (the request stays where it is).
    ///
    /// `seen` is called from this thread.
    pub fn wait(&self, timeout: Duration, seen: &mut dyn FnMut(Seen)) -> Result<Option<Answer>, Error> {
        self.wait_telling(timeout, UNCLAIMED_AFTER, seen)
    }

    fn wait_telling(
        &self,
        timeout: Duration,
        unclaimed_after: Duration,
        seen: &mut dyn FnMut(Seen),
    ) -> Result<Option<Answer>, Error> {
        let (wake, wakes) = channel();
        // Watched before the first look, so that nothing falls between the two.
        let _watcher = self.watch(wake.clone());
        let begun = Instant::now();
        let (mut told_unclaimed, mut told_claimed, mut told_progress) = (false, false, None);
        loop {
            if let Some(answer) = self.look()? {
                return Ok(Some(answer));
            }
            let passed = begun.elapsed();
            let mut next = LOOK_EVERY;
            if !self.spool.join("incoming").join(&self.name).exists() {
                if !std::mem::replace(&mut told_claimed, true) {
                    seen(Seen::Claimed);
                }
                if let Some(progress) = self.progress() {
                    next = WORK_EVERY;
                    if told_progress.replace(progress) != Some(progress) {
                        seen(Seen::Progress(progress));
                    }
                }
            } else if passed < unclaimed_after {
                next = unclaimed_after - passed;
            } else if !std::mem::replace(&mut told_unclaimed, true) {
                seen(Seen::Unclaimed);
            }
            if passed >= timeout {
                return Ok(None);
            }
            // A wake-up and a time-out mean the same: look again. `wake` lives, so it never disconnects.
            let _ = wakes.recv_timeout(next.min(timeout - passed));
            while wakes.try_recv().is_ok() {}
        }
    }

    /// Looks how far a daemon has come that is at long work for the request.
    fn progress(&self) -> Option<Progress> {
        let directory = self.spool.join("processing");
        let begins = format!(".{}-", self.stem);
        let named = |name: &str| name.starts_with(&begins) && name.ends_with(".progress");
        let entries = fs::read_dir(&directory).ok()?.flatten();
        let name =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).find(|name| named(name))?;
        serde_json::from_slice(&fs::read(directory.join(name)).ok()?).ok()
    }

    /// Looks once whether the answer is there.
    pub fn look(&self) -> Result<Option<Answer>, Error> {
        for place in ["done", "failed"] {
            let directory = self.spool.join(place);
            for entry in fs::read_dir(&directory).map_err(failed("list", &directory))? {
                let entry = entry.map_err(failed("list", &directory))?;
                let name = entry.file_name();
                if !name.to_str().is_some_and(|name| self.is_answer(name)) {
                    continue;
                }
                let path = directory.join(name.to_string_lossy().as_ref());
                let bytes = fs::read(&path).map_err(failed("read", &path))?;
                return Answer::from_json(&bytes)
                    .map(Some)
                    .map_err(|error| failed("read", &path)(error.into()));
            }
        }
        Ok(None)
    }

    /// The rest of the name is `-20261121T230435.000042Z-0a1b2c.answer.json`.
    fn is_answer(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&self.stem).and_then(|rest| rest.strip_suffix(".answer.json"));
        rest.is_some_and(|rest| {
            rest.starts_with('-') && rest.len() == "-20261121T230435.000042Z-0a1b2c".len()
        })
    }

    /// Wake-ups only; without a watch the wait looks every few seconds.
    fn watch(&self, wake: Sender<()>) -> Option<impl Watcher> {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Our own looking makes access events, which must not wake us again.
            if event.map_or(true, |event| !event.kind.is_access()) {
                let _ = wake.send(());
            }
        });
        let watched = watcher.and_then(|mut watcher| {
            for place in ["incoming", "done", "failed"] {
                watcher.watch(self.spool.join(place).as_std_path(), RecursiveMode::NonRecursive)?;
            }
            Ok(watcher)
        });
        watched.inspect_err(|error| tracing::debug!(%error, "the control directory cannot be watched")).ok()
    }
}

/// A file in `tmp/` that is removed unless it is published.
struct Draft {
    path: Utf8PathBuf,
    file: File,
    is_published: bool,
}

impl Draft {
    fn create(path: Utf8PathBuf) -> Result<Draft, Error> {
        let file =
            File::options().write(true).create_new(true).open(&path).map_err(failed("create", &path))?;
        let draft = Draft { path, file, is_published: false };
        // Not by the mode of open(2): a umask of 077 would make it unreadable for the daemon.
        draft
            .file
            .set_permissions(fs::Permissions::from_mode(0o644))
            .map_err(failed("set the mode of", &draft.path))?;
        Ok(draft)
    }

    fn fill<T>(&self, write: impl FnOnce(&mut &File) -> io::Result<T>) -> Result<T, Error> {
        let written = write(&mut &self.file).map_err(failed("write", &self.path))?;
        self.file.sync_all().map_err(failed("sync", &self.path))?;
        Ok(written)
    }

    /// Renames the draft to `to`, where nothing may lie yet; durable when this returns.
    fn publish(mut self, to: &Utf8Path) -> Result<(), Error> {
        rustix::fs::renameat_with(CWD, self.path.as_str(), CWD, to.as_str(), RenameFlags::NOREPLACE)
            .map_err(|errno| failed("rename to", to)(errno.into()))?;
        self.is_published = true;
        let directory = to.parent().expect("it was joined from a directory and a name");
        let opened = File::open(directory).map_err(failed("open", directory))?;
        opened.sync_all().map_err(failed("sync", directory))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_published {
            // What cannot be removed is only untidy: the daemon never looks into tmp/.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Finds that a draft has its name in `upload/` now, or that the same bytes had it before.
fn there_or_same(published: Result<(), Error>, to: &Utf8Path, digest: Sha256) -> Result<(), Error> {
    match published {
        Err(Error::File { cause, .. }) if cause.kind() == io::ErrorKind::AlreadyExists => {
            let mut there = File::open(to).map_err(failed("open", to))?;
            let found = copy(&mut there, &mut io::sink()).map_err(failed("read", to))?;
            if found != digest {
                let cause = io::Error::other("other bytes lie there under this name; remove that file first");
                return Err(failed("upload to", to)(cause));
            }
            Ok(())
        }
        done => done,
    }
}

fn copy(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<Sha256> {
    let mut hasher = sha2::Sha256::new();
    let mut piece = vec![0; 1 << 18];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(Sha256::from(<[u8; 32]>::from(hasher.finalize()))),
            Ok(length) => {
                hasher.update(&piece[..length]);
                to.write_all(&piece[..length])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Twelve hexadecimal digits that nobody else drew; not secret.
fn token() -> String {
    let drawn = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{:012x}", drawn & 0xffff_ffff_ffff)
}

fn failed(operation: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |cause| Error::File { operation, path, cause }
}

#[cfg(test)]
mod tests;
