//! What the disk was told and has not promised to keep, and what may be left of it when the power goes.

use std::collections::BTreeSet;
use std::sync::Arc;

use fastrand::Rng;

use super::tree::{Body, Number, Tree};
use crate::disk::Kind;

/// One change of names. It is kept as a whole or lost as a whole.
///
/// A rename or an exchange is *one* change although it touches two names, often of two directories: every journalling file
/// system commits both in one transaction, for otherwise a crash would lose the file or double it. Only
/// the promise needs both directories to be synced.
#[derive(Debug, Clone)]
enum Change {
    Entry { directory: Number, name: Arc<str>, before: Option<Number>, after: Option<Number> },
    Rename { from: (Number, Arc<str>), to: (Number, Arc<str>), moved: Number },
    Exchange { one: (Number, Arc<str>, Number), other: (Number, Arc<str>, Number) },
}

/// A directory that is never synced: what waits for it is never promised.
const NEVER: Number = Number::MAX;

/// A change of names and the directories that must still be synced before it is promised.
#[derive(Debug, Clone)]
struct Pending {
    change: Change,
    waits_for: BTreeSet<Number>,
}

/// A disk with its memory: what everybody sees, what is promised, and what lies between the two.
#[derive(Debug, Clone)]
pub(super) struct Volume {
    /// What is seen now.
    pub(super) live: Tree,
    /// What is promised. Holds every inode of `live`, not every name.
    synced: Tree,
    /// Changes of names in the order in which they were made.
    pending: Vec<Pending>,
    /// Files whose bytes are newer in `live`.
    bytes: BTreeSet<Number>,
    /// Files and directories whose mode or time is newer in `live`.
    attributes: BTreeSet<Number>,
    /// Files, and modes of directories, whose sync failed: a second one reports success and does nothing, as on
    /// Linux, until they change again.
    deaf: BTreeSet<Number>,
}

/// One way in which the power can go.
#[derive(Debug, Clone)]
pub(super) struct Loss {
    /// For each unit, whether it survives.
    kept: Vec<bool>,
    /// Whether of lost bytes the first half survives.
    torn: bool,
}

impl Volume {
    /// A disk on which all of `tree` is promised.
    pub(super) fn new(tree: Tree) -> Volume {
        Volume {
            synced: tree.clone(),
            live: tree,
            pending: Vec::new(),
            bytes: BTreeSet::new(),
            attributes: BTreeSet::new(),
            deaf: BTreeSet::new(),
        }
    }

    /// Adds an inode without a name, seen and promised, for nothing is promised as long as it has no name.
    pub(super) fn add(&mut self, inode: super::tree::Inode) -> Number {
        self.synced.add(inode.clone());
        self.live.add(inode)
    }

    /// Lets `name` in `directory` mean something else.
    pub(super) fn set_entry(&mut self, directory: Number, name: &str, after: Option<Number>) {
        let name: Arc<str> = name.into();
        let before = self.live.entry(directory, &name);
        self.live.set_entry(directory, &name, after);
        let change = Change::Entry { directory, name, before, after };
        self.pending.push(Pending { change, waits_for: BTreeSet::from([directory]) });
    }

    /// Moves a name.
    pub(super) fn rename(&mut self, from: (Number, &str), to: (Number, &str), moved: Number) {
        let (from, to): ((_, Arc<str>), (_, Arc<str>)) = ((from.0, from.1.into()), (to.0, to.1.into()));
        self.live.set_entry(from.0, &from.1, None);
        self.live.set_entry(to.0, &to.1, Some(moved));
        let waits_for = BTreeSet::from([from.0, to.0]);
        self.pending.push(Pending { change: Change::Rename { from, to, moved }, waits_for });
    }

    /// Lets two names, each with what it means now, change places.
    pub(super) fn exchange(&mut self, one: (Number, &str, Number), other: (Number, &str, Number)) {
        let (one, other) = ((one.0, one.1.into(), one.2), (other.0, other.1.into(), other.2));
        let waits_for = BTreeSet::from([one.0, other.0]);
        let change = Change::Exchange { one, other };
        change.apply(&mut self.live);
        self.pending.push(Pending { change, waits_for });
    }

    /// Takes the exchange of names away from what is seen and from what is promised.
    pub(super) fn forbid_exchange(&mut self) {
        (self.live.exchanges, self.synced.exchanges) = (false, false);
    }

    /// Notes that the bytes of a file changed.
    pub(super) fn bytes_changed(&mut self, number: Number) {
        self.bytes.insert(number);
    }

    /// Notes that mode or time of something changed.
    pub(super) fn attributes_changed(&mut self, number: Number) {
        self.deaf.remove(&number);
        self.attributes.insert(number);
    }

    /// Promises bytes, mode and time of a file: not its names.
    pub(super) fn sync_file(&mut self, number: Number) {
        if self.deaf.contains(&number) {
            return;
        }
        self.bytes.remove(&number);
        self.attributes.remove(&number);
        *self.synced.inode_mut(number) = self.live.inode(number).clone();
    }

    /// Promises the names in a directory and its own mode: not what the names lead to, not its own name.
    pub(super) fn sync_directory(&mut self, number: Number) {
        if !self.deaf.contains(&number) {
            self.attributes.remove(&number);
            self.synced.inode_mut(number).mode = self.live.inode(number).mode;
        }
        for pending in &mut self.pending {
            pending.waits_for.remove(&number);
        }
        self.promise();
    }

    /// Promises everything that is seen, but for what a sync that failed has spoilt.
    pub(super) fn sync_all(&mut self) {
        for number in self.bytes.union(&self.attributes).copied().collect::<Vec<_>>() {
            match self.live.inode(number).kind() {
                Kind::Directory => self.sync_directory(number),
                Kind::File | Kind::Link | Kind::Other => self.sync_file(number),
            }
        }
        let waited_for: BTreeSet<Number> =
            self.pending.iter().flat_map(|pending| pending.waits_for.iter().copied()).collect();
        for number in waited_for.into_iter().filter(|number| *number != NEVER) {
            self.sync_directory(number);
        }
    }

    /// Notes that a sync failed: what was to be promised never will be, whatever a later sync says.
    pub(super) fn sync_failed(&mut self, number: Number) {
        self.deaf.insert(number);
        for pending in self.pending.iter_mut().filter(|pending| pending.waits_for.contains(&number)) {
            pending.waits_for.insert(NEVER);
        }
    }

    /// Moves promised changes into `synced`, save those on top of a change that is not.
    fn promise(&mut self) {
        let mut below: BTreeSet<(Number, Arc<str>)> = BTreeSet::new();
        for pending in std::mem::take(&mut self.pending) {
            let names = pending.change.names();
            if pending.waits_for.is_empty() && names.iter().all(|name| !below.contains(name)) {
                pending.change.apply(&mut self.synced);
            } else {
                below.extend(names);
                self.pending.push(pending);
            }
        }
    }

    /// How many things can be lost independently of each other.
    pub(super) fn units(&self) -> usize {
        self.unsynced_names().count() + self.bytes.len() + self.attributes.len()
    }

    fn unsynced_names(&self) -> impl Iterator<Item = &Pending> {
        self.pending.iter().filter(|pending| !pending.waits_for.is_empty())
    }

    /// The ways in which the power can go now: every one if that is at most `2^exhaustive`, else `samples`.
    ///
    /// Among the samples are always: nothing kept, all kept, and as many as fit into three quarters of the
    /// samples of one thing lost alone and one thing kept alone. One more loses bytes by half.
    pub(super) fn losses(&self, exhaustive: usize, samples: usize, seed: u64) -> Vec<Loss> {
        let units = self.units();
        let mut losses: Vec<Loss> = if units <= exhaustive {
            (0..1usize << units)
                .map(|subset| Loss {
                    kept: (0..units).map(|unit| subset >> unit & 1 == 1).collect(),
                    torn: false,
                })
                .collect()
        } else {
            sampled(units, samples, seed)
        };
        if !self.bytes.is_empty() {
            let bytes = self.unsynced_names().count()..units - self.attributes.len();
            losses.push(Loss { kept: (0..units).map(|unit| !bytes.contains(&unit)).collect(), torn: true });
        }
        losses
    }

    /// What is found after the power went in this way.
    pub(super) fn after(&self, loss: &Loss) -> Tree {
        let mut tree = self.synced.clone();
        let mut kept = loss.kept.iter().copied();
        for pending in &self.pending {
            if pending.waits_for.is_empty() || kept.next().unwrap_or(false) {
                pending.change.apply(&mut tree);
            }
        }
        for &number in &self.bytes {
            let live = self.live.inode(number);
            if kept.next().unwrap_or(false) {
                tree.inode_mut(number).body = live.body.clone();
            } else if loss.torn {
                let torn = torn(&tree.inode(number).body, &live.body);
                tree.inode_mut(number).body = torn;
            }
        }
        for &number in &self.attributes {
            if kept.next().unwrap_or(false) {
                let live = self.live.inode(number);
                let inode = tree.inode_mut(number);
                (inode.mode, inode.modified) = (live.mode, live.modified);
            }
        }
        tree
    }

    /// Says in words what is lost.
    pub(super) fn words(&self, loss: &Loss) -> Vec<String> {
        let mut paths = self.synced.paths();
        paths.extend(self.live.paths());
        let path = |number: Number| paths.get(&number).cloned().unwrap_or_else(|| format!("#{number}"));
        let names = self.unsynced_names().map(|pending| match &pending.change {
            Change::Entry { directory, name, before, after } => {
                let what = match (before, after) {
                    (_, None) => "removal of",
                    (None, Some(_)) => "name",
                    (Some(_), Some(_)) => "new meaning of",
                };
                format!("{what} {}/{name}", path(*directory))
            }
            Change::Rename { from, to, .. } => {
                format!("rename of {}/{} to {}/{}", path(from.0), from.1, path(to.0), to.1)
            }
            Change::Exchange { one, other } => {
                format!("exchange of {}/{} and {}/{}", path(one.0), one.1, path(other.0), other.1)
            }
        });
        let bytes = self.bytes.iter().map(|&number| format!("bytes of {}", path(number)));
        let attributes = self.attributes.iter().map(|&number| format!("mode or time of {}", path(number)));
        names
            .chain(bytes)
            .chain(attributes)
            .zip(&loss.kept)
            .filter(|(_, kept)| !**kept)
            .map(|(words, _)| if loss.torn { format!("half the {words}") } else { words })
            .collect()
    }
}

impl Change {
    /// The names whose meaning it changes.
    fn names(&self) -> Vec<(Number, Arc<str>)> {
        match self {
            Change::Entry { directory, name, .. } => vec![(*directory, Arc::clone(name))],
            Change::Rename { from, to, .. } => vec![from.clone(), to.clone()],
            Change::Exchange { one, other } => {
                vec![(one.0, Arc::clone(&one.1)), (other.0, Arc::clone(&other.1))]
            }
        }
    }

    /// Makes the change in a tree that may lack earlier ones. A name is only taken from the inode that had it.
    fn apply(&self, tree: &mut Tree) {
        match self {
            Change::Entry { directory, name, after: Some(after), .. } => {
                tree.set_entry(*directory, name, Some(*after));
            }
            Change::Entry { directory, name, before, after: None } => {
                if tree.entry(*directory, name) == *before {
                    tree.set_entry(*directory, name, None);
                }
            }
            Change::Rename { from, to, moved } => {
                if tree.entry(from.0, &from.1) == Some(*moved) {
                    tree.set_entry(from.0, &from.1, None);
                }
                tree.set_entry(to.0, &to.1, Some(*moved));
            }
            Change::Exchange { one, other } => {
                tree.set_entry(one.0, &one.1, Some(other.2));
                tree.set_entry(other.0, &other.1, Some(one.2));
            }
        }
    }
}

fn sampled(units: usize, samples: usize, seed: u64) -> Vec<Loss> {
    let mut rng = Rng::with_seed(seed);
    let all_but = |unit: Option<usize>| (0..units).map(|other| Some(other) != unit).collect::<Vec<bool>>();
    let only = |unit: Option<usize>| (0..units).map(|other| Some(other) == unit).collect::<Vec<bool>>();
    let mut order: Vec<usize> = (0..units).collect();
    rng.shuffle(&mut order);
    let mut kept = vec![only(None), all_but(None)];
    for unit in order {
        if kept.len() + 2 > samples / 4 * 3 {
            break;
        }
        kept.extend([all_but(Some(unit)), only(Some(unit))]);
    }
    while kept.len() < samples {
        let odds = rng.u32(1..8);
        kept.push((0..units).map(|_| rng.u32(0..8) < odds).collect());
    }
    kept.into_iter().map(|kept| Loss { kept, torn: false }).collect()
}

/// Bytes of which the newer half did not reach the disk.
fn torn(old: &Body, new: &Body) -> Body {
    match (old, new) {
        (Body::File(old), Body::File(new)) if new.len() > old.len() => {
            Body::File(Arc::new(new[..(old.len() + new.len()) / 2].to_vec()))
        }
        _ => old.clone(),
    }
}
