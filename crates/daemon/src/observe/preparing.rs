//! Hashes large repositories in idle time, for the numbers of packages that may come next: then a change costs what it changes,
//! and not what the repository holds. Whoever asks before that is done waits no longer for it; it costs what it costs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::Shelf;

/// Below this, in bytes of open metadata, hashing takes no time worth the trouble.
const WORTH_IT: u64 = 1 << 20;

/// Repositories that are hashed on a thread of its own; dropping it gives up.
#[derive(Debug, Default)]
pub(super) struct Preparing {
    under_way: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    /// What is to be hashed, some of which may be done.
    wanted: Vec<Arc<Shelf>>,
}

impl Preparing {
    /// Begins to hash these, and goes on with those that were not done and are still `known`.
    pub(super) fn begin(&mut self, shelves: Vec<Arc<Shelf>>, known: &dyn Fn(&Arc<Shelf>) -> bool) {
        let is_large = |shelf: &Arc<Shelf>| {
            let files = shelf.in_blocks().map(|files| &files.files);
            let open =
                |files: &[super::blocks::File; 3]| files.iter().map(|file| file.blocks.open_size()).sum();
            files.map_or(0, open) >= WORTH_IT
        };
        let shelves: Vec<_> = shelves.into_iter().filter(is_large).collect();
        if shelves.is_empty() {
            return;
        }
        self.give_up();
        let is_done = |shelf: &Arc<Shelf>| {
            shelf.in_blocks().is_none_or(|files| files.files.iter().all(super::blocks::File::is_prepared))
        };
        self.wanted.retain(|shelf| known(shelf) && !is_done(shelf));
        self.wanted.extend(shelves);
        let shelves = self.wanted.clone();
        let is_over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_over);
        let begun = thread::Builder::new().name("prepare".to_owned()).spawn(move || {
            for shelf in &shelves {
                prepare(shelf, &flag);
            }
        });
        match begun {
            Ok(thread) => self.under_way = Some((is_over, thread)),
            Err(error) => tracing::debug!("nothing is hashed in advance: {error}"),
        }
    }

    /// Waits until everything that was begun is hashed.
    pub(super) fn finish(&mut self) {
        if let Some((_, thread)) = self.under_way.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that hashes in advance ended early");
        }
    }

    fn give_up(&mut self) {
        if let Some((is_over, _)) = self.under_way.take() {
            is_over.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Preparing {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// Hashes one repository for one package more or less, or two more, or as many.
fn prepare(shelf: &Shelf, is_over: &AtomicBool) {
    let Some(files) = shelf.in_blocks() else { return };
    let packages = shelf.listed.len();
    let next: BTreeSet<usize> = (packages.saturating_sub(1)..=packages + 2).collect();
    for file in &files.files {
        if let Err(error) = files.prepare(file, &next, &|| is_over.load(Ordering::Relaxed)) {
            // Superseded meanwhile, or damaged: the change that comes finds out for itself.
            tracing::debug!("`{}` is not hashed in advance: {error}", file.href);
            return;
        }
    }
}
