//! The steps of procedures as requests write them: one table, from which they are read, named and written.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::Timestamp;
use nevra::Sha256;
use serde::Deserialize;
use workflow::text::{Line, NotAText, Reference, Words};
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
    "task-assign" TaskAssign { bundle: Id, teams: BTreeSet<TeamName> } {
        rollback: bool, node_types: BTreeSet<String>, days: Option<u32>
    }
    "task-answer" TaskAnswer { task: u32, answer: Answer } {}
    "task-start" TaskStart { task: u32, outcome: Outcome } { tickets: BTreeSet<String>, content: Option<Sha256> }
    "task-comment" TaskComment { task: u32, comment: String } {}
    "task-done" TaskDone { task: u32, outcome: Outcome } { tickets: BTreeSet<String>, content: Option<Sha256> }
    "task-extend" TaskExtend { task: u32, days: u32 } {}
    "task-downtime" TaskDowntime { task: u32, from: When, until: When } {}
    "task-close" TaskClose { task: u32 } {}
    "release-prepare" ReleasePrepare { update: u32 } { patches: BTreeSet<Id>, priority: Priority, partial: bool }
    "release-ready" ReleaseReady { update: u32 } {}
    "release-approve" ReleaseApprove { update: u32 } {}
    "release-publish" ReleasePublish { update: u32 } {}
    "release-reports" ReleaseReports { update: u32 } {}
    "remind" Remind {} {}
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
        Command::PatchComment { comment, .. } | Command::TaskComment { comment, .. } => {
            text::<Words>("comment", comment)
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

as_text!(String, Id, TeamName, Status, Answer, Sha256, Timestamp);

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
