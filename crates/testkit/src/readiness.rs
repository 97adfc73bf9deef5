//! Hearing that a service is ready, as systemd does.
#![expect(clippy::disallowed_methods, reason = "opens its socket to services of other users")]

use std::fs::{Permissions, set_permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::watch::ticks;

/// A socket for `NOTIFY_SOCKET`.
#[derive(Debug)]
pub struct Readiness {
    socket: UnixDatagram,
    path: Utf8PathBuf,
}

impl Readiness {
    /// Binds one in a folder.
    ///
    /// # Panics
    /// If there is one of that name.
    #[must_use]
    pub fn new(folder: &Utf8Path, name: &str) -> Self {
        let path = folder.join(name);
        let socket =
            UnixDatagram::bind(&path).unwrap_or_else(|error| panic!("failed to bind `{path}`: {error}"));
        set_permissions(&path, Permissions::from_mode(0o777)).expect("its owner may change its mode");
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
        for tick in ticks(patience) {
            self.socket.set_read_timeout(Some(tick)).expect("a socket takes a time limit");
            loop {
                match self.socket.recv(&mut bytes) {
                    Ok(length)
                        if String::from_utf8_lossy(&bytes[..length]).lines().any(|said| said == line) =>
                    {
                        return true;
                    }
                    Ok(_) => {}
                    // A machine that was stopped and goes on interrupts whoever waits with a time limit.
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => return false,
                }
            }
        }
        false
    }
}
