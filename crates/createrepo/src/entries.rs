//! Many packages, read side by side, in the order in which they are to be listed.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Algorithm;
use repo::Entry;
use store::Disk;

use crate::walk::unreadable;
use crate::{Error, Unreadable, read_package};

/// Packages that can be listed, and those that cannot.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The packages, in the order of the hrefs.
    pub entries: Vec<Entry>,
    /// What could not be read, in the same order.
    pub unreadable: Vec<Unreadable>,
}

/// Reads packages below `dir` with so many threads, and lists them in the order of `hrefs`.
///
/// One that cannot be read never keeps the others from being listed.
pub fn entries_of(
    disk: &dyn Disk,
    dir: &Utf8Path,
    hrefs: &[Utf8PathBuf],
    algorithm: Algorithm,
    workers: NonZeroUsize,
) -> Listing {
    let read = |href: &Utf8PathBuf| Ok(repo::entry_of(&read_package(disk, dir, href, algorithm)?));
    collected(hrefs, side_by_side(hrefs, workers, &read))
}

fn collected(hrefs: &[Utf8PathBuf], outcomes: Vec<Result<Entry, Error>>) -> Listing {
    let mut listing = Listing::default();
    for (href, outcome) in hrefs.iter().zip(outcomes) {
        match outcome {
            Ok(entry) => listing.entries.push(entry),
            Err(error) => listing.unreadable.push(unreadable(href.as_str(), &error)),
        }
    }
    listing
}

/// Does `work` for each item, with so many threads, and gives the outcomes in the order of the items.
fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    workers: NonZeroUsize,
    work: &(dyn Fn(&T) -> Result<R, Error> + Sync),
) -> Vec<Result<R, Error>> {
    let workers = workers.get().min(items.len());
    if workers <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Result<R, Error>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((item, place)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    items.get(at).zip(outcomes.get(at))
                } {
                    let outcome = work(item);
                    *place.lock().expect("nobody panics with it in hand") = Some(outcome);
                }
            });
        }
    });
    let done = |place: Mutex<Option<_>>| place.into_inner().ok().flatten().expect("every item was worked on");
    outcomes.into_iter().map(done).collect()
}
