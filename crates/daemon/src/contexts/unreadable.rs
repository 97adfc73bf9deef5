//! What could not be read, so that it is not read again for every request.

use jiff::{SignedDuration, Timestamp};
use plan::{Code, Unfit};

use super::repodata::Marks;

/// How many failures are remembered.
const FAILURES_MAX: usize = 200;

/// After how long it is looked again: somebody may have put a file right in place, with its old time.
const AGE_MAX: SignedDuration = SignedDuration::from_mins(30);

/// What was found wrong with repodata, and when.
#[derive(Debug, Default)]
pub(super) struct Unreadable(Vec<(Marks, Timestamp, Unfit)>);

impl Unreadable {
    /// Says what is known to be wrong.
    pub(super) fn of(&self, marks: &Marks, now: Timestamp) -> Option<Unfit> {
        let is_it =
            |(of, at, _): &&(Marks, Timestamp, Unfit)| of == marks && now.duration_since(*at).abs() < AGE_MAX;
        self.0.iter().find(is_it).map(|(_, _, unfit)| unfit.clone())
    }

    /// Remembers what is wrong with what lies there; what a disk failed to read is not remembered.
    pub(super) fn note(&mut self, marks: Marks, now: Timestamp, unfit: &Unfit) {
        self.0.retain(|(of, _, _)| of.0 != marks.0);
        if matches!(unfit.code, Code::ContextCorrupt | Code::ContextTooLarge) {
            if self.0.len() >= FAILURES_MAX {
                self.0.remove(0);
            }
            self.0.push((marks, now, unfit.clone()));
        }
    }
}
