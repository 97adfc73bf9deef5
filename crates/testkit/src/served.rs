//! The web server that `sluice serve` is.

use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Site;

/// A running `sluice serve` for one site, at a port the kernel chose; stopped when dropped.
#[derive(Debug)]
pub struct Served {
    child: Child,
    base_url: String,
}

impl Served {
    /// Starts one and waits until it says where it listens.
    ///
    /// # Panics
    /// If it says nothing, or something else.
    #[must_use]
    pub fn start(site: &Site) -> Self {
        Self::start_with(site, &[])
    }

    /// Serves what is for staff.
    ///
    /// # Panics
    /// As [`Served::start`].
    #[must_use]
    pub fn start_for_staff(site: &Site) -> Self {
        Self::start_with(site, &["--staff"])
    }

    fn start_with(site: &Site, options: &[&str]) -> Self {
        let mut command = site.as_daemon();
        command.args(["--json", "serve", "--listen", "127.0.0.1:0"]).args(options);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("failed to start `sluice serve`");
        let stdout = child.stdout.take().expect("stdout is a pipe");
        // It says where it listens before it serves, and nothing else.
        let said = serde_json::Deserializer::from_reader(stdout).into_iter::<serde_json::Value>().next();
        let said = said.expect("serve said nothing").expect("serve says JSON");
        let url = said["url"].as_str().expect("serve says its URL");
        Self { child, base_url: url.trim_end_matches('/').to_owned() }
    }

    /// Returns where it answers, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Says which process it is.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
