//! The crash sweep: the power goes after every operation, in every way it can, and somebody looks at the rest.
//!
//! A scenario runs once on a [`ForgetfulDisk`] that keeps a [`Moment`](crate::forgetful::Moment) of itself after each
//! operation. Afterwards, at every moment, the power is cut in all the ways that differ in what survives of the
//! unsynced (all of them, or a seeded sample), and each disk found then is handed to a check, once.
//!
//! ```
//! use std::{cell::RefCell, io::Write, sync::Arc};
//! use store::{Disk, crash::Sweep, forgetful::ForgetfulDisk};
//!
//! // "A file that was announced is there and whole": announced here means, its directory was synced.
//! let mut sweep = Sweep::new(1);
//! let report = sweep.run(
//!     &ForgetfulDisk::new(),
//!     |disk: Arc<ForgetfulDisk>| {
//!         let mut file = disk.create("/news.tmp".into(), 0o444).unwrap();
//!         file.write_all(b"hello").unwrap();
//!         // file.sync() is forgotten
//!         disk.rename("/news.tmp".into(), "/news".into()).unwrap();
//!         disk.sync_directory("/".into()).unwrap();
//!     },
//!     |_| (),
//!     |disk, (), _| match disk.state("/news".into()).unwrap() {
//!         Some(state) if state.size != 5 => vec![format!("/news has {} bytes", state.size)],
//!         _ => Vec::new(),
//!     },
//! );
//! assert_eq!(report.violations[0].words, "/news has 0 bytes");
//! assert_eq!(report.violations[0].operation, "rename /news.tmp");
//! assert!(report.violations[0].lost.contains(&"bytes of /news".to_owned()));
//! ```

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::AddAssign;
use std::sync::Arc;

use crate::forgetful::{EXHAUSTIVE, ForgetfulDisk, SAMPLES};

#[cfg(test)]
mod tests;

/// Says how thoroughly to sweep, and remembers what was looked at.
///
/// A disk that equals one checked before, with the same having been told, is not checked again: so one `Sweep`
/// serves any number of scenarios but only one check.
#[derive(Debug)]
pub struct Sweep {
    /// Decides, together with the number of the crash point, which samples are taken.
    pub seed: u64,
    /// Up to how many unsynced things all subsets are tried; [`EXHAUSTIVE`] at first.
    pub exhaustive: usize,
    /// How many ways are tried where more is unsynced; [`SAMPLES`] at first.
    pub samples: usize,
    /// The number of violations after which the sweep ends early; 20 at first.
    pub enough: usize,
    seen: HashSet<(u64, u64)>,
}

/// Where in a scenario the power went.
#[derive(Debug, Clone, Copy)]
pub struct CrashPoint<'a> {
    /// How many operations were done.
    pub number: usize,
    /// The last operation done, in words; empty before the first.
    pub operation: &'a str,
}

/// What a sweep saw.
#[derive(Debug, Clone, Default)]
pub struct SweepReport {
    /// Instants at which the power was cut.
    pub crash_points: usize,
    /// Ways in which it was cut, all instants together.
    pub power_cuts: usize,
    /// Different disks found afterwards: those that were checked.
    pub states: usize,
    /// What the check found wrong.
    pub violations: Vec<Violation>,
}

/// One thing wrong on one disk found after a power cut.
#[derive(Debug, Clone)]
pub struct Violation {
    /// How many operations of the scenario were done.
    pub number: usize,
    /// The last of them in words.
    pub operation: String,
    /// What was lost of the unsynced, in words.
    pub lost: Vec<String>,
    /// What the check said.
    pub words: String,
}

impl Sweep {
    /// A sweep as thorough as the project demands: all subsets of up to 8 unsynced things, else 256 samples.
    pub fn new(seed: u64) -> Sweep {
        Sweep { seed, exhaustive: EXHAUSTIVE, samples: SAMPLES, enough: 20, seen: HashSet::new() }
    }

    /// Runs `scenario` once on a copy of `start`, cuts the power before it, after each operation and at its end,
    /// and hands what is left to `check`.
    ///
    /// `told` looks at the disk as it was seen at that instant and says what anybody had been told by then:
    /// `check` gets it beside the disk and can demand that it still holds. The disk is `check`'s own: it may run
    /// recovery on it. What `check` returns are violations, in words.
    pub fn run<T: Hash>(
        &mut self,
        start: &ForgetfulDisk,
        scenario: impl FnOnce(Arc<ForgetfulDisk>),
        told: impl Fn(&ForgetfulDisk) -> T,
        mut check: impl FnMut(&Arc<ForgetfulDisk>, &T, CrashPoint<'_>) -> Vec<String>,
    ) -> SweepReport {
        let disk = Arc::new(start.copy());
        disk.record();
        scenario(Arc::clone(&disk));
        let moments = disk.recorded();
        let mut report = SweepReport::default();
        for (number, moment) in moments.iter().enumerate() {
            report.crash_points += 1;
            let told = told(&moment.seen());
            let told_hash = hash_of(&told);
            let seed = self.seed.wrapping_add(number as u64);
            for cut in moment.power_cuts(self.exhaustive, self.samples, seed) {
                report.power_cuts += 1;
                let (disk, fingerprint) = cut.disk();
                if !self.seen.insert((fingerprint, told_hash)) {
                    continue;
                }
                report.states += 1;
                let point = CrashPoint { number, operation: &moment.operation };
                report.violations.extend(check(&Arc::new(disk), &told, point).into_iter().map(|words| {
                    let operation = moment.operation.clone();
                    Violation { number, operation, lost: cut.lost(), words }
                }));
                if report.violations.len() >= self.enough {
                    return report;
                }
            }
        }
        report
    }
}

impl AddAssign for SweepReport {
    fn add_assign(&mut self, other: SweepReport) {
        self.crash_points += other.crash_points;
        self.power_cuts += other.power_cuts;
        self.states += other.states;
        self.violations.extend(other.violations);
    }
}

impl fmt::Display for SweepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SweepReport { crash_points, power_cuts, states, violations } = self;
        write!(f, "{crash_points} crash points, {power_cuts} power cuts, {states} different disks, ")?;
        write!(f, "{} violations", violations.len())?;
        // The same words are said of many disks; the first place is the one to look at.
        let mut first: BTreeMap<&str, (usize, &Violation)> = BTreeMap::new();
        for violation in violations {
            first.entry(&violation.words).or_insert((0, violation)).0 += 1;
        }
        first.values().try_for_each(|(times, violation)| write!(f, "\n  {times} x {violation}"))
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { number, operation, lost, words } = self;
        write!(f, "{words}, after operation {number} ({operation}), lost: {}", lost.join(", "))
    }
}

fn hash_of(told: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    told.hash(&mut hasher);
    hasher.finish()
}
