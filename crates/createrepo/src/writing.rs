//! Primary, filelists and other, written in one go while packages are read: by all threads, in the order of the list, and in
//! memory that does not grow with it but for the packed bytes.
//!
//! ```text
//! items --claim--> read side by side --in order--> cutters --blocks--> packed side by side --in order--> gatherers
//!   |                                                ^        |
//!   +--known: a piece of a block---------------------+        |
//!   +--known: whole blocks, copied ------------------blocks---+
//! ```
//!
//! Whatever thread has nothing else to do takes the next step of any kind; blocks come first, so that text does not pile up.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard};

use repo::{Cutter, Fragments, Gathered, Gatherer, OpenBlock, PackedBlock, Prefix, Slice};
use store::Disk;

use crate::earlier::{At, DOCUMENTS, Known, Opened};
use crate::reading::read_with_changes;
use crate::sources::{Item, Source};
use crate::walk::unreadable;
use crate::{Error, Order, Unreadable};

/// How many packages may be read ahead of the one that is listed next.
const AHEAD: usize = 256;
/// How many packages a thread reads before it looks at what else there is.
const BATCH: usize = 8;
/// How many blocks wait to be packed before nothing more is cut.
const BLOCKS_WAITING: usize = 12;
/// How many blocks may be finished ahead of the one that a file waits for.
const BLOCKS_AHEAD: usize = 12;
/// How many packages of which no block can be copied are listed at once.
const RUN: usize = 64;

/// The three files, and what became of the packages.
pub(crate) struct Written {
    /// Primary, filelists, other.
    pub files: [Gathered; 3],
    /// How many packages they list.
    pub packages: usize,
    /// How many of them were read.
    pub read: usize,
    /// How many blocks were copied without being opened, of each file.
    pub closed: [usize; 3],
    pub unreadable: Vec<Unreadable>,
}

/// Writes the three files. A package that cannot be read is left out, and named.
///
/// # Errors
///
/// Repodata that was to be taken over does not hold what it says: then nothing of it is to be believed.
pub(crate) fn written(
    disk: &dyn Disk,
    order: &Order,
    known: &Known,
    items: &[Item<'_>],
) -> Result<Written, Error> {
    let reads: Vec<usize> = (0..items.len()).filter(|at| items[*at].source == Source::Read).collect();
    let prefixes = [0, 1, 2].map(|file| prefix(order, known, items, file));
    let closed = prefixes.each_ref().map(|prefix| prefix.as_ref().map_or(0, Prefix::closed));
    let lane = |file: usize, prefix: Option<Prefix>| {
        let (compression, checksum) = (order.form.compression, order.form.checksum);
        let gatherer = Gatherer::new(DOCUMENTS[file], compression, checksum, items.len());
        let gatherer = Mutex::new(match prefix {
            Some(prefix) => gatherer.behind(prefix),
            None => gatherer,
        });
        Lane { gatherer, moved_on: Condvar::new() }
    };
    let [primary, filelists, other] = prefixes;
    let workers = order.workers.get().min(items.len());
    let work = Work {
        disk,
        order,
        known,
        items,
        reads,
        lanes: [lane(0, primary), lane(1, filelists), lane(2, other)],
        closed,
        state: Mutex::new(State::default()),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        (1..workers).for_each(|_| _ = scope.spawn(|| work.run()));
        work.run();
    });
    work.finish()
}

/// Finds out with how many blocks of a file that is there one of the three files begins, and what is known of these.
fn prefix(order: &Order, known: &Known, items: &[Item<'_>], file: usize) -> Option<Prefix> {
    let Source::Known(At { repository, package: 0 }) = items.first()?.source else { return None };
    let old = known.file(repository, file);
    if old.compression != order.form.compression {
        return None;
    }
    let stays = |(package, item): &(usize, &Item<'_>)| {
        item.source == Source::Known(At { repository, package: *package })
    };
    let run = items.iter().enumerate().take_while(stays).count();
    let blocks = old.places.partition_point(|(_, packages)| packages.end <= run);
    old.past.as_ref()?.first(blocks, items.len(), order.form.checksum)
}

/// What all threads share.
struct Work<'a> {
    disk: &'a dyn Disk,
    order: &'a Order,
    known: &'a Known,
    items: &'a [Item<'a>],
    /// Those items that have to be read.
    reads: Vec<usize>,
    lanes: [Lane; 3],
    /// How many of the first blocks need not be opened.
    closed: [usize; 3],
    state: Mutex<State>,
    /// Something is there to be done, or nothing will be any more.
    changed: Condvar,
}

/// One of the three files.
struct Lane {
    gatherer: Mutex<Gatherer>,
    moved_on: Condvar,
}

/// How far everything is.
#[derive(Default)]
struct State {
    cutters: [Cutter; 3],
    /// Blocks to be finished: of which file, and what is to be done.
    blocks: VecDeque<(usize, Block)>,
    /// What was read and is not listed yet.
    read: BTreeMap<usize, Result<Fragments, Error>>,
    /// How many of the reads were begun, and how many are listed.
    begun: usize,
    listed: usize,
    /// The item that is listed next.
    at: usize,
    ended: bool,
    failed: Option<Error>,
    /// Whether a thread ended that should not have.
    given_up: bool,
    packages: usize,
    unreadable: Vec<Unreadable>,
    /// The block that was cut last, of each file: of which repository, which it is, and what it says.
    opened: [Option<(usize, usize, Opened)>; 3],
}

/// What is to be done for a block.
enum Block {
    Pack(OpenBlock),
    /// It stays as it is, under another number.
    Keep {
        number: usize,
        repository: usize,
        block: usize,
    },
}

/// What a thread does next.
enum Step {
    Read(Range<usize>),
    Finish(usize, Block),
}

impl Work<'_> {
    fn run(&self) {
        let _alarm = Alarm(self);
        while let Some(step) = self.next() {
            match step {
                Step::Read(reads) => {
                    let read: Vec<_> =
                        self.reads[reads].iter().map(|at| (*at, self.read(&self.items[*at]))).collect();
                    self.state().read.extend(read);
                    self.changed.notify_all();
                }
                Step::Finish(file, block) => {
                    if let Err(error) = self.finish_block(file, block) {
                        self.state().failed = Some(error);
                        self.tell_of_failure();
                    }
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it in hand")
    }

    /// Wakes whoever waits for what will not come.
    fn tell_of_failure(&self) {
        self.changed.notify_all();
        for lane in &self.lanes {
            // Whoever looked before the failure waits by now.
            drop(lane.gatherer.lock().expect("nobody panics with it in hand"));
            lane.moved_on.notify_all();
        }
    }

    /// Finds something to do; `None` once nothing is left.
    fn next(&self) -> Option<Step> {
        let mut state = self.state();
        loop {
            if state.is_over() {
                return None;
            }
            if let Some((file, block)) = state.blocks.pop_front() {
                return Some(Step::Finish(file, block));
            }
            match self.list(&mut state) {
                Ok(true) => {
                    self.changed.notify_all();
                    continue;
                }
                Ok(false) => {}
                Err(error) => {
                    state.failed = Some(error);
                    drop(state);
                    self.tell_of_failure();
                    return None;
                }
            }
            let begin = state.begun;
            let end = self.reads.len().min(begin + BATCH).min(state.listed + AHEAD);
            if begin < end {
                state.begun = end;
                return Some(Step::Read(begin..end));
            }
            if state.ended {
                return None;
            }
            state = self.changed.wait(state).expect("nobody panics with it in hand");
        }
    }

    fn read(&self, item: &Item<'_>) -> Result<Fragments, Error> {
        let Order { input, package_digest, changes, placing, .. } = self.order;
        let package = read_with_changes(self.disk, input, item.href, *package_digest, *changes)?;
        let fragments = repo::fragments_of(&repo::Package { href: item.place.clone(), ..package });
        let Some(base) = &placing.base else { return Ok(fragments) };
        let primary = repo::placed(&fragments.primary, &item.place, Some(base))
            .map_err(|cause| Error::Package { path: input.join(item.href), cause })?;
        Ok(Fragments { primary: Slice::from(primary), ..fragments })
    }

    /// Lists what comes next, as far as it is there; says whether that led to anything.
    fn list(&self, state: &mut State) -> Result<bool, Error> {
        let before = (state.at, state.ended);
        while state.blocks.len() < BLOCKS_WAITING
            && let Some(item) = self.items.get(state.at)
        {
            match item.source {
                Source::Read => {
                    let Some(read) = state.read.remove(&state.at) else { break };
                    state.listed += 1;
                    state.at += 1;
                    match read {
                        Ok(Fragments { primary, filelists, other }) => {
                            state.packages += 1;
                            for (file, fragment) in [primary, filelists, other].iter().enumerate() {
                                state.push(file, fragment);
                            }
                        }
                        Err(error) => state.unreadable.push(unreadable(item.href.as_str(), &error)),
                    }
                }
                Source::Known(at) => {
                    let run = self.run_from(state.at, at);
                    state.at += run;
                    state.packages += run;
                    for file in 0..DOCUMENTS.len() {
                        self.list_known(state, file, at, run)?;
                    }
                }
                Source::Moved(at) => {
                    state.at += 1;
                    state.packages += 1;
                    let primary = self.fragment(state, 0, at)?;
                    let moved = repo::placed(primary, &item.place, self.order.placing.base.as_deref());
                    let file = self.known.file(at.repository, 0);
                    let moved = moved.map_err(|cause| file.misunderstood(cause))?;
                    state.push(0, &moved);
                    for file in 1..DOCUMENTS.len() {
                        let fragment = self.fragment(state, file, at)?.to_vec();
                        state.push(file, &fragment);
                    }
                }
            }
        }
        if state.at == self.items.len() && !state.ended {
            state.ended = true;
            (0..DOCUMENTS.len()).for_each(|file| state.flush(file));
        }
        Ok(before != (state.at, state.ended))
    }

    /// Counts the items from here on that follow each other in a repository, too.
    fn run_from(&self, from: usize, first: At) -> usize {
        let follows = |(ahead, item): &(usize, &Item<'_>)| {
            item.source == Source::Known(At { package: first.package + ahead, ..first })
        };
        let run = self.items[from..].iter().enumerate().take_while(follows).count();
        let is_copied =
            |file| self.known.file(first.repository, file).compression == self.order.form.compression;
        if (0..DOCUMENTS.len()).all(is_copied) { run } else { run.min(RUN) }
    }

    /// Lists packages that follow each other in a file that is there: blocks all of whose packages stay are copied.
    fn list_known(&self, state: &mut State, file: usize, from: At, run: usize) -> Result<(), Error> {
        let At { repository, package } = from;
        let old = self.known.file(repository, file);
        let is_copied = old.compression == self.order.form.compression;
        let (mut at, end) = (package, package + run);
        let mut block = old.block_of(package);
        while at < end {
            let packages = old.places[block].1.clone();
            if is_copied && at == packages.start && packages.end <= end && !state.cutters[file].is_small() {
                state.flush(file);
                let number = state.cutters[file].skip();
                state.blocks.push_back((file, Block::Keep { number, repository, block }));
                at = packages.end;
            } else {
                while at < end.min(packages.end) {
                    let fragment = self.fragment(state, file, At { repository, package: at })?.to_vec();
                    state.push(file, &fragment);
                    at += 1;
                }
            }
            block += 1;
        }
        Ok(())
    }

    /// Finds what a file that is there says of a package.
    fn fragment<'s>(&self, state: &'s mut State, file: usize, at: At) -> Result<&'s [u8], Error> {
        let At { repository, package } = at;
        let old = self.known.file(repository, file);
        let wanted = old.block_of(package);
        let is_there =
            matches!(&state.opened[file], Some((of, block, _)) if (*of, *block) == (repository, wanted));
        if !is_there {
            let room = state.opened[file].take().map(|(.., opened)| opened.text).unwrap_or_default();
            state.opened[file] = Some((repository, wanted, self.known.open(repository, file, wanted, room)?));
        }
        let first = old.places[wanted].1.start;
        let (.., opened) = state.opened[file].as_ref().expect("it was just opened");
        Ok(opened.fragment(package - first))
    }

    fn finish_block(&self, file: usize, block: Block) -> Result<(), Error> {
        let lane = &self.lanes[file];
        let block = match block {
            Block::Pack(block) => block.pack(self.order.form.compression),
            Block::Keep { number, repository, block } if number < self.closed[file] => {
                let old = self.known.file(repository, file);
                PackedBlock::closed(number, old.closed(block), old.blocks.blocks()[block])
            }
            Block::Keep { number, repository, block } => {
                let room = lane.gatherer.lock().expect("nobody panics with it in hand").room();
                let Opened { packed, text, ends } = self.known.open(repository, file, block, room)?;
                PackedBlock::kept(number, packed, text, ends.len())
            }
        };
        let mut gatherer = lane.gatherer.lock().expect("nobody panics with it in hand");
        // Whoever has the block that is waited for never waits: blocks are begun in their order.
        while block.number() > gatherer.next() + BLOCKS_AHEAD {
            if self.state().is_over() {
                return Ok(());
            }
            gatherer = lane.moved_on.wait(gatherer).expect("nobody panics with it in hand");
        }
        gatherer.put(block);
        lane.moved_on.notify_all();
        Ok(())
    }

    fn finish(self) -> Result<Written, Error> {
        let state = self.state.into_inner().expect("nobody panicked with it in hand");
        if let Some(error) = state.failed {
            return Err(error);
        }
        let finish = |lane: Lane| {
            let gatherer = lane.gatherer.into_inner().expect("nobody panicked with it in hand");
            let gathered = gatherer.finish(self.order.form.checksum);
            gathered.map_err(|cause| Error::Metadata { path: self.order.output.join("repodata"), cause })
        };
        let closed = self.closed;
        let [primary, filelists, other] = self.lanes.map(finish);
        Ok(Written {
            files: [primary?, filelists?, other?],
            packages: state.packages,
            read: self.reads.len() - state.unreadable.len(),
            closed,
            unreadable: state.unreadable,
        })
    }
}

/// Lets the other threads end where one panics: they would wait for ever for what it had in hand.
struct Alarm<'a>(&'a Work<'a>);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Whoever finds a lock poisoned ends by that.
            if let Ok(mut state) = self.0.state.lock() {
                state.given_up = true;
            }
            self.0.changed.notify_all();
            for lane in &self.0.lanes {
                drop(lane.gatherer.lock());
                lane.moved_on.notify_all();
            }
        }
    }
}

impl State {
    fn is_over(&self) -> bool {
        self.given_up || self.failed.is_some()
    }

    fn push(&mut self, file: usize, fragment: &[u8]) {
        let block = self.cutters[file].push(fragment);
        self.blocks.extend(block.map(|block| (file, Block::Pack(block))));
    }

    fn flush(&mut self, file: usize) {
        let block = self.cutters[file].flush();
        self.blocks.extend(block.map(|block| (file, Block::Pack(block))));
    }
}

#[cfg(test)]
mod tests;
