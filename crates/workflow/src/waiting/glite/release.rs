//! Updates that wait to be prepared, approved of and put on line (G12 to G18).

use std::collections::BTreeSet;

use nevra::Sha256;

use super::super::Next;
use super::{Look, Trial, all_of, named, step};
use crate::command::Command;
use crate::matter::Matter;
use crate::names::Id;
use crate::patch::{Patch, Status};
use crate::role::Part::{Operations, ReleaseTeam};
use crate::task::{Progress, Work};
use crate::update::Readiness;

impl Look<'_> {
    /// The bundles of these patches, if everything of them that early adopters have may enter production now.
    fn whole(&self, patches: &BTreeSet<Id>, is_partial: bool) -> Option<BTreeSet<Id>> {
        let mut all = BTreeSet::new();
        for id in patches {
            let Some(bundle) = self.state.patches.get(id)?.bundle.as_ref() else { continue };
            let bundle = self.state.bundles.get(bundle)?;
            if bundle.held.is_some() || !self.is_complete(bundle) {
                return None;
            }
            let meant = |(one, _): &(&Id, &Patch)| !is_partial || patches.contains(*one);
            for (one, patch) in self.with_adopters(bundle).into_iter().filter(meant) {
                if patch.status != Status::ReadyForProduction || !self.may_enter(one, patch) {
                    return None;
                }
                all.insert(one.clone());
            }
        }
        Some(all)
    }

    /// Says whether what is ready keeps others of the same bundles from being tried: a site is asked to try a bundle as a whole.
    fn blocks(&self, ready: &BTreeSet<Id>) -> bool {
        let is_blocked = |id: &Id, patch: &Patch| {
            patch.status == Status::RollingOut && self.trial(id) == Trial::Untried && !self.is_urgent(patch)
        };
        let bundles: BTreeSet<&Id> =
            ready.iter().filter_map(|id| self.state.patches.get(id)?.bundle.as_ref()).collect();
        let bundles = bundles.into_iter().filter_map(|id| self.state.bundles.get(id));
        bundles.flat_map(|bundle| self.with_adopters(bundle)).any(|(id, patch)| is_blocked(id, patch))
    }

    /// G12: what is ready and has no number.
    pub(super) fn release(&mut self) {
        let mut ready = BTreeSet::new();
        for (id, patch) in &self.state.patches {
            if patch.status == Status::ReadyForProduction && patch.update.is_none() {
                let together = self.whole(&BTreeSet::from([id.clone()]), false).unwrap_or_default();
                let is_numbered = |id: &Id| self.state.patches.get(id).is_none_or(|one| one.update.is_some());
                if !together.iter().any(is_numbered) {
                    ready.extend(together);
                }
            }
        }
        if !ready.is_empty() {
            // What is archived keeps its number.
            let update = next(self.state.updates.keys().chain(&self.state.archived.updates));
            let for_what = format!("to prepare an update of {}", named(&ready));
            let next = prepare(update, ready.clone(), false);
            self.waits((ReleaseTeam, Operations), all_of(&ready), for_what, self.last(&ready), next);
        }
    }

    /// G14 to G18.
    pub(super) fn updates(&mut self) {
        for (number, update) in &self.state.updates {
            let about: BTreeSet<Matter> =
                [Matter::Update(*number)].into_iter().chain(all_of(&update.patches)).collect();
            let (update_of, since) = (*number, update.since);
            if update.readiness == Readiness::Published {
                let hidden = self.state.tasks.values().any(|task| {
                    let is_hidden = task.work == Work::Rollout && task.progress == Progress::Done;
                    is_hidden && !task.is_published && !task.patches.is_disjoint(&update.patches)
                });
                if hidden {
                    let for_what = format!("to show everybody how the tests of update {number} went");
                    let next = step(Command::ReleaseReports { update: update_of });
                    self.waits((Operations, ReleaseTeam), about, for_what, since, next);
                }
                continue;
            }
            let is_ready = |id: &&Id| {
                self.state.patches.get(*id).is_some_and(|patch| patch.status == Status::ReadyForProduction)
            };
            let left: BTreeSet<Id> = update.patches.iter().filter(is_ready).cloned().collect();
            let in_part = update.partial || self.blocks(&left);
            // Where something is in the way, that waits and is told of.
            let whole = self.whole(&left, in_part).filter(|whole| !whole.is_empty());
            let Some(whole) = whole else { continue };
            let is_other = |id: &Id| {
                self.state
                    .patches
                    .get(id)
                    .and_then(|patch| patch.update)
                    .is_some_and(|other| other != *number)
            };
            if whole.iter().any(is_other) {
                continue;
            }
            let (who, for_what, next) = if whole != update.patches || in_part != update.partial {
                let for_what = format!("to prepare update {number} anew, of {}", named(&whole));
                ((ReleaseTeam, Operations), for_what, prepare(update_of, whole, in_part))
            } else {
                match update.readiness {
                    Readiness::Prepared => (
                        (ReleaseTeam, Operations),
                        format!("to say that the release notes of update {number} are ready"),
                        step(Command::ReleaseReady { update: update_of }),
                    ),
                    Readiness::Ready => (
                        (Operations, ReleaseTeam),
                        format!("to look at the plan of update {number} and approve of it"),
                        approve(update_of, update.plan),
                    ),
                    Readiness::Approved | Readiness::Published => (
                        (ReleaseTeam, Operations),
                        format!("to put update {number} on line"),
                        step(Command::ReleasePublish { update: update_of }),
                    ),
                }
            };
            self.waits(who, about, for_what, since, next);
        }
    }
}

/// A number that no thing of this kind has.
fn next<'a>(numbers: impl IntoIterator<Item = &'a u32>) -> u32 {
    numbers.into_iter().max().map_or(1, |last| last.saturating_add(1))
}

fn prepare(update: u32, patches: BTreeSet<Id>, partial: bool) -> Option<Next> {
    step(Command::ReleasePrepare { update, patches, priority: Default::default(), partial })
}

fn approve(update: u32, plan: Sha256) -> Option<Next> {
    Some(Next { command: Command::ReleaseApprove { update }, reason: None, plan: Some(plan) })
}
