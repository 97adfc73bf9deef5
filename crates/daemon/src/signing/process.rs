//! The signer as a program: started for each signature, given the bytes, listened to for so long, and ended.
#![expect(clippy::disallowed_methods, reason = "runs the signer, and does not wait for it for ever")]

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::{Fault, FaultCode, Job, MetadataSigner, SIGNATURE_SIZE_MAX};
use crate::config::{Signer, SigningWay};

/// How much of what a signer complained of is kept.
const COMPLAINT_MAX: usize = 2048;

/// How long a look takes at most at whether the signer has ended while somebody else holds its pipes.
const TICK: Duration = Duration::from_millis(20);

/// Where programs are found: what gpg runs need not be in the daemon's own path.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs what the configuration names: gpg with a home of its own, or a command.
#[derive(Clone, Copy, Debug, Default)]
pub struct Programs;

/// When the first signature of a publication was asked for.
///
/// A publication may need hundreds of them; a signer that is slow with each must not hold up everybody for hours.
#[derive(Debug, Default)]
pub struct Begun(OnceLock<Instant>);

impl MetadataSigner for Programs {
    fn sign(&self, how: &Signer, job: &Job<'_>, begun: &Begun) -> Result<Vec<u8>, Fault> {
        let patience = Duration::try_from(how.timeout).unwrap_or_default();
        let until = *begun.0.get_or_init(Instant::now) + patience;
        let mut command = command(how, job);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Whatever it starts goes with it, and Ctrl-C is the daemon's to hear.
        command.current_dir("/").process_group(0);
        let child = command.spawn().map_err(|error| {
            let program = command.get_program().to_string_lossy().into_owned();
            Fault::new(FaultCode::Missing, format!("`{program}` could not be started: {error}"))
        })?;
        let mut running = Running { child, is_over: false };
        let said = running.talk(job.bytes, until).map_err(|error| {
            Fault::new(FaultCode::Failed, format!("it could not be listened to: {error}"))
        })?;
        said.judge(how)
    }
}

/// The program that signs, with what it needs to know.
fn command(how: &Signer, job: &Job<'_>) -> Command {
    let fingerprint = job.key.fingerprint.to_string();
    match &how.way {
        SigningWay::Gpg { home } => {
            let mut command = Command::new("gpg");
            command.env_clear().env("PATH", PATH).env("LC_ALL", "C");
            command.env("HOME", home).env("GNUPGHOME", home);
            command.args(["--homedir", home.as_str(), "--batch", "--no-tty", "--quiet"]);
            // The first key of the configuration, whatever gpg.conf prefers.
            command.args(["--local-user", &fingerprint, "--armor", "--output", "-", "--detach-sign"]);
            command
        }
        SigningWay::Command { words } => {
            let words: Vec<String> =
                words.iter().map(|word| word.replace("{fingerprint}", &fingerprint)).collect();
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]);
            command.env("SLUICE_KEY", &job.key.name).env("SLUICE_KEY_FINGERPRINT", &fingerprint);
            command.env("SLUICE_REPOSITORY", job.path);
            for ours in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
                command.env_remove(ours);
            }
            command
        }
    }
}

/// A signer that was started.
struct Running {
    child: Child,
    is_over: bool,
}

/// What came of it.
struct Said {
    signature: Vec<u8>,
    complaint: Vec<u8>,
    end: End,
}

/// How it ended.
enum End {
    Itself(ExitStatus),
    TooLate,
    TooMuch,
}

impl Running {
    /// Hands over the bytes and hears both of its voices until it ends, time is over, or it says too much.
    fn talk(&mut self, bytes: &[u8], until: Instant) -> io::Result<Said> {
        let missing = || io::Error::other("it has no pipe");
        let mut stdin = Some(self.child.stdin.take().ok_or_else(missing)?);
        let mut stdout = Some(self.child.stdout.take().ok_or_else(missing)?);
        let mut stderr = Some(self.child.stderr.take().ok_or_else(missing)?);
        for pipe in [stdin.as_ref().map(AsFd::as_fd), stdout.as_ref().map(AsFd::as_fd)] {
            pipe.map_or(Ok(()), |pipe| fcntl_setfl(pipe, OFlags::NONBLOCK))?;
        }
        stderr.as_ref().map_or(Ok(()), |pipe| fcntl_setfl(pipe, OFlags::NONBLOCK))?;
        let (mut rest, mut signature, mut complaint) = (bytes, Vec::new(), Vec::new());
        loop {
            // Asked first: what it said before it ended is heard below.
            let ended = self.has_ended()?;
            if let Some(pipe) = &mut stdin
                && !hand_over(pipe, &mut rest)?
            {
                stdin = None;
            }
            if let Some(pipe) = &mut stdout
                && !hear(pipe, &mut signature, SIGNATURE_SIZE_MAX + 1)?
            {
                stdout = None;
            }
            if let Some(pipe) = &mut stderr
                && !hear(pipe, &mut complaint, COMPLAINT_MAX)?
            {
                stderr = None;
            }
            if signature.len() > SIGNATURE_SIZE_MAX {
                self.end()?;
                return Ok(Said { signature, complaint, end: End::TooMuch });
            }
            if let Some(is_well) = ended {
                // What a signer leaves behind that did its work, its agent perhaps, is its own affair.
                let status = if is_well { self.reap() } else { self.end() }?;
                return Ok(Said { signature, complaint, end: End::Itself(status) });
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.end()?;
                return Ok(Said { signature, complaint, end: End::TooLate });
            }
            let mut pipes = Vec::new();
            pipes.extend(stdin.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
            pipes.extend(stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
            pipes.extend(stderr.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
            let wait =
                Timespec::try_from(left.min(TICK)).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 1_000_000 });
            match poll(&mut pipes, Some(&wait)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn process(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    /// Whether it has ended, and if so, well; it stays there, so that its number belongs to nobody else.
    fn has_ended(&self) -> io::Result<Option<bool>> {
        let process = self.process().ok_or_else(|| io::Error::other("it has no number"))?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(process), options)?.map(|status| status.exit_status() == Some(0)))
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.is_over = true;
        self.child.wait()
    }

    /// Ends it and everything it started that is still in its group.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(process) = self.process() {
            // Nothing they could still do is wanted; that nobody is left is well.
            let _ = kill_process_group(process, Signal::KILL);
        }
        self.reap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            // After an error: nobody remains to be told of another.
            let _ = self.end();
        }
    }
}

/// Writes as much as there is room for; tells whether something is left.
fn hand_over(pipe: &mut impl Write, rest: &mut &[u8]) -> io::Result<bool> {
    while !rest.is_empty() {
        match pipe.write(rest) {
            Ok(count) => *rest = &rest[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            // It does not want more; what it makes without is judged like anything else.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Reads what is there and keeps up to `limit` bytes of it; tells whether more may come.
fn hear(pipe: &mut impl Read, into: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
    let mut piece = [0; 4096];
    // No more at a time than a pipe holds: whoever says more than that for ever is not listened to for ever.
    for _ in 0..16 {
        match pipe.read(&mut piece) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                let room = limit.saturating_sub(into.len());
                into.extend_from_slice(&piece[..count.min(room)]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

impl Said {
    fn judge(self, how: &Signer) -> Result<Vec<u8>, Fault> {
        let complaint = String::from_utf8_lossy(&self.complaint);
        let complaint = match complaint.trim() {
            "" => String::new(),
            words => format!("; it said `{words}`"),
        };
        match self.end {
            End::Itself(status) if status.success() => Ok(self.signature),
            End::Itself(status) => {
                let end = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("the signer ended with {code}"),
                    (None, Some(signal)) => format!("the signer was ended by signal {signal}"),
                    (None, None) => "the signer ended in an unknown way".to_owned(),
                };
                Err(Fault::new(FaultCode::Failed, format!("{end}{complaint}")))
            }
            End::TooLate => {
                let seconds = how.timeout.as_secs_f64();
                let words = format!(
                    "the signer gave not every signature of the publication within {seconds} s{complaint}"
                );
                Err(Fault::new(FaultCode::Hangs, words))
            }
            End::TooMuch => Err(Fault::too_large()),
        }
    }
}
