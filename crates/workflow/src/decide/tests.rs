//! The procedure step by step: each line refused before its precondition and taken after it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use nevra::Sha256;

use super::*;
use crate::Calendar;
use crate::naming::Priority;
use crate::outcome::Outcome;
use crate::patch::{Place, Status};
use crate::rules::Procedure;
use crate::task::{Progress, Reminder, Work};

mod egi;
mod glite;
mod limits;
mod model;
mod waiting;
mod walks;

/// A product without a disk: what stages list, what is remembered, and what time it is.
#[derive(Clone)]
pub(super) struct Site {
    pub workflow: Workflow,
    pub rules: Rules,
    pub times: Times,
    pub stages: BTreeMap<String, BTreeSet<Item>>,
    pub pins: BTreeMap<String, BTreeSet<String>>,
    pub waived: Option<String>,
    pub deeds: Vec<Deed>,
}

pub(super) const PRODUCT: &str = "glite-3.2";

fn id(text: &str) -> Id {
    text.parse().unwrap()
}

fn ids(text: &str) -> BTreeSet<Id> {
    text.split_whitespace().map(id).collect()
}

fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn team(text: &str) -> TeamName {
    text.parse().unwrap()
}

pub(super) fn item(text: &str) -> Item {
    let (nevra, build) = text.split_once('#').unwrap_or((text, ""));
    let pkgid =
        crate::content_of_all([(&id(&format!("{}{build}", nevra.replace('_', "-"))), Sha256::from([0; 32]))]);
    Item { platform: "sl5/x86_64".into(), nevra: nevra.parse().unwrap(), pkgid }
}

pub(super) fn actor(who: &str) -> Actor {
    let part = match who {
        "mu" => Part::ReleaseTeam,
        "ou" => Part::Operations,
        "verifier" => Part::Verifier,
        "clock" => Part::Clock,
        manager if manager.starts_with("manager ") => Part::Manager(manager["manager ".len()..].into()),
        "nobody" => return Actor { name: "user:nobody".into(), parts: BTreeSet::new() },
        team => Part::Team(team.parse().unwrap()),
    };
    Actor { name: format!("user:{who}"), parts: BTreeSet::from([part]) }
}

impl Site {
    pub fn new() -> Site {
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let day = |days: i64| SignedDuration::from_hours(24 * days);
        let rules = Rules {
            procedure: Procedure::Glite,
            from: "certified".into(),
            beta: "delta".into(),
            production: "production".into(),
            quarantine: day(7),
            quarantine_urgent: day(1),
            quarantine_rollback: day(3),
            mirrors_delay: SignedDuration::from_hours(2),
            archive_after: SignedDuration::from_hours(240),
            answer_days: 1,
            calendar: Calendar::default(),
            wants_evidence: false,
            managers: BTreeMap::new(),
        };
        let mut site = Site {
            workflow: Workflow::default(),
            rules,
            times: Times { wall: now, witnessed: now },
            stages: BTreeMap::new(),
            pins: BTreeMap::new(),
            waived: None,
            deeds: Vec::new(),
        };
        for (name, node_types) in [("ea-IT-CNAF", "WMS"), ("ea-UK-RAL", "UI WMS"), ("ea-CZ-FZU", "CE")] {
            site.does(
                "ou",
                Command::TeamAdd {
                    team: team(name),
                    contact: "a@example.org".into(),
                    members: BTreeSet::new(),
                    stacks: BTreeSet::new(),
                    platforms: BTreeSet::new(),
                    node_types: words(node_types),
                },
            );
        }
        site
    }

    pub fn state(&self) -> State {
        self.workflow.products.get(PRODUCT).cloned().unwrap_or_default()
    }

    pub fn pass(&mut self, hours: i64) {
        let by = SignedDuration::from_hours(hours);
        self.times = Times { wall: self.times.wall + by, witnessed: self.times.witnessed + by };
    }

    /// Something is built anew where early adopters find it, beside whatever else happens.
    pub fn rebuild(&mut self, anew: &[(Item, Item)]) {
        self.built_anew(anew);
        for (was, item) in anew {
            let beta = self.stages.entry("delta".into()).or_default();
            assert!(beta.remove(was) && beta.insert(item.clone()));
        }
    }

    /// Takes note of what is built anew.
    pub fn built_anew(&mut self, anew: &[(Item, Item)]) -> Vec<Fact> {
        let state = self.state();
        let (items, pinning, actor) = (BTreeSet::new(), BTreeSet::new(), actor("mu"));
        let asked = Asked {
            workflow: &self.workflow,
            product: PRODUCT,
            state: &state,
            rules: &self.rules,
            actor: &actor,
            times: self.times,
            reason: "",
            items: &items,
            pinning: &pinning,
            lists: &|_, _| true,
            waived: &|_| None,
            plan: None,
        };
        let facts = rebuilt(&asked, Vec::new(), anew);
        let told = facts.clone();
        let (at, witnessed) = (self.times.wall, self.times.witnessed);
        let deed = Deed { product: PRODUCT.into(), at, witnessed, by: "user:mu".into(), facts };
        self.workflow.evolve(&deed);
        self.deeds.push(deed);
        told
    }

    /// Asks without any effect.
    pub fn decision(
        &self,
        who: &str,
        command: &Command,
        plan: Option<Sha256>,
        reason: &str,
    ) -> Result<Decided, Refusal> {
        let unknown = State::default();
        let state = self.workflow.products.get(PRODUCT).unwrap_or(&unknown);
        let actor = actor(who);
        let items: BTreeSet<Item> = match command {
            Command::PatchAdd { packages, .. }
            | Command::PatchChange { packages, .. }
            | Command::TicketAdd { packages, .. }
            | Command::TicketChange { packages, .. } => packages.iter().map(|text| item(text)).collect(),
            _ => BTreeSet::new(),
        };
        let names: BTreeSet<String> = items.iter().map(|item| item.nevra.name.clone()).collect();
        let pins = self.pins.iter().filter(|(_, pinned)| !pinned.is_disjoint(&names));
        let pinning: BTreeSet<String> = pins.map(|(node_type, _)| node_type.clone()).collect();
        let asked = Asked {
            workflow: &self.workflow,
            product: PRODUCT,
            state,
            rules: &self.rules,
            actor: &actor,
            times: self.times,
            reason,
            items: &items,
            pinning: &pinning,
            lists: &|stage, item| self.stages.get(stage).is_some_and(|listed| listed.contains(item)),
            waived: &|_| self.waived.clone(),
            plan,
        };
        decide(&asked, command)
    }

    pub fn tries(
        &mut self,
        who: &str,
        command: Command,
        plan: Option<Sha256>,
        reason: &str,
    ) -> Result<Decided, Refusal> {
        let decided = self.decision(who, &command, plan, reason)?;
        match &decided.moves {
            Some(Moves::Forward { from, to, items, .. }) => {
                for item in items {
                    assert!(
                        self.stages.entry(from.clone()).or_default().remove(item),
                        "{item:?} is not in {from}"
                    );
                    self.stages.entry(to.clone()).or_default().insert(item.clone());
                }
            }
            Some(Moves::Back { stage, items }) => {
                // Somebody may have taken one of them away by hand.
                let listed = self.stages.entry(stage.clone()).or_default();
                listed.retain(|item| !items.contains(item));
            }
            None => {}
        }
        let deed = Deed {
            product: PRODUCT.into(),
            at: self.times.wall,
            witnessed: self.times.witnessed,
            by: format!("user:{who}"),
            facts: decided.facts.clone(),
        };
        self.workflow.evolve(&deed);
        self.deeds.push(deed);
        Ok(decided)
    }

    pub fn does(&mut self, who: &str, command: Command) -> Decided {
        let said = format!("{command:?}");
        let decided =
            self.tries(who, command, None, "because").unwrap_or_else(|refusal| panic!("{said}: {refusal:?}"));
        assert!(!decided.facts.is_empty(), "{said} does nothing");
        decided
    }

    /// The code of the refusal.
    pub fn refuses(&self, who: &str, command: Command) -> &'static str {
        match self.decision(who, &command, None, "because") {
            Ok(decided) => panic!("{command:?} is allowed: {decided:?}"),
            Err(refusal) => refusal.code.as_str(),
        }
    }

    /// Registers patches, `id: package package`, whose packages were certified.
    pub fn registered(&mut self, patches: &[(&str, &str)]) {
        for (patch, packages) in patches {
            let items = packages.split_whitespace().map(item);
            self.stages.entry("certified".into()).or_default().extend(items);
            self.does("mu", added(patch, packages));
        }
    }

    pub fn set(&mut self, who: &str, patches: &str, status: Status) -> Decided {
        self.does(who, Command::PatchStatus { patches: ids(patches), status })
    }

    pub fn status(&self, patch: &str) -> Status {
        self.state().patches[&id(patch)].status
    }

    /// A bundle of patches that early adopters have.
    pub fn deployed(&mut self, bundle: &str, patches: &[(&str, &str)]) {
        self.registered(patches);
        let all = patches.iter().map(|(patch, _)| *patch).collect::<Vec<_>>().join(" ");
        self.set("mu", &all, Status::Verified);
        self.set("ou", &all, Status::ReadyForRollout);
        self.does("mu", Command::BundleCreate { bundle: id(bundle), patches: ids(&all), urgent: false });
        self.does("mu", Command::BundleDeploy { bundle: id(bundle) });
        self.pass(2);
    }

    /// A task that one team has done.
    pub fn tested(&mut self, bundle: &str, teams: &str, outcome: Outcome) {
        let first = self.state().next_task();
        self.does("ou", assigned(bundle, teams, false));
        for (number, team) in (first..).zip(teams.split_whitespace().collect::<BTreeSet<_>>()) {
            self.does(team, started(number, Outcome::Success));
            self.pass(24 * 7);
            self.does(team, finished(number, outcome));
        }
    }
}

pub(super) fn added(patch: &str, packages: &str) -> Command {
    Command::PatchAdd {
        patch: id(patch),
        title: format!("patch {patch}"),
        packages: packages.split_whitespace().map(str::to_owned).collect(),
        platforms: vec![],
        node_types: BTreeSet::new(),
        bugs: BTreeSet::new(),
    }
}

pub(super) fn assigned(bundle: &str, teams: &str, rollback: bool) -> Command {
    let teams = teams.split_whitespace().map(team).collect();
    Command::TaskAssign { bundle: id(bundle), teams, rollback, node_types: BTreeSet::new(), days: None }
}

pub(super) fn started(task: u32, outcome: Outcome) -> Command {
    Command::TaskStart { task, outcome, tickets: BTreeSet::new(), content: None }
}

pub(super) fn finished(task: u32, outcome: Outcome) -> Command {
    Command::TaskDone { task, outcome, tickets: BTreeSet::new(), content: None }
}

pub(super) fn prepared(update: u32, patches: &str, partial: bool) -> Command {
    Command::ReleasePrepare { update, patches: ids(patches), priority: Priority::Normal, partial }
}
