//! What packages require, by which it is decided what is built anew: read from published metadata, as long as its
//! generation is kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use plan::{Action, Arrival, Asker, Code, Decision, Indexed, Product, Repository, Request, World};
use store::Store;

use super::chapters::Chapter;
use super::policies::Policy;
use super::reason;
use crate::error::Error;
use crate::observe::read_shelf;
use crate::shelves::relations;

/// What is read of it.
pub(super) struct Required<'a> {
    pub(super) policy: &'a Policy,
    pub(super) store: &'a Store,
    /// The generation that was published when it was decided.
    pub(super) published: Option<&'a Chapter>,
}

impl Required<'_> {
    /// Decides a request again, and reads for it what packages require; or says why that cannot be done.
    pub(super) fn decide(
        &self,
        world: &mut World,
        request: &Request,
        asker: &Asker,
        arrivals: &[Arrival],
    ) -> Result<Result<Decision, &'static str>, Error> {
        let mut decision = plan::decide(world, request, asker, arrivals);
        let product = match &request.action {
            Action::Rollback { product, .. } | Action::Promote { product, partial: Some(_), .. } => product,
            Action::Promote { product, .. } | Action::Step { product, .. }
                if !lacking(&decision).is_empty() =>
            {
                product
            }
            _ => return Ok(Ok(decision)),
        };
        if matches!(&decision, Decision::Refused(refusal) if refusal.code == Code::RoleNotAllowed) {
            return Ok(Ok(decision));
        }
        let product = self.policy.config.layout.products.get(product);
        if product.is_some_and(|product| !is_told_without_closure(product)) {
            return Ok(Err(reason::CLOSED));
        }
        loop {
            let shelves = lacking(&decision);
            if shelves.is_empty() {
                return Ok(Ok(decision));
            }
            for repository in shelves {
                let Some(indexed) = self.indexed(&repository)? else { return Ok(Err(reason::REQUIRED)) };
                world.shelves.insert(repository, indexed);
            }
            decision = plan::decide(world, request, asker, arrivals);
        }
    }

    /// Reads one repository as it was published; `None` if that is not there, or is not what manifests say.
    fn indexed(&self, repository: &Repository) -> Result<Option<Indexed>, Error> {
        let name = &repository.stage;
        let empty = || Indexed {
            shelf: Arc::new(closure::Shelf::new(name.clone(), Vec::new())),
            set: plan::digest_of_set([]),
        };
        let Some(published) = self.published else { return Ok(Some(empty())) };
        let Some(shelved) = published.account.repositories.get(&repository.name()) else {
            return Ok(Some(empty()));
        };
        let generation = match self.store.generation(published.number) {
            // A sweep takes one half after the other.
            Err(store::Error::NoGeneration { .. } | store::Error::NotDirectory { .. }) => return Ok(None),
            generation => generation?,
        };
        let shelf = read_shelf(self.store, &generation, shelved)?;
        let set = plan::digest_of_set(&shelf.listed);
        let listed = published.lists.get(repository).map(Vec::as_slice).unwrap_or_default();
        // What was purged since is told of no more.
        if set != plan::digest_of_set(listed) {
            return Ok(None);
        }
        let packages = relations(&shelf.entries()?)
            .map_err(|reason| Error::Metadata { place: format!("{}/repodata", shelved.path), reason })?;
        Ok(Some(Indexed { shelf: Arc::new(closure::Shelf::new(name.clone(), packages)), set }))
    }
}

/// Names the repositories of which a decision lacks what their packages require.
fn lacking(decision: &Decision) -> BTreeSet<Repository> {
    match decision {
        Decision::Lacking(lacking) => lacking.shelves.clone(),
        _ => BTreeSet::new(),
    }
}

/// Whether the layout says without the closures of its stages, as it is judged again, which meta-packages there are and
/// what hosts draw from: by routes, from each stage those that packages go on to.
fn is_told_without_closure(product: &Product) -> bool {
    product.stages.iter().all(|stage| {
        let Some(closure) = &stage.closure else { return true };
        let beside: BTreeSet<&str> = closure
            .beside
            .iter()
            .map(String::as_str)
            .filter(|name| product.stage(name).is_some() && *name != stage.name)
            .collect();
        let mut reached = BTreeSet::from([stage.name.as_str()]);
        loop {
            let routes = product.routes.iter().filter(|route| reached.contains(route.from.as_str()));
            let more: Vec<&str> = routes.map(|route| route.to.as_str()).collect();
            let before = reached.len();
            reached.extend(more);
            if reached.len() == before {
                break;
            }
        }
        reached.remove(stage.name.as_str());
        closure.meta_packages.is_empty() && beside == reached
    })
}

#[cfg(test)]
mod tests {
    use plan::{Closure, Route, Stage};

    use super::*;

    fn is_told(beside: &[&str], meta_packages: &[&str]) -> bool {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
        let closure =
            Closure { beside: texts(beside), meta_packages: texts(meta_packages), ..Closure::default() };
        let stage = |name: &str, closure| Stage { name: name.to_owned(), closure, ..Stage::default() };
        let route =
            |from: &str, to: &str| Route { from: from.to_owned(), to: to.to_owned(), ..Route::default() };
        is_told_without_closure(&Product {
            stages: vec![stage("delta", Some(closure)), stage("beta", None), stage("production", None)],
            routes: vec![route("delta", "beta"), route("beta", "production")],
            ..Product::default()
        })
    }

    #[test]
    fn routes_tell_the_stages_beside_unless_the_closure_says_otherwise() {
        assert!(is_told(&["production", "beta", "base"], &[]));
        assert!(!is_told(&["production", "base"], &[]), "hosts of delta do not draw from beta");
        assert!(!is_told(&["production", "beta"], &["ui-*"]), "patterns name what does not show it");
    }
}
