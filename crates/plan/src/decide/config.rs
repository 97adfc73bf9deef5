//! The configuration takes effect: repositories appear, or are written in another form; none disappears. Their views, and
//! what hosts are told (`.repo` files, keys), follow.

use std::collections::BTreeSet;

use super::Decision;
use super::gates::Gates;
use crate::layout::Repository;
use crate::plan::Plan;
use crate::refusal::{Code, Refusal};
use crate::world::{Asker, World};

pub(super) fn config(world: &World, asker: &Asker) -> Result<Decision, Refusal> {
    let mut gates = Gates::default();
    gates.authority(
        asker,
        asker.is_clock(),
        "make repositories appear",
        "the daemon does it when it reads its configuration",
    );
    let gates = gates.finish()?;
    let unknown = world.repositories.keys().filter(|repository| !world.layout.has(repository));
    let unknown: BTreeSet<String> =
        unknown.map(Repository::name).chain(world.strangers.iter().cloned()).collect();
    if !unknown.is_empty() {
        let sentence = match unknown.len() {
            1 => "a repository is published that the configuration does not know".to_owned(),
            n => format!("{n} repositories are published that the configuration does not know"),
        };
        let reasons = unknown.into_iter().map(|name| format!("`{name}`"));
        let refusal = Refusal::new(Code::RetireNeeded, sentence).reasons(reasons);
        return Err(
            refusal.hint("put it back into the configuration; no repository disappears without `retire`")
        );
    }
    let is_new = |repository: &Repository| !world.repositories.contains_key(repository);
    let new_repositories: BTreeSet<Repository> =
        world.layout.repositories().into_iter().filter(is_new).collect();
    let rewritten = world.other_forms.clone();
    let views = world.other_views.clone();
    let appear = match new_repositories.len() {
        0 => None,
        1 => Some("a repository appears".to_owned()),
        n => Some(format!("{n} repositories appear")),
    };
    let rewrite = match rewritten.len() {
        0 => None,
        1 => Some("a repository is written in another form".to_owned()),
        n => Some(format!("{n} repositories are written in another form")),
    };
    let split = match views.len() {
        0 => None,
        1 => Some("the views of a repository change".to_owned()),
        n => Some(format!("the views of {n} repositories change")),
    };
    let hosts = match world.outdated_files.len() {
        0 => None,
        1 => world.outdated_files.first().map(|file| format!("hosts are told otherwise by `{file}`")),
        n => Some(format!("hosts are told otherwise by {n} files")),
    };
    let sentence = appear.into_iter().chain(rewrite).chain(split).chain(hosts).collect::<Vec<_>>().join(", ");
    if sentence.is_empty() {
        let sentence = "every repository of the configuration is published".to_owned();
        return Ok(Decision::NothingToDo(Code::NothingToDo, sentence));
    }
    Ok(Decision::Effect(Plan {
        action: "config".to_owned(),
        sentence,
        new_repositories,
        rewritten,
        views,
        gates,
        ..Plan::default()
    }))
}

#[cfg(test)]
mod tests;
