//! The steps of procedures as requests write them: one table, from which they are read, named and written.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::Timestamp;
use nevra::Sha256;
use serde::Deserialize;
use workflow::naming::{Component, Parts};
use workflow::text::{Line, Link, NotAText, Reference, Words};
use workflow::{Answer, Command, Id, Outcome, Priority, Status, TeamName};

use super::read::{Document, list, malformed, selectors};
use super::wire::{Common, End, When, Wire, wire};
use super::write::Keys;
use super::{Action, Request, check_text};
use crate::refusal::Refusal;

macro_rules! steps {
    ($($name:literal $variant:ident { $($must:ident: $must_type:ty),* } { $($may:ident: $may_type:ty),* })*) => {
        /// Every step, with the keys that it knows besides the common ones.
        pub const STEPS: &[(&str, &[&str])] =
            &[$(($name, &["product", $(stringify!($must),)* $(stringify!($may),)*])),*];

        $(
            wire!($variant { product: String $(, $must: $must_type)* } { $($may: $may_type),* });

            impl Wire for $variant {
                fn into_request(self) -> (Request, bool) {
                    let (common, (product, $($must,)* $($may,)*)) = self.split();
                    let command = Command::$variant { $($must: $must.into(),)* $($may: $may.into(),)* };
                    common.request(Action::Step { product, command: Box::new(command) })
                }
            }
        )*

        /// Reads a step; `None` if there is none of this name.
        pub(super) fn read(document: &Document<'_>, action: &str) -> Option<Result<Request, Refusal>> {
            match action {
                $($name => Some(document.request::<$variant>(action)),)*
                _ => None,
            }
        }

        /// Writes the name of a step.
        pub(super) fn name(command: &Command) -> &'static str {
            match command {
                $(Command::$variant { .. } => $name,)*
            }
        }

        /// Writes the keys of a step.
        pub(super) fn write(command: &Command, file: &mut Keys) {
            match command {
                $(Command::$variant { $($must,)* $($may,)* } => {
                    $($must.put(stringify!($must), file);)*
                    $($may.put(stringify!($may), file);)*
                })*
            }
        }
    };
}

steps! {
    "team-add" TeamAdd { team: TeamName, contact: String } {
        members: BTreeSet<String>, stacks: BTreeSet<String>, platforms: BTreeSet<String>, node_types: BTreeSet<String>
    }
    "team-remove" TeamRemove { team: TeamName } {}
    "patch-add" PatchAdd { patch: Id, title: String, packages: Vec<String> } {
        platforms: Vec<String>, node_types: BTreeSet<String>, bugs: BTreeSet<String>
    }
    "patch-change" PatchChange { patch: Id, packages: Vec<String> } { platforms: Vec<String> }
    "patch-status" PatchStatus { patches: BTreeSet<Id>, status: Status } {}
    "patch-comment" PatchComment { patch: Id, comment: String } {}
    "bundle-create" BundleCreate { bundle: Id, patches: BTreeSet<Id> } { urgent: bool }
    "bundle-add" BundleAdd { bundle: Id, patches: BTreeSet<Id> } {}
    "bundle-remove" BundleRemove { bundle: Id, patches: BTreeSet<Id> } {}
    "bundle-deploy" BundleDeploy { bundle: Id } {}
    "bundle-hold" BundleHold { bundle: Id } {}
    "bundle-continue" BundleContinue { bundle: Id } {}
    "bundle-rollback" BundleRollback { bundle: Id } {
        versions: Vec<String>, without: Vec<String>, releases: Vec<String>
    }
    "ticket-add" TicketAdd { ticket: Id, component: String, version: String, packages: Vec<String> } {
        stack: Option<String>, major: Option<String>, os: Option<String>, arch: Option<String>,
        platforms: Vec<String>, node_types: BTreeSet<String>, urgent: bool
    }
    "ticket-change" TicketChange { ticket: Id, packages: Vec<String> } { platforms: Vec<String> }
    "ticket-verify" TicketVerify { ticket: Id } {}
    "ticket-deploy" TicketDeploy { ticket: Id } {}
    "ticket-links" TicketLinks { ticket: Id } {
        release_notes: Option<Link>, installation: Option<Link>, bugs_fixed: Option<Link>, documentation: Option<Link>
    }
    "ticket-comment" TicketComment { ticket: Id, comment: String } {}
    "ticket-assign" TicketAssign { ticket: Id, teams: BTreeSet<TeamName> } { days: Option<u32> }
    "ticket-relate" TicketRelate { ticket: Id, related: Reference, subject: Line } {
        criticality: Option<Line>, workaround: Option<Words>
    }
    "ticket-summary" TicketSummary { ticket: Id, document: Id, file: String } {}
    "ticket-accept" TicketAccept { ticket: Id } {}
    "ticket-reject" TicketReject { ticket: Id } {
        versions: Vec<String>, without: Vec<String>, releases: Vec<String>
    }
    "ticket-release" TicketRelease { tickets: BTreeSet<Id>, release: Id } {}
    "task-assign" TaskAssign { bundle: Id, teams: BTreeSet<TeamName> } {
        rollback: bool, node_types: BTreeSet<String>, days: Option<u32>
    }
    "task-answer" TaskAnswer { task: u32, answer: Answer } {}
    "task-start" TaskStart { task: u32, outcome: Outcome } { tickets: BTreeSet<String>, content: Option<Sha256> }
    "task-comment" TaskComment { task: u32, comment: String } {}
    "task-done" TaskDone { task: u32, outcome: Outcome } { tickets: BTreeSet<String>, content: Option<Sha256> }
    "task-extend" TaskExtend { task: u32, days: u32 } {}
    "task-downtime" TaskDowntime { task: u32, from: When, until: When } {}
    "task-beta" TaskBeta { task: u32 } {}
    "task-close" TaskClose { task: u32 } {}
    "release-prepare" ReleasePrepare { update: u32 } { patches: BTreeSet<Id>, priority: Priority, partial: bool }
    "release-ready" ReleaseReady { update: u32 } {}
    "release-approve" ReleaseApprove { update: u32 } {}
    "release-publish" ReleasePublish { update: u32 } {}
    "release-drop" ReleaseDrop { update: u32 } {}
    "release-reports" ReleaseReports { update: u32 } {}
    "remind" Remind {} {}
    "archive" Archive {} {}
}

impl From<When> for Timestamp {
    fn from(when: When) -> Timestamp {
        when.0
    }
}

/// Checks what types alone do not.
pub(super) fn check(request: &Request, command: &Command) -> Result<(), Refusal> {
    let texts =
        |key: &str, texts: &BTreeSet<String>| list(key, &texts.iter().cloned().collect::<Vec<_>>(), false);
    match command {
        Command::TeamAdd { contact, members, stacks, platforms, node_types, .. } => {
            check_text("contact", contact, 200, false)?;
            texts("members", members)?;
            texts("stacks", stacks)?;
            texts("platforms", platforms)?;
            texts("node_types", node_types)
        }
        Command::PatchAdd { title, packages, platforms, node_types, bugs, .. } => {
            text::<Line>("title", title)?;
            selectors(packages)?;
            list("platforms", platforms, false)?;
            texts("node_types", node_types)?;
            bugs.iter().try_for_each(|bug| text::<Reference>("bugs", bug))?;
            texts("bugs", bugs)
        }
        Command::PatchChange { packages, platforms, .. } => {
            selectors(packages)?;
            list("platforms", platforms, false)
        }
        Command::PatchComment { comment, .. }
        | Command::TaskComment { comment, .. }
        | Command::TicketComment { comment, .. } => text::<Words>("comment", comment),
        Command::TicketAdd {
            packages,
            platforms,
            node_types,
            component,
            version,
            stack,
            major,
            os,
            arch,
            ..
        } => {
            selectors(packages)?;
            list("platforms", platforms, false)?;
            texts("node_types", node_types)?;
            let (component, version) = (component.clone(), version.clone());
            let (stack, major, os, arch) = (stack.clone(), major.clone(), os.clone(), arch.clone());
            let parts = Parts { stack, major, component, version, os, arch };
            let said = |error| malformed(format!("the ticket can follow nothing: {error}"));
            Component::try_from(parts).map(drop).map_err(said)
        }
        Command::TicketChange { packages, platforms, .. } => {
            selectors(packages)?;
            list("platforms", platforms, false)
        }
        Command::TicketSummary { file, .. } => check_text("file", file, 255, false),
        Command::TicketReject { versions, without, releases, .. } => {
            for (key, all) in [("versions", versions), ("without", without), ("releases", releases)] {
                list(key, all, false)?;
            }
            reasoned(request, "`ticket-reject` needs a `reason`: whoever worked on it reads it")
        }
        Command::BundleRollback { versions, without, releases, .. } => {
            for (key, all) in [("versions", versions), ("without", without), ("releases", releases)] {
                list(key, all, false)?;
            }
            reasoned(request, "`bundle-rollback` needs a `reason`: it stands wherever the roll-back is shown")
        }
        Command::BundleHold { .. } => {
            reasoned(request, "`bundle-hold` needs a `reason`: whoever is stopped by it reads it")
        }
        Command::TaskClose { .. } => reasoned(request, "`task-close` needs a `reason`: the team reads it"),
        Command::TaskAssign { node_types, .. } => texts("node_types", node_types),
        Command::TaskStart { tickets, .. } | Command::TaskDone { tickets, .. } => {
            tickets.iter().try_for_each(|ticket| text::<Reference>("tickets", ticket))?;
            texts("tickets", tickets)
        }
        Command::ReleaseApprove { .. } if request.plan.is_none() => {
            Err(malformed("`release-approve` needs the key `plan`, the hash that `release-prepare` told"))
        }
        _ => Ok(()),
    }
}

/// Refuses what people write freely, where it is too long or would harm who reads it.
fn text<T: FromStr<Err = NotAText>>(key: &str, text: &str) -> Result<(), Refusal> {
    let said = |error: NotAText| malformed(format!("the value of `{key}` cannot be taken: {error}"));
    text.parse::<T>().map(drop).map_err(said)
}

fn reasoned(request: &Request, sentence: &str) -> Result<(), Refusal> {
    if request.reason.is_none() { Err(malformed(sentence)) } else { Ok(()) }
}

/// A value that can stand behind a key.
trait Put {
    fn put(&self, key: &str, file: &mut Keys);
}

macro_rules! as_text {
    ($($kind:ty),*) => {
        $(impl Put for $kind {
            fn put(&self, key: &str, file: &mut Keys) {
                file.text(key, &self.to_string());
            }
        })*
    };
}

as_text!(String, Id, TeamName, Status, Answer, Sha256, Timestamp, Line, Link, Reference, Words);

macro_rules! as_word {
    ($($kind:ty),*) => {
        $(impl Put for $kind {
            fn put(&self, key: &str, file: &mut Keys) {
                // What is shown to people begins with a capital.
                file.text(key, &self.to_string().to_ascii_lowercase());
            }
        })*
    };
}

as_word!(Outcome, Priority);

impl Put for u32 {
    fn put(&self, key: &str, file: &mut Keys) {
        file.bare(key, &self.to_string());
    }
}

impl Put for bool {
    fn put(&self, key: &str, file: &mut Keys) {
        if *self {
            file.bare(key, "true");
        }
    }
}

impl<T: Put> Put for Option<T> {
    fn put(&self, key: &str, file: &mut Keys) {
        self.iter().for_each(|value| value.put(key, file));
    }
}

impl Put for Vec<String> {
    fn put(&self, key: &str, file: &mut Keys) {
        file.list(key, self);
    }
}

impl<T: ToString> Put for BTreeSet<T> {
    fn put(&self, key: &str, file: &mut Keys) {
        file.list(key, &self.iter().map(T::to_string).collect::<Vec<_>>());
    }
}
