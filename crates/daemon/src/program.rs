//! Programs that are asked something: started, given bytes, listened to for so long and so much, and ended with everything they
//! started.
#![expect(clippy::disallowed_methods, reason = "runs programs, and does not wait for them for ever")]

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How much of what a program complained of is kept.
const COMPLAINT_MAX: usize = 2048;

/// How long a look takes at most at whether the program has ended while somebody else holds its pipes.
const TICK: Duration = Duration::from_millis(20);

/// Starts a program, hands it `bytes` and hears up to `wanted` bytes of it, until it ends or the instant comes.
pub(crate) fn ask(
    command: &mut Command,
    bytes: &[u8],
    wanted: usize,
    until: Instant,
) -> Result<Heard, Unheard> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Whatever it starts goes with it, and Ctrl-C is the daemon's to hear.
    command.current_dir("/").process_group(0);
    for ours in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
        command.env_remove(ours);
    }
    let child = command.spawn().map_err(Unheard::Missing)?;
    Running { child, is_over: false }.talk(bytes, wanted, until).map_err(Unheard::Broken)
}

/// Says why a program was not heard to its end.
pub(crate) enum Unheard {
    /// It could not be started.
    Missing(io::Error),
    /// It could not be listened to.
    Broken(io::Error),
}

/// Says in words how a program ended; `who` is what people call it.
pub(crate) fn ended(who: &str, status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("{who} ended with {code}"),
        (None, Some(signal)) => format!("{who} was ended by signal {signal}"),
        (None, None) => format!("{who} ended in an unknown way"),
    }
}

impl Heard {
    /// What it complained of, to stand behind a sentence.
    pub(crate) fn complaint(&self) -> String {
        match String::from_utf8_lossy(&self.complaint).trim() {
            "" => String::new(),
            words => format!("; it said `{words}`"),
        }
    }
}

/// One that was started.
struct Running {
    child: Child,
    is_over: bool,
}

/// What came of it.
pub(crate) struct Heard {
    /// What it wrote to its standard output, one byte more than was wanted at most.
    pub(crate) said: Vec<u8>,
    /// The beginning of what it wrote to its standard error.
    pub(crate) complaint: Vec<u8>,
    /// How it ended.
    pub(crate) end: End,
}

/// How a program ended.
pub(crate) enum End {
    /// By itself.
    Itself(ExitStatus),
    /// Its time was over.
    TooLate,
    /// It said more than was wanted.
    TooMuch,
}

impl Running {
    /// Hands over the bytes and hears both of its voices until it ends, time is over, or it says too much.
    fn talk(&mut self, bytes: &[u8], wanted: usize, until: Instant) -> io::Result<Heard> {
        let missing = || io::Error::other("it has no pipe");
        let mut stdin = Some(self.child.stdin.take().ok_or_else(missing)?);
        let mut stdout = Some(self.child.stdout.take().ok_or_else(missing)?);
        let mut stderr = Some(self.child.stderr.take().ok_or_else(missing)?);
        for pipe in [stdin.as_ref().map(AsFd::as_fd), stdout.as_ref().map(AsFd::as_fd)] {
            pipe.map_or(Ok(()), |pipe| fcntl_setfl(pipe, OFlags::NONBLOCK))?;
        }
        stderr.as_ref().map_or(Ok(()), |pipe| fcntl_setfl(pipe, OFlags::NONBLOCK))?;
        let (mut rest, mut said, mut complaint) = (bytes, Vec::new(), Vec::new());
        loop {
            // Asked first: what it said before it ended is heard below.
            let ended = self.has_ended()?;
            if let Some(pipe) = &mut stdin
                && !hand_over(pipe, &mut rest)?
            {
                stdin = None;
            }
            if let Some(pipe) = &mut stdout
                && !hear(pipe, &mut said, wanted + 1)?
            {
                stdout = None;
            }
            if let Some(pipe) = &mut stderr
                && !hear(pipe, &mut complaint, COMPLAINT_MAX)?
            {
                stderr = None;
            }
            if said.len() > wanted {
                self.end()?;
                return Ok(Heard { said, complaint, end: End::TooMuch });
            }
            if let Some(is_well) = ended {
                // What one leaves behind that did its work, an agent perhaps, is its own affair.
                let status = if is_well { self.reap() } else { self.end() }?;
                return Ok(Heard { said, complaint, end: End::Itself(status) });
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.end()?;
                return Ok(Heard { said, complaint, end: End::TooLate });
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
