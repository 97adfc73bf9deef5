//! Hearing that a service is ready, as systemd does.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::Sandbox;

/// A socket for `NOTIFY_SOCKET`.
#[derive(Debug)]
pub struct Readiness {
    socket: UnixDatagram,
    path: Utf8PathBuf,
}

impl Readiness {
    /// Binds one in the sandbox.
    ///
    /// # Panics
    /// If there is one of that name.
    #[must_use]
    pub fn new(sandbox: &Sandbox, name: &str) -> Self {
        let path = sandbox.path(name);
        let socket =
            UnixDatagram::bind(&path).unwrap_or_else(|error| panic!("failed to bind `{path}`: {error}"));
        Self { socket, path }
    }

    /// Returns what `NOTIFY_SOCKET` is to be.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Waits for a message with this line, `READY=1`, and says whether it came in time.
    #[must_use]
    pub fn heard(&self, line: &str, patience: Duration) -> bool {
        let mut bytes = [0; 4096];
        self.socket.set_read_timeout(Some(patience)).expect("a socket takes a time limit");
        while let Ok(length) = self.socket.recv(&mut bytes) {
            if String::from_utf8_lossy(&bytes[..length]).lines().any(|said| said == line) {
                return true;
            }
        }
        false
    }
}
