//! A real nginx with the configuration that is deployed.
#![expect(clippy::disallowed_methods, reason = "runs nginx on a port the kernel chose")]

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::Child;

use camino::Utf8Path;

use crate::{Sandbox, checkout, program, run};

/// A running nginx that serves the public half of one site; stopped when dropped.
///
/// The listening socket is made here and handed over the way nginx hands it to its own successor, so
/// no port is guessed and the first connection can be made at once.
#[derive(Debug)]
pub struct Nginx {
    master: Child,
    base_url: String,
}

impl Nginx {
    /// Starts one for the site whose ROOT is given, with `deploy/nginx/sluice.conf`.
    ///
    /// # Panics
    /// If nginx refuses the configuration, with what it says about it.
    #[must_use]
    pub fn start(sandbox: &Sandbox, site_root: &Utf8Path) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("failed to bind a loopback port");
        listener.set_nonblocking(true).expect("failed to make a socket non-blocking");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let folder = sandbox.folder(&format!("nginx-{port}"));
        let deployed =
            fs::read_to_string(checkout().join("deploy/nginx/sluice.conf")).expect("the deployed file");
        let substituted = deployed
            .replace("/srv/sluice", site_root.as_str())
            .replace("listen 80;", &format!("listen 127.0.0.1:{port};"))
            .replace("listen [::]:80;", "");
        assert!(
            substituted.contains(&format!("127.0.0.1:{port}")),
            "deploy/nginx/sluice.conf listens elsewhere"
        );
        fs::write(folder.join("sluice.conf"), substituted).expect("failed to write sluice.conf");
        // Only what Debian's own nginx.conf would bring: where its files are.
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("    {kind}_temp_path {folder}/{kind};\n"))
            .concat();
        let main = format!(
            "daemon off;\nworker_processes 2;\npid {folder}/pid;\nerror_log {folder}/error.log warn;\n\
             events {{}}\nhttp {{\n    access_log {folder}/access.log;\n{temporary}    include {folder}/sluice.conf;\n}}\n"
        );
        fs::write(folder.join("nginx.conf"), main).expect("failed to write nginx.conf");
        let nginx = || {
            let mut command = program("nginx");
            // Debian keeps it where only root's PATH looks.
            let path = std::env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
            command.arg("-p").arg(&folder).arg("-c").arg(folder.join("nginx.conf"));
            command.arg("-e").arg(folder.join("error.log"));
            command
        };
        let mut test = nginx();
        let inherited = listener.try_clone().expect("failed to share a socket");
        run(test.arg("-t").env("NGINX", "0;").stdin(OwnedFd::from(inherited))).ok();
        let mut command = nginx();
        command.env("NGINX", "0;").stdin(OwnedFd::from(listener));
        let master = command.spawn().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
        Self { master, base_url: format!("http://127.0.0.1:{port}") }
    }

    /// Returns where it answers, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let master = nix::unistd::Pid::from_raw(self.master.id().cast_signed());
        let _ = nix::sys::signal::kill(master, nix::sys::signal::Signal::SIGTERM);
        let _ = self.master.wait();
    }
}
