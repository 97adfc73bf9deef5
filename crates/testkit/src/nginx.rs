//! A real nginx with the configuration that is deployed.
#![expect(clippy::disallowed_methods, reason = "runs nginx on a port the kernel chose")]

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::Child;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Sandbox, checkout, fetch, program, run};

/// What nobody asks for but the one who wants to read the log.
const LAST: &str = "/the-last-line-of-the-log";

/// A running nginx that serves the public half of one site; stopped when dropped.
///
/// The listening socket is made here and handed over the way nginx hands it to its own successor, so
/// no port is guessed and the first connection can be made at once.
#[derive(Debug)]
pub struct Nginx {
    master: Child,
    workers: usize,
    base_url: String,
    folder: Utf8PathBuf,
}

impl Nginx {
    /// Starts one for the site whose ROOT is given, with `deploy/nginx/sluice.conf`.
    ///
    /// # Panics
    /// If nginx refuses the configuration, with what it says about it.
    #[must_use]
    pub fn start(sandbox: &Sandbox, site_root: &Utf8Path) -> Self {
        Self::start_on(&Self::port(), sandbox, site_root)
    }

    /// Starts one as [`Nginx::start`] does, with rules for restricted stages and two workers.
    #[must_use]
    pub fn start_with(sandbox: &Sandbox, site_root: &Utf8Path, restricted: &str) -> Self {
        let _ = sandbox.file("restricted.conf", restricted);
        Self::with(&Self::port(), sandbox, &Self::deployed(sandbox, site_root), 2)
    }

    /// Starts one as [`Nginx::start`] does, with one text of its configuration in the place of another.
    #[must_use]
    pub fn start_changed(sandbox: &Sandbox, site_root: &Utf8Path, (from, to): (&str, &str)) -> Self {
        let deployed = Self::deployed(sandbox, site_root);
        assert!(deployed.contains(from), "deploy/nginx/sluice.conf does not say `{from}`");
        Self::with(&Self::port(), sandbox, &deployed.replace(from, to), 2)
    }

    /// Takes a port that one server can have after another.
    #[must_use]
    pub fn port() -> TcpListener {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("failed to bind a loopback port");
        listener.set_nonblocking(true).expect("failed to make a socket non-blocking");
        listener
    }

    /// Starts one as [`Nginx::start`] does, on this port.
    #[must_use]
    pub fn start_on(listener: &TcpListener, sandbox: &Sandbox, site_root: &Utf8Path) -> Self {
        Self::with(listener, sandbox, &Self::deployed(sandbox, site_root), 1)
    }

    /// Returns the configuration that is deployed, for this site.
    fn deployed(sandbox: &Sandbox, site_root: &Utf8Path) -> String {
        let deployed =
            fs::read_to_string(checkout().join("deploy/nginx/sluice.conf")).expect("the deployed file");
        let substituted = deployed.replace("/srv/sluice", site_root.as_str()).replace("listen [::]:80;", "");
        let rules = sandbox.path("restricted*.conf");
        let substituted = substituted.replace("/etc/sluice/web/nginx*.conf", rules.as_str());
        assert!(substituted.contains("listen 80;"), "deploy/nginx/sluice.conf listens elsewhere");
        substituted
    }

    /// Starts one that serves a folder as any small site would, on this port; `more` stands in its `server`.
    #[must_use]
    pub fn of_folder(listener: &TcpListener, sandbox: &Sandbox, folder: &Utf8Path, more: &str) -> Self {
        let server = format!("server {{\n    listen 80;\n    root {folder};\n    {more}\n}}\n");
        Self::with(listener, sandbox, &server, 1)
    }

    fn with(listener: &TcpListener, sandbox: &Sandbox, server: &str, workers: usize) -> Self {
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let free = |number: &usize| !sandbox.path(&format!("nginx-{port}-{number}")).exists();
        let number = (0..).find(free).expect("there is no last number");
        let folder = sandbox.folder(&format!("nginx-{port}-{number}"));
        let substituted = server.replace("listen 80;", &format!("listen 127.0.0.1:{port};"));
        fs::write(folder.join("sluice.conf"), substituted).expect("failed to write sluice.conf");
        // Only what Debian's own nginx.conf would bring: where its files are.
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("    {kind}_temp_path {folder}/{kind};\n"))
            .concat();
        let main = format!(
            "daemon off;\nworker_processes {workers};\npid {folder}/pid;\nerror_log {folder}/error.log warn;\n\
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
        command
            .env("NGINX", "0;")
            .stdin(OwnedFd::from(listener.try_clone().expect("failed to share a socket")));
        let master = command.spawn().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
        Self { master, workers, base_url: format!("http://127.0.0.1:{port}"), folder }
    }

    /// Returns the lines of its access log, of everything that was answered so far.
    ///
    /// # Panics
    /// If it has several workers, which write their lines whenever they like.
    #[must_use]
    pub fn access_log(&self) -> Vec<String> {
        assert_eq!(self.workers, 1, "only one worker writes its lines in order");
        // A line is written after the answer was sent: once the worker answers something else, it has been.
        let _ = fetch(&format!("{}{LAST}", self.base_url));
        let log = fs::read_to_string(self.folder.join("access.log")).unwrap_or_default();
        log.lines().filter(|line| !line.contains(LAST)).map(str::to_owned).collect()
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
