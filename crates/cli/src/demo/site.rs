//! The site of the demo: a folder, a configuration, the daemon on a thread, the web server beside it.
#![expect(clippy::disallowed_methods, reason = "makes and empties the folder of the demo")]

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use daemon::clock::Clock;
use daemon::config::{Config, accounts};
use daemon::error::Error;
use daemon::reading::InProcess;
use daemon::run::{self, Wake};
use daemon::submit::{Sent, Submitter};
use jiff::Timestamp;
use plan::{Answer, Format, Request};
use store::{PosixDisk, Store};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::clock::StoryClock;
use super::{procedures, world};
use crate::failure::Failure;
use crate::serve::listen_at;

/// The file by which a folder is known to be a demo's, so that nothing else is ever emptied.
const MARK: &str = ".sluice-demo";

/// What the demo makes in its folder.
const PARTS: [&str; 4] = ["root", "spool", "packages", "sluice.toml"];

/// The user `nobody` of every Linux.
const NOBODY: u32 = 65_534;

/// How long the daemon may take for anything; far more than it ever needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The thread on which the daemon runs, and how it ended.
type Daemon = JoinHandle<Result<(), Error>>;

/// A running site.
pub struct Site {
    /// The address of the web root, without a slash at the end.
    pub base: String,
    /// The configuration.
    pub config: Config,
    folder: Utf8PathBuf,
    submitter: Submitter,
    clock: Arc<StoryClock>,
    /// How many requests were handed in in somebody's name.
    asked: AtomicU32,
    runtime: Runtime,
    listen: SocketAddr,
    wake: Sender<Wake>,
    /// Nothing only while it is stopped for another configuration.
    daemon: Option<Daemon>,
    web: tokio::task::JoinHandle<Result<(), Error>>,
    stop_web: oneshot::Sender<()>,
}

impl Site {
    /// Makes the folder anew, writes the configuration, and starts everything.
    pub fn raise(folder: &Utf8Path, listen: SocketAddr) -> Result<Site, Failure> {
        let folder = prepare(folder)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| Failure::internal(format!("failed to start the runtime: {error}")))?;
        let (listener, address) = runtime.block_on(listen_at(listen))?;
        let base = format!("http://{address}");
        let file = write_configuration(&folder, &base, address, Door::Shut)?;
        let config = accounts::load(&file)?;
        let clock = Arc::new(StoryClock::default());
        let (wake, daemon) = start_daemon(file, Arc::clone(&clock))?;
        let (stop_web, stopped) = oneshot::channel();
        let web = runtime.spawn(daemon::web::serve(listener, config.root.join("public"), async {
            // Both ends of the channel mean the same.
            let _ = stopped.await;
        }));
        let submitter = Submitter::new(config.spool.clone());
        Ok(Site {
            base,
            config,
            folder,
            submitter,
            clock,
            asked: AtomicU32::new(1),
            runtime,
            listen: address,
            wake,
            daemon: Some(daemon),
            web,
            stop_web,
        })
    }

    /// Stops daemon and web server; what they hold is durable.
    pub fn lower(mut self) -> Result<(), Failure> {
        let daemon = self.stop_daemon();
        let _ = self.stop_web.send(());
        let web = self.runtime.block_on(self.web);
        web.map_err(|error| Failure::internal(format!("the web server ended: {error}")))??;
        daemon
    }

    /// Goes on with a door, or without: whoever is the door cannot ask for himself meanwhile.
    pub fn with_door(&mut self, door: Door) -> Result<()> {
        let restarted = self.stop_daemon().and_then(|()| {
            let file = write_configuration(&self.folder, &self.base, self.listen, door)?;
            start_daemon(file, Arc::clone(&self.clock))
        });
        let (wake, daemon) = restarted.map_err(|failure| anyhow::anyhow!(failure.sentence))?;
        (self.wake, self.daemon) = (wake, Some(daemon));
        Ok(())
    }

    fn stop_daemon(&mut self) -> Result<(), Failure> {
        // A daemon that has ended by itself says why below.
        let _ = self.wake.send(Wake::Stop);
        let Some(daemon) = self.daemon.take() else { return Ok(()) };
        Ok(daemon.join().map_err(|_| Failure::internal("the daemon panicked"))??)
    }

    /// Runs something on the site's runtime.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Lets some hours pass at once, for the daemon and for whoever asks [`Site::now`].
    pub fn pass(&self, hours: i64) {
        self.clock.pass(hours);
        // A daemon that has ended says so when it is asked for something.
        let _ = self.wake.send(Wake::Look);
    }

    /// What time it is in the story.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A view of the site for reading.
    pub fn store(&self) -> Store {
        Store::new(Arc::new(PosixDisk), self.config.root.clone())
    }

    /// Writes RPMs into `packages/<update>` and puts them where a request can name them; gives those names.
    pub fn upload(&self, update: &str, packages: Vec<(String, Vec<u8>)>) -> Result<Vec<String>> {
        let folder = self.folder.join("packages").join(update);
        fs::create_dir_all(&folder).with_context(|| format!("failed to make `{folder}`"))?;
        let mut uploaded = Vec::new();
        for (name, bytes) in packages {
            let file = folder.join(name);
            fs::write(&file, bytes).with_context(|| format!("failed to write `{file}`"))?;
            uploaded.push(self.submitter.upload(&file)?);
        }
        Ok(uploaded)
    }

    /// Asks as the command line does, and waits for the answer.
    pub fn ask(&self, request: &Request) -> Result<Answer> {
        let name = request.action.name();
        let sent = self.submitter.send(name, Format::Toml, request.to_toml().as_bytes())?;
        answer(&sent)
    }

    /// Asks in somebody's name, with the keys of a request as they stand in a file.
    pub fn ask_as(&self, who: &str, action: &str, keys: &str) -> Result<Answer> {
        let text = format!("format = 1\naction = \"{action}\"\n{keys}\nas = \"{who}\"\n\n[end]\n");
        let name = format!("{action}-{}.toml", self.asked.fetch_add(1, Ordering::Relaxed));
        let (draft, request) = self.draft(&name, &text)?;
        // Whose file it is tells who asks; the door is somebody of its own.
        chown(&draft, Some(door()), None).with_context(|| format!("failed to hand over `{draft}`"))?;
        fs::rename(&draft, &request).with_context(|| format!("failed to rename `{draft}`"))?;
        answer(&self.submitter.follow(&name))
    }

    /// Writes a request where it is not looked at yet; gives that place, and where it belongs.
    fn draft(&self, name: &str, text: &str) -> Result<(Utf8PathBuf, Utf8PathBuf)> {
        let spool = &self.config.spool;
        let (draft, request) = (spool.join("tmp").join(name), spool.join("incoming").join(name));
        fs::write(&draft, text).with_context(|| format!("failed to write `{draft}`"))?;
        Ok((draft, request))
    }

    /// Asks with plain file operations, as `cp` and `mv` would; gives the answer and where it lies.
    pub fn drop_file(&self, name: &str, text: &str) -> Result<(Answer, Utf8PathBuf)> {
        let spool = &self.config.spool;
        let (draft, request) = self.draft(name, text)?;
        fs::rename(&draft, &request).with_context(|| format!("failed to rename `{draft}`"))?;
        let answer = answer(&self.submitter.follow(name))?;
        let place = ["done", "failed"]
            .map(|place| spool.join(place).join(format!("{}.answer.json", answer.claim)))
            .into_iter()
            .find(|place| place.exists())
            .context("the answer is in neither `done/` nor `failed/`")?;
        Ok((answer, place))
    }
}

fn answer(sent: &Sent) -> Result<Answer> {
    sent.wait(PATIENCE, &mut |_| {})?.with_context(|| format!("no answer to `{}` in {PATIENCE:?}", sent.name))
}

/// Starts the daemon and waits until it has published the first generation.
fn start_daemon(file: Utf8PathBuf, clock: Arc<StoryClock>) -> Result<(Sender<Wake>, Daemon), Failure> {
    let (wake, wakes) = run::wakes();
    let (ready, is_ready) = channel();
    let sender = wake.clone();
    let daemon = std::thread::spawn(move || {
        // The packages are the demo's own.
        let reader = Arc::new(InProcess);
        run::run(&|| accounts::load(&file), reader, clock, (sender, wakes), &mut || {
            ready.send(()).unwrap_or(())
        })
    });
    // Fails at once if the daemon ends, because the other end of the channel ends with it.
    if is_ready.recv_timeout(PATIENCE).is_ok() {
        return Ok((wake, daemon));
    }
    let _ = wake.send(Wake::Stop);
    match daemon.join() {
        Ok(Err(error)) => Err(error.into()),
        _ => Err(Failure::internal("the daemon did not become ready")),
    }
}

/// Whether there is an account whose requests may name somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Shut,
    Open,
}

fn write_configuration(
    folder: &Utf8Path,
    base: &str,
    listen: SocketAddr,
    door: Door,
) -> Result<Utf8PathBuf, Failure> {
    let file = folder.join("sluice.toml");
    let written = fs::write(&file, configuration(folder, base, listen, door));
    written.map_err(|error| Failure::internal(format!("failed to write `{file}`: {error}")))?;
    Ok(file)
}

fn configuration(folder: &Utf8Path, base: &str, listen: SocketAddr, open: Door) -> String {
    let quoted = |path: Utf8PathBuf| toml_text(path.as_str());
    format!(
        "# The site of `sluice demo`: a product with two stages, and one for each procedure.\n\
         format = 1\n\n\
         [site]\n\
         name = \"Demo Grid\"\n\
         root = {root}\n\
         spool = {spool}\n\
         base_url = \"{base}\"\n\
         listen = \"{listen}\"\n\
         grace = \"72h\"\n\
         {door}\n\
         [roles]\n\
         release-team = [\"uid:{uid}\", \"as:mu\"]\n\
         operations = [\"as:ou\"]\n\
         verifiers = [\"as:verifier\"]\n\
         emi-managers = [\"as:emi\"]\n\n\
         [[product]]\n\
         name = \"{product}\"\n\
         preset = \"glite\"\n\
         platforms = [\"{platform}\"]\n\n\
         {procedures}",
        root = quoted(folder.join("root")),
        spool = quoted(folder.join("spool")),
        uid = rustix::process::getuid().as_raw(),
        door = match open {
            Door::Open => format!("door = \"uid:{}\"\n", door()),
            Door::Shut => String::new(),
        },
        product = world::PRODUCT,
        platform = world::PLATFORM,
        procedures = procedures::CONFIGURATION,
    )
}

/// Whose requests may name somebody else: whoever plays the demo, and as root a user without rights, for root is nobody's door.
fn door() -> u32 {
    match rustix::process::getuid() {
        uid if uid.is_root() => NOBODY,
        uid => uid.as_raw(),
    }
}

/// Quotes a path for TOML, whose basic strings escape as JSON's do.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Makes the folder, or empties one that an earlier demo made; gives its absolute path.
fn prepare(folder: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let wrong = |what: &str, path: &Utf8Path, error: std::io::Error| {
        Failure::usage(format!("failed to {what} `{path}`: {error}")).hint("choose another with --folder")
    };
    fs::create_dir_all(folder).map_err(|error| wrong("make", folder, error))?;
    let folder = folder.canonicalize_utf8().map_err(|error| wrong("find", folder, error))?;
    let mut entries = fs::read_dir(&folder).map_err(|error| wrong("list", &folder, error))?;
    let mark = folder.join(MARK);
    if mark.exists() {
        let store = Store::new(Arc::new(PosixDisk), folder.join("root"));
        // Held while the old root is removed, so that no running demo loses its ground.
        let _lock = if folder.join("root").exists() { Some(store.lock()?) } else { None };
        for part in PARTS {
            remove(&folder.join(part)).map_err(|error| wrong("empty", &folder.join(part), error))?;
        }
    } else if entries.next().is_some() {
        return Err(Failure::usage(format!("`{folder}` is not empty and not of an earlier demo"))
            .hint("choose another with --folder"));
    }
    fs::write(&mark, "`sluice demo` made this folder and empties it when it starts again\n")
        .map_err(|error| wrong("write", &mark, error))?;
    Ok(folder)
}

/// Removes a file or a whole tree, sealed directories included; follows no link.
fn remove(path: &Utf8Path) -> std::io::Result<()> {
    let state = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        state => state?,
    };
    if !state.is_dir() {
        return fs::remove_file(path);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    for entry in path.read_dir_utf8()? {
        remove(entry?.path())?;
    }
    fs::remove_dir(path)
}

#[cfg(test)]
mod tests;
