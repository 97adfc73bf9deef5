//! A whole site in a sandbox: configuration, store, control directory, and the real daemon on them.
#![expect(
    clippy::disallowed_methods,
    reason = "runs the real daemon and drops files into its control directory"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Ran, Readiness, Sandbox, Watch, is_root, program, run, sluice};

/// How long anything may take before a test gives up; nothing waits as long unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

/// The user the daemon runs as when the tests run as root: nobody's name, nobody's group.
const DAEMON_UID: u32 = 64_001;

/// A site of the real program.
///
/// When the tests run as root its daemon runs as a user of its own, so that requests come from somebody
/// else, as on a real machine; otherwise everything belongs to the one user there is.
#[derive(Debug)]
pub struct Site {
    folder: Utf8PathBuf,
    program: Utf8PathBuf,
    daemon_uid: u32,
    started: std::cell::Cell<u32>,
    asks_as: Option<String>,
}

impl Site {
    /// Makes the folders and the configuration: `[site]` is filled in, `rest` is everything after it.
    ///
    /// In `rest`, `"ME"` stands for the account that runs the tests, `"uid:1000"`.
    #[must_use]
    pub fn new(sandbox: &Sandbox, base_url: &str, rest: &str) -> Self {
        let folder = sandbox.folder("site");
        let me = nix::unistd::geteuid().as_raw();
        let daemon_uid = if is_root() { DAEMON_UID } else { me };
        // The daemon's user need not be able to reach the place where cargo builds.
        let own = folder.join("sluice");
        // By a program of its own: a descriptor that this process writes through would be inherited by what other
        // threads start meanwhile, and the kernel runs no file that somebody may write.
        run(program("cp").arg(sluice()).arg(&own)).ok();
        let text = format!(
            "format = 1\n[site]\nname = \"Test\"\nroot = \"{folder}/root\"\nspool = \"{folder}/spool\"\n\
             base_url = \"{base_url}\"\n{}{}",
            allowed_here(&folder),
            rest.replace("\"ME\"", &format!("\"uid:{me}\""))
        );
        let site = Self { program: own, daemon_uid, started: std::cell::Cell::new(0), folder, asks_as: None };
        fs::write(site.config(), text).expect("failed to write the configuration");
        for folder in [site.root(), site.spool()] {
            fs::create_dir_all(&folder).expect("failed to make a folder of the site");
            if is_root() {
                chown(&folder, Some(daemon_uid), Some(daemon_uid)).expect("root may give folders away");
            }
        }
        site
    }

    /// Makes one and runs `sluice init` on it.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn initialised(sandbox: &Sandbox, base_url: &str, rest: &str) -> Self {
        let site = Self::new(sandbox, base_url, rest);
        run(site.as_daemon().arg("init")).ok();
        site
    }

    /// Returns the directory of the store.
    #[must_use]
    pub fn root(&self) -> Utf8PathBuf {
        self.folder.join("root")
    }

    /// Returns the control directory.
    #[must_use]
    pub fn spool(&self) -> Utf8PathBuf {
        self.folder.join("spool")
    }

    /// Returns the configuration file.
    #[must_use]
    pub fn config(&self) -> Utf8PathBuf {
        self.folder.join("sluice.toml")
    }

    /// Has the commands ask in somebody's name, as whoever works in the account of the door must.
    #[must_use]
    pub fn asking_as(self, name: &str) -> Self {
        Self { asks_as: Some(name.to_owned()), ..self }
    }

    /// Begins a command of the program, as the user who runs the tests.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = program(self.program.as_str());
        command.arg("-c").arg(self.config());
        if let Some(name) = &self.asks_as {
            command.env("SLUICE_AS", name);
        }
        command
    }

    /// Runs a command of the program as the user who runs the tests.
    pub fn sluice<S: AsRef<str>>(&self, arguments: &[S]) -> Ran {
        run(self.command().args(arguments.iter().map(AsRef::as_ref)))
    }

    /// Begins a command of the program, as the user the daemon runs as; it ends with the thread that starts it.
    #[must_use]
    pub fn as_daemon(&self) -> Command {
        self.as_daemon_below(&[])
    }

    /// Begins the same below another program, such as strace with its options.
    #[must_use]
    pub fn as_daemon_below(&self, wrapper: &[&str]) -> Command {
        let mut command = program("setpriv");
        // It goes when the test goes, also when the test is killed.
        command.args(["--pdeathsig", "KILL"]);
        if is_root() {
            let uid = self.daemon_uid.to_string();
            command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups"]);
        }
        command.arg("--").args(wrapper);
        command.arg(&self.program).arg("-c").arg(self.config());
        command
    }

    /// Lets a folder belong to the daemon's user, with everything in it.
    pub fn give_to_daemon(&self, folder: &Utf8Path) {
        if is_root() {
            let owner = format!("{0}:{0}", self.daemon_uid);
            run(program("chown").args(["-R", &owner]).arg(folder)).ok();
        }
    }

    /// Starts the daemon and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready; what it logged is shown.
    #[must_use]
    pub fn start(&self) -> Running {
        self.start_ready(self.as_daemon())
    }

    /// Starts the daemon as [`Site::start`] does, with a bug planted in it.
    #[must_use]
    pub fn start_with_bug(&self, bug: &str) -> Running {
        let mut command = self.as_daemon();
        command.env("SLUICE_PLANTED_BUG", bug);
        self.start_ready(command)
    }

    fn start_ready(&self, command: Command) -> Running {
        let readiness = Readiness::new(&self.folder, &format!("notify-{}", self.started.get()));
        let mut running = self.launch(command, Some(&readiness));
        if !readiness.heard("READY=1", PATIENCE) {
            running.kill();
            panic!("the daemon did not become ready; it said\n{}", running.log());
        }
        running
    }

    /// Starts the daemon and does not wait for anything.
    #[must_use]
    pub fn start_unwatched(&self) -> Running {
        self.launch(self.as_daemon(), None)
    }

    fn launch(&self, mut command: Command, readiness: Option<&Readiness>) -> Running {
        let number = self.started.get();
        self.started.set(number + 1);
        let log = self.folder.join(format!("daemon-{number}.log"));
        let file = fs::File::create(&log).expect("failed to make a log file");
        command.arg("daemon").stdout(file.try_clone().expect("failed to share a log file")).stderr(file);
        command.env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_USEC").env_remove("WATCHDOG_PID");
        if let Some(readiness) = readiness {
            command.env("NOTIFY_SOCKET", readiness.path());
        }
        let child = command.spawn().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
        Running { child, log, ended: None }
    }

    /// Drops a request file into `incoming/` as people do: written in `tmp/`, then renamed.
    pub fn drop_request(&self, name: &str, text: &str) {
        let draft = self.spool().join("tmp").join(name);
        fs::write(&draft, text).unwrap_or_else(|error| panic!("failed to write `{draft}`: {error}"));
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o644))
            .expect("its owner may change its mode");
        fs::rename(&draft, self.spool().join("incoming").join(name)).expect("failed to drop a request");
    }

    /// Puts bytes into `upload/` and returns the name a request calls them by.
    #[must_use]
    pub fn upload(&self, name: &str, bytes: &[u8]) -> String {
        use sha2::Digest;
        let digest: String = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{digest}-{name}");
        let path = self.spool().join("upload").join(&name);
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("failed to write `{path}`: {error}"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("its owner may change its mode");
        name
    }

    /// Lists the answers of a request by the stem of its name, with the folder each lies in.
    #[must_use]
    pub fn answers(&self, stem: &str) -> Vec<(String, serde_json::Value)> {
        let mut found = Vec::new();
        for folder in ["done", "failed"] {
            let path = self.spool().join(folder);
            let entries =
                path.read_dir_utf8().unwrap_or_else(|error| panic!("failed to list `{path}`: {error}"));
            for entry in entries.flatten() {
                // `<stem>-<UTC time>-<6 hex>.answer.json`; a stem may contain dashes of its own.
                let Some(claim) = entry.file_name().strip_suffix(".answer.json") else { continue };
                if claim.rsplitn(3, '-').nth(2) == Some(stem) {
                    let bytes = fs::read(entry.path())
                        .unwrap_or_else(|error| panic!("failed to read {entry:?}: {error}"));
                    found.push((
                        folder.to_owned(),
                        serde_json::from_slice(&bytes).expect("an answer is JSON"),
                    ));
                }
            }
        }
        found
    }

    /// Waits for the answer of a request.
    ///
    /// # Panics
    /// If none comes.
    #[must_use]
    pub fn answer(&self, stem: &str) -> serde_json::Value {
        let watch = Watch::on(&[&self.spool().join("done"), &self.spool().join("failed")]);
        let found = watch.until(PATIENCE, || self.answers(stem).into_iter().next());
        found.unwrap_or_else(|| panic!("no answer to `{stem}` came")).1
    }
}

/// What the configuration must say where the sandbox lies on what a real site does not: inside a container.
fn allowed_here(folder: &Utf8Path) -> &'static str {
    let kind = run(program("stat").args(["-f", "-c", "%T"]).arg(folder)).ok().stdout;
    if kind.trim() == "overlayfs" { "allow_file_systems = [\"overlay\"]\n" } else { "" }
}

/// A daemon that runs; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: Utf8PathBuf,
    ended: Option<ExitStatus>,
}

impl Running {
    /// What it says when another configuration came into force.
    pub const RELOADED: &'static str = "the configuration was read again";

    /// Says which process it is.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), signal);
    }

    /// Has it read its configuration again, after a test wrote another one to `config` if it gives its text, and waits
    /// until it says `said` once more.
    ///
    /// # Panics
    /// If it does not.
    pub fn reload(&self, config: &Utf8Path, text: Option<&str>, said: &str) {
        let count = || self.log().matches(said).count();
        let before = count();
        let watch = Watch::on(&[config.parent().expect("it lies in a folder")]);
        if let Some(text) = text {
            fs::write(config, text).expect("the configuration can be written");
        }
        self.signal(Signal::SIGHUP);
        let heard = watch.until(PATIENCE, || (count() > before).then_some(()));
        assert!(heard.is_some(), "the daemon did not say `{said}`:\n{}", self.log());
    }

    /// Kills it as a power cut would end it, and waits until it is gone.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.ended = self.child.wait().ok();
    }

    /// Asks it to end, waits, and returns how it ended.
    pub fn stop(&mut self) -> Option<ExitStatus> {
        self.signal(Signal::SIGTERM);
        self.ended = self.child.wait().ok();
        self.ended
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> Option<ExitStatus> {
        self.ended = self.child.wait().ok();
        self.ended
    }

    /// Says whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.ended = self.ended.or_else(|| self.child.try_wait().ok().flatten());
        self.ended.is_some()
    }

    /// Returns what it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        read_lossy(&self.log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.kill();
        }
    }
}

fn read_lossy(path: &Utf8Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
