//! The rim of the daemon: when to step. Signals, inotify, the half-minute scan, and what systemd is told.
#![expect(clippy::disallowed_methods, reason = "the daemon waits for the world, so it watches the clock")]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use notify::{RecursiveMode, Watcher};
use sd_notify::NotifyState;
use store::{Paths, PosixDisk};
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Engine, Step};
use crate::error::Error;
use crate::progress::Onlooker;
use crate::reading::PackageReader;
use crate::scrub::Scrub;
use crate::watchdog::Watchdog;

/// How long the daemon trusts inotify before it looks for itself.
const SCAN_EVERY: Duration = Duration::from_secs(30);

/// How long the daemon waits before it tries again what failed, the first time; doubled up to [`SCAN_EVERY`].
const RETRY_FIRST: Duration = Duration::from_millis(500);

/// What wakes the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something happened in `incoming/`, or somebody else knows a reason to look.
    Look,
    /// The configuration is to be read again (SIGHUP).
    Reload,
    /// The daemon is to finish what it does and end (SIGTERM, SIGINT).
    Stop,
}

/// Runs the daemon until it is told to stop; a stop ends between two steps, never within one.
///
/// `read` gives the configuration, at the start and at each reload. `reader` reads what arrives. `clock` tells the time. `wakes` is both ends of a channel:
/// whoever holds a clone of the sender can wake or stop the daemon; signals are wired to it by [`on_signals`].
pub fn run(
    read: &dyn Fn() -> Result<Config, Error>,
    reader: Arc<dyn PackageReader>,
    clock: Arc<dyn Clock>,
    (wake, wakes): (Sender<Wake>, Receiver<Wake>),
    ready: &mut dyn FnMut(),
) -> Result<(), Error> {
    let config = Arc::new(read()?);
    let mut engine = Engine::open(config, Arc::new(PosixDisk), Arc::clone(&clock))?;
    engine.read_packages_with(reader);
    engine.watch(Onlooker::new(|claim, progress| {
        let status = format!("adopting for {claim}: {progress}");
        tell_systemd(&[NotifyState::Watchdog, NotifyState::Status(&status)]);
    }));
    let incoming = engine.config().spool.join("incoming");
    let mut scrub = scrubbing(&mut engine, None, &wake);
    let mut watch = Watch::of(incoming, wake.clone());
    let watchdog = Watchdog::start();
    let mut pause = RETRY_FIRST;
    let mut is_ready = false;
    loop {
        watchdog.works();
        watch.renew_if_dead();
        let (wait, failed) = match engine.step() {
            Ok(step) => (wait_after(&step, &*clock), None),
            Err(error) if error.needs_a_person() => return Err(error),
            Err(error) => (pause, Some(error.to_string())),
        };
        pause = if failed.is_some() { (pause * 2).min(SCAN_EVERY) } else { RETRY_FIRST };
        if let Some(error) = &failed {
            tracing::error!("the requests wait and will be tried again: {error}");
        }
        tell_systemd(&[NotifyState::Status(&engine.status(failed.as_deref()))]);
        if !is_ready && failed.is_none() {
            is_ready = true;
            tell_systemd(&[NotifyState::Ready]);
            ready();
        }
        if failed.is_none() && !wait.is_zero() {
            engine.prepare();
        }
        watchdog.waits();
        match sleep(&wakes, wait, failed.is_some()) {
            Some(Wake::Stop) => break,
            Some(Wake::Reload) => {
                reload(&mut engine, read);
                scrub = scrubbing(&mut engine, scrub, &wake);
            }
            Some(Wake::Look) | None => {}
        }
    }
    tell_systemd(&[NotifyState::Stopping]);
    tracing::info!("stopped; requests that wait are taken up at the next start");
    Ok(())
}

/// Starts the scrub that the configuration asks for, unless it is under way.
fn scrubbing(
    engine: &mut Engine,
    before: Option<(Duration, Scrub)>,
    wake: &Sender<Wake>,
) -> Option<(Duration, Scrub)> {
    let period = Duration::try_from(engine.config().scrub).unwrap_or_default();
    if period.is_zero() {
        return None;
    }
    if let Some(before) = before.filter(|(known, _)| *known == period) {
        return Some(before);
    }
    let wake = wake.clone();
    let paths = Paths::new(&engine.config().root);
    let (scrub, found) = Scrub::start(Arc::new(PosixDisk), paths, period, move || {
        // Nobody listens any more when the daemon has stopped.
        let _ = wake.send(Wake::Look);
    });
    engine.take_note_of(found);
    Some((period, scrub))
}

/// Tells how long to sleep if nobody wakes the daemon.
fn wait_after(step: &Step, clock: &dyn Clock) -> Duration {
    match &step.wait {
        // More can be claimed meanwhile, and share the next generation.
        _ if step.has_more => Duration::ZERO,
        Some((instant, _)) => {
            let ahead = Duration::try_from(clock.now().duration_until(*instant)).unwrap_or(RETRY_FIRST);
            ahead.clamp(Duration::from_millis(1), SCAN_EVERY - Duration::from_millis(1))
        }
        // Answers were given: what came meanwhile may already lie there.
        None if !step.answers.is_empty() => Duration::ZERO,
        None => SCAN_EVERY,
    }
}

/// Waits for a wake-up or until `wait` is over; wake-ups that piled up count as one, a stop beats them all.
///
/// After a failure (`deaf`) a look does not end the pause: trying again makes events of its own.
pub(crate) fn sleep(wakes: &Receiver<Wake>, wait: Duration, deaf: bool) -> Option<Wake> {
    let until = Instant::now() + wait;
    let mut first = None;
    loop {
        // What piled up is taken at once; then the first that counts ends the sleep.
        let left =
            if first.is_some() { Duration::ZERO } else { until.saturating_duration_since(Instant::now()) };
        match wakes.recv_timeout(left) {
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return Some(Wake::Stop),
            Ok(Wake::Reload) => first = Some(Wake::Reload),
            Ok(Wake::Look) if deaf => {}
            Ok(Wake::Look) => first = first.or(Some(Wake::Look)),
            Err(RecvTimeoutError::Timeout) => return first,
        }
    }
}

/// Reads the configuration again; a wrong one changes nothing.
fn reload(engine: &mut Engine, read: &dyn Fn() -> Result<Config, Error>) {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell_systemd(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("systemd is not told of the reload: {error}"),
    }
    match read().and_then(|config| engine.reload(Arc::new(config))) {
        Ok(()) => tracing::info!("the configuration was read again"),
        Err(error) => tracing::error!("the configuration in force stays: {error}"),
    }
    tell_systemd(&[NotifyState::Ready]);
}

/// Wires SIGTERM and SIGINT to a stop and SIGHUP to a reload. Must be called within a tokio runtime.
pub fn on_signals(wake: Sender<Wake>) -> Result<(), Error> {
    for (kind, meaning) in [
        (SignalKind::terminate(), Wake::Stop),
        (SignalKind::interrupt(), Wake::Stop),
        (SignalKind::hangup(), Wake::Reload),
    ] {
        let mut signals = signal(kind).map_err(|cause| Error::Signals { cause })?;
        let wake = wake.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if wake.send(meaning).is_err() {
                    break;
                }
            }
        });
    }
    Ok(())
}

/// Makes the channel that wakes the daemon.
pub fn wakes() -> (Sender<Wake>, Receiver<Wake>) {
    channel()
}

/// Tells systemd, if it listens; that it does not is no error.
fn tell_systemd(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd was not told: {error}");
    }
}

/// The watch on `incoming/`, a wake-up only: a watch on a directory that was replaced dies silently.
struct Watch {
    incoming: Utf8PathBuf,
    wake: Sender<Wake>,
    watched: Option<(u64, notify::RecommendedWatcher)>,
}

impl Watch {
    fn of(incoming: Utf8PathBuf, wake: Sender<Wake>) -> Self {
        let mut watch = Self { incoming, wake, watched: None };
        watch.renew_if_dead();
        watch
    }

    /// Watches the directory that bears the name now.
    fn renew_if_dead(&mut self) {
        let inode = inode_of(&self.incoming);
        if self.watched.as_ref().map(|(inode, _)| *inode) == inode && inode.is_some() {
            return;
        }
        let wake = self.wake.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Our own reading makes access events; everything else, errors and overflow too, is worth a look.
            let worth = event.map_or(true, |event| !event.kind.is_access() || event.need_rescan());
            if worth {
                // Nobody listens any more when the daemon has stopped.
                let _ = wake.send(Wake::Look);
            }
        });
        let started = watcher.and_then(|mut watcher| {
            watcher.watch(self.incoming.as_std_path(), RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        self.watched = match (started, inode) {
            (Ok(watcher), Some(inode)) => Some((inode, watcher)),
            (Err(error), _) => {
                tracing::warn!("`{}` cannot be watched, it is scanned every 30 s: {error}", self.incoming);
                None
            }
            (Ok(_), None) => None,
        };
    }
}

fn inode_of(path: &Utf8Path) -> Option<u64> {
    rustix::fs::stat(path.as_std_path()).ok().map(|stat| stat.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_beats_what_piled_up_and_a_look_ends_no_pause_after_a_failure() {
        let (wake, wakes) = wakes();
        let hour = Duration::from_secs(3600);
        wake.send(Wake::Look).unwrap();
        wake.send(Wake::Reload).unwrap();
        assert_eq!(sleep(&wakes, hour, false), Some(Wake::Reload));
        wake.send(Wake::Look).unwrap();
        assert_eq!(sleep(&wakes, Duration::ZERO, true), None);
        wake.send(Wake::Look).unwrap();
        wake.send(Wake::Reload).unwrap();
        assert_eq!(sleep(&wakes, hour, true), Some(Wake::Reload));
        wake.send(Wake::Look).unwrap();
        wake.send(Wake::Stop).unwrap();
        assert_eq!(sleep(&wakes, hour, false), Some(Wake::Stop));
    }
}
