//! Waiting for something on disk without sleeping.
#![expect(clippy::disallowed_methods, reason = "a test gives up some time, so it watches the clock")]

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};

/// How long a wait lasts before somebody looks again although nothing was heard: what is put into a directory before the
/// watch on it has begun makes no event. It is also the most that a machine that was stopped takes off the patience.
const TICK: Duration = Duration::from_secs(1);

/// How often a tree is walked anew because a directory went meanwhile.
const WALKS: usize = 100;

/// Hears of every change below some directories, also those made later.
#[derive(Debug)]
pub struct Watch {
    changes: Receiver<Vec<Utf8PathBuf>>,
    // Dropping it ends the watch.
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Panics
    /// If a directory is not there.
    #[must_use]
    pub fn on(directories: &[&Utf8Path]) -> Self {
        let (changed, changes) = channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !event.kind.is_access() {
                let paths = event.paths.into_iter().filter_map(|path| Utf8PathBuf::from_path_buf(path).ok());
                // Nobody listens any more once the watch is dropped.
                let _ = changed.send(paths.collect());
            }
        })
        .expect("failed to make a watcher");
        for directory in directories {
            watch_all(&mut watcher, directory);
        }
        Self { changes, _watcher: watcher }
    }

    /// Waits for one change and names what changed; nothing if `patience` ended first.
    #[must_use]
    pub fn change(&self, patience: Duration) -> Option<Vec<Utf8PathBuf>> {
        ticks(patience).find_map(|tick| self.changes.recv_timeout(tick).ok())
    }

    /// Forgets the changes heard so far and says how many there were.
    pub fn forget(&self) -> usize {
        self.changes.try_iter().count()
    }

    /// Waits until `look` finds what it looks for: it looks at once, after each change, and after each second in which
    /// nothing was heard.
    #[must_use]
    pub fn until<T>(&self, patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let mut left = patience;
        while !left.is_zero() {
            let began = Instant::now();
            if let Some(found) = look() {
                return Some(found);
            }
            match self.changes.recv_timeout(left.min(TICK)) {
                Ok(_) => {
                    self.forget();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            left = left.saturating_sub(began.elapsed().min(TICK));
        }
        look()
    }
}

/// Cuts a time limit into pieces.
pub(crate) fn ticks(patience: Duration) -> impl Iterator<Item = Duration> {
    let whole = usize::try_from(patience.as_secs()).unwrap_or(usize::MAX);
    let rest = Duration::from_nanos(patience.subsec_nanos().into());
    std::iter::repeat_n(TICK, whole).chain((!rest.is_zero()).then_some(rest))
}

/// Watches a tree in which directories may go while they are walked: then the walk begins again.
fn watch_all(watcher: &mut RecommendedWatcher, directory: &Utf8Path) {
    for _ in 0..WALKS {
        match watcher.watch(directory.as_std_path(), RecursiveMode::Recursive) {
            Ok(()) => return,
            Err(error) if is_absence(&error.kind) && directory.is_dir() => {}
            Err(error) => panic!("failed to watch `{directory}`: {error}"),
        }
    }
    panic!("failed to watch `{directory}`: it changes all the time");
}

/// Whether something was not there: the walk below a directory says so in other words than the watch on it.
fn is_absence(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(cause) => cause.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::{fs, thread};

    use super::*;
    use crate::Sandbox;

    #[test]
    fn a_tree_is_watched_though_directories_go_meanwhile() {
        let sandbox = Sandbox::new();
        let tree = sandbox.folder("tree");
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let gone: Vec<_> = (0..8).map(|number| tree.join(format!("gone-{number}"))).collect();
                while !is_over.load(Ordering::Relaxed) {
                    gone.iter().for_each(|directory| fs::create_dir(directory).unwrap());
                    gone.iter().for_each(|directory| fs::remove_dir(directory).unwrap());
                }
            });
            let watch = thread::Builder::new().spawn_scoped(scope, || {
                // One watcher: the kernel lends each user few of them, and takes them back late.
                let mut watcher = notify::recommended_watcher(|_| {}).unwrap();
                for _ in 0..200 {
                    watch_all(&mut watcher, &tree);
                }
            });
            let ended = watch.unwrap().join();
            is_over.store(true, Ordering::Relaxed);
            ended.unwrap();
        });
    }
}
