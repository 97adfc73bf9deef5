//! Many packages, read side by side, in the order in which they are to be listed.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use nevra::Algorithm;
use repo::Entry;
use store::Disk;

use crate::earlier::Known;
use crate::reading::read_with_changes;
use crate::walk::{resolved, unreadable};
use crate::{Error, Order, Unreadable, read_package};

/// Packages that can be listed, and those that cannot.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The packages, in the order of the hrefs.
    pub entries: Vec<Entry>,
    /// What could not be read, in the same order.
    pub unreadable: Vec<Unreadable>,
    /// How many packages were read; the others were known.
    pub read: usize,
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
    let read = |href: &Utf8PathBuf| {
        let package = read_package(disk, dir, href, algorithm)?;
        Ok((repo::entry_of(&package), true))
    };
    collected(hrefs, side_by_side(hrefs, workers, &read))
}

/// Lists packages as an order wants them, and reads only those that are not known.
pub(crate) fn listed(disk: &dyn Disk, order: &Order, hrefs: &[Utf8PathBuf], known: &Known) -> Listing {
    let algorithm = order.package_digest;
    let list = |href: &Utf8PathBuf| {
        let place = placed(href, order.placing.prefix.as_deref());
        if let Some(entry) = taken_over(disk, &order.input, href, &place, algorithm, known) {
            return Ok((entry, false));
        }
        let package = read_with_changes(disk, &order.input, href, algorithm, order.changes)?;
        Ok((repo::entry_of(&repo::Package { href: place, ..package }), true))
    };
    collected(hrefs, side_by_side(hrefs, order.workers, &list))
}

/// Finds a package among those that are known, if its file still has the size and time of then.
fn taken_over(
    disk: &dyn Disk,
    dir: &Utf8Path,
    href: &Utf8Path,
    place: &str,
    algorithm: Algorithm,
    known: &Known,
) -> Option<Entry> {
    if known.is_empty() {
        return None;
    }
    let state = if known.skips_stat() {
        None
    } else {
        // What cannot be looked at is read, and that will say why not.
        Some(resolved(disk, &dir.join(href)).ok().and_then(|path| disk.state(&path).ok().flatten())?)
    };
    known.of(place, algorithm, state)?.at(place).ok()
}

/// Puts a prefix before a place, with one slash between.
fn placed(href: &Utf8Path, prefix: Option<&str>) -> String {
    match prefix {
        None | Some("") => href.to_string(),
        Some(prefix) => format!("{}/{href}", prefix.trim_end_matches('/')),
    }
}

fn collected(hrefs: &[Utf8PathBuf], outcomes: Vec<Result<(Entry, bool), Error>>) -> Listing {
    let mut listing = Listing::default();
    for (href, outcome) in hrefs.iter().zip(outcomes) {
        match outcome {
            Ok((entry, read)) => {
                listing.entries.push(entry);
                listing.read += usize::from(read);
            }
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
