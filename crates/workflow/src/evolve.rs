//! What facts make of the state. It cannot fail, decides nothing, and reads no clock: the same facts give the same state.

use jiff::Timestamp;

use crate::archive::Filed;
use crate::bundle::{Bundle, Revision};
use crate::fact::{About, Deed, Fact};
use crate::patch::{Patch, Place, Status, Step};
use crate::state::{State, Workflow};
use crate::task::{Progress, Reminder, Shown, Task};
use crate::update::{Readiness, Update};

mod ticket;

impl Workflow {
    /// Makes the state what it is after a deed, and hands out what the archive keeps from then on.
    pub fn evolve(&mut self, deed: &Deed) -> Vec<Filed> {
        let mut filed = Vec::new();
        for fact in &deed.facts {
            let state = self.products.entry(deed.product.clone()).or_default();
            match fact {
                Fact::Archived { matters } => filed.push(state.file(&deed.product, deed.witnessed, matters)),
                _ => state.evolve(deed, fact),
            }
        }
        filed
    }
}

impl State {
    fn evolve(&mut self, deed: &Deed, fact: &Fact) {
        let step = |what: String| Step { at: deed.at, by: deed.by.clone(), what };
        let now = deed.witnessed;
        match fact {
            Fact::TeamEntered { team, entry } => drop(self.teams.insert(team.clone(), entry.clone())),
            Fact::TeamLeft { team } => drop(self.teams.remove(team)),
            Fact::PatchRegistered { .. }
            | Fact::PatchChanged { .. }
            | Fact::PatchSet { .. }
            | Fact::PatchRebuilt { .. }
            | Fact::PatchMoved { .. } => self.patch_evolves(fact, &step, now),
            Fact::Said { about: About::Patch(patch), words } => {
                self.patch(patch, |patch| patch.history.push(step(format!("says: {words}"))));
            }
            Fact::Said { about: About::Task(task), words } => {
                self.task(*task, |task| task.history.push(step(format!("says: {words}"))));
            }
            Fact::Said { about: About::Ticket(ticket), words } => {
                if let Some(ticket) = self.tickets.get_mut(ticket) {
                    ticket.history.push(step(format!("says: {words}")));
                }
            }
            Fact::Ticket { ticket, turn } => self.ticket_evolves(ticket, turn, &step, now),
            Fact::BundleCreated { .. }
            | Fact::BundleJoined { .. }
            | Fact::BundleLeft { .. }
            | Fact::BundleRevised { .. }
            | Fact::BundleHeld { .. } => self.bundle_evolves(fact, &step, now),
            Fact::UpdatePrepared { .. }
            | Fact::UpdateReady { .. }
            | Fact::UpdateApproved { .. }
            | Fact::UpdateDropped { .. }
            | Fact::UpdatePublished { .. } => self.update_evolves(fact, &step, now),
            Fact::TasksPublished { tasks } => tasks.iter().for_each(|task| {
                self.task(*task, |task| task.is_published = true);
            }),
            _ => self.task_evolves(fact, &step, now),
        }
    }

    fn patch(&mut self, id: &crate::Id, change: impl FnOnce(&mut Patch)) {
        self.patches.get_mut(id).map(change);
    }

    fn task(&mut self, number: u32, change: impl FnOnce(&mut Task)) {
        self.tasks.get_mut(&number).map(change);
    }

    fn patch_evolves(&mut self, fact: &Fact, step: &impl Fn(String) -> Step, now: Timestamp) {
        match fact {
            Fact::PatchRegistered { patch, title, items, node_types, bugs } => {
                let registered = Patch {
                    title: title.clone(),
                    status: Status::Registered,
                    items: items.clone(),
                    node_types: node_types.clone(),
                    bugs: bugs.clone(),
                    bundle: None,
                    update: None,
                    place: Place::Before,
                    since: now,
                    history: vec![step("registered".into())],
                };
                self.patches.insert(patch.clone(), registered);
            }
            Fact::PatchChanged { patch, items, node_types } => self.patch(patch, |patch| {
                patch.items.clone_from(items);
                patch.node_types.clone_from(node_types);
                patch.status = Status::Registered;
                patch.since = now;
                patch.history.push(step("has other packages".into()));
            }),
            Fact::PatchSet { patch, status } => self.patch(patch, |patch| {
                patch.status = *status;
                patch.since = now;
                patch.history.push(step(status.to_string()));
            }),
            Fact::PatchRebuilt { patch, was, item } => self.patch(patch, |patch| {
                patch.items.remove(was);
                patch.items.insert(item.clone());
                patch.history.push(step(format!("{} is built anew as {}", was.nevra, item.nevra)));
            }),
            Fact::PatchMoved { patch, place } => self.patch(patch, |patch| patch.place = *place),
            _ => {}
        }
    }

    fn bundle_evolves(&mut self, fact: &Fact, step: &impl Fn(String) -> Step, now: Timestamp) {
        match fact {
            Fact::BundleCreated { bundle, urgent } => {
                let created = Bundle {
                    patches: Default::default(),
                    is_urgent: *urgent,
                    held: None,
                    revisions: Vec::new(),
                    history: vec![step("created".into())],
                };
                self.bundles.insert(bundle.clone(), created);
            }
            Fact::BundleJoined { bundle, patch } => {
                if let Some(bundle) = self.bundles.get_mut(bundle) {
                    bundle.patches.insert(patch.clone());
                    bundle.history.push(step(format!("takes in patch {patch}")));
                }
                self.patch(patch, |patch| patch.bundle = Some(bundle.clone()));
            }
            Fact::BundleLeft { bundle, patch } => {
                if let Some(bundle) = self.bundles.get_mut(bundle) {
                    bundle.patches.remove(patch);
                    bundle.history.push(step(format!("lets go of patch {patch}")));
                }
                self.patch(patch, |patch| patch.bundle = None);
            }
            Fact::BundleRevised { bundle, content } => {
                if let Some(bundle) = self.bundles.get_mut(bundle) {
                    bundle.revisions.push(Revision { content: *content, deployed: now });
                    bundle.history.push(step(format!("is {} for early adopters", content.short())));
                }
            }
            Fact::BundleHeld { bundle, why } => {
                if let Some(bundle) = self.bundles.get_mut(bundle) {
                    let words = why.as_ref().map_or("goes on".into(), |why| format!("held: {why}"));
                    bundle.held.clone_from(why);
                    bundle.history.push(step(words));
                }
            }
            _ => {}
        }
    }

    fn update_evolves(&mut self, fact: &Fact, step: &impl Fn(String) -> Step, now: Timestamp) {
        let (number, readiness, words) = match fact {
            Fact::UpdatePrepared { update, patches, priority, plan, partial } => {
                // Prepared again, it may be of other patches than before.
                for patch in self.patches.values_mut().filter(|patch| patch.update == Some(*update)) {
                    patch.update = None;
                }
                for id in patches {
                    self.patch(id, |patch| patch.update = Some(*update));
                }
                let history = self.updates.remove(update).map(|before| before.history).unwrap_or_default();
                let (patches, readiness) = (patches.clone(), Readiness::Prepared);
                let (priority, partial, plan, since) = (*priority, *partial, *plan, now);
                let prepared = Update { patches, priority, readiness, partial, plan, since, history };
                self.updates.insert(*update, prepared);
                (update, readiness, format!("prepared, plan {}", plan.short()))
            }
            Fact::UpdateDropped { update, .. } => {
                for patch in self.patches.values_mut().filter(|patch| patch.update == Some(*update)) {
                    patch.update = None;
                }
                self.updates.remove(update);
                return;
            }
            Fact::UpdateReady { update } => (update, Readiness::Ready, "ready".into()),
            Fact::UpdateApproved { update } => (update, Readiness::Approved, "approved".into()),
            Fact::UpdatePublished { update, .. } => (update, Readiness::Published, "published".into()),
            _ => return,
        };
        if let Some(update) = self.updates.get_mut(number) {
            update.readiness = readiness;
            update.since = now;
            update.history.push(step(words));
        }
    }

    fn task_evolves(&mut self, fact: &Fact, step: &impl Fn(String) -> Step, now: Timestamp) {
        match fact {
            Fact::TaskAssigned {
                task,
                work,
                subject,
                patches,
                content,
                team,
                node_types,
                answer_by,
                quarantine,
            } => {
                let assigned = Task {
                    work: *work,
                    subject: subject.clone(),
                    patches: patches.clone(),
                    content: *content,
                    team: team.clone(),
                    node_types: node_types.clone(),
                    progress: Progress::Assigned,
                    outcome: None,
                    assigned: now,
                    answer_by: *answer_by,
                    quarantine: *quarantine,
                    begun: None,
                    evidence: Vec::new(),
                    tickets: Default::default(),
                    downtime: None,
                    is_beta: false,
                    is_published: false,
                    reminded: Default::default(),
                    history: vec![step("assigned".into())],
                };
                self.tasks.insert(*task, assigned);
            }
            Fact::TaskAnswered { task, accepts } => self.task(*task, |task| {
                task.progress = if *accepts { Progress::Accepted } else { Progress::Declined };
                task.history.push(step(task.progress.to_string()));
            }),
            Fact::TaskStarted { task, outcome, tickets } => self.task(*task, |task| {
                task.progress = Progress::InProgress;
                task.outcome = Some(*outcome);
                task.tickets.extend(tickets.iter().cloned());
                task.begun.get_or_insert(now);
                task.history.push(step(format!("in progress: {outcome}")));
            }),
            Fact::TaskShown { task, differs } => self.task(*task, |task| {
                // What counts is how long the site is known to run it.
                if !task.evidence.iter().any(|shown| shown.differs.is_empty()) && differs.is_empty() {
                    task.begun = Some(now);
                }
                task.evidence.push(Shown { at: now, differs: differs.clone() });
                let words = match differs.len() {
                    0 => "shows that it has what is to be tested".to_owned(),
                    count => format!("shows what it has, {count} things differ"),
                };
                task.history.push(step(words));
            }),
            Fact::TaskDone { task, outcome, tickets } => self.task(*task, |task| {
                task.progress = Progress::Done;
                task.outcome = Some(*outcome);
                task.tickets.extend(tickets.iter().cloned());
                task.history.push(step(format!("done: {outcome}")));
            }),
            Fact::TaskExtended { task, by } => self.task(*task, |task| {
                task.quarantine = task.quarantine.saturating_add(*by);
                // When the longer one is over, it is another one that is.
                task.reminded.remove(&Reminder::DoneOverdue);
                task.history.push(step(format!("runs {} hours longer", by.as_hours())));
            }),
            Fact::TaskDown { task, downtime } => self.task(*task, |task| {
                task.downtime = Some(*downtime);
                task.history.push(step(format!("down from {} until {}", downtime.from, downtime.until)));
            }),
            Fact::TaskTagged { task } => self.task(*task, |task| {
                task.is_beta = true;
                task.history.push(step("the node is tagged beta".into()));
            }),
            Fact::TaskClosed { task, why } => self.task(*task, |task| {
                task.progress = Progress::Closed;
                task.history.push(step(format!("closed: {why}")));
            }),
            Fact::Reminded { task, of } => self.task(*task, |task| {
                task.reminded.insert(*of);
            }),
            _ => {}
        }
    }
}
