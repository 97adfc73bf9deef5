//! The disk at one instant, and the ways in which the power can go then.

use super::ForgetfulDisk;
use super::tree::Who;
use super::unsynced::{Loss, Volume};
use crate::disk::Modified;

/// The disk as it stood right after one operation that changed something.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The operation in words: `sync directory /srv/public`. Empty before the first.
    pub operation: String,
    volume: Volume,
    now: Modified,
    who: Who,
}

/// One way in which the power can go at a [`Moment`].
#[derive(Debug)]
pub struct PowerCut<'a> {
    moment: &'a Moment,
    loss: Loss,
}

impl Moment {
    pub(super) fn new(operation: String, volume: Volume, now: Modified, who: Who) -> Moment {
        Moment { operation, volume, now, who }
    }

    pub(super) fn losses(&self, exhaustive: usize, samples: usize, seed: u64) -> Vec<Loss> {
        self.volume.losses(exhaustive, samples, seed)
    }

    pub(super) fn after(&self, loss: &Loss) -> (ForgetfulDisk, u64) {
        let mut tree = self.volume.after(loss);
        let fingerprint = tree.settle();
        (ForgetfulDisk::of(Volume::new(tree), self.now, self.who), fingerprint)
    }

    /// The disk as everybody saw it at this moment, all of it promised: for asking what had been told.
    pub fn seen(&self) -> ForgetfulDisk {
        ForgetfulDisk::of(Volume::new(self.volume.live.clone()), self.now, self.who)
    }

    /// The disk as a process finds it that starts after another was killed at this moment: nothing is lost, and
    /// nothing more is promised.
    pub fn killed(&self) -> ForgetfulDisk {
        ForgetfulDisk::of(self.volume.clone(), self.now, self.who)
    }

    /// The ways in which the power can go at this moment: all of them if at most `exhaustive` things are
    /// unsynced, else `samples`, chosen by `seed` alone.
    pub fn power_cuts(
        &self,
        exhaustive: usize,
        samples: usize,
        seed: u64,
    ) -> impl Iterator<Item = PowerCut<'_>> {
        let losses = self.losses(exhaustive, samples, seed);
        losses.into_iter().map(|loss| PowerCut { moment: self, loss })
    }
}

impl PowerCut<'_> {
    /// The disk that is found when the power is back, and a number that is equal for equal disks.
    pub fn disk(&self) -> (ForgetfulDisk, u64) {
        self.moment.after(&self.loss)
    }

    /// What is lost, in words.
    pub fn lost(&self) -> Vec<String> {
        self.moment.volume.words(&self.loss)
    }
}
