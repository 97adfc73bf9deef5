//! What must be known before a request can be decided.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use workflow::Command;

use crate::layout::{Layout, Repository};
use crate::request::{Action, Reference, Request};
use crate::world::NamedGeneration;

/// Says what the engine must load before a request can be decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The repositories of the current generation; one that does not exist yet is left out of the world.
    pub repositories: BTreeSet<Repository>,
    /// The generation whose listings are needed as they were published; it may be the current one. Leave it
    /// out of [`crate::World::past`] if it is not kept.
    pub past: Option<u64>,
    /// The repositories of that generation that are needed; one that it did not have is left out.
    pub past_repositories: BTreeSet<Repository>,
    /// Whether [`crate::World::retained`], [`crate::World::kept_until`], [`crate::World::listed_by_kept`], [`crate::World::unlinked`]
    /// and [`crate::World::expired_metadata`] must be filled.
    pub all_links: bool,
    /// The repositories for which [`crate::World::entered`] must be filled, with all that entered in so long a time.
    pub entered: BTreeMap<Repository, SignedDuration>,
    /// Whether [`crate::World::holders`] must be filled.
    pub holders: bool,
    /// Whether [`crate::World::strangers`] must be filled.
    pub strangers: bool,
    /// The name of the settled requests for which [`crate::World::recorded`] must be filled.
    pub recorded: Option<String>,
}

/// Says what must be loaded to decide a request.
pub fn needs(request: &Request, layout: &Layout, names: &BTreeMap<String, NamedGeneration>) -> Needs {
    let everything = || layout.repositories().into_iter().collect();
    let mut needs = Needs::default();
    match &request.action {
        Action::Promote { product, .. }
        | Action::Withdraw { product, .. }
        | Action::Advisory { product, .. }
        | Action::EndAdvisory { product, .. } => {
            let product = layout.products.get(product);
            needs.repositories =
                product.map(|product| product.repositories().into_iter().collect()).unwrap_or_default();
            if let Action::Promote { partial: Some(_), .. } = request.action {
                needs.repositories = everything();
            }
            if let (Action::Promote { from, .. }, Some(product)) = (&request.action, product) {
                // As far back as any route wants: what one request loads serves the others of its line.
                let routes = product.routes.iter().filter(|route| route.from == *from);
                let longest = routes.map(|route| route.soak).max().filter(|soak| !soak.is_zero());
                let sources = product.repositories().into_iter().filter(|source| source.stage == *from);
                needs.entered =
                    longest.map(|soak| sources.map(|source| (source, soak)).collect()).unwrap_or_default();
            }
        }
        // What enters anew must not clash with anything the site lists.
        Action::Import { .. } | Action::Adopt { .. } => needs.repositories = everything(),
        // A release is given to no two packages of the site.
        Action::Rollback { .. } => needs.repositories = everything(),
        Action::Revert { product, stage, generation, .. } => {
            needs.repositories = everything();
            let all = layout.products.get(product).map(|product| product.repositories()).unwrap_or_default();
            let of_stage = all.into_iter().filter(|repository| repository.stage == *stage);
            needs.past_repositories = of_stage.collect();
            needs.past = match generation {
                Reference::Number(number) => Some(*number),
                Reference::Name(name) => names.get(name).map(|named| named.generation),
            };
        }
        Action::Step { product, command } => {
            let Some(product) = layout.products.get(product) else { return needs };
            needs.repositories = match **command {
                Command::BundleRollback { .. }
                | Command::TicketReject { .. }
                | Command::ReleasePrepare { .. }
                | Command::ReleasePublish { .. } => everything(),
                _ => product.repositories().into_iter().collect(),
            };
            // What was approved along any of its routes soaks as it does without a procedure.
            let longest = product.routes.iter().map(|route| route.soak).max().filter(|soak| !soak.is_zero());
            needs.entered = longest
                .map(|soak| product.repositories().into_iter().map(|source| (source, soak)).collect())
                .unwrap_or_default();
        }
        Action::Undo { request } => {
            needs.repositories = everything();
            needs.recorded = Some(request.clone());
        }
        // Where a package went on to is looked up in every stage.
        Action::Overlap {} => needs.repositories = everything(),
        // Whether the files it is about are listed.
        Action::Variant { .. } | Action::EndVariant { .. } => needs.repositories = everything(),
        Action::Keep { .. }
        | Action::AcceptClock {}
        | Action::Waive { .. }
        | Action::EndWaiver { .. }
        | Action::Freeze { .. }
        | Action::Thaw { .. }
        | Action::Approve { .. } => {}
        Action::Sweep {} => {
            needs.repositories = everything();
            needs.all_links = true;
        }
        Action::Purge { .. } => {
            needs.repositories = everything();
            needs.holders = true;
        }
        Action::Resume {} => needs.all_links = true,
        Action::Config {} => {
            needs.repositories = everything();
            needs.strangers = true;
        }
    }
    needs
}
