//! A host with some packages, and whether it takes every update.

use std::collections::BTreeSet;

use nevra::Nevra;

use crate::change::Change;
use crate::installing::install;
use crate::package::Package;
use crate::reasons::reasons;
use crate::solver::Outcome;
use crate::upgrade::steps;
use crate::words::Words;
use crate::work::Work;
use crate::world::{PackageId, World};

/// A host as the target left it, and what it could draw before and after a change.
pub(crate) struct Host<'a> {
    pub(crate) change: &'a Change,
    pub(crate) before: &'a World<'a>,
    pub(crate) work: &'a Work,
    pub(crate) packages: &'a [Package],
    /// What people know the host by: its meta-package.
    pub(crate) had: String,
}

impl Host<'_> {
    /// Says why the host does not take every update, and whether that is an answer; `None` if it does. It draws what there
    /// is before the change, or after it.
    pub(crate) fn upgraded(&self, changed: bool) -> Option<(String, bool)> {
        let change = self.change;
        let world = if changed { change.after(self.work) } else { change.before(self.work) };
        // What makes a host of them is work as well.
        self.work.count(8 * self.packages.len());
        let world = world.on_a_host_with(self.packages.to_vec());
        world.let_alone(self.alone(&world));
        let steps = steps(&world);
        let demands: Vec<_> = steps.iter().map(|step| step.demand.clone()).collect();
        match install(&world, &demands) {
            Ok(Outcome::Together(_)) => None,
            Ok(Outcome::Impossible(asked)) => Some(match reasons(&world, &demands, &asked) {
                Ok(reasons) => {
                    (Words::new(&world, self.before, change).of_steps(&self.had, &steps, &reasons), true)
                }
                Err(unjudged) => (unjudged.to_string(), false),
            }),
            Err(unjudged) => Some((unjudged.to_string(), false)),
        }
    }

    /// What bears a name that the host has in a second word size and not in the first.
    fn alone(&self, world: &World<'_>) -> BTreeSet<PackageId> {
        let beside = |one: &Nevra| {
            let others = self.packages.iter().map(|package| &package.nevra);
            others.filter(|other| other.name == one.name && other.evr == one.evr).count() > 1
        };
        let nevras = self.packages.iter().map(|package| &package.nevra);
        let alone = nevras.filter(|one| world.rank(&one.arch) > 0 && !beside(one));
        alone.flat_map(|one| world.each(|shelf| shelf.named(&one.name))).collect()
    }
}

/// Says why a host with these packages does not take every update that it is offered after a change, in words, and
/// whether that is an answer at all; `None` if it does.
///
/// This is `dnf upgrade` with `best=1`: each package makes way for the best that follows it, and nothing is
/// removed.
#[must_use]
pub fn upgrade(change: &Change, host: &[Package]) -> Option<(String, bool)> {
    let work = Work::default();
    let before = change.before(&work);
    let had = match host.iter().find(|package| change.meta_packages.contains(&package.nevra)) {
        Some(meta) => meta.in_words(),
        None => "these packages".to_owned(),
    };
    Host { change, before: &before, work: &work, packages: host, had }.upgraded(true)
}
