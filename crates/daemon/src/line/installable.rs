//! Reads what it takes to judge whether packages can be installed.

use std::collections::BTreeSet;
use std::sync::Arc;

use nevra::Sha256;
use plan::{Action, Code, Context, External, Indexed, Lacking, Platform, Unfit};

use super::Line;
use crate::contexts::Kept;
use crate::engine::Engine;
use crate::error::Error;
use crate::shelves::relations;
use crate::waiting::Waiting;
use workflow::Command;

/// Of how many packages all that is said is held while their relations are taken out of it.
const READ_AT_ONCE: usize = 256;

impl Line<'_> {
    /// Fills in what the decision about a request lacked; `false` if it must wait for a signature.
    pub(super) fn provide(&mut self, lacking: &Lacking, waiting: &Waiting) -> Result<bool, Error> {
        if !lacking.rebuilt.is_empty() && !self.build(&lacking.rebuilt, waiting)? {
            return Ok(false);
        }
        self.read_signatures(&lacking.signatures)?;
        self.read_relations(&lacking.relations)?;
        self.read_built(&lacking.built)?;
        for repository in &lacking.shelves {
            let indexed = match self.before.get(repository) {
                Some(observed) => Indexed {
                    shelf: self.engine.indexes.ours.of(repository, observed)?,
                    set: plan::digest_of_set(&observed.listed),
                },
                // It is not published yet.
                None => Indexed {
                    shelf: Arc::new(closure::Shelf::new(repository.stage.clone(), Vec::new())),
                    set: plan::digest_of_set([]),
                },
            };
            self.world.shelves.insert(repository.clone(), indexed);
        }
        for (name, platform) in &lacking.contexts {
            let context = self.context(name, platform);
            self.world.contexts.insert((name.clone(), platform.clone()), context);
        }
        self.read_headers(&lacking.headers)?;
        if let Some((names, plan)) = lacking.external.as_deref() {
            // What is too old by either clock is too old.
            let now = self.world.now.max(self.world.witnessed);
            for name in names {
                let Engine { config, disk, heard, .. } = &mut *self.engine;
                let said = match config.external.get(name) {
                    Some(gate) => heard.of(&**disk, gate, (plan, &waiting.claimed.name), now),
                    None => External::Unusable("the configuration has no such gate".to_owned()),
                };
                self.world.external.insert((name.clone(), plan.hash()), said);
            }
        }
        Ok(true)
    }

    fn context(&mut self, name: &str, platform: &Platform) -> Result<Context, Unfit> {
        let Engine { config, disk, store, indexes, .. } = &mut *self.engine;
        let Some(context) = config.contexts.get(name) else {
            let words = format!("the configuration has no context `{name}`");
            return Err(Unfit { code: Code::ContextMissing, words });
        };
        let kept = Kept { disk: &**disk, cache: store.paths().cache() };
        // What is too old by either clock is too old.
        let now = self.world.now.max(self.world.witnessed);
        indexes.others.known(&kept, context, platform, now)
    }

    fn read_relations(&mut self, packages: &BTreeSet<Sha256>) -> Result<(), Error> {
        let wrong = |reason| Error::Metadata { place: "what enters".to_owned(), reason };
        let unknown = |digest| wrong(format!("nothing is known of the package {digest}"));
        let packages: Vec<&Sha256> = packages.iter().collect();
        for some in packages.chunks(READ_AT_ONCE) {
            let entries = self.known.entries(some.iter().copied())?.map_err(unknown)?;
            let read = relations(&entries).map_err(wrong)?.into_iter().map(Arc::new);
            self.world.relations.extend(some.iter().map(|digest| **digest).zip(read));
        }
        Ok(())
    }

    /// Tells when packages were built, by the metadata they are listed or arrive with.
    fn read_built(&mut self, packages: &BTreeSet<Sha256>) -> Result<(), Error> {
        let entries = self.known.entries(packages)?.map_err(|digest| {
            let reason = format!("nothing is known of the package {digest}");
            Error::Metadata { place: "files of one name".to_owned(), reason }
        })?;
        for (digest, entry) in packages.iter().zip(entries) {
            self.world.built.insert(*digest, entry.time_build);
        }
        Ok(())
    }

    /// Whether a request is judged by indexes of what is published, and its predecessors change that.
    pub(super) fn is_judged_after_them(&self, waiting: &Waiting) -> bool {
        if let Action::Step { product, command } = &waiting.request.action {
            let touched =
                |plan: &plan::Plan| plan.changes.keys().any(|repository| repository.product == *product);
            return match **command {
                // What pins a package, and what is built anew of it, may be of any product.
                Command::BundleRollback { .. }
                | Command::TicketReject { .. }
                | Command::ReleasePrepare { .. }
                | Command::ReleasePublish { .. } => self.plans.iter().any(|plan| !plan.changes.is_empty()),
                Command::PatchAdd { .. }
                | Command::PatchChange { .. }
                | Command::BundleDeploy { .. }
                | Command::TicketAdd { .. }
                | Command::TicketChange { .. }
                | Command::TicketDeploy { .. }
                | Command::TicketAccept { .. } => self.plans.iter().any(touched),
                _ => false,
            };
        }
        let (Action::Promote { product, .. }
        | Action::Rollback { product, .. }
        | Action::Import { product, .. }
        | Action::Withdraw { product, .. }
        | Action::Revert { product, .. }
        | Action::Adopt { product, .. }) = &waiting.request.action
        else {
            return false;
        };
        let stages = self.world.layout.products.get(product).map(|product| &product.stages);
        let touched =
            |plan: &plan::Plan| plan.changes.keys().any(|repository| repository.product == *product);
        let is_judged = stages.into_iter().flatten().any(|stage| stage.closure.is_some());
        match waiting.request.action {
            // What pins a package may be of any product.
            Action::Rollback { .. } => self.plans.iter().any(|plan| !plan.changes.is_empty()),
            Action::Promote { partial: Some(_), .. } => self.plans.iter().any(touched),
            // What follows a part that was released is built anew by what pins it.
            Action::Promote { .. } if self.has_variants_of(product) => self.plans.iter().any(touched),
            _ => is_judged && self.plans.iter().any(touched),
        }
    }

    /// Whether people decided that two files of a product may bear one name: the whole of what was released in part.
    fn has_variants_of(&self, product: &str) -> bool {
        let mut variants = self.world.standing.variants.values();
        variants.any(|variant| variant.product == product && variant.is_decided())
    }
}
