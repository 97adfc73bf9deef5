//! The daemon's side: a worker is started when a package is to be read, asked, and ended.
#![expect(clippy::disallowed_methods, reason = "runs the worker, and does not wait for it for ever")]

use std::collections::BTreeSet;
use std::io::{self, IoSlice, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::signatures::Certificate;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use plan::Unbuilt;
use repo::Package;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use store::Reading;

use super::answer::{
    Answer, FILES, Greeting, PACKAGE, QUESTION_MAX, REWORK, SIGNATURES, SIZE_MAX, heard, one_line,
};
use super::confinement::seconds_to_hash;
use super::signatures::Question;
use super::{Held, Judged, Limits, PackageReader, Rework, Reworked, Unfit, Wrong};
use crate::error::Error;

/// This very program, also after another version was installed in its place.
const SELF: &str = "/proc/self/exe";

/// After how many packages a worker makes room for a fresh one; starting one costs a few milliseconds.
const PACKAGES_MAX: usize = 256;

/// How many bytes any worker may be given to hash, in the time it has anyway: small packages share one.
const BYTES_MIN: u64 = 256 << 20;

/// How much of what a worker complained of is read.
const COMPLAINT_MAX: u64 = 2048;

/// Reads packages in a process of its own, which is started for the first one and ended by [`PackageReader::rest`].
#[derive(Debug)]
pub struct Worker {
    program: Utf8PathBuf,
    limits: Limits,
    patience: Duration,
    running: Mutex<Option<Process>>,
    /// Whether it was said what workers cannot forbid themselves here.
    has_said: AtomicBool,
}

impl Worker {
    /// Has packages read by another process of this program, which must know the hidden verb `read-packages`.
    pub fn of_this_program() -> Self {
        Self::new(SELF, Limits::default(), Duration::from_secs(120))
    }

    /// Has packages read by `program`, which is given up after so long without an answer.
    pub fn new(program: impl Into<Utf8PathBuf>, limits: Limits, patience: Duration) -> Self {
        let (running, has_said) = (Mutex::new(None), AtomicBool::new(false));
        Self { program: program.into(), limits, patience, running, has_said }
    }

    /// Says which process reads packages now, if one does.
    pub fn process(&self) -> Option<u32> {
        self.lock().as_ref().map(|process| process.child.id())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Process>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts one that has time enough to hash so many bytes.
    fn start(&self, bytes: u64) -> Result<Process, Error> {
        let failed = |why: String| Error::Worker { why };
        let mut process =
            Process::start(&self.program, &self.limits.to_hash(bytes.saturating_sub(BYTES_MIN)), bytes)
                .map_err(|cause| failed(format!("`{}`: {cause}", self.program)))?;
        let greeted = process.hear::<Greeting>(self.patience);
        let greeting = greeted.map_err(|silence| {
            let ended = process.end();
            failed(format!("it did not begin, {silence}: {ended}"))
        })?;
        if let Some(without) = greeting.without
            && !self.has_said.swap(true, Ordering::Relaxed)
        {
            tracing::warn!("packages are read with limits on resources only: {}", one_line(&without));
        }
        Ok(process)
    }

    /// Asks the worker, or a fresh one if none can be asked.
    fn ask(
        &self,
        running: &mut Option<Process>,
        file: BorrowedFd<'_>,
        question: &Asked<'_>,
        size: u64,
    ) -> Result<Result<Answer, Lost>, Error> {
        // Of a package that is only listed no more than its headers is read, and those are bounded.
        let bytes = if let Asked::Signatures(_) = question { size } else { 0 };
        let is_used_up =
            |process: &mut Process| process.packages >= PACKAGES_MAX || process.bytes_left < bytes;
        if running.as_mut().is_some_and(is_used_up) {
            *running = None;
        }
        let process = match running {
            Some(process) => process,
            None => running.insert(self.start(bytes.max(BYTES_MIN))?),
        };
        let is_fresh = process.packages == 0;
        process.packages += 1;
        process.bytes_left -= bytes;
        let patience = self.patience + Duration::from_secs(seconds_to_hash(bytes));
        let heard = process.hand_over(file, question, patience).map_err(Silence::Broken);
        let heard = heard.and_then(|()| process.hear::<Answer>(patience));
        let checked =
            heard.and_then(|answer| answer.checked().map_err(|why| Silence::Nonsense(why.to_owned())));
        match checked {
            Ok(answer) => Ok(Ok(answer)),
            Err(silence) => {
                let mut process = running.take().expect("it was asked just now");
                let ended = process.end();
                Ok(Err(Lost {
                    words: format!("{silence}: {ended}"),
                    is_innocent: !is_fresh || ended.is_from_outside(),
                }))
            }
        }
    }
}

impl Worker {
    /// Asks for one package, and again if what was read before may be why the worker died.
    fn asked(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        question: &Asked<'_>,
    ) -> Result<Result<Answer, Unfit>, Error> {
        let failed = |cause| Error::File { operation: "read", path: path.to_owned(), cause };
        let size = file.state()?.size;
        let mut running = self.lock();
        let mut lost = None;
        // What was read before, or somebody else's signal, may be what it died of: then the package is read again,
        // by a worker of its own.
        for _ in 0..2 {
            file.rewind().map_err(failed)?;
            let Some(descriptor) = file.descriptor() else {
                return Err(Error::Worker {
                    why: format!("`{path}` lies on a disk no other process can see"),
                });
            };
            match self.ask(&mut running, descriptor, question, size)? {
                Ok(Answer::Unfit(unfit)) => return Ok(Err(unfit)),
                Ok(Answer::NotRead(words)) => return Err(failed(io::Error::other(words))),
                Ok(answer) => return Ok(Ok(answer)),
                Err(this) => {
                    tracing::warn!("the worker that read `{path}` is gone: {}", this.words);
                    let is_innocent = this.is_innocent;
                    lost = Some(this);
                    if !is_innocent {
                        break;
                    }
                }
            }
        }
        let words = lost.map_or_else(String::new, |lost| lost.words);
        Ok(Err(Unfit { wrong: Wrong::Deadly, words }))
    }
}

impl PackageReader for Worker {
    fn read(&self, path: &Utf8Path, file: &mut dyn Reading) -> Result<Result<Package, Unfit>, Error> {
        match self.asked(path, file, &Asked::Listing)? {
            Ok(Answer::Listed(package)) => Ok(Ok(*package)),
            Ok(_) => Err(Error::Worker { why: OTHER_ANSWER.to_owned() }),
            Err(unfit) => Ok(Err(unfit)),
        }
    }

    fn judge(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        keys: &[Arc<Certificate>],
        now: Timestamp,
    ) -> Result<Result<Judged, Unfit>, Error> {
        let certificates = keys.iter().map(|key| key.armored()).collect::<Result<_, _>>();
        let certificates = certificates.map_err(|error| Error::Worker { why: error.to_string() })?;
        match self.asked(path, file, &Asked::Signatures(Question { certificates, now }))? {
            Ok(Answer::Signed(judged)) => Ok(Ok(judged)),
            Ok(_) => Err(Error::Worker { why: OTHER_ANSWER.to_owned() }),
            Err(unfit) => Ok(Err(unfit)),
        }
    }

    fn files(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        paths: &BTreeSet<String>,
    ) -> Result<Result<Held, Unfit>, Error> {
        // In JSON a byte may become six.
        if paths.iter().map(|path| 6 * path.len() + 3).sum::<usize>() >= QUESTION_MAX {
            let words = format!("{} of its files would have to be compared, which is too many", paths.len());
            return Ok(Err(Unfit { wrong: Wrong::Oversized, words }));
        }
        match self.asked(path, file, &Asked::Files(paths))? {
            Ok(Answer::Files(held)) => Ok(Ok(held)),
            Ok(_) => Err(Error::Worker { why: OTHER_ANSWER.to_owned() }),
            Err(unfit) => Ok(Err(unfit)),
        }
    }

    fn rework(
        &self,
        path: &Utf8Path,
        file: &mut dyn Reading,
        rework: &Rework,
    ) -> Result<Result<Result<Reworked, Unbuilt>, Unfit>, Error> {
        match self.asked(path, file, &Asked::Rework(rework))? {
            Ok(Answer::Made(made)) => Ok(Ok(Ok(made))),
            Ok(Answer::Unmade(unbuilt)) => Ok(Ok(Err(unbuilt))),
            Ok(_) => Err(Error::Worker { why: OTHER_ANSWER.to_owned() }),
            Err(unfit) => Ok(Err(unfit)),
        }
    }

    fn rest(&self) {
        self.lock().take();
    }
}

/// What is asked of a package.
enum Asked<'a> {
    Listing,
    Signatures(Question),
    /// What files of these paths are.
    Files(&'a BTreeSet<String>),
    Rework(&'a Rework),
}

/// What is said of a worker that answers something else.
const OTHER_ANSWER: &str = "it answered what nobody asked";

/// How a worker was lost.
struct Lost {
    words: String,
    /// Whether another worker may well survive the same package.
    is_innocent: bool,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("it gave no answer in time")]
    Late,
    #[error("no answer came ({0})")]
    Broken(io::Error),
    #[error("its answer is none ({0})")]
    Nonsense(String),
}

/// One worker.
#[derive(Debug)]
struct Process {
    child: Child,
    socket: UnixStream,
    /// How many packages it was given.
    packages: usize,
    /// How many bytes it may still be given to hash.
    bytes_left: u64,
}

impl Process {
    fn start(program: &Utf8Path, limits: &Limits, bytes_left: u64) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let mut command = Command::new(program);
        command.arg("read-packages");
        command.arg("--address-space").arg(limits.address_space.to_string());
        command.arg("--cpu-seconds").arg(limits.cpu_seconds.to_string());
        command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null()).stderr(Stdio::piped());
        // It needs nothing of ours, and Ctrl-C is the daemon's to hear.
        command.env_clear().current_dir("/").process_group(0);
        let child = command.spawn()?;
        Ok(Self { child, socket, packages: 0, bytes_left })
    }

    /// Gives it a package to read, or whose signatures to judge.
    fn hand_over(&self, file: BorrowedFd<'_>, question: &Asked<'_>, patience: Duration) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let files = [file];
        if !control.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let (what, words) = match question {
            Asked::Listing => (PACKAGE, None),
            Asked::Signatures(question) => (SIGNATURES, Some(serde_json::to_vec(question)?)),
            Asked::Files(paths) => (FILES, Some(serde_json::to_vec(paths)?)),
            Asked::Rework(rework) => (REWORK, Some(serde_json::to_vec(rework)?)),
        };
        sendmsg(&self.socket, &[IoSlice::new(&[what])], &mut control, flags)?;
        if let Some(words) = words {
            let length = u32::try_from(words.len()).map_err(io::Error::other)?;
            self.socket.set_write_timeout(Some(patience))?;
            (&self.socket).write_all(&length.to_le_bytes())?;
            (&self.socket).write_all(&words)?;
        }
        Ok(())
    }

    /// Hears what it says, which takes no longer than `patience` in all and no more memory than arrives.
    fn hear<T: serde::de::DeserializeOwned>(&mut self, patience: Duration) -> Result<T, Silence> {
        let until = Instant::now() + patience;
        let mut length = [0; 4];
        self.fill(&mut length, until)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > SIZE_MAX {
            return Err(Silence::Nonsense(format!("it would have {length} bytes")));
        }
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let start = bytes.len();
            bytes.resize(length.min(start + (1 << 16)), 0);
            self.fill(&mut bytes[start..], until)?;
        }
        heard(&bytes).map_err(Silence::Nonsense)
    }

    fn fill(&mut self, mut place: &mut [u8], until: Instant) -> Result<(), Silence> {
        while !place.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Silence::Late);
            }
            self.socket.set_read_timeout(Some(left)).map_err(Silence::Broken)?;
            match self.socket.read(place) {
                Ok(0) => return Err(Silence::Broken(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => place = &mut place[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Err(Silence::Late);
                }
                Err(error) => return Err(Silence::Broken(error)),
            }
        }
        Ok(())
    }

    /// Waits a moment for one that has hung up, so that it can be told what it died of.
    fn ends_soon(&self) -> bool {
        let has_hung_up =
            matches!(self.socket.set_nonblocking(true).and_then(|()| (&self.socket).read(&mut [0])), Ok(0));
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let opened = pid.filter(|_| has_hung_up).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        let Some(Ok(opened)) = opened else { return false };
        let second = Timespec { tv_sec: 1, tv_nsec: 0 };
        matches!(poll(&mut [PollFd::new(&opened, PollFlags::IN)], Some(&second)), Ok(1))
    }

    /// Ends it, if it has not ended, and says how it ended and what it complained of.
    fn end(&mut self) -> Ended {
        let ended_itself = self.ends_soon();
        if !ended_itself {
            let _ = self.child.kill();
        }
        let status = self.child.wait().ok();
        let mut complaint = Vec::new();
        if let Some(stderr) = self.child.stderr.take() {
            // Whoever else may hold the other end is not waited for.
            if rustix::fs::fcntl_setfl(stderr.as_fd(), OFlags::NONBLOCK).is_ok() {
                let _ = stderr.take(COMPLAINT_MAX).read_to_end(&mut complaint);
            }
        }
        Ended {
            status: status.filter(|_| ended_itself),
            complaint: String::from_utf8_lossy(&complaint).into_owned(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing it could still do is wanted; nobody remains to be waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a worker ended.
struct Ended {
    /// `None` if the daemon ended it.
    status: Option<ExitStatus>,
    complaint: String,
}

impl Ended {
    /// Whether the signal is one that people and service managers send, or the kernel when memory runs out.
    fn is_from_outside(&self) -> bool {
        let signals = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGKILL];
        self.status.and_then(|status| status.signal()).is_some_and(|signal| signals.contains(&signal))
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status}")?,
            None => write!(f, "it was ended")?,
        }
        match self.complaint.trim() {
            "" => Ok(()),
            complaint => write!(f, ", it said `{}`", one_line(complaint)),
        }
    }
}
