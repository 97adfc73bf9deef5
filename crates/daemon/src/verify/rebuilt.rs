//! I12 of what was built anew: a package that nobody brought was made of one that was listed, by a recipe on record.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Nevra, Sha256};
use plan::{Listed, Recipe};

use crate::account::{Account, Settled};

/// The requests that may have packages built anew.
const BUILDING: [&str; 5] = ["rollback", "promote", "bundle-rollback", "release-publish", "ticket-reject"];

/// What some generation lists, by digest, and in how many repositories.
#[derive(Debug, Default)]
pub(super) struct Everywhere(BTreeMap<Sha256, (Nevra, usize)>);

impl Everywhere {
    /// Makes of what the generation before lists what this one does.
    pub(super) fn advance(&mut self, account: &Account) {
        for package in account.changes.values().flat_map(|moves| &moves.entered) {
            self.0.entry(package.pkgid).or_insert_with(|| (package.nevra.clone(), 0)).1 += 1;
        }
        // What left one repository may have entered another: only now it is gone.
        for package in account.changes.values().flat_map(|moves| &moves.left) {
            let Some((_, count)) = self.0.get_mut(&package.pkgid) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&package.pkgid);
            }
        }
    }

    /// Lists what the requests of a generation had built anew, with the product that it is for; this is the generation before.
    pub(super) fn made<'a>(&self, account: &'a Account) -> BTreeSet<(&'a str, &'a Listed)> {
        let builds = |settled: &&'a Settled| BUILDING.contains(&&*settled.answer.action);
        let recipes = account.requests.iter().filter(builds).filter_map(|settled| settled.grounds.as_ref());
        let mut recipes = recipes.flat_map(|grounds| &grounds.rebuilt).peekable();
        if recipes.peek().is_none() {
            return BTreeSet::new();
        }
        // Requests that share a generation see what those before them brought.
        let fresh: BTreeMap<&Sha256, &Nevra> = account
            .changes
            .values()
            .flat_map(|moves| &moves.entered)
            .map(|package| (&package.pkgid, &package.nevra))
            .collect();
        let original = |of: &Sha256| match self.0.get(of) {
            Some((nevra, _)) => Some(nevra),
            None => fresh.get(of).copied(),
        };
        let is_made = |(recipe, made): &(&'a Recipe, &'a Listed)| {
            original(&recipe.of).is_some_and(|of| becomes(of, &made.nevra)) && recipe.of != made.pkgid
        };
        let made = recipes.filter_map(|(recipe, made)| Some((recipe, made.as_ref().ok()?)));
        made.filter(is_made).map(|(recipe, made)| (recipe.product.as_str(), made)).collect()
    }
}

/// Whether building a package anew may make of one name the other: the same but for the release, which never goes back.
fn becomes(of: &Nevra, made: &Nevra) -> bool {
    (&of.name, &of.arch) == (&made.name, &made.arch)
        && (of.evr.epoch, &of.evr.version) == (made.evr.epoch, &made.evr.version)
        && of.evr.rpm_cmp(&made.evr).is_le()
}

#[cfg(test)]
mod tests {
    fn becomes(of: &str, made: &str) -> bool {
        super::becomes(&of.parse().unwrap(), &made.parse().unwrap())
    }

    #[test]
    fn only_the_release_rises() {
        assert!(becomes("ui-3-1.el9.noarch", "ui-3-1.el9.1.noarch"));
        assert!(becomes("ui-3-9.noarch", "ui-3-10.noarch"));
        assert!(becomes("ui-3-1.noarch", "ui-3-1.noarch"), "a variant keeps its release");
        assert!(!becomes("ui-3-2.noarch", "ui-3-1.noarch"));
        assert!(!becomes("ui-3-1.noarch", "ui-4-2.noarch"));
        assert!(!becomes("ui-3-1.noarch", "wn-3-2.noarch"));
        assert!(!becomes("ui-3-1.noarch", "ui-3-2.x86_64"));
        assert!(!becomes("ui-3-1.noarch", "ui-1:3-2.noarch"));
    }
}
