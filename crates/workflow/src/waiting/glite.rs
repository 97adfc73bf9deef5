//! Who waits for whom in procedure `glite`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Next, Waiting};
use crate::bundle::Bundle;
use crate::command::Command;
use crate::content::content_of_all;
use crate::debt::debts;
use crate::decide::{Times, for_team, is_about_now, listed};
use crate::matter::Matter;
use crate::names::{Id, TeamName};
use crate::outcome::Outcome;
use crate::patch::{Patch, Place, Status};
use crate::role::Part::{self, Clock, Operations, ReleaseTeam};
use crate::rules::Rules;
use crate::state::State;
use crate::subject::Subject;
use crate::table::edge;
use crate::task::{Progress, Task, Work};

mod release;

/// How far the test of a patch is, by the tasks about it as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    Failed,
    Running,
    Passed,
    Untried,
}

/// What is looked at, and what was found.
struct Look<'a> {
    state: &'a State,
    rules: &'a Rules,
    now: Timestamp,
    found: Vec<Waiting>,
}

pub(super) fn waiting(state: &State, rules: &Rules, times: Times) -> Vec<Waiting> {
    let mut look = Look { state, rules, now: times.proven(), found: Vec::new() };
    look.patches();
    for (id, bundle) in &state.bundles {
        look.bundle(id, bundle);
    }
    look.release();
    look.updates();
    for (number, task) in &state.tasks {
        look.found.extend(super::task::waits((*number, task), rules, Operations, look.now));
    }
    look.found
}

fn step(command: Command) -> Option<Next> {
    Some(Next { command, reason: None, plan: None })
}

fn status(patches: BTreeSet<Id>, status: Status) -> Option<Next> {
    step(Command::PatchStatus { patches, status })
}

fn named(patches: &BTreeSet<Id>) -> String {
    let noun = if patches.len() == 1 { "patch" } else { "patches" };
    format!("{noun} {}", listed(patches))
}

fn all_of(patches: &BTreeSet<Id>) -> BTreeSet<Matter> {
    patches.iter().cloned().map(Matter::Patch).collect()
}

impl<'a> Look<'a> {
    fn waits(
        &mut self,
        (who, for_whom): (Part, Part),
        about: BTreeSet<Matter>,
        for_what: String,
        since: Timestamp,
        step: Option<Next>,
    ) {
        self.found.push(Waiting { about, who, for_whom, for_what, since, until: None, step });
    }

    fn is_urgent(&self, patch: &Patch) -> bool {
        let bundle = patch.bundle.as_ref().and_then(|id| self.state.bundles.get(id));
        bundle.is_some_and(|bundle| bundle.is_urgent)
    }

    /// How far the test of a patch is.
    fn trial(&self, id: &Id) -> Trial {
        let about = self.state.tasks.values().filter(|task| {
            task.work == Work::Rollout && task.patches.contains(id) && is_about_now(self.state, task)
        });
        let counts = |task: &&Task| !matches!(task.progress, Progress::Declined | Progress::Closed);
        let counted: Vec<&Task> = about.filter(counts).collect();
        let says = |task: &&Task| matches!(task.progress, Progress::Done | Progress::InProgress);
        if counted.iter().copied().filter(|task| says(task)).any(|task| task.outcome == Some(Outcome::Fail)) {
            return Trial::Failed;
        }
        match counted.iter().any(|task| task.progress.is_open()) {
            true => Trial::Running,
            false if counted.is_empty() => Trial::Untried,
            false => Trial::Passed,
        }
    }

    /// Says whether the tests of a patch let it enter production.
    fn may_enter(&self, id: &Id, patch: &Patch) -> bool {
        match self.trial(id) {
            Trial::Passed => true,
            Trial::Failed => false,
            Trial::Running | Trial::Untried => self.is_urgent(patch),
        }
    }

    /// The patches of a bundle that early adopters are still to get.
    fn behind(&self, bundle: &'a Bundle) -> Vec<(&'a Id, &'a Patch)> {
        let waits = |(_, patch): &(&Id, &Patch)| patch.place == Place::Before && !patch.status.is_final();
        self.state.patches_of(bundle).filter(waits).collect()
    }

    /// The patches of a bundle that early adopters find.
    fn with_adopters(&self, bundle: &'a Bundle) -> Vec<(&'a Id, &'a Patch)> {
        self.state.patches_of(bundle).filter(|(_, patch)| patch.place == Place::Beta).collect()
    }

    /// Says whether early adopters find what everybody takes the bundle for.
    fn is_complete(&self, bundle: &'a Bundle) -> bool {
        let is_rejected = |(_, patch): &(&Id, &Patch)| patch.status == Status::Rejected;
        self.behind(bundle).is_empty() && !self.with_adopters(bundle).iter().any(is_rejected)
    }

    /// G1 to G3: what early adopters have not got yet.
    fn patches(&mut self) {
        let mut unbundled = BTreeSet::new();
        let mut since = Timestamp::MAX;
        for (id, patch) in &self.state.patches {
            let one = BTreeSet::from([id.clone()]);
            let bundle = patch.bundle.as_ref().and_then(|id| self.state.bundles.get(id));
            match patch.status {
                Status::Registered => self.waits(
                    (ReleaseTeam, Operations),
                    all_of(&one),
                    format!("to say that patch `{id}` is verified"),
                    patch.since,
                    status(one, Status::Verified),
                ),
                Status::Verified => {
                    let is_flagged = |(_, patch): &(&Id, &Patch)| patch.status == Status::ReadyForRollout;
                    if !bundle.is_some_and(|bundle| self.behind(bundle).iter().any(is_flagged)) {
                        self.waits(
                            (Operations, ReleaseTeam),
                            all_of(&one),
                            format!("to say that the roll-out of patch `{id}` can be taken on"),
                            patch.since,
                            status(one, Status::ReadyForRollout),
                        );
                    }
                }
                Status::ReadyForRollout if bundle.is_none() => {
                    since = since.min(patch.since);
                    unbundled.extend(one);
                }
                _ => {}
            }
        }
        if !unbundled.is_empty() {
            let free = |number: &u32| {
                let mut taken = self.state.bundles.keys().chain(&self.state.archived.bundles);
                !taken.any(|id| *id.as_str() == bundle_name(*number))
            };
            let number = (1..).find(free).unwrap_or(u32::MAX);
            if let Ok(bundle) = bundle_name(number).parse() {
                let command = Command::BundleCreate { bundle, patches: unbundled.clone(), urgent: false };
                let for_what = format!("to make a bundle of {}", named(&unbundled));
                self.waits((ReleaseTeam, Operations), all_of(&unbundled), for_what, since, step(command));
            }
        }
    }

    /// G4 to G10, and R2 to R6.
    fn bundle(&mut self, id: &Id, bundle: &'a Bundle) {
        let (behind, there) = (self.behind(bundle), self.with_adopters(bundle));
        let about = BTreeSet::from([Matter::Bundle(id.clone())]);
        let with = |patches: &BTreeSet<Id>| about.iter().cloned().chain(all_of(patches)).collect();
        let chosen = |from: &[(&Id, &Patch)], wanted: &dyn Fn(&Id, &Patch) -> bool| -> BTreeSet<Id> {
            from.iter().filter(|(id, patch)| wanted(id, patch)).map(|(id, _)| (*id).clone()).collect()
        };
        if let Some(why) = bundle.held.as_ref().filter(|_| !behind.is_empty() || !there.is_empty()) {
            let words = format!("held: {why}");
            let held = bundle.history.iter().rev().find(|step| step.what == words).or(bundle.history.last());
            let since = held.map_or(self.now, |step| step.at);
            let next = step(Command::BundleContinue { bundle: id.clone() });
            let for_what = format!("to let bundle `{id}` go on, which is held: {why}");
            self.waits((Operations, ReleaseTeam), about.clone(), for_what, since, next);
        }
        let rejected = chosen(&there, &|_, patch| patch.status == Status::Rejected);
        if !rejected.is_empty() {
            let since = self.last(&rejected);
            let reason = Some(format!("{} rejected", named(&rejected)));
            let command = Command::BundleRollback {
                bundle: id.clone(),
                versions: Vec::new(),
                without: Vec::new(),
                releases: Vec::new(),
            };
            let for_what = format!("to take the rejected {} back from early adopters", named(&rejected));
            let next = Some(Next { command, reason, plan: None });
            self.waits((ReleaseTeam, Operations), with(&rejected), for_what, since, next);
        }
        self.going_back(id, bundle);
        let flagged = chosen(&behind, &|_, patch| patch.status == Status::ReadyForRollout);
        let can_go =
            behind.iter().all(|(_, patch)| edge(patch.status, Status::RollingOut, "bundle-deploy").is_some());
        if bundle.held.is_none() && !flagged.is_empty() && can_go {
            let all = chosen(&behind, &|_, _| true);
            let for_what = format!("to hand bundle `{id}` to early adopters");
            let next = step(Command::BundleDeploy { bundle: id.clone() });
            self.waits((ReleaseTeam, Operations), with(&all), for_what, self.last(&flagged), next);
        }
        let failed = chosen(&there, &|id, patch| !patch.status.is_final() && self.trial(id) == Trial::Failed);
        if !failed.is_empty() {
            let for_what =
                format!("to reject {}, which failed at a site, or to answer for it", named(&failed));
            let next = status(failed.clone(), Status::Rejected);
            self.waits((Operations, ReleaseTeam), with(&failed), for_what, self.last(&failed), next);
            return;
        }
        let owed: BTreeSet<Id> = debts(self.state).into_iter().map(|(id, _)| id).collect();
        let owed = |id: &Id| owed.contains(id) && self.trial(id) != Trial::Running;
        let owed: BTreeSet<Id> = bundle.patches.iter().filter(|id| owed(id)).cloned().collect();
        let untried =
            chosen(&there, &|id, patch| self.trial(id) == Trial::Untried && !self.may_enter(id, patch));
        if !untried.is_empty() || !owed.is_empty() {
            self.trying(id, bundle, &untried.union(&owed).cloned().collect());
        }
        let rolling = chosen(&there, &|_, patch| patch.status == Status::RollingOut);
        let tested =
            rolling.iter().all(|id| self.state.patches.get(id).is_some_and(|one| self.may_enter(id, one)));
        if !rolling.is_empty() && tested && untried.is_empty() {
            let for_what = format!("to say that {} may enter production", named(&rolling));
            let next = status(rolling.clone(), Status::ReadyForProduction);
            self.waits((Operations, ReleaseTeam), with(&rolling), for_what, self.tried(&rolling), next);
        }
    }

    /// G7: patches that no site tries.
    fn trying(&mut self, id: &Id, bundle: &'a Bundle, untried: &BTreeSet<Id>) {
        let Some(revision) = bundle.revisions.last() else { return };
        if bundle.held.is_some() || !self.is_complete(bundle) {
            return;
        }
        let there = self.with_adopters(bundle);
        // What was tried already waits for the others.
        let all = there.iter().map(|(id, _)| (*id).clone()).chain(untried.iter().cloned()).collect();
        let about: BTreeSet<Matter> = [Matter::Bundle(id.clone())].into_iter().chain(all_of(&all)).collect();
        let ahead: BTreeSet<Id> = there
            .iter()
            .filter(|(_, patch)| patch.status == Status::ReadyForProduction && !bundle.is_urgent)
            .map(|(id, _)| (*id).clone())
            .collect();
        if !ahead.is_empty() {
            let is_prepared = |id: &Id| self.state.patches.get(id).and_then(|patch| patch.update).is_some();
            // What an update was prepared of goes on with it, or is left out of it first.
            if !ahead.iter().any(is_prepared) {
                let for_what = format!(
                    "to take back that {} may enter production: {} are to be tried first",
                    named(&ahead),
                    named(untried)
                );
                let (since, next) = (self.last(&ahead), status(ahead, Status::RollingOut));
                self.waits((Operations, ReleaseTeam), about, for_what, since, next);
            }
            return;
        }
        let shown = revision.deployed.saturating_add(self.rules.mirrors_delay).unwrap_or(Timestamp::MAX);
        if self.now < shown {
            let (who, since) = ((Clock, Operations), revision.deployed);
            self.waits(who, about, format!("to pass until mirrors show bundle `{id}`"), since, None);
            self.found.last_mut().into_iter().for_each(|one| one.until = Some(shown));
            return;
        }
        let is_meant = |patch: &Patch| match patch.place {
            Place::Beta => true,
            Place::Production => bundle.is_urgent,
            Place::Before | Place::TakenOut => false,
        };
        let meant: Vec<_> = self.state.patches_of(bundle).filter(|(_, patch)| is_meant(patch)).collect();
        let teams = self.teams(id, &meant, untried);
        let since = revision.deployed;
        let (for_what, next) = match teams.is_empty() {
            true => (format!("to look for other teams: nobody is left to try {}", named(untried)), None),
            false => {
                let (bundle, node_types) = (id.clone(), BTreeSet::new());
                let command = Command::TaskAssign { bundle, teams, rollback: false, node_types, days: None };
                (format!("to ask teams to try {} of bundle `{id}`", named(untried)), step(command))
            }
        };
        self.waits((Operations, ReleaseTeam), about, for_what, since, next);
    }

    /// As many teams as it takes to try these patches: who was not asked yet.
    fn teams(
        &self,
        bundle: &Id,
        meant: &[(&'a Id, &'a Patch)],
        untried: &BTreeSet<Id>,
    ) -> BTreeSet<TeamName> {
        let subject = Subject::Bundle(bundle.clone());
        let mut open = untried.clone();
        let mut teams = BTreeSet::new();
        for name in self.state.teams.keys() {
            let Ok((_, patches)) = for_team(self.state, name, &BTreeSet::new(), meant) else { continue };
            let content = content_of_all(patches.iter().map(|(id, patch)| (*id, patch.content())));
            let was_asked = self.state.tasks_of(&subject).any(|(_, task)| {
                let is_same = task.work == Work::Rollout && task.team == *name && task.content == content;
                is_same && task.progress != Progress::Closed
            });
            if !was_asked && patches.iter().any(|(id, _)| open.contains(*id)) {
                open.retain(|one| !patches.iter().any(|(id, _)| *id == one));
                teams.insert(name.clone());
            }
        }
        teams
    }

    /// R6: sites that run what was taken out.
    fn going_back(&mut self, id: &Id, bundle: &'a Bundle) {
        let gone: Vec<_> =
            self.state.patches_of(bundle).filter(|(_, patch)| patch.place == Place::TakenOut).collect();
        let subject = Subject::Bundle(id.clone());
        let mut teams = BTreeSet::new();
        let mut patches = BTreeSet::new();
        for (_, task) in self.state.tasks_of(&subject).filter(|(_, task)| task.work == Work::Rollout) {
            // What the team would be asked for now: its entry in the register may have changed.
            let asks = for_team(self.state, &task.team, &BTreeSet::new(), &gone);
            let Ok((_, asks)) = asks else { continue };
            let ran = |one: &Id| task.begun.is_some() && task.patches.contains(one);
            let ran: BTreeSet<&Id> = asks.iter().map(|(one, _)| *one).filter(|one| ran(one)).collect();
            let is_asked = self.state.tasks_of(&subject).any(|(_, other)| {
                let covers = ran.iter().all(|one| other.patches.contains(*one));
                other.work == Work::Rollback && other.team == task.team && covers
            });
            if !ran.is_empty() && !is_asked {
                teams.insert(task.team.clone());
                patches.extend(ran.into_iter().cloned());
            }
        }
        if !teams.is_empty() {
            let since = bundle.revisions.last().map_or(self.now, |revision| revision.deployed);
            let about = [Matter::Bundle(id.clone())].into_iter().chain(all_of(&patches)).collect();
            let for_what = format!("to ask {} to go back from {}", listed(&teams), named(&patches));
            let (bundle, node_types) = (id.clone(), BTreeSet::new());
            let command = Command::TaskAssign { bundle, teams, rollback: true, node_types, days: None };
            self.waits((Operations, ReleaseTeam), about, for_what, since, step(command));
        }
    }

    /// When the last of these patches came to where it stands.
    fn last(&self, patches: &BTreeSet<Id>) -> Timestamp {
        let all = patches.iter().filter_map(|id| self.state.patches.get(id));
        all.map(|patch| patch.since).max().unwrap_or(self.now)
    }

    /// When the last site had tried one of these patches to the end.
    fn tried(&self, patches: &BTreeSet<Id>) -> Timestamp {
        let about = self.state.tasks.values().filter(|task| {
            task.progress == Progress::Done
                && task.work == Work::Rollout
                && !task.patches.is_disjoint(patches)
        });
        let ends = about.filter_map(|task| task.history.last()).map(|step| step.at).max();
        ends.unwrap_or_else(|| self.last(patches))
    }
}

fn bundle_name(number: u32) -> String {
    format!("bundle-{number}")
}
