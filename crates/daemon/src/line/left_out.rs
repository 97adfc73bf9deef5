//! Tells whoever asked for it which node types have no view because a repository has too many.

use std::collections::BTreeSet;

use plan::Repository;

use super::{Line, Verdict};
use crate::account::Views;
use crate::views::{VIEWS_MAX, Viewed, chosen, edition, wanted};

/// How many node types are named.
const NAMED_MAX: usize = 20;

impl Line<'_> {
    /// Adds to the answers of all that change a repository, or its views, which of its node types are left without one.
    pub(super) fn tell_left_out(&self, verdicts: &mut [Verdict]) {
        for repository in self.world.layout.repositories() {
            let name = repository.name();
            let settled = verdicts.iter_mut().filter_map(|verdict| match verdict {
                Verdict::Effect(settled) => Some(settled),
                Verdict::Other(_) | Verdict::Later => None,
            });
            let follows = |plan: &plan::Plan| plan.views.contains(&repository);
            let follows = self.plans.iter().any(follows);
            let asked: Vec<_> = settled
                .filter(|settled| {
                    let mut moved = settled.answer.moved.iter();
                    moved.any(|moved| moved.repository == name)
                        || follows && settled.answer.action == "config"
                })
                .collect();
            if asked.is_empty() {
                continue;
            }
            let Some(words) = self.left_out(&repository) else { continue };
            for settled in asked {
                settled.answer.reasons.push(words.clone());
            }
        }
    }

    fn left_out(&self, repository: &Repository) -> Option<String> {
        let patterns = wanted(&self.world.layout, self.current, repository)?;
        let listed = self.world.repositories.get(repository)?;
        let before = self.current.and_then(|(_, account)| account.views.get(&repository.name()));
        if self.at_most(repository, &patterns, before) <= VIEWS_MAX {
            return None;
        }
        // What does not read stops the publication, which tells why.
        let entries = self.known.entries(listed.iter().map(|listed| &listed.pkgid)).ok()?.ok()?;
        let viewed = Viewed::of(&repository.name(), &entries, (&patterns, edition())).ok()?;
        let left_out = chosen(&viewed.node_types, before).left_out;
        if left_out.is_empty() {
            return None;
        }
        let named: Vec<String> = left_out.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
        let more = match left_out.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let words = format!(
            "`{repository}` has {VIEWS_MAX} views, which is all it may have: there is none of {}{more}",
            named.join(", ")
        );
        tracing::warn!("{words}");
        Some(words)
    }

    /// How many node types there can be, by what is known without a look into packages: nearly always few enough.
    fn at_most(&self, repository: &Repository, patterns: &[String], before: Option<&Views>) -> usize {
        let is_as_before = |views: &&Views| {
            views.edition == edition() && views.meta_packages == patterns && views.left_out == 0
        };
        match before.filter(is_as_before) {
            Some(views) => {
                let changes = self.plans.iter().filter_map(|plan| plan.changes.get(repository));
                views.node_types.len() + changes.map(|change| change.enter.len()).sum::<usize>()
            }
            None => {
                let listed = self.world.repositories.get(repository).into_iter().flatten();
                listed.map(|listed| &listed.nevra.name).collect::<BTreeSet<_>>().len()
            }
        }
    }
}
