//! Whose request is claimed next: one owner after the other, so that nobody's thousands keep out another's one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use store::{Kind, Modified, State};

use super::{Spool, format_of};
use crate::error::Error;

/// How long a list of `incoming/` serves at least while it is not used up.
const LIST_AGAIN: SignedDuration = SignedDuration::from_millis(500);

/// How much longer a list serves for each name in it, so that a flood is not listed most of the time.
const LIST_AGAIN_EACH: SignedDuration = SignedDuration::from_micros(10);

/// The requests in `incoming/`, as they were found when the directory was listed.
///
/// What is known of a name only decides its turn; the file is looked at again when its turn comes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    known: BTreeMap<Arc<str>, Known>,
    /// Those whose turn has not come, by owner, oldest first.
    turns: BTreeMap<u32, VecDeque<(Modified, Arc<str>)>>,
    listed: Option<Timestamp>,
}

/// What was found at a name.
#[derive(Debug, Clone, Copy)]
struct Known {
    uid: u32,
    modified: Modified,
    /// The inode of a directory that was refused; it stays, and is not refused again.
    refused: Option<u64>,
}

impl Queue {
    /// Lists the owners that have something waiting, the one with the oldest first: one round of turns.
    pub(super) fn round(&self) -> Vec<u32> {
        let first = |turns: &VecDeque<(Modified, Arc<str>)>| turns.front().cloned();
        let mut owners: Vec<_> =
            self.turns.iter().filter_map(|(uid, turns)| Some((first(turns)?, *uid))).collect();
        owners.sort();
        owners.into_iter().map(|(_, uid)| uid).collect()
    }

    /// Takes the oldest of an owner's.
    pub(super) fn take(&mut self, uid: u32) -> Option<Arc<str>> {
        Some(self.turns.get_mut(&uid)?.pop_front()?.1)
    }

    /// Whether any name waits for its turn.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.values().all(VecDeque::is_empty)
    }

    /// Forgets a name: it was claimed, or is gone.
    pub(super) fn forget(&mut self, name: &str) {
        self.known.remove(name);
    }

    /// Remembers that a directory was refused.
    pub(super) fn is_refused(&mut self, name: &str, state: State) {
        if let Some(known) = self.known.get_mut(name) {
            known.refused = Some(state.inode);
        }
    }
}

impl Spool {
    /// Takes the queue out, listed anew unless the last list is young and not used up; give it back with
    /// [`Spool::put_queue`].
    pub(super) fn take_queue(&self, now: Timestamp) -> Result<Queue, Error> {
        let mut queue = std::mem::take(&mut self.memory().queue);
        let names = i32::try_from(queue.known.len()).unwrap_or(i32::MAX);
        let young = LIST_AGAIN + LIST_AGAIN_EACH * names;
        let is_young = queue.listed.is_some_and(|at| now >= at && now.duration_since(at) < young);
        if is_young && !queue.is_empty() {
            return Ok(queue);
        }
        let incoming = self.incoming();
        let mut known = BTreeMap::new();
        let mut turns = BTreeMap::<u32, VecDeque<(Modified, Arc<str>)>>::new();
        for name in self.disk.list(&incoming)?.names {
            if format_of(&name).is_none() {
                continue;
            }
            // A file is looked at once until it is claimed; a refused directory could be another one by now.
            let before = queue.known.remove(name.as_str());
            let found = match before.filter(|known| known.refused.is_none()) {
                Some(known) => known,
                None => match self.disk.state(&incoming.join(&name))? {
                    None => continue,
                    Some(state) => {
                        let refused = before.and_then(|known| known.refused);
                        let refused =
                            refused.filter(|inode| state.kind == Kind::Directory && *inode == state.inode);
                        Known { uid: state.uid, modified: state.modified, refused }
                    }
                },
            };
            let name: Arc<str> = name.into();
            if found.refused.is_none() {
                turns.entry(found.uid).or_default().push_back((found.modified, Arc::clone(&name)));
            }
            known.insert(name, found);
        }
        // Oldest first, as far as times can be believed; the claim fixes the order.
        turns.values_mut().for_each(|turns| turns.make_contiguous().sort());
        Ok(Queue { known, turns, listed: Some(now) })
    }

    /// Gives the queue back.
    pub(super) fn put_queue(&self, queue: Queue) {
        self.memory().queue = queue;
    }

    /// Whether requests lie in `incoming/` that could be claimed at once by another call of
    /// [`Spool::claim_all`]: those that the last one had no turn for.
    pub fn has_more(&self) -> bool {
        let memory = self.memory();
        memory.handed_out.len() < super::CLAIMS_MAX && !memory.queue.is_empty()
    }
}
