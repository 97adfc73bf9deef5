//! What the model remembers, and what can be told from it. The standard library and nothing else.

use std::collections::{BTreeMap, BTreeSet};

pub type Words = BTreeSet<String>;

#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    pub status: &'static str,
    pub packages: Words,
    pub node_types: Words,
    pub bundle: Option<String>,
    pub update: Option<u32>,
    /// `before`, `delta`, `production` or `out`.
    pub place: &'static str,
    /// When it came to its last status.
    pub over: Option<i64>,
    pub comments: usize,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Bundle {
    pub patches: Words,
    pub urgent: bool,
    pub held: Option<String>,
    pub deployed: Option<i64>,
    pub revisions: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub back: bool,
    pub bundle: String,
    /// The packages of each patch it is about.
    pub contents: BTreeMap<String, Words>,
    pub team: String,
    pub node_types: Words,
    pub progress: &'static str,
    pub outcome: Option<&'static str>,
    pub answer_by: i64,
    pub quarantine: i64,
    pub begun: Option<i64>,
    /// What the site showed, one after the other: whether it is what is to be tested.
    pub shown: Vec<bool>,
    pub tickets: Words,
    pub downtime: Option<(i64, i64)>,
    pub published: bool,
    pub reminded: BTreeSet<&'static str>,
    pub comments: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub patches: Words,
    pub priority: &'static str,
    pub readiness: &'static str,
    pub partial: bool,
    pub plan: u8,
}

/// Everything there is. Time is counted in hours from Monday, 10 o'clock.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct World {
    pub wall: i64,
    pub witnessed: i64,
    /// The node types that each team runs.
    pub teams: BTreeMap<String, Words>,
    pub patches: BTreeMap<String, Patch>,
    pub bundles: BTreeMap<String, Bundle>,
    pub tasks: BTreeMap<u32, Task>,
    pub updates: BTreeMap<u32, Update>,
    /// The ids that are in the archive, by kind, and the last number of a task there.
    pub archive: BTreeMap<&'static str, Words>,
    pub last_task: u32,
    pub stages: BTreeMap<&'static str, Words>,
    /// The names of packages that each node type pins.
    pub pins: BTreeMap<&'static str, &'static [&'static str]>,
    pub waived: bool,
    pub wants_evidence: bool,
}

/// What somebody asks for; each word uses some of it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Request {
    pub who: String,
    pub word: &'static str,
    pub patches: Words,
    pub bundle: String,
    pub teams: Words,
    pub node_types: Words,
    pub packages: Words,
    pub tickets: Words,
    pub status: &'static str,
    pub outcome: &'static str,
    pub priority: &'static str,
    pub reason: &'static str,
    pub urgent: bool,
    pub task: u32,
    pub update: u32,
    pub days: Option<u32>,
    pub plan: Option<u8>,
    /// Whether the report says for which packages it was made, and whether they are those of the task.
    pub made_for: Option<bool>,
    pub from: i64,
    pub until: i64,
}

pub const DAY: i64 = 24;

/// How long what is over stays beside what is under way (set up so for the walks).
const ARCHIVE_AFTER: i64 = 10 * DAY;

pub fn is_final(status: &str) -> bool {
    ["released", "rejected"].contains(&status)
}

pub fn is_open(task: &Task) -> bool {
    ["assigned", "accepted", "in-progress"].contains(&task.progress)
}

impl World {
    /// What has come for sure: the clock on the wall alone ends nothing.
    pub fn proven(&self) -> i64 {
        self.wall.min(self.witnessed)
    }

    pub fn lists(&self, stage: &str, package: &str) -> bool {
        self.stages.get(stage).is_some_and(|listed| listed.contains(package))
    }

    /// The node types that pin one of the packages.
    pub fn pinning(&self, packages: &Words) -> Words {
        let is_pinned = |names: &[&str]| {
            packages.iter().any(|one| names.contains(&one.split('-').next().unwrap_or_default()))
        };
        self.pins.iter().filter(|(_, names)| is_pinned(names)).map(|(one, _)| (*one).to_owned()).collect()
    }

    /// E5: one working day, Monday to Friday; asked at the weekend is asked on Monday at midnight.
    pub fn answer_by(&self) -> i64 {
        let next = |day: i64| if day.rem_euclid(7) < 4 { day + 1 } else { day - day.rem_euclid(7) + 7 };
        let asked = self.witnessed + 10;
        let (day, hour) = (asked.div_euclid(DAY), asked.rem_euclid(DAY));
        let (day, hour) = if day.rem_euclid(7) < 5 { (day, hour) } else { (next(day), 0) };
        next(day) * DAY + hour - 10
    }

    pub fn patches_of<'a>(&'a self, bundle: &'a str) -> impl Iterator<Item = (&'a String, &'a Patch)> {
        self.patches.iter().filter(move |(_, patch)| patch.bundle.as_deref() == Some(bundle))
    }

    /// The patches of a bundle that delta has not got and that are still to come.
    pub fn waiting<'a>(&'a self, bundle: &'a str) -> impl Iterator<Item = (&'a String, &'a Patch)> {
        self.patches_of(bundle).filter(|(_, patch)| patch.place == "before" && !is_final(patch.status))
    }

    /// G7, G11: what rolls out equals what delta has, and delta lists the packages of all of it.
    pub fn is_complete(&self, bundle: &str, statuses: &[&str]) -> bool {
        let equal = |patch: &Patch| match patch.place {
            "delta" => {
                statuses.contains(&patch.status) && patch.packages.iter().all(|one| self.lists("delta", one))
            }
            "before" => is_final(patch.status),
            _ => true,
        };
        self.patches_of(bundle).all(|(_, patch)| equal(patch))
    }

    fn is_urgent(&self, patch: &Patch) -> bool {
        let bundle = patch.bundle.as_ref().and_then(|bundle| self.bundles.get(bundle));
        bundle.is_some_and(|bundle| bundle.urgent)
    }

    /// G8 to G10: why a patch is not tested. What a team did not take on and what was closed does not count.
    pub fn untested(&self, id: &str) -> Option<&'static str> {
        let about = |task: &&Task| !task.back && task.contents.contains_key(id);
        let tasks: Vec<&Task> = self.tasks.values().filter(about).collect();
        let (done, fail) = (|task: &Task| task.progress == "done", Some("fail"));
        let patch = self.patches.get(id)?;
        if self.waived {
            return None;
        }
        // A failure counts as soon as a site tells of it.
        let told = |task: &Task| done(task) || task.progress == "in-progress";
        if tasks.iter().any(|task| told(task) && task.outcome == fail) {
            return Some("task-failed");
        }
        let tested = tasks.iter().any(|task| done(task)) && !tasks.iter().any(|task| is_open(task));
        (!tested && !self.is_urgent(patch)).then_some("tasks-open")
    }

    /// The patches that a release is made of: those named, or all that are ready and of no other update.
    pub fn chosen(&self, request: &Request) -> Words {
        match self.updates.get(&request.update).filter(|_| request.word == "release-publish") {
            Some(update) => update.patches.clone(),
            None if !request.patches.is_empty() => request.patches.clone(),
            None => {
                let ready = self.patches.iter().filter(|(_, one)| {
                    one.status == "ready-for-production" && [None, Some(request.update)].contains(&one.update)
                });
                ready.map(|(id, _)| id.clone()).collect()
            }
        }
    }

    pub fn bundles_of(&self, patches: &Words) -> Words {
        patches.iter().filter_map(|id| self.patches.get(id)?.bundle.clone()).collect()
    }

    /// P1: the patches in delta that stay there while others of their bundles are released.
    pub fn behind(&self, chosen: &Words) -> usize {
        let bundles = self.bundles_of(chosen);
        let of_them = |bundle: &Option<String>| bundle.as_ref().is_some_and(|one| bundles.contains(one));
        let stays = self
            .patches
            .iter()
            .filter(|(id, patch)| patch.place == "delta" && of_them(&patch.bundle) && !chosen.contains(*id));
        stays.count()
    }

    /// What a team is asked to try, or to go back from (R6): its node types and the patches that touch them.
    pub fn share(&self, request: &Request, team: &str) -> Option<(Words, Vec<String>)> {
        let runs = self.teams.get(team)?;
        let back = request.word == "task-assign-back";
        let urgent = self.bundles.get(&request.bundle)?.urgent;
        let place = |one: &Patch| match one.place {
            "out" => back,
            "delta" => !back,
            // The urgent lane was released first, and owes the test.
            "production" => urgent && !back,
            _ => false,
        };
        let about: Vec<_> = self.patches_of(&request.bundle).filter(|(_, one)| place(one)).collect();
        let touched: Words = about.iter().flat_map(|(_, one)| one.node_types.clone()).collect();
        let can = |one: &String| runs.is_empty() || runs.contains(one);
        if !request.node_types.iter().all(can) || !(touched.is_empty() || touched.iter().any(can)) {
            return None;
        }
        let wished = if request.node_types.is_empty() { &touched } else { &request.node_types };
        let installs: Words = wished.iter().filter(|one| can(one)).cloned().collect();
        let concerns = |one: &Patch| {
            one.node_types.is_empty() || installs.is_empty() || !one.node_types.is_disjoint(&installs)
        };
        let patches: Vec<String> =
            about.iter().filter(|(_, one)| concerns(one)).map(|(id, _)| (*id).clone()).collect();
        (!patches.is_empty()).then_some((installs, patches))
    }

    pub fn contents(&self, patches: &[String]) -> BTreeMap<String, Words> {
        patches.iter().filter_map(|id| Some((id.clone(), self.patches.get(id)?.packages.clone()))).collect()
    }

    /// Of what a task is late, if it is: the answer (E5), or how it went (G9).
    pub fn late(&self, task: &Task) -> Option<&'static str> {
        let now = self.proven();
        let of = match task.progress {
            "assigned" if task.answer_by <= now => "answer",
            "in-progress" if task.begun.is_some_and(|begun| begun + task.quarantine <= now) => "done",
            _ => return None,
        };
        (!task.reminded.contains(of)).then_some(of)
    }

    pub fn is_archived(&self, kind: &str, id: &str) -> bool {
        self.archive.get(kind).is_some_and(|all| all.contains(id))
    }

    /// What may be laid aside: bundles, patches and updates of which everything was over for long enough (a choice of ours).
    pub fn resting(&self) -> (Words, Words, BTreeSet<u32>) {
        let owed: Words = self.debts().into_iter().map(|(id, _)| id).collect();
        let rests = |id: &String, one: &Patch| {
            let since = one.over.is_some_and(|over| over + ARCHIVE_AFTER <= self.proven());
            let named = one.update.and_then(|number| self.updates.get(&number));
            since
                && one.place != "delta"
                && !owed.contains(id)
                && named.is_none_or(|one| one.readiness == "published")
        };
        let is_busy = |id: &String| self.tasks.values().any(|task| task.bundle == *id && is_open(task));
        let bundles: Words = (self.bundles.iter())
            .filter(|(id, _)| self.patches_of(id).next().is_some() && !is_busy(id))
            .filter(|(id, _)| self.patches_of(id).all(|(patch, one)| rests(patch, one)))
            .map(|(id, _)| id.clone())
            .collect();
        let goes = |one: &Patch| one.bundle.as_ref().is_none_or(|bundle| bundles.contains(bundle));
        let patches: Words = self
            .patches
            .iter()
            .filter(|(id, one)| rests(id, one) && goes(one))
            .map(|(id, _)| id.clone())
            .collect();
        let stays = |id: &String| self.patches.contains_key(id) && !patches.contains(id);
        let over = self.updates.iter().filter(|(_, one)| one.readiness == "published");
        let updates =
            over.filter(|(_, one)| !one.patches.iter().any(stays)).map(|(number, _)| *number).collect();
        (bundles, patches, updates)
    }

    /// What entered production by the urgent lane and no site has tested to the end yet.
    pub fn debts(&self) -> Vec<(String, u32)> {
        let paid = |id: &String| {
            self.tasks.values().any(|task| {
                !task.back
                    && task.progress == "done"
                    && task.outcome != Some("fail")
                    && task.contents.contains_key(id)
            })
        };
        let owed = self
            .patches
            .iter()
            .filter(|(id, one)| one.place == "production" && self.is_urgent(one) && !paid(id));
        owed.filter_map(|(id, one)| Some((id.clone(), one.update?))).collect()
    }

    pub fn task_is(&self, request: &Request, condition: impl Fn(&Task) -> bool) -> bool {
        self.tasks.get(&request.task).is_none_or(condition)
    }

    pub fn update_is(&self, request: &Request, condition: impl Fn(&Update) -> bool) -> bool {
        self.updates.get(&request.update).is_none_or(condition)
    }

    pub fn bundle_is(&self, request: &Request, condition: impl Fn(&Bundle) -> bool) -> bool {
        self.bundles.get(&request.bundle).is_none_or(condition)
    }

    pub fn all_patches(&self, request: &Request, condition: impl Fn(&Patch) -> bool) -> bool {
        request.patches.iter().filter_map(|id| self.patches.get(id)).all(condition)
    }
}
