//! Running other programs and keeping what they said.
#![expect(clippy::disallowed_methods, reason = "runs other programs")]

use std::process::{Command, ExitStatus, Stdio};

/// What a program did.
#[derive(Debug)]
pub struct Ran {
    /// The command, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output; what is not UTF-8 is replaced.
    pub stdout: String,
    /// Its standard error; what is not UTF-8 is replaced.
    pub stderr: String,
}

impl Ran {
    /// Returns itself if the program succeeded.
    ///
    /// # Panics
    /// If it failed, with everything it said.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.success(), "{self}");
        self
    }

    /// Returns the exit code; a signal has none and counts as -1.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, status, stdout, stderr } = self;
        write!(out, "{command}\n{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// Begins a command of the system, in the C locale and without proxies or standard input.
///
/// # Panics
/// Later, when run, if the program is missing; `tests/setup.sh` installs what tests need.
#[must_use]
pub fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("NO_COLOR", "1");
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command
}

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started.
#[track_caller]
pub fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap_or_else(|error| {
        panic!("failed to run {command:?}: {error}; tests/setup.sh installs what is missing")
    });
    Ran {
        command: format!("{command:?}"),
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Says whether the tests run as root.
#[must_use]
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
